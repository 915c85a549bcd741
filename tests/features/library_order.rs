//! The library over time: collections that have an order, and reviews that come due.

use serde_json::{Value, json};

use super::library::{again, link, titles};
use crate::support::nodes::until;
use crate::support::stage::{done, id};
use crate::support::{Client, hub_test};

const DAY: i64 = 86_400_000_000;

hub_test!(async fn collections_have_an_order(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let other = hub.space(&ada, "open").await;
    let new = json!({"title": "To begin with", "introduction": "Read *these*."});
    let made = bea.post(&format!("/api/v1/spaces/{space}/collections"), &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let at = format!("/api/v1/collections/{}", made.id());
    assert_eq!(made.json(), done(&bea.get(&at).await), "all its fields");
    let mut ids = Vec::new();
    for title in ["A", "B", "C"] {
        let resource = id(&link(&ada, &space, title).await);
        assert_eq!(bea.put(&format!("{at}/resources/{resource}")).await.status, 204);
        assert_eq!(bea.put(&format!("{at}/resources/{resource}")).await.status, 204, "twice is once");
        ids.push(resource);
    }
    let foreign = id(&link(&ada, &other, "D").await);
    assert_eq!(bea.put(&format!("{at}/resources/{foreign}")).await.status, 404);
    let order = |view: &Value| -> String { view["resources"].as_array().unwrap().iter().map(|of| of["title"].as_str().unwrap()).collect() };
    let view = done(&ada.get(&at).await);
    assert_eq!(order(&view), "ABC");
    assert!(view["introduction_html"].as_str().unwrap().contains("<em>these</em>"), "{view}");
    let etag = ada.get(&at).await.header("etag").to_owned();
    let change = bea.request("PATCH", &at).header("If-Match", &etag).json(&json!({"resources": [&ids[2], &ids[0]]}));
    assert_eq!(order(&done(&bea.send(change).await)), "CA");
    let stale = bea.request("PATCH", &at).header("If-Match", &etag).json(&json!({"title": "Lost"}));
    assert_eq!(bea.send(stale).await.status, 412);
    assert_eq!(bea.patch(&at, &json!({"resources": [foreign]})).await.status, 422);
    assert_eq!(bea.patch(&at, &json!({"resources": ["nonsense"]})).await.status, 422);
    // What is deleted is not shown, and has its place when it comes back.
    assert_eq!(ada.delete(&format!("/api/v1/resources/{}", ids[2])).await.status, 204);
    assert_eq!(order(&done(&ada.get(&at).await)), "A");
    assert_eq!(ada.post(&format!("/api/v1/resources/{}/restore", ids[2]), &json!({})).await.status, 204);
    assert_eq!(order(&done(&ada.get(&at).await)), "CA");
    assert_eq!(done(&ada.get(&format!("/api/v1/resources/{}", ids[0])).await)["collections"][0]["title"], "To begin with");
    let cho = hub.member("cho").await;
    assert_eq!(cho.delete(&at).await.status, 403);
    assert_eq!(bea.delete(&at).await.status, 204);
    assert_eq!(ada.get(&at).await.status, 404);
    assert_eq!(ada.get(&format!("/api/v1/resources/{}", ids[0])).await.status, 200);
});

async fn notices(who: &Client) -> Vec<Value> {
    done(&who.get("/api/v1/notices").await)["items"].as_array().unwrap().clone()
}

hub_test!(async fn a_review_that_is_due_is_told_and_queued(hub) {
    let (ada, bea) = (hub.member("ada").await, hub.member("bea").await);
    let space = hub.space(&ada, "open").await;
    let now = hub.clock.now();
    let day = |at: i64| praxis_server::features::library::policy::day(at);
    let body = json!({"url": "https://example.org/", "title": "Pumps", "review_due": day(now + 10 * DAY)});
    let resource = id(&done(&bea.post(&format!("/api/v1/spaces/{space}/resources"), &body).await));
    let queue = async |who: &Client| titles(who, "/api/v1/me/reviews").await;
    assert!(queue(&bea).await.is_empty() && notices(&bea).await.is_empty());
    hub.clock.advance(10 * DAY);
    let (ada, bea) = (again(hub, "ada").await, again(hub, "bea").await);
    until("the owner is told", async || notices(&bea).await.len() == 1).await;
    let told = notices(&bea).await.remove(0);
    assert_eq!((&told["kind"], &told["url"], &told["title"]), (&json!("review"), &json!(format!("/resources/{resource}")), &json!("Pumps")));
    assert_eq!(told["resource"], json!(resource));
    assert_eq!(queue(&bea).await, ["Pumps"]);
    assert_eq!(queue(&ada).await, ["Pumps"], "who runs the space answers for it too");
    assert_eq!(done(&bea.get(&format!("/api/v1/resources/{resource}")).await)["stale"], true);
    // Once it is put off it is due no more, and told again when it is.
    done(&bea.patch(&format!("/api/v1/resources/{resource}"), &json!({"review_due": day(now + 30 * DAY)})).await);
    assert!(queue(&bea).await.is_empty() && notices(&bea).await.is_empty());
    hub.clock.advance(20 * DAY);
    let bea = again(hub, "bea").await;
    until("the owner is told again", async || notices(&bea).await.len() == 1).await;
});
