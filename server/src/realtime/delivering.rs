//! What a worker is told, and whom of its sockets that concerns.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use sea_orm::EntityTrait as _;

use super::hub::Notice;
use super::protocol::{Code, ServerFrame, close, events_frame};
use super::recent::Recent;
use super::recovery::{Cursor, Step};
use super::socket::Socket;
use super::sockets::{Reader, Sockets};
use crate::app::AppState;
use crate::entities::{kinds::MemberState, member};
use crate::store::{ANSWER_WITHIN, After, in_time};
use crate::streams::{Item, Stream};
use crate::web::error::{AppError, Result};

/// How long a check waits for a database that is away, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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
            Notice::Leave => self.leave(),
        }
    }

    /// Closes every socket, once.
    pub(super) fn leave(&self) {
        if self.leaving.replace(true) {
            return;
        }
        for socket in self.all.borrow().values() {
            socket.close(close::LEAVING);
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

    /// The mailbox was full for a while: everybody reads the log, and whatever was to be said of rights
    /// and sessions is looked up.
    pub(super) fn everybody_catches_up(self: &Rc<Self>, state: &AppState) {
        self.withdrawals.set(self.withdrawals.get() + 1);
        for readers in self.streams.borrow_mut().values_mut() {
            readers.delivered = 0;
            readers.recent = Recent::default();
        }
        let sockets: Vec<Rc<Socket>> = self.all.borrow().values().cloned().collect();
        for socket in sockets {
            let streams = socket.cursors.borrow().keys().copied().collect();
            self.pause_and_check(state, &socket, streams);
            self.check_session(state, &socket);
        }
    }

    /// Closes a socket whose session is over; a database that is away for a moment closes none.
    fn check_session(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>) {
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move { this.session_checked(&state, &socket).await });
    }

    /// Returns once it is known that the session is not over, or the socket is closing.
    async fn session_checked(&self, state: &AppState, socket: &Socket) {
        if socket.session.get() == 0 {
            return;
        }
        let turns = self.turns();
        let mut pause = FIRST_PAUSE;
        while !socket.outbox.is_closing() {
            let turn = turns.acquire().await;
            let ended = in_time(ANSWER_WITHIN, Box::pin(over(state, socket))).await;
            drop(turn);
            match ended {
                Ok(None) => return,
                Ok(Some(code)) => socket.close(code),
                Err(error) => {
                    tracing::warn!(%error, "a session waits for the database");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn control(self: &Rc<Self>, state: &AppState, after: &After) {
        if matches!(after, After::SpaceAccess(_) | After::TopicAccess(_) | After::Access(_) | After::Suspend(_)) {
            self.withdrawals.set(self.withdrawals.get() + 1);
        }
        match after {
            After::SpaceAccess(space) => self.control_space(state, *space),
            After::TopicAccess(topic) => {
                let stream = Stream::topic(*topic);
                let readers = self
                    .streams
                    .borrow()
                    .get(&stream)
                    .map(|readers| readers.all.iter().map(|reader| Rc::clone(&reader.socket)).collect::<Vec<_>>());
                for socket in readers.unwrap_or_default() {
                    self.pause_and_check(state, &socket, vec![stream]);
                }
            }
            After::EndSession(session) => {
                self.those(|socket| socket.session.get() == *session).iter().for_each(|of| of.close(close::SIGNED_OUT));
            }
            After::Suspend(member) => {
                // A worker without sockets reads this with its first one, when its member may have been let
                // in again: the rows say whose session is over.
                // Its streams stop at once, and are told to be lost only where the session goes on.
                for socket in self.those(|socket| socket.member.get() == *member) {
                    let streams: Vec<Stream> = socket.cursors.borrow().keys().copied().collect();
                    socket.hold(&streams);
                    let (this, state) = (Rc::clone(self), state.clone());
                    actix_web::rt::spawn(async move {
                        this.session_checked(&state, &socket).await;
                        if !socket.outbox.is_closing() {
                            this.pause_and_check(&state, &socket, streams);
                        }
                    });
                }
            }
            After::Access(member) => {
                for socket in self.those(|socket| socket.member.get() == *member) {
                    let streams = socket.cursors.borrow().keys().copied().collect();
                    self.pause_and_check(state, &socket, streams);
                }
            }
            After::Follows(member) => {
                for socket in self.those(|socket| socket.member.get() == *member) {
                    self.refresh_follows(state, &socket);
                }
            }
            After::Jobs | After::Index => {}
        }
    }

    fn those(&self, wanted: impl Fn(&Socket) -> bool) -> Vec<Rc<Socket>> {
        self.all.borrow().values().filter(|socket| wanted(socket)).cloned().collect()
    }

    /// A space (0: everything) changed for everybody: whoever reads something in it is looked at,
    /// and which of its rooms a member still follows.
    fn control_space(self: &Rc<Self>, state: &AppState, space: i64) {
        let mut concerned: HashMap<u64, (Rc<Socket>, Vec<Stream>)> = HashMap::new();
        for (stream, readers) in self.streams.borrow().iter() {
            if readers.within.concerns(space) {
                for Reader { socket, .. } in &readers.all {
                    let of = concerned.entry(socket.number).or_insert_with(|| (Rc::clone(socket), Vec::new()));
                    of.1.push(*stream);
                }
            }
        }
        for (socket, streams) in concerned.into_values() {
            self.pause_and_check(state, &socket, streams);
        }
        for socket in self.those(|socket| !socket.follows.borrow().is_empty()) {
            self.refresh_follows(state, &socket);
        }
    }

    /// Stops these subscriptions of a socket at once, replays too, then lets those go on that it still may read.
    /// A database that is away for a moment ends none: they go on when it is back.
    fn pause_and_check(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>, streams: Vec<Stream>) {
        socket.hold(&streams);
        if streams.is_empty() {
            return;
        }
        if streams.contains(&Stream::member(socket.member.get())) {
            self.refresh_follows(state, socket);
        }
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            let turns = this.turns();
            for stream in streams {
                let mut pause = FIRST_PAUSE;
                while socket.cursors.borrow().contains_key(&stream) && !socket.outbox.is_closing() {
                    let turn = turns.acquire().await;
                    let withdrawals = this.withdrawals.get();
                    let may = Box::pin(state.may_subscribe(socket.member.get(), stream)).await;
                    drop(turn);
                    match may {
                        Ok(_) if withdrawals != this.withdrawals.get() => {}
                        Ok(_) => {
                            socket.held.borrow_mut().remove(&stream);
                            this.catch_up(&state, &socket, stream);
                            break;
                        }
                        Err(AppError::NotFound | AppError::Forbidden(_) | AppError::Unauthenticated) => {
                            if this.unsubscribe(&socket, stream) {
                                let name = stream.to_string();
                                let code = Some(Code::Forbidden);
                                let frame = ServerFrame::Unsubscribed { stream: &name, code, reference: None };
                                socket.send(frame.encode());
                            }
                            break;
                        }
                        Err(error) => {
                            tracing::warn!(%error, %stream, "a subscription waits for the database");
                            tokio::time::sleep(pause).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                    }
                }
                socket.held.borrow_mut().remove(&stream);
            }
        });
    }
}

/// With which code a socket ends whose session is over; none if it is not.
pub(super) async fn ended(state: &AppState, socket: &Socket) -> Result<Option<u16>> {
    if state.sessions.is_alive(state, socket.session.get()).await? {
        return Ok(None);
    }
    code_of_end(state, socket).await.map(Some)
}

/// The same by the rows themselves, where it was said that sessions are over.
async fn over(state: &AppState, socket: &Socket) -> Result<Option<u16>> {
    if state.sessions.lives(state, socket.session.get()).await? {
        return Ok(None);
    }
    code_of_end(state, socket).await.map(Some)
}

async fn code_of_end(state: &AppState, socket: &Socket) -> Result<u16> {
    let member = member::Entity::find_by_id(socket.member.get()).one(state.store.read()).await?;
    let suspended = member.is_some_and(|member| member.state == MemberState::Suspended);
    Ok(if suspended { close::SUSPENDED } else { close::SIGNED_OUT })
}
