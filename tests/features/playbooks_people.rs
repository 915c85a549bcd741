//! Whose a case study is: who may say so, who hears of it, and what readers are told.

use serde_json::{Value, json};

use super::playbooks::{at, faults, notices, playbook, published, put, step, study};
use crate::support::html::check_html;
use crate::support::stage::{done, id};
use crate::support::{Client, hub_test};

/// The log of a study, the oldest first.
async fn log(who: &Client, slug: &str) -> Vec<String> {
    let page = done(&who.get(&format!("{}/log", at(slug))).await);
    let line = |of: &Value| format!("{} {}", of["kind"].as_str().unwrap(), of["note"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().rev().map(line).collect()
}

/// The handles of those who wrote it, as an answer has them.
fn authors(of: &Value) -> Vec<String> {
    of["authors"].as_array().unwrap().iter().map(|who| who["handle"].as_str().unwrap().to_owned()).collect()
}

hub_test!(async fn others_are_taken_out_by_whoever_began_it(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Ours", "reads").await;
    // Its publication is told before she is taken in.
    hub.settle().await;
    let of = |handle: &str| format!("{}/authors/{handle}", at(&slug));
    done(&put(&ada, &of("eve"), &json!({"role": "author"})).await);
    // A co-author takes nobody out, and makes nobody less than an author.
    assert_eq!(eve.delete(&of("ada")).await.status, 403);
    assert_eq!(put(&eve, &of("ada"), &json!({"role": "credited"})).await.status, 403);
    // Their pages offer what they may.
    for (who, offered) in [("ada", [true, true]), ("eve", [false, true])] {
        let editor = Client::sign_in(&hub.base, who).await.page(&format!("/case-studies/{slug}/edit")).await;
        let takes = |out: &str| editor.text.contains(&format!("name=\"handle\" value=\"{out}\""));
        assert_eq!([takes("ada"), takes("eve")], offered, "{who}: {}", editor.text);
    }
    // Said again, nothing is new.
    done(&put(&eve, &of("ada"), &json!({"role": "author"})).await);
    let before = ["made ", "submitted ", "published "];
    assert_eq!(log(&ada, &slug).await, [&before[..], &["joined @eve"][..]].concat());
    done(&ada.delete(&of("eve")).await);
    // An owner of the playbook may, and everybody may leave.
    done(&put(&ada, &of("eve"), &json!({"role": "author"})).await);
    done(&bob.delete(&of("eve")).await);
    done(&put(&ada, &of("eve"), &json!({"role": "credited"})).await);
    done(&eve.delete(&of("eve")).await);
    let told: [&str; 6] = ["joined @eve", "left @eve", "joined @eve", "left @eve", "credited @eve", "left @eve"];
    assert_eq!(log(&bob, &slug).await, [&before[..], &told[..]].concat());
    hub.settle().await;
    let mut kinds: Vec<String> =
        notices(&eve).await.iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect();
    kinds.reverse();
    assert_eq!(kinds, ["study_shared", "study_left", "study_shared", "study_left", "study_credited"]);
});

hub_test!(async fn who_wrote_what_is_published_changes_with_a_review(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let slug = published(&ada, &bob, "Ours", "reads").await;
    let (path, page) = (at(&slug), format!("/case-studies/{slug}"));
    // Eve joins and ada leaves: readers get what was reviewed, whichever way they ask.
    done(&put(&ada, &format!("{path}/authors/eve"), &json!({"role": "author"})).await);
    done(&ada.delete(&format!("{path}/authors/ada")).await);
    let visitor = hub.visitor();
    assert_eq!(authors(&done(&eve.get(&path).await)), ["eve"], "the draft");
    let told = async || {
        let view = done(&visitor.get(&path).await);
        let listed = done(&visitor.get("/api/v1/case-studies").await)["items"][0].clone();
        let of_ada = done(&visitor.get("/api/v1/case-studies?author=ada").await)["items"].as_array().unwrap().len();
        (authors(&view), authors(&listed), of_ada)
    };
    let one = |who: &str| vec![who.to_owned()];
    assert_eq!(told().await, (one("ada"), one("ada"), 1));
    for what in ["cite.txt", "cite.bib", "cite.jsonld"] {
        let cited = visitor.get(&format!("{page}/{what}")).await.text.to_lowercase();
        assert!(cited.contains("ada example") && !cited.contains("eve example"), "{what}: {cited}");
    }
    let markdown = visitor.get(&format!("{path}/export.md")).await.text;
    let front = markdown.lines().find(|line| line.starts_with("authors:")).unwrap();
    assert!(front.contains("ada") && !front.contains("eve"), "{front}");
    let feed = visitor.get("/playbooks/reads/feed.atom").await.text.to_lowercase();
    assert!(feed.contains("ada example") && !feed.contains("eve example"), "{feed}");
    // Its reviewer sees what is new, and with the review it is.
    let review = Client::sign_in(&hub.base, "bob").await.page(&format!("{page}/review")).await;
    assert!(review.text.contains("Who wrote it"), "{}", review.text);
    assert_eq!(done(&eve.get(&path).await)["state"], "revised");
    done(&step(&eve, &slug, "submit", &json!({})).await);
    done(&step(&bob, &slug, "publish", &json!({})).await);
    assert_eq!(told().await, (one("eve"), one("eve"), 0));
    let past = done(&visitor.get(&format!("{path}/revisions")).await);
    assert_eq!((authors(&past["items"][0]), authors(&past["items"][1])), (one("eve"), one("ada")));
    assert_eq!(authors(&done(&visitor.get(&format!("{path}/revisions/1")).await)), ["ada"]);
    let endorse = put(&ada, &format!("{path}/endorsement"), &json!({"reason": "Mine"})).await;
    assert_eq!(endorse.status, 403, "she wrote it once");
    hub.settle().await;
});

hub_test!(async fn an_owner_whose_account_is_closed_keeps_nothing_true(hub) {
    let (rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    hub.member("eve").await;
    playbook(&bob, "reads", None).await;
    let owned = async |title: &str| {
        let slug = study(&ada, title, "reads").await;
        done(&ada.patch(&format!("{}/parts/owner", at(&slug)), &json!({"body": "eve"})).await);
        done(&step(&ada, &slug, "submit", &json!({})).await);
        slug
    };
    let (first, second) = (owned("First").await, owned("Second").await);
    done(&step(&bob, &first, "publish", &json!({})).await);
    assert_eq!(done(&ada.get(&at(&first)).await)["owner_gone"], json!(false));
    done(&rhea.post("/api/v1/members/eve/suspend", &json!({"reason": "Gone"})).await);
    assert_eq!(faults(&step(&bob, &second, "publish", &json!({})).await), ["parts.owner"]);
    done(&step(&bob, &second, "return", &json!({"note": "Who keeps it?"})).await);
    assert_eq!(faults(&step(&ada, &second, "submit", &json!({})).await), ["parts.owner"]);
    let page = hub.visitor().page(&format!("/case-studies/{first}")).await;
    assert!(page.text.contains("This account is no longer in use."), "{}", page.text);
    assert_eq!(done(&hub.visitor().get(&at(&first)).await)["owner_gone"], json!(true));
    done(&ada.patch(&format!("{}/parts/owner", at(&second)), &json!({"body": "ada"})).await);
    done(&step(&ada, &second, "submit", &json!({})).await);
    done(&step(&bob, &second, "publish", &json!({})).await);
    hub.settle().await;
});

hub_test!(async fn an_author_who_is_shut_out_is_told_whom_to_ask(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&bob, "private").await;
    playbook(&bob, "reads", Some(&space)).await;
    put(&bob, &format!("/api/v1/spaces/{space}/members/ada"), &json!({"role": "member"})).await;
    done(&ada.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
    let slug = published(&ada, &bob, "Inside", "reads").await;
    let begun = study(&ada, "Not yet", "reads").await;
    done(&bob.delete(&format!("/api/v1/spaces/{space}/members/ada")).await);
    done(&ada.patch(&format!("{}/parts/aim", at(&slug)), &json!({"body": "To be fast."})).await);
    let refused = step(&ada, &slug, "submit", &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("Ask its owners") && !refused.text.contains("choose another"), "{}", refused.text);
    assert_eq!(done(&ada.get(&at(&slug)).await)["parts"]["aim"]["body"], "To be fast.", "nothing is lost");
    let other = step(&ada, &begun, "submit", &json!({})).await;
    assert!(other.status == 409 && other.text.contains("choose another"), "{} {}", other.status, other.text);
    let about = Client::sign_in(&hub.base, "ada").await.page(&format!("/case-studies/{begun}/edit/about")).await;
    assert_eq!(about.status, 200, "where another one is chosen");
    hub.settle().await;
});

hub_test!(async fn what_is_said_among_few_leaves_its_space_with_a_word(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    let from = "/api/v1/case-studies/from-topic";
    let secret = hub.space(&ada, "confidential").await;
    let topic = id(&hub.topic(&ada, &secret, "Merger of wards").await);
    for body in [json!({"topic_id": topic}), json!({"topic_id": topic, "playbook": "reads", "confirmed": true})] {
        let refused = ada.post(from, &body).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        assert!(refused.text.contains("stays in it"), "{}", refused.text);
    }
    let browser = Client::sign_in(&hub.base, "ada").await;
    assert_eq!(browser.page(&format!("/case-studies/new?topic={topic}")).await.status, 403);
    // Nor is it offered there, as it is elsewhere.
    let open = hub.space(&ada, "open").await;
    let told = id(&hub.topic(&ada, &open, "Merger of sites").await);
    for (space, topic, offered) in [(&secret, &topic, false), (&open, &told, true)] {
        let shown = browser.page(&format!("/s/{space}/t/{topic}")).await;
        assert_eq!(shown.text.contains("/case-studies/new?topic="), offered, "{}", shown.text);
    }
    // A private space: into a playbook of its own at once, into an open one when asked.
    let space = hub.space(&ada, "private").await;
    playbook(&ada, "ours", Some(&space)).await;
    let topic = id(&hub.topic(&ada, &space, "Quiet trouble").await);
    let inside = done(&ada.post(from, &json!({"topic_id": topic, "playbook": "ours"})).await);
    assert_eq!((&inside["title"], inside["slug"].as_str().unwrap().contains("quiet")), (&json!("Quiet trouble"), false));
    let slug = inside["slug"].as_str().unwrap().to_owned();
    let asked = ada.post(from, &json!({"topic_id": topic, "playbook": "reads"})).await;
    assert_eq!((asked.status, &asked.json()["code"]), (409, &json!("confirm")), "{}", asked.text);
    let body = json!({"topic_id": topic, "playbook": "reads", "title": "Said aloud", "confirmed": true});
    assert_eq!(done(&ada.post(from, &body).await)["slug"], "said-aloud");
    // Nor does it go there on a second way.
    assert_eq!(ada.patch(&at(&slug), &json!({"playbook": "reads"})).await.status, 409);
    done(&ada.patch(&at(&slug), &json!({"playbook": "reads", "confirmed": true})).await);
    let page = browser.page(&format!("/case-studies/new?topic={topic}")).await;
    let fields = [("topic", topic.as_str()), ("title", "Quiet trouble"), ("playbook", "reads")];
    let asked = browser.form("/case-studies/new", &page.csrf(), &fields).await;
    assert!(asked.status == 409 && asked.text.contains("name=\"confirmed\""), "{} {}", asked.status, asked.text);
    hub.settle().await;
});

hub_test!(async fn words_are_said_to_whom_they_go(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    done(&bob.patch("/api/v1/playbooks/reads", &json!({"checklist": ["Sources?"]})).await);
    let slug = study(&ada, "Said", "reads").await;
    let (browser, page) = (Client::sign_in(&hub.base, "ada").await, format!("/case-studies/{slug}"));
    let submit = browser.page(&format!("{page}/submit")).await;
    check_html(&submit.text);
    assert!(submit.text.contains("What you say to the reviewers") && !submit.text.contains("to the authors"), "{}", submit.text);
    // Without scripts a part that was saved says so.
    let edit = browser.page(&format!("{page}/edit")).await;
    assert!(!edit.text.contains("role=\"status\">Saved<"), "{}", edit.text);
    let saved = browser.form(&format!("{page}/edit/aim"), &edit.csrf(), &[("version", "0"), ("body", "To be fast.")]).await;
    let to = format!("{page}/edit?saved=aim#aim");
    assert_eq!((saved.status, saved.header("location")), (303, to.as_str()), "{}", saved.text);
    let edit = browser.page(&format!("{page}/edit?saved=aim")).await;
    check_html(&edit.text);
    assert_eq!(edit.text.matches("role=\"status\">Saved<").count(), 1, "{}", edit.text);
    done(&step(&ada, &slug, "submit", &json!({})).await);
    let open = step(&bob, &slug, "publish", &json!({})).await;
    assert_eq!(faults(&open), ["checklist"]);
    assert!(open.text.contains("has 1 point that is not ticked"), "{}", open.text);
    hub.settle().await;
});

hub_test!(async fn what_stands_in_a_playbook_is_shown_to_those_who_may_read_it(hub) {
    let (_rhea, ada, bob, eve) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await, hub.member("eve").await);
    playbook(&bob, "reads", None).await;
    let open = published(&ada, &bob, "Seen by all", "reads").await;
    let space = hub.space(&bob, "private").await;
    done(&put(&bob, &format!("/api/v1/spaces/{space}/members/ada"), &json!({"role": "member"})).await);
    done(&ada.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await);
    playbook(&bob, "inner", Some(&space)).await;
    let scenario = id(&done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": "Faster"})).await));
    let place = |slug: &str| format!("/api/v1/playbooks/reads/scenarios/{scenario}/studies/{slug}");
    done(&put(&bob, &place(&open), &json!({})).await);
    let shown = async |who: &Client| {
        let view = done(&who.get("/api/v1/playbooks/reads").await);
        let studies = view["scenarios"][0]["studies"].as_array().unwrap();
        let titles: Vec<String> = studies.iter().map(|of| of["title"].as_str().unwrap().to_owned()).collect();
        (titles, view["scenarios"][0]["study_count"].as_i64().unwrap())
    };
    let (all, few) = ((vec!["Seen by all".to_owned(), "Seen by few".to_owned()], 2), (vec!["Seen by all".to_owned()], 1));
    for who in [&bob, &eve, &hub.visitor()] {
        assert_eq!(shown(who).await, few);
    }
    // One that is not open is there for its space alone, whoever looked before.
    let inner = published(&ada, &bob, "Seen by few", "inner").await;
    done(&put(&bob, &place(&inner), &json!({})).await);
    let page = Client::sign_in(&hub.base, "eve").await;
    let inside = Client::sign_in(&hub.base, "bob").await;
    for _ in 0..2 {
        for (who, seen) in [(&inside, true), (&page, false), (&hub.visitor(), false)] {
            let read = who.page("/playbooks/reads").await;
            assert!(read.text.contains("Seen by all"), "{}", read.text);
            assert_eq!(read.text.contains("Seen by few"), seen, "{}", read.text);
        }
        assert_eq!(shown(&bob).await, all);
        assert_eq!(shown(&eve).await, few);
        assert_eq!(shown(&hub.visitor()).await, few);
    }
    // What its page shows to members is no older than what happened before it was asked for.
    done(&bob.delete(&place(&inner)).await);
    assert!(page.page("/playbooks/reads").await.text.contains("Seen by all"));
    done(&bob.delete(&place(&open)).await);
    assert!(!page.page("/playbooks/reads").await.text.contains("Seen by all"));
    assert_eq!(shown(&eve).await, (vec![], 0));
    done(&put(&bob, &place(&open), &json!({})).await);
    let mut queries: Vec<u32> = Vec::new();
    for _ in 0..4 {
        let read = page.page("/playbooks/reads").await;
        assert!(read.text.contains("Seen by all") && !read.text.contains("Seen by few"), "{}", read.text);
        queries.push(read.header("x-queries").parse().unwrap());
    }
    // What was read once is kept, and not read again.
    let again = queries[1..].iter().min().unwrap();
    assert!(queries[0] <= 8 && again + 4 <= queries[0], "{queries:?}");
    assert_eq!(shown(&bob).await, few);
    hub.settle().await;
});
