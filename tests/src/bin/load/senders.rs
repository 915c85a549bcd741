//! Senders: each a socket that sends into its rooms in turn and reads what it is answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::drive::{DRAIN, MEASURE, Run, WARM, now};
use super::figures::{Latencies, Outcome};
use super::wire::{Frame, connect, first_frame, put_text};

/// Sends of one socket that may wait for their answer; the server takes up to 64.
const IN_FLIGHT: u64 = 60;
/// Unanswered sends at a fixed rate; beyond that the rate is too high.
const MOST_BEHIND: u64 = 4096;
const FILLING: &str = "We tried the smaller dose on the morning round and wrote down what changed for each patient; ";

/// Who sends into a room: with fewer senders than rooms each has several rooms, with more each
/// room has several senders.
pub fn of_room(room: usize, rooms: usize, senders: usize) -> impl Iterator<Item = usize> {
    (0..senders).filter(move |sender| if senders <= rooms { room % senders == *sender } else { sender % rooms == room })
}

struct Sender {
    run: Arc<Run>,
    number: usize,
    rooms: Vec<usize>,
    sent: Cell<u64>,
    answered: Cell<u64>,
    accepted: Cell<u64>,
    refused: Cell<u64>,
    latency: RefCell<Latencies>,
}

pub struct Senders(Vec<Rc<Sender>>);

pub async fn open(run: &Arc<Run>, numbers: &[usize]) -> Senders {
    let mut all = Vec::new();
    for &number in numbers {
        let stream = connect(run.node(number), Run::from(run.drive.sockets + number), run.token(number)).await;
        let (count, senders) = (run.rooms.len(), run.drive.senders);
        let sender = Rc::new(Sender {
            run: Arc::clone(run),
            number,
            rooms: (0..count).filter(|room| of_room(*room, count, senders).any(|of| of == number)).collect(),
            sent: Cell::new(0),
            answered: Cell::new(0),
            accepted: Cell::new(0),
            refused: Cell::new(0),
            latency: RefCell::new(Latencies::new()),
        });
        let (read, write) = stream.into_split();
        tokio::task::spawn_local(Rc::clone(&sender).listen(read));
        tokio::task::spawn_local(Rc::clone(&sender).speak(write));
        all.push(sender);
    }
    Senders(all)
}

impl Sender {
    async fn speak(self: Rc<Self>, mut write: OwnedWriteHalf) {
        while self.run.phase() < WARM {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        match self.run.drive.rate {
            Some(rate) => self.speak_at(rate / self.run.drive.senders as f64, &mut write).await,
            None => self.speak_fully(&mut write).await,
        }
        // Dropping the half would end the connection while answers are still on their way.
        std::future::pending::<()>().await;
    }

    /// As many as the rooms let through.
    async fn speak_fully(&self, write: &mut OwnedWriteHalf) {
        let (mut out, mut turn) = (Vec::new(), 0);
        while self.run.phase() < DRAIN {
            out.clear();
            let mut full = 0;
            while full < self.rooms.len() && self.sent.get() - self.answered.get() < IN_FLIGHT {
                let room = self.rooms[turn % self.rooms.len()];
                turn += 1;
                if self.run.rooms[room].on_their_way() < self.run.drive.window {
                    self.put_send(&mut out, room, now());
                    full = 0;
                } else {
                    full += 1;
                }
            }
            if out.is_empty() {
                self.run.wakers[self.number].notified().await;
            } else if write.write_all(&out).await.is_err() {
                panic!("a sender's socket was closed");
            }
        }
    }

    /// By the clock: the time of a message is when it was due, even if it goes later.
    async fn speak_at(&self, rate: f64, write: &mut OwnedWriteHalf) {
        let step = 1_000_000.0 / rate;
        // Senders take turns.
        let begun = now() as f64 + step * self.number as f64 / self.run.drive.senders as f64;
        let (mut out, mut turn) = (Vec::new(), 0);
        while self.run.phase() < DRAIN {
            out.clear();
            loop {
                let due = (begun + step * turn as f64) as u64;
                if due > now() {
                    break;
                }
                self.put_send(&mut out, self.rooms[turn % self.rooms.len()], due);
                turn += 1;
            }
            assert!(self.sent.get() - self.answered.get() < MOST_BEHIND, "the rate is too high for this server");
            if !out.is_empty() && write.write_all(&out).await.is_err() {
                panic!("a sender's socket was closed");
            }
            let due = (begun + step * turn as f64) as u64;
            tokio::time::sleep(Duration::from_micros(due.saturating_sub(now()))).await;
        }
    }

    fn put_send(&self, out: &mut Vec<u8>, room: usize, at: u64) {
        let count = self.sent.get();
        self.sent.set(count + 1);
        let room = &self.run.rooms[room];
        room.sent.fetch_add(1, Relaxed);
        let mut body = format!("t{at:012} ");
        while body.len() < self.run.drive.size {
            let more = &FILLING[..FILLING.len().min(self.run.drive.size - body.len())];
            body.push_str(more);
        }
        let body = body.trim_end();
        let (process, number, low) = (std::process::id(), self.number & 0xffff, count & 0xfff);
        let high = (count >> 12) & 0xfff;
        let text = format!(
            r#"{{"type":"send","room":"{}","body":"{body}","client_id":"{process:08x}-{number:04x}-4{high:03x}-8{low:03x}-{at:012x}"}}"#,
            room.id
        );
        put_text(out, text.as_bytes());
    }

    async fn listen(self: Rc<Self>, mut read: OwnedReadHalf) {
        let mut buffer = Vec::with_capacity(64 << 10);
        while let Ok(1..) = read.read_buf(&mut buffer).await {
            let mut used = 0;
            while let Some((frame, length)) = first_frame(&buffer[used..]) {
                match frame {
                    Frame::Text(text) => self.take(text),
                    Frame::Close(code) => panic!("a sender was cut with {code}"),
                    _ => {}
                }
                used += length;
            }
            buffer.drain(..used);
        }
    }

    fn take(&self, text: &[u8]) {
        // Answers only; a hub may say other things to a member.
        let frame: Value = serde_json::from_slice(text).expect("a frame of JSON");
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind != "sent" && (kind != "error" || frame["client_id"].is_null()) {
            assert_ne!(kind, "error", "a sender heard {frame}");
            return;
        }
        self.answered.set(self.answered.get() + 1);
        let room = frame["room"].as_str().and_then(|id| self.rooms.iter().find(|room| self.run.rooms[**room].id == id));
        match (kind, room) {
            ("sent", Some(&room)) => {
                let room = &self.run.rooms[room];
                room.head.fetch_max(frame["seq"].as_i64().expect("a seq"), Relaxed);
                room.accepted.fetch_add(1, Relaxed);
                room.answered.fetch_add(1, Relaxed);
                room.wake();
                if self.run.phase() == MEASURE {
                    let id = frame["client_id"].as_str().unwrap_or_default();
                    let at = id.rsplit('-').next().and_then(|part| u64::from_str_radix(part, 16).ok());
                    self.latency.borrow_mut().add(now().saturating_sub(at.expect("a client_id of ours")));
                    self.accepted.set(self.accepted.get() + 1);
                }
            }
            _ => {
                if self.refused.replace(self.refused.get() + 1) == 0 {
                    eprintln!("a send was refused: {frame}");
                }
                // An error does not name the room; any of the sender's own will do for the count.
                self.run.rooms[self.rooms[0]].answered.fetch_add(1, Relaxed);
                self.run.wakers[self.number].notify_one();
            }
        }
    }
}

impl Senders {
    pub fn tally(&self, outcome: &mut Outcome) {
        for sender in &self.0 {
            outcome.accepted += sender.accepted.get();
            outcome.refused += sender.refused.get();
            outcome.acknowledged.merge(&sender.latency.borrow());
        }
    }
}
