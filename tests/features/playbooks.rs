//! Playbooks, their scenarios, and case studies from a draft to what others use, by HTTP.

use serde_json::{Value, json};

use crate::support::stage::{done, file, id};
use crate::support::{Answer, Client, hub_test};

pub async fn put(who: &Client, path: &str, body: &Value) -> Answer {
    who.send(who.request("PUT", path).json(body)).await
}

/// An open playbook; its JSON.
pub async fn playbook(owner: &Client, slug: &str, space: Option<&str>) -> Value {
    let body = json!({"slug": slug, "title": format!("Playbook {slug}"), "pathway": "Radiology", "summary": "What worked.",
        "visibility": if space.is_some() { "restricted" } else { "open" }, "space": space});
    let answer = owner.post("/api/v1/playbooks", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// What a study needs to be published.
pub fn whole(title: &str, playbook: &str) -> Value {
    json!({"title": title, "summary": "Faster reads.", "playbook": playbook,
        "parts": {"challenge": "It was *slow*.", "what_we_did": "We measured.", "lessons_learned": "Measure first."},
        "measures": [{"name": "Time to report", "unit": "min", "before": 90, "after": 30.5, "period": "2026", "n": 1204, "method": "Audit", "source": "PACS"}],
        "terms": {"technology": ["U-Net"], "setting": ["Acute hospital"], "country": ["Wales"]}})
}

/// A study by its author; its slug.
pub async fn study(author: &Client, title: &str, playbook: &str) -> String {
    let answer = author.post("/api/v1/case-studies", &whole(title, playbook)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["slug"].as_str().unwrap().to_owned()
}

/// A step of a study.
pub async fn step(who: &Client, slug: &str, verb: &str, body: &Value) -> Answer {
    who.post(&format!("/api/v1/case-studies/{slug}/{verb}"), body).await
}

/// A published study; its slug.
pub async fn published(author: &Client, reviewer: &Client, title: &str, playbook: &str) -> String {
    let slug = study(author, title, playbook).await;
    done(&step(author, &slug, "submit", &json!({})).await);
    done(&step(reviewer, &slug, "publish", &json!({})).await);
    slug
}

pub fn at(slug: &str) -> String {
    format!("/api/v1/case-studies/{slug}")
}

pub async fn notices(who: &Client) -> Vec<String> {
    let page = done(&who.get("/api/v1/notices").await);
    let of = page["items"].as_array().unwrap();
    of.iter()
        .map(|notice| format!("{} {}", notice["kind"].as_str().unwrap(), notice["url"].as_str().unwrap()))
        .collect()
}

pub fn faults(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 422, "{}", answer.text);
    answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect()
}

hub_test!(async fn a_playbook_is_made_read_and_changed(hub) {
    let (rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    let made = playbook(&ada, "chest-x-ray", None).await;
    assert_eq!((&made["visibility"], &made["owners"][0]["handle"], &made["may_edit"]), (&json!("open"), &json!("ada"), &json!(true)));
    let again = bob.post("/api/v1/playbooks", &json!({"slug": "chest-x-ray", "title": "x"})).await;
    assert_eq!(again.status, 409);
    assert_eq!(faults(&bob.post("/api/v1/playbooks", &json!({"slug": "É", "title": "", "visibility": "restricted"})).await), ["slug", "title", "space"]);
    let path = "/api/v1/playbooks/chest-x-ray";
    assert_eq!(bob.patch(path, &json!({"title": "Mine"})).await.status, 403);
    assert_eq!(hub.visitor().get(path).await.status, 200, "open to anybody");
    let body = json!({"introduction": "See **this**.", "checklist": ["Figures checked", ""], "summary": "New"});
    let changed = ada.send(ada.request("PATCH", path).header("If-Match", "\"v1\"").json(&body)).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"v2\""), "{}", changed.text);
    assert_eq!((&changed.json()["checklist"], &changed.json()["summary"]), (&json!(["Figures checked"]), &json!("New")));
    assert!(changed.json()["introduction_html"].as_str().unwrap().contains("<strong>this</strong>"));
    let stale = ada.request("PATCH", path).header("If-Match", "\"v1\"").json(&json!({"title": "x"}));
    assert_eq!(ada.send(stale).await.status, 412);
    // Scenarios in their order.
    for title in ["First", "Second", "Third"] {
        let body = json!({"title": title, "description": "d", "steps": ["Do *a*", "", "Do b"]});
        let answer = ada.post(&format!("{path}/scenarios"), &body).await;
        assert_eq!((answer.status, &answer.json()["steps"]), (201, &json!(["Do *a*", "Do b"])), "{}", answer.text);
    }
    assert_eq!(bob.post(&format!("{path}/scenarios"), &json!({"title": "x"})).await.status, 403);
    let scenarios = done(&bob.get(&format!("{path}/scenarios")).await);
    let third = id(&scenarios["items"][2]);
    let moved = ada.patch(&format!("{path}/scenarios/{third}"), &json!({"position": 0, "title": "Now first"})).await;
    assert_eq!((moved.status, &moved.json()["position"]), (200, &json!(0)), "{}", moved.text);
    let titles = |of: &Value| of["scenarios"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(titles(&done(&bob.get(path).await)), ["Now first", "First", "Second"]);
    assert_eq!(ada.delete(&format!("{path}/scenarios/{third}")).await.status, 204);
    assert_eq!(titles(&done(&bob.get(path).await)), ["First", "Second"]);
    // People: an owner stays.
    assert_eq!(put(&ada, &format!("{path}/people/bob"), &json!({"role": "reviewer"})).await.status, 204);
    assert_eq!(put(&bob, &format!("{path}/people/bob"), &json!({"role": "owner"})).await.status, 403);
    assert_eq!(ada.delete(&format!("{path}/people/ada")).await.status, 409);
    assert_eq!(bob.delete(&format!("{path}/people/bob")).await.status, 204, "they themselves");
    assert_eq!(put(&rhea, &format!("{path}/people/nobody"), &json!({"role": "owner"})).await.status, 404);
    // A cover is an upload with words for it.
    let image = file(&ada).await;
    let cover = json!({"cover": {"file_id": image, "alternative": "A lung"}});
    let covered = ada.patch(path, &cover).await;
    assert_eq!((covered.status, &covered.json()["cover_alt"]), (200, &json!("A lung")), "{}", covered.text);
    assert_eq!(hub.visitor().get(covered.json()["cover_url"].as_str().unwrap()).await.status, 200);
    let theirs = file(&bob).await;
    assert_eq!(faults(&ada.patch(path, &json!({"cover": {"file_id": theirs, "alternative": "x"}})).await), ["cover"]);
    assert_eq!(done(&ada.patch(path, &json!({"archived": true})).await)["archived"], true);
    let listed = done(&bob.get("/api/v1/playbooks").await);
    assert_eq!(listed["items"], json!([]), "archived ones leave the list");
    assert_eq!(bob.post("/api/v1/case-studies", &whole("x", "chest-x-ray")).await.status, 409, "and take nothing new");
});

hub_test!(async fn a_restricted_playbook_is_read_like_its_space(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    let space = hub.space(&ada, "private").await;
    assert_eq!(faults(&bob.post("/api/v1/playbooks", &json!({"slug": "p-x", "title": "x", "visibility": "restricted", "space": space})).await), ["space"], "not said to be there");
    playbook(&ada, "inside", Some(&space)).await;
    put(&ada, &format!("/api/v1/spaces/{space}/members/bob"), &json!({"role": "moderator"})).await;
    bob.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await;
    let slug = published(&ada, &bob, "Inside only", "inside").await;
    for path in ["/api/v1/playbooks/inside", &at(&slug), &format!("{}/revisions", at(&slug)), &format!("{}/export.md", at(&slug)), "/api/v1/playbooks/inside/export"] {
        assert_eq!((bob.get(path).await.status, eve.get(path).await.status, hub.visitor().get(path).await.status), (200, 404, 404), "{path}");
    }
    for (path, body) in [("endorsement", json!({"reason": "Good"})), ("adoption", json!({"status": "live", "site": "x"})), ("follow", json!({}))] {
        assert_eq!(put(&eve, &format!("{}/{path}", at(&slug)), &body).await.status, 404, "{path}");
    }
    assert_eq!(done(&eve.get("/api/v1/case-studies").await)["items"], json!([]));
    assert_eq!(done(&bob.get("/api/v1/case-studies").await)["items"][0]["slug"], slug.as_str());
    assert_eq!(done(&hub.visitor().get("/api/v1/adoptions").await)["items"], json!([]));
    // Whoever leaves the space leaves the review with it.
    done(&bob.post(&format!("/api/v1/spaces/{space}/leave"), &json!({})).await);
    assert_eq!(bob.get(&at(&slug)).await.status, 404);
    hub.settle().await;
    // A withdrawn space: clear words, nothing lost.
    assert_eq!(ada.patch(&format!("/api/v1/spaces/{space}"), &json!({"archived": true})).await.status, 200);
    let draft = ada.post("/api/v1/case-studies", &whole("Another", "inside")).await;
    assert_eq!((draft.status, draft.text.contains("archived")), (409, true), "{}", draft.text);
    assert_eq!(ada.post("/api/v1/playbooks", &json!({"slug": "p-y", "title": "x", "space": space})).await.status, 403);
});

hub_test!(async fn a_study_goes_from_a_draft_to_what_readers_get(hub) {
    let (rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"checklist": ["Figures checked", "No patient data"]})).await);
    let scenario = id(&done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "Read faster"})).await));
    let mut body = whole("Faster X-rays", "reads");
    body["scenarios"] = json!([scenario]);
    let request = || ada.request("POST", "/api/v1/case-studies").header("Idempotency-Key", "one").json(&body);
    let (made, again) = (ada.send(request()).await, ada.send(request()).await);
    assert_eq!((made.status, made.header("location"), &again.text), (201, "/api/v1/case-studies/faster-x-rays", &made.text), "{}", made.text);
    let view = made.json();
    assert_eq!((&view["state"], &view["copy"], &view["authors"][0]["handle"]), (&json!("draft"), &json!("working"), &json!("ada")));
    assert_eq!((&view["measures"][0]["after"], &view["measures"][0]["n"]), (&json!(30.5), &json!(1204)));
    assert_eq!((&view["completeness"]["ready"], &view["completeness"]["written"]), (&json!(true), &json!(5)));
    assert_eq!(view["parts"]["challenge"]["body_html"].as_str().unwrap().trim(), "<p>It was <em>slow</em>.</p>");
    let slug = "faster-x-rays";
    let path = at(slug);
    // Nobody but its authors sees a draft, not even who will review it.
    assert_eq!((bob.get(&path).await.status, eve.get(&path).await.status, hub.visitor().get(&path).await.status), (404, 404, 404));
    assert_eq!(eve.patch(&format!("{path}/parts/aim"), &json!({"body": "x"})).await.status, 404);
    assert_eq!(bob.patch(&format!("{path}/parts/aim"), &json!({"body": "x"})).await.status, 404);
    assert_eq!(step(&bob, slug, "publish", &json!({})).await.status, 404, "it was not submitted");
    assert_eq!(step(&bob, slug, "submit", &json!({})).await.status, 404);
    done(&step(&ada, slug, "submit", &json!({"note": "Please look."})).await);
    assert_eq!(step(&ada, slug, "submit", &json!({})).await.status, 409);
    hub.settle().await;
    assert_eq!(notices(&bob).await, ["study_submitted /case-studies/faster-x-rays/review"]);
    assert_eq!(done(&bob.get("/api/v1/playbooks/reads/reviews").await)["items"][0]["slug"], slug);
    assert_eq!(ada.get("/api/v1/playbooks/reads/reviews").await.status, 403);
    assert_eq!(step(&ada, slug, "publish", &json!({})).await.status, 403, "nobody reviews their own");
    assert_eq!(faults(&step(&bob, slug, "return", &json!({})).await), ["note"]);
    done(&step(&bob, slug, "return", &json!({"note": "Which scanner?"})).await);
    hub.settle().await;
    assert_eq!(notices(&ada).await, ["study_returned /case-studies/faster-x-rays/edit"]);
    done(&ada.patch(&format!("{path}/parts/scope"), &json!({"body": "Two scanners."})).await);
    done(&step(&ada, slug, "submit", &json!({})).await);
    assert_eq!(faults(&step(&bob, slug, "publish", &json!({"checklist": ["Figures checked"]})).await), ["checklist"]);
    let ticked = json!({"checklist": ["Figures checked", "No patient data"], "note": "Well done."});
    let version = done(&bob.get(&path).await)["version"].as_i64().unwrap();
    done(&ada.patch(&format!("{path}/parts/scope"), &json!({"body": "Three scanners."})).await);
    let stale = bob.request("POST", &format!("{path}/publish")).header("If-Match", format!("\"v{version}\"")).json(&ticked);
    assert_eq!(bob.send(stale).await.status, 412, "it has changed since the reviewer read it");
    let out = done(&step(&bob, slug, "publish", &ticked).await);
    assert_eq!((&out["state"], &out["revision"], &out["completeness"]["ready"]), (&json!("published"), &json!(1), &json!(true)));
    hub.settle().await;
    let read = done(&hub.visitor().get(&path).await);
    assert_eq!((&read["copy"], &read["parts"]["scope"]["body"], &read["scenarios"][0]["title"]), (&json!("published"), &json!("Three scanners."), &json!("Read faster")));
    assert_eq!((&read["title"], &read["terms"]["technology"], &read["may"]["respond"]), (&json!("Faster X-rays"), &json!(["U-Net"]), &json!(false)));
    assert!(read["review_due"].is_string() && read["overdue"] == false);
    let book = done(&hub.visitor().get("/api/v1/playbooks/reads").await);
    assert_eq!((&book["study_count"], &book["scenarios"][0]["studies"][0]["slug"]), (&json!(1), &json!(slug)));
    assert_eq!(book["scenarios"][0]["studies"][0]["figure"]["name"], "Time to report");
    // A published study stays as it was until its revision is published.
    assert_eq!(step(&ada, slug, "submit", &json!({})).await.status, 409, "nothing has changed");
    done(&put(&eve, &format!("{path}/follow"), &json!({})).await);
    done(&ada.patch(&path, &json!({"title": "Much faster X-rays", "terms": {"country": ["Wales", "Ireland"]}})).await);
    done(&ada.patch(&format!("{path}/parts/challenge"), &json!({"body": "It was very slow."})).await);
    let mine = done(&ada.get(&path).await);
    assert_eq!((&mine["state"], &mine["title"], &mine["parts"]["challenge"]["version"]), (&json!("revised"), &json!("Much faster X-rays"), &json!(2)));
    let theirs = done(&eve.get(&path).await);
    assert_eq!((&theirs["title"], &theirs["parts"]["challenge"]["body"], &theirs["terms"]["country"]), (&json!("Faster X-rays"), &json!("It was *slow*."), &json!(["Wales"])));
    assert_eq!(eve.get(&format!("{path}?copy=working")).await.status, 403);
    assert_eq!(done(&ada.get(&format!("{path}?copy=published")).await)["title"], "Faster X-rays");
    assert_eq!(done(&eve.get("/api/v1/case-studies?country=ireland").await)["items"], json!([]));
    done(&step(&ada, slug, "submit", &json!({})).await);
    done(&step(&rhea, slug, "publish", &ticked).await);
    hub.settle().await;
    assert_eq!(done(&eve.get(&path).await)["title"], "Much faster X-rays");
    assert_eq!(done(&eve.get("/api/v1/case-studies?country=IRELAND,france&technology=u-net").await)["items"][0]["slug"], slug);
    assert_eq!(notices(&eve).await, ["study_published /case-studies/faster-x-rays"]);
    // History and log.
    let revisions = done(&hub.visitor().get(&format!("{path}/revisions")).await);
    let numbers: Vec<i64> = revisions["items"].as_array().unwrap().iter().map(|of| of["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(done(&eve.get(&format!("{path}/revisions/1")).await)["parts"]["challenge"]["body"], "It was *slow*.");
    let diff = done(&eve.get(&format!("{path}/revisions/2/diff")).await);
    let keys: Vec<&str> = diff["items"].as_array().unwrap().iter().map(|of| of["heading"].as_str().unwrap()).collect();
    assert_eq!(keys, ["Title", "The challenge", "Filed under"]);
    assert!(diff["items"][1]["diff_html"].as_str().unwrap().contains("<ins>"), "{diff}");
    assert_eq!(eve.get(&format!("{path}/revisions/9")).await.status, 404);
    assert_eq!(eve.get(&format!("{path}/log")).await.status, 403);
    let log = done(&ada.get(&format!("{path}/log")).await);
    let acts: Vec<&str> = log["items"].as_array().unwrap().iter().map(|of| of["kind"].as_str().unwrap()).collect();
    assert_eq!(acts, ["published", "submitted", "published", "submitted", "returned", "submitted", "made"]);
    assert_eq!((&log["items"][2]["checklist"][1], &log["items"][2]["note"]), (&json!("No patient data"), &json!("Well done.")));
    let saved = done(&ada.get(&format!("{path}/parts/scope/revisions")).await);
    assert_eq!((&saved["items"][0]["body"], &saved["items"][1]["body"]), (&json!("Three scanners."), &json!("Two scanners.")));
    // Retired: off the lists, still to be read where somebody has cited it.
    assert_eq!(step(&eve, slug, "retire", &json!({})).await.status, 403);
    done(&step(&ada, slug, "retire", &json!({"note": "The scanner is gone."})).await);
    assert_eq!(done(&eve.get("/api/v1/case-studies").await)["items"], json!([]));
    assert_eq!(done(&eve.get(&path).await)["state"], "retired");
    assert_eq!(done(&eve.get("/api/v1/playbooks/reads").await)["study_count"], 0);
    assert_eq!(step(&ada, slug, "retire", &json!({})).await.status, 409);
    done(&step(&ada, slug, "submit", &json!({})).await);
    assert_eq!(done(&eve.get("/api/v1/case-studies").await)["items"], json!([]), "not before somebody has looked at it");
    done(&step(&ada, slug, "withdraw", &json!({})).await);
    assert_eq!(done(&ada.get("/api/v1/me/case-studies?state=retired").await)["items"][0]["slug"], slug);
});

hub_test!(async fn what_cannot_be_taken_is_told_clearly(hub) {
    let (rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let bad = json!({"title": "", "summary": "x".repeat(300), "parts": {"challenge": "![](x.png)", "costs": {"body": "", "fields": {"bought": "€5", "sold": "x"}}},
        "measures": [{"name": "Wait", "before": "90 min", "after": "2 h"}, {"name": "", "before": "many", "after": 1}], "terms": {"colour": ["red"]}});
    assert_eq!(
        faults(&ada.post("/api/v1/case-studies", &bad).await),
        ["title", "terms.colour", "parts.challenge.body", "parts.costs.fields.sold", "summary", "measures[0].after", "measures[1].name", "measures[1].before"]
    );
    let mut parts = serde_json::Map::new();
    (0..3000).for_each(|n| drop(parts.insert(format!("part{n}"), json!("x"))));
    assert_eq!(faults(&ada.post("/api/v1/case-studies", &json!({"title": "x", "parts": parts})).await), ["parts"]);
    assert_eq!(faults(&ada.post("/api/v1/case-studies", &json!({"title": "x", "parts": {"colour": "red"}})).await), ["parts"]);
    let measure = json!({"name": "x", "after": 1});
    assert_eq!(faults(&ada.post("/api/v1/case-studies", &json!({"title": "x", "measures": vec![measure; 41]})).await), ["measures"]);
    assert_eq!(faults(&ada.post("/api/v1/case-studies", &json!({"title": "x", "playbook": "none"})).await), ["playbook"]);
    assert_eq!(faults(&ada.post("/api/v1/case-studies", &json!({"title": "x", "scenarios": ["0000000000001"]})).await), ["scenarios"]);
    assert_eq!(done(&ada.get("/api/v1/me/case-studies").await)["items"], json!([]), "nothing was kept of all that");
    // A draft needs little; publication needs what the meter says.
    let slug = done(&ada.post("/api/v1/case-studies", &json!({"title": "Little"})).await)["slug"].as_str().unwrap().to_owned();
    let path = at(&slug);
    assert_eq!(faults(&step(&ada, &slug, "submit", &json!({})).await), ["playbook"]);
    done(&ada.patch(&path, &json!({"playbook": "reads"})).await);
    assert_eq!(
        faults(&step(&ada, &slug, "submit", &json!({})).await),
        ["parts.summary", "parts.challenge", "parts.what_we_did", "parts.outcomes", "parts.lessons_learned"]
    );
    let part = |key: &str| format!("{path}/parts/{key}");
    assert_eq!(ada.patch(&part("colour"), &json!({"body": "x"})).await.status, 404);
    assert_eq!(faults(&ada.patch(&part("aim"), &json!({"measures": [{"name": "x", "after": 1}]})).await), ["measures"]);
    assert_eq!(faults(&ada.patch(&part("intended_use"), &json!({"fields": {"readiness_level": "ten"}})).await), ["fields.readiness_level"]);
    done(&ada.patch(&part("intended_use"), &json!({"fields": {"readiness_level": "7"}})).await);
    assert_eq!(faults(&ada.patch(&part("review_due"), &json!({"body": "soon"})).await), ["body"]);
    assert_eq!(faults(&ada.patch(&part("owner"), &json!({"body": "nobody"})).await), ["body"]);
    done(&ada.patch(&part("owner"), &json!({"body": "@bob"})).await);
    assert_eq!(done(&ada.get(&path).await)["owner"]["handle"], "bob");
    // An owner who is gone.
    hub.member("dan").await;
    done(&rhea.post("/api/v1/members/dan/suspend", &json!({"reason": "Away."})).await);
    let gone = ada.patch(&part("owner"), &json!({"body": "dan"})).await;
    assert_eq!((faults(&gone), gone.text.contains("not in use")), (vec!["body".to_owned()], true), "{}", gone.text);
    let many: String = (0..60).map(|n| format!("![f{n}](x.png)\n")).collect();
    assert_eq!(faults(&ada.patch(&part("aim"), &json!({"body": many})).await), ["body"]);
    assert_eq!(ada.patch(&part("aim"), &json!({"body": "x".repeat(60_001)})).await.status, 422);
    // A day that has passed.
    done(&ada.patch(&part("review_due"), &json!({"body": "2020-01-01"})).await);
    assert!(faults(&step(&ada, &slug, "submit", &json!({})).await).contains(&"parts.review_due".to_owned()));
    // An author who is a reviewer too.
    let own = study(&bob, "His own", "reads").await;
    done(&step(&bob, &own, "submit", &json!({})).await);
    let refused = step(&bob, &own, "publish", &json!({})).await;
    assert_eq!((refused.status, refused.text.contains("Nobody reviews their own")), (403, true), "{}", refused.text);
    // While it waits or is published, a study stays where it is.
    playbook(&ada, "other", None).await;
    assert_eq!(bob.patch(&at(&own), &json!({"playbook": "other"})).await.status, 409);
    assert_eq!(ada.post(&format!("{}/discussion", at(&own)), &json!({})).await.status, 404);
    hub.settle().await;
});

/// For the table of permissions: a playbook that is read like `space`, a study in it that is
/// published, and the address of what is looked at.
pub async fn place(cast: &crate::support::stage::Cast, space: &str, number: u32, template: &str) -> String {
    let slug = format!("book-{number}");
    playbook(&cast.owner, &slug, Some(space)).await;
    let study = published(&cast.author, &cast.owner, &format!("Study {number}"), &slug).await;
    let mut path = template.to_owned();
    if path.starts_with("/playbooks") {
        path = path.replace("{slug}", &slug).replace("{study}", &study).replace("{handle}", &cast.member.handle);
        if path.contains("{id}") {
            let made =
                cast.owner.post(&format!("/api/v1/playbooks/{slug}/scenarios"), &json!({"title": "Looked at"})).await;
            path = path.replace("{id}", &made.id());
        }
        return path;
    }
    path = path.replace("{slug}", &study).replace("{key}", "aim").replace("{number}", "1").replace("{handle}", "gina");
    if path.contains("{id}") {
        let body = json!({"part": "aim", "body": "A comment that is looked at."});
        let made = cast.author.post(&format!("{}/comments", at(&study)), &body).await;
        path = path.replace("{id}", &made.id());
    }
    path
}
