//! Many messages at once: what comes while a commit is on its way shares the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use praxis_server::store::Id;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::features::chat::{room, say};
use crate::support::stage::{done, id};
use crate::support::{Socket, hub_test};

const SOCKETS: usize = 12;
/// A socket may have 64 sends on their way.
const EACH: usize = 60;

/// The name of a socket's n-th frame; every tenth repeats the one before it.
fn name(socket: usize, frame: usize) -> String {
    format!("{socket}-{}", if frame % 10 == 9 { frame - 1 } else { frame })
}

async fn next(socket: &mut Socket, kind: &str) -> Value {
    let frame = socket.next().await;
    assert_eq!(frame["type"], kind, "{frame}");
    frame
}

fn replies(frame: usize) -> bool {
    frame % 7 == 3
}

hub_test!(async fn hundreds_share_a_commit_and_none_is_lost_or_twice(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let rooms = [room(&ada, &space, "one", false).await, room(&ada, &space, "two", false).await];
    let roots = [id(&say(&ada, &id(&rooms[0]), "root").await), id(&say(&ada, &id(&rooms[1]), "root").await)];
    let mut sockets = Vec::new();
    for number in 0..SOCKETS {
        let member = hub.member(&format!("member-{number}")).await;
        done(&member.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
        sockets.push(Socket::open(&member).await);
    }

    // A commit that is held up: what is sent meanwhile waits for it.
    let (held, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let lock = format!("UPDATE room SET name = name WHERE id = {}", id(&rooms[0]).parse::<Id>().unwrap().0);
    let (says, waits) = (Arc::clone(&held), Arc::clone(&go_on));
    let holding = hub.state().store.write(async move |tx| {
        tx.conn().execute_unprepared(&lock).await?;
        says.notify_one();
        waits.notified().await;
        Ok(())
    });
    let sending = async {
        held.notified().await;
        for (number, socket) in sockets.iter_mut().enumerate() {
            let of = number % 3 % 2;
            for frame in 0..EACH {
                let mut send = json!({"type": "send", "room": id(&rooms[of]), "client_id": name(number, frame)});
                send["body"] = format!("{number} says {frame}").into();
                if replies(frame) {
                    send["reply_to"] = roots[of].clone().into();
                }
                socket.send(&send).await;
            }
            // Frames are read in order: when this is answered, all of them wait.
            socket.send(&json!({"type": "ping"})).await;
            next(socket, "pong").await;
        }
        go_on.notify_one();
    };
    let (held_up, ()) = tokio::join!(holding, sending);
    held_up.unwrap();

    let mut sent: [BTreeMap<i64, String>; 2] = Default::default();
    let mut answered = [0; 2];
    for (number, socket) in sockets.iter_mut().enumerate() {
        let of = number % 3 % 2;
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        for _ in 0..EACH {
            let frame = next(socket, "sent").await;
            let client_id = frame["client_id"].as_str().unwrap().to_owned();
            let first = known.entry(client_id).or_insert_with(|| frame.clone());
            assert_eq!((&first["id"], &first["seq"]), (&frame["id"], &frame["seq"]), "a repeat is the first one");
        }
        let mut last = 0;
        for frame in (0..EACH).filter(|frame| frame % 10 != 9) {
            let seq = known[&name(number, frame)]["seq"].as_i64().unwrap();
            assert!(seq > last, "what one socket sends stays in order");
            last = seq;
            sent[of].insert(seq, format!("{number} says {frame}"));
            answered[of] += i64::from(replies(frame));
        }
    }
    assert_eq!(sent[0].len() + sent[1].len(), SOCKETS * (EACH - EACH / 10));

    let mut together: BTreeMap<String, usize> = BTreeMap::new();
    for (of, room) in rooms.iter().enumerate() {
        let mut reader = Socket::open(&ada).await;
        reader.subscribe(room["stream"].as_str().unwrap(), Some(0), None).await;
        let events = reader.events(sent[of].len() + 1).await;
        let log: BTreeMap<i64, String> = events
            .iter()
            .map(|event| (event["seq"].as_i64().unwrap(), event["data"]["body"].as_str().unwrap().to_owned()))
            .filter(|(_, body)| body != "root")
            .collect();
        assert_eq!(log, sent[of], "the log has each once, as it was first said");
        for event in &events {
            *together.entry(event["at"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let root = done(&ada.get(&format!("/api/v1/messages/{}", roots[of])).await);
        assert_eq!(root["reply_count"].as_i64().unwrap(), answered[of]);
    }
    // Statements have 256 rows at most: this one took several of each.
    assert!(together.values().any(|count| *count > 300), "{together:?}");
});
