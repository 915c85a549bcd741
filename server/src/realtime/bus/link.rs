//! The bus through Redis: one connection, one channel for all of the hub's nodes.
//!
//! Invariant: it is connected while this node hears its own beat through the channel, which
//! proves the whole way there and back, and degraded otherwise. While it is degraded nothing is
//! kept for later: what was committed meanwhile is found in the log.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, PushInfo, PushKind, RedisError, Value};
use tokio::sync::{Notify, mpsc, watch};

use super::check::{provide_tls, readable};
use super::frame::{Frame, decode, encode, pack};
use super::others::Others;
use super::shares::{SCRIPT, Share};
use super::{BusState, Figures, Outgoing, Receive, Told};
use crate::app::secrets::Secrets;
use crate::locks::{locked, reading, writing};
use crate::ports::clock::Clock;

/// What may wait to be told; beyond that it is left to the log.
const QUEUE: usize = 2048;
/// Frames that may wait to be heard.
const HEARD: usize = 2048;
/// What is told together when it waits.
const GATHER: usize = 256;
/// How often a node says that it lives: while all is well, and while it is not.
const BEAT: Duration = Duration::from_secs(1);
const KNOCK: Duration = Duration::from_millis(250);
/// Without its own beat for so long a node takes the bus for away.
const DEAF: Duration = Duration::from_millis(2500);
/// How long Redis may take to answer.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a request waits for its share.
const SHARE: Duration = Duration::from_millis(150);
/// Tries after which a connection is made anew from the ground.
const PATIENCE: u32 = 4;
/// Beats after which everybody says again who is there.
const AGAIN: u64 = 30;

/// One node's end.
pub struct Link {
    client: Client,
    channel: String,
    key: [u8; 32],
    node: i64,
    clock: Clock,
    queue: mpsc::Sender<Told>,
    on: AtomicBool,
    state: Mutex<BusState>,
    heard_at: Mutex<Option<Instant>>,
    others: Mutex<Others>,
    manager: RwLock<Option<ConnectionManager>>,
    /// Something happened for which the next beat should not wait.
    hurry: Notify,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    dropped: AtomicU64,
    strange: AtomicU64,
    returned: AtomicU64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("channel", &self.channel).field("node", &self.node).finish_non_exhaustive()
    }
}

impl Link {
    /// A link and the queue that its task reads. `epoch` names the hub: two hubs that share a
    /// Redis hear nothing of each other.
    pub fn new(url: &str, epoch: &str, secrets: &Secrets, node: i64, clock: Clock) -> Result<(Self, Outgoing), String> {
        provide_tls();
        let client = Client::open(readable(url)?).map_err(|error| format!("it cannot be used ({error})"))?;
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let link = Self {
            client,
            channel: format!("praxis:{epoch}"),
            key: secrets.derive("bus"),
            node,
            state: Mutex::new(BusState::Degraded(clock.now())),
            clock,
            queue,
            on: AtomicBool::new(false),
            heard_at: Mutex::default(),
            others: Mutex::default(),
            manager: RwLock::default(),
            hurry: Notify::new(),
            counts: Counts::default(),
        };
        Ok((link, outgoing))
    }

    /// Whether its task runs: a command-line program tells nothing.
    pub fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    pub fn tell(&self, what: Told) {
        if self.is_on() && self.queue.try_send(what).is_err() {
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    pub fn state(&self) -> BusState {
        *locked(&self.state)
    }

    fn is_connected(&self) -> bool {
        self.state() == BusState::Connected
    }

    pub fn figures(&self) -> Figures {
        Figures {
            sent: self.counts.sent.load(Relaxed),
            received: self.counts.received.load(Relaxed),
            dropped: self.counts.dropped.load(Relaxed),
            strange: self.counts.strange.load(Relaxed),
            others: locked(&self.others).count(),
            returned: self.counts.returned.load(Relaxed),
        }
    }

    pub async fn take(&self, key: &str, share: Share, want: u32) -> Option<Result<u32, Duration>> {
        if !self.is_connected() {
            return None;
        }
        let mut redis = reading(&self.manager).clone()?;
        let key = format!("{}:share:{}", self.channel, crate::app::secrets::hash_token(key));
        let period = u64::try_from(share.period.as_micros()).ok()?;
        let mut script = redis::cmd("EVAL");
        script.arg(SCRIPT).arg(1).arg(key).arg(period).arg(share.burst).arg(want);
        let (taken, wait): (u32, u64) = tokio::time::timeout(SHARE, script.query_async(&mut redis)).await.ok()?.ok()?;
        Some(if taken > 0 { Ok(taken) } else { Err(Duration::from_micros(wait)) })
    }

    /// Sends and hears until told to stop.
    pub async fn run(
        self: Arc<Self>,
        mut outgoing: Outgoing,
        receive: Arc<dyn Receive>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.on.store(true, Relaxed);
        receive.turned(false);
        let mut beat = 0;
        while !*stop.borrow() {
            let (pushes, mut pushed) = mpsc::channel(HEARD);
            let manager = match self.manager(pushes, &receive) {
                Ok(manager) => manager,
                Err(error) => {
                    tracing::error!(%error, "the bus cannot be used");
                    return;
                }
            };
            *writing(&self.manager) = Some(manager.clone());
            tokio::select! {
                () = self.speak(manager.clone(), &mut outgoing, &receive, &mut beat) => {}
                () = self.listen(&mut pushed, &receive) => {}
                _ = stop.changed() => {
                    let bye = Frame { from: self.node, leaving: true, ..Frame::default() };
                    let _unheard = self.publish(&mut manager.clone(), &[bye]).await;
                }
            }
        }
        self.on.store(false, Relaxed);
    }

    fn manager(
        &self,
        pushes: mpsc::Sender<PushInfo>,
        receive: &Arc<dyn Receive>,
    ) -> Result<ConnectionManager, RedisError> {
        let receive = Arc::clone(receive);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1)
            .set_min_delay(KNOCK)
            .set_max_delay(KNOCK)
            .set_pipeline_buffer_size(512)
            .set_automatic_resubscription()
            .set_push_sender(move |push| {
                let sent = pushes.try_send(push);
                if sent.is_err() {
                    receive.missed();
                }
                sent.map_err(drop)
            });
        ConnectionManager::new_lazy_with_config(self.client.clone(), config)
    }

    /// Tells what is to be told, and gives signs of life, until the connection is of no use.
    async fn speak(
        &self,
        mut redis: ConnectionManager,
        outgoing: &mut Outgoing,
        receive: &Arc<dyn Receive>,
        beat: &mut u64,
    ) {
        let (mut failed, mut subscribed) = (0, false);
        let started = Instant::now();
        let mut waiting = Vec::with_capacity(GATHER);
        let mut due = tokio::time::Instant::now();
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due) => {
                    if !subscribed {
                        subscribed = within(redis.subscribe(&self.channel)).await;
                    }
                    *beat += 1;
                    let sign = Frame { from: self.node, beat: Some(*beat), ..Frame::default() };
                    failed = if self.publish(&mut redis, &[sign]).await { 0 } else { failed + 1 };
                    let deaf = self.judge(receive, started);
                    if failed >= PATIENCE || deaf && started.elapsed() > 2 * DEAF {
                        return;
                    }
                    if self.is_connected() && (*beat).is_multiple_of(AGAIN) {
                        self.tell(Told::Present { whole: true, rooms: receive.here() });
                    }
                    due = tokio::time::Instant::now() + if self.is_connected() { BEAT } else { KNOCK };
                }
                () = self.hurry.notified() => due = tokio::time::Instant::now(),
                count = outgoing.recv_many(&mut waiting, GATHER) => {
                    if count == 0 {
                        return;
                    }
                    let count = u64::try_from(count).unwrap_or(0);
                    let frames = pack(self.node, std::mem::take(&mut waiting));
                    if !self.is_connected() || !self.publish(&mut redis, &frames).await {
                        self.counts.dropped.fetch_add(count, Relaxed);
                    }
                }
            }
        }
    }

    async fn publish(&self, redis: &mut ConnectionManager, frames: &[Frame]) -> bool {
        let mut pipe = redis::pipe();
        for bytes in frames.iter().filter_map(|frame| encode(&self.key, frame)) {
            pipe.cmd("PUBLISH").arg(&self.channel).arg(bytes).ignore();
        }
        let sent = within(pipe.query_async::<()>(redis)).await;
        if sent {
            self.counts.sent.fetch_add(u64::try_from(frames.len()).unwrap_or(0), Relaxed);
        }
        sent
    }

    /// Looks whether this node hears itself; true if it does not.
    fn judge(&self, receive: &Arc<dyn Receive>, started: Instant) -> bool {
        let heard = *locked(&self.heard_at);
        let deaf = heard.is_none_or(|at| at.elapsed() > DEAF) && started.elapsed() > DEAF;
        if deaf {
            self.turn(false, receive);
        }
        let gone = locked(&self.others).silent(Instant::now());
        gone.into_iter().for_each(|node| receive.gone(node));
        deaf
    }

    /// Notes a change of the state, and says so once.
    fn turn(&self, connected: bool, receive: &Arc<dyn Receive>) {
        let mut state = locked(&self.state);
        if (*state == BusState::Connected) == connected {
            return;
        }
        *state = if connected { BusState::Connected } else { BusState::Degraded(self.clock.now()) };
        drop(state);
        if connected {
            self.counts.returned.fetch_add(1, Relaxed);
            tracing::info!("the nodes hear each other through Redis");
            self.tell(Told::Hello);
            self.tell(Told::Present { whole: true, rooms: receive.here() });
        } else {
            tracing::warn!("Redis is away: readers on other nodes wait for the log");
        }
        receive.turned(connected);
    }

    /// Hears what comes until the connection is given up.
    async fn listen(&self, pushed: &mut mpsc::Receiver<PushInfo>, receive: &Arc<dyn Receive>) {
        while let Some(push) = pushed.recv().await {
            match push.kind {
                PushKind::Message => {
                    if let Some(Value::BulkString(bytes)) = push.data.get(1) {
                        self.hear(bytes, receive);
                    }
                }
                PushKind::Disconnection => {
                    *locked(&self.heard_at) = None;
                    self.turn(false, receive);
                    self.hurry.notify_one();
                }
                PushKind::Subscribe => self.hurry.notify_one(),
                _ => {}
            }
        }
    }

    fn hear(&self, bytes: &[u8], receive: &Arc<dyn Receive>) {
        let Some(frame) = decode(&self.key, bytes) else {
            // The look before the start sends nothing; the rest has another secret or is damaged.
            if !bytes.is_empty() && self.counts.strange.fetch_add(1, Relaxed) == 0 {
                tracing::warn!("a frame on the bus is not of this hub: is PRAXIS_SECRET_KEY the same on all nodes?");
            }
            return;
        };
        if frame.from == self.node {
            if frame.beat.is_some() {
                *locked(&self.heard_at) = Some(Instant::now());
                self.turn(true, receive);
            }
            return;
        }
        self.counts.received.fetch_add(1, Relaxed);
        if frame.leaving {
            locked(&self.others).left(frame.from);
            receive.gone(frame.from);
            return;
        }
        let new = locked(&self.others).heard(frame.from, Instant::now());
        if new || frame.hello {
            self.tell(Told::Present { whole: true, rooms: receive.here() });
        }
        receive.receive(frame);
    }
}

/// Whether an answer came in time, and was a good one.
async fn within<T>(asked: impl Future<Output = Result<T, RedisError>>) -> bool {
    matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(_)))
}
