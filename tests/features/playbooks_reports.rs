//! Reports of case studies: who sees them, and taking one from its readers.

use serde_json::{Value, json};

use super::playbooks::{at, playbook, published, step, study};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::{Client, hub_test};

async fn open(who: &Client) -> Vec<Value> {
    done(&who.get("/api/v1/reports?state=open").await)["items"].as_array().unwrap().clone()
}

hub_test!(async fn a_reported_case_study_reaches_the_moderators_of_its_space(hub) {
    let (ruth, olga, alan, mia, rita) =
        (hub.member("ruth").await, hub.member("olga").await, hub.member("alan").await, hub.member("mia").await, hub.member("rita").await);
    let space = hub.space(&olga, "open").await;
    playbook(&mia, "reads", Some(&space)).await;
    let slug = published(&alan, &mia, "Names a patient", "reads").await;
    let draft = study(&alan, "A draft", "reads").await;
    hub.settle().await;
    let flags = format!("{}/flags", at(&slug));
    let body = json!({"reason": "patient_data", "note": "Second line."});
    assert_eq!(hub.visitor().post(&flags, &body).await.status, 401);
    assert_eq!(rita.post(&format!("{}/flags", at(&draft)), &body).await.status, 404);
    assert_eq!(rita.post(&format!("{}/flags", at("nothing")), &body).await.status, 404);
    assert_eq!(rita.post(&flags, &json!({"reason": "because"})).await.status, 422);
    let own = alan.post(&flags, &body).await;
    assert_eq!((own.status, own.text.contains("your own case study")), (403, true), "{}", own.text);
    let made = rita.post(&flags, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("location"), format!("/api/v1/reports/{}", made.id()));
    assert!(made.json().get("case_study_id").is_some() && made.json().get("post_id").is_none());
    assert_eq!((rita.post(&flags, &body).await.status, open(&olga).await.len()), (200, 1), "once");
    let seen = open(&olga).await.remove(0);
    assert_eq!((&seen["case_study"]["slug"], &seen["case_study"]["title"], &seen["space"]), (&json!(slug), &json!("Names a patient"), &json!(space)));
    assert_eq!((&seen["case_study"]["author"]["handle"], &seen["reporter"]["handle"], &seen["url"]), (&json!("alan"), &json!("rita"), &json!(format!("/case-studies/{slug}"))));
    assert!(seen["case_study"]["excerpt"].as_str().unwrap().contains("Faster reads."), "{seen}");
    // Who runs the playbook does not moderate its space.
    assert_eq!(mia.get("/api/v1/reports").await.status, 403);
    let report = format!("/api/v1/reports/{}", made.id());
    assert_eq!((mia.get(&report).await.status, rita.get(&report).await.status), (404, 200));
    assert_eq!(mia.post(&format!("{report}/dismiss"), &json!({})).await.status, 404);
    assert_eq!(mia.post(&format!("{}/hide", at(&slug)), &json!({})).await.status, 403);
    assert_eq!(rita.post(&format!("{}/hide", at(&slug)), &json!({})).await.status, 403);
    assert_eq!(done(&olga.post(&format!("{report}/dismiss"), &json!({"reason": "None named."})).await)["state"], "dismissed");

    // By the pages, and taken from its readers.
    let browser = Client::sign_in(&hub.base, "rita").await;
    let csrf = browser.page("/playbooks").await.csrf();
    let page = format!("/case-studies/{slug}");
    assert!(browser.page(&page).await.text.contains(&format!("{page}/report")));
    let form = browser.page(&format!("{page}/report")).await;
    check_html(&form.text);
    assert!(form.status == 200 && form.text.contains("Report a case study"), "{}", form.text);
    let unsaid = browser.form(&format!("{page}/report"), &csrf, &[("note", "I kept this.")]).await;
    assert_eq!((unsaid.status, unsaid.text.contains("I kept this.")), (422, true));
    let sent = browser.form(&format!("{page}/report"), &csrf, &[("reason", "patient_data"), ("note", "")]).await;
    check_html(&sent.text);
    assert!(sent.status == 200 && sent.text.contains("The moderators have your report"), "{}", sent.text);
    let moderator = Client::sign_in(&hub.base, "olga").await;
    let queue = moderator.page("/reports").await;
    check_html(&queue.text);
    assert!(queue.text.contains("Names a patient") && queue.text.contains("value=\"hide_study\""), "{}", queue.text);
    let waiting = open(&olga).await.remove(0);
    let settle = format!("/reports/{}", id(&waiting));
    let token = queue.csrf();
    assert_eq!(browser.form(&settle, &csrf, &[("do", "hide_study")]).await.status, 404);
    assert_eq!(moderator.form(&settle, &token, &[("do", "hide_study"), ("reason", "It names one.")]).await.status, 303);
    hub.settle().await;
    assert!(open(&olga).await.is_empty());
    for who in [&rita, &hub.visitor()] {
        assert_eq!((who.get(&at(&slug)).await.status, who.get(&format!("{}/export.md", at(&slug))).await.status), (404, 404));
    }
    assert!(done(&rita.get("/api/v1/case-studies?playbook=reads").await)["items"].as_array().unwrap().is_empty());
    assert_eq!(hub.visitor().page(&page).await.status, 404, "no kept page shows it");
    assert_eq!(alan.get(&format!("{}?copy=working", at(&slug))).await.status, 200, "its author keeps what they wrote");
    let log = moderator.page(&format!("/s/{space}/log")).await;
    assert!(log.text.contains("a case study") && log.text.contains("It names one."), "{}", log.text);
    let theirs = done(&rita.get(&format!("/api/v1/reports/{}", id(&waiting))).await);
    assert_eq!((&theirs["state"], &theirs["case_study"]["excerpt"]), (&json!("upheld"), &json!("")));
    // A new revision that is reviewed brings it back.
    done(&alan.patch(&at(&slug), &json!({"title": "Names nobody"})).await);
    done(&step(&alan, &slug, "submit", &json!({})).await);
    done(&step(&mia, &slug, "publish", &json!({})).await);
    assert_eq!(done(&rita.get(&at(&slug)).await)["title"], "Names nobody");
    hub.settle().await;
    let _administrator = ruth;
});

hub_test!(async fn without_a_space_administrators_see_the_report(hub) {
    let (ruth, olga, alan, rita) = (hub.member("ruth").await, hub.member("olga").await, hub.member("alan").await, hub.member("rita").await);
    playbook(&olga, "reads", None).await;
    let slug = published(&alan, &olga, "Open to all", "reads").await;
    let made = rita.post(&format!("{}/flags", at(&slug)), &json!({"reason": "spam"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let seen = open(&ruth).await.remove(0);
    assert_eq!((&seen["space"], &seen["case_study"]["slug"]), (&Value::Null, &json!(slug)));
    assert_eq!(olga.get(&format!("/api/v1/reports/{}", made.id())).await.status, 404);
    assert_eq!(olga.post(&format!("{}/hide", at(&slug)), &json!({})).await.status, 403);
    assert_eq!(ruth.post(&format!("{}/hide", at(&slug)), &json!({"reason": "An advertisement."})).await.status, 204);
    assert_eq!(done(&ruth.get(&format!("/api/v1/reports/{}", made.id())).await)["state"], "upheld");
    assert_eq!(rita.get(&at(&slug)).await.status, 404);
    hub.settle().await;
});

hub_test!(async fn what_was_hidden_stays_hidden_when_a_new_revision_is_published(hub) {
    let (ruth, olga, alan, rita) = (hub.member("ruth").await, hub.member("olga").await, hub.member("alan").await, hub.member("rita").await);
    playbook(&olga, "reads", None).await;
    let slug = published(&alan, &olga, "Names Jane Example", "reads").await;
    let again = |title: &'static str| {
        let (alan, olga, slug) = (&alan, &olga, &slug);
        async move {
            done(&alan.patch(&at(slug), &json!({"title": title})).await);
            done(&step(alan, slug, "submit", &json!({})).await);
            done(&step(olga, slug, "publish", &json!({})).await);
        }
    };
    again("Still names Jane Example").await;
    let hide = format!("{}/hide", at(&slug));
    assert_eq!(ruth.post(&hide, &json!({"reason": "It names a patient."})).await.status, 204);
    again("Names nobody").await;
    again("Names nobody at all").await;
    hub.settle().await;
    let revisions = format!("{}/revisions", at(&slug));
    let visitor = hub.visitor();
    for who in [&rita, &visitor] {
        let listed = done(&who.get(&revisions).await);
        let numbers: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|of| &of["number"]).collect();
        assert_eq!(numbers, [&json!(4), &json!(3)]);
        for path in ["/1", "/2", "/1/diff", "/2/diff", "/3/diff?from=2", "/4/diff?from=1"] {
            let answer = who.get(&format!("{revisions}{path}")).await;
            assert_eq!((answer.status, answer.text.contains("Jane")), (404, false), "{path}: {}", answer.text);
        }
        for path in ["", "/3", "/3/diff", "/4/diff", "/4/diff?from=3"] {
            let answer = who.get(&format!("{revisions}{path}")).await;
            assert_eq!((answer.status, answer.text.contains("Jane")), (200, false), "{path}: {}", answer.text);
        }
        for path in ["", "/export.md", "/citation"] {
            let answer = who.get(&format!("{}{path}", at(&slug))).await;
            assert_eq!((answer.status, answer.text.contains("Jane")), (200, false), "{path}: {}", answer.text);
        }
        let history = format!("/case-studies/{slug}/history");
        for (query, status) in [("", 200), ("?to=3", 200), ("?to=4&from=3", 200), ("?to=2", 404), ("?to=1", 404), ("?to=3&from=2", 404), ("?to=4&from=1", 404)] {
            let page = who.page(&format!("{history}{query}")).await;
            assert_eq!((page.status, page.text.contains("Jane")), (status, false), "{query}: {}", page.text);
        }
        // The first that they have is shown whole.
        let first = who.page(&format!("{history}?to=3")).await.text;
        check_html(&first);
        assert!(first.contains("Version 3 is the first") && first.contains("Names nobody") && first.contains("Measure first."), "{first}");
    }
    // Who wrote it, reviews it or runs the hub still sees what it was.
    for who in [&alan, &olga, &ruth] {
        assert_eq!(done(&who.get(&format!("{revisions}/2")).await)["title"], "Still names Jane Example");
        assert_eq!(done(&who.get(&revisions).await)["items"].as_array().unwrap().len(), 4);
        assert_eq!(who.get(&format!("{revisions}/3/diff")).await.status, 200);
    }
});
