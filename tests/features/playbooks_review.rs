//! Who may review what, and that what readers see changes with a review alone.

use praxis_server::entities::study_comment;
use sea_orm::{ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};

use super::playbook_pages::version;
use super::playbooks::{at, playbook, published, put, step, study, whole};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::{Client, hub_test};

hub_test!(async fn nobody_is_done_with_what_they_wrote_by_leaving_it(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    // Bob writes with ada, then has himself credited, then leaves.
    let slug = study(&ada, "Ours", "reads").await;
    done(&put(&ada, &format!("{}/authors/bob", at(&slug)), &json!({"role": "author"})).await);
    done(&bob.patch(&format!("{}/parts/aim", at(&slug)), &json!({"body": "Bob wrote this."})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    for role in ["credited", "gone"] {
        let done_so = match role {
            "credited" => put(&bob, &format!("{}/authors/bob", at(&slug)), &json!({"role": role})).await,
            _ => bob.delete(&format!("{}/authors/bob", at(&slug))).await,
        };
        done(&done_so);
        assert_eq!(step(&bob, &slug, "publish", &json!({})).await.status, 403, "{role}");
        assert_eq!(step(&bob, &slug, "return", &json!({"note": "x"})).await.status, 403, "{role}");
        let view = done(&bob.get(&at(&slug)).await);
        assert_eq!((&view["may"]["review"], &view["may"]["retire"]), (&json!(false), &json!(true)), "{role}");
    }
    done(&put(&bob, "/api/v1/playbooks/reads/people/eve", &json!({"role": "reviewer"})).await);
    done(&step(&eve, &slug, "publish", &json!({})).await);
    let endorse = format!("{}/endorsement", at(&slug));
    assert_eq!(put(&bob, &endorse, &json!({"reason": "Mine"})).await.status, 403, "he wrote of it");
    assert_eq!(put(&eve, &endorse, &json!({"reason": "Good"})).await.status, 204);
    hub.settle().await;
});

hub_test!(async fn a_draft_is_its_authors_until_it_is_submitted(hub) {
    let (rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let slug = study(&ada, "Not yet", "reads").await;
    assert_eq!((bob.get(&at(&slug)).await.status, rhea.get(&at(&slug)).await.status), (404, 200));
    done(&step(&ada, &slug, "submit", &json!({})).await);
    assert_eq!(bob.get(&at(&slug)).await.status, 200);
    done(&step(&ada, &slug, "withdraw", &json!({})).await);
    assert_eq!(bob.get(&at(&slug)).await.status, 404, "taken back");
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "return", &json!({"note": "More."})).await);
    assert_eq!(bob.get(&at(&slug)).await.status, 200, "returned, it is still between them");
    hub.settle().await;
});

hub_test!(async fn a_reviewer_decides_on_the_text_that_they_read(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"checklist": ["Sources?"]})).await);
    let slug = study(&ada, "Read first", "reads").await;
    done(&step(&ada, &slug, "submit", &json!({})).await);
    let browser = Client::sign_in(&hub.base, "bob").await;
    let page = format!("/case-studies/{slug}");
    let review = browser.page(&format!("{page}/review")).await;
    let (csrf, read) = (review.csrf(), version(&review));
    done(&ada.patch(&format!("{}/parts/challenge", at(&slug)), &json!({"body": "Nobody has read this."})).await);
    let fields = [("version", read.as_str()), ("note", "My note."), ("check", "Sources?")];
    for verb in ["publish", "return"] {
        let stale = browser.form(&format!("{page}/{verb}"), &csrf, &fields).await;
        assert_eq!(stale.status, 412, "{verb}: {}", stale.text);
        check_html(&stale.text);
        for what in ["Nobody has read this.", "My note.", "saved another version"] {
            assert!(stale.text.contains(what), "{verb}: {what}");
        }
        assert!(!stale.text.contains("value=\"Sources?\" checked"), "it was ticked of another text");
    }
    assert_eq!(browser.form(&format!("{page}/publish"), &csrf, &[("check", "Sources?")]).await.status, 412, "and not without one");
    let read = version(&browser.page(&format!("{page}/review")).await);
    let fields = [("version", read.as_str()), ("note", ""), ("check", "Sources?")];
    assert_eq!(browser.form(&format!("{page}/publish"), &csrf, &fields).await.status, 303);
    // What was ticked stands in the log.
    let history = Client::sign_in(&hub.base, "ada").await.page(&format!("{page}/history")).await;
    check_html(&history.text);
    assert!(history.text.contains("What the reviewer ticked") && history.text.contains("Sources?"), "{}", history.text);
    hub.settle().await;
});

hub_test!(async fn owner_and_review_day_change_for_readers_with_a_revision(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let mut body = whole("Kept", "reads");
    body["parts"]["owner"] = json!("ada");
    body["parts"]["review_due"] = json!("2030-01-31");
    let slug = done(&ada.post("/api/v1/case-studies", &body).await)["slug"].as_str().unwrap().to_owned();
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    let told = |of: &Value| (of["owner"]["handle"].clone(), of["review_due"].clone());
    let read = || async { told(&done(&hub.visitor().get(&at(&slug)).await)) };
    let first = (json!("ada"), json!("2030-01-31"));
    assert_eq!(read().await, first);
    for (part, text) in [("owner", "bob"), ("review_due", "2031-02-28")] {
        done(&ada.patch(&format!("{}/parts/{part}", at(&slug)), &json!({"body": text})).await);
    }
    assert_eq!(ada.patch(&format!("{}/parts/owner", at(&slug)), &json!({"body": "nobody"})).await.status, 422);
    assert_eq!(read().await, first, "nobody has reviewed it");
    let next = (json!("bob"), json!("2031-02-28"));
    assert_eq!(told(&done(&ada.get(&at(&slug)).await)), next, "its authors see what will be");
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    assert_eq!(read().await, next);
    hub.settle().await;
});

hub_test!(async fn comments_are_found_however_many_there_are(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let slug = study(&ada, "Talked over", "reads").await;
    done(&step(&ada, &slug, "submit", &json!({})).await);
    let post = format!("{}/comments", at(&slug));
    let first = id(&done(&bob.post(&post, &json!({"part": "aim", "body": "Question 0."})).await));
    done(&ada.post(&post, &json!({"part": "aim", "parent_id": first, "body": "Answer 0."})).await);
    // As many more by rows as one by one would take long: one open, the others resolved.
    let db = hub.state().store.clone();
    let all = study_comment::Entity::find().all(db.read()).await.unwrap();
    db.write(async move |tx| {
        let one = |row: &study_comment::Model, n: i64, text: String| study_comment::Model {
            id: tx.id(),
            body_html: format!("<p>{text}</p>"),
            body: text,
            resolved_at: (row.parent_id.is_none() && n > 1).then(|| tx.now()),
            reply_count: 0,
            ..row.clone()
        };
        for row in &all {
            let (word, most) = if row.parent_id.is_none() { ("Question", 120) } else { ("Answer", 55) };
            for n in 1..most {
                let copy = one(row, n, format!("{word} {n}."));
                study_comment::Entity::insert(copy.into_active_model()).exec_without_returning(tx.conn()).await?;
            }
        }
        let sql = "UPDATE study_comment SET reply_count = 55 WHERE parent_id IS NULL AND body = 'Question 0.'";
        tx.conn().execute_unprepared(sql).await?;
        Ok(())
    })
    .await
    .unwrap();
    let browser = Client::sign_in(&hub.base, "ada").await;
    let page = format!("/case-studies/{slug}");
    let edit = browser.page(&format!("{page}/edit")).await;
    check_html(&edit.text);
    // Open ones first, whatever their age, then the newest; of a thread the last words.
    for what in ["Question 0.", "Question 1.", "Question 119.", "Answer 54.", "All 120 threads", "All 55 replies"] {
        assert!(edit.text.contains(what), "{what}");
    }
    assert!(!edit.text.contains("Question 5.") && !edit.text.contains("Answer 0."));
    let (mut next, mut seen) = (format!("{page}/comments?part=aim&from=edit"), String::new());
    for _ in 0..4 {
        let list = browser.page(&next).await;
        assert_eq!(list.status, 200, "{}", list.text);
        check_html(&list.text);
        seen.push_str(&list.text);
        match list.text.split("rel=\"next\"").next().filter(|before| before.len() < list.text.len()) {
            Some(before) => next = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"),
            None => break,
        }
    }
    for n in 0..120 {
        assert!(seen.contains(&format!("Question {n}.")), "{n}");
    }
    let thread = browser.page(&format!("{page}/comments?thread={first}&from=edit")).await;
    assert!(thread.text.contains("Question 0.") && thread.text.contains("Answer 0."), "{}", thread.text);
    // One's own is changed and removed by forms.
    let bobs = Client::sign_in(&hub.base, "bob").await;
    let form = bobs.page(&format!("{page}/comments/{first}/edit?from=review")).await;
    check_html(&form.text);
    let csrf = form.csrf();
    assert_eq!(browser.page(&format!("{page}/comments/{first}/edit")).await.status, 403, "it is not hers");
    let fields = [("version", version(&form)), ("body", "Another question.".into()), ("from", "review".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(bobs.form(&format!("{page}/comments/{first}/edit"), &csrf, &fields).await.status, 303);
    assert_eq!(bobs.form(&format!("{page}/comments/{first}/edit"), &csrf, &fields).await.status, 412, "a second time it is stale");
    assert!(browser.page(&format!("{page}/edit")).await.text.contains("Another question."));
    let gone = bobs.form(&format!("{page}/comments/{first}/remove"), &csrf, &[("part", "aim"), ("from", "review")]).await;
    assert_eq!(gone.status, 303, "{}", gone.text);
    assert!(browser.page(&format!("{page}/edit")).await.text.contains("This comment was deleted."));
    hub.settle().await;
});

hub_test!(async fn who_submits_hears_of_what_is_not_saved(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let slug = study(&ada, "Half saved", "reads").await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let submit = format!("/case-studies/{slug}/submit");
    assert!(!browser.page(&submit).await.text.contains("text that is not saved"));
    let draft = |part: &str, body: Value| (format!("{}/parts/{part}/draft", at(&slug)), body);
    let (path, body) = draft("aim", json!({"body": "Typed and not saved.", "base_version": 0}));
    done(&put(&ada, &path, &body).await);
    // One that says what is saved is none; one that took all measures away is one.
    let (path, body) = draft("challenge", json!({"body": "It was *slow*.", "base_version": 1}));
    done(&put(&ada, &path, &body).await);
    let (path, body) = draft("outcomes", json!({"body": "", "measures": [], "base_version": 1}));
    done(&put(&ada, &path, &body).await);
    let page = browser.page(&submit).await;
    check_html(&page.text);
    assert!(page.text.contains("You have text that is not saved"), "{}", page.text);
    for (part, there) in [("aim", true), ("outcomes", true), ("challenge", false)] {
        assert_eq!(page.text.contains(&format!("/edit#{part}\"")), there, "{part}");
    }
    let edit = browser.page(&format!("/case-studies/{slug}/edit")).await;
    assert!(!edit.text.contains("value=\"Time to report\""), "the draft has no measure");
    hub.settle().await;
});

hub_test!(async fn a_discussion_says_what_is_published_to_whom_it_may(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Public title", "reads").await;
    hub.settle().await;
    done(&ada.patch(&at(&slug), &json!({"title": "Secret title", "summary": "Secret summary"})).await);
    let open = hub.space(&ada, "open").await;
    let closed = hub.space(&ada, "confidential").await;
    let path = format!("{}/discussion", at(&slug));
    let made = done(&ada.post(&path, &json!({"space": closed})).await);
    let topic = done(&ada.get(&format!("/api/v1/topics/{}", made["topic_id"].as_str().unwrap())).await);
    let told = format!("{} {}", topic["title"], topic["body"]);
    assert!(told.contains("Public title") && !told.contains("Secret"), "{told}");
    // It is discussed where eve does not read: she is told no name of it.
    let refused = eve.post(&path, &json!({"space": open})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(!refused.text.contains(&closed), "{}", refused.text);
    hub.settle().await;
});

hub_test!(async fn what_stands_around_a_study_has_its_pages(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let scenario = id(&done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "Faster"})).await));
    let slug = published(&ada, &bob, "Cited", "reads").await;
    let page = format!("/case-studies/{slug}");
    done(&put(&eve, &format!("{}/endorsement", at(&slug)), &json!({"reason": "It helped."})).await);
    done(&put(&eve, &format!("{}/adoption", at(&slug)), &json!({"status": "live", "organisation": "Évry Trust", "site": "Évreux"})).await);
    let visitor = hub.visitor();
    for (path, what) in [
        (format!("{page}/endorsements"), "It helped."), (format!("{page}/adoptions"), "Évry Trust"), ("/adoptions".into(), "Évry Trust"),
        ("/adoptions?q=%C3%A9vreux".into(), "Évry Trust"), ("/case-studies/browse".into(), "Cited"), ("/case-studies/browse?technology=u-net&sort=adopted".into(), "Cited"),
    ] {
        let read = visitor.page(&path).await;
        assert_eq!(read.status, 200, "{path}: {}", read.text);
        check_html(&read.text);
        assert!(read.text.contains(what), "{path}: {what}");
    }
    assert!(visitor.page("/case-studies/browse?technology=abacus").await.text.contains("No case study fits all of that"));
    let cited = done(&visitor.get(&format!("{}/citation", at(&slug))).await);
    assert!(cited["plain"].as_str().unwrap().contains("version 1") && cited["bibtex"].as_str().unwrap().starts_with("@misc{"), "{cited}");
    assert_eq!((&cited["json_ld"]["@type"], &cited["version"]), (&json!("Article"), &json!(1)));
    // The saved states of a part, and a study in and out of a scenario.
    done(&ada.patch(&format!("{}/parts/challenge", at(&slug)), &json!({"body": "It was *very* slow."})).await);
    let adas = Client::sign_in(&hub.base, "ada").await;
    let states = adas.page(&format!("{page}/edit/challenge/history")).await;
    check_html(&states.text);
    assert!(states.text.contains("Version 2, saved by ada Example") && states.text.contains("<ins>"), "{}", states.text);
    let bobs = Client::sign_in(&hub.base, "bob").await;
    let at_scenario = format!("/playbooks/reads/scenarios/{scenario}");
    let form = bobs.page(&format!("{at_scenario}/edit")).await;
    let csrf = form.csrf();
    let wrong = bobs.form(&format!("{at_scenario}/studies"), &csrf, &[("study", "no such")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    check_html(&wrong.text);
    assert!(wrong.text.contains("value=\"no such\""));
    let whole = format!("{}{page}", hub.base);
    assert_eq!(bobs.form(&format!("{at_scenario}/studies"), &csrf, &[("study", &whole)]).await.status, 303);
    assert!(visitor.page("/playbooks/reads").await.text.contains("Cited"));
    assert!(bobs.page(&format!("{at_scenario}/edit")).await.text.contains("Take out"));
    assert_eq!(bobs.form(&format!("{at_scenario}/studies?undo=1"), &csrf, &[("study", &slug)]).await.status, 303);
    assert!(!bobs.page(&format!("{at_scenario}/edit")).await.text.contains("Take out"));
    // Off the lists.
    let retire = adas.page(&format!("{page}/retire")).await;
    check_html(&retire.text);
    let fields = [("version", version(&retire)), ("note", "The scanner is gone.".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(adas.form(&format!("{page}/retire"), &retire.csrf(), &fields).await.status, 303);
    assert!(visitor.page(&page).await.text.contains("This case study is retired"));
    hub.settle().await;
});

hub_test!(async fn a_review_that_is_due_reaches_somebody(hub) {
    let (rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &rhea, "Left behind", "reads").await;
    hub.settle().await;
    done(&rhea.post("/api/v1/members/ada/suspend", &json!({"reason": "Gone"})).await);
    hub.clock.advance(360 * praxis_server::ports::clock::DAY);
    praxis_server::features::playbooks::remind(hub.state()).await.unwrap();
    hub.settle().await;
    let bob = Client::sign_in(&hub.base, "bob").await;
    let told = done(&bob.get("/api/v1/notices").await).to_string();
    assert!(told.contains("study_due") && told.contains(&slug), "{told}");
});

hub_test!(async fn search_names_no_hidden_space_and_finds_by_every_author(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&bob, "confidential").await;
    let new = json!({"slug": "quokka", "title": "Quokka reading", "visibility": "open", "space": space});
    done(&bob.post("/api/v1/playbooks", &new).await);
    let slug = study(&ada, "Quokka counting", "quokka").await;
    done(&put(&ada, &format!("{}/authors/eve", at(&slug)), &json!({"role": "author"})).await);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    hub.settle().await;
    crate::features::search::settle(hub).await;
    let name = done(&bob.get(&format!("/api/v1/spaces/{space}")).await)["name"].as_str().unwrap().to_owned();
    for who in [&hub.visitor(), &eve] {
        let found = who.get("/api/v1/search?q=quokka").await;
        assert_eq!(done(&found)["total"], 2, "{}", found.text);
        assert!(!found.text.contains(&format!("\"{space}\"")) && !found.text.contains(&name), "{}", found.text);
    }
    assert!(bob.get("/api/v1/search?q=quokka").await.text.contains(&format!("\"space\":\"{space}\"")));
    let by = async |who: &str| done(&ada.get(&format!("/api/v1/search?q=quokka&author={who}")).await)["total"].clone();
    assert_eq!((by("ada").await, by("eve").await), (json!(1), json!(1)));
    // Who wrote what is published changes with the next revision.
    done(&ada.delete(&format!("{}/authors/eve", at(&slug))).await);
    hub.settle().await;
    crate::features::search::settle(hub).await;
    assert_eq!((by("ada").await, by("eve").await), (json!(1), json!(1)));
    done(&step(&ada, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    hub.settle().await;
    crate::features::search::settle(hub).await;
    assert_eq!((by("ada").await, by("eve").await), (json!(1), json!(0)));
    hub.settle().await;
});
