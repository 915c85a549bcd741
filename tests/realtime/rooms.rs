//! Rooms by socket: what is live, replayed and read again is the same; what is withdrawn ends.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::features::chat::{room, say};
use crate::support::stage::{done, id};
use crate::support::{Client, Socket, TestHub, hub_test};

/// A room in an open space of its maker: its id and its stream.
pub async fn open_room(hub: &TestHub, who: &Client) -> (String, String) {
    let space = hub.space(who, "open").await;
    let made = room(who, &space, "talk", false).await;
    (id(&made), made["stream"].as_str().unwrap().to_owned())
}

pub async fn post(socket: &mut Socket, room: &str, text: &str, client_id: &str) {
    socket.send(&json!({"type": "send", "room": room, "body": text, "client_id": client_id})).await;
}

/// One event of a stream, as somebody who was away gets it.
pub async fn replayed(who: &Client, stream: &str, seq: i64) -> Value {
    let mut socket = Socket::open(who).await;
    assert_eq!(socket.subscribe(stream, Some(seq - 1), None).await["type"], "subscribed");
    socket.events(1).await.remove(0)
}

/// The messages of a room as a reader builds them from events alone.
#[derive(Default)]
struct Reader(BTreeMap<i64, Value>);

impl Reader {
    fn of<'a>(&'a mut self, id: &Value) -> Option<&'a mut Value> {
        self.0.values_mut().find(|message| message["id"] == *id)
    }

    fn take(&mut self, event: &Value) {
        let data = &event["data"];
        match event["event"].as_str().unwrap() {
            "reaction.added" | "reaction.removed" => {
                if let Some(message) = self.of(&data["message_id"]) {
                    message["reactions"] = data["reactions"].clone();
                }
            }
            kind if kind.starts_with("message.") => {
                let mut message = data.clone();
                let root = message.as_object_mut().unwrap().remove("root");
                self.0.insert(message["seq"].as_i64().unwrap(), message);
                if let Some(root) = root
                    && let Some(message) = self.of(&root["id"])
                {
                    message["reply_count"] = root["reply_count"].clone();
                    message["last_reply_at"] = root["last_reply_at"].clone();
                }
            }
            _ => {}
        }
    }
}

hub_test!(async fn live_replayed_and_read_are_the_same(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let mut live = Socket::open(&bob).await;
    assert_eq!(live.subscribe(&stream, Some(0), None).await["head"], 0);
    let mut reader = Reader::default();
    let mut seq = 0;
    let mut expect = async |kind: &str| {
        seq += 1;
        let event = live.events(1).await.remove(0);
        assert_eq!((&event["event"], &event["seq"]), (&json!(kind), &json!(seq)));
        assert_eq!(replayed(&bob, &stream, seq).await, event, "a replay says what was live");
        reader.take(&event);
        event
    };
    let one = say(&ada, &room, "one *two*").await;
    let posted = expect("message.posted").await;
    assert_eq!(posted["data"], one, "the event carries the answer's object");
    for field in ["id", "author", "body", "body_html", "client_id", "reply_to"] {
        assert!(posted["data"].get(field).is_some(), "{field}");
    }
    assert_eq!((&posted["data"]["author"]["handle"], &posted["data"]["author"]["display_name"]), (&json!("ada"), &json!("ada Example")));
    let at = format!("/api/v1/messages/{}", id(&one));
    let reply = json!({"body": "a reply", "client_id": "r", "reply_to": one["id"]});
    let two = done(&bob.post(&format!("/api/v1/rooms/{room}/messages"), &reply).await);
    assert_eq!(expect("message.posted").await["data"]["root"]["reply_count"], 1);
    assert_eq!(ada.patch(&at, &json!({"body": "one, better"})).await.status, 200);
    assert_eq!(expect("message.edited").await["data"]["body"], "one, better");
    assert_eq!(bob.put(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    let event = expect("reaction.added").await;
    assert_eq!(event["data"], json!({"message_id": one["id"], "emoji": "🎉", "handle": "bob", "reactions": [{"emoji": "🎉", "count": 1}]}));
    assert_eq!(bob.put(&format!("{at}/pin")).await.status, 204);
    assert_eq!(expect("message.pinned").await["data"]["pinned"], true);
    assert_eq!(bob.delete(&format!("{at}/pin")).await.status, 204);
    expect("message.unpinned").await;
    assert_eq!(bob.delete(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    expect("reaction.removed").await;
    assert_eq!(ada.patch(&format!("/api/v1/rooms/{room}"), &json!({"name": "Talk 2"})).await.status, 200);
    assert_eq!(expect("room.changed").await["data"]["name"], "Talk 2");
    assert_eq!(bob.delete(&format!("/api/v1/messages/{}", id(&two))).await.status, 204);
    let event = expect("message.deleted").await;
    assert_eq!((&event["data"]["body"], &event["data"]["root"]["reply_count"]), (&json!(""), &json!(0)));

    let read = done(&bob.get(&format!("/api/v1/rooms/{room}/messages")).await);
    let read: Vec<Value> = read["items"].as_array().unwrap().clone();
    assert_eq!(reader.0.into_values().collect::<Vec<_>>(), read, "events lead to what is read");
    let mut late = Socket::open(&ada).await;
    late.subscribe(&stream, Some(0), None).await;
    let mut replay = Reader::default();
    late.events(9).await.iter().for_each(|event| replay.take(event));
    assert_eq!(replay.0.into_values().collect::<Vec<_>>(), read, "and so does a replay from nothing");
});

hub_test!(async fn what_a_socket_sends_is_posted_once_and_in_order(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let mut reader = Socket::open(&bob).await;
    reader.subscribe(&stream, Some(0), None).await;
    let mut writer = Socket::open(&ada).await;
    for number in 0..200 {
        let frame = json!({"type": "send", "room": room, "body": format!("m{number}"), "client_id": format!("c{number}"), "ref": number});
        writer.send(&frame).await;
    }
    let mut sent = BTreeMap::new();
    while sent.len() < 200 {
        let frame = writer.next_of("sent").await;
        assert_eq!((&frame["room"], &frame["client_id"]), (&json!(room), &json!(format!("c{}", frame["ref"]))));
        sent.insert(frame["seq"].as_i64().unwrap(), frame);
    }
    let events = reader.events(200).await;
    for (at, event) in events.iter().enumerate() {
        let seq = i64::try_from(at).unwrap() + 1;
        assert_eq!((&event["seq"], &event["data"]["body"]), (&json!(seq), &json!(format!("m{at}"))));
        assert_eq!(sent[&seq]["id"], event["data"]["id"]);
    }
    // A repeat over the socket and by HTTP is the first one.
    post(&mut writer, &room, "changed", "c0").await;
    let again = writer.next_of("sent").await;
    assert_eq!((&again["id"], &again["seq"]), (&events[0]["data"]["id"], &json!(1)));
    let by_http = ada.post(&format!("/api/v1/rooms/{room}/messages"), &json!({"body": "x", "client_id": "c1"})).await;
    assert_eq!((by_http.status, &by_http.json()["body"]), (200, &json!("m1")));
    assert_eq!(done(&ada.get(&format!("/api/v1/rooms/{room}")).await)["message_count"], 200);
});

hub_test!(async fn two_who_send_the_same_at_once_send_one(hub) {
    let ada = hub.member("ada").await;
    let (room, stream) = open_room(hub, &ada).await;
    let (mut one, mut two) = (Socket::open(&ada).await, Socket::open(&ada).await);
    for number in 0..20 {
        let client_id = format!("c{number}");
        post(&mut one, &room, "left", &client_id).await;
        post(&mut two, &room, "right", &client_id).await;
        let (left, right) = (one.next_of("sent").await, two.next_of("sent").await);
        assert_eq!((&left["id"], &left["seq"]), (&right["id"], &right["seq"]));
    }
    let mut reader = Socket::open(&ada).await;
    assert_eq!(reader.subscribe(&stream, None, None).await["head"], 20);
});

hub_test!(async fn what_is_withdrawn_ends_at_once(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let made = room(&ada, &space, "quiet", true).await;
    let (room, stream) = (id(&made), made["stream"].as_str().unwrap().to_owned());
    let mut socket = Socket::open(&bob).await;
    let refused = socket.subscribe(&stream, None, None).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("not_found")));
    assert_eq!(ada.put(&format!("/api/v1/rooms/{room}/members/bob")).await.status, 204);
    assert_eq!(socket.subscribe(&stream, None, None).await["type"], "subscribed");
    say(&ada, &room, "for both").await;
    assert_eq!(socket.events(1).await[0]["data"]["body"], "for both");
    assert_eq!(ada.delete(&format!("/api/v1/rooms/{room}/members/bob")).await.status, 204);
    say(&ada, &room, "for one").await;
    let next = socket.next_lasting().await;
    assert_eq!((&next["type"], &next["stream"], &next["code"]), (&json!("unsubscribed"), &json!(stream), &json!("forbidden")));
    post(&mut socket, &room, "late", "late").await;
    let error = socket.next_lasting().await;
    assert_eq!((&error["type"], &error["code"], &error["client_id"]), (&json!("error"), &json!("not_found"), &json!("late")));
    // The same when somebody is taken out of the space.
    let closed = hub.space(&ada, "private").await;
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{closed}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{closed}/join"))).await);
    let inner = crate::features::chat::room(&ada, &closed, "inner", false).await;
    let stream = inner["stream"].as_str().unwrap();
    assert_eq!(socket.subscribe(stream, None, None).await["type"], "subscribed");
    assert_eq!(ada.delete(&format!("/api/v1/spaces/{closed}/members/bob")).await.status, 204);
    say(&ada, &id(&inner), "gone").await;
    let next = socket.next_lasting().await;
    assert_eq!((&next["type"], &next["stream"]), (&json!("unsubscribed"), &json!(stream)));
    socket.send(&json!({"type": "ping", "ref": 1})).await;
    assert_eq!(socket.next_lasting().await, json!({"type": "pong", "ref": 1}), "the connection is alive");
});

hub_test!(async fn markers_and_notices_come_on_ones_own_stream(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, _) = open_room(hub, &ada).await;
    let own = format!("member:{}", done(&bob.get("/api/v1/me").await)["id"].as_str().unwrap());
    let mut socket = Socket::open(&bob).await;
    let head = socket.subscribe(&own, None, None).await["head"].as_i64().unwrap();
    say(&ada, &room, "@bob hello").await;
    let event = socket.events(1).await.remove(0);
    assert_eq!((&event["event"], &event["data"]["unread"], &event["data"]["excerpt"]), (&json!("notice.created"), &json!(1), &json!("@bob hello")));
    assert_eq!(replayed(&bob, &own, head + 1).await, event);
    socket.send(&json!({"type": "read", "room": room, "seq": 1})).await;
    let (mut read, mut moved) = (Value::Null, Value::Null);
    for event in socket.events(2).await {
        if event["event"] == "read.moved" { moved = event } else { read = event }
    }
    assert_eq!((&read["event"], &read["data"]), (&json!("notice.read"), &json!({"id": null, "unread": 0})));
    assert_eq!(moved["data"], json!({"room": room, "read_seq": 1, "unread": 0, "mentions": 0}));
    assert_eq!(replayed(&bob, &own, moved["seq"].as_i64().unwrap()).await, moved);
    let mut other = Socket::open(&ada).await;
    assert_eq!(other.subscribe(&own, None, None).await["code"], "not_found", "nobody else's");
    // A room with news rings for those who follow it; bob does, since he was named.
    say(&ada, &room, "news").await;
    let rung = socket.next_of("activity").await;
    assert_eq!((&rung["room"], &rung["head"].as_i64().is_some_and(|head| head >= 1)), (&json!(room), &true));
});

hub_test!(async fn who_is_there_and_who_types(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let (mut one, mut two) = (Socket::open(&ada).await, Socket::open(&bob).await);
    one.subscribe(&stream, None, None).await;
    assert_eq!(one.next_of("presence").await["online"], json!([{"handle": "ada", "display_name": "ada Example", "availability": "online"}]));
    two.subscribe(&stream, None, None).await;
    let both = one.next_of("presence").await;
    assert_eq!((&both["stream"], both["online"].as_array().unwrap().len()), (&json!(stream), 2));
    let set = bob.request("PUT", "/api/v1/me/availability").json(&json!({"availability": "do_not_disturb"}));
    assert_eq!(bob.send(set).await.status, 204);
    assert_eq!(one.next_of("presence").await["online"][1]["availability"], "do_not_disturb");
    for _ in 0..50 {
        two.send(&json!({"type": "typing", "room": room})).await;
    }
    two.send(&json!({"type": "ping"})).await;
    let typing = one.next_of("typing").await;
    assert_eq!(typing, json!({"type": "typing", "stream": stream, "member": {"handle": "bob", "display_name": "bob Example"}}));
    // The other forty-nine, and one's own, are nowhere: the next that comes is the message.
    say(&bob, &room, "typed").await;
    assert_eq!(one.next_of("events").await["items"][0]["data"]["body"], "typed");
    drop(two);
    assert_eq!(one.next_of("presence").await["online"].as_array().unwrap().len(), 1);
});

hub_test!(async fn frames_are_as_the_contract_writes_them(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, stream) = open_room(hub, &ada).await;
    let epoch = done(&ada.get(&format!("/api/v1/rooms/{room}")).await)["epoch"].clone();
    let mut socket = Socket::open(&bob).await;
    socket.send(&json!({"type": "subscribe", "stream": stream, "since": 0, "ref": "s"})).await;
    let subscribed = json!({"type": "subscribed", "stream": stream, "head": 0, "epoch": epoch, "ref": "s"});
    assert_eq!(socket.next_lasting().await, subscribed);
    socket.send(&json!({"type": "send", "room": room, "body": "Hello **you**", "client_id": "c", "ref": 1})).await;
    let (mut sent, mut events) = (socket.next_lasting().await, socket.next_lasting().await);
    if sent["type"] == "events" {
        std::mem::swap(&mut sent, &mut events);
    }
    let message = events["items"][0]["data"].clone();
    assert_eq!(sent, json!({"type": "sent", "client_id": "c", "room": room, "id": message["id"], "seq": 1, "ref": 1}));
    let at = &events["items"][0]["at"];
    let author = json!({
        "handle": "bob", "display_name": "bob Example", "headline": "", "organisation": "", "discipline": "other",
        "role": "member",
    });
    let posted = json!({
        "id": message["id"], "room": room, "seq": 1, "author": author, "body": "Hello **you**",
        "body_html": "<p>Hello <strong>you</strong></p>\n", "client_id": "c", "reply_to": null, "thread": null,
        "reply_count": 0, "last_reply_at": null, "created_at": at, "edited_at": null, "deleted": false,
        "pinned": false, "reactions": [], "version": 1,
    });
    let whole = json!({
        "type": "events", "stream": stream,
        "items": [{"seq": 1, "event": "message.posted", "at": at, "data": posted}],
    });
    assert_eq!(events, whole);
    socket.send(&json!({"type": "send", "room": room, "body": " ", "client_id": "d", "ref": [2]})).await;
    let error = json!({"type": "error", "code": "invalid", "detail": "body is needed.", "ref": [2], "client_id": "d"});
    assert_eq!(socket.next_lasting().await, error);
    socket.send(&json!({"type": "unsubscribe", "stream": stream, "ref": 3})).await;
    assert_eq!(socket.next_lasting().await, json!({"type": "unsubscribed", "stream": stream, "ref": 3}));
    socket.send(&json!({"type": "subscribe", "stream": stream, "since": 7, "epoch": epoch})).await;
    assert_eq!(socket.next_lasting().await, json!({"type": "reset", "stream": stream, "head": 1, "epoch": epoch}));
});

hub_test!(async fn a_marker_that_does_not_move_is_no_event(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (room, _) = open_room(hub, &ada).await;
    assert_eq!(bob.put(&format!("/api/v1/rooms/{room}/follow")).await.status, 204);
    let own = format!("member:{}", done(&bob.get("/api/v1/me").await)["id"].as_str().unwrap());
    let mut socket = Socket::open(&bob).await;
    let head = socket.subscribe(&own, None, None).await["head"].as_i64().unwrap();
    for number in 1..=5 {
        say(&ada, &room, &format!("m{number}")).await;
    }
    let read = |seq: i64| json!({"type": "read", "room": room, "seq": seq});
    for _ in 0..200 {
        socket.send(&read(5)).await;
    }
    let moved = socket.events(1).await.remove(0);
    assert_eq!((&moved["event"], &moved["seq"], &moved["data"]["read_seq"]), (&json!("read.moved"), &json!(head + 1), &json!(5)));
    // A mention that waits further on makes no difference to what was read before it.
    say(&ada, &room, "@bob").await;
    assert_eq!(socket.events(1).await[0]["seq"], head + 2);
    for seq in (0..200).map(|number| number % 5) {
        socket.send(&read(seq)).await;
    }
    socket.send(&read(6)).await;
    let last = socket.events(2).await;
    let mut kinds: Vec<&str> = last.iter().map(|event| event["event"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["notice.read", "read.moved"]);
    assert_eq!(last[1]["seq"], head + 4, "none of the others is an event");
    // Of many that do move it, the last is where it ends.
    for number in 7..=40 {
        say(&ada, &room, &format!("m{number}")).await;
    }
    for seq in 7..=40 {
        socket.send(&read(seq)).await;
    }
    while socket.events(1).await[0]["data"]["read_seq"] != 40 {}
    assert_eq!(done(&bob.get(&format!("/api/v1/rooms/{room}")).await)["mine"]["unread"], 0);
});
