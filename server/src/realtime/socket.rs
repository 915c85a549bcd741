//! One socket as its worker holds it: who it is, what waits for it, where it stands in each stream.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bytes::Bytes;

use super::outbox::Outbox;
use super::protocol::{Echo, close, close_frame};
use super::recovery::Cursor;
use crate::streams::Stream;

/// One open socket.
#[derive(Debug)]
pub struct Socket {
    pub number: u64,
    pub member: Cell<i64>,
    pub session: Cell<i64>,
    pub outbox: Rc<Outbox>,
    pub cursors: RefCell<HashMap<Stream, Place>>,
    /// Streams it gets nothing of until it is known whether it still may: replays of them end, and
    /// whoever asks begins them anew.
    pub(super) held: RefCell<HashSet<Stream>>,
    /// By room: a marker is on its way, and what follows it.
    pub(super) marks: RefCell<HashMap<i64, Option<(i64, Echo)>>>,
    /// Rooms of whose news it is told, while it reads its member's stream.
    pub(super) follows: RefCell<Vec<i64>>,
    /// How often those were asked for.
    pub(super) asked: Cell<u32>,
}

/// A socket's place in a stream, shared by the socket and the stream's list of readers.
pub type Place = Rc<Cell<Cursor>>;

impl Socket {
    /// Sends bytes; a reader too slow for them is closed with 4408.
    pub fn send(&self, frame: Bytes) {
        if !self.outbox.push(frame) {
            self.outbox.finish(close_frame(close::TOO_SLOW), true);
        }
    }

    /// Notes how far its member has read a room, if an earlier marker of theirs there is on its way: the
    /// newest of those that come meanwhile follows it. False: nothing is on its way.
    pub(super) fn mark_later(&self, room: i64, seq: i64, echo: &Echo) -> bool {
        let mut marks = self.marks.borrow_mut();
        let Some(next) = marks.get_mut(&room) else {
            marks.insert(room, None);
            return false;
        };
        if next.as_ref().is_none_or(|(before, _)| *before < seq) {
            *next = Some((seq, echo.clone()));
        }
        true
    }

    /// What is to follow the marker that was just written; nothing is on its way after the last.
    pub(super) fn mark_next(&self, room: i64) -> Option<(i64, Echo)> {
        let mut marks = self.marks.borrow_mut();
        let next = marks.get_mut(&room).and_then(Option::take);
        if next.is_none() {
            marks.remove(&room);
        }
        next
    }

    /// How many streams it reads, and whether this is one of them.
    pub(super) fn count_of(&self, stream: Stream) -> (usize, bool) {
        let cursors = self.cursors.borrow();
        (cursors.len(), cursors.contains_key(&stream))
    }

    pub(super) fn is_held(&self, stream: Stream) -> bool {
        self.held.borrow().contains(&stream)
    }

    /// Stops these subscriptions, replays too, until it is known whether they may go on.
    pub fn hold(&self, streams: &[Stream]) {
        let cursors = self.cursors.borrow();
        let mut held = self.held.borrow_mut();
        for (stream, place) in streams.iter().filter_map(|stream| cursors.get_key_value(stream)) {
            place.set(Cursor::new(place.get().last, false));
            held.insert(*stream);
        }
    }

    /// Sends bytes that may be dropped, to a reader that has little waiting.
    pub(super) fn offer(&self, frame: &Bytes) {
        if self.outbox.is_low() {
            self.send(frame.clone());
        }
    }

    pub fn close(&self, code: u16) {
        self.outbox.finish(close_frame(code), code != close::LEAVING);
    }
}
