//! The forum by its API: topics and replies, answers, endorsements, reactions, history.

use serde_json::{Value, json};

use crate::support::{Client, TestHub, hub_test};

/// A new topic's address and its id.
async fn open_topic(hub: &TestHub, author: &Client, space: &str, title: &str) -> String {
    hub.topic(author, space, title).await["id"].as_str().unwrap().to_owned()
}

async fn bodies(who: &Client, topic: &str, order: &str) -> Vec<String> {
    let page = who.get(&format!("/api/v1/topics/{topic}/posts?limit=100&order={order}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.json()["items"].as_array().unwrap().iter().map(|post| post["body"].as_str().unwrap().to_owned()).collect()
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

hub_test!(async fn a_topic_is_opened_answered_and_read(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let body = json!({"title": "Which model?", "body": "Ask **@bob**, not @nobody.", "kind": "question", "tags": ["NLP", "triage"]});
    let made = bob.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let topic = made.json();
    assert_eq!(made.header("location"), format!("/api/v1/topics/{}", id(&topic)));
    assert_eq!(topic["tags"], json!(["nlp", "triage"]));
    assert_eq!(topic["post_count"], 0);
    assert!(topic["body_html"].as_str().unwrap().contains("href=\"/people/bob\""), "{}", topic["body_html"]);
    assert!(!topic["body_html"].as_str().unwrap().contains("/people/nobody"));
    let read = hub.visitor().get(&format!("/api/v1/topics/{}", id(&topic))).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(read.json(), topic, "what was answered is what is read");

    let first = hub.reply(&ada, id(&topic), None, "One").await;
    assert_eq!((&first["depth"], &first["parent_id"]), (&json!(0), &Value::Null));
    let under = hub.reply(&bob, id(&topic), Some(id(&first)), "One, one").await;
    assert_eq!((&under["depth"], &under["parent_id"]), (&json!(1), &first["id"]));
    let opening = topic["first_post_id"].as_str().unwrap();
    let second = hub.reply(&ada, id(&topic), Some(opening), "Two").await;
    assert_eq!((&second["depth"], &second["parent_id"]), (&json!(0), &Value::Null), "the opening is no parent");
    hub.reply(&ada, id(&topic), Some(id(&first)), "One, two").await;
    assert_eq!(bodies(&bob, id(&topic), "tree").await, ["One", "One, one", "One, two", "Two"]);
    assert_eq!(bodies(&bob, id(&topic), "time").await, ["One", "One, one", "Two", "One, two"]);
    let now = bob.get(&format!("/api/v1/topics/{}", id(&topic))).await;
    assert_eq!(now.json()["post_count"], 4);
    assert_eq!(now.header("etag"), made.header("etag"), "replies leave the ETag alone");
    let one = bob.get(&format!("/api/v1/posts/{}", id(&under))).await;
    assert_eq!(one.json(), under);
    assert_eq!(bob.get(&format!("/api/v1/posts/{opening}")).await.json()["body"], topic["body"]);
});

hub_test!(async fn bad_input_names_its_fields_and_leaves_nothing(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topics = format!("/api/v1/spaces/{space}/topics");
    let with = |title: &str, body: &str, kind: &str, tags: Value| json!({"title": title, "body": body, "kind": kind, "tags": tags});
    for (wrong, field) in [
        (with("", "text", "question", json!([])), "title"),
        (with(&"x".repeat(201), "text", "question", json!([])), "title"),
        (with("t", &"x".repeat(60_001), "question", json!([])), "body"),
        (with("t", "text", "riddle", json!([])), "kind"),
        (with("t", "text", "idea", json!(["a b"])), "tags"),
        (with("t", "text", "idea", json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"])), "tags"),
    ] {
        let answer = ada.post(&topics, &wrong).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert_eq!(answer.json()["errors"][0]["field"], field, "{}", answer.text);
    }
    assert_eq!(ada.get(&topics).await.json()["items"], json!([]));
    let topic = open_topic(hub, &ada, &space, "Fine").await;
    let other = hub.topic(&ada, &space, "Other").await;
    let stray = hub.reply(&ada, id(&other), None, "elsewhere").await;
    for parent in [json!(stray["id"]), json!("0000000000000"), json!("not an id")] {
        let answer = ada.post(&format!("/api/v1/topics/{topic}/posts"), &json!({"body": "x", "parent_id": parent})).await;
        assert_eq!(answer.status, 422, "{parent}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["field"], "parent_id");
    }
    for query in ["order=up", "limit=0", "limit=101", "cursor=!", "cursor=0000000000001"] {
        assert_eq!(ada.get(&format!("/api/v1/topics/{topic}/posts?{query}")).await.status, 422, "{query}");
    }
    for query in ["sort=odd", "state=odd", "kind=odd", "cursor=%21"] {
        assert_eq!(ada.get(&format!("{topics}?{query}")).await.status, 422, "{query}");
    }
    assert_eq!(ada.get("/api/v1/topics/zzz").await.status, 404);
    assert_eq!(ada.get("/api/v1/posts/0000000000000").await.status, 404);
});

hub_test!(async fn several_answers_are_accepted_by_who_asked(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let eve = hub.member("eve").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(hub, &bob, &space, "How").await;
    let one = hub.reply(&eve, &topic, None, "So").await;
    let two = hub.reply(&ada, &topic, None, "Or so").await;
    let unanswered = format!("/api/v1/spaces/{space}/topics?state=unanswered");
    assert_eq!(ada.get(&unanswered).await.json()["items"].as_array().unwrap().len(), 1);
    let answer = |post: &Value| format!("/api/v1/posts/{}/answer", id(post));
    assert_eq!(eve.put(&answer(&one)).await.status, 403, "not the asker");
    assert_eq!(bob.put(&answer(&one)).await.status, 204);
    assert_eq!(bob.put(&answer(&one)).await.status, 204, "again is the same");
    assert_eq!(ada.put(&answer(&two)).await.status, 204, "who runs the space may too");
    let view = bob.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!(view["answer_ids"], json!([one["id"], two["id"]]));
    assert_eq!(view["answer_count"], 2);
    let post = bob.get(&format!("/api/v1/posts/{}", id(&one))).await.json();
    assert_eq!((&post["is_answer"], &post["answer_by"]), (&json!(true), &json!("bob")));
    assert_eq!(ada.get(&unanswered).await.json()["items"], json!([]));
    assert_eq!(ada.get("/api/v1/topics?state=answered").await.json()["items"][0]["id"], json!(topic));
    let opening = view["first_post_id"].as_str().unwrap();
    assert_eq!(bob.put(&format!("/api/v1/posts/{opening}/answer")).await.status, 409);
    assert_eq!(bob.delete(&answer(&one)).await.status, 204);
    assert_eq!(bob.delete(&answer(&one)).await.status, 204);
    assert_eq!(eve.delete(&format!("/api/v1/posts/{}", id(&two))).await.status, 403);
    assert_eq!(ada.delete(&format!("/api/v1/posts/{}", id(&two))).await.status, 204, "an answer that is deleted answers nothing");
    let view = bob.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!((&view["answer_ids"], &view["answer_count"], &view["post_count"]), (&json!([]), &json!(0), &json!(1)));
});

hub_test!(async fn reactions_and_endorsements_count_once(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(hub, &bob, &space, "Look").await;
    let post = hub.reply(&bob, &topic, None, "Here").await;
    let at = format!("/api/v1/posts/{}", id(&post));
    for _ in 0..2 {
        assert_eq!(ada.put(&format!("{at}/reactions/%F0%9F%91%8D")).await.status, 204);
    }
    assert_eq!(bob.put(&format!("{at}/reactions/%F0%9F%91%8D")).await.status, 204);
    // A heart with and without its variation selector is one emoji.
    assert_eq!(bob.put(&format!("{at}/reactions/%E2%9D%A4")).await.status, 204);
    assert_eq!(ada.put(&format!("{at}/reactions/%E2%9D%A4%EF%B8%8F")).await.status, 204);
    let view = ada.get(&at).await.json();
    assert_eq!(view["reactions"], json!([{"emoji": "👍", "count": 2}, {"emoji": "❤️", "count": 2}]));
    assert_eq!(ada.delete(&format!("{at}/reactions/%F0%9F%91%8D")).await.status, 204);
    assert_eq!(ada.delete(&format!("{at}/reactions/%F0%9F%91%8D")).await.status, 204);
    assert_eq!(ada.get(&at).await.json()["reactions"][0], json!({"emoji": "👍", "count": 1}));
    for wrong in ["x", "12", "%F0%9F%91%8D%F0%9F%91%8D", "%3Cb%3E"] {
        assert_eq!(ada.put(&format!("{at}/reactions/{wrong}")).await.status, 422, "{wrong}");
    }
    assert_eq!(bob.put(&format!("{at}/endorsement")).await.status, 403, "not one's own");
    assert_eq!(ada.put(&format!("{at}/endorsement")).await.status, 204);
    assert_eq!(ada.put(&format!("{at}/endorsement")).await.status, 204);
    let view = ada.get(&at).await.json();
    let endorsements = view["endorsements"].as_array().unwrap();
    assert_eq!(endorsements.len(), 1);
    assert_eq!((&endorsements[0]["handle"], &endorsements[0]["role"]), (&json!("ada"), &json!("administrator")));
    assert!(endorsements[0]["discipline"].is_string());
    assert_eq!(ada.delete(&format!("{at}/endorsement")).await.status, 204);
    assert_eq!(ada.get(&at).await.json()["endorsements"], json!([]));
    assert_eq!(hub.visitor().put(&format!("{at}/endorsement")).await.status, 401);
});

hub_test!(async fn editing_keeps_what_was_said(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let made = hub.topic(&bob, &space, "First title").await;
    let topic = format!("/api/v1/topics/{}", id(&made));
    let old = bob.get(&topic).await.header("etag").to_owned();
    let change = async |etag: &str, body: Value| bob.send_later(&topic, etag, body).await;
    let done = change(&old, json!({"title": "Second title", "tags": ["b", "a"]})).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_ne!(done.header("etag"), old);
    assert_eq!((&done.json()["title"], &done.json()["tags"]), (&json!("Second title"), &json!(["a", "b"])));
    assert_eq!(done.json()["body"], made["body"], "what is absent stays");
    assert_eq!(change(&old, json!({"title": "Third"})).await.status, 412);
    let same = change(done.header("etag"), json!({"title": "Second title"})).await;
    assert_eq!(same.header("etag"), done.header("etag"), "no change is no new version");
    let third = change(done.header("etag"), json!({"body": "Other words.", "note": "clearer"})).await;
    assert_eq!((third.status, &third.json()["body"]), (200, &json!("Other words.")));
    assert!(third.json()["edited_at"].is_string());

    let history = bob.get(&format!("/api/v1/posts/{}/revisions", made["first_post_id"].as_str().unwrap())).await.json();
    let states = history["items"].as_array().unwrap();
    assert_eq!(states.iter().map(|state| state["number"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!((&states[0]["body"], &states[0]["note"]), (&json!("Other words."), &json!("clearer")));
    assert_eq!((&states[1]["title"], &states[1]["tags"]), (&json!("Second title"), &json!(["a", "b"])));
    assert_eq!((&states[2]["title"], &states[2]["body"]), (&json!("First title"), &made["body"]));

    let post = hub.reply(&bob, id(&made), None, "Reply").await;
    let at = format!("/api/v1/posts/{}", id(&post));
    assert_eq!(bob.get(&format!("{at}/revisions")).await.json()["items"].as_array().unwrap().len(), 1);
    let etag = bob.get(&at).await.header("etag").to_owned();
    assert_eq!(hub.member("eve").await.patch(&at, &json!({"body": "Mine"})).await.status, 403);
    let edited = ada.patch(&at, &json!({"body": "Moderated"})).await;
    assert_eq!((edited.status, &edited.json()["body"]), (200, &json!("Moderated")));
    let stale = bob.send(bob.request("PATCH", &at).header("If-Match", &etag).json(&json!({"body": "Late"}))).await;
    assert_eq!(stale.status, 412);
    let states = bob.get(&format!("{at}/revisions")).await.json();
    assert_eq!((&states["items"][0]["editor"], &states["items"][1]["editor"]), (&json!("ada"), &json!("bob")));
    let tags = bob.get("/api/v1/tags").await.json();
    assert_eq!(tags["items"], json!([{"name": "a", "count": 1}, {"name": "b", "count": 1}]));
});

hub_test!(async fn a_deleted_post_is_a_stub_while_something_hangs_on_it(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(hub, &bob, &space, "Tree").await;
    let top = hub.reply(&bob, &topic, None, "top").await;
    let mid = hub.reply(&ada, &topic, Some(id(&top)), "mid").await;
    let low = hub.reply(&bob, &topic, Some(id(&mid)), "low").await;
    let at = |post: &Value| format!("/api/v1/posts/{}", id(post));
    assert_eq!(bob.delete(&at(&mid)).await.status, 403);
    assert_eq!(bob.delete(&at(&top)).await.status, 204);
    assert_eq!(ada.delete(&at(&mid)).await.status, 204);
    assert_eq!(bodies(&bob, &topic, "tree").await, ["", "", "low"], "stubs without texts");
    let stub = hub.visitor().get(&at(&top)).await.json();
    assert_eq!((&stub["deleted"], &stub["body"], &stub["body_html"]), (&json!(true), &json!(""), &json!("")));
    assert_eq!(bob.get(&format!("{}/revisions", at(&top))).await.status, 404);
    assert_eq!(bob.patch(&at(&top), &json!({"body": "back"})).await.status, 404);
    assert_eq!(bob.delete(&at(&low)).await.status, 204);
    assert_eq!(bodies(&bob, &topic, "tree").await, [""; 0], "with the last one the stubs go");
    assert_eq!(bob.get(&at(&low)).await.status, 404);
    assert_eq!(bob.get(&format!("/api/v1/topics/{topic}")).await.json()["post_count"], 0);
    assert_eq!(bob.post(&format!("{}/restore", at(&low)), &json!({})).await.status, 404);
    let late = hub.reply(&ada, &topic, Some(id(&low)), "late").await;
    assert_eq!(bodies(&bob, &topic, "tree").await, ["", "", "", "late"], "a reply brings the stubs back");
    assert_eq!(ada.delete(&at(&late)).await.status, 204);
    assert_eq!(ada.post(&format!("{}/restore", at(&mid)), &json!({})).await.status, 204);
    assert_eq!(bodies(&bob, &topic, "tree").await, ["", "mid"]);
    assert_eq!(bob.post(&format!("{}/restore", at(&mid)), &json!({})).await.status, 403);
    assert_eq!(bob.get(&format!("/api/v1/topics/{topic}")).await.json()["post_count"], 1);
});

hub_test!(async fn a_topic_is_deleted_by_its_author_until_others_reply(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let alone = open_topic(hub, &bob, &space, "Alone").await;
    hub.reply(&bob, &alone, None, "only me").await;
    let busy = open_topic(hub, &bob, &space, "Busy").await;
    hub.reply(&ada, &busy, None, "not only you").await;
    assert_eq!(bob.delete(&format!("/api/v1/topics/{busy}")).await.status, 403);
    assert_eq!(bob.delete(&format!("/api/v1/topics/{alone}")).await.status, 204);
    for path in ["", "/posts"] {
        assert_eq!(bob.get(&format!("/api/v1/topics/{alone}{path}")).await.status, 404);
        assert_eq!(hub.visitor().get(&format!("/api/v1/topics/{alone}{path}")).await.status, 404);
    }
    assert_eq!(bob.post(&format!("/api/v1/topics/{alone}/posts"), &json!({"body": "x"})).await.status, 404);
    let listed = bob.get(&format!("/api/v1/spaces/{space}/topics")).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(bob.get(&format!("/api/v1/spaces/{space}")).await.json()["topic_count"], 1);
    assert_eq!(bob.post(&format!("/api/v1/topics/{alone}/restore"), &json!({})).await.status, 404);
    assert_eq!(ada.post(&format!("/api/v1/topics/{alone}/restore"), &json!({})).await.status, 204);
    assert_eq!(bob.get(&format!("/api/v1/topics/{alone}")).await.json()["post_count"], 1);
    // The opening text goes with its topic.
    let opening = bob.get(&format!("/api/v1/topics/{alone}")).await.json()["first_post_id"].as_str().unwrap().to_owned();
    assert_eq!(bob.delete(&format!("/api/v1/posts/{opening}")).await.status, 204);
    assert_eq!(bob.get(&format!("/api/v1/topics/{alone}")).await.status, 404);
});

hub_test!(async fn closed_topics_and_archived_spaces_take_no_replies(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(hub, &bob, &space, "Done").await;
    let closed = format!("/api/v1/topics/{topic}/closed");
    let replies = format!("/api/v1/topics/{topic}/posts");
    assert_eq!(hub.member("eve").await.put(&closed).await.status, 403);
    assert_eq!(bob.put(&closed).await.status, 204);
    assert_eq!(ada.post(&replies, &json!({"body": "late"})).await.status, 403);
    assert_eq!(ada.get("/api/v1/topics?state=closed").await.json()["items"][0]["closed"], true);
    assert_eq!(bob.delete(&closed).await.status, 204);
    assert_eq!(ada.put(&closed).await.status, 204);
    assert_eq!(bob.delete(&closed).await.status, 403, "a moderator closed it");
    assert_eq!(ada.delete(&closed).await.status, 204);
    assert_eq!(bob.put(&format!("/api/v1/topics/{topic}/pin")).await.status, 403);
    assert_eq!(ada.put(&format!("/api/v1/topics/{topic}/pin")).await.status, 204);
    assert_eq!(bob.get(&format!("/api/v1/topics/{topic}")).await.json()["pinned"], true);
    let archived = ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"archived": true})).await;
    assert_eq!(archived.status, 200, "{}", archived.text);
    assert_eq!(bob.post(&replies, &json!({"body": "late"})).await.status, 403);
    assert_eq!(bob.patch(&format!("/api/v1/topics/{topic}"), &json!({"title": "x"})).await.status, 403);
    assert_eq!(bob.get(&replies).await.status, 200);
});

hub_test!(async fn a_key_makes_one_reply_however_often_it_is_sent(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(hub, &ada, &space, "Once").await;
    let path = format!("/api/v1/topics/{topic}/posts");
    let send = |text: &str| ada.send(ada.request("POST", &path).header("Idempotency-Key", "k1").json(&json!({"body": text})));
    let (first, again) = (send("once").await, send("once").await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.text.clone(), first.header("location")), (again.text.clone(), again.header("location")));
    assert_eq!(send("other").await.status, 409);
    assert_eq!(bodies(&ada, &topic, "tree").await, ["once"]);
    let path = format!("/api/v1/spaces/{space}/topics");
    let body = json!({"title": "T", "body": "b", "kind": "idea", "tags": []});
    let send = || ada.send(ada.request("POST", &path).header("Idempotency-Key", "k1").json(&body));
    assert_eq!(send().await.id(), send().await.id());
});

impl Client {
    /// A change with `If-Match`.
    async fn send_later(&self, path: &str, etag: &str, body: Value) -> crate::support::Answer {
        self.send(self.request("PATCH", path).header("If-Match", etag).json(&body)).await
    }
}
