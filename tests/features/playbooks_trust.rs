//! Endorsements, the register, following, discussion, from talk to page, figures, reminders, and
//! how many queries it takes.

use praxis_server::ports::clock::{DAY, HOUR};
use sea_orm::{ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};

use super::playbooks::{playbook, published, put, step, study, whole};
use crate::support::stage::{done, file, id};
use crate::support::{Answer, Client, TestHub, hub_test};

fn at(slug: &str) -> String {
    format!("/api/v1/case-studies/{slug}")
}

async fn kinds(who: &Client) -> Vec<String> {
    let page = done(&who.get("/api/v1/notices").await);
    page["items"].as_array().unwrap().iter().map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect()
}

hub_test!(async fn members_stand_behind_a_study_and_say_that_they_use_it(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Trusted", "reads").await;
    let draft = study(&ada, "Not yet", "reads").await;
    let (endorse, adopt) = (format!("{}/endorsement", at(&slug)), format!("{}/adoption", at(&slug)));
    assert_eq!(put(&bob, &format!("{}/endorsement", at(&draft)), &json!({"reason": "x"})).await.status, 404);
    assert_eq!(put(&_rhea, &format!("{}/endorsement", at(&draft)), &json!({"reason": "x"})).await.status, 409, "it is not published");
    assert_eq!(put(&ada, &endorse, &json!({"reason": "Mine"})).await.status, 403);
    assert_eq!(hub.visitor().send(hub.visitor().request("PUT", &endorse)).await.status, 401);
    done(&eve.patch("/api/v1/me", &json!({"organisation": "Vale Trust", "headline": "Lead radiographer", "discipline": "clinician"})).await);
    for reason in ["It saved us a year.", "It saved us two."] {
        assert_eq!(put(&eve, &endorse, &json!({"reason": reason})).await.status, 204);
    }
    let read = done(&hub.visitor().get(&at(&slug)).await);
    assert_eq!(read["endorsement_count"], 1);
    assert_eq!(
        (&read["endorsements"][0]["reason"], &read["endorsements"][0]["organisation"], &read["endorsements"][0]["role"], &read["endorsements"][0]["discipline"]),
        (&json!("It saved us two."), &json!("Vale Trust"), &json!("Lead radiographer"), &json!("clinician"))
    );
    assert_eq!(put(&bob, &adopt, &json!({"status": "live"})).await.status, 422, "which organisation?");
    assert_eq!(put(&bob, &adopt, &json!({"status": "dreaming", "site": "x"})).await.status, 422);
    assert_eq!(put(&bob, &adopt, &json!({"status": "stopped", "organisation": "Hill Trust"})).await.status, 422, "and why?");
    done(&put(&bob, &adopt, &json!({"status": "stopped", "organisation": "Hill  Trust", "why": "The scanner left."})).await);
    done(&put(&eve, &adopt, &json!({"status": "considering", "site": "North ward", "contact": "eve on extension 12"})).await);
    done(&put(&eve, &adopt, &json!({"status": "live", "site": "North ward", "contact": "eve on extension 12"})).await);
    let own = published(&bob, &_rhea, "Second", "reads").await;
    done(&put(&eve, &format!("{}/adoption", at(&own)), &json!({"status": "piloting"})).await);
    let register = done(&eve.get("/api/v1/adoptions").await);
    let lines: Vec<String> = register["items"].as_array().unwrap().iter()
        .map(|of| format!("{} {} {}", of["organisation"].as_str().unwrap(), of["status"].as_str().unwrap(), of["study"]["slug"].as_str().unwrap())).collect();
    assert_eq!(lines, ["Hill Trust stopped trusted", "Vale Trust live trusted", "Vale Trust piloting second"]);
    assert_eq!(register["items"][1]["contact"], "eve on extension 12");
    assert_eq!(done(&hub.visitor().get("/api/v1/adoptions?organisation=vale%20trust&status=live").await)["items"][0]["contact"], "", "for members alone");
    for (query, count) in [("q=north+live", 0), ("q=north", 1), ("q=SCANNER", 1), ("q=100%25", 0), ("status=piloting", 1), ("playbook=reads", 3)] {
        assert_eq!(done(&eve.get(&format!("/api/v1/adoptions?{query}")).await)["items"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(eve.get("/api/v1/adoptions?status=x").await.status, 422);
    let by = done(&eve.get("/api/v1/adoptions/organisations").await);
    assert_eq!((&by["items"][1]["organisation"], &by["items"][1]["live"], &by["items"][1]["piloting"]), (&json!("Vale Trust"), &json!(1), &json!(1)));
    let first = done(&eve.get("/api/v1/adoptions?limit=1").await);
    let next = done(&eve.get(&format!("/api/v1/adoptions?limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await);
    assert_eq!(next["items"][0]["organisation"], "Vale Trust");
    assert_eq!(done(&eve.get("/api/v1/case-studies?sort=adopted").await)["items"][0]["slug"], "trusted");
    let mut told = kinds(&ada).await;
    told.retain(|kind| kind != "study_published");
    assert_eq!(told, ["study_adopted", "study_adopted", "study_endorsed"]);
    assert_eq!(eve.delete(&endorse).await.status, 204);
    assert_eq!(eve.delete(&adopt).await.status, 204);
    let read = done(&eve.get(&at(&slug)).await);
    assert_eq!((&read["endorsement_count"], &read["adoption_count"], &read["mine"]["adopted"]), (&json!(0), &json!(1), &json!(false)));
    hub.settle().await;
});

hub_test!(async fn a_study_has_its_discussion(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&bob, "open").await;
    done(&bob.post("/api/v1/playbooks", &json!({"slug": "reads", "title": "Reads", "space": space})).await);
    let slug = published(&ada, &bob, "Discussed", "reads").await;
    hub.settle().await;
    let read = done(&hub.visitor().get(&at(&slug)).await);
    let topic = read["discussion"]["topic_id"].as_str().unwrap_or_else(|| panic!("a topic was opened: {read}")).to_owned();
    let view = done(&eve.get(&format!("/api/v1/topics/{topic}")).await);
    assert_eq!((&view["author"]["handle"], &view["kind"], &view["space"]), (&json!("ada"), &json!("discussion"), &json!(space)));
    assert!(view["body_html"].as_str().unwrap().contains("href=\"/case-studies/discussed\""), "{view}");
    let same = done(&eve.post(&format!("{}/discussion", at(&slug)), &json!({})).await);
    assert_eq!(same["topic_id"], topic.as_str());
    // Without a space of its playbook, in a chosen one.
    playbook(&bob, "loose", None).await;
    let other = published(&ada, &bob, "Loose", "loose").await;
    hub.settle().await;
    let path = format!("{}/discussion", at(&other));
    assert_eq!(eve.post(&path, &json!({})).await.status, 422);
    assert_eq!(eve.post(&path, &json!({"space": "nowhere"})).await.status, 422);
    let closed = hub.space(&bob, "restricted").await;
    assert_eq!(eve.post(&path, &json!({"space": closed})).await.status, 403, "who writes there may open it there");
    let opened = done(&eve.post(&path, &json!({"space": space})).await);
    assert_eq!(opened["url"], format!("/s/{space}/t/{}", opened["topic_id"].as_str().unwrap()));
    done(&eve.delete(&format!("/api/v1/topics/{}", opened["topic_id"].as_str().unwrap())).await);
    assert_eq!(done(&ada.get(&at(&other)).await)["discussion"], Value::Null);
    hub.settle().await;
});

hub_test!(async fn talk_becomes_a_draft_with_its_people(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "private").await;
    let topic = hub.topic(&ada, &space, "Why so slow?").await;
    put(&ada, &format!("/api/v1/spaces/{space}/members/bob"), &json!({"role": "member"})).await;
    bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await;
    let reply = hub.reply(&bob, &id(&topic), None, "We bought a *faster* reader.").await;
    hub.reply(&ada, &id(&topic), None, "Thank you.").await;
    done(&put(&ada, &format!("/api/v1/posts/{}/answer", id(&reply)), &json!({})).await);
    let body = json!({"topic_id": id(&topic)});
    assert_eq!(eve.post("/api/v1/case-studies/from-topic", &body).await.status, 404, "only what they may read");
    let made = done(&ada.post("/api/v1/case-studies/from-topic", &body).await);
    assert_eq!((&made["title"], &made["parts"]["challenge"]["body"]), (&json!("Why so slow?"), &json!("The text of Why so slow?.")));
    assert_eq!(made["parts"]["what_we_did"]["body"], "We bought a *faster* reader.");
    assert_eq!((&made["authors"][0]["handle"], &made["credited"][0]["handle"], made["credited"].as_array().unwrap().len()), (&json!("ada"), &json!("bob"), 1));
    assert_eq!((&made["source"]["kind"], &made["source"]["url"]), (&json!("topic"), &json!(format!("/s/{space}/t/{}", id(&topic)))));
    // Published, it leads back only those who may go there.
    playbook(&eve, "reads", None).await;
    let slug = made["slug"].as_str().unwrap().to_owned();
    done(&ada.patch(&at(&slug), &json!({"playbook": "reads", "confirmed": true, "summary": "s", "measures": [{"name": "x", "after": 1}]})).await);
    done(&ada.patch(&format!("{}/parts/lessons_learned", at(&slug)), &json!({"body": "Buy."})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&eve, &slug, "publish", &json!({})).await);
    assert_eq!(done(&hub.visitor().get(&at(&slug)).await)["source"], Value::Null);
    assert_eq!(done(&bob.get(&at(&slug)).await)["source"]["title"], "Why so slow?");
    // Messages of an open room; what is said in a private one stays there.
    let open = hub.space(&ada, "open").await;
    let room = id(&crate::features::chat::room(&ada, &open, "talk", false).await);
    let said = [id(&crate::features::chat::say(&ada, &room, "It is slow.").await), id(&crate::features::chat::say(&bob, &room, "Buy a reader.").await)];
    let body = json!({"room_id": room, "messages": said, "title": "Said in chat"});
    let made = done(&eve.post("/api/v1/case-studies/from-messages", &body).await);
    let text = made["parts"]["what_we_did"]["body"].as_str().unwrap();
    assert!(text.contains("> @ada:") && text.contains("> Buy a reader."), "{text}");
    let credited: Vec<&str> = made["credited"].as_array().unwrap().iter().map(|of| of["handle"].as_str().unwrap()).collect();
    assert_eq!(credited, ["ada", "bob"]);
    assert!(made["source"]["url"].as_str().unwrap().starts_with(&format!("/s/{open}/chat/talk?at=")));
    let closed = id(&crate::features::chat::room(&ada, &open, "closed", true).await);
    let hidden = id(&crate::features::chat::say(&ada, &closed, "Between us.").await);
    let body = json!({"room_id": closed, "messages": [hidden], "title": "x"});
    assert_eq!((ada.post("/api/v1/case-studies/from-messages", &body).await.status, eve.post("/api/v1/case-studies/from-messages", &body).await.status), (403, 404));
    hub.settle().await;
});

hub_test!(async fn figures_are_read_by_those_who_read_the_study(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = study(&ada, "Figured", "reads").await;
    let (old, new) = (file(&ada).await, file(&ada).await);
    let show = |file: &str| json!({"body": format!("![A chart](/api/v1/files/{file})")});
    let mute = ada.patch(&format!("{}/parts/evidence", at(&slug)), &json!({"body": format!("![ ](/api/v1/files/{old})")})).await;
    assert_eq!((mute.status, mute.text.contains("alternative text")), (422, true), "{}", mute.text);
    done(&ada.patch(&format!("{}/parts/evidence", at(&slug)), &show(&old)).await);
    let status = async |who: &Client, file: &str| who.get(&format!("/api/v1/files/{file}")).await.status;
    assert_eq!((status(&bob, &old).await, status(&eve, &old).await, status(&hub.visitor(), &old).await), (404, 404, 404), "a draft's figure is its authors'");
    done(&step(&ada, &slug, "submit", &json!({})).await);
    assert_eq!((status(&bob, &old).await, status(&eve, &old).await), (200, 404), "submitted, it is its reviewers', too");
    done(&step(&bob, &slug, "publish", &json!({})).await);
    assert_eq!((status(&eve, &old).await, status(&hub.visitor(), &old).await), (200, 200));
    done(&ada.patch(&format!("{}/parts/evidence", at(&slug)), &show(&new)).await);
    assert_eq!((status(&bob, &new).await, status(&eve, &new).await), (200, 404), "not yet published");
    // What a study shows is in use, whatever its age.
    hub.settle().await;
    hub.clock.advance(2 * DAY);
    praxis_server::features::people::remove_unused_files(hub.state()).await.unwrap();
    assert_eq!(status(&sign_in(hub, "ada").await, &new).await, 200);
    hub.settle().await;
});

hub_test!(async fn a_review_that_is_due_is_told_once(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Aging", "reads").await;
    hub.settle().await;
    let remind = async || {
        praxis_server::features::playbooks::remind(hub.state()).await.unwrap();
        hub.settle().await;
    };
    remind().await;
    let due = |told: &[String]| told.iter().filter(|kind| *kind == "study_due").count();
    assert_eq!(due(&kinds(&ada).await), 0, "not yet");
    hub.clock.advance(355 * DAY);
    let ada = sign_in(hub, "ada").await;
    remind().await;
    remind().await;
    assert_eq!(due(&kinds(&ada).await), 1);
    assert_eq!(done(&ada.get(&at(&slug)).await)["overdue"], false);
    hub.clock.advance(11 * DAY);
    let ada = sign_in(hub, "ada").await;
    assert_eq!(done(&ada.get("/api/v1/case-studies?overdue=true").await)["items"][0]["overdue"], true);
    // A new day, a new revision: it is current again.
    let ada = sign_in(hub, "ada").await;
    done(&ada.patch(&format!("{}/parts/scope", at(&slug)), &json!({"body": "Still true."})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&sign_in(hub, "bob").await, &slug, "publish", &json!({})).await);
    assert_eq!(done(&ada.get(&at(&slug)).await)["overdue"], false);
    hub.settle().await;
});

async fn sign_in(hub: &TestHub, handle: &str) -> Client {
    let body = json!({"login": handle, "password": crate::support::hub::password(handle)});
    let pair = done(&hub.visitor().post("/api/v1/auth/login", &body).await);
    let mut client = Client::new(&hub.base);
    client.handle = handle.to_owned();
    client.bearer = pair["access_token"].as_str().map(str::to_owned);
    client
}

fn queries(answer: &Answer) -> u32 {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("x-queries").parse().unwrap()
}

hub_test!(async fn large_playbooks_and_long_studies_take_few_queries(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let mut scenarios = Vec::new();
    for n in 0..10 {
        scenarios.push(id(&done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": format!("S{n}")})).await)));
    }
    let long = "A sentence of a long study, which goes on.\n\n".repeat(600);
    let mut body = whole("Long", "reads");
    for key in ["aim", "evidence", "scope", "costs"] {
        body["parts"][key] = json!(long);
    }
    body["scenarios"] = json!([scenarios[0]]);
    let answer = ada.post("/api/v1/case-studies", &body).await;
    assert!(answer.status == 201 && answer.text.len() > 200_000, "{}", answer.status);
    let slug = answer.json()["slug"].as_str().unwrap().to_owned();
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    hub.settle().await;
    // Five hundred more by rows, as many as one by one would take long.
    let db = hub.state().store.clone();
    let first = praxis_server::entities::case_study::Entity::find().one(db.read()).await.unwrap().unwrap();
    let places: Vec<i64> = scenarios.iter().map(|text| text.parse::<praxis_server::store::Id>().unwrap().0).collect();
    db.write(async move |tx| {
        for n in 1..=500_i64 {
            let copy = praxis_server::entities::case_study::Model { id: first.id + n, slug: format!("study-{n}"), ..first.clone() };
            praxis_server::entities::case_study::Entity::insert(copy.into_active_model()).exec_without_returning(tx.conn()).await?;
            let (study, source) = (first.id + n, first.id);
            for sql in [
                format!("INSERT INTO study_author SELECT {study}, member_id, role, position, added_at FROM study_author WHERE study_id = {source}"),
                format!("INSERT INTO study_term SELECT {study}, live, kind, term, label FROM study_term WHERE study_id = {source}"),
                format!("INSERT INTO scenario_study VALUES ({}, {study}, {n})", places[usize::try_from(n % 10).unwrap()]),
            ] {
                tx.conn().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    })
    .await
    .unwrap();
    let visitor = hub.visitor();
    for path in [
        "/api/v1/playbooks/reads".to_owned(), at(&slug), format!("{}/related", at(&slug)), "/api/v1/case-studies?playbook=reads&limit=100".into(),
        format!("/api/v1/case-studies?scenario={}&technology=u-net", scenarios[3]), "/api/v1/case-studies/terms?playbook=reads".into(), "/api/v1/adoptions".into(),
        "/api/v1/playbooks".into(),
    ] {
        for who in [&visitor, &ada, &bob] {
            who.get(&path).await;
            let answer = who.get(&path).await;
            let count = queries(&answer);
            assert!(count <= 8, "{path} as {}: {count}", who.handle);
        }
    }
    let book = done(&visitor.get("/api/v1/playbooks/reads").await);
    let shown: Vec<(i64, usize)> = book["scenarios"].as_array().unwrap().iter()
        .map(|of| (of["study_count"].as_i64().unwrap(), of["studies"].as_array().unwrap().len())).collect();
    assert_eq!(shown, vec![(51, 12), (50, 12), (50, 12), (50, 12), (50, 12), (50, 12), (50, 12), (50, 12), (50, 12), (50, 12)]);
    let page = done(&visitor.get(&format!("/api/v1/case-studies?scenario={}&limit=30", scenarios[3])).await);
    let next = done(&visitor.get(&format!("/api/v1/case-studies?scenario={}&limit=30&cursor={}", scenarios[3], page["next_cursor"].as_str().unwrap())).await);
    assert_eq!((page["items"].as_array().unwrap().len(), next["items"].as_array().unwrap().len(), &next["next_cursor"]), (30, 20, &Value::Null));
    let terms = done(&visitor.get("/api/v1/case-studies/terms?playbook=reads").await);
    assert_eq!((&terms["items"][0]["count"], terms["items"].as_array().unwrap().len()), (&json!(501), 3));
    assert_eq!(done(&visitor.get(&format!("{}/related", at(&slug))).await)["items"].as_array().unwrap().len(), 6);
    hub.clock.advance(HOUR);
});
