//! Readers that do not read: cut, and nobody waits for them.

use serde_json::{Value, json};

use crate::support::hub::{Db, run_with};
use crate::support::raw::{Frame, RawSocket};
use crate::support::{Client, Socket};

/// What a socket's queue may hold; the server's own figure.
const QUEUE: usize = 1 << 20;
/// What lies between the queue and a reader that stopped: the buffers of the connection.
const BETWEEN: usize = 6 << 20;
const LETTERS: usize = 700;

async fn room(owner: &Client, space: &str, name: &str) -> (String, String) {
    let body = json!({"slug": name, "name": name, "purpose": ""});
    let answer = owner.post(&format!("/api/v1/spaces/{space}/rooms"), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    (answer.id(), answer.json()["stream"].as_str().unwrap().to_owned())
}

#[test]
fn a_slow_reader_is_cut_and_the_fast_ones_do_not_wait() {
    run_with(Db::Sqlite, "slow", &[("rate_limit", "off")], async |hub| {
        let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
        let space = hub.space(&ada, "open").await;
        let (room, stream) = room(&ada, &space, "hall").await;
        let mut slow = RawSocket::open(&bob, Some(4096)).await;
        slow.send(&json!({"type": "subscribe", "stream": stream})).await;
        assert!(matches!(slow.next().await, Frame::Text(frame) if frame["type"] == "subscribed"));
        let mut fast = Socket::open(&bob).await;
        fast.subscribe(&stream, None, None).await;

        // More than the queue and all buffers hold, while the slow one reads nothing at all.
        let body = "word ".repeat(1590);
        let mut sender = Socket::open(&ada).await;
        let (mut seen, mut sent) = (Vec::new(), 0);
        while seen.len() < LETTERS {
            while sent < LETTERS && sent < seen.len() + 32 {
                let frame = json!({"type": "send", "room": room, "body": body, "client_id": format!("letter-{sent}")});
                sender.send(&frame).await;
                sent += 1;
            }
            let frame = fast.next_of("events").await;
            seen.extend(frame["items"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()));
        }
        let whole: Vec<i64> = (seen[0]..seen[0] + LETTERS as i64).collect();
        assert_eq!(seen, whole, "the fast reader has everything, in order, before the slow one read anything");

        // It is given a moment to make room, and does not use it.
        let cut = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            while hub.state().hub.slow_readers() == 0 {
                crate::support::nodes::a_moment().await;
            }
        });
        assert!(cut.await.is_ok(), "the slow reader is cut off");

        // What reached the slow one is a beginning of the same log, and then it was told why.
        let mut last = seen[0] - 1;
        let code = loop {
            match slow.next().await {
                Frame::Close(code) => break code,
                Frame::Text(frame) => {
                    for event in frame["items"].as_array().into_iter().flatten() {
                        last += 1;
                        assert_eq!(event["seq"], last);
                    }
                }
            }
        };
        assert_eq!(code, 4408);
        assert!(last < *seen.last().unwrap(), "the slow reader got everything: nothing was cut");
        assert!(slow.read < QUEUE + BETWEEN, "{} bytes were kept for it", slow.read);

        // It comes back with the last seq it saw, reads as slowly as it likes, and is not cut again.
        let mut back = RawSocket::open(&bob, Some(4096)).await;
        back.send(&json!({"type": "subscribe", "stream": stream, "since": last})).await;
        let mut answer: Option<Value> = None;
        while last < *seen.last().unwrap() {
            match back.next().await {
                Frame::Close(code) => panic!("cut with {code} while catching up"),
                Frame::Text(frame) if frame["type"] == "subscribed" => answer = Some(frame),
                Frame::Text(frame) => {
                    for event in frame["items"].as_array().into_iter().flatten() {
                        last += 1;
                        assert_eq!(event["seq"], last);
                    }
                }
            }
        }
        assert_eq!(answer.unwrap()["head"], *seen.last().unwrap());
    });
}

/// Replays wait for their reader, however many there are: together these are far more than its
/// queue holds.
#[test]
fn replays_of_many_rooms_at_once_cut_nobody() {
    const ROOMS: usize = 12;
    const EACH: usize = 25;
    run_with(Db::Sqlite, "replays", &[("rate_limit", "off")], async |hub| {
        let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
        let space = hub.space(&ada, "open").await;
        let mut streams = Vec::new();
        let mut sender = Socket::open(&ada).await;
        let body = "word ".repeat(1590);
        for number in 0..ROOMS {
            let (room, stream) = room(&ada, &space, &format!("room-{number}")).await;
            for letter in 0..EACH {
                let frame =
                    json!({"type": "send", "room": room, "body": body, "client_id": format!("{number}-{letter}")});
                sender.send(&frame).await;
            }
            for _ in 0..EACH {
                sender.next_of("sent").await;
            }
            streams.push(stream);
        }
        let mut reader = RawSocket::open(&bob, Some(4096)).await;
        for stream in &streams {
            reader.send(&json!({"type": "subscribe", "stream": stream, "since": 0})).await;
        }
        // All of it is asked for before the first of it is read.
        let mut last = std::collections::BTreeMap::new();
        while last.values().sum::<usize>() < ROOMS * EACH {
            match reader.next().await {
                Frame::Close(code) => panic!("cut with {code}"),
                Frame::Text(frame) => {
                    for event in frame["items"].as_array().into_iter().flatten() {
                        let seen = last.entry(frame["stream"].as_str().unwrap().to_owned()).or_insert(0);
                        *seen += 1;
                        assert_eq!(event["seq"], *seen);
                    }
                }
            }
        }
    });
}

/// What a reader that is behind has not got yet is trimmed: it is told to fetch again at once, not
/// when the next event comes, and then gets what comes.
#[test]
fn a_reader_that_is_behind_when_the_log_is_trimmed_is_reset() {
    run_with(Db::Sqlite, "trimmed", &[("rate_limit", "off")], async |hub| {
        let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
        let space = hub.space(&ada, "open").await;
        let (room, stream) = room(&ada, &space, "hall").await;
        let mut sender = Socket::open(&ada).await;
        let body = "word ".repeat(1590);
        let letter = |number: usize| json!({"type": "send", "room": room, "body": body, "client_id": format!("letter-{number}")});
        for number in 0..LETTERS {
            sender.send(&letter(number)).await;
            if number >= 32 {
                sender.next_of("sent").await;
            }
        }
        for _ in 0..32 {
            sender.next_of("sent").await;
        }
        // All that is more than what lies between holds: the replay cannot have come to its end.
        let mut reader = RawSocket::open(&bob, Some(4096)).await;
        reader.send(&json!({"type": "subscribe", "stream": stream, "since": 0})).await;
        assert!(matches!(reader.next().await, Frame::Text(frame) if frame["type"] == "subscribed"));
        let trimmed = hub.state().store.write(async |tx| praxis_server::streams::trim(tx.conn(), i64::MAX).await).await;
        assert!(trimmed.unwrap() > 0);

        let (mut last, head) = (0, LETTERS as i64);
        let reset = loop {
            match reader.next().await {
                Frame::Close(code) => panic!("cut with {code}"),
                Frame::Text(frame) if frame["type"] == "reset" => break frame,
                Frame::Text(frame) => {
                    for event in frame["items"].as_array().into_iter().flatten() {
                        last += 1;
                        assert_eq!(event["seq"], last);
                    }
                }
            }
        };
        assert!(last < head, "the reader got everything: nothing was trimmed before it");
        assert_eq!((&reset["stream"], &reset["head"]), (&json!(stream), &json!(head)));
        sender.send(&letter(LETTERS)).await;
        let next = loop {
            match reader.next().await {
                Frame::Close(code) => panic!("cut with {code}"),
                Frame::Text(frame) if frame["type"] == "events" => break frame,
                Frame::Text(_) => {}
            }
        };
        assert_eq!(next["items"][0]["seq"], head + 1);
    });
}

/// Somebody is taken out of a room while its log is on its way to them: no more of it comes, and what
/// does not concern them goes on where it was.
#[test]
fn a_replay_ends_when_the_right_to_it_does() {
    run_with(Db::Sqlite, "withdrawn", &[("rate_limit", "off")], async |hub| {
        let (ada, bob, eve) = (hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
        let space = hub.space(&ada, "open").await;
        let quiet = json!({"slug": "quiet", "name": "Quiet", "purpose": "", "private": true});
        let made = ada.post(&format!("/api/v1/spaces/{space}/rooms"), &quiet).await;
        let (room, stream) = (made.id(), made.json()["stream"].as_str().unwrap().to_owned());
        for handle in ["bob", "eve"] {
            assert_eq!(ada.put(&format!("/api/v1/rooms/{room}/members/{handle}")).await.status, 204);
        }
        let mut sender = Socket::open(&ada).await;
        let body = "word ".repeat(1590);
        for number in 0..LETTERS {
            let frame = json!({"type": "send", "room": room, "body": body, "client_id": format!("letter-{number}")});
            sender.send(&frame).await;
            if number >= 32 {
                sender.next_of("sent").await;
            }
        }
        for _ in 0..32 {
            sender.next_of("sent").await;
        }
        // All that is more than what lies between holds: neither replay can have come to its end.
        let (mut his, mut hers) = (RawSocket::open(&bob, Some(4096)).await, RawSocket::open(&eve, Some(4096)).await);
        for reader in [&mut his, &mut hers] {
            reader.send(&json!({"type": "subscribe", "stream": stream, "since": 0})).await;
            assert!(matches!(reader.next().await, Frame::Text(frame) if frame["type"] == "subscribed"));
        }
        assert_eq!(ada.delete(&format!("/api/v1/rooms/{room}/members/bob")).await.status, 204);
        // And everybody's rights are looked at again.
        assert_eq!(
            ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"visibility": "restricted"})).await.status,
            200
        );

        let mut last = 0;
        let ended = loop {
            match his.next().await {
                Frame::Close(code) => panic!("cut with {code}"),
                Frame::Text(frame) if frame["type"] == "unsubscribed" => break frame,
                Frame::Text(frame) => {
                    let items = frame["items"].as_array().into_iter().flatten();
                    last = items.fold(last, |_, event| event["seq"].as_i64().unwrap());
                }
            }
        };
        assert_eq!((&ended["stream"], &ended["code"]), (&json!(stream), &json!("forbidden")));
        assert!(last < LETTERS as i64, "he got everything");
        his.send(&json!({"type": "ping"})).await;
        assert!(matches!(his.next().await, Frame::Text(frame) if frame["type"] == "pong"), "and no more of it");
        let mut seen = 0;
        while seen < LETTERS as i64 {
            let Frame::Text(frame) = hers.next().await else { panic!("she is cut") };
            for event in frame["items"].as_array().into_iter().flatten() {
                seen += 1;
                assert_eq!(event["seq"], seen);
            }
        }
    });
}
