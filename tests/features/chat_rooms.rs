//! What changes a room, and who hears of what by then.

use futures_util::future::join_all;
use praxis_server::store::{Id, insert_rows};
use serde_json::{Value, json};

use super::chat::{room, say};
use crate::support::stage::{done, id};
use crate::support::{Client, Socket, TestHub, hub_test};

hub_test!(async fn a_room_moves_closes_and_opens_again(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let made = room(&ada, &space, "falls", false).await;
    room(&ada, &space, "taken", false).await;
    let at = format!("/api/v1/rooms/{}", id(&made));
    assert_eq!(ada.patch(&at, &json!({"slug": "taken"})).await.status, 409);
    assert_eq!(ada.patch(&at, &json!({"slug": "Ä"})).await.status, 422);
    let moved = done(&ada.patch(&at, &json!({"slug": "ward-falls"})).await);
    assert_eq!((&moved["slug"], &moved["private"]), (&json!("ward-falls"), &json!(false)));
    assert_eq!(ada.page(&format!("/s/{space}/chat/ward-falls")).await.status, 200);
    assert_eq!(ada.page(&format!("/s/{space}/chat/falls")).await.status, 404);

    let mut socket = Socket::open(&bob).await;
    socket.subscribe(made["stream"].as_str().unwrap(), None, None).await;
    assert_eq!(done(&ada.patch(&at, &json!({"private": true})).await)["private"], true);
    let ended = socket.next_of("unsubscribed").await;
    assert_eq!((&ended["stream"], &ended["code"]), (&made["stream"], &json!("forbidden")));
    assert_eq!(bob.get(&at).await.status, 404);
    assert_eq!(ada.get(&at).await.status, 200, "who follows it stays");
    assert_eq!(done(&ada.patch(&at, &json!({"private": false})).await)["private"], false);
    assert_eq!(bob.get(&at).await.status, 200);
    let pair = ada.post("/api/v1/direct", &json!({"handles": ["bob"]})).await.id();
    assert_ne!(ada.patch(&format!("/api/v1/rooms/{pair}"), &json!({"private": false})).await.status, 200);
});

hub_test!(async fn a_sidebar_has_so_many_rooms_and_counts_the_others(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let pair = ada.post("/api/v1/direct", &json!({"handles": ["bob"]})).await.id();
    say(&ada, &pair, "Between us.").await;
    let number = |text: &Value| text.as_str().unwrap().parse::<Id>().unwrap().0;
    let me = number(&done(&bob.get("/api/v1/me").await)["id"]);
    let within = number(&done(&ada.get(&format!("/api/v1/spaces/{space}")).await)["id"]);
    // Rooms that moved one after the other, with a message each; the first one names him.
    let written = hub.state().store.write(async move |tx| {
        let mut rooms: Vec<[sea_orm::Value; 11]> = Vec::new();
        let mut people: Vec<[sea_orm::Value; 8]> = Vec::new();
        let (mut ids, one, no): (_, sea_orm::Value, sea_orm::Value) = (Vec::new(), 1i64.into(), false.into());
        for number in 0..65i64 {
            let (id, at) = (tx.id(), tx.now() - 1_000_000 + number);
            let (name, slug) = (format!("Room {number:02}"), format!("r{number}"));
            rooms.push([
                id.into(),
                within.into(),
                "open".into(),
                slug.into(),
                name.into(),
                "".into(),
                one.clone(),
                at.into(),
                me.into(),
                at.into(),
                1i32.into(),
            ]);
            let mentions = i32::from(number == 0);
            people.push([
                me.into(),
                id.into(),
                0i64.into(),
                0i64.into(),
                mentions.into(),
                no.clone(),
                no.clone(),
                at.into(),
            ]);
            ids.push(Id(id).to_string());
        }
        let insert = "INSERT INTO room (id, space_id, kind, slug, name, purpose, message_count, last_message_at, \
             created_by, created_at, version) VALUES ";
        insert_rows(tx.conn(), insert, rooms).await?;
        let insert = "INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, \
             favourite, joined_at) VALUES ";
        insert_rows(tx.conn(), insert, people).await.map(|()| ids)
    });
    let rooms: Vec<String> = written.await.unwrap();

    let browser = Client::sign_in(&hub.base, "bob").await;
    let page = browser.page("/topics").await.text;
    let shown = |room: &String| page.contains(&format!("data-side-room=\"{room}\""));
    // The 30 that moved last and 30 of the others, the one that names him among them; the conversation.
    assert_eq!(page.matches("data-side-room").count(), 61);
    assert!(shown(&rooms[0]) && rooms[35..].iter().all(shown) && shown(&pair));
    assert!(page.contains("<span>ada Example</span>"), "the other one's name");
    assert!(page.contains("data-beyond=\"5\"><span data-n>66<"), "all of them count");

    // A favourite comes first whenever it moved.
    done(&bob.patch(&format!("/api/v1/rooms/{}/mine", rooms[1]), &json!({"favourite": true})).await);
    let page = browser.page("/topics").await.text;
    assert!(page.split("data-side-room=\"").nth(1).unwrap().starts_with(&rooms[1]));

    // What he no longer may read is neither shown nor counted, without waiting for anything.
    done(&ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"visibility": "private"})).await);
    let page = browser.page("/topics").await.text;
    assert_eq!(page.matches("data-side-room").count(), 1, "{page}");
    assert!(page.contains("data-beyond=\"0\"><span data-n>1<"));
});

hub_test!(async fn what_others_wrote_in_private_is_opened_by_a_moderator_alone(hub) {
    let ada = hub.member("ada").await;
    let (bob, eve) = (hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "open").await;
    let made = room(&bob, &space, "quiet", true).await;
    let at = format!("/api/v1/rooms/{}", id(&made));
    let (open, close) = (json!({"private": false}), json!({"private": true}));
    assert_eq!(bob.put(&format!("{at}/members/eve")).await.status, 204);
    say(&bob, &id(&made), "My own words.").await;
    assert_eq!(done(&bob.patch(&at, &open).await)["private"], false, "they are his to publish");
    assert_eq!(done(&bob.patch(&at, &close).await)["private"], true);

    let theirs = say(&eve, &id(&made), "Between us.").await;
    let refused = bob.patch(&at, &open).await;
    assert_eq!((refused.status, refused.text.contains("only a moderator")), (403, true), "{}", refused.text);
    assert_eq!(bob.patch(&at, &json!({"name": "Still his", "private": true})).await.status, 200);
    assert_eq!(eve.delete(&format!("/api/v1/messages/{}", id(&theirs))).await.status, 204);
    assert_eq!(bob.patch(&at, &open).await.status, 403, "that she wrote is hers as well");
    assert_eq!(hub.member("kim").await.get(&at).await.status, 404);

    assert_eq!(ada.patch(&at, &open).await.status, 404, "who runs the space is not in it");
    assert_eq!(bob.put(&format!("{at}/members/ada")).await.status, 204);
    assert_eq!(done(&ada.patch(&at, &open).await)["private"], false);
});

hub_test!(async fn the_same_request_at_once_makes_one_room_and_one_message(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let post = async |path: String, body: Value| {
        let one = || ada.send(ada.request("POST", &path).header("Idempotency-Key", "at once").json(&body));
        let answers = join_all((0..6).map(|_| one())).await;
        let all: Vec<(u16, Value)> = answers.iter().map(|answer| (answer.status, answer.json())).collect();
        assert!(all.iter().all(|answer| *answer == all[0] && answer.0 == 201), "{all:?}");
        all[0].1.clone()
    };
    let made = post(format!("/api/v1/spaces/{space}/rooms"), json!({"slug": "once", "name": "Once"})).await;
    let messages = format!("/api/v1/rooms/{}/messages", id(&made));
    post(messages.clone(), json!({"body": "once", "client_id": "once"})).await;
    assert_eq!(done(&ada.get(&messages).await)["items"].as_array().unwrap().len(), 1);
});

/// How many mentions the room counts, and how many notices are unread.
async fn mentions(hub: &TestHub, who: &Client, room: &str) -> (i64, usize) {
    hub.settle().await;
    let mine = done(&who.get(&format!("/api/v1/rooms/{room}")).await)["mine"]["mentions"].as_i64().unwrap();
    let notices = done(&who.get("/api/v1/notices").await);
    (mine, notices["items"].as_array().unwrap().iter().filter(|of| of["read"] == false).count())
}

hub_test!(async fn who_is_named_is_told_once_and_reading_ends_what_was_read(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    let message = say(&ada, &room, "nobody yet").await;
    let edited = ada.patch(&format!("/api/v1/messages/{}", id(&message)), &json!({"body": "@bob after all"})).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!(mentions(hub, &bob, &room).await, (1, 1));
    ada.patch(&format!("/api/v1/messages/{}", id(&message)), &json!({"body": "@bob, after all"})).await;
    assert_eq!(mentions(hub, &bob, &room).await, (1, 1), "told once");
    let read = async |seq: i64| {
        let request = bob.request("PUT", &format!("/api/v1/rooms/{room}/read")).json(&json!({"seq": seq}));
        assert_eq!(bob.send(request).await.status, 204);
    };
    let second = say(&ada, &room, "@bob again").await;
    assert_eq!(mentions(hub, &bob, &room).await, (2, 2));
    read(0).await;
    assert_eq!(mentions(hub, &bob, &room).await, (2, 2), "nothing was read by that");
    read(message["seq"].as_i64().unwrap()).await;
    assert_eq!(mentions(hub, &bob, &room).await, (1, 1), "one is left");
    // Read before the job that tells of it ran.
    let third = say(&ada, &room, "@bob once more").await;
    assert!(third["seq"].as_i64() > second["seq"].as_i64());
    read(third["seq"].as_i64().unwrap()).await;
    assert_eq!(mentions(hub, &bob, &room).await, (0, 0));
});

hub_test!(async fn a_mention_lets_nobody_into_a_private_room(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "private").await;
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{space}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
    let (quiet, talk) = (room(&ada, &space, "quiet", true).await, room(&ada, &space, "talk", false).await);
    let at = format!("/api/v1/rooms/{}", id(&quiet));
    for round in 0..10 {
        assert_eq!(ada.put(&format!("{at}/members/bob")).await.status, 204);
        say(&ada, &id(&quiet), &format!("@bob {round}")).await;
        // He goes while the job that tells him is on its way.
        assert_eq!(bob.delete(&format!("{at}/members/bob")).await.status, 204);
        say(&ada, &id(&quiet), &format!("@bob {round}, come back")).await;
        hub.settle().await;
        assert_eq!(bob.get(&at).await.status, 404, "round {round}");
        assert_eq!(done(&ada.get(&at).await)["members"].as_array().unwrap().len(), 1, "round {round}");
    }
    // In an open room of a space that he has left he is named in vain, too.
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{space}/leave"))).await);
    say(&ada, &id(&talk), "@bob here").await;
    hub.settle().await;
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{space}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
    assert_eq!(done(&bob.get(&format!("/api/v1/rooms/{}", id(&talk))).await)["mine"], Value::Null);
});

hub_test!(async fn who_is_blocked_changes_nothing_in_their_conversation(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let pair = ada.post("/api/v1/direct", &json!({"handles": ["bob"]})).await.id();
    let (hers, his) = (say(&ada, &pair, "hers").await, say(&bob, &pair, "his").await);
    assert_eq!(bob.put("/api/v1/members/ada/block").await.status, 204);
    for (who, own, other) in [(&ada, &hers, &his), (&bob, &his, &hers)] {
        let (own, other) = (format!("/api/v1/messages/{}", id(own)), format!("/api/v1/messages/{}", id(other)));
        let reaction = format!("{other}/reactions/%F0%9F%8E%89");
        let refused = [
            who.patch(&own, &json!({"body": "said otherwise"})).await,
            who.put(&reaction).await,
            who.delete(&reaction).await,
            who.put(&format!("{other}/pin")).await,
            who.delete(&format!("{other}/pin")).await,
        ];
        for answer in refused {
            assert_eq!((answer.status, answer.text.contains("You cannot write to each other.")), (403, true), "{}", who.handle);
        }
        let mut socket = Socket::open(who).await;
        socket.send(&json!({"type": "typing", "room": pair})).await;
        let error = socket.next_of("error").await;
        assert_eq!(error["code"], "forbidden", "{error}");
    }
    // What was said can be taken back, and read.
    for (who, own) in [(&ada, &hers), (&bob, &his)] {
        assert_eq!(who.delete(&format!("/api/v1/messages/{}", id(own))).await.status, 204);
        assert_eq!(who.get(&format!("/api/v1/rooms/{pair}/messages")).await.status, 200);
    }
    assert_eq!(bob.delete("/api/v1/members/ada/block").await.status, 204);
    say(&ada, &pair, "again").await;
});

hub_test!(async fn a_repeat_is_the_first_message_even_where_its_own_text_is_wrong(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    let first = say(&ada, &room, "first").await;
    let at = format!("/api/v1/rooms/{room}/messages");
    let mut socket = Socket::open(&ada).await;
    for (number, text) in [String::new(), "  ".into(), "x".repeat(8001), "a\u{0}b".into()].into_iter().enumerate() {
        let body = json!({"body": text, "client_id": "first"});
        let again = ada.post(&at, &body).await;
        assert_eq!((again.status, again.json()), (200, first.clone()), "{number}");
        let keyed = ada.request("POST", &at).header("Idempotency-Key", format!("key-{number}")).json(&body);
        let keyed = ada.send(keyed).await;
        assert_eq!((keyed.status, &keyed.json()["id"]), (200, &first["id"]), "{number}");
        socket.send(&json!({"type": "send", "room": room, "body": text, "client_id": "first"})).await;
        assert_eq!(socket.next_lasting().await["id"], first["id"], "{number}");
        assert_eq!(bob.post(&at, &body).await.status, 422, "his is another message");
    }
    assert_eq!(done(&ada.get(&at).await)["items"].as_array().unwrap().len(), 1);
});

/// Conversations of one member beside the one that a test is about: more than a sidebar holds.
const MANY: i64 = 320;

hub_test!(async fn no_conversation_is_lost_among_many(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let pair = ada.post("/api/v1/direct", &json!({"handles": ["bob"]})).await.id();
    let member = done(&ada.get("/api/v1/me").await)["id"].as_str().unwrap().parse::<Id>().unwrap().0;
    let written = hub.state().store.write(async move |tx| {
        let mut rooms: Vec<[sea_orm::Value; 9]> = Vec::new();
        let mut people: Vec<[sea_orm::Value; 8]> = Vec::new();
        for number in 0..MANY {
            let (id, zero, later) = (tx.id(), 0i64, tx.now() + 1);
            let key = format!("many-{number}");
            rooms.push([
                id.into(),
                "direct".into(),
                "".into(),
                "".into(),
                key.into(),
                zero.into(),
                member.into(),
                number.into(),
                1i32.into(),
            ]);
            let (none, no): (sea_orm::Value, sea_orm::Value) = (0i32.into(), false.into());
            people.push([member.into(), id.into(), zero.into(), zero.into(), none, no.clone(), no, later.into()]);
        }
        let insert = "INSERT INTO room (id, kind, name, purpose, direct_key, message_count, created_by, created_at, \
             version) VALUES ";
        insert_rows(tx.conn(), insert, rooms).await?;
        let insert = "INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, \
             favourite, joined_at) VALUES ";
        insert_rows(tx.conn(), insert, people).await
    });
    written.await.unwrap();
    say(&bob, &pair, "Still there?").await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let first = browser.page("/").await;
    assert!(first.text.contains(&format!("href=\"/direct/{pair}\"")), "who joined it long ago finds what is new");
    let (mut path, mut found) = ("/direct".to_owned(), std::collections::BTreeSet::new());
    loop {
        let page = browser.page(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let links = page.text.split("href=\"/direct/").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(links.map(str::to_owned));
        let Some((_, rest)) = page.text.split_once("href=\"/direct?cursor=") else { break };
        path = format!("/direct?cursor={}", rest.split('"').next().unwrap());
    }
    assert_eq!(found.len() as i64, MANY + 1);
    let (mut path, mut count) = ("/api/v1/direct?limit=100".to_owned(), 0);
    loop {
        let page = done(&ada.get(&path).await);
        count += page["items"].as_array().unwrap().len() as i64;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/direct?limit=100&cursor={cursor}");
    }
    assert_eq!(count, MANY + 1);
});
