//! PostgreSQL cuts everybody off, and goes and comes: 503 with `Retry-After` at most, and recovery
//! without a restart. Sockets stay.

use std::time::{Duration, Instant};

use serde_json::json;

use super::rig::{Rig, drill};
use crate::support::engines::{Postgres, Proxy, Redis, say};
use crate::support::nodes::{a_moment, until};

const CUT_ALL: &str =
    "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE application_name = 'praxis'";

#[test]
fn every_connection_to_postgres_is_terminated() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        let mut socket = rig.look(0).await;
        for round in 1..=4 {
            rig.written(60).await;
            let since = Instant::now();
            let cut = postgres.ask(CUT_ALL).await;
            assert!(cut[0].parse::<u32>().unwrap() > 1, "{cut:?} connections were cut");
            rig.full_service(&format!("pg_terminate_backend of every connection, round {round}"), since, true).await;
        }
        socket.send(&serde_json::json!({"type": "ping", "ref": "still here"})).await;
        assert_eq!(socket.next_of("pong").await["ref"], "still here", "sockets stay");
        rig.compare().await;
    });
}

const LEFT: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'praxis'";

#[test]
fn postgres_lets_the_hub_in_no_more() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        postgres.ask("CREATE ROLE hub LOGIN").await;
        postgres.ask("CREATE DATABASE hub OWNER hub").await;
        let url = format!("postgres://hub@127.0.0.1:{}/hub", postgres.port);
        let mut rig = Rig::start(2, &[("DATABASE_URL", &url), ("REDIS_URL", &redis.url())], None).await;
        let mut socket = rig.look(0).await;
        for (what, taken, given) in [
            ("login", "ALTER ROLE hub NOLOGIN", "ALTER ROLE hub LOGIN"),
            ("database", "ALTER DATABASE hub ALLOW_CONNECTIONS false", "ALTER DATABASE hub ALLOW_CONNECTIONS true"),
        ] {
            rig.written(60).await;
            postgres.ask(taken).await;
            // Again and again: whoever was let in a moment before has no name yet.
            let cut = async || {
                postgres.ask(CUT_ALL).await;
                postgres.ask(LEFT).await[0] == "0"
            };
            until("nobody is connected", cut).await;
            let room = format!("/api/v1/rooms/{}/messages", rig.room);
            let letter = json!({"body": "probe", "client_id": format!("shut-out-{what}")});
            for round in 0..3 {
                let (write, read, page) = (rig.ada.post(&room, &letter), rig.ada.get(&room), rig.ada.page("/topics"));
                let (write, read, page) = tokio::join!(write, read, page);
                for (kind, answer) in [("a write", &write), ("a read", &read), ("a page", &page)] {
                    let later = answer.header("retry-after");
                    assert_eq!((answer.status, later.is_empty()), (503, false), "{kind}, {round}: {}", answer.text);
                }
            }
            postgres.ask(given).await;
            let since = Instant::now();
            rig.full_service(&format!("the {what} is given back"), since, true).await;
        }
        socket.send(&json!({"type": "ping", "ref": "still here"})).await;
        assert_eq!(socket.next_of("pong").await["ref"], "still here", "sockets stay");
        rig.compare().await;
    });
}

/// Within this everybody is answered who asks as the host of PostgreSQL falls silent; and whoever asks
/// when that is known.
const FIRST: Duration = Duration::from_secs(40);
const LATER: Duration = Duration::from_secs(15);

#[test]
fn the_host_of_postgres_falls_silent() {
    drill(async {
        let (Some(redis), Some(postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let proxy = Proxy::to(postgres.port).await;
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port);
        let mut rig = Rig::start(2, &[("DATABASE_URL", &url), ("REDIS_URL", &redis.url())], None).await;
        let mut socket = rig.look(0).await;
        rig.written(60).await;
        let since = Instant::now();
        // No connection breaks, and nothing comes.
        proxy.cut(true);
        for (round, within) in [FIRST, LATER].into_iter().enumerate() {
            let room = format!("/api/v1/rooms/{}/messages", rig.room);
            // What was on its way may be there in the end, as a probe may.
            let letter = json!({"body": "probe", "client_id": format!("silent-{round}")});
            let (write, read, page) = (rig.ada.post(&room, &letter), rig.ada.get(&room), rig.ada.page("/topics"));
            let answers = tokio::time::timeout(within, async { tokio::join!(write, read, page) }).await;
            let (write, read, page) = answers.expect("everybody is answered");
            for (what, answer) in [("a write", &write), ("a read", &read), ("a page", &page)] {
                let later = answer.header("retry-after");
                assert_eq!((answer.status, later.is_empty()), (503, false), "{what}: {}", answer.text);
            }
            assert!(page.text.contains("<h1>"), "a page says so");
            say(&format!("everybody is answered who asks a silent PostgreSQL, round {}", round + 1), since);
        }
        assert_eq!(rig.ada.get("/readyz").await.status, 503);
        proxy.cut(false);
        let since = Instant::now();
        rig.full_service("PostgreSQL speaks again", since, true).await;
        socket.send(&json!({"type": "ping", "ref": "still here"})).await;
        assert_eq!(socket.next_of("pong").await["ref"], "still here", "sockets stay");
        rig.written(100).await;
        rig.compare().await;
    });
}

#[test]
fn postgres_is_restarted_under_load() {
    drill(async {
        let (Some(redis), Some(mut postgres)) = (Redis::start(&[]), Postgres::start()) else { return };
        let settings = [("DATABASE_URL", &*postgres.url("postgres")), ("REDIS_URL", &*redis.url())];
        let mut rig = Rig::start(2, &settings, None).await;
        let mut socket = rig.look(1).await;
        rig.written(100).await;
        let since = Instant::now();
        postgres.stop();
        // Away for long enough that whoever waits is answered.
        let ready = loop {
            let answer = reqwest::get(format!("{}/readyz", rig.base(0))).await.unwrap();
            if answer.status() != 200 {
                break answer;
            }
            a_moment().await;
        };
        assert_eq!((ready.status().as_u16(), ready.headers()["retry-after"].to_str().unwrap()), (503, "2"));
        let said = ready.json::<serde_json::Value>().await.unwrap();
        assert_eq!(said["components"]["database"]["state"], "down", "{said}");
        let page = rig.ada.page("/topics").await;
        assert_eq!((page.status, page.header("retry-after")), (503, "2"), "{}", page.text);
        assert!(page.text.contains("<h1>"), "a page says so");
        let figures = rig.ada.get("/metrics").await;
        assert_eq!(figures.status, 200, "figures come without the database");
        assert!(figures.text.contains("praxis_database_up 0\n"));
        say("PostgreSQL was away for", since);
        postgres.resume();
        let since = Instant::now();
        rig.full_service("PostgreSQL restarted", since, true).await;
        socket.send(&serde_json::json!({"type": "ping", "ref": "still here"})).await;
        assert_eq!(socket.next_of("pong").await["ref"], "still here", "sockets stay");
        rig.written(100).await;
        rig.compare().await;
    });
}
