//! Readers: each a socket in one room that takes what comes and looks whether all of it comes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, ready};

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::drive::{MEASURE, Run, SUBSCRIBE, now};
use super::figures::{Latencies, Outcome};
use super::scan::{Recent, Scanner};
use super::wire::{Frame, connect, first_frame, put_pong, put_text};

/// Handshakes at once.
const AT_ONCE: usize = 32;
/// Seqs that may be missing in a hole; a wider one is a lost connection.
const WIDEST: i64 = 100_000;

/// What the readers of one thread share.
struct Shared {
    run: Arc<Run>,
    buffer: RefCell<Vec<u8>>,
    scanner: RefCell<Scanner>,
    recent: Vec<RefCell<Recent>>,
    latency: RefCell<Latencies>,
    delivered: Cell<u64>,
    frames: Cell<u64>,
}

struct Reader {
    room: usize,
    write: OwnedWriteHalf,
    last: Cell<i64>,
    subscribed: Cell<bool>,
    missing: RefCell<BTreeSet<i64>>,
    twice: Cell<u64>,
    disordered: Cell<u64>,
    closed: Cell<Option<u16>>,
}

/// One thread's readers.
pub struct Readers {
    shared: Rc<Shared>,
    all: Vec<Rc<Reader>>,
}

/// Connects readers with these numbers, and subscribes them when the run says so.
pub async fn open(run: &Arc<Run>, numbers: &[usize]) -> Readers {
    let shared = Rc::new(Shared {
        run: Arc::clone(run),
        buffer: RefCell::new(vec![0; 256 << 10]),
        scanner: RefCell::new(Scanner::new()),
        recent: run.rooms.iter().map(|_| RefCell::new(Recent::new())).collect(),
        latency: RefCell::new(Latencies::new()),
        delivered: Cell::new(0),
        frames: Cell::new(0),
    });
    let sockets = futures_util::stream::iter(numbers.iter().copied())
        .map(|number| async move {
            let stream = connect(run.node(number), Run::from(number), run.token(number)).await;
            (number, stream)
        })
        .buffer_unordered(AT_ONCE);
    let mut sockets = std::pin::pin!(sockets);
    let mut all = Vec::with_capacity(numbers.len());
    while let Some((number, stream)) = sockets.next().await {
        let (read, write) = stream.into_split();
        let reader = Rc::new(Reader {
            room: number % run.rooms.len(),
            write,
            last: Cell::new(0),
            subscribed: Cell::new(false),
            missing: RefCell::default(),
            twice: Cell::new(0),
            disordered: Cell::new(0),
            closed: Cell::new(None),
        });
        tokio::task::spawn_local(listen(Rc::clone(&shared), Rc::clone(&reader), read));
        all.push(reader);
    }
    while run.phase() < SUBSCRIBE {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for reader in &all {
        let text = format!(r#"{{"type":"subscribe","stream":"room:{}"}}"#, run.rooms[reader.room].id);
        reader.say(text.as_bytes());
        tokio::task::yield_now().await;
    }
    Readers { shared, all }
}

/// Reads as much as there is, looks at whole frames where they lie, keeps the rest.
async fn listen(shared: Rc<Shared>, reader: Rc<Reader>, mut read: OwnedReadHalf) {
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let open = poll_fn(|cx| {
            let mut buffer = shared.buffer.borrow_mut();
            if rest.len() * 2 > buffer.len() {
                let larger = buffer.len() * 2;
                buffer.resize(larger, 0);
            }
            buffer[..rest.len()].copy_from_slice(&rest);
            let mut space = ReadBuf::new(&mut buffer[rest.len()..]);
            if ready!(Pin::new(&mut read).poll_read(cx, &mut space)).is_err() {
                return Poll::Ready(false);
            }
            let new = space.filled().len();
            if new == 0 {
                return Poll::Ready(false);
            }
            let there = &buffer[..rest.len() + new];
            let used = reader.take(&shared, there);
            rest.clear();
            rest.extend_from_slice(&there[used..]);
            Poll::Ready(true)
        })
        .await;
        if !open || reader.closed.get().is_some() {
            reader.closed.set(Some(reader.closed.get().unwrap_or(1006)));
            return;
        }
    }
}

impl Reader {
    fn say(&self, text: &[u8]) {
        let mut frame = Vec::with_capacity(text.len() + 8);
        put_text(&mut frame, text);
        self.write(&frame);
    }

    fn write(&self, frame: &[u8]) {
        // Small and rare: there is room for it, or the socket is gone.
        let _gone = self.write.try_write(frame);
    }

    /// Looks at the whole frames of these bytes; says how many bytes they are.
    fn take(&self, shared: &Shared, bytes: &[u8]) -> usize {
        let (at, measured) = (now(), shared.run.phase() == MEASURE);
        let (mut used, mut arrived, mut frames) = (0, 0, 0);
        while let Some((frame, length)) = first_frame(&bytes[used..]) {
            match frame {
                Frame::Text(text) if text.starts_with(br#"{"type":"events""#) => {
                    let events = shared.scanner.borrow_mut().read(text, &mut shared.recent[self.room].borrow_mut());
                    events.seqs.iter().for_each(|seq| self.hear_of(*seq));
                    arrived += events.sent.len() as u64;
                    frames += 1;
                    if measured {
                        let mut latency = shared.latency.borrow_mut();
                        events.sent.iter().for_each(|sent| latency.add(at.saturating_sub(*sent)));
                    }
                }
                Frame::Text(text) => self.take_other(shared, text),
                Frame::Ping(payload) => {
                    let mut pong = Vec::new();
                    put_pong(&mut pong, payload);
                    self.write(&pong);
                }
                Frame::Pong => {}
                Frame::Close(code) => self.closed.set(Some(code)),
            }
            used += length;
        }
        if arrived > 0 {
            let room = &shared.run.rooms[self.room];
            let before = room.delivered.fetch_add(arrived, Relaxed);
            if before / room.readers != (before + arrived) / room.readers {
                room.wake();
            }
            if measured {
                shared.delivered.set(shared.delivered.get() + arrived);
                shared.frames.set(shared.frames.get() + frames);
            }
        }
        used
    }

    fn take_other(&self, shared: &Shared, text: &[u8]) {
        let frame: Value = serde_json::from_slice(text).expect("a frame of JSON");
        match frame["type"].as_str().unwrap_or_default() {
            "ready" => _ = shared.run.greeted.fetch_add(1, Relaxed),
            "subscribed" => {
                self.last.set(frame["head"].as_i64().expect("a head"));
                self.subscribed.set(true);
                shared.run.subscribed.fetch_add(1, Relaxed);
            }
            "error" | "reset" | "unsubscribed" => panic!("a reader heard {frame}"),
            // Presence, typing, activity.
            _ => {}
        }
    }

    fn hear_of(&self, seq: i64) {
        let last = self.last.get();
        if seq == last + 1 {
            self.last.set(seq);
        } else if seq > last {
            assert!(seq - last < WIDEST, "a hole from {last} to {seq}");
            self.missing.borrow_mut().extend(last + 1..seq);
            self.last.set(seq);
        } else if self.missing.borrow_mut().remove(&seq) {
            self.disordered.set(self.disordered.get() + 1);
        } else {
            self.twice.set(self.twice.get() + 1);
        }
    }
}

impl Readers {
    pub fn tally(&self, run: &Run, outcome: &mut Outcome) {
        outcome.delivered += self.shared.delivered.get();
        outcome.frames += self.shared.frames.get();
        outcome.latency.merge(&self.shared.latency.borrow());
        for reader in &self.all {
            let head = run.rooms[reader.room].head.load(Relaxed);
            let behind = if reader.subscribed.get() { (head - reader.last.get()).max(0) } else { 0 };
            outcome.lost += reader.missing.borrow().len() as u64 + behind as u64;
            outcome.twice += reader.twice.get();
            outcome.disordered += reader.disordered.get();
            if let Some(code) = reader.closed.get() {
                outcome.cut += 1;
                outcome.code = outcome.code.max(code);
            }
        }
    }
}
