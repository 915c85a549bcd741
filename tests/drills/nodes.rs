//! Nodes are killed, stopped and restarted in turn.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;

use super::crowd::address;
use super::door::Door;
use super::rig::{Rig, WITHIN, drill};
use crate::support::Client;
use crate::support::engines::{Postgres, Redis};

/// How long a node is stopped, seconds; `PRAXIS_DRILL_STOP` may shorten it while one works on something else.
fn stopped_for() -> Duration {
    let set = std::env::var("PRAXIS_DRILL_STOP").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(set.unwrap_or(20))
}

#[test]
fn a_node_is_killed_under_load() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        for (round, node) in [0, 1, 0].into_iter().enumerate() {
            rig.written(60 + 40 * round).await;
            let since = Instant::now();
            rig.kill(node);
            rig.written(40).await;
            rig.launch(node, &[]);
            rig.full_service(&format!("kill -9 of node {node}, and its restart"), since, true).await;
        }
        rig.compare().await;
    });
}

#[test]
fn all_nodes_are_killed_at_once_under_load() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        for _round in 0..2 {
            rig.written(80).await;
            let since = Instant::now();
            (0..2).for_each(|node| rig.signal(node, "KILL"));
            (0..2).for_each(|node| rig.kill(node));
            (0..2).for_each(|node| rig.launch(node, &[]));
            rig.full_service("kill -9 of all nodes at once, and their restart", since, true).await;
        }
        rig.written(40).await;
        rig.compare().await;
    });
}

#[test]
fn a_node_is_stopped_for_a_while_and_goes_on() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        rig.written(100).await;
        rig.signal(1, "STOP");
        tokio::time::sleep(stopped_for()).await;
        rig.signal(1, "CONT");
        let since = Instant::now();
        rig.full_service(&format!("SIGSTOP for {} s (PRAXIS_DRILL_STOP)", stopped_for().as_secs()), since, true).await;
        rig.written(100).await;
        rig.compare().await;
    });
}

/// Waits until so many more were counted, whatever the time it takes.
async fn more(what: &str, counted: &watch::Sender<usize>, more: usize) {
    let goal = *counted.borrow() + more;
    let mut counted = counted.subscribe();
    tokio::time::timeout(WITHIN, counted.wait_for(|count| *count >= goal))
        .await
        .unwrap_or_else(|_| panic!("{what} come to an end"))
        .unwrap();
}

#[test]
fn a_rolling_restart_shows_nobody_an_error() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        rig.written(50).await;
        let (done, seen) = (watch::channel(false).0, watch::channel(0).0);
        let addresses = rig.addresses.clone();
        let browsing = async |number: usize, done: watch::Receiver<bool>| {
            let mut tries = number;
            while !*done.borrow() {
                // One connection after the other, as behind a proxy: kept alive while it lasts.
                let base = address(&addresses, tries).unwrap();
                let client = Client::new(&base);
                for path in ["/", "/spaces", "/s/drill", "/topics", "/healthz"].iter().cycle().take(50) {
                    let asked = client.request("GET", path).header("Accept", "text/html").send().await;
                    // A connection that is gone is asked for again elsewhere; an answer is final.
                    let Ok(answer) = asked else { break };
                    assert_eq!(answer.status().as_u16(), 200, "{path}");
                    let Ok(_page) = answer.text().await else { break };
                    seen.send_modify(|seen| *seen += 1);
                    if *done.borrow() {
                        break;
                    }
                }
                tries += 1;
            }
        };
        let restarting = async {
            let since = Instant::now();
            for node in 0..2 {
                more("pages", &seen, 25).await;
                rig.end(node).await;
                rig.launch(node, &[]);
                rig.written(30).await;
                more("pages", &seen, 25).await;
            }
            rig.full_service("a rolling restart of two nodes", since, true).await;
            done.send_replace(true);
        };
        tokio::join!(browsing(0, done.subscribe()), browsing(1, done.subscribe()), restarting);
        let refused = rig.tally.refused.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(refused, 0, "nobody who wrote was asked to come back");
        rig.compare().await;
    });
}

#[test]
fn a_rolling_restart_behind_a_proxy_is_seen_by_nobody() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        rig.written(50).await;
        let door = Door::open(&rig.addresses);
        for node in 0..2 {
            door.ready(node).await;
        }
        let (done, rounds) = (watch::channel(false).0, watch::channel(0).0);
        let (bearer, room) = (rig.ada.bearer.clone(), rig.room.clone());
        // What the proxy cannot repeat comes through as well: a message, which is no GET.
        let asking = async |number: usize, done: watch::Receiver<bool>| {
            let mut client = Client::new(&door.base);
            client.bearer.clone_from(&bearer);
            let mut count = 0;
            while !*done.borrow() {
                count += 1;
                for path in ["/s/drill", "/topics"] {
                    let page = client.page(path).await;
                    assert_eq!(page.status, 200, "{path}: {}", page.text);
                }
                let letter = json!({"body": "probe", "client_id": format!("door-{number}-{count}")});
                let sent = client.post(&format!("/api/v1/rooms/{room}/messages"), &letter).await;
                assert_eq!(sent.status, 201, "{}", sent.text);
                rounds.send_modify(|rounds| *rounds += 1);
            }
        };
        let restarting = async {
            let since = Instant::now();
            for node in 0..2 {
                more("rounds", &rounds, 13).await;
                rig.end(node).await;
                rig.launch(node, &[]);
                door.ready(node).await;
                rig.written(30).await;
                more("rounds", &rounds, 13).await;
            }
            rig.full_service("a rolling restart of two nodes behind a proxy", since, true).await;
            done.send_replace(true);
        };
        tokio::join!(asking(0, done.subscribe()), asking(1, done.subscribe()), restarting);
        rig.compare().await;
    });
}
