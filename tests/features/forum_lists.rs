//! Lists of the forum: filters, tags, bookmarks, pages that stand still, who may see what, mail.

use std::collections::HashSet;

use praxis_server::entities::{mail, member};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Client, TestHub, hub_test};

async fn items(who: &Client, path: &str) -> Vec<Value> {
    let page = who.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    page.json()["items"].as_array().unwrap().clone()
}

async fn titles(who: &Client, path: &str) -> Vec<String> {
    items(who, path).await.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

async fn open_topic(who: &Client, space: &str, title: &str, kind: &str, tags: &[&str]) -> String {
    let body = json!({"title": title, "body": "text", "kind": kind, "tags": tags});
    let answer = who.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.id()
}

hub_test!(async fn lists_are_filtered_and_sorted(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let a = open_topic(&ada, &space, "A", "question", &["x"]).await;
    open_topic(&bob, &space, "B", "idea", &["x", "y"]).await;
    open_topic(&bob, &space, "C", "win", &[]).await;
    let at = format!("/api/v1/spaces/{space}/topics");
    assert_eq!(titles(&ada, &at).await, ["C", "B", "A"]);
    hub.reply(&bob, &a, None, "news").await;
    assert_eq!(titles(&ada, &at).await, ["C", "B", "A"], "the newest opening first");
    assert_eq!(titles(&ada, &format!("{at}?sort=active")).await, ["A", "C", "B"]);
    assert_eq!(titles(&ada, &format!("{at}?sort=top")).await, ["A", "C", "B"]);
    assert_eq!(titles(&ada, &format!("{at}?kind=idea")).await, ["B"]);
    assert_eq!(titles(&ada, &format!("{at}?tag=x")).await, ["B", "A"]);
    assert_eq!(titles(&ada, &format!("{at}?author=bob&tag=x")).await, ["B"]);
    assert_eq!(titles(&ada, &format!("{at}?author=nobody")).await, [""; 0]);
    for sort in ["new", "active", "top"] {
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let page = ada.get(&format!("{at}?sort={sort}&limit=1&cursor={next}")).await.json();
            seen.push(page["items"][0]["title"].as_str().unwrap().to_owned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = cursor.to_owned();
        }
        assert_eq!(seen, titles(&ada, &format!("{at}?sort={sort}")).await, "{sort} by pages of one");
    }
    assert_eq!(items(&ada, "/api/v1/tags?q=x").await, [json!({"name": "x", "count": 2})]);
    let first = ada.get("/api/v1/tags?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(items(&ada, &format!("/api/v1/tags?limit=1&cursor={cursor}")).await, [json!({"name": "y", "count": 1})]);
});

hub_test!(async fn what_one_may_not_see_is_nowhere(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let eve = hub.member("eve").await;
    let private = hub.space(&bob, "private").await;
    let restricted = hub.space(&bob, "restricted").await;
    let hidden = open_topic(&bob, &private, "Hidden", "question", &["secret"]).await;
    let shown = open_topic(&bob, &restricted, "Shown", "question", &["known"]).await;
    let post = hub.reply(&bob, &hidden, None, "inside").await["id"].as_str().unwrap().to_owned();
    for who in [&eve, &hub.visitor()] {
        let denied = if who.handle.is_empty() { 401 } else { 404 };
        for path in [
            format!("/api/v1/topics/{hidden}"),
            format!("/api/v1/topics/{hidden}/posts"),
            format!("/api/v1/posts/{post}"),
            format!("/api/v1/posts/{post}/revisions"),
        ] {
            assert_eq!(who.get(&path).await.status, 404, "{path}");
        }
        assert_eq!(who.put(&format!("/api/v1/posts/{post}/bookmark")).await.status, denied);
        assert_eq!(who.put(&format!("/api/v1/posts/{post}/reactions/%F0%9F%91%8D")).await.status, denied);
        assert_eq!(who.delete(&format!("/api/v1/posts/{post}")).await.status, denied);
        assert_eq!(who.post(&format!("/api/v1/topics/{hidden}/posts"), &json!({"body": "x"})).await.status, denied);
        assert!(!who.get("/api/v1/tags").await.text.contains("secret"));
        assert!(!who.get("/api/v1/topics").await.text.contains("Hidden"));
    }
    assert_eq!(eve.get(&format!("/api/v1/topics/{shown}")).await.status, 200);
    assert_eq!(hub.visitor().get(&format!("/api/v1/topics/{shown}")).await.status, 404);
    assert_eq!(eve.post(&format!("/api/v1/topics/{shown}/posts"), &json!({"body": "x"})).await.status, 403, "reads, does not write");
    let topics = format!("/api/v1/spaces/{restricted}/topics");
    assert_eq!(eve.post(&topics, &json!({"title": "t", "body": "b", "kind": "idea", "tags": []})).await.status, 403);
    assert_eq!(items(&eve, "/api/v1/tags").await, [json!({"name": "known", "count": 1})]);
    drop(ada);
});

hub_test!(async fn bookmarks_are_ones_own(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(&ada, &space, "Keep", "discussion", &[]).await;
    let mut posts = Vec::new();
    for text in ["one", "two", "three"] {
        let post = hub.reply(&ada, &topic, None, text).await["id"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            assert_eq!(bob.put(&format!("/api/v1/posts/{post}/bookmark")).await.status, 204);
        }
        posts.push(post);
    }
    assert_eq!(items(&ada, "/api/v1/me/bookmarks").await.len(), 0);
    let kept = |items: Vec<Value>| items.iter().map(|kept| kept["post"]["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(kept(items(&bob, "/api/v1/me/bookmarks").await), ["three", "two", "one"]);
    let first = bob.get("/api/v1/me/bookmarks?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(kept(items(&bob, &format!("/api/v1/me/bookmarks?limit=2&cursor={cursor}")).await), ["one"]);
    assert_eq!(ada.delete(&format!("/api/v1/posts/{}", posts[1])).await.status, 204);
    assert_eq!(bob.delete(&format!("/api/v1/posts/{}/bookmark", posts[0])).await.status, 204);
    assert_eq!(kept(items(&bob, "/api/v1/me/bookmarks").await), ["three"]);
    assert_eq!(hub.visitor().get("/api/v1/me/bookmarks").await.status, 401);
});

/// Reads all pages of a topic while `between` happens after each.
async fn walk(who: &Client, topic: &str, order: &str, between: impl AsyncFn()) -> Vec<String> {
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = who.get(&format!("/api/v1/topics/{topic}/posts?order={order}&limit=3&cursor={next}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()));
        between().await;
        match page["next_cursor"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => return seen,
        }
        assert!(seen.len() < 200, "no end");
    }
}

hub_test!(async fn pages_stand_still_while_replies_arrive(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(&ada, &space, "Busy", "discussion", &[]).await;
    let mut before = Vec::new();
    for number in 0..10_usize {
        let parent = before.get(number / 2).filter(|_| number % 2 == 1).cloned();
        let post: Value = hub.reply(&ada, &topic, parent.as_deref(), "x").await;
        before.push(post["id"].as_str().unwrap().to_owned());
    }
    let first = before[0].clone();
    for order in ["tree", "time"] {
        let count = std::cell::Cell::new(0);
        let seen = walk(&ada, &topic, order, async || {
            if count.replace(count.get() + 1) < 3 {
                hub.reply(&ada, &topic, Some(&first), "between").await;
            }
        })
        .await;
        let unique: HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{order}: nothing twice");
        assert!(before.iter().all(|post| unique.contains(post)), "{order}: nothing lost");
    }
});

async fn verify(hub: &TestHub, handles: &'static [&'static str]) {
    hub.state()
        .store
        .write(async move |tx| {
            member::Entity::update_many()
                .col_expr(member::Column::EmailVerifiedAt, Expr::value(Some(tx.now())))
                .filter(member::Column::Handle.is_in(handles.iter().copied()))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
        .unwrap();
}

hub_test!(async fn those_concerned_get_mail_once(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let eve = hub.member("eve").await;
    hub.member("zoe").await;
    verify(hub, &["ada", "bob", "eve"]).await;
    let space = hub.space(&ada, "open").await;
    let topic = open_topic(&ada, &space, "Plan", "discussion", &[]).await;
    let post = hub.reply(&bob, &topic, None, "first").await;
    hub.reply(&eve, &topic, post["id"].as_str(), "thanks @bob and @zoe and @eve, see `@ada`").await;
    let private = hub.space(&ada, "private").await;
    let inside = open_topic(&ada, &private, "Inside", "discussion", &[]).await;
    hub.reply(&ada, &inside, None, "not for @bob").await;
    hub.settle().await;
    let mails = mail::Entity::find()
        .filter(mail::Column::Kind.is_in(["reply", "mention"]))
        .all(hub.state().store.read())
        .await
        .unwrap();
    let mut told: Vec<(String, String)> = mails.iter().map(|mail| (mail.to_address.clone(), mail.kind.clone())).collect();
    told.sort();
    let line = |who: &str, kind: &str| (format!("{who}@example.org"), kind.to_owned());
    // Bob's reply tells Ada; Eve's tells Bob, whom it names, and Ada, whose topic it is. Zoe's
    // address is not verified; nobody hears of oneself, or of a space that is shut to them.
    assert_eq!(told, [line("ada", "reply"), line("ada", "reply"), line("bob", "mention")]);
    assert!(mails.iter().any(|mail| mail.subject.contains("Eve") || mail.subject.contains("eve")));
});
