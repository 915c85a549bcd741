//! The stream of a topic: what is live, what is replayed and what is read are the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Client, Db, Socket, TestHub, hub_test};

/// One event of a stream, as somebody who was away gets it.
async fn replayed(who: &Client, stream: &str, seq: i64) -> Value {
    let mut socket = Socket::open(who).await;
    assert_eq!(socket.subscribe(stream, Some(seq - 1), None).await["type"], "subscribed");
    socket.events(1).await.remove(0)
}

/// The replies of a topic as a reader builds them from events alone.
#[derive(Default)]
struct Reader {
    posts: BTreeMap<String, Value>,
}

impl Reader {
    fn take(&mut self, event: &Value) {
        let data = &event["data"];
        match event["event"].as_str().unwrap() {
            "post.created" | "post.edited" | "post.deleted" => {
                self.posts.insert(data["id"].as_str().unwrap().to_owned(), data.clone());
            }
            "reaction.added" | "reaction.removed" => {
                self.posts.get_mut(data["post_id"].as_str().unwrap()).unwrap()["reactions"] = data["reactions"].clone();
            }
            "endorsement.added" | "endorsement.removed" => {
                self.posts.get_mut(data["post_id"].as_str().unwrap()).unwrap()["endorsements"] =
                    data["endorsements"].clone();
            }
            "answer.accepted" | "answer.removed" => {
                self.posts.get_mut(data["post_id"].as_str().unwrap()).unwrap()["is_answer"] = data["is_answer"].clone();
            }
            _ => {}
        }
    }

    /// What is shown, without counts that hang on other posts.
    fn shown(posts: impl Iterator<Item = Value>) -> BTreeMap<String, Value> {
        posts
            .filter(|post| post["deleted"] == false)
            .map(|mut post| {
                for other in ["reply_count", "answer_by"] {
                    post.as_object_mut().unwrap().remove(other);
                }
                (post["id"].as_str().unwrap().to_owned(), post)
            })
            .collect()
    }
}

async fn topic_of(hub: &TestHub, author: &Client) -> (String, String) {
    let space = hub.space(author, "open").await;
    let topic = hub.topic(author, &space, "Live").await;
    (topic["id"].as_str().unwrap().to_owned(), topic["stream"].as_str().unwrap().to_owned())
}

hub_test!(async fn live_replayed_and_read_are_the_same(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let (topic, stream) = topic_of(hub, &ada).await;
    let mut live = Socket::open(&bob).await;
    let answer = live.subscribe(&stream, Some(0), None).await;
    assert_eq!((&answer["type"], &answer["head"]), (&json!("subscribed"), &json!(0)));

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
    let one = hub.reply(&bob, &topic, None, "one").await;
    let created = expect("post.created").await;
    assert_eq!(created["data"], one, "the event carries the answer's object");
    let at = format!("/api/v1/posts/{}", one["id"].as_str().unwrap());
    let two = hub.reply(&ada, &topic, one["id"].as_str(), "two").await;
    expect("post.created").await;
    assert_eq!(bob.patch(&at, &json!({"body": "one, better"})).await.status, 200);
    assert_eq!(expect("post.edited").await["data"]["body"], "one, better");
    assert_eq!(ada.put(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    let event = expect("reaction.added").await;
    assert_eq!(event["data"]["reactions"], json!([{"emoji": "🎉", "count": 1}]));
    assert_eq!((&event["data"]["emoji"], &event["data"]["handle"]), (&json!("🎉"), &json!("ada")));
    assert_eq!(ada.put(&format!("{at}/endorsement")).await.status, 204);
    expect("endorsement.added").await;
    assert_eq!(ada.put(&format!("{at}/answer")).await.status, 204);
    assert_eq!(expect("answer.accepted").await["data"]["answer_ids"], json!([one["id"]]));
    assert_eq!(ada.patch(&format!("/api/v1/topics/{topic}"), &json!({"title": "Livelier"})).await.status, 200);
    assert_eq!(expect("topic.changed").await["data"]["title"], "Livelier");
    assert_eq!(ada.delete(&format!("{at}/reactions/%F0%9F%8E%89")).await.status, 204);
    expect("reaction.removed").await;
    assert_eq!(ada.delete(&format!("/api/v1/posts/{}", two["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(expect("post.deleted").await["data"]["body"], "");

    let read = bob.get(&format!("/api/v1/topics/{topic}/posts")).await.json();
    let read = Reader::shown(read["items"].as_array().unwrap().iter().cloned());
    assert_eq!(Reader::shown(reader.posts.into_values()), read, "events lead to what is read");
    // The same from nothing: a replay of the whole log.
    let mut late = Socket::open(&ada).await;
    late.subscribe(&stream, Some(0), None).await;
    let mut replay = Reader::default();
    for event in late.events(usize::try_from(seq).unwrap()).await {
        replay.take(&event);
    }
    assert_eq!(Reader::shown(replay.posts.into_values()), read);
    let view = bob.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!(view["head"], seq);
    assert_eq!(bob.get(&at).await.json()["is_answer"], true);
});

hub_test!(async fn what_is_deleted_is_not_in_the_log(hub) {
    let ada = hub.member("ada").await;
    let (topic, stream) = topic_of(hub, &ada).await;
    let post = hub.reply(&ada, &topic, None, "a secret word").await;
    assert_eq!(ada.delete(&format!("/api/v1/posts/{}", post["id"].as_str().unwrap())).await.status, 204);
    let created = replayed(&ada, &stream, 1).await;
    assert_eq!((&created["event"], &created["data"]["deleted"]), (&json!("post.created"), &json!(true)));
    assert!(!created.to_string().contains("secret"));
});

hub_test!(async fn a_place_that_cannot_be_served_is_reset(hub) {
    let ada = hub.member("ada").await;
    let (topic, stream) = topic_of(hub, &ada).await;
    hub.reply(&ada, &topic, None, "one").await;
    let view = ada.get(&format!("/api/v1/topics/{topic}")).await.json();
    let epoch = view["epoch"].as_str().unwrap().to_owned();
    let mut socket = Socket::open(&ada).await;
    let answer = socket.subscribe(&stream, Some(1), Some(&epoch)).await;
    assert_eq!((&answer["type"], &answer["epoch"]), (&json!("subscribed"), &json!(epoch)));
    let mut socket = Socket::open(&ada).await;
    assert_eq!(socket.subscribe(&stream, Some(0), Some("another")).await["type"], "reset");
    let mut socket = Socket::open(&ada).await;
    let answer = socket.subscribe(&stream, Some(2), Some(&epoch)).await;
    assert_eq!((&answer["type"], &answer["head"]), (&json!("reset"), &json!(1)));
    hub.reply(&ada, &topic, None, "two").await;
    assert_eq!(socket.events(1).await[0]["seq"], 2, "delivery goes on at the head");
});

hub_test!(async fn who_may_not_read_a_topic_hears_nothing_of_it(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let eve = hub.member("eve").await;
    let private = hub.space(&bob, "private").await;
    let hidden = hub.topic(&bob, &private, "Hidden").await;
    let mut outside = Socket::open(&eve).await;
    let answer = outside.subscribe(hidden["stream"].as_str().unwrap(), None, None).await;
    assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("not_found")));
    let absent = outside.subscribe("topic:0000000000001", None, None).await;
    assert_eq!((&absent["type"], &absent["code"]), (&json!("error"), &json!("not_found")));
    // Losing a topic ends its subscription.
    let (topic, stream) = topic_of(hub, &ada).await;
    assert_eq!(outside.subscribe(&stream, None, None).await["type"], "subscribed");
    assert_eq!(ada.delete(&format!("/api/v1/topics/{topic}")).await.status, 204);
    let lost = outside.next_of("unsubscribed").await;
    assert_eq!((&lost["stream"], &lost["code"]), (&json!(stream), &json!("forbidden")));
});

/// A reader that was away while the hub stopped and started gets what it missed, once.
fn over_a_restart(db: Db) {
    if db == Db::Postgres && std::env::var("PRAXIS_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hub = TestHub::start(db, "over_a_restart", &[]).await;
        let mut ada = hub.member("ada").await;
        let (topic, stream) = topic_of(&hub, &ada).await;
        let mut socket = Socket::open(&ada).await;
        socket.subscribe(&stream, Some(0), None).await;
        hub.reply(&ada, &topic, None, "seen").await;
        let last = socket.events(1).await[0]["seq"].as_i64().unwrap();
        hub.reply(&ada, &topic, None, "missed").await;
        hub.restart().await;
        ada.base.clone_from(&hub.base);
        hub.reply(&ada, &topic, None, "after").await;
        let mut socket = Socket::open(&ada).await;
        assert_eq!(socket.subscribe(&stream, Some(last), None).await["type"], "subscribed");
        let missed = socket.events(2).await;
        let told: Vec<_> =
            missed.iter().map(|event| (event["seq"].as_i64().unwrap(), event["data"]["body"].clone())).collect();
        assert_eq!(told, [(last + 1, json!("missed")), (last + 2, json!("after"))]);
        hub.finish().await;
    });
}

#[test]
fn a_reader_comes_back_after_a_restart_on_sqlite() {
    over_a_restart(Db::Sqlite);
}

#[test]
fn a_reader_comes_back_after_a_restart_on_postgres() {
    over_a_restart(Db::Postgres);
}
