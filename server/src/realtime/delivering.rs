//! What a worker is told, and whom of its sockets that concerns.

use std::rc::Rc;

use bytes::Bytes;

use super::hub::Notice;
use super::protocol::{Code, ServerFrame, close, events_frame};
use super::recent::Recent;
use super::recovery::{Cursor, Step};
use super::socket::Socket;
use super::sockets::{Reader, Sockets};
use crate::app::AppState;
use crate::store::After;
use crate::streams::{Item, Stream};

impl Sockets {
    pub(super) fn handle(self: &Rc<Self>, state: &AppState, notice: Notice) {
        match notice {
            Notice::Deliver { stream, items, frame } => {
                if let Some(readers) = self.streams.borrow_mut().get_mut(&stream) {
                    readers.recent.keep(&items, &frame);
                }
                self.deliver(state, stream, &items, &frame);
            }
            Notice::Reset { stream, head } => self.reset(state, stream, head),
            Notice::Others { stream, except, frame } => self.tell_others(stream, except, &frame),
            Notice::Activity { room, frame } => {
                if let Some(sockets) = self.followers.borrow().get(&room) {
                    sockets.iter().for_each(|socket| socket.offer(&frame));
                }
            }
            Notice::Control(after) => self.control(state, &after),
            Notice::Leave => {
                self.leaving.set(true);
                for socket in self.all.borrow().values() {
                    socket.close(close::LEAVING);
                }
            }
        }
    }

    fn deliver(self: &Rc<Self>, state: &AppState, stream: Stream, items: &[Item], frame: &Bytes) {
        let Some((first, newest)) = items.first().zip(items.last()) else { return };
        let (mut behind, mut slow) = (Vec::new(), Vec::new());
        {
            let mut streams = self.streams.borrow_mut();
            let Some(readers) = streams.get_mut(&stream) else { return };
            readers.delivered = readers.delivered.max(newest.seq);
            for Reader { socket, place } in &readers.all {
                let before = place.get();
                if !before.live {
                    continue;
                }
                let mut cursor = before;
                let room = match cursor.take(first.seq, newest.seq) {
                    Step::Whole => socket.outbox.push(frame.clone()),
                    Step::From(skip) => socket.outbox.push(events_frame(stream, items.get(skip..).unwrap_or_default())),
                    Step::Skip => true,
                    Step::Hole => {
                        behind.push(Rc::clone(socket));
                        true
                    }
                };
                if room {
                    place.set(cursor);
                } else {
                    place.set(Cursor::new(before.last, false));
                    slow.push(Rc::clone(socket));
                }
            }
        }
        for socket in slow {
            self.spare(state, &socket, stream);
        }
        for socket in behind {
            self.catch_up(state, &socket, stream);
        }
    }

    /// Droppable news for the readers of a stream, all but one member's.
    fn tell_others(&self, stream: Stream, except: i64, frame: &Bytes) {
        if let Some(readers) = self.streams.borrow().get(&stream) {
            for Reader { socket, place } in &readers.all {
                if place.get().live && socket.member.get() != except {
                    socket.offer(frame);
                }
            }
        }
    }

    fn reset(&self, state: &AppState, stream: Stream, head: i64) {
        let name = stream.to_string();
        let frame = ServerFrame::Reset { stream: &name, head, epoch: &state.epoch, reference: None }.encode();
        let mut streams = self.streams.borrow_mut();
        let Some(readers) = streams.get_mut(&stream) else { return };
        readers.delivered = readers.delivered.max(head);
        for Reader { socket, place } in &readers.all {
            let cursor = place.get();
            if cursor.last < head {
                place.set(Cursor::new(head, cursor.live));
                socket.send(frame.clone());
            }
        }
    }

    /// The mailbox was full for a while: everybody reads the log.
    pub(super) fn everybody_catches_up(self: &Rc<Self>, state: &AppState) {
        for readers in self.streams.borrow_mut().values_mut() {
            readers.delivered = 0;
            readers.recent = Recent::default();
        }
        let sockets: Vec<Rc<Socket>> = self.all.borrow().values().cloned().collect();
        for socket in sockets {
            self.pause_and_check(state, &socket);
        }
    }

    fn control(self: &Rc<Self>, state: &AppState, after: &After) {
        let concerned = |socket: &Rc<Socket>| match after {
            After::EndSession(session) => socket.session.get() == *session,
            After::Suspend(member) | After::Access(member) | After::Follows(member) => socket.member.get() == *member,
            After::SpaceAccess(_) => true,
            After::Jobs | After::Index => false,
        };
        let sockets: Vec<Rc<Socket>> = self.all.borrow().values().filter(|of| concerned(of)).cloned().collect();
        for socket in sockets {
            match after {
                After::EndSession(_) => socket.close(close::SIGNED_OUT),
                After::Suspend(_) => socket.close(close::SUSPENDED),
                After::Access(_) | After::SpaceAccess(_) => self.pause_and_check(state, &socket),
                After::Follows(_) => self.refresh_follows(state, &socket),
                After::Jobs | After::Index => {}
            }
        }
    }

    /// Stops every subscription of a socket at once, then lets those go on that it still may read.
    fn pause_and_check(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>) {
        let streams: Vec<Stream> = {
            let cursors = socket.cursors.borrow();
            cursors.values().for_each(|place| place.set(Cursor::new(place.get().last, false)));
            cursors.keys().copied().collect()
        };
        if streams.is_empty() {
            return;
        }
        if streams.contains(&Stream::member(socket.member.get())) {
            self.refresh_follows(state, socket);
        }
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            for stream in streams {
                match state.may_subscribe(socket.member.get(), stream).await {
                    Ok(()) => this.catch_up(&state, &socket, stream),
                    Err(error) => {
                        tracing::debug!(%error, %stream, "a subscription ends");
                        if this.unsubscribe(&socket, stream) {
                            let name = stream.to_string();
                            let code = Some(Code::Forbidden);
                            socket.send(ServerFrame::Unsubscribed { stream: &name, code, reference: None }.encode());
                        }
                    }
                }
            }
        });
    }
}
