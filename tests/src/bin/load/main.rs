//! Chat under load: sockets, rooms and senders against a running hub, and two floors beside it.
//!
//! `load --base http://127.0.0.1:8080 --pid PID`, or `load --serve target/release/praxis`, which
//! starts a hub of its own. `docs/BENCHMARKS.md` says what can be asked and what the columns mean.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod drive;
mod figures;
mod probe;
mod readers;
mod scan;
mod senders;
mod targets;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use drive::Drive;
use figures::Outcome;
use targets::{Floor, Hub};

const SOCKETS: usize = 18_000;
const ROOMS: usize = 2_000;
const SENDERS: usize = 256;
const SECONDS: f64 = 60.0;
/// A `Session` takes 32 messages; beyond that its room waits for its slowest reader.
const SESSION_WINDOW: u64 = 30;
const HELP: &str =
    "load [--base URL --pid PID … | --serve PROGRAM [--nodes N] [--data DIR]] [--login HANDLE --password PASSWORD]
     [--mode full|rate|accept|idle] [--shape ROOMSxSOCKETS,…] [--floors session,bytes|none] [--senders N]
     [--rate MESSAGES] [--seconds S] [--warm S] [--rounds N] [--size CHARACTERS] [--window N] [--threads N]";

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// As fast as it goes, then half of that.
    Full,
    /// At `--rate`.
    Rate,
    /// Rooms of one reader: what counts is what is accepted.
    Accept,
    /// Sockets that say nothing: what counts is memory.
    Idle,
}

pub struct Args {
    pub bases: Vec<String>,
    pub pids: Vec<u32>,
    /// Processes of `--serve`.
    pub nodes: usize,
    pub serve: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub login: Option<(String, String)>,
    hub: bool,
    mode: Mode,
    shapes: Vec<(usize, usize)>,
    floors: Vec<String>,
    rounds: usize,
    senders: Option<usize>,
    drive: Drive,
}

/// Says what is wrong on one line and ends.
pub fn refuse(line: &str) -> ! {
    eprintln!("load: {line}");
    std::process::exit(2)
}

impl Args {
    fn parse() -> Self {
        let given: Vec<String> = std::env::args().skip(1).collect();
        if given.iter().any(|argument| argument == "--help") {
            println!("{HELP}");
            std::process::exit(0);
        }
        let mut args: BTreeMap<String, String> = BTreeMap::new();
        let (mut bases, mut pids) = (Vec::new(), Vec::new());
        for pair in given.chunks(2) {
            match pair {
                // Once for each node.
                [name, value] if name == "--base" => bases.push(value.clone()),
                [name, value] if name == "--pid" => {
                    pids.push(value.parse().unwrap_or_else(|_| refuse("--pid is a number")));
                }
                [name, value] if name.starts_with("--") => _ = args.insert(name[2..].to_owned(), value.clone()),
                _ => refuse(&format!("{} is not understood\n{HELP}", pair[0])),
            }
        }
        let mut take = |name: &str| args.remove(name);
        let (mode, shape) = match take("mode").as_deref() {
            None | Some("full") => (Mode::Full, "1x500"),
            Some("rate") => (Mode::Rate, "1x500"),
            Some("accept") => (Mode::Accept, "64x1"),
            Some("idle") => (Mode::Idle, "150x100"),
            Some(other) => refuse(&format!("--mode {other}: full, rate, accept or idle")),
        };
        let shapes = take("shape").unwrap_or_else(|| shape.to_owned());
        let shapes = shapes.split(',').map(|shape| {
            let parsed =
                shape.split_once('x').and_then(|(rooms, each)| Some((rooms.parse().ok()?, each.parse().ok()?)));
            match parsed {
                Some((rooms @ 1..=ROOMS, each @ 1..)) if rooms * each <= SOCKETS => (rooms, each),
                _ => refuse(&format!("--shape {shape}: ROOMSxSOCKETS such as 200x50, up to {SOCKETS} sockets in all")),
            }
        });
        let shapes = shapes.collect();
        let floors = take("floors").unwrap_or_else(|| "session,bytes".into());
        let floors: Vec<String> = floors.split(',').filter(|name| *name != "none").map(str::to_owned).collect();
        if let Some(other) = floors.iter().find(|name| !["session", "bytes"].contains(&name.as_str())) {
            refuse(&format!("--floors {other}: session, bytes or none"));
        }
        let mut number = |name: &str, usual: f64, least: f64, most: f64| {
            let Some(text) = take(name) else { return usual };
            match text.parse::<f64>() {
                Ok(value) if (least..=most).contains(&value) => value,
                _ => refuse(&format!("--{name} {text}: a number from {least} to {most}")),
            }
        };
        let senders = number("senders", 0.0, 1.0, SENDERS as f64) as usize;
        let rate = number("rate", 0.0, 1.0, 1e6);
        if (rate > 0.0) != (mode == Mode::Rate) {
            refuse("--rate MESSAGES_A_SECOND goes with --mode rate");
        }
        let drive = Drive {
            sockets: 0,
            senders: 0,
            threads: number("threads", 1.0, 1.0, 8.0) as usize,
            warm: number("warm", 2.0, 0.0, SECONDS),
            seconds: number("seconds", 8.0, 0.1, SECONDS),
            size: number("size", 100.0, 20.0, 4000.0) as usize,
            window: number("window", 64.0, 1.0, 4096.0) as u64,
            rate: Some(rate).filter(|rate| *rate > 0.0),
        };
        let rounds = number("rounds", 1.0, 1.0, 20.0) as usize;
        let nodes = number("nodes", 1.0, 1.0, 8.0) as usize;
        let serve = take("serve").map(PathBuf::from);
        let login = take("login").zip(take("password"));
        let data = take("data").map(PathBuf::from);
        if let Some(name) = args.keys().next() {
            refuse(&format!("--{name} is not understood\n{HELP}"));
        }
        let hub = !bases.is_empty() || serve.is_some();
        Self {
            bases,
            pids,
            nodes,
            serve,
            data,
            login,
            hub,
            mode,
            shapes,
            floors,
            rounds,
            senders: Some(senders).filter(|senders| *senders > 0),
            drive,
        }
    }

    /// The drive of one shape.
    fn drive(&self, rooms: usize, each: usize) -> Drive {
        let usual = match self.mode {
            Mode::Accept => rooms.min(64),
            Mode::Idle => 0,
            Mode::Full | Mode::Rate => rooms.clamp(4, 32),
        };
        Drive { sockets: rooms * each, senders: self.senders.unwrap_or(usual), ..self.drive }
    }

    /// Seconds after which something hangs.
    fn most(&self) -> f64 {
        let runs = self.shapes.len() * self.rounds * 3 * 2;
        runs as f64 * (self.drive.warm + self.drive.seconds + 60.0) + 60.0
    }
}

/// The rows of one shape, by name.
type Rows = BTreeMap<String, Vec<Outcome>>;

fn main() {
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
    let args = Args::parse();
    let most = Duration::from_secs_f64(args.most());
    std::thread::spawn(move || {
        std::thread::sleep(most);
        refuse("this takes too long");
    });
    // Whoever waits for a thread learns that it is gone.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        usual(fault);
        drive::FAILED.store(true, std::sync::atomic::Ordering::Relaxed);
    }));
    if !args.floors.is_empty() && !targets::Floor::program().exists() {
        refuse("the program floor is not beside this one: cargo build --release --workspace");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut hub = if args.hub { Some(runtime.block_on(Hub::open(&args))) } else { None };
    let frame = match &mut hub {
        Some(hub) => runtime.block_on(hub.frame_size(args.drive.size)),
        None => 600,
    };
    let hub_name = hub.as_ref().map_or_else(|| "no hub".to_owned(), |hub| hub.bases.join(", "));
    println!("{hub_name}; messages of {} characters, frames of {frame} bytes\n", args.drive.size);
    println!("{}", heading(args.mode));
    for &(rooms, each) in &args.shapes {
        let mut rows = Rows::new();
        for _ in 0..args.rounds {
            for floor in &args.floors {
                let process = Floor::start(floor, frame);
                measure(&args, &format!("floor {floor}"), (rooms, each), &mut rows, || process.target(rooms));
            }
            if let Some(hub) = &mut hub {
                measure(&args, "hub", (rooms, each), &mut rows, || {
                    runtime.block_on(async {
                        if args.mode == Mode::Idle { hub.fresh_target(rooms).await } else { hub.target(rooms).await }
                    })
                });
            }
        }
        ratios(&args, (rooms, each), &rows);
    }
}

/// One target in one shape; in full mode also at half of its rate.
fn measure(
    args: &Args,
    name: &str,
    (rooms, each): (usize, usize),
    rows: &mut Rows,
    mut target: impl FnMut() -> drive::Target,
) {
    let mut drive = args.drive(rooms, each);
    if name == "floor session" {
        drive.window = drive.window.min(SESSION_WINDOW);
    }
    let shape = format!("{rooms}x{each}");
    if args.mode == Mode::Idle {
        let (outcome, idle) = drive::run(target(), drive, true);
        let idle = idle.unwrap_or_else(|| refuse("the memory of the hub is unknown: say --pid"));
        let each = |bytes: u64| bytes.saturating_sub(idle.before) as f64 / drive.sockets as f64 / 1024.0;
        println!(
            "{name:<16} {shape:>9} {:>12.1} {:>12.1} {:>14.2} {:>14.2} {:>6}",
            idle.before as f64 / 1048576.0,
            idle.subscribed as f64 / 1048576.0,
            each(idle.greeted),
            each(idle.subscribed),
            outcome.cut,
        );
        return;
    }
    let (full, _) = drive::run(target(), drive, false);
    println!("{}", row(name, &shape, &full));
    if args.mode == Mode::Full && full.accepted > 0 {
        let rate = Some(full.messages_a_second() / 2.0);
        let (half, _) = drive::run(target(), Drive { rate, ..drive }, false);
        println!("{}", row(&format!("{name}, half"), &shape, &half));
    }
    rows.entry(name.to_owned()).or_default().push(full);
}

fn heading(mode: Mode) -> String {
    if mode == Mode::Idle {
        return format!(
            "{:<16} {:>9} {:>12} {:>12} {:>14} {:>14} {:>6}",
            "what", "shape", "before MiB", "after MiB", "KiB greeted", "KiB subscribed", "cut"
        );
    }
    format!(
        "{:<20} {:>9} {:>9} {:>11} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>5} {:>5} {:>5} {:>7} {:>4} {:>8} {:>6} {:>6}",
        "what",
        "shape",
        "msgs/s",
        "deliv/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "ack p50",
        "ack p99",
        "items",
        "lost",
        "twice",
        "order",
        "refused",
        "cut",
        "cpu s/M",
        "cpu %",
        "tool %"
    )
}

fn row(name: &str, shape: &str, of: &Outcome) -> String {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1000.0);
    let cpu = of.server_cpu.map_or_else(
        || ("?".to_owned(), "?".to_owned()),
        |cpu| (format!("{:.2}", cpu / of.delivered.max(1) as f64 * 1e6), format!("{:.0}", cpu / of.seconds * 100.0)),
    );
    let cut = if of.cut > 0 { format!("{} ({})", of.cut, of.code) } else { "0".into() };
    format!(
        "{name:<20} {shape:>9} {:>9.0} {:>11.0} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6.2} {:>5} {:>5} {:>5} {:>7} {cut:>4} {:>8} {:>6} {:>6.0}",
        of.messages_a_second(),
        of.deliveries_a_second(),
        ms(of.latency.at(0.5)),
        ms(of.latency.at(0.99)),
        ms(of.latency.most()),
        ms(of.acknowledged.at(0.5)),
        ms(of.acknowledged.at(0.99)),
        of.delivered as f64 / of.frames.max(1) as f64,
        of.lost,
        of.twice,
        of.disordered,
        of.refused,
        cpu.0,
        cpu.1,
        of.own_cpu / of.seconds * 100.0,
    )
}

/// The hub beside the floors of the same run: the median of the rounds.
fn ratios(args: &Args, (rooms, each): (usize, usize), rows: &Rows) {
    let Some(hub) = rows.get("hub") else { return };
    for floor in &args.floors {
        let Some(beside) = rows.get(&format!("floor {floor}")) else { continue };
        let mut ratios: Vec<f64> = hub
            .iter()
            .zip(beside)
            .map(|(hub, floor)| hub.deliveries_a_second() / floor.deliveries_a_second())
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!("{rooms}x{each}: hub / floor {floor} = {:.2}", ratios[ratios.len() / 2]);
    }
    println!();
}
