//! Whether a hub with much in it is as quick as one with little: fills hubs of its own with so many
//! messages in so many rooms, straight in the database, and asks for what people ask for.
//!
//! `grow --serve target/release/praxis [--postgres URL] [--messages 10000,10000000] [--rooms 10,1000]
//! [--seconds 3] [--data DIR] [--only fill|measure] [--warm yes|no] [--nodes 1]`. `docs/BENCHMARKS.md` has the figures.
//! Several nodes of a hub on PostgreSQL are asked in turn; `PRAXIS_REDIS_URL` is theirs. With `--only` what was filled
//! stays, so that filling and measuring can be two runs. With `--warm yes` the data is read once before it is asked
//! for, so that no answer waits for the disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod ask;
mod fill;
mod hub;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hub::Hub;

/// What was asked, and how long answers took.
struct Figure {
    what: &'static str,
    p50: Duration,
    p99: Duration,
    count: usize,
}

fn numbers(text: Option<&String>, default: &str) -> Vec<i64> {
    text.map_or(default, String::as_str).split(',').map(|part| part.trim().parse().unwrap()).collect()
}

#[tokio::main]
async fn main() {
    praxis_tests::tls();
    let args: BTreeMap<String, String> = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.trim_start_matches('-').to_owned(), pair.get(1)?.clone())))
        .collect();
    let Some(program) = args.get("serve").map(PathBuf::from) else {
        eprintln!("grow: give --serve target/release/praxis");
        std::process::exit(2);
    };
    let seconds = Duration::from_secs_f64(args.get("seconds").map_or(3.0, |text| text.parse().unwrap()));
    let data = args.get("data").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let postgres = args.get("postgres").map(String::as_str);
    let only = args.get("only").map(String::as_str);
    let nodes: usize = args.get("nodes").map_or(1, |text| text.parse().unwrap());
    if nodes == 0 || nodes > 1 && !args.contains_key("postgres") {
        eprintln!("grow: several nodes need --postgres, and there is one at least");
        std::process::exit(2);
    }
    let warm = args.get("warm").is_some_and(|text| text == "yes");
    let mut before: BTreeMap<&'static str, Duration> = BTreeMap::new();
    for rooms in numbers(args.get("rooms"), "10,1000") {
        for messages in numbers(args.get("messages"), "10000,10000000") {
            let name = format!("grow-{rooms}-{messages}");
            let mut hub = Hub::open(&program, &data.join(&name), postgres, &name.replace('-', "_")).await;
            if only != Some("measure") {
                let started = std::time::Instant::now();
                hub.prepare(rooms).await;
                hub.stop();
                fill::fill(&hub, messages).await;
                eprintln!("{name}: filled in {:.0} s", started.elapsed().as_secs_f64());
            }
            if only != Some("fill") {
                if warm {
                    hub.warm().await;
                }
                hub.serve(nodes).await;
                let figures = ask::ask(&hub, seconds).await;
                print(rooms, messages, &hub.database(), &figures, &mut before);
            }
            hub.stop();
            if only.is_none() {
                hub.remove().await;
            }
        }
    }
}

fn print(rooms: i64, messages: i64, database: &str, figures: &[Figure], before: &mut BTreeMap<&'static str, Duration>) {
    for figure in figures {
        let first = *before.entry(figure.what).or_insert(figure.p50);
        println!(
            "| {database} | {rooms} | {messages} | {} | {:.2} | {:.2} | {:.2} | {} |",
            figure.what,
            figure.p50.as_secs_f64() * 1e3,
            figure.p99.as_secs_f64() * 1e3,
            figure.p50.as_secs_f64() / first.as_secs_f64(),
            figure.count,
        );
    }
}
