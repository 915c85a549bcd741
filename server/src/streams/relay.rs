//! From the commit to the readers of this node.
//!
//! Commits are handed over in memory and may be lost, late or out of order; the log is the truth.
//! For every stream somebody reads, the relay knows the last seq it delivered: the next one is
//! delivered, an older one dropped, a hole filled from the log. Twice a second it compares the
//! heads in mind with the database, which finds what another process wrote.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use super::{Committed, Heads, Live, Stream, log};
use crate::ports::clock::rfc3339;
use crate::realtime::Hub;
use crate::web::error::Result;

/// How often heads are compared with the database.
const COMPARE: Duration = Duration::from_millis(500);
/// Commits that may wait to be delivered; beyond that they are found by comparison.
const QUEUE: usize = 1024;
/// Commits that are delivered together when they wait: a busy stream coalesces into one frame.
const GATHER: usize = 64;
/// Events read from the log at once.
pub const PAGE: u64 = 200;

/// Fills the data of events of one stream from the rows as they now are; one value for each
/// event, in their order. Provided by the features, for live readers and replays alike.
pub type Filler =
    Arc<dyn Fn(DatabaseConnection, Stream, Vec<Committed>) -> BoxFuture<'static, Result<Vec<Value>>> + Send + Sync>;

/// One event as readers get it.
#[derive(Clone, Debug)]
pub struct Item {
    pub seq: i64,
    /// `{"seq":…,"event":…,"at":…,"data":…}`
    pub json: Arc<str>,
    /// It adds something and changes nothing that was there.
    pub adds: bool,
}

#[derive(Clone)]
pub struct Relay {
    db: DatabaseConnection,
    heads: Heads,
    hub: Hub,
    filler: Filler,
    queue: mpsc::Sender<Vec<Committed>>,
    /// Last seq delivered of each stream that is read here.
    delivered: Arc<Mutex<HashMap<Stream, i64>>>,
    idle: Arc<Idle>,
    /// When heads were last compared with the database.
    compared: Arc<Mutex<Instant>>,
}

#[derive(Default)]
struct Idle {
    waiting: std::sync::atomic::AtomicUsize,
    done: Notify,
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
    ) -> (Self, mpsc::Receiver<Vec<Committed>>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let relay = Self {
            db,
            heads,
            hub,
            filler,
            queue,
            delivered: Arc::default(),
            idle: Arc::default(),
            compared: Arc::new(Mutex::new(Instant::now())),
        };
        (relay, receiver)
    }

    /// Takes what was committed. Never waits: what does not fit is found by comparison.
    pub fn publish(&self, events: Vec<Committed>) {
        for event in &events {
            self.heads.advance(event.stream, event.seq);
        }
        if !events.is_empty() {
            self.heads.note_change();
        }
        let read: Vec<Committed> = events.into_iter().filter(|event| self.hub.is_read(event.stream)).collect();
        if read.is_empty() {
            return;
        }
        self.idle.waiting.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if self.queue.try_send(read).is_err() {
            self.idle.waiting.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            tracing::warn!("the relay's queue is full; readers catch up from the log");
        }
    }

    /// A stream gets its first reader here: deliver from `head` on.
    pub fn follow(&self, stream: Stream, head: i64) {
        if let Ok(mut delivered) = self.delivered.lock() {
            let last = delivered.entry(stream).or_insert(head);
            *last = (*last).max(head);
        }
        self.heads.advance(stream, head);
    }

    /// Commits that are not delivered yet, for tests and the orderly stop.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.idle.waiting.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// How long ago heads were compared with the database.
    #[must_use]
    pub fn compared(&self) -> Duration {
        self.compared.lock().map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The task: delivers until the queue is closed.
    pub async fn run(self, mut receiver: mpsc::Receiver<Vec<Committed>>) {
        let mut compare = tokio::time::interval(COMPARE);
        compare.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                events = receiver.recv() => {
                    let Some(mut events) = events else { return };
                    let mut gathered = 1;
                    while gathered < GATHER && let Ok(more) = receiver.try_recv() {
                        events.extend(more);
                        gathered += 1;
                    }
                    self.deliver(events).await;
                    self.idle.waiting.fetch_sub(gathered, std::sync::atomic::Ordering::SeqCst);
                    self.idle.done.notify_waiters();
                }
                _ = compare.tick() => {
                    if let Err(error) = self.compare().await {
                        tracing::warn!(%error, "heads could not be compared with the database");
                    }
                }
            }
        }
    }

    async fn compare(&self) -> Result<()> {
        let streams = self.heads.streams();
        for (stream, head) in log::heads_of(&self.db, &streams).await? {
            if self.heads.get(stream).is_some_and(|known| known < head) {
                self.heads.advance(stream, head);
                self.heads.note_change();
            }
            let Some(last) = self.last(stream) else { continue };
            if !self.hub.is_read(stream) {
                self.forget(stream);
            } else if last < head {
                self.catch_up(stream, last, head).await;
            }
        }
        if let Ok(mut compared) = self.compared.lock() {
            *compared = Instant::now();
        }
        Ok(())
    }

    async fn deliver(&self, events: Vec<Committed>) {
        let mut by_stream: BTreeMap<Stream, Vec<Committed>> = BTreeMap::new();
        for event in events {
            by_stream.entry(event.stream).or_default().push(event);
        }
        for (stream, mut events) in by_stream {
            let Some(last) = self.last(stream) else { continue };
            events.sort_by_key(|event| event.seq);
            events.retain(|event| event.seq > last);
            let Some((first, newest)) = events.first().zip(events.last()) else { continue };
            let whole = first.seq == last + 1
                && i64::try_from(events.len()).is_ok_and(|count| newest.seq - first.seq + 1 == count);
            if whole {
                self.send(stream, events).await;
            } else {
                let newest = newest.seq;
                self.catch_up(stream, last, newest).await;
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
        self.delivered.lock().ok()?.get(&stream).copied()
    }

    fn set_last(&self, stream: Stream, seq: i64) {
        if let Ok(mut delivered) = self.delivered.lock() {
            let last = delivered.entry(stream).or_insert(seq);
            *last = (*last).max(seq);
        }
    }

    fn forget(&self, stream: Stream) {
        if let Ok(mut delivered) = self.delivered.lock() {
            delivered.remove(&stream);
        }
    }

    /// Events of the log after `after`, ready to send; for replays.
    pub async fn replay(&self, stream: Stream, after: i64) -> Result<Vec<Item>> {
        let events = log::since(&self.db, stream, after, PAGE).await?;
        items(&self.db, &self.filler, stream, events).await
    }
}

/// Events with their data, encoded once for all readers.
async fn items(
    db: &DatabaseConnection,
    filler: &Filler,
    stream: Stream,
    mut events: Vec<Committed>,
) -> Result<Vec<Item>> {
    let unfilled: Vec<Committed> = events.iter().filter(|event| event.live.is_none()).cloned().collect();
    if !unfilled.is_empty() {
        let mut filled = filler(db.clone(), stream, unfilled).await?.into_iter();
        for event in events.iter_mut().filter(|event| event.live.is_none()) {
            event.live = Some(Live::Text(filled.next().unwrap_or(Value::Null).to_string().into()));
        }
    }
    Ok(events.iter().map(item).collect())
}

/// One event as JSON. Its kind is a word of ours and its time digits: neither needs escaping.
fn item(event: &Committed) -> Item {
    let data = event.live.as_ref().map_or_else(|| "null".into(), Live::text);
    let mut json = String::with_capacity(data.len() + event.kind.len() + 96);
    let _infallible = write!(
        json,
        "{{\"seq\":{},\"event\":\"{}\",\"at\":\"{}\",\"data\":{data}}}",
        event.seq,
        event.kind,
        rfc3339(event.at)
    );
    let adds = matches!(event.kind.as_str(), "message.posted" | "post.created");
    Item { seq: event.seq, json: json.into(), adds }
}

/// An `events` frame's text, appended to `text`.
pub fn write_events(text: &mut Vec<u8>, stream: Stream, items: &[Item]) {
    text.reserve(items.iter().map(|item| item.json.len() + 1).sum::<usize>() + 80);
    text.extend_from_slice(b"{\"type\":\"events\",\"stream\":\"");
    text.extend_from_slice(stream.to_string().as_bytes());
    text.extend_from_slice(b"\",\"items\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(item.json.as_bytes());
    }
    text.extend_from_slice(b"]}");
}
