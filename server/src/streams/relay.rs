//! From the commit to the readers of this node.
//!
//! Commits are handed over in memory, by this node's writers and by the bus, and may be lost, late
//! or out of order; the log is the truth. For every stream somebody reads, the relay knows the last
//! seq it delivered: the next one is delivered, an older one dropped, a hole filled from the log.
//! Twice a second it compares the heads in mind with the database, which finds what another process
//! wrote, whatever became of it on the bus.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use tokio::sync::{Notify, mpsc};

use super::items::{Filler, Item, items};
use super::order::{Early, Next};
use super::reach::Reach;
use super::rights::{self, Heard};
use super::{Committed, Heads, Stream, log};
use crate::realtime::Hub;
use crate::store::After;
use crate::web::error::Result;

/// How often heads are compared with the database.
const COMPARE: Duration = Duration::from_millis(500);
/// Commits that may wait to be delivered; beyond that they are found by comparison.
const QUEUE: usize = 1024;
/// Commits that are delivered together when they wait: a busy stream coalesces into one frame.
const GATHER: usize = 64;
/// How long a piece that came too early waits for the one before it, which is on its way from
/// another writer; then the log is read.
const EARLY: Duration = Duration::from_millis(30);
/// Streams that are compared at once; where there are more, each has its turn within three.
const COMPARED: usize = 4096;
/// Events read from the log at once.
pub const PAGE: u64 = 200;

/// Has this node forget what it may no longer know.
pub type Withdraw = Arc<dyn Fn(After) + Send + Sync>;

#[derive(Clone)]
pub struct Relay {
    db: DatabaseConnection,
    heads: Heads,
    hub: Hub,
    filler: Filler,
    queue: mpsc::Sender<Vec<Committed>>,
    /// How far each stream that is read here was delivered.
    delivered: Arc<Mutex<HashMap<Stream, Reach>>>,
    state: Arc<State>,
    withdraw: Withdraw,
    heard: Heard,
}

#[derive(Default)]
struct State {
    waiting: AtomicUsize,
    /// Streams with events that came too early.
    early: AtomicUsize,
    /// Somebody wants heads compared now.
    look: Notify,
    /// When heads were last compared with the database.
    compared: Mutex<Option<Instant>>,
    /// Where among the streams the next comparison begins.
    turn: AtomicUsize,
    /// Events that no commit had handed over.
    from_log: AtomicU64,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay")
    }
}

impl Relay {
    /// The relay and the queue that its task reads.
    #[must_use]
    pub fn new(
        db: DatabaseConnection,
        heads: Heads,
        hub: Hub,
        filler: Filler,
        withdraw: Withdraw,
        heard: Heard,
    ) -> (Self, mpsc::Receiver<Vec<Committed>>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let state: Arc<State> = Arc::default();
        if let Ok(mut compared) = state.compared.lock() {
            *compared = Some(Instant::now());
        }
        let delivered = Arc::default();
        (Self { db, heads, hub, filler, queue, delivered, state, withdraw, heard }, receiver)
    }

    /// Takes what was committed. Never waits: what does not fit is found by comparison.
    pub fn publish(&self, events: Vec<Committed>) {
        for event in &events {
            self.heads.advance(event.stream, event.seq);
        }
        // What only nodes read changes no page.
        if events.iter().any(|event| event.stream != Stream::RIGHTS) {
            self.heads.note_change();
        }
        let read: Vec<Committed> = events.into_iter().filter(|event| self.hub.is_read(event.stream)).collect();
        if read.is_empty() {
            return;
        }
        self.state.waiting.fetch_add(1, Ordering::SeqCst);
        if self.queue.try_send(read).is_err() {
            self.state.waiting.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!("the relay's queue is full; readers catch up from the log");
        }
    }

    /// A stream got a reader here, and after that its head was read from the log.
    pub fn follow(&self, stream: Stream, head: i64) {
        let mut first = false;
        if let Ok(mut delivered) = self.delivered.lock() {
            let begin = || {
                first = true;
                Reach::new(head)
            };
            delivered.entry(stream).or_insert_with(begin).join(head);
        }
        // What was handed over before anybody said where to start was passed over.
        if self.heads.advance(stream, head) > head && first {
            self.look();
        }
    }

    /// Commits that are not delivered yet, for tests and the orderly stop.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::SeqCst) + self.state.early.load(Ordering::SeqCst)
    }

    /// Events that were found in the log without having been handed over, since the start.
    #[must_use]
    pub fn from_log(&self) -> u64 {
        self.state.from_log.load(Ordering::Relaxed)
    }

    /// Has heads compared at once: something may have been missed.
    pub fn look(&self) {
        self.state.look.notify_one();
    }

    /// How long ago heads were compared with the database.
    #[must_use]
    pub fn compared(&self) -> Duration {
        self.state.compared.lock().ok().and_then(|at| *at).map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The task: delivers until the queue is closed.
    pub async fn run(self, mut receiver: mpsc::Receiver<Vec<Committed>>) {
        let mut compare = tokio::time::interval(COMPARE);
        compare.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut early = Early::default();
        loop {
            let over = early.next().map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                events = receiver.recv() => {
                    let Some(mut events) = events else { return };
                    let mut gathered = 1;
                    while gathered < GATHER && let Ok(more) = receiver.try_recv() {
                        events.extend(more);
                        gathered += 1;
                    }
                    self.deliver(&mut early, events).await;
                    self.state.early.store(early.len(), Ordering::SeqCst);
                    self.state.waiting.fetch_sub(gathered, Ordering::SeqCst);
                }
                () = sleep_until(over) => {
                    for (stream, newest) in early.over(Instant::now()) {
                        if let Some(last) = self.last(stream) {
                            self.catch_up(stream, last, newest).await;
                        }
                    }
                    self.state.early.store(early.len(), Ordering::SeqCst);
                }
                () = self.state.look.notified() => self.compare_or_warn(usize::MAX).await,
                _ = compare.tick() => self.compare_or_warn(COMPARED).await,
            }
        }
    }

    async fn compare_or_warn(&self, most: usize) {
        if let Err(error) = self.compare(most).await {
            tracing::warn!(%error, "heads could not be compared with the database");
        }
    }

    /// Every stream in mind or read here; of very many a third at a time.
    async fn compare(&self, most: usize) -> Result<()> {
        let mut streams = self.heads.streams();
        streams.extend(self.followed());
        streams.extend(self.hub.unsure_rooms());
        streams.sort_unstable();
        streams.dedup();
        if streams.len() > most {
            let part = most.max(streams.len().div_ceil(3));
            let start = self.state.turn.load(Ordering::Relaxed) % streams.len();
            self.state.turn.store(start + part, Ordering::Relaxed);
            streams.rotate_left(start);
            streams.truncate(part);
        }
        streams.push(Stream::RIGHTS);
        let heads = log::heads_of(&self.db, &streams).await?;
        // Withdrawals first: what they end is not delivered below.
        if let Some(head) = heads.get(&Stream::RIGHTS) {
            self.hear_rights(*head).await?;
        }
        for (stream, head) in heads {
            if self.heads.get(stream).is_none_or(|known| known < head) {
                self.heads.advance(stream, head);
                if stream != Stream::RIGHTS {
                    self.heads.note_change();
                    self.hub.note_head(stream, head);
                }
            }
            if let Some(last) = self.last(stream).filter(|last| *last < head)
                && self.hub.is_read(stream)
            {
                self.catch_up(stream, last, head).await;
            }
        }
        self.forget_unread();
        if let Ok(mut compared) = self.state.compared.lock() {
            *compared = Some(Instant::now());
        }
        Ok(())
    }

    /// Hears from the log what no commit and no bus has told this node.
    async fn hear_rights(&self, head: i64) -> Result<()> {
        while self.heard.last() < head {
            let last = self.heard.last();
            let events = log::since(&self.db, Stream::RIGHTS, last, PAGE).await?;
            if events.first().is_none_or(|event| event.seq != last + 1) {
                // Older ones are gone from the log: everything is looked at again.
                (self.withdraw)(After::SpaceAccess(0));
                self.heard.start_at(head);
            }
            events.iter().map(rights::after).for_each(|what| (self.withdraw)(what));
            self.heard.note(&events);
            self.state.from_log.fetch_add(u64::try_from(events.len()).unwrap_or(0), Ordering::Relaxed);
        }
        Ok(())
    }

    async fn deliver(&self, early: &mut Early<Instant>, events: Vec<Committed>) {
        let mut by_stream: BTreeMap<Stream, Vec<Committed>> = BTreeMap::new();
        for event in events {
            by_stream.entry(event.stream).or_default().push(event);
        }
        for (stream, events) in by_stream {
            let Some(last) = self.last(stream) else { continue };
            match early.take(stream, last, events, Instant::now() + EARLY) {
                Next::Deliver(events) => drop(self.send(stream, events).await),
                Next::Wait => {}
                Next::Read(newest) => self.catch_up(stream, last, newest).await,
            }
        }
    }

    /// Delivers from the log what lies between.
    async fn catch_up(&self, stream: Stream, mut last: i64, head: i64) {
        while last < head {
            match log::since(&self.db, stream, last, PAGE).await {
                Ok(events) => {
                    // Trimmed events leave a hole: readers are told to fetch again.
                    let Some(first) = events.first().map(|event| event.seq) else {
                        self.reset(stream, head);
                        return;
                    };
                    if first != last + 1 {
                        self.reset(stream, head);
                        return;
                    }
                    last = events.last().map_or(head, |event| event.seq);
                    self.state.from_log.fetch_add(u64::try_from(events.len()).unwrap_or(0), Ordering::Relaxed);
                    if !self.send(stream, events).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, %stream, "the log could not be read; trying again soon");
                    return;
                }
            }
        }
    }

    fn reset(&self, stream: Stream, head: i64) {
        self.set_last(stream, head);
        self.hub.reset(stream, head);
    }

    async fn send(&self, stream: Stream, events: Vec<Committed>) -> bool {
        let last = events.last().map_or(0, |event| event.seq);
        match items(&self.db, &self.filler, stream, events).await {
            Ok(items) => {
                self.set_last(stream, last);
                self.hub.deliver(stream, &items);
                true
            }
            Err(error) => {
                // Nothing is marked as delivered: the next comparison tries again.
                tracing::warn!(%error, %stream, "events could not be filled; trying again soon");
                false
            }
        }
    }

    fn last(&self, stream: Stream) -> Option<i64> {
        self.delivered.lock().ok()?.get(&stream).map(|reach| reach.last())
    }

    fn set_last(&self, stream: Stream, seq: i64) {
        if let Ok(mut delivered) = self.delivered.lock()
            && let Some(reach) = delivered.get_mut(&stream)
        {
            reach.reached(seq);
        }
    }

    fn followed(&self) -> Vec<Stream> {
        self.delivered.lock().map(|delivered| delivered.keys().copied().collect()).unwrap_or_default()
    }

    /// Under the lock: whoever reads a stream is counted before it says so here.
    fn forget_unread(&self) {
        if let Ok(mut delivered) = self.delivered.lock() {
            delivered.retain(|stream, _| self.hub.is_read(*stream));
        }
    }

    /// Events of the log after `after`, ready to send; for replays.
    pub async fn replay(&self, stream: Stream, after: i64) -> Result<Vec<Item>> {
        let events = log::since(&self.db, stream, after, PAGE).await?;
        items(&self.db, &self.filler, stream, events).await
    }
}

/// Never, if there is no such time.
async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
