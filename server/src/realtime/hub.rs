//! Which streams are read on this node, and the way to the workers that own the sockets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::live::Live;
use super::protocol::{events_frame, parts};
use crate::locks::{locked, reading, writing};
use crate::store::After;
use crate::streams::{Committed, Item, Stream, StreamKind};

/// Messages that may wait for a worker; beyond that its readers catch up from the log.
const QUEUE: usize = 4096;

/// What workers are told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// New events of a stream; `frame` is the whole, encoded for the wire.
    Deliver { stream: Stream, items: Arc<[Item]>, frame: Bytes },
    /// The log has lost what lies between: fetch again.
    Reset { stream: Stream, head: i64 },
    /// Something that may be dropped, for all readers but one member's (0: for all).
    Others { stream: Stream, except: i64, frame: Bytes },
    /// A room has news, for those who follow it.
    Activity { room: i64, frame: Bytes },
    /// Something about members or sessions changed.
    Control(After),
    /// The server stops.
    Leave,
}

#[derive(Debug)]
struct Door {
    queue: mpsc::Sender<Notice>,
    missed: Arc<AtomicBool>,
}

/// One node's sockets, seen from outside the workers. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    readers: RwLock<HashMap<Stream, usize>>,
    /// Sockets that are told of a room's news, by room.
    followed: RwLock<HashMap<i64, usize>>,
    live: Live,
    /// The bus is away: what other nodes write is looked for in the log.
    unsure: AtomicBool,
    /// The server stops: workers look at this too, as what they are told may not fit into their mailbox.
    leaving: AtomicBool,
    doors: RwLock<Vec<Door>>,
    sockets: AtomicUsize,
    /// Sockets by member.
    seats: Mutex<HashMap<i64, usize>>,
    cut: AtomicUsize,
}

/// One socket's place among those of its member; free again when dropped.
#[derive(Debug)]
pub struct Seat {
    hub: Hub,
    member: i64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = locked(&self.hub.inner.seats);
        if let Some(taken) = seats.get_mut(&self.member) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.member);
            }
        }
    }
}

impl Hub {
    /// A place for one more socket of a member on this node; `None` if they have `most`.
    #[must_use]
    pub fn seat(&self, member: i64, most: usize) -> Option<Seat> {
        let mut seats = locked(&self.inner.seats);
        let taken = seats.entry(member).or_insert(0);
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { hub: self.clone(), member })
    }

    /// A worker's mailbox, and the flag that tells it that something did not fit in.
    pub fn add_worker(&self) -> (mpsc::Receiver<Notice>, Arc<AtomicBool>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let missed = Arc::new(AtomicBool::new(false));
        writing(&self.inner.doors).push(Door { queue, missed: Arc::clone(&missed) });
        (receiver, missed)
    }

    /// Who types, who is there, which rooms have news.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    /// Whether anybody on this node reads the stream.
    #[must_use]
    pub fn is_read(&self, stream: Stream) -> bool {
        reading(&self.inner.readers).contains_key(&stream)
    }

    /// How many streams are read here.
    #[must_use]
    pub fn streams(&self) -> usize {
        reading(&self.inner.readers).len()
    }

    /// How many sockets are open here.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.inner.sockets.load(Ordering::Relaxed)
    }

    /// How many readers were cut off as too slow since the start.
    #[must_use]
    pub fn slow_readers(&self) -> usize {
        self.inner.cut.load(Ordering::Relaxed)
    }

    pub(super) fn cut_off(&self) {
        self.inner.cut.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn socket_opened(&self) {
        self.inner.sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn socket_closed(&self) {
        self.inner.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn add_reader(&self, stream: Stream, member: i64) {
        *writing(&self.inner.readers).entry(stream).or_insert(0) += 1;
        if shows_people(stream) {
            self.inner.live.came(stream, member);
        }
    }

    pub(super) fn remove_reader(&self, stream: Stream, member: i64) {
        let mut readers = writing(&self.inner.readers);
        if let Some(count) = readers.get_mut(&stream) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&stream);
            }
        }
        drop(readers);
        if shows_people(stream) {
            self.inner.live.went(stream, member);
        }
    }

    /// A socket is told of these rooms in place of those.
    pub(super) fn set_followed(&self, old: &[i64], new: &[i64]) {
        let mut followed = writing(&self.inner.followed);
        for room in new {
            *followed.entry(*room).or_insert(0) += 1;
        }
        for room in old {
            if let Some(count) = followed.get_mut(room) {
                *count -= 1;
                if *count == 0 {
                    followed.remove(room);
                }
            }
        }
    }

    /// Notes which rooms have news that somebody here waits for.
    pub fn note_activity(&self, events: &[Committed]) {
        let followed = reading(&self.inner.followed);
        if followed.is_empty() {
            return;
        }
        for event in events {
            if event.stream.kind == StreamKind::Room && followed.contains_key(&event.stream.id) {
                self.inner.live.moved(event.stream.id, event.seq);
            }
        }
    }

    /// Notes a head that was found in the log.
    pub fn note_head(&self, stream: Stream, head: i64) {
        let followed = |room: i64| reading(&self.inner.followed).contains_key(&room);
        if stream.kind == StreamKind::Room && followed(stream.id) {
            self.inner.live.moved(stream.id, head);
        }
    }

    /// Whether news of other nodes may be missing.
    pub fn set_unsure(&self, unsure: bool) {
        self.inner.unsure.store(unsure, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.inner.unsure.load(Ordering::Relaxed)
    }

    /// Streams of the rooms whose news somebody here waits for, while the bus does not bring them.
    #[must_use]
    pub fn unsure_rooms(&self) -> Vec<Stream> {
        if !self.is_unsure() {
            return Vec::new();
        }
        reading(&self.inner.followed).keys().map(|room| Stream::room(*room)).collect()
    }

    /// Hands new events to the workers.
    pub fn deliver(&self, stream: Stream, items: &[Item]) {
        for part in parts(items) {
            let frame = events_frame(stream, part);
            self.tell(&Notice::Deliver { stream, items: part.into(), frame });
        }
    }

    pub fn reset(&self, stream: Stream, head: i64) {
        self.tell(&Notice::Reset { stream, head });
    }

    pub fn control(&self, what: After) {
        self.tell(&Notice::Control(what));
    }

    /// Closes every socket with 1001.
    pub fn leave(&self) {
        self.inner.leaving.store(true, Ordering::Release);
        self.tell(&Notice::Leave);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.inner.leaving.load(Ordering::Acquire)
    }

    /// What may be dropped is, where a worker has much to do.
    pub(super) fn offer(&self, notice: &Notice) {
        let doors = reading(&self.inner.doors);
        for door in doors.iter().filter(|door| door.queue.capacity() > QUEUE / 2) {
            let _dropped = door.queue.try_send(notice.clone());
        }
    }

    fn tell(&self, notice: &Notice) {
        let doors = reading(&self.inner.doors);
        for door in doors.iter() {
            if door.queue.try_send(notice.clone()).is_err() {
                door.missed.store(true, Ordering::Release);
            }
        }
    }
}

/// Streams whose readers see who else is there: rooms, and case studies that are being written.
pub(super) const fn shows_people(stream: Stream) -> bool {
    matches!(stream.kind, StreamKind::Room | StreamKind::CaseStudy)
}
