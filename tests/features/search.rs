//! Search by HTTP: what is found, how it is asked, and that it is there within a moment.

use serde_json::{Value, json};

use super::chat::{room, say};
use crate::support::stage::{done, id};
use crate::support::{Client, TestHub, search_test};

/// Waits until everything written so far can be found.
pub async fn settle(hub: &TestHub) {
    let settled = tokio::time::timeout(std::time::Duration::from_secs(20), hub.state().search.settle()).await;
    assert!(matches!(settled, Ok(Ok(()))), "the index does not follow: {:?}", hub.state().search.status());
}

/// What a search finds.
pub async fn search(who: &Client, query: &[(&str, &str)]) -> Value {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let answer = who.get(&format!("/api/v1/search?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

/// The titles of what a search finds, in order.
async fn titles(who: &Client, q: &str) -> Vec<String> {
    let found = search(who, &[("q", q)]).await;
    found["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

async fn topic(who: &Client, space: &str, title: &str, body: &str, tags: &[&str]) -> Value {
    let body = json!({"title": title, "body": body, "kind": "question", "tags": tags});
    let answer = who.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn kinds(found: &Value) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        found["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

search_test!(async fn everything_is_found_where_it_is(hub) {
    let ada = hub.member("ada").await;
    let body = json!({"slug": "falls", "name": "Preventing plimsoll falls", "description": "On wards.", "visibility": "open"});
    assert_eq!(ada.post("/api/v1/spaces", &body).await.status, 201);
    let asked = topic(&ada, "falls", "Plimsoll sensors", "Which *plimsoll* sensors work & why?", &["falls"]).await;
    let reply = hub.reply(&ada, &id(&asked), None, "The plimsoll by the bed.").await;
    let chat = room(&ada, "falls", "plimsoll", false).await;
    let said = say(&ada, &id(&chat), "plimsoll alarms again").await;
    assert_eq!(ada.patch("/api/v1/me", &json!({"headline": "Plimsoll engineer"})).await.status, 200);
    settle(hub).await;
    let found = search(&ada, &[("q", "plimsoll")]).await;
    assert_eq!(kinds(&found), ["member", "message", "post", "room", "space", "topic"], "the opening is the topic: {found}");
    assert_eq!(found["total"], 6);
    let of = |kind: &str| found["items"].as_array().unwrap().iter().find(|item| item["kind"] == kind).unwrap().clone();
    let item = of("topic");
    assert_eq!(item["id"], asked["id"]);
    assert_eq!(item["snippet_html"], "Which <mark>plimsoll</mark> sensors work &amp; why?");
    assert_eq!((&item["space"], &item["author"]["handle"]), (&json!("falls"), &json!("ada")));
    assert_eq!(item["url"], format!("/s/falls/t/{}", id(&asked)));
    assert!(item["score"].as_f64().unwrap() > 0.0 && item["created_at"] == asked["created_at"]);
    assert_eq!(of("post")["url"], format!("/s/falls/t/{}#post-{}", id(&asked), id(&reply)));
    assert_eq!(of("post")["title"], "Plimsoll sensors");
    assert_eq!(of("message")["url"], format!("/s/falls/chat/plimsoll?at={}", said["seq"]));
    assert_eq!(of("member")["url"], "/people/ada");
    assert_eq!(found["facets"]["kind"], json!({"member": 1, "message": 1, "post": 1, "room": 1, "space": 1, "topic": 1}));
    assert_eq!(found["facets"]["tag"], json!({"falls": 1}));
    // A visitor sees no rooms and no directory.
    assert_eq!(kinds(&search(&hub.visitor(), &[("q", "plimsoll")]).await), ["post", "space", "topic"]);
    let suggested = done(&ada.get("/api/v1/search/suggest?q=plim").await);
    let names: Vec<&str> = suggested["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert!(names.contains(&"space") && names.contains(&"room") && names.contains(&"topic") && !names.contains(&"post"), "{suggested}");
    let places = done(&ada.get("/api/v1/search/suggest?q=plim&kind=space,room,member").await);
    assert_eq!(places["items"].as_array().unwrap().len(), 2, "{places}");
    // What is called so comes before what is only filed under it.
    topic(&ada, "falls", "Zorblat pumps on long wards", "Text.", &[]).await;
    topic(&ada, "falls", "Bed rails", "Text.", &["zorblats"]).await;
    topic(&ada, "falls", "Nurse handover", "Text.", &[]).await;
    settle(hub).await;
    for begun in ["zorb", "zorblat"] {
        let suggested = done(&ada.get(&format!("/api/v1/search/suggest?q={begun}")).await);
        let titles: Vec<&str> = suggested["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["Zorblat pumps on long wards", "Bed rails"], "{begun}");
    }
    assert_eq!(done(&ada.get("/api/v1/search/suggest?q=nursing").await)["items"], json!([]), "no word begins so");
});

search_test!(async fn words_are_understood(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    for (title, body) in [
        ("Screening", "Patients were screened for diabetic retinopathies."),
        ("Évaluation", "Le dépistage et les évaluations des algorithmes dans les hôpitaux."),
        ("Model card", "We trained CheXNet-v2 with the train_val_split of our healthcare data."),
        ("中文", "人工智能在医疗中的应用"),
        ("Arabic", "الذكاء الإصطناعي في الرعاية الصحية"),
        ("Thrombosis of deep veins", "vein thrombosis that is deep"),
        ("Veins", "A case of deep vein thrombosis, seen by a general practitioner."),
        ("Retinopathy", "Nothing else is said."),
        ("Pneumonia", "A pneumonia that was missed on the chest x-ray."),
    ] {
        topic(&ada, &space, title, body, &[]).await;
    }
    settle(hub).await;
    let first = async |q: &str| titles(&ada, q).await.first().cloned().unwrap_or_default();
    assert_eq!(first("screens retinopathy").await, "Screening", "stems");
    assert_eq!(first("algorithme hospitalier évaluation").await, "Évaluation", "French, with accents and without");
    assert_eq!(first("evaluation").await, "Évaluation");
    assert_eq!(titles(&ada, "\"deep vein thrombosis\"").await, ["Veins"], "a phrase");
    assert_eq!(titles(&ada, "thrombosis -\"general practitioner\"").await, ["Thrombosis of deep veins"]);
    assert_eq!(titles(&ada, "thrombosis -practitioner").await, ["Thrombosis of deep veins"]);
    assert_eq!(first("pneumo").await, "Pneumonia", "a beginning");
    for letter in ["x", "z"] {
        assert!(!titles(&ada, letter).await.contains(&"Veins".to_owned()), "no word of it begins with {letter}");
    }
    let typo = search(&ada, &[("q", "pnuemonia ")]).await;
    assert_eq!((typo["items"][0]["title"].as_str(), typo["did_you_mean"].as_str()), (Some("Pneumonia"), Some("pneumonia")));
    assert!(titles(&ada, "vien ").await.contains(&"Veins".to_owned()), "one fault from four letters");
    assert!(titles(&ada, "ven -x ").await.is_empty(), "none below");
    assert!(titles(&ada, "trombsis ").await.contains(&"Veins".to_owned()), "two from eight");
    for part in ["chexnet", "chexnetv2", "net v2", "CheXNet-v2", "split", "train_val", "health care", "Healthcare"] {
        assert_eq!(first(part).await, "Model card", "{part}");
    }
    assert_eq!(first("智能").await, "中文");
    assert_eq!(first("人工智能").await, "中文");
    assert_eq!(first("医").await, "中文", "one letter");
    assert_eq!(first("الذكاء الاصطناعى").await, "Arabic", "whichever alef");
    assert_eq!(first("GP ").await, "Veins", "a synonym");
    assert_eq!(first("CXR ").await, "Pneumonia", "a synonym");
    assert_eq!(titles(&ada, "retinopathy").await, ["Retinopathy", "Screening"], "a hit in the title is above one in the text");
    let shown = search(&ada, &[("q", "\"deep vein\"")]).await;
    let html = shown["items"][0]["snippet_html"].as_str().unwrap();
    assert_eq!(html, "A case of <mark>deep</mark> <mark>vein</mark> thrombosis, seen by a general practitioner.");
});

search_test!(async fn bad_questions_get_clear_answers(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    hub.topic(&ada, &space, "Never ending quotes").await;
    settle(hub).await;
    let ask = async |q: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
        ada.get(&format!("/api/v1/search?{query}")).await
    };
    for (q, said) in [
        ("x".repeat(10_000), "500 characters"),
        ("word ".repeat(99), "40 words"),
        ("\" - -- \"\" ***".to_owned(), "no word"),
        ("-x".to_owned(), "leave out"),
        ("\u{1}\u{7}\u{1b}".to_owned(), "no word"),
    ] {
        let answer = ask(&q).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(said), "{}", answer.text);
        assert_eq!(answer.json()["errors"][0]["field"], "q");
    }
    for q in ["\"never ending", "(a+)+$", "title:never AND (ending", "a\u{1}b never", "[[[[", "never*", "^((((((x{1,9}){1,9}){1,9}"] {
        let answer = ask(q).await;
        assert!(matches!(answer.status, 200 | 422), "{q}: {}", answer.text);
    }
    let refused = ask("a\u{0}b never").await;
    assert!(refused.status == 400 && refused.text.contains("NUL"), "no address of the hub has one: {}", refused.text);
    assert_eq!(search(&ada, &[("q", "\"never ending")]).await["total"], 1, "a quote that does not end");
    for (name, value) in [
        ("kind", "nonsense"), ("space", "no-such-space"), ("from", "yesterday"), ("to", "2026-13-01"), ("sort", "best"),
        ("room", "x"), ("limit", "0"), ("limit", "101"), ("cursor", "nonsense"), ("tag", &"x".repeat(99)),
    ] {
        let answer = ada.get(&format!("/api/v1/search?q=x&{name}={value}")).await;
        assert_eq!((answer.status, answer.json()["errors"][0]["field"].as_str()), (422, Some(name)), "{}", answer.text);
    }
    assert_eq!(search(&ada, &[]).await["total"], 0, "nothing asked");
    let page = ada.page(&format!("/search?q={}", "x".repeat(10_000))).await;
    assert!(page.status == 422 && page.text.contains("500 characters"), "{}", page.status);
});

search_test!(async fn results_are_filtered_counted_sorted_and_paged(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (one, two) = (hub.space(&ada, "open").await, hub.space(&ada, "open").await);
    for number in 0..7 {
        let (who, space) = if number % 2 == 0 { (&ada, &one) } else { (&bob, &two) };
        topic(who, space, &format!("Orchid {number}"), "text", if number < 3 { &["red"] } else { &["blue", "red"] }).await;
    }
    settle(hub).await;
    let all = search(&ada, &[("q", "orchid"), ("limit", "3")]).await;
    assert_eq!((&all["total"], &all["facets"]["tag"]), (&json!(7), &json!({"red": 7, "blue": 4})));
    assert_eq!(all["facets"]["space"], json!({&*one: 4, &*two: 3}));
    assert_eq!(all["facets"]["author"], json!({"ada": 4, "bob": 3}));
    let blue = search(&ada, &[("q", "orchid"), ("tag", "blue"), ("space", &one)]).await;
    assert_eq!(blue["total"], 2);
    assert_eq!(blue["facets"]["space"], json!({&*one: 2, &*two: 2}), "as if its own filter were not set");
    assert_eq!(search(&ada, &[("q", "orchid"), ("author", "@bob")]).await["total"], 3);
    assert_eq!(search(&ada, &[("q", "orchid"), ("author", "nobody")]).await["total"], 0);
    assert_eq!(search(&ada, &[("q", "orchid"), ("kind", "post,message")]).await["total"], 0);
    assert_eq!(search(&ada, &[("q", "orchid"), ("to", "2020-01-01")]).await["total"], 0);
    assert_eq!(search(&ada, &[("q", "orchid"), ("from", "2020-01-01")]).await["total"], 7);
    assert_eq!(search(&ada, &[("tag", "blue")]).await["total"], 4, "no words, only a filter");
    for sort in ["relevance", "new"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = search(&ada, &[("q", "orchid"), ("limit", "3"), ("sort", sort), ("cursor", &cursor)]).await;
            seen.extend(page["items"].as_array().unwrap().iter().map(id));
            if seen.len() == 3 {
                // What arrives meanwhile shifts nothing.
                topic(&ada, &one, "Orchid late", "text", &[]).await;
                settle(hub).await;
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert!(once.len() == seen.len() && seen.len() >= 7, "{sort}: {seen:?}");
    }
    // A cursor goes on with its own question, for whoever asked it.
    let cursor = all["next_cursor"].as_str().unwrap();
    for (who, q) in [(&ada, "text"), (&bob, "orchid"), (&hub.visitor(), "orchid")] {
        let answer = who.get(&format!("/api/v1/search?q={q}&limit=3&cursor={cursor}")).await;
        assert_eq!((answer.status, answer.json()["errors"][0]["field"].as_str()), (422, Some("cursor")), "{}", answer.text);
    }
    let newest = search(&ada, &[("q", "orchid"), ("sort", "new")]).await;
    let date = |item: &Value| {
        let format = &time::format_description::well_known::Rfc3339;
        time::OffsetDateTime::parse(item["created_at"].as_str().unwrap(), format).unwrap()
    };
    let dates: Vec<_> = newest["items"].as_array().unwrap().iter().map(date).collect();
    assert!(dates.is_sorted_by(|a, b| a >= b), "{dates:?}");
});

search_test!(async fn a_question_of_many_words_is_filtered_and_counted_alike(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (one, two) = (hub.space(&ada, "open").await, hub.space(&ada, "open").await);
    for number in 0..6 {
        let (who, space) = if number % 2 == 0 { (&ada, &one) } else { (&bob, &two) };
        let tags: &[&str] = if number < 2 { &["red"] } else { &["blue"] };
        topic(who, space, &format!("Sandpiper {number}"), "A wader on the northern shore.", tags).await;
    }
    settle(hub).await;
    let ask = async |more: &[(&str, &str)]| {
        let mut query = vec![("q", "sandpiper wader northern shore ")];
        query.extend_from_slice(more);
        search(&ada, &query).await
    };
    let all = ask(&[]).await;
    assert_eq!((&all["total"], &all["facets"]["tag"]), (&json!(6), &json!({"red": 2, "blue": 4})), "{all}");
    let some = ask(&[("tag", "blue"), ("space", &one)]).await;
    assert_eq!(some["total"], 2, "{some}");
    assert_eq!(some["facets"]["space"], json!({&*one: 2, &*two: 2}), "as if its own filter were not set");
    assert_eq!(some["facets"]["tag"], json!({"red": 1, "blue": 2}));
    assert_eq!((&some["facets"]["author"], &some["facets"]["kind"]), (&json!({"ada": 2}), &json!({"topic": 2})));
    let theirs = ask(&[("author", "bob"), ("kind", "topic")]).await;
    assert_eq!((&theirs["total"], &theirs["facets"]["author"]), (&json!(3), &json!({"ada": 3, "bob": 3})), "{theirs}");
    assert_eq!(ask(&[("kind", "post")]).await["facets"]["kind"], json!({"topic": 6}));
});

search_test!(async fn what_changes_is_followed(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    let asked = topic(&bob, &space, "Wombat", "text", &[]).await;
    let reply = hub.reply(&ada, &id(&asked), None, "A quokka here.").await;
    let chat = room(&ada, &space, "zoo", false).await;
    let said = say(&bob, &id(&chat), "numbat").await;
    settle(hub).await;
    let total = async |q: &str| search(&ada, &[("q", q)]).await["total"].as_i64().unwrap();
    assert_eq!((total("wombat").await, total("quokka").await, total("numbat").await), (1, 1, 1));
    let topic_at = format!("/api/v1/topics/{}", id(&asked));
    done(&bob.patch(&topic_at, &json!({"title": "Bilby"})).await);
    done(&ada.patch(&format!("/api/v1/posts/{}", id(&reply)), &json!({"body": "A potoroo."})).await);
    done(&bob.patch(&format!("/api/v1/messages/{}", id(&said)), &json!({"body": "dunnart"})).await);
    settle(hub).await;
    assert_eq!((total("wombat").await, total("quokka").await, total("numbat").await), (0, 0, 0));
    assert_eq!((total("bilby").await, total("potoroo").await, total("dunnart").await), (1, 1, 1));
    // A hidden topic takes its replies along, and brings them back.
    let hide = json!({"reason": "Checked."});
    done(&ada.post(&format!("{topic_at}/hide"), &hide).await);
    settle(hub).await;
    assert_eq!((total("bilby").await, total("potoroo").await), (0, 0), "also for who may see it on its page");
    done(&ada.post(&format!("{topic_at}/unhide"), &hide).await);
    settle(hub).await;
    assert_eq!((total("bilby").await, total("potoroo").await), (1, 1));
    done(&ada.post(&format!("/api/v1/posts/{}/purge", id(&reply)), &hide).await);
    done(&bob.delete(&format!("/api/v1/messages/{}", id(&said))).await);
    done(&ada.delete(&topic_at).await);
    settle(hub).await;
    assert_eq!((total("bilby").await, total("potoroo").await, total("dunnart").await), (0, 0, 0));
    // A member who may not sign in is found by nobody, and again when let in.
    assert_eq!(total("bob").await, 1);
    done(&ada.post("/api/v1/members/bob/suspend", &hide).await);
    settle(hub).await;
    assert_eq!(total("bob").await, 0);
    assert_eq!(hub.state().search.check().await.unwrap(), 0, "index and rows agree");
});

search_test!(async fn saved_searches_tell_of_what_is_new(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let space = hub.space(&ada, "open").await;
    topic(&bob, &space, "Old heron", "text", &[]).await;
    let kept = ada.post("/api/v1/me/searches", &json!({"query": "q=heron&kind=topic", "notify": true})).await;
    assert_eq!((kept.status, kept.json()["name"].as_str()), (201, Some("heron, topic")), "{}", kept.text);
    for wrong in [json!({"query": ""}), json!({"query": "q=%22%22"}), json!({"query": "q=x&space=none"}), json!({})] {
        assert_eq!(ada.post("/api/v1/me/searches", &wrong).await.status, 422, "{wrong}");
    }
    let listed = done(&ada.get("/api/v1/me/searches").await);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(done(&bob.get("/api/v1/me/searches").await)["items"], json!([]));
    let at = format!("/api/v1/me/searches/{}", kept.id());
    assert_eq!(bob.delete(&at).await.status, 404);
    assert_eq!(done(&ada.patch(&at, &json!({"name": "Herons"})).await)["name"], "Herons");
    let page = Client::sign_in(&hub.base, "ada").await;
    let look = async || {
        settle(hub).await;
        hub.clock.advance(6 * praxis_server::ports::clock::MINUTE);
        let state = hub.state();
        praxis_server::features::search::run_due(state).await.unwrap();
        // The schedule may have come first, and be at it.
        loop {
            let since = state.clock.now() - 2 * praxis_server::ports::clock::MINUTE;
            let text = format!("SELECT count(*) AS n FROM saved_search WHERE checked_at > {since}");
            if praxis_server::store::Sql::new(&text).number(state.store.read()).await.unwrap() == 1 {
                break;
            }
            crate::support::nodes::a_moment().await;
        }
        done(&page.get("/api/v1/notices").await)["items"].as_array().unwrap().clone()
    };
    assert_eq!(look().await.len(), 0, "nothing is new");
    topic(&ada, &space, "My own heron", "text", &[]).await;
    assert_eq!(look().await.len(), 0, "one's own is no news");
    topic(&again(hub, "bob").await, &space, "New heron", "text", &[]).await;
    let told = look().await;
    assert_eq!((told.len(), told[0]["kind"].as_str(), told[0]["title"].as_str()), (1, Some("search"), Some("Herons")));
    assert_eq!(told[0]["url"], "/search?q=heron&kind=topic&sort=new");
    topic(&again(hub, "bob").await, &space, "Another heron", "text", &[]).await;
    assert_eq!(look().await.len(), 1, "one notice a search");
    done(&again(hub, "ada").await.delete(&at).await);
    assert_eq!(done(&page.get("/api/v1/notices").await)["items"], json!([]));
});

/// A member with a token that is new: the clock has moved.
pub async fn again(hub: &TestHub, handle: &str) -> Client {
    let body = json!({"login": handle, "password": crate::support::hub::password(handle)});
    let pair = done(&hub.visitor().post("/api/v1/auth/login", &body).await);
    let mut client = Client::new(&hub.base);
    client.handle = handle.to_owned();
    client.bearer = pair["access_token"].as_str().map(str::to_owned);
    client
}

search_test!(async fn the_page_works_without_scripts(hub) {
    let _first = hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let by_api = hub.member("bea").await;
    let space = hub.space(&by_api, "open").await;
    topic(&by_api, &space, "Kestrel <b>", "A kestrel & more", &["birds"]).await;
    settle(hub).await;
    let page = ada.page("/search?q=kestrel").await;
    assert_eq!(page.status, 200);
    for part in ["<mark>Kestrel</mark> &lt;b&gt;", "A <mark>kestrel</mark> &amp; more", "1 result", "#birds", "Save this search"] {
        assert!(page.text.contains(part), "{part}");
    }
    let kept = ada.form("/search/saved", &page.csrf(), &[("query", "q=kestrel"), ("notify", "1")]).await;
    assert_eq!((kept.status, kept.header("location")), (303, "/search?q=kestrel"));
    assert!(ada.page("/search?q=kestrel").await.text.contains("/search/saved/"));
    let nothing = ada.page("/search?q=kestral").await;
    assert!(nothing.text.contains("Did you mean"), "a fault in a word");
    assert!(hub.visitor().page("/search?q=kestrel").await.text.contains("<mark>Kestrel</mark>"));
    for page in ["/", "/spaces", "/topics"] {
        assert!(ada.page(page).await.text.contains("data-find"), "a box on {page}");
    }
});
