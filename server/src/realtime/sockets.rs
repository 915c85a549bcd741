//! The sockets of one worker thread, by stream. Nothing in here is shared with another thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::hub::{Hub, Notice, shows_people};
use super::protocol::{Code, ServerFrame, close, events_frame, parts};
use super::recent::Recent;
use super::recovery::{Cursor, Step};
use super::socket::{Place, Socket};
use crate::app::AppState;
use crate::store::After;
use crate::streams::{Item, Stream, StreamKind};

/// How long a reader with a full queue may take to make room.
const GRACE: Duration = Duration::from_secs(3);
/// How often what was just delivered is forgotten where nothing new came.
const SWEEP: Duration = Duration::from_secs(2);

/// Readers of one stream on this worker.
#[derive(Debug, Default)]
struct Readers {
    /// The newest seq that was delivered to this worker; 0 while that is not known.
    delivered: i64,
    recent: Recent,
    all: Vec<Reader>,
}

/// One reader: the place is at hand, so that a delivery looks nothing up.
#[derive(Debug)]
struct Reader {
    socket: Rc<Socket>,
    place: Place,
}

/// One worker's sockets.
#[derive(Debug)]
pub struct Sockets {
    hub: Hub,
    streams: RefCell<HashMap<Stream, Readers>>,
    all: RefCell<HashMap<u64, Rc<Socket>>>,
    /// By room: sockets of those who follow it.
    followers: RefCell<HashMap<i64, Vec<Rc<Socket>>>>,
    next: Cell<u64>,
    mailbox: RefCell<Option<(mpsc::Receiver<Notice>, Arc<AtomicBool>)>>,
    leaving: Cell<bool>,
}

impl Sockets {
    #[must_use]
    pub fn new(hub: &Hub) -> Rc<Self> {
        Rc::new(Self {
            hub: hub.clone(),
            streams: RefCell::default(),
            all: RefCell::default(),
            followers: RefCell::default(),
            next: Cell::new(1),
            mailbox: RefCell::new(Some(hub.add_worker())),
            leaving: Cell::new(false),
        })
    }

    /// Reads the mailbox from the first socket on.
    pub fn ensure_running(self: &Rc<Self>, state: &AppState) {
        if let Some((mut mailbox, missed)) = self.mailbox.borrow_mut().take() {
            let (this, state) = (Rc::clone(self), state.clone());
            actix_web::rt::spawn(async move {
                let mut sweep = tokio::time::interval(SWEEP);
                loop {
                    tokio::select! {
                        biased;
                        notice = mailbox.recv() => {
                            let Some(notice) = notice else { return };
                            this.handle(&state, notice);
                            if missed.swap(false, Ordering::AcqRel) {
                                this.everybody_catches_up(&state);
                            }
                        }
                        _ = sweep.tick() => {
                            this.streams.borrow_mut().values_mut().for_each(|readers| readers.recent.sweep());
                        }
                    }
                }
            });
        }
    }

    pub fn add(&self, member: i64, session: i64) -> Rc<Socket> {
        let number = self.next.replace(self.next.get() + 1);
        let socket = Rc::new(Socket {
            number,
            member: Cell::new(member),
            session: Cell::new(session),
            outbox: Rc::default(),
            cursors: RefCell::default(),
            follows: RefCell::default(),
        });
        self.all.borrow_mut().insert(number, Rc::clone(&socket));
        self.hub.socket_opened();
        if self.leaving.get() {
            socket.close(close::LEAVING);
        }
        socket
    }

    pub fn remove(&self, socket: &Rc<Socket>) {
        let streams: Vec<Stream> = socket.cursors.borrow_mut().drain().map(|(stream, _)| stream).collect();
        for stream in streams {
            self.drop_reader(socket, stream);
        }
        self.set_follows(socket, Vec::new());
        if self.all.borrow_mut().remove(&socket.number).is_some() {
            self.hub.socket_closed();
        }
    }

    /// Adds a reader, behind until it has caught up.
    pub fn subscribe(&self, socket: &Rc<Socket>, stream: Stream, cursor: Cursor) {
        let place: Place = Rc::new(Cell::new(cursor));
        let old = socket.cursors.borrow_mut().insert(stream, Rc::clone(&place));
        if old.is_some() {
            self.drop_reader(socket, stream);
        }
        self.hub.add_reader(stream, socket.member.get());
        let reader = Reader { socket: Rc::clone(socket), place };
        self.streams.borrow_mut().entry(stream).or_default().all.push(reader);
    }

    pub fn unsubscribe(&self, socket: &Rc<Socket>, stream: Stream) -> bool {
        let known = socket.cursors.borrow_mut().remove(&stream).is_some();
        if known {
            self.drop_reader(socket, stream);
            if stream.kind == StreamKind::Member {
                self.set_follows(socket, Vec::new());
            }
        }
        known
    }

    fn drop_reader(&self, socket: &Rc<Socket>, stream: Stream) {
        let mut streams = self.streams.borrow_mut();
        if let Some(readers) = streams.get_mut(&stream) {
            readers.all.retain(|other| other.socket.number != socket.number);
            if readers.all.is_empty() {
                streams.remove(&stream);
            }
        }
        self.hub.remove_reader(stream, socket.member.get());
    }

    /// Notes which rooms a socket is told of, in place of those before.
    fn set_follows(&self, socket: &Rc<Socket>, rooms: Vec<i64>) {
        let old = socket.follows.replace(rooms);
        let mut followers = self.followers.borrow_mut();
        for room in &old {
            if let Some(sockets) = followers.get_mut(room) {
                sockets.retain(|other| other.number != socket.number);
                if sockets.is_empty() {
                    followers.remove(room);
                }
            }
        }
        for room in socket.follows.borrow().iter() {
            followers.entry(*room).or_default().push(Rc::clone(socket));
        }
        self.hub.set_followed(&old, &socket.follows.borrow());
    }

    /// Reads anew which rooms a socket's member follows.
    pub fn refresh_follows(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>) {
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            let member = socket.member.get();
            match crate::features::followed_rooms(&state, member).await {
                Ok(rooms) if socket.cursors.borrow().contains_key(&Stream::member(member)) => {
                    this.set_follows(&socket, rooms);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "followed rooms could not be read"),
            }
        });
    }

    /// Gives a live reader that has too much waiting a moment, and cuts it off with 4408 if it
    /// does not use it; else it goes on from the log. A burst alone cuts nobody off.
    fn spare(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>, stream: Stream) {
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

    /// Brings one reader up to the log, as fast as it reads.
    pub fn catch_up(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>, stream: Stream) {
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        actix_web::rt::spawn(async move {
            let mut pause = 50;
            loop {
                socket.outbox.low().await;
                let Some(cursor) = socket.cursors.borrow().get(&stream).map(|place| place.get()) else { return };
                if cursor.live || socket.outbox.is_closing() || this.go_on(&socket, stream) {
                    return;
                }
                if !socket.outbox.is_low() {
                    continue;
                }
                let Some(cursor) = socket.cursors.borrow().get(&stream).map(|place| place.get()) else { return };
                match state.relay.replay(stream, cursor.last).await {
                    Ok(items) => {
                        let mut last = cursor.last;
                        if items.is_empty() && this.take_page(&state, &socket, stream, last, &items) {
                            return;
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
                        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
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

    /// A page of the log for a reader that stood at `last` when it was read. True: nothing more
    /// to read.
    fn take_page(&self, state: &AppState, socket: &Rc<Socket>, stream: Stream, last: i64, items: &[Item]) -> bool {
        let Some(place) = socket.cursors.borrow().get(&stream).cloned() else { return true };
        let mut cursor = place.get();
        if cursor.live || cursor.last != last {
            return cursor.live;
        }
        let Some((first, newest)) = items.first().zip(items.last()) else {
            let delivered = self.streams.borrow().get(&stream).map_or(0, |readers| readers.delivered);
            let live = cursor.end_of_log(delivered);
            place.set(cursor);
            if live && shows_people(stream) {
                self.hub.live().stir(stream);
            }
            return live;
        };
        match cursor.take(first.seq, newest.seq) {
            Step::Whole => socket.send(events_frame(stream, items)),
            Step::From(skip) => socket.send(events_frame(stream, items.get(skip..).unwrap_or_default())),
            Step::Skip => {}
            Step::Hole => {
                // What lay between was trimmed while the reader was on its way.
                let name = stream.to_string();
                let head = first.seq - 1;
                cursor = Cursor::new(head, false);
                let frame = ServerFrame::Reset { stream: &name, head, epoch: &state.epoch, reference: None };
                socket.send(frame.encode());
            }
        }
        place.set(cursor);
        false
    }

    fn handle(self: &Rc<Self>, state: &AppState, notice: Notice) {
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
    fn everybody_catches_up(self: &Rc<Self>, state: &AppState) {
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
