//! The sample content: once, on an empty hub, and nobody of it signs in.

use praxis_server::entities::kinds::{Discipline, MemberState, TopicKind, Visibility};
use praxis_server::entities::{member, post, space, space_member, topic};
use praxis_server::features::demo;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::imports::praxis;
use crate::support::hub_test;

hub_test!(async fn it_fills_an_empty_hub_once(hub) {
    let output = praxis(hub, &["demo"]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("14 invented members, 4 spaces, 24 topics"), "{said}");
    let again = praxis(hub, &["demo"]).await;
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&again.stderr).lines().count(), 1);

    let db = hub.state().store.read();
    let members = member::Entity::find().all(db).await.unwrap();
    for discipline in Discipline::ALL {
        assert!(members.iter().any(|of| of.discipline == *discipline), "{discipline}");
    }
    assert!(members.iter().all(|of| of.state == MemberState::Active && of.password_hash.is_none() && of.email.is_none()));
    let topics = topic::Entity::find().all(db).await.unwrap();
    for kind in TopicKind::ALL {
        assert!(topics.iter().any(|of| of.kind == *kind), "{kind}");
    }
    let spaces = space::Entity::find().all(db).await.unwrap();
    for visibility in [Visibility::Open, Visibility::Restricted, Visibility::Private] {
        assert!(spaces.iter().any(|of| of.visibility == visibility), "{visibility}");
    }
    for of in &spaces {
        let belong = space_member::Entity::find().filter(space_member::Column::SpaceId.eq(of.id)).count(db).await.unwrap();
        assert_eq!(i64::from(of.member_count), i64::try_from(belong).unwrap());
        assert_eq!(usize::try_from(of.topic_count).unwrap(), topics.iter().filter(|topic| topic.space_id == of.id).count());
        assert!(!of.pinned_html.is_empty());
    }
});

hub_test!(async fn its_threads_are_counted_and_in_order(hub) {
    demo::fill(hub.state()).await.unwrap();
    let db = hub.state().store.read();
    let now = hub.state().clock.now();
    for of in topic::Entity::find().all(db).await.unwrap() {
        let find = post::Entity::find().filter(post::Column::TopicId.eq(of.id)).order_by_asc(post::Column::TreePos);
        let posts = find.all(db).await.unwrap();
        assert_eq!(posts[0].id, of.first_post_id);
        assert_eq!(usize::try_from(of.post_count).unwrap(), posts.len() - 1);
        let answers = posts.iter().filter(|post| post.answer_at.is_some()).count();
        assert_eq!(usize::try_from(of.answer_count).unwrap(), answers);
        assert_eq!(of.activity_at, posts.iter().map(|post| post.created_at).max().unwrap());
        assert!(of.activity_at < now, "{}", of.title);
        for pair in posts.windows(2) {
            assert!(pair[1].depth <= pair[0].depth + 1, "{}", of.title);
            if pair[1].depth == pair[0].depth + 1 && pair[1].depth > 0 {
                assert_eq!(pair[1].parent_id, Some(pair[0].id));
            }
        }
        for post in &posts {
            let below = posts.iter().filter(|other| other.parent_id == Some(post.id)).count();
            assert_eq!(usize::try_from(post.reply_count).unwrap(), below, "{}", of.title);
        }
    }
});

hub_test!(async fn nobody_of_it_signs_in_and_the_setup_link_stays(hub) {
    demo::fill(hub.state()).await.unwrap();
    let answer = hub.visitor().post("/api/v1/auth/login", &json!({"login": "amina", "password": "correct-horse"})).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    let link = praxis_server::features::accounts::setup_link(hub.state()).await.unwrap();
    assert!(link.is_some_and(|link| link.contains("/setup?token=")));
    // The first who registers on this machine still becomes the administrator.
    let ada = hub.member("ada").await;
    let me = ada.get("/api/v1/me").await.json();
    assert_eq!(me["role"], "administrator");
    let found = ada.get("/api/v1/members?q=amina").await;
    assert_eq!(found.json()["items"][0]["handle"], "amina", "{}", found.text);
});
