//! Kept searches: whoever keeps one is told of everything that is new in it, whatever fails meanwhile.

use praxis_server::ports::clock::MINUTE;
use praxis_server::store::Sql;
use serde_json::json;

use super::search::{again, settle};
use crate::support::stage::done;
use crate::support::{TestHub, search_test};

/// Lets six minutes pass, and every kept search be looked at.
async fn look(hub: &TestHub) {
    settle(hub).await;
    hub.clock.advance(6 * MINUTE);
    let state = hub.state();
    let waiting = async || {
        let find = Sql::new("SELECT count(*) AS n FROM saved_search WHERE notify AND checked_at < ");
        find.bind(state.clock.now() - 2 * MINUTE).number(state.store.read()).await.unwrap()
    };
    let looked = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        // The schedule may have come first, and be at it.
        while waiting().await > 0 {
            praxis_server::features::search::run_due(state).await.unwrap();
            crate::support::nodes::a_moment().await;
        }
    });
    assert!(looked.await.is_ok(), "{:?}", state.search.status());
}

/// How many notices of kept searches somebody has.
async fn told(hub: &TestHub, handle: &str) -> usize {
    let notices = done(&again(hub, handle).await.get("/api/v1/notices").await);
    notices["items"].as_array().unwrap().iter().filter(|notice| notice["kind"] == "search").count()
}

search_test!(async fn one_that_fails_stops_no_other_and_loses_nothing(hub) {
    let (ada, bob, cal) = (hub.member("ada").await, hub.member("bob").await, hub.member("cal").await);
    let space = hub.space(&ada, "open").await;
    for who in [&cal, &ada] {
        let kept = who.post("/api/v1/me/searches", &json!({"query": "q=whimbrel&author=bob", "notify": true})).await;
        assert_eq!(kept.status, 201, "{}", kept.text);
    }
    let role = async |word: &'static str| {
        let set = hub.state().store.write(async move |tx| {
            Sql::new("UPDATE member SET hub_role = ").bind(word).then(" WHERE handle = 'cal'").run(tx.conn()).await?;
            Ok(())
        });
        set.await.unwrap();
    };
    // What this one may see cannot be read.
    role("nonsense").await;
    hub.topic(&bob, &space, "A whimbrel").await;
    // As many of her own: what another wrote is news all the same.
    hub.topic(&ada, &space, "My own whimbrel").await;
    look(hub).await;
    assert_eq!(told(hub, "ada").await, 1);
    role("member").await;
    look(hub).await;
    assert_eq!(told(hub, "cal").await, 1, "what came while it failed");
});

search_test!(async fn what_is_found_late_is_news_when_it_is_found(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let kept = ada.post("/api/v1/me/searches", &json!({"query": "q=dunlin", "notify": true})).await;
    assert_eq!(kept.status, 201, "{}", kept.text);
    let made = crate::features::library::file(&bob, &space, "counts.txt", b"A dunlin on the mud.").await;
    hub.settle().await;
    // As if its text had not been taken out yet.
    let id: praxis_server::store::Id = crate::support::stage::id(&made).parse().unwrap();
    let waits = hub.state().store.write(async move |tx| {
        for text in ["DELETE FROM stored_page", "UPDATE stored_file SET text_state = 'waiting', ready_at = NULL"] {
            Sql::new(text).run(tx.conn()).await?;
        }
        tx.index(praxis_server::search::Kind::Resource, id.0);
        Ok(())
    });
    waits.await.unwrap();
    settle(hub).await;
    // The schedule may put it in the queue as soon as the clock moves; then the text is there at once.
    look(hub).await;
    praxis_server::features::library::requeue_waiting(hub.state()).await.unwrap();
    hub.settle().await;
    look(hub).await;
    assert_eq!(told(hub, "ada").await, 1);
});
