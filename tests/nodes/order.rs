//! What the log alone knows comes in time: before what it ends, and however busy a node is.

use std::time::{Duration, Instant};

use praxis_server::streams::{Committed, Stream};
use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};
use serde_json::json;

use crate::features::chat::{room, say};
use crate::support::Socket;
use crate::support::nodes::{Through, on_two_nodes};
use crate::support::stage::id;

#[test]
fn a_withdrawal_that_only_the_log_knows_comes_before_the_next_message() {
    on_two_nodes("withdrawn first", async |nodes, through| {
        if *through != Through::Log {
            return;
        }
        // As it is when the bus is away.
        nodes.first.state().hub.set_unsure(true);
        let (ada, bob) = (nodes.first.member("ada").await, nodes.first.member("bob").await);
        let space = nodes.first.space(&ada, "open").await;
        assert!(bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status < 300);
        let made = room(&ada, &space, "closed", true).await;
        let (room, stream) = (id(&made), made["stream"].as_str().unwrap().to_owned());
        let member = format!("/api/v1/rooms/{room}/members/bob");
        let there = nodes.there(&ada);
        for number in 0..5 {
            assert!(ada.put(&member).await.status < 300);
            let mut reader = Socket::open(&bob).await;
            assert_eq!(reader.subscribe(&stream, None, None).await["type"], "subscribed");
            // Taken away on the other node, and at once something is said on this one.
            assert!(there.delete(&member).await.status < 300);
            say(&ada, &room, &format!("not for bob {number}")).await;
            loop {
                let frame = reader.next_lasting().await;
                assert!(!frame.to_string().contains("not for bob"), "{frame}");
                if frame["type"] == "unsubscribed" {
                    break;
                }
            }
        }
    });
}

#[test]
fn a_queue_that_is_never_empty_keeps_nothing_from_readers() {
    on_two_nodes("busy", async |nodes, through| {
        if *through != Through::Log {
            return;
        }
        let ada = nodes.first.member("ada").await;
        let space = nodes.first.space(&ada, "open").await;
        let made = room(&ada, &space, "busy", false).await;
        let (room, stream) = (id(&made), made["stream"].as_str().unwrap().to_owned());
        let mut reader = Socket::open(&ada).await;
        reader.subscribe(&stream, Some(0), None).await;
        let first = say(&ada, &room, "first").await;
        assert_eq!(reader.events(1).await[0]["data"]["id"], first["id"]);
        // The same again and again, which is passed over and keeps the relay's queue full.
        let again = Committed {
            stream: stream.parse::<Stream>().unwrap(),
            seq: 1,
            kind: "message.posted".into(),
            subject: 1,
            actor: None,
            at: 0,
            extra: None,
            live: None,
        };
        let relay = nodes.first.state().relay.clone();
        let flooding = async {
            for _ in 0..usize::MAX {
                while relay.waiting() < 100 {
                    relay.publish(vec![again.clone()]);
                }
                tokio::task::yield_now().await;
            }
        };
        let written = async {
            say(&nodes.there(&ada), &room, "from the other node").await;
            let since = Instant::now();
            assert_eq!(reader.events(1).await[0]["data"]["body"], "from the other node");
            since.elapsed()
        };
        let took = tokio::select! {
            () = flooding => unreachable!(),
            took = written => took,
        };
        assert!(took < Duration::from_secs(3), "it took {took:?}");
    });
}

#[test]
fn a_lock_that_somebody_holds_for_long_refuses_nobody() {
    on_two_nodes("locked", async |nodes, through| {
        if *through != Through::Log {
            return;
        }
        let ada = nodes.first.member("ada").await;
        let space = nodes.first.space(&ada, "open").await;
        let made = room(&ada, &space, "held", false).await;
        let (room, stream) = (id(&made), made["stream"].as_str().unwrap().to_owned());
        let topic = id(&nodes.first.topic(&ada, &space, "Not held").await);
        say(&ada, &room, "first").await;
        // As a node that was stopped in the middle of its commit does.
        let other = Database::connect(&nodes.first.settings["database_url"]).await.unwrap();
        let held = other.begin().await.unwrap();
        let lock = format!("SELECT 1 FROM stream WHERE name = '{stream}' FOR UPDATE");
        held.execute_unprepared(&lock).await.unwrap();
        let since = Instant::now();
        let elsewhere = async {
            nodes.first.reply(&ada, &topic, None, "In another stream").await;
            since.elapsed()
        };
        // Longer than anybody waits for a lock, and shorter than all tries together.
        let held = async {
            tokio::time::sleep(Duration::from_millis(4500)).await;
            held.commit().await.unwrap();
        };
        let (said, elsewhere, ()) = tokio::join!(say(&ada, &room, "second"), elsewhere, held);
        assert_eq!(said["body"], "second");
        assert!(elsewhere < Duration::from_secs(3), "others do not wait: {elsewhere:?}");
        other.close().await.unwrap();
    });
}
