//! Sockets and senders against one target: connect, warm up, measure, let it run dry.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::figures::{Outcome, cpu_seconds, resident};
use super::readers;
use super::senders;

/// Sockets that connect from one loopback address.
const FROM_ONE: usize = 2000;
/// How long connecting, and running dry, may take.
const PATIENCE: Duration = Duration::from_secs(90);
const DRY: Duration = Duration::from_secs(10);

/// Some thread of the tool panicked.
pub static FAILED: AtomicBool = AtomicBool::new(false);
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since the tool started.
pub fn now() -> u64 {
    START.elapsed().as_micros() as u64
}

/// What is measured: a hub or a floor.
#[derive(Clone)]
pub struct Target {
    /// Its nodes: sockets are shared out among them in turn.
    pub addresses: Vec<SocketAddr>,
    pub pids: Vec<u32>,
    /// Members' tokens, taken in turn; none at a floor.
    pub tokens: Vec<String>,
    /// Ids of the rooms of this run.
    pub rooms: Vec<String>,
}

/// How it is driven.
#[derive(Clone, Copy)]
pub struct Drive {
    pub sockets: usize,
    pub senders: usize,
    pub threads: usize,
    pub warm: f64,
    pub seconds: f64,
    /// Characters of a message.
    pub size: usize,
    /// Messages a room may have on their way.
    pub window: u64,
    /// Messages a second in all; as many as go if not said.
    pub rate: Option<f64>,
}

/// Where a run stands.
pub const CONNECT: u8 = 0;
pub const SUBSCRIBE: u8 = 1;
pub const WARM: u8 = 2;
pub const MEASURE: u8 = 3;
pub const DRAIN: u8 = 4;
pub const STOP: u8 = 5;

/// One room, as the threads of the tool share it.
pub struct Room {
    pub id: String,
    pub readers: u64,
    pub sent: AtomicU64,
    /// Answered by `sent` or an error.
    pub answered: AtomicU64,
    pub accepted: AtomicU64,
    pub delivered: AtomicU64,
    /// The newest seq anybody heard of.
    pub head: AtomicI64,
    /// Wakes those who send into it.
    pub senders: Vec<Arc<Notify>>,
}

impl Room {
    /// Messages that are not yet answered, or not yet with the readers on the average.
    pub fn on_their_way(&self) -> u64 {
        let (answered, accepted) = (self.answered.load(Relaxed), self.accepted.load(Relaxed));
        let arrived = self.delivered.load(Relaxed) / self.readers + answered.saturating_sub(accepted);
        self.sent.load(Relaxed).saturating_sub(arrived.min(answered))
    }

    pub fn wake(&self) {
        self.senders.iter().for_each(|sender| sender.notify_one());
    }

    fn is_dry(&self) -> bool {
        let accepted = self.accepted.load(Relaxed);
        self.answered.load(Relaxed) >= self.sent.load(Relaxed)
            && self.delivered.load(Relaxed) >= accepted * self.readers
    }
}

/// What all threads of a run share.
pub struct Run {
    pub target: Target,
    pub drive: Drive,
    pub rooms: Vec<Room>,
    pub wakers: Vec<Arc<Notify>>,
    pub phase: AtomicU8,
    /// Sockets that were greeted, and that have subscribed.
    pub greeted: AtomicU64,
    pub subscribed: AtomicU64,
}

impl Run {
    /// The node of one socket.
    pub fn node(&self, number: usize) -> SocketAddr {
        // Readers of one room are on all nodes, and so are rooms of one reader.
        self.target.addresses[(number + number / self.rooms.len()) % self.target.addresses.len()]
    }

    pub fn phase(&self) -> u8 {
        self.phase.load(Relaxed)
    }

    pub fn from(number: usize) -> IpAddr {
        let of = 2 + number / FROM_ONE;
        IpAddr::V4(Ipv4Addr::new(127, 0, (of >> 8) as u8, of as u8))
    }

    pub fn token(&self, number: usize) -> Option<&str> {
        let tokens = &self.target.tokens;
        if tokens.is_empty() { None } else { Some(&tokens[number % tokens.len()]) }
    }
}

/// Server memory while sockets are idle, bytes.
pub struct Idle {
    pub before: u64,
    pub greeted: u64,
    pub subscribed: u64,
}

/// A figure of all processes together; none if one of them has none, or there is none.
fn together<T: std::iter::Sum>(pids: &[u32], figure: impl Fn(u32) -> Option<T>) -> Option<T> {
    if pids.is_empty() { None } else { pids.iter().map(|pid| figure(*pid)).sum() }
}

/// Runs it. `idle`: open and subscribe, send nothing.
pub fn run(target: Target, drive: Drive, idle: bool) -> (Outcome, Option<Idle>) {
    let before = together(&target.pids, resident);
    let wakers: Vec<Arc<Notify>> = (0..drive.senders).map(|_| Arc::default()).collect();
    let count = target.rooms.len();
    let rooms = target.rooms.iter().enumerate().map(|(at, id)| Room {
        id: id.clone(),
        readers: (drive.sockets / count + usize::from(at < drive.sockets % count)) as u64,
        sent: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
        delivered: AtomicU64::new(0),
        head: AtomicI64::new(0),
        senders: senders::of_room(at, count, drive.senders).map(|sender| Arc::clone(&wakers[sender])).collect(),
    });
    let rooms = rooms.collect();
    let run = Arc::new(Run {
        target,
        drive,
        rooms,
        wakers,
        phase: AtomicU8::new(CONNECT),
        greeted: AtomicU64::new(0),
        subscribed: AtomicU64::new(0),
    });
    let threads: Vec<_> = (0..drive.threads)
        .map(|thread| {
            let run = Arc::clone(&run);
            std::thread::spawn(move || work(&run, thread))
        })
        .collect();
    let sockets = drive.sockets as u64;
    await_until(|| run.greeted.load(Relaxed) == sockets, PATIENCE, "the sockets were not greeted");
    let memory = |what: &str| {
        if idle {
            std::thread::sleep(Duration::from_secs(1));
        }
        together(&run.target.pids, resident).unwrap_or_else(|| panic!("no memory {what}: say --pid"))
    };
    let greeted = if idle { memory("after the greeting") } else { 0 };
    run.phase.store(SUBSCRIBE, Relaxed);
    await_until(|| run.subscribed.load(Relaxed) == sockets, PATIENCE, "the sockets have not subscribed");
    let mut outcome = Outcome::new();
    let mut kept = None;
    if idle {
        std::thread::sleep(Duration::from_secs_f64(drive.seconds));
        kept = before.map(|before| Idle { before, greeted, subscribed: memory("after subscribing") });
    } else {
        measure(&run, &mut outcome);
    }
    run.phase.store(STOP, Relaxed);
    run.wakers.iter().for_each(|waker| waker.notify_one());
    for thread in threads {
        outcome.merge(&thread.join().expect("a thread of the tool"));
    }
    (outcome, kept)
}

fn measure(run: &Run, outcome: &mut Outcome) {
    run.phase.store(WARM, Relaxed);
    std::thread::sleep(Duration::from_secs_f64(run.drive.warm));
    let cpu = |pids: &[u32]| together(pids, cpu_seconds);
    let own = [std::process::id()];
    let (started, server, tool) = (Instant::now(), cpu(&run.target.pids), cpu(&own));
    run.phase.store(MEASURE, Relaxed);
    std::thread::sleep(Duration::from_secs_f64(run.drive.seconds));
    run.phase.store(DRAIN, Relaxed);
    outcome.seconds = started.elapsed().as_secs_f64();
    outcome.server_cpu = cpu(&run.target.pids).zip(server).map(|(after, before)| after - before);
    outcome.own_cpu = cpu(&own).zip(tool).map_or(0.0, |(after, before)| after - before);
    let until = Instant::now() + DRY;
    while Instant::now() < until && !run.rooms.iter().all(Room::is_dry) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn await_until(done: impl Fn() -> bool, within: Duration, fault: &str) {
    let until = Instant::now() + within;
    while !done() {
        assert!(!FAILED.load(Relaxed), "a thread of the tool failed");
        assert!(Instant::now() < until, "{fault} within {within:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One thread: its share of the readers and of the senders.
fn work(run: &Arc<Run>, thread: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let share = |count: usize| (thread..count).step_by(run.drive.threads).collect::<Vec<_>>();
        let readers = readers::open(run, &share(run.drive.sockets)).await;
        let senders = senders::open(run, &share(run.drive.senders)).await;
        while run.phase() != STOP {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut outcome = Outcome::new();
        readers.tally(run, &mut outcome);
        senders.tally(&mut outcome);
        outcome
    })
}
