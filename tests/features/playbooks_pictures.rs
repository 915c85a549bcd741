//! Pictures of studies, and what a study takes over from talk.

use serde_json::json;

use super::playbooks::{at, playbook, put, step, study};
use crate::support::stage::{done, file, id};
use crate::support::{Client, hub_test};

hub_test!(async fn pictures_are_kept_and_read_with_what_shows_them(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let url = |file: &str| format!("/api/v1/files/{file}");
    let shown = |file: &str| format!("![A chart]({})", url(file));
    // In an introduction, a scenario's step and a comment.
    let (intro, stepped, said) = (file(&bob).await, file(&bob).await, file(&bob).await);
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"introduction": shown(&intro)})).await);
    done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "x", "steps": [shown(&stepped)]})).await);
    let slug = study(&ada, "Pictured", "reads").await;
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&bob.post(&format!("{}/comments", at(&slug)), &json!({"part": "aim", "body": shown(&said)})).await);
    assert_eq!((hub.visitor().get(&url(&intro)).await.status, hub.visitor().get(&url(&stepped)).await.status), (200, 200));
    assert_eq!((ada.get(&url(&said)).await.status, eve.get(&url(&said)).await.status), (200, 404), "between authors and reviewers");
    // In a draft, for as long as it takes.
    let (typed, idle) = (file(&ada).await, file(&ada).await);
    done(&put(&ada, &format!("{}/parts/aim/draft", at(&slug)), &json!({"body": shown(&typed), "base_version": 0})).await);
    hub.clock.advance(3 * praxis_server::ports::clock::DAY);
    praxis_server::features::people::remove_unused_files(hub.state()).await.unwrap();
    let ada = Client::sign_in(&hub.base, "ada").await;
    assert_eq!((ada.get(&url(&typed)).await.status, ada.get(&url(&idle)).await.status), (200, 404));
    // Words are asked for wherever readers see it.
    let bare = format!("![]({})", url(&intro));
    let bob = Client::sign_in(&hub.base, "bob").await;
    let csrf = bob.page("/playbooks").await.csrf();
    let with = |request: reqwest::RequestBuilder| request.header("Origin", &hub.base).header("X-CSRF-Token", &csrf);
    for (method, path, body) in [
        ("PATCH", "/api/v1/playbooks/reads".to_owned(), json!({"introduction": bare})),
        ("POST", "/api/v1/playbooks/reads/scenarios".into(), json!({"title": "x", "steps": [bare]})),
        ("POST", "/api/v1/playbooks/reads/scenarios".into(), json!({"title": "x", "description": bare})),
        ("POST", "/api/v1/case-studies".into(), json!({"title": "x", "parts": {"costs": {"body": "", "fields": {"bought": bare}}}})),
    ] {
        let answer = bob.send(with(bob.request(method, &path).json(&body))).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        assert!(answer.text.contains("alternative text"), "{}", answer.text);
    }
    hub.settle().await;
});

hub_test!(async fn pictures_of_talk_are_read_with_the_study_that_it_became(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let space = hub.space(&ada, "private").await;
    let (shown, other) = (file(&ada).await, file(&ada).await);
    let url = |file: &str| format!("/api/v1/files/{file}");
    let body = format!("Look:\n\n![ ]({})\n\n![][one]\n\n[one]: {}", url(&shown), url(&shown));
    let topic = json!({"title": "Seen", "body": body, "kind": "question", "tags": []});
    let topic = id(&done(&ada.post(&format!("/api/v1/spaces/{space}/topics"), &topic).await));
    hub.reply(&ada, &topic, None, &format!("![Another]({})", url(&other))).await;
    let made = done(&ada.post("/api/v1/case-studies/from-topic", &json!({"topic_id": topic, "playbook": "reads", "confirmed": true})).await);
    let slug = made["slug"].as_str().unwrap().to_owned();
    let text = made["parts"]["challenge"]["body"].as_str().unwrap();
    assert_eq!(text.matches("describe what it shows").count(), 2, "{text}");
    assert_eq!(eve.get(&url(&shown)).await.status, 404);
    let summary = json!({"summary": "We looked.", "measures": [{"name": "x", "after": 1}]});
    done(&ada.patch(&at(&slug), &summary).await);
    done(&ada.patch(&format!("{}/parts/outcomes", at(&slug)), &json!({"body": "Better.", "measures": [{"name": "x", "after": 1}]})).await);
    done(&ada.patch(&format!("{}/parts/what_we_did", at(&slug)), &json!({"body": "We looked."})).await);
    done(&ada.patch(&format!("{}/parts/lessons_learned", at(&slug)), &json!({"body": "Look first."})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    assert_eq!((bob.get(&url(&shown)).await.status, eve.get(&url(&shown)).await.status), (200, 404), "its reviewer sees what he judges");
    done(&step(&bob, &slug, "publish", &json!({})).await);
    let visitor = hub.visitor();
    assert_eq!((visitor.get(&url(&shown)).await.status, visitor.get(&url(&other)).await.status), (200, 404), "and no more than it shows");
    hub.settle().await;
});

hub_test!(async fn talk_that_has_no_room_is_told_and_its_people_credited(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "open").await;
    let topic = id(&hub.topic(&ada, &space, "Long").await);
    for who in [&bob, &eve] {
        done(&who.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
        hub.reply(who, &topic, None, &"A long sentence of many words. ".repeat(1_200)).await;
    }
    let made = done(&ada.post("/api/v1/case-studies/from-topic", &json!({"topic_id": topic})).await);
    let text = made["parts"]["what_we_did"]["body"].as_str().unwrap();
    assert!(text.starts_with("> @bob") && text.ends_with("*1 more passage had no room here; it is where this was said.* (@eve)"), "{}", &text[text.len() - 200..]);
    let credited: Vec<&str> = made["credited"].as_array().unwrap().iter().map(|who| who["handle"].as_str().unwrap()).collect();
    assert_eq!(credited, ["bob", "eve"]);
    hub.settle().await;
});
