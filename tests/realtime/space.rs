//! The stream of a space: each event said live, replayed and read again.

use serde_json::{Value, json};

use super::rooms::replayed;
use crate::features::chat::room;
use crate::support::stage::{done, id};
use crate::support::{Socket, hub_test};

/// The fields that an event has, out of what reading shows.
fn same(read: &Value, data: &Value) -> Value {
    let fields = data.as_object().unwrap().keys();
    fields.map(|name| (name.clone(), read[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

hub_test!(async fn a_space_tells_live_what_reading_tells(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let view = done(&ada.get(&format!("/api/v1/spaces/{space}")).await);
    let (stream, mut seq) = (view["stream"].as_str().unwrap().to_owned(), view["head"].as_i64().unwrap());
    let mut live = Socket::open(&ada).await;
    assert_eq!(live.subscribe(&stream, Some(seq), None).await["head"], seq);
    let mut expect = async |kind: &str| {
        seq += 1;
        let event = live.events(1).await.remove(0);
        assert_eq!((&event["event"], &event["seq"]), (&json!(kind), &json!(seq)));
        assert_eq!(replayed(&ada, &stream, seq).await, event, "a replay says what was live");
        event["data"].clone()
    };
    let person = json!({"handle": "bob", "display_name": "bob Example"});

    done(&bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
    assert_eq!(expect("member.joined").await, person);
    let topic = hub.topic(&bob, &space, "Alarms at night").await;
    let data = expect("topic.created").await;
    assert_eq!(data["title"], "Alarms at night");
    let read = done(&ada.get(&format!("/api/v1/topics/{}", id(&topic))).await);
    assert_eq!(same(&read, &data)["id"], data["id"]);
    assert_eq!((&read["author"]["handle"], &read["kind"]), (&data["author"]["handle"], &data["kind"]));
    let made = room(&ada, &space, "talk", false).await;
    let data = expect("room.created").await;
    assert_eq!(same(&done(&ada.get(&format!("/api/v1/rooms/{}", id(&made))).await), &data), data);
    done(&ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"name": "Quiet nights"})).await);
    let data = expect("space.changed").await;
    assert_eq!(data["name"], "Quiet nights");
    assert_eq!(bob.post(&format!("/api/v1/spaces/{space}/leave"), &json!({})).await.status, 200);
    assert_eq!(expect("member.left").await, person);
});

hub_test!(async fn a_private_room_is_not_named_to_the_space(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let view = done(&bob.get(&format!("/api/v1/spaces/{space}")).await);
    let (stream, head) = (view["stream"].as_str().unwrap(), view["head"].as_i64().unwrap());
    let made = room(&ada, &space, "merger", false).await;
    assert_eq!(replayed(&bob, stream, head + 1).await["data"]["slug"], "merger");
    done(&ada.patch(&format!("/api/v1/rooms/{}", id(&made)), &json!({"private": true})).await);
    let told = replayed(&bob, stream, head + 1).await;
    assert_eq!((&told["event"], &told["data"]), (&json!("room.created"), &json!({"id": made["id"]})));
});
