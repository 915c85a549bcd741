//! Rooms by socket: frames that are wrong or far too many, and readers that do not read.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use praxis_server::realtime::MOST_SOCKETS;
use praxis_server::store::Id;
use praxis_server::streams::Stream;
use sea_orm::{ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::rooms::{open_room, post};
use crate::features::chat::say;
use crate::support::hub::run_with;
use crate::support::nodes::until;
use crate::support::raw::{Frame, RawSocket, text_frame};
use crate::support::stage::done;
use crate::support::{Db, Socket, TestHub, hub_test};

hub_test!(async fn bad_frames_are_answered_and_the_socket_lives(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let mut socket = Socket::open(&bob).await;
    let head = socket.subscribe(&stream, Some(99), None).await;
    assert_eq!((&head["type"], &head["head"]), (&json!("reset"), &json!(0)), "a since from the future");
    assert_eq!(socket.subscribe(&stream, Some(0), Some("another")).await["type"], "reset", "or of another history");
    let long = "x".repeat(8001);
    let frames = [
        (json!({"type": "send", "room": room, "body": "x"}), "invalid"),
        (json!({"type": "send", "room": room, "body": "", "client_id": "a"}), "invalid"),
        (json!({"type": "send", "room": room, "body": "a\u{0}b", "client_id": "a"}), "invalid"),
        (json!({"type": "send", "room": room, "body": long, "client_id": "a"}), "invalid"),
        (json!({"type": "send", "room": room, "body": "x", "client_id": "a", "reply_to": "x"}), "invalid"),
        (json!({"type": "send", "room": room, "body": {"x": 1}, "client_id": "a"}), "invalid"),
        (json!({"type": "send", "room": "nowhere", "body": "x", "client_id": "a"}), "not_found"),
        (json!({"type": "send", "room": "0000000000001", "body": "x", "client_id": "a"}), "not_found"),
        (json!({"type": "read", "room": "0000000000001", "seq": 1}), "not_found"),
        (json!({"type": "read", "room": room, "seq": -1}), "invalid"),
        (json!({"type": "read", "room": room, "seq": "1"}), "invalid"),
        (json!({"type": "typing", "room": "0000000000001"}), "not_found"),
        (json!({"type": "subscribe", "stream": "hub:0000000000000"}), "not_found"),
        (json!({"type": "subscribe", "stream": stream, "since": -1}), "invalid"),
        (json!({"type": "nonsense"}), "invalid"),
        (json!([1, 2]), "invalid"),
    ];
    for (number, (mut frame, code)) in frames.into_iter().enumerate() {
        if let Some(frame) = frame.as_object_mut() {
            frame.insert("ref".into(), json!({"n": number}));
        }
        socket.send(&frame).await;
        let error = socket.next_lasting().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{frame}: {error}");
        if frame.is_object() {
            assert_eq!(error["ref"], json!({"n": number}));
        }
        assert_eq!(error["client_id"], frame.get("client_id").cloned().unwrap_or_default());
    }
    socket.send_raw(Message::binary(vec![0, 1, 2])).await;
    assert_eq!(socket.next_lasting().await["code"], "invalid");
    socket.send_raw(Message::text("{")).await;
    assert_eq!(socket.next_lasting().await["code"], "invalid");
    // Somebody else's client_id is one's own to use.
    say(&ada, &room, "hers").await;
    assert_eq!(socket.next_of("events").await["items"][0]["data"]["body"], "hers");
    post(&mut socket, &room, "his", "hers").await;
    assert_eq!(socket.next_of("sent").await["seq"], 2);
    // A clock that goes back orders nothing anew.
    hub.clock.advance(-30_000_000);
    post(&mut socket, &room, "earlier", "later").await;
    assert_eq!(socket.next_of("sent").await["seq"], 3);
    let page = done(&ada.get(&format!("/api/v1/rooms/{room}/messages")).await);
    let said: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|of| &of["body"]).collect();
    assert_eq!(said, ["hers", "his", "earlier"]);
    hub.clock.advance(30_000_000);
    socket.send_raw(Message::text("x".repeat(70_000))).await;
    assert_eq!(loop {
        let frame = socket.next().await;
        if frame["type"] == "close" { break frame["code"].clone() }
    }, 1009);
});

hub_test!(async fn a_message_in_parts_is_as_large_as_any(hub) {
    let ada = hub.member("ada").await;
    let part = |first: u8, length: u16| {
        let mut frame = vec![first, 0x80 | 126];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(vec![b' '; usize::from(length)]);
        frame
    };
    let mut whole = RawSocket::open(&ada, None).await;
    whole.stream.write_all(&part(0x01, 30_000)).await.unwrap();
    whole.stream.write_all(&part(0x00, 30_000)).await.unwrap();
    let mut last = text_frame(r#"{"type":"ping","ref":1}"#);
    last[0] = 0x80;
    whole.stream.write_all(&last).await.unwrap();
    assert_eq!(whole.next().await, Frame::Text(json!({"type": "pong", "ref": 1})));
    whole.stream.write_all(&part(0x01, 40_000)).await.unwrap();
    whole.stream.write_all(&part(0x00, 40_000)).await.unwrap();
    assert_eq!(whole.closed().await, 1009);
    // Nobody waits for the end of one that says it is without end.
    let mut endless = RawSocket::open(&ada, None).await;
    let mut frame = vec![0x81, 0x80 | 127];
    frame.extend((1u64 << 40).to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(vec![b' '; 1 << 20]);
    endless.stream.write_all(&frame).await.unwrap();
    assert_eq!(endless.closed().await, 1009);
});

hub_test!(async fn ten_thousand_subscriptions_are_bounded(hub) {
    let ada = hub.member("ada").await;
    let (room, stream) = open_room(hub, &ada).await;
    let mut socket = Socket::open(&ada).await;
    let (mut answers, mut limited) = (0, 0);
    for _ in 0..100 {
        for _ in 0..100 {
            socket.send(&json!({"type": "subscribe", "stream": stream})).await;
        }
        for _ in 0..100 {
            let frame = socket.next_lasting().await;
            match frame["type"].as_str().unwrap() {
                "subscribed" => answers += 1,
                "error" => {
                    assert_eq!(frame["code"], "rate_limited");
                    limited += 1;
                }
                other => panic!("{other}"),
            }
        }
    }
    assert!(answers >= 1000 && limited > 0 && answers + limited == 10_000, "{answers} {limited}");
    assert_eq!(hub.state().hub.streams(), 1, "one place for one stream");
    say(&ada, &room, "still there").await;
    assert_eq!(socket.events(1).await[0]["data"]["body"], "still there");
    // Nothing comes twice.
    tokio::time::timeout(Duration::from_secs(10), async {
        say(&ada, &room, "once").await;
        let event = socket.events(1).await.remove(0);
        assert_eq!((&event["seq"], &event["data"]["body"]), (&json!(2), &json!("once")));
    })
    .await
    .unwrap();
});

/// Streams that a socket may read; the server's own figure.
const MOST_STREAMS: usize = 500;

hub_test!(async fn a_socket_that_reads_all_it_may_asks_for_one_of_them_again(hub) {
    let ada = hub.member("ada").await;
    let (room, stream) = open_room(hub, &ada).await;
    let like = room.parse::<Id>().unwrap().0;
    let made = hub.state().store.write(async move |tx| {
        let ids: Vec<i64> = (0..MOST_STREAMS).map(|_| tx.id()).collect();
        for id in &ids {
            let insert = format!(
                "INSERT INTO room (id, space_id, kind, slug, name, purpose, message_count, created_by, created_at, \
                 version) SELECT {id}, space_id, kind, 'room-{id}', name, purpose, 0, created_by, created_at, 1 \
                 FROM room WHERE id = {like}"
            );
            tx.conn().execute_unprepared(&insert).await?;
        }
        Ok(ids)
    });
    let more: Vec<String> = made.await.unwrap().into_iter().map(|id| Stream::room(id).to_string()).collect();
    let mut socket = Socket::open(&ada).await;
    for stream in more.iter().skip(1).chain([&stream]) {
        assert_eq!(socket.subscribe(stream, None, None).await["type"], "subscribed");
    }
    assert_eq!(socket.subscribe(&more[0], None, None).await["code"], "rate_limited", "one too many");
    say(&ada, &room, "once").await;
    assert_eq!(socket.events(1).await[0]["data"]["body"], "once");
    let again = socket.subscribe(&stream, Some(0), None).await;
    assert_eq!((&again["type"], &again["head"]), (&json!("subscribed"), &json!(1)), "{again}");
    assert_eq!(socket.events(1).await[0]["data"]["body"], "once");
});

/// Events, messages and followers there are.
async fn rows(hub: &TestHub) -> [u64; 3] {
    use praxis_server::entities::{event, message, room_member};
    let db = hub.state().store.read();
    [
        event::Entity::find().count(db).await.unwrap(),
        message::Entity::find().count(db).await.unwrap(),
        room_member::Entity::find().count(db).await.unwrap(),
    ]
}

/// Without limits, as a load test runs.
async fn unlimited(hub: &TestHub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let (mut fast, mut slow, mut writer) =
        (Socket::open(&bob).await, Socket::open(&bob).await, Socket::open(&ada).await);
    fast.subscribe(&stream, None, None).await;
    slow.subscribe(&stream, None, None).await;
    // Signs of typing change nothing and answer nothing, however many there are.
    let before = rows(hub).await;
    let typing = json!({"type": "typing", "room": room});
    for _ in 0..20_000 {
        writer.send(&typing).await;
    }
    writer.send(&json!({"type": "ping"})).await;
    assert_eq!(writer.next_lasting().await["type"], "pong");
    assert_eq!(rows(hub).await, before);
    assert_eq!(fast.next_of("typing").await["member"]["handle"], "ada");
    // A reader that does not read is cut off; one that does gets everything meanwhile.
    let long = "word ".repeat(1500);
    let mut typed = 0;
    for number in 0..700 {
        post(&mut writer, &room, &long, &format!("c{number}")).await;
        assert_eq!(writer.next_of("sent").await["seq"], number + 1);
        loop {
            let frame = fast.next().await;
            match frame["type"].as_str().unwrap() {
                "typing" => typed += 1,
                "events" => {
                    assert_eq!(frame["items"][0]["seq"], number + 1);
                    break;
                }
                _ => {}
            }
        }
    }
    assert!(typed <= 10, "{typed} signs of typing got through");
    let cut = tokio::time::timeout(Duration::from_secs(20), async {
        while hub.state().hub.slow_readers() == 0 {
            crate::support::nodes::a_moment().await;
        }
    });
    assert!(cut.await.is_ok(), "the slow reader is cut off");
    let mut last = 0;
    let code = loop {
        let frame = slow.next().await;
        match frame["type"].as_str().unwrap() {
            "events" => last = frame["items"].as_array().unwrap().last().unwrap()["seq"].as_i64().unwrap(),
            "close" => break frame["code"].clone(),
            _ => {}
        }
    };
    assert_eq!(code, 4408);
    assert!(last < 700, "it was cut before the end");
    // It comes back to what it missed, all of it.
    let mut back = Socket::open(&bob).await;
    back.subscribe(&stream, Some(last), None).await;
    let missed = back.events(usize::try_from(700 - last).unwrap()).await;
    let seqs: Vec<i64> = missed.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (last + 1..=700).collect::<Vec<_>>());
}

#[test]
fn the_slow_are_cut_off_and_the_fast_do_not_wait() {
    crate::support::hub::run_with(crate::support::Db::Sqlite, "slow", &[("rate_limit", "off")], async |hub| {
        unlimited(hub).await
    });
}

hub_test!(async fn a_member_has_so_many_sockets_and_one_that_closes_makes_room(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let member = done(&bob.get("/api/v1/me").await)["id"].as_str().unwrap().parse::<Id>().unwrap();
    let all_but_one: Vec<_> =
        (1..MOST_SOCKETS).map(|_| hub.state().hub.seat(member.0, MOST_SOCKETS).unwrap()).collect();
    let last = Socket::open(&bob).await;
    let ask = async || {
        let asked = bob.request("GET", "/api/v1/ws").header("Connection", "Upgrade").header("Upgrade", "websocket");
        let asked = asked.header("Sec-WebSocket-Version", "13").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        bob.send(asked).await
    };
    let refused = ask().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "10"), "{}", refused.text);
    drop(Socket::open(&ada).await);
    // Whoever signs in by the first frame counts as well.
    let address = format!("{}/api/v1/ws", hub.base.replacen("http", "ws", 1));
    let (mut late, _) = connect_async(address).await.unwrap();
    let auth = json!({"type": "auth", "token": bob.bearer.as_deref().unwrap()});
    late.send(Message::text(auth.to_string())).await.unwrap();
    assert!(matches!(late.next().await.unwrap().unwrap(), Message::Close(Some(frame)) if u16::from(frame.code) == 1008));
    // A socket that is gone makes room.
    drop(last);
    until("there is room again", async || Socket::try_open(&bob).await.is_some()).await;
    drop(all_but_one);
});

#[test]
fn sockets_are_not_counted_without_limits() {
    run_with(Db::Sqlite, "many sockets", &[("rate_limit", "off")], async |hub| {
        let bob = hub.member("bob").await;
        let member = done(&bob.get("/api/v1/me").await)["id"].as_str().unwrap().parse::<Id>().unwrap();
        let all: Vec<_> = (0..MOST_SOCKETS).map(|_| hub.state().hub.seat(member.0, MOST_SOCKETS).unwrap()).collect();
        Socket::open(&bob).await;
        drop(all);
    });
}
