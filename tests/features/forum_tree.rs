//! Depth-first order on one column, against a tree kept the plain way.

use praxis_server::features::forum::tree::{GAP, between};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::hub_test;

/// A topic as the server keeps it: places and depths, in insertion order.
#[derive(Default)]
struct Kept {
    posts: Vec<(i64, i32, usize)>,
    renumbered: usize,
}

impl Kept {
    /// The server's way, with neighbours looked up as its statement does.
    fn reply(&mut self, parent: Option<usize>) {
        let depth = parent.map_or(0, |parent| self.posts[parent].1 + 1);
        let place = loop {
            let after = parent.and_then(|parent| {
                let (at, depth, _) = self.posts[parent];
                self.posts.iter().filter(|post| post.0 > at && post.1 <= depth).map(|post| post.0).min()
            });
            let before = self.posts.iter().map(|post| post.0).filter(|at| after.is_none_or(|after| *at < after)).max();
            match between(before.unwrap_or(0), after) {
                Some(place) => break place,
                None => self.renumber(),
            }
        };
        self.posts.push((place, depth, self.posts.len()));
    }

    fn renumber(&mut self) {
        self.renumbered += 1;
        let mut order: Vec<usize> = (0..self.posts.len()).collect();
        order.sort_by_key(|number| self.posts[*number].0);
        for (rank, number) in order.into_iter().enumerate() {
            self.posts[number].0 = (i64::try_from(rank).unwrap() + 1) * GAP;
        }
    }

    fn order(&self) -> Vec<usize> {
        let mut posts = self.posts.clone();
        posts.sort_by_key(|post| post.0);
        posts.into_iter().map(|post| post.2).collect()
    }
}

fn walk(parents: &[Option<usize>], of: Option<usize>, order: &mut Vec<usize>) {
    for (number, _) in parents.iter().enumerate().filter(|(_, parent)| **parent == of) {
        order.push(number);
        walk(parents, Some(number), order);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_topic_stands_depth_first(choices in prop::collection::vec(any::<prop::sample::Index>(), 1..120)) {
        let (mut kept, mut parents) = (Kept::default(), Vec::new());
        for choice in choices {
            let parent = choice.index(parents.len() + 1).checked_sub(1);
            parents.push(parent);
            kept.reply(parent);
        }
        let mut plain = Vec::new();
        walk(&parents, None, &mut plain);
        prop_assert_eq!(kept.order(), plain);
    }
}

#[test]
fn a_crowded_place_is_numbered_anew_and_stays_in_order() {
    let (mut kept, mut parents) = (Kept::default(), vec![None, None]);
    kept.reply(None);
    kept.reply(None);
    // Every reply to the first goes into the one gap before the second.
    for _ in 0..4000 {
        parents.push(Some(0));
        kept.reply(Some(0));
    }
    assert!(kept.renumbered >= 1, "the gap never filled: the test proves nothing");
    assert!(kept.renumbered <= 3, "{} times is too often", kept.renumbered);
    let mut plain = Vec::new();
    walk(&parents, None, &mut plain);
    assert_eq!(kept.order(), plain);
}

hub_test!(async fn the_store_keeps_the_same_order(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "Tree").await["id"].as_str().unwrap().to_owned();
    let (mut parents, mut ids): (Vec<Option<usize>>, Vec<String>) = (Vec::new(), Vec::new());
    // A fixed, unruly shape: deep chains, wide crowns, late replies to early posts.
    for number in 0..40_usize {
        let parent = (number * 7 + number * number / 3) % (number + 1);
        let parent = parent.checked_sub(1);
        let post: Value = hub.reply(&ada, &topic, parent.map(|parent| ids[parent].as_str()), &number.to_string()).await;
        parents.push(parent);
        ids.push(post["id"].as_str().unwrap().to_owned());
        if number == 20 {
            crowd(hub, &topic).await;
        }
    }
    let mut plain = Vec::new();
    walk(&parents, None, &mut plain);
    let page = ada.get(&format!("/api/v1/topics/{topic}/posts?limit=100")).await.json();
    let order: Vec<usize> =
        page["items"].as_array().unwrap().iter().map(|post| post["body"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(order, plain);
    for post in page["items"].as_array().unwrap() {
        let mut depth = 0;
        let mut at = parents[post["body"].as_str().unwrap().parse::<usize>().unwrap()];
        while let Some(parent) = at {
            depth += 1;
            at = parents[parent];
        }
        assert_eq!(post["depth"], depth);
    }
});

hub_test!(async fn replies_at_once_all_find_their_place(hub) {
    let ada = hub.member("ada").await;
    let bob = hub.member("bob").await;
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "Rush").await["id"].as_str().unwrap().to_owned();
    let first = hub.reply(&ada, &topic, None, "first").await["id"].as_str().unwrap().to_owned();
    let last = hub.reply(&ada, &topic, None, "last").await["id"].as_str().unwrap().to_owned();
    let (who, topic, first) = ([&ada, &bob], &topic, &first);
    let all = (0..40_usize).map(|number| async move {
        let who = who[number % 2];
        hub.reply(who, topic, Some(first), "between").await;
        assert_eq!(who.put(&format!("/api/v1/posts/{first}/reactions/%F0%9F%91%8D")).await.status, 204);
    });
    futures_util::future::join_all(all).await;
    let page = ada.get(&format!("/api/v1/topics/{topic}/posts?limit=100")).await.json();
    let posts = page["items"].as_array().unwrap();
    assert_eq!(posts.len(), 42);
    assert_eq!((posts[0]["id"].as_str(), posts[41]["id"].as_str()), (Some(first.as_str()), Some(last.as_str())));
    assert_eq!((&posts[0]["reply_count"], &posts[0]["reactions"][0]["count"]), (&serde_json::json!(40), &serde_json::json!(2)));
    let ids: Vec<&str> = posts[1..41].iter().map(|post| post["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted(), "siblings oldest first: {ids:?}");
    let view = ada.get(&format!("/api/v1/topics/{topic}")).await.json();
    assert_eq!((&view["post_count"], &view["head"]), (&serde_json::json!(42), &serde_json::json!(44)));
});

/// Takes the room between posts away, so that the next reply numbers the topic anew.
async fn crowd(hub: &crate::support::TestHub, topic: &str) {
    use praxis_server::entities::post;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
    let topic = topic.parse::<praxis_server::store::Id>().unwrap().0;
    hub.state()
        .store
        .write(async move |tx| {
            let ids: Vec<i64> = post::Entity::find()
                .filter(post::Column::TopicId.eq(topic))
                .order_by_asc(post::Column::TreePos)
                .select_only()
                .column(post::Column::Id)
                .into_tuple()
                .all(tx.conn())
                .await?;
            for (place, id) in (0_i64..).zip(ids) {
                post::Entity::update_many()
                    .col_expr(post::Column::TreePos, Expr::value(place))
                    .filter(post::Column::Id.eq(id))
                    .exec(tx.conn())
                    .await?;
            }
            Ok(())
        })
        .await
        .unwrap();
}
