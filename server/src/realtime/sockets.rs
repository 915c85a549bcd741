//! The sockets of one worker thread, by stream. Nothing in here is shared with another thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::hub::{Hub, Notice};
use super::protocol::close;
use super::recent::Recent;
use super::recovery::Cursor;
use super::socket::{Place, Socket};
use crate::app::AppState;
use crate::streams::{Stream, StreamKind, Within};

/// Subscriptions of one worker that are looked up at once; the others wait, and hold little.
const TURNS: usize = 64;
/// How often what was just delivered is forgotten where nothing new came.
const SWEEP: Duration = Duration::from_secs(2);

/// While a mailbox is full again and again, everybody is looked at so often.
const BREATH: Duration = Duration::from_millis(200);

/// Readers of one stream on this worker.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// The newest seq that was delivered to this worker; 0 while that is not known.
    pub(super) delivered: i64,
    /// Whose rules say who may read it.
    pub(super) within: Within,
    pub(super) recent: Recent,
    pub(super) all: Vec<Reader>,
}

/// One reader: the place is at hand, so that a delivery looks nothing up.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) socket: Rc<Socket>,
    pub(super) place: Place,
}

/// One worker's sockets.
#[derive(Debug)]
pub struct Sockets {
    pub(super) hub: Hub,
    pub(super) streams: RefCell<HashMap<Stream, Readers>>,
    pub(super) all: RefCell<HashMap<u64, Rc<Socket>>>,
    /// By room: sockets of those who follow it.
    pub(super) followers: RefCell<HashMap<i64, Vec<Rc<Socket>>>>,
    next: Cell<u64>,
    mailbox: RefCell<Option<(mpsc::Receiver<Notice>, Arc<AtomicBool>)>>,
    pub(super) leaving: Cell<bool>,
    /// How often somebody's rights were looked at again here.
    pub(super) withdrawals: Cell<u64>,
    turns: Rc<Semaphore>,
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
            withdrawals: Cell::new(0),
            turns: Rc::new(Semaphore::new(TURNS)),
        })
    }

    /// Reads the mailbox from the first socket on.
    pub fn ensure_running(self: &Rc<Self>, state: &AppState) {
        if let Some((mut mailbox, missed)) = self.mailbox.borrow_mut().take() {
            let (this, state) = (Rc::clone(self), state.clone());
            actix_web::rt::spawn(async move {
                let mut sweep = tokio::time::interval(SWEEP);
                let mut next = tokio::time::Instant::now();
                loop {
                    if this.hub.is_leaving() {
                        this.leave();
                    }
                    let behind = missed.load(Ordering::Acquire);
                    if behind && tokio::time::Instant::now() >= next {
                        missed.store(false, Ordering::Release);
                        this.everybody_catches_up(&state);
                        next = tokio::time::Instant::now() + BREATH;
                    }
                    tokio::select! {
                        biased;
                        notice = mailbox.recv() => {
                            let Some(notice) = notice else { return };
                            this.handle(&state, notice);
                        }
                        () = tokio::time::sleep_until(next), if behind => {}
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
            held: RefCell::default(),
            marks: RefCell::default(),
            follows: RefCell::default(),
            asked: Cell::new(0),
        });
        self.all.borrow_mut().insert(number, Rc::clone(&socket));
        self.hub.socket_opened();
        if self.leaving.get() || self.hub.is_leaving() {
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
        // Whatever ended it: what still waits is written, and the connection is over.
        socket.close(close::LEAVING);
        if self.all.borrow_mut().remove(&socket.number).is_some() {
            self.hub.socket_closed();
        }
    }

    /// Adds a reader, behind until it has caught up.
    pub fn subscribe(&self, socket: &Rc<Socket>, stream: Stream, within: Within, cursor: Cursor) {
        let place: Place = Rc::new(Cell::new(cursor));
        let old = socket.cursors.borrow_mut().insert(stream, Rc::clone(&place));
        if old.is_some() {
            self.drop_reader(socket, stream);
        }
        self.hub.add_reader(stream, socket.member.get());
        let reader = Reader { socket: Rc::clone(socket), place };
        let mut streams = self.streams.borrow_mut();
        let readers = streams.entry(stream).or_default();
        readers.within = within;
        readers.all.push(reader);
    }

    /// Whoever looks up a subscription takes a turn.
    pub(super) fn turns(&self) -> Rc<Semaphore> {
        Rc::clone(&self.turns)
    }

    /// Gives a reader that was added with a live place beyond everything its own. True: it is live,
    /// as it has all of the log up to `head`, and nothing newer was delivered to this worker or
    /// missed by it since the reader was added: what comes next comes to it, too.
    pub(super) fn begin(&self, socket: &Socket, stream: Stream, last: i64, head: i64) -> bool {
        let Some(place) = socket.cursors.borrow().get(&stream).cloned() else { return true };
        let delivered = self.streams.borrow().get(&stream).map_or(0, |readers| readers.delivered);
        let live = place.get().live && last == head && delivered <= head;
        place.set(Cursor::new(last, live));
        if live && super::hub::shows_people(stream) {
            self.hub.live().stir(stream);
        }
        live
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

    /// Reads anew which rooms a socket's member follows, if it reads its member's stream: no other is told of them.
    pub fn refresh_follows(self: &Rc<Self>, state: &AppState, socket: &Rc<Socket>) {
        if !socket.cursors.borrow().contains_key(&Stream::member(socket.member.get())) {
            return;
        }
        let (this, state, socket) = (Rc::clone(self), state.clone(), Rc::clone(socket));
        let asked = socket.asked.get() + 1;
        socket.asked.set(asked);
        actix_web::rt::spawn(async move {
            let member = socket.member.get();
            let turns = this.turns();
            let _turn = turns.acquire().await;
            // Of several who ask, the last one's answer counts.
            if socket.asked.get() != asked {
                return;
            }
            match crate::features::followed_rooms(&state, member).await {
                Ok(_) if socket.asked.get() != asked => {}
                Ok(rooms) if socket.cursors.borrow().contains_key(&Stream::member(member)) => {
                    this.set_follows(&socket, rooms);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "followed rooms could not be read"),
            }
        });
    }
}
