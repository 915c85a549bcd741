//! Rooms and messages by HTTP.

use serde_json::{Value, json};

use crate::support::stage::{done, file, id};
use crate::support::{Client, TestHub, hub_test};

/// A room of a space; its JSON.
pub async fn room(who: &Client, space: &str, slug: &str, private: bool) -> Value {
    let body = json!({"slug": slug, "name": format!("Room {slug}"), "purpose": "To talk.", "private": private});
    let answer = who.post(&format!("/api/v1/spaces/{space}/rooms"), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// A message; its JSON. The client's name for it is the text.
pub async fn say(who: &Client, room: &str, text: &str) -> Value {
    let body = json!({"body": text, "client_id": text});
    done(&who.post(&format!("/api/v1/rooms/{room}/messages"), &body).await)
}

async fn answer_to(who: &Client, room: &str, to: &str, text: &str) -> Value {
    let body = json!({"body": text, "client_id": text, "reply_to": to});
    done(&who.post(&format!("/api/v1/rooms/{room}/messages"), &body).await)
}

async fn texts(who: &Client, room: &str, query: &str) -> Vec<String> {
    let page = done(&who.get(&format!("/api/v1/rooms/{room}/messages{query}")).await);
    page["items"].as_array().unwrap().iter().map(|of| of["body"].as_str().unwrap().to_owned()).collect()
}

async fn put(who: &Client, path: &str, body: &Value) -> u16 {
    who.send(who.request("PUT", path).json(body)).await.status
}

hub_test!(async fn a_room_is_made_read_and_changed(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let made = room(&bob, &space, "falls", false).await;
    let at = format!("/api/v1/rooms/{}", id(&made));
    assert_eq!((&made["name"], &made["space"], &made["private"]), (&json!("Room falls"), &json!(space), &json!(false)));
    assert_eq!(made["stream"], json!(format!("room:{}", id(&made))));
    assert!(made["epoch"].is_string() && made["head"] == 0);
    let read = bob.get(&at).await;
    assert_eq!((read.json(), read.header("etag")), (made.clone(), "\"v1\""));
    let again = bob.post(&format!("/api/v1/spaces/{space}/rooms"), &json!({"slug": "falls", "name": "Other"})).await;
    assert_eq!(again.status, 409);
    assert_eq!(bob.post(&format!("/api/v1/spaces/{space}/rooms"), &json!({"slug": "Ä", "name": "x"})).await.status, 422);

    let changed = bob.patch(&at, &json!({"name": "Falls and more"})).await;
    assert_eq!((changed.status, &changed.json()["name"], &changed.json()["version"]), (200, &json!("Falls and more"), &json!(2)));
    let stale = bob.request("PATCH", &at).header("If-Match", "\"v1\"").json(&json!({"purpose": "x"}));
    assert_eq!(bob.send(stale).await.status, 412);
    let eve = hub.member("eve").await;
    assert_eq!(eve.patch(&at, &json!({"name": "Mine"})).await.status, 403);
    assert_eq!(ada.patch(&at, &json!({"archived": true})).await.status, 200, "who runs the space");
    let refused = bob.post(&format!("{at}/messages"), &json!({"body": "x", "client_id": "x"})).await;
    assert_eq!((refused.status, refused.text.contains("archived")), (403, true));
    let listed = done(&eve.get(&format!("/api/v1/spaces/{space}/rooms")).await);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(hub.visitor().get(&at).await.status, 401);
    assert_eq!(hub.visitor().get(&format!("/api/v1/spaces/{space}/rooms")).await.status, 401);
});

hub_test!(async fn messages_are_listed_from_every_side(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let made = room(&ada, &space, "talk", false).await;
    let room = id(&made);
    let mut seqs = Vec::new();
    for number in 1..=5 {
        let message = say(&ada, &room, &format!("m{number}")).await;
        seqs.push(message["seq"].as_i64().unwrap());
        let react = format!("/api/v1/messages/{}/reactions/%F0%9F%8E%89", id(&message));
        assert_eq!(ada.put(&react).await.status, 204, "an event between messages: seqs have gaps");
    }
    assert_eq!(seqs, [1, 3, 5, 7, 9]);
    assert_eq!(texts(&ada, &room, "").await, ["m1", "m2", "m3", "m4", "m5"]);
    assert_eq!(texts(&ada, &room, "?limit=2").await, ["m4", "m5"]);
    assert_eq!(texts(&ada, &room, "?before=7&limit=2").await, ["m2", "m3"]);
    assert_eq!(texts(&ada, &room, "?after=3&limit=2").await, ["m3", "m4"]);
    assert_eq!(texts(&ada, &room, "?around=5&limit=3").await, ["m2", "m3", "m4"]);
    assert_eq!(texts(&ada, &room, "?around=5&limit=1").await, ["m3"]);
    let page = done(&ada.get(&format!("/api/v1/rooms/{room}/messages?limit=2")).await);
    assert_eq!((&page["head"], &page["epoch"]), (&json!(10), &made["epoch"]));
    let back = format!("?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(texts(&ada, &room, &back).await, ["m2", "m3"]);
    for wrong in ["?before=x", "?before=1&after=2", "?limit=0", "?cursor=zzz", "?thread=1", "?roots=maybe", "?after=-1"] {
        assert_eq!(ada.get(&format!("/api/v1/rooms/{room}/messages{wrong}")).await.status, 422, "{wrong}");
    }
});

hub_test!(async fn a_client_id_is_one_message_for_ever(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let (one, two) = (id(&room(&ada, &space, "one", false).await), id(&room(&ada, &space, "two", false).await));
    let at = format!("/api/v1/rooms/{one}/messages");
    let first = ada.post(&at, &json!({"body": "first", "client_id": "c"})).await;
    assert_eq!((first.status, first.header("location")), (201, format!("/api/v1/messages/{}", first.id()).as_str()));
    let again = ada.post(&at, &json!({"body": "other", "client_id": "c"})).await;
    assert_eq!((again.status, again.json()), (200, first.json()), "whatever its body");
    let theirs = bob.post(&at, &json!({"body": "mine", "client_id": "c"})).await;
    assert_eq!((theirs.status, &theirs.json()["body"]), (201, &json!("mine")), "another member's is another message");
    let there = ada.post(&format!("/api/v1/rooms/{two}/messages"), &json!({"body": "there", "client_id": "c"})).await;
    assert_eq!(there.status, 201, "as is one in another room");
    assert_eq!(texts(&ada, &one, "").await, ["first", "mine"]);
    for wrong in [json!({"body": "x"}), json!({"body": "x", "client_id": ""}), json!({"body": "", "client_id": "d"}),
        json!({"body": "x", "client_id": "x".repeat(65)}), json!({"body": "x", "client_id": "a\u{0}b"}),
        json!({"body": "x".repeat(8001), "client_id": "d"}), json!({"body": "x", "client_id": "d", "reply_to": there.id()}),
        json!({"body": "x", "client_id": "d", "reply_to": "nothing"})] {
        assert_eq!(ada.post(&at, &wrong).await.status, 422, "{wrong}");
    }
    // With a key: the same answer, and a conflict for another body.
    let keyed = async |body: &str| {
        let request = ada.request("POST", &at).header("Idempotency-Key", "k").json(&json!({"body": body, "client_id": "e"}));
        ada.send(request).await
    };
    let answer = keyed("keyed").await;
    assert_eq!(answer.status, 201);
    let repeat = keyed("keyed").await;
    assert_eq!((repeat.status, repeat.json()), (201, answer.json()));
    assert_eq!(keyed("changed").await.status, 409);
    assert_eq!(texts(&ada, &one, "").await, ["first", "mine", "keyed"]);
});

hub_test!(async fn threads_hang_on_their_root(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    let root = id(&say(&ada, &room, "root").await);
    let reply = answer_to(&ada, &room, &root, "reply").await;
    let deeper = answer_to(&ada, &room, &id(&reply), "deeper").await;
    say(&ada, &room, "other").await;
    assert_eq!((&deeper["reply_to"], &deeper["thread"]), (&reply["id"], &json!(root)));
    assert_eq!(texts(&ada, &room, "?roots=true").await, ["root", "other"]);
    assert_eq!(texts(&ada, &room, &format!("?thread={root}")).await, ["root", "reply", "deeper"]);
    assert_eq!(texts(&ada, &room, &format!("?thread={root}&limit=2")).await, ["reply", "deeper"]);
    assert_eq!(texts(&ada, &room, &format!("?thread={root}&after=1&limit=1")).await, ["reply"]);
    let elsewhere = ada.post("/api/v1/direct", &json!({"handles": [hub.member("bob").await.handle]})).await.id();
    assert_eq!(texts(&ada, &elsewhere, &format!("?thread={root}")).await, Vec::<String>::new(), "it is not there");
    let at = format!("/api/v1/messages/{root}");
    assert_eq!(done(&ada.get(&at).await)["reply_count"], 2);
    assert_eq!(ada.delete(&format!("/api/v1/messages/{}", id(&deeper))).await.status, 204);
    assert_eq!(done(&ada.get(&at).await)["reply_count"], 1);
});

hub_test!(async fn a_message_is_edited_deleted_pinned_and_purged(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    let message = say(&bob, &room, "one").await;
    let at = format!("/api/v1/messages/{}", id(&message));
    assert_eq!(ada.patch(&at, &json!({"body": "hers"})).await.status, 403, "not even who runs the space");
    let edited = bob.patch(&at, &json!({"body": "two"})).await;
    assert_eq!((edited.status, &edited.json()["body"], edited.header("etag")), (200, &json!("two"), "\"v2\""));
    let stale = bob.request("PATCH", &at).header("If-Match", "\"v1\"").json(&json!({"body": "x"}));
    assert_eq!(bob.send(stale).await.status, 412);
    let history = done(&ada.get(&format!("{at}/revisions")).await);
    let said: Vec<&Value> = history["items"].as_array().unwrap().iter().map(|of| &of["body"]).collect();
    assert_eq!(said, ["two", "one"]);
    assert_eq!(ada.put(&format!("{at}/pin")).await.status, 204);
    let pins = done(&bob.get(&format!("/api/v1/rooms/{room}/pins")).await);
    assert_eq!((&pins["items"][0]["id"], &pins["items"][0]["pinned"]), (&message["id"], &json!(true)));
    assert_eq!(ada.put(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    assert_eq!(ada.put(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    assert_eq!(done(&bob.get(&at).await)["reactions"], json!([{"emoji": "🎉", "count": 1}]));
    assert_eq!(ada.put(&format!("{at}/reactions/no")).await.status, 422);

    let eve = hub.member("eve").await;
    assert_eq!(eve.delete(&at).await.status, 403);
    assert_eq!(ada.delete(&at).await.status, 204, "a moderator");
    let stub = done(&bob.get(&at).await);
    assert_eq!((&stub["deleted"], &stub["body"], &stub["body_html"]), (&json!(true), &json!(""), &json!("")));
    assert_eq!(bob.get(&format!("{at}/revisions")).await.status, 404);
    assert_eq!(done(&ada.get(&format!("{at}/revisions")).await)["items"].as_array().unwrap().len(), 2);
    let purge = async |who: &Client| who.post(&format!("{at}/purge"), &json!({"reason": "a name"})).await.status;
    assert_eq!(purge(&bob).await, 403);
    assert_eq!((purge(&ada).await, purge(&ada).await), (204, 204));
    let history = done(&ada.get(&format!("{at}/revisions")).await);
    assert_eq!(history["items"][0]["body"], "");
    assert_eq!(bob.patch(&at, &json!({"body": "back"})).await.status, 404);
});

hub_test!(async fn reading_counts(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    let at = format!("/api/v1/rooms/{room}");
    assert_eq!(done(&bob.get(&at).await)["mine"], Value::Null);
    assert_eq!(bob.put(&format!("{at}/follow")).await.status, 204);
    say(&ada, &room, "one").await;
    let two = say(&ada, &room, "two").await;
    let mine = async |who: &Client| done(&who.get(&at).await)["mine"].clone();
    assert_eq!((mine(&bob).await["unread"].clone(), mine(&ada).await["unread"].clone()), (json!(2), json!(0)));
    let sidebar = done(&bob.get("/api/v1/rooms").await);
    assert_eq!((&sidebar["items"][0]["mine"]["unread"], &sidebar["items"][0]["head"]), (&json!(2), &json!(2)));
    assert_eq!(put(&bob, &format!("{at}/read"), &json!({"seq": 1})).await, 204);
    assert_eq!(mine(&bob).await["unread"], 1);
    assert_eq!(put(&bob, &format!("{at}/read"), &json!({"seq": 999})).await, 204);
    assert_eq!((mine(&bob).await["unread"].clone(), mine(&bob).await["read_seq"].clone()), (json!(0), two["seq"].clone()));
    assert_eq!(put(&bob, &format!("{at}/read"), &json!({"seq": 1})).await, 204);
    assert_eq!(mine(&bob).await["read_seq"], two["seq"], "never back");
    assert_eq!(put(&bob, &format!("{at}/read"), &json!({"seq": -1})).await, 422);
    say(&bob, &room, "mine").await;
    assert_eq!((mine(&bob).await["unread"].clone(), mine(&ada).await["unread"].clone()), (json!(0), json!(1)));
    let set = bob.patch(&format!("{at}/mine"), &json!({"muted": true, "favourite": true})).await.json();
    assert_eq!((&set["muted"], &set["favourite"]), (&json!(true), &json!(true)));
    assert_eq!(bob.delete(&format!("{at}/follow")).await.status, 204);
    assert_eq!(done(&bob.get("/api/v1/rooms").await)["items"], json!([]));
});

hub_test!(async fn a_private_room_is_for_those_let_in(hub) {
    let rhea = hub.member("rhea").await;
    let (ada, bob, eve) = (hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "open").await;
    let made = room(&bob, &space, "quiet", true).await;
    let at = format!("/api/v1/rooms/{}", id(&made));
    for outside in [&rhea, &ada, &eve] {
        assert_eq!(outside.get(&at).await.status, 404, "{} is not in it", outside.handle);
        assert_eq!(outside.put(&format!("{at}/members/{}", outside.handle)).await.status, 404);
        assert_eq!(done(&outside.get(&format!("/api/v1/spaces/{space}/rooms")).await)["items"], json!([]));
    }
    assert_eq!(bob.put(&format!("{at}/members/eve")).await.status, 204);
    say(&eve, &id(&made), "hello").await;
    assert_eq!(eve.put(&format!("{at}/members/ada")).await.status, 403);
    let names: Vec<Value> = done(&eve.get(&at).await)["members"].as_array().unwrap().iter().map(|of| of["handle"].clone()).collect();
    assert_eq!(names, ["bob", "eve"]);
    assert_eq!(bob.delete(&format!("{at}/members/eve")).await.status, 204);
    assert_eq!(eve.get(&at).await.status, 404);
    let late = eve.post(&format!("{at}/messages"), &json!({"body": "x", "client_id": "x"})).await;
    assert_eq!(late.status, 404);
    assert_eq!(bob.put(&format!("{at}/members/nobody")).await.status, 404);
    // A room of a confidential space is not there for others; leaving the space leaves its rooms.
    let hidden = hub.space(&ada, "confidential").await;
    let inner = room(&ada, &hidden, "inner", true).await;
    let at = format!("/api/v1/rooms/{}", id(&inner));
    assert_eq!(ada.put(&format!("{at}/members/bob")).await.status, 409, "first into the space");
    assert_eq!(bob.get(&format!("/api/v1/spaces/{hidden}/rooms")).await.status, 404);
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{hidden}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{hidden}/join"))).await);
    assert_eq!(ada.put(&format!("{at}/members/bob")).await.status, 204);
    assert_eq!(bob.get(&at).await.status, 200);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{hidden}/leave"))).await);
    assert_eq!(bob.get(&at).await.status, 404);
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{hidden}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{hidden}/join"))).await);
    assert_eq!(bob.get(&at).await.status, 404, "who comes back comes back to open rooms");
});

hub_test!(async fn a_conversation_is_one_for_its_people(hub) {
    let rhea = hub.member("rhea").await;
    let (ada, bob, eve) = (hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let open = async |who: &Client, handles: &[&str]| who.post("/api/v1/direct", &json!({"handles": handles})).await;
    let pair = open(&ada, &["bob"]).await;
    assert_eq!((pair.status, &pair.json()["name"], &pair.json()["space"]), (201, &json!("bob Example"), &Value::Null));
    let back = open(&bob, &["Ada", "bob"]).await;
    assert_eq!((back.status, back.id()), (200, pair.id()));
    let group = open(&ada, &["eve", "bob"]).await;
    assert!(group.status == 201 && group.id() != pair.id());
    for wrong in [vec![], vec!["ada"], vec!["nobody"], vec!["a\u{0}"]] {
        assert_eq!(open(&ada, &wrong).await.status, 422, "{wrong:?}");
    }
    let at = format!("/api/v1/rooms/{}", pair.id());
    say(&ada, &pair.id(), "between us").await;
    assert_eq!((eve.get(&at).await.status, rhea.get(&at).await.status), (404, 404), "nor an administrator");
    assert_eq!(done(&bob.get("/api/v1/direct").await)["items"].as_array().unwrap().len(), 2);
    assert_eq!(bob.put(&format!("{at}/members/eve")).await.status, 409);
    assert_eq!(bob.delete(&format!("{at}/follow")).await.status, 409);
    // A block ends it for both, and nobody is told who did it.
    assert_eq!(bob.put("/api/v1/members/ada/block").await.status, 204);
    for (who, handle) in [(&ada, "bob"), (&bob, "ada")] {
        let refused = who.post(&format!("{at}/messages"), &json!({"body": "x", "client_id": "x"})).await;
        assert_eq!((refused.status, refused.text.contains("You cannot write to each other.")), (403, true));
        assert_eq!(open(who, &[handle]).await.status, 200, "what there is can be read");
    }
    say(&ada, &group.id(), "among others").await;
    assert_eq!(open(&eve, &["ada"]).await.status, 201);
    assert_eq!(eve.put("/api/v1/members/rhea/block").await.status, 204);
    assert_eq!(open(&rhea, &["eve"]).await.status, 403);
    assert_eq!(done(&bob.get("/api/v1/me/blocks").await)["items"][0]["handle"], "ada");
    assert_eq!(bob.delete("/api/v1/members/ada/block").await.status, 204);
    say(&ada, &pair.id(), "again").await;
    assert_eq!(ada.put("/api/v1/members/ada/block").await.status, 409);
});

/// The notices of somebody: kind, who, and how it begins.
async fn told(hub: &TestHub, who: &Client) -> Vec<(String, String, String)> {
    hub.settle().await;
    let page = done(&who.get("/api/v1/notices").await);
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (text(&of["kind"]), text(&of["actor"]["handle"]), text(&of["excerpt"])))
        .collect()
}

fn notice(kind: &str, who: &str, text: &str) -> (String, String, String) {
    (kind.to_owned(), who.to_owned(), text.to_owned())
}

hub_test!(async fn who_is_named_or_written_to_is_told(hub) {
    let (ada, bob, eve) = (hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "private").await;
    done(&ada.send(ada.request("PUT", &format!("/api/v1/spaces/{space}/members/bob")).json(&json!({"role": "member"}))).await);
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{space}/join"))).await);
    let room = id(&room(&ada, &space, "talk", false).await);
    let message = say(&ada, &room, "@bob and @eve: **look**").await;
    assert!(message["body_html"].as_str().unwrap().contains("href=\"/people/bob\""), "{message}");
    assert!(!message["body_html"].as_str().unwrap().contains("/people/eve"), "who cannot read it is no link");
    assert_eq!(told(hub, &bob).await, [notice("mention", "ada", "@bob and @eve: look")]);
    assert_eq!(told(hub, &eve).await, [], "who cannot read it is not told");
    let at = format!("/api/v1/rooms/{room}");
    assert_eq!(done(&bob.get(&at).await)["mine"], json!({"read_seq": 0, "unread": 1, "mentions": 1, "muted": false, "favourite": false}));
    let page = done(&bob.get("/api/v1/notices").await);
    assert_eq!(page["items"][0]["url"], json!(format!("/s/{space}/chat/talk?at=1")));
    assert_eq!(put(&bob, &format!("{at}/read"), &json!({"seq": 1})).await, 204);
    assert_eq!((&done(&bob.get(&at).await)["mine"]["mentions"], &done(&bob.get("/api/v1/notices").await)["items"][0]["read"]), (&json!(0), &json!(true)));

    say(&bob, &room, "@room no").await;
    assert_eq!(told(hub, &ada).await, [], "members name no rooms");
    say(&ada, &room, "@room yes").await;
    assert_eq!(told(hub, &bob).await[0], notice("mention", "ada", "@room yes"));

    let pair = ada.post("/api/v1/direct", &json!({"handles": ["eve"]})).await.id();
    say(&ada, &pair, "psst").await;
    assert_eq!(told(hub, &eve).await, [notice("direct", "ada", "psst")]);
    eve.patch(&format!("/api/v1/rooms/{pair}/mine"), &json!({"muted": true})).await;
    say(&ada, &pair, "hello?").await;
    assert_eq!(told(hub, &eve).await.len(), 1, "muted");
    // What is deleted, or no longer to be read, is no longer shown.
    assert_eq!(ada.delete(&format!("/api/v1/messages/{}", id(&message))).await.status, 204);
    assert_eq!(told(hub, &bob).await[1], notice("mention", "ada", ""));
    done(&bob.send(bob.request("POST", &format!("/api/v1/spaces/{space}/leave"))).await);
    assert_eq!(told(hub, &bob).await[0], notice("mention", "ada", ""));
    let first = done(&bob.get("/api/v1/notices").await)["items"][0].clone();
    assert_eq!(first["url"], "/notices");
    assert_eq!(bob.put(&format!("/api/v1/notices/{}/read", id(&first))).await.status, 204);
    assert_eq!(eve.put(&format!("/api/v1/notices/{}/read", id(&first))).await.status, 404);
    assert_eq!(eve.post("/api/v1/notices/read", &json!({})).await.status, 204);
    assert_eq!(done(&eve.get("/api/v1/notices").await)["items"][0]["read"], true);
});

hub_test!(async fn who_is_blocked_names_nobody(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&ada, &space, "talk", false).await);
    assert_eq!(bob.put("/api/v1/members/ada/block").await.status, 204);
    say(&ada, &room, "@bob").await;
    let topic = hub.topic(&bob, &space, "Bob asks").await;
    hub.reply(&ada, &id(&topic), None, "@bob a reply").await;
    assert_eq!(told(hub, &bob).await, []);
    assert_eq!(bob.delete("/api/v1/members/ada/block").await.status, 204);
    hub.reply(&ada, &id(&topic), None, "another reply").await;
    assert_eq!(told(hub, &bob).await, [notice("reply", "ada", "another reply")]);
});

hub_test!(async fn a_topic_is_made_of_messages(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let room_id = id(&room(&ada, &space, "talk", false).await);
    let (one, two) = (say(&ada, &room_id, "a question").await, say(&bob, &room_id, "an answer").await);
    let wish = json!({"messages": [two["id"], one["id"]], "title": "From [chat]", "kind": "discussion", "tags": ["falls"]});
    let made = bob.post(&format!("/api/v1/rooms/{room_id}/topics"), &wish).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = made.json()["body"].as_str().unwrap().to_owned();
    let (first, second) = (body.find("a question").unwrap(), body.find("an answer").unwrap());
    assert!(first < second && body.contains("@ada") && body.contains(&format!("/s/{space}/chat/talk?at=1")), "{body}");
    let note = done(&ada.get(&format!("/api/v1/rooms/{room_id}/messages?limit=1")).await)["items"][0].clone();
    assert!(note["body_html"].as_str().unwrap().contains(&format!("href=\"/s/{space}/t/{}\">From [chat]</a>", made.id())), "{note}");
    let topics = done(&ada.get(&format!("/api/v1/rooms/{room_id}/topics")).await);
    assert_eq!(topics["items"][0]["id"], made.json()["id"]);
    let quiet = id(&room(&ada, &space, "quiet", true).await);
    let said = say(&ada, &quiet, "secret").await;
    let refused = json!({"messages": [said["id"]], "title": "Out", "kind": "discussion"});
    assert_eq!(ada.post(&format!("/api/v1/rooms/{quiet}/topics"), &refused).await.status, 403);
    assert_eq!(ada.post(&format!("/api/v1/rooms/{room_id}/topics"), &refused).await.status, 422, "not of this room");
});

hub_test!(async fn a_file_is_read_by_those_who_read_its_room(hub) {
    let (ada, bob, eve) = (hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let image = file(&ada).await;
    let at = format!("/api/v1/files/{image}");
    let pair = ada.post("/api/v1/direct", &json!({"handles": ["bob"]})).await.id();
    assert_eq!(bob.get(&at).await.status, 404);
    let message = say(&ada, &pair, &format!("![x](/api/v1/files/{image})")).await;
    assert_eq!((bob.get(&at).await.status, eve.get(&at).await.status, hub.visitor().get(&at).await.status), (200, 404, 404));
    // Whoever shows somebody else's file gives nobody a right to it.
    let space = hub.space(&ada, "open").await;
    let room = id(&room(&bob, &space, "talk", false).await);
    say(&bob, &room, &format!("![x](/api/v1/files/{image})")).await;
    assert_eq!(eve.get(&at).await.status, 404);
    assert_eq!(ada.delete(&format!("/api/v1/messages/{}", id(&message))).await.status, 204);
    assert_eq!(bob.get(&at).await.status, 404);
});
