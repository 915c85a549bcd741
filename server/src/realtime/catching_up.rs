//! Bringing a reader that is behind up to the log, as fast as it reads.

use std::rc::Rc;
use std::time::Duration;

use super::hub::shows_people;
use super::protocol::{ServerFrame, close, events_frame, parts};
use super::recovery::{Cursor, Step};
use super::socket::Socket;
use super::sockets::Sockets;
use crate::app::AppState;
use crate::store::{ANSWER_WITHIN, in_time};
use crate::streams::{Head, Item, Stream, log_head};

/// How long a reader with a full queue may take to make room.
const GRACE: Duration = Duration::from_secs(3);

impl Sockets {
    /// Gives a live reader that has too much waiting a moment, and cuts it off with 4408 if it
    /// does not use it; else it goes on from the log. A burst alone cuts nobody off.
    pub(super) fn spare(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>, stream: Stream) {
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            if tokio::time::timeout(GRACE, socket.outbox.low()).await.is_ok() {
                this.catch_up(&state, &socket, stream);
            } else {
                this.hub.cut_off();
                socket.close(close::TOO_SLOW);
            }
        });
    }

    /// Brings one reader up to the log, as fast as it reads; ends where its right is looked up again.
    pub(super) fn catch_up(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>, stream: Stream) {
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            let (mut pause, mut empty) = (50, 0);
            loop {
                socket.outbox.low().await;
                let Some(cursor) = socket.cursors.borrow().get(&stream).map(|place| place.get()) else { return };
                if cursor.live || socket.outbox.is_closing() || socket.is_held(stream) || this.go_on(&socket, stream) {
                    return;
                }
                if !socket.outbox.is_low() {
                    continue;
                }
                let Some(cursor) = socket.cursors.borrow().get(&stream).map(|place| place.get()) else { return };
                match in_time(ANSWER_WITHIN, Box::pin(state.relay.replay(stream, cursor.last))).await {
                    Ok(items) => {
                        let mut last = cursor.last;
                        if items.is_empty() {
                            match in_time(ANSWER_WITHIN, Box::pin(log_head(state.store.read(), stream))).await {
                                Ok(head) if this.take_end(&state, &socket, stream, last, head) => return,
                                // Something was committed between the two look-ups.
                                Ok(_) if empty < 3 => empty += 1,
                                Ok(_) => tokio::time::sleep(Duration::from_millis(pause)).await,
                                Err(error) => {
                                    tracing::warn!(%error, %stream, "a replay waits for the database");
                                    tokio::time::sleep(Duration::from_millis(pause)).await;
                                    pause = (pause * 2).min(2000);
                                }
                            }
                            continue;
                        }
                        for part in parts(&items) {
                            socket.outbox.low().await;
                            if this.take_page(&state, &socket, stream, last, part) {
                                return;
                            }
                            last = part.last().map_or(last, |item| item.seq);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, %stream, "a replay waits for the database");
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        pause = (pause * 2).min(2000);
                    }
                }
            }
        });
    }

    /// Gives a reader what was just delivered to the others, as long as little waits for it. True:
    /// it is live now.
    fn go_on(&self, socket: &Rc<Socket>, stream: Stream) -> bool {
        let Some(place) = socket.cursors.borrow().get(&stream).cloned() else { return true };
        let streams = self.streams.borrow();
        let Some(readers) = streams.get(&stream) else { return true };
        let mut cursor = place.get();
        while socket.outbox.is_low() {
            if readers.delivered > 0 && cursor.last == readers.delivered {
                place.set(Cursor::new(cursor.last, true));
                if shows_people(stream) {
                    self.hub.live().stir(stream);
                }
                return true;
            }
            let Some(next) = readers.recent.after(cursor.last) else { return false };
            match cursor.take(next.first, next.newest) {
                Step::Whole => socket.outbox.push_paced(next.frame.clone()),
                Step::From(skip) => {
                    let rest = next.items.get(skip..).unwrap_or_default();
                    socket.outbox.push_paced(events_frame(stream, rest));
                }
                Step::Skip | Step::Hole => return false,
            }
            place.set(Cursor::new(cursor.last, false));
        }
        false
    }

    /// The log had nothing for a reader that stood at `last` when it was read, and `head` was read
    /// after that. True: the reader is live, or held.
    fn take_end(&self, state: &AppState, socket: &Rc<Socket>, stream: Stream, last: i64, head: Head) -> bool {
        let Some(place) = socket.cursors.borrow().get(&stream).cloned() else { return true };
        let mut cursor = place.get();
        if cursor.live || socket.is_held(stream) {
            return true;
        }
        if cursor.last != last {
            return false;
        }
        if head.floor > last {
            // All that came after it was trimmed while the reader was on its way.
            place.set(Cursor::new(head.head, false));
            say_reset(state, socket, stream, head.head);
            return false;
        }
        if head.head > last {
            // It came meanwhile, and is in the log.
            return false;
        }
        let delivered = self.streams.borrow().get(&stream).map_or(0, |readers| readers.delivered);
        let live = cursor.end_of_log(delivered);
        place.set(cursor);
        if live && shows_people(stream) {
            self.hub.live().stir(stream);
        }
        live
    }

    /// A page of the log for a reader that stood at `last` when it was read. True: nothing more
    /// to read.
    fn take_page(&self, state: &AppState, socket: &Rc<Socket>, stream: Stream, last: i64, items: &[Item]) -> bool {
        let Some(place) = socket.cursors.borrow().get(&stream).cloned() else { return true };
        let mut cursor = place.get();
        if cursor.live || socket.is_held(stream) {
            return true;
        }
        if cursor.last != last {
            return false;
        }
        let Some((first, newest)) = items.first().zip(items.last()) else { return false };
        match cursor.take(first.seq, newest.seq) {
            // Who reads the log makes room first: one long event cuts nobody off.
            Step::Whole => socket.outbox.push_paced(events_frame(stream, items)),
            Step::From(skip) => {
                socket.outbox.push_paced(events_frame(stream, items.get(skip..).unwrap_or_default()));
            }
            Step::Skip => {}
            Step::Hole => {
                // What lay between was trimmed while the reader was on its way.
                cursor = Cursor::new(first.seq - 1, false);
                say_reset(state, socket, stream, first.seq - 1);
            }
        }
        place.set(cursor);
        false
    }
}

/// Tells a reader to fetch again; it gets what comes after `head`.
fn say_reset(state: &AppState, socket: &Socket, stream: Stream, head: i64) {
    let name = stream.to_string();
    socket.send(ServerFrame::Reset { stream: &name, head, epoch: &state.epoch, reference: None }.encode());
}
