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
use crate::locks::locked;
use crate::realtime::Hub;
use crate::store::{After, in_time};
use crate::web::error::{AppError, Result};

/// How often heads are compared with the database.
const COMPARE: Duration = Duration::from_millis(500);
/// After so long they are compared first, however much waits to be delivered.
const OVERDUE: Duration = Duration::from_secs(1);
/// How long the log may take to answer; it is asked again soon.
const ANSWER: Duration = Duration::from_secs(5);
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
        *locked(&state.compared) = Some(Instant::now());
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
        let begin = || {
            first = true;
            Reach::new(head)
        };
        locked(&self.delivered).entry(stream).or_insert_with(begin).join(head);
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
        let at = *locked(&self.state.compared);
        at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The task: delivers until the queue is closed.
    pub async fn run(self, mut receiver: mpsc::Receiver<Vec<Committed>>) {
        let mut compare = tokio::time::interval(COMPARE);
        compare.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut early = Early::default();
        let mut compared = Instant::now();
        loop {
            // A queue that is never empty holds up neither what is missing nor what has no queue.
            if compared.elapsed() >= OVERDUE {
                self.compare_or_warn(COMPARED).await;
                compared = Instant::now();
            }
            self.read_missing(&mut early).await;
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
                () = sleep_until(over) => {}
                () = self.state.look.notified() => {
                    self.compare_or_warn(usize::MAX).await;
                    compared = Instant::now();
                }
                _ = compare.tick() => {
                    self.compare_or_warn(COMPARED).await;
                    compared = Instant::now();
                }
            }
        }
    }

    /// Reads from the log what some events have waited for for long enough.
    async fn read_missing(&self, early: &mut Early<Instant>) {
        let over = early.over(Instant::now());
        if over.is_empty() {
            return;
        }
        for (stream, newest) in over {
            if let Some(last) = self.last(stream)
                && is_away(stream, self.fill_hole(stream, last, newest).await)
            {
                // The comparison finds the others, when the database is back.
                break;
            }
        }
        self.state.early.store(early.len(), Ordering::SeqCst);
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
        let heads = in_time(ANSWER, log::heads_of(&self.db, &streams)).await?;
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
                let done = self.catch_up(stream, last, head).await;
                if is_away(stream, done) {
                    return Err(AppError::Unavailable(2));
                }
            }
        }
        self.forget_unread();
        *locked(&self.state.compared) = Some(Instant::now());
        Ok(())
    }

    /// Hears from the log what no commit and no bus has told this node.
    async fn hear_rights(&self, head: i64) -> Result<()> {
        while self.heard.last() < head {
            let last = self.heard.last();
            let events = in_time(ANSWER, log::since(&self.db, Stream::RIGHTS, last, PAGE)).await?;
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

    /// Hears what other nodes withdrew, as far as the log has it now.
    async fn hear_withdrawals(&self) -> Result<()> {
        let current = in_time(ANSWER, log::head(&self.db, Stream::RIGHTS)).await?;
        self.hear_rights(current.head).await
    }

    /// What is not delivered here for lack of the database is found by the next comparison.
    async fn deliver(&self, early: &mut Early<Instant>, events: Vec<Committed>) {
        // While the bus is away it brings no withdrawals either: they come before what they end.
        if self.hub.is_unsure()
            && let Err(error) = self.hear_withdrawals().await
        {
            tracing::warn!(%error, "withdrawn rights could not be read; trying again soon");
            return;
        }
        let mut by_stream: BTreeMap<Stream, Vec<Committed>> = BTreeMap::new();
        for event in events {
            by_stream.entry(event.stream).or_default().push(event);
        }
        let mut away = false;
        for (stream, events) in by_stream {
            let Some(last) = self.last(stream) else { continue };
            let done = match early.take(stream, last, events, Instant::now() + EARLY) {
                // What came with its data needs no database.
                Next::Deliver(events) if away && events.iter().any(|event| event.live.is_none()) => Ok(()),
                Next::Deliver(events) => self.send(stream, events).await,
                Next::Read(newest) if !away => self.fill_hole(stream, last, newest).await,
                Next::Wait | Next::Read(_) => Ok(()),
            };
            away |= is_away(stream, done);
        }
    }

    /// Delivers from the log what no commit and no bus had handed over. What was withdrawn meanwhile
    /// was not handed over either, and comes first.
    async fn fill_hole(&self, stream: Stream, last: i64, head: i64) -> Result<()> {
        self.hear_withdrawals().await?;
        self.catch_up(stream, last, head).await
    }

    /// Delivers from the log what lies between. Of what fails nothing is marked as delivered.
    async fn catch_up(&self, stream: Stream, mut last: i64, head: i64) -> Result<()> {
        while last < head {
            let events = in_time(ANSWER, log::since(&self.db, stream, last, PAGE)).await?;
            // Trimmed events leave a hole: readers are told to fetch again.
            if events.first().is_none_or(|first| first.seq != last + 1) {
                self.reset(stream, head);
                return Ok(());
            }
            last = events.last().map_or(head, |event| event.seq);
            self.state.from_log.fetch_add(u64::try_from(events.len()).unwrap_or(0), Ordering::Relaxed);
            self.send(stream, events).await?;
        }
        Ok(())
    }

    fn reset(&self, stream: Stream, head: i64) {
        self.set_last(stream, head);
        self.hub.reset(stream, head);
    }

    async fn send(&self, stream: Stream, events: Vec<Committed>) -> Result<()> {
        let last = events.last().map_or(0, |event| event.seq);
        let items = in_time(ANSWER, items(&self.db, &self.filler, stream, events)).await?;
        self.set_last(stream, last);
        self.hub.deliver(stream, &items);
        Ok(())
    }

    fn last(&self, stream: Stream) -> Option<i64> {
        locked(&self.delivered).get(&stream).map(|reach| reach.last())
    }

    fn set_last(&self, stream: Stream, seq: i64) {
        if let Some(reach) = locked(&self.delivered).get_mut(&stream) {
            reach.reached(seq);
        }
    }

    fn followed(&self) -> Vec<Stream> {
        locked(&self.delivered).keys().copied().collect()
    }

    /// Under the lock: whoever reads a stream is counted before it says so here.
    fn forget_unread(&self) {
        locked(&self.delivered).retain(|stream, _| self.hub.is_read(*stream));
    }

    /// Events of the log after `after`, ready to send; for replays.
    pub async fn replay(&self, stream: Stream, after: i64) -> Result<Vec<Item>> {
        let events = log::since(&self.db, stream, after, PAGE).await?;
        items(&self.db, &self.filler, stream, events).await
    }
}

/// Says that events of a stream wait; true if the others would, too.
fn is_away(stream: Stream, done: Result<()>) -> bool {
    let Err(error) = done else { return false };
    tracing::warn!(%error, %stream, "events could not be delivered; trying again soon");
    matches!(error, AppError::Unavailable(_))
}

/// Never, if there is no such time.
async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
