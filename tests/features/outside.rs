//! What an outside program relies on that is easily done otherwise: edges of the contract.

use praxis_server::entities::kinds::{AdoptionStatus, PartKey, TopicKind, Visibility};
use praxis_server::features::imports::{Asked, Format, run as import};
use praxis_server::web::openapi::document;
use serde_json::{Value, json};

use super::playbooks::{playbook, published, put};
use crate::support::hub::{password, run_with};
use crate::support::port::Port;
use crate::support::program::Folder;
use crate::support::smtp::Smtp;
use crate::support::stage::{done, id};
use crate::support::{Db, Socket, hub_test};

hub_test!(async fn only_room_and_here_are_kept_from_members(hub) {
    for (handle, status) in [("room", 422), ("here", 422), ("admin", 201), ("support", 201)] {
        let body = json!({"handle": handle, "display_name": "N".repeat(200), "email": format!("{handle}@example.org"), "password": password(handle)});
        let answer = hub.visitor().post("/api/v1/auth/register", &body).await;
        assert_eq!(answer.status, status, "{handle}: {}", answer.text);
    }
});

#[test]
fn a_token_that_is_over_bars_no_way_to_a_new_one() {
    run_with(Db::Sqlite, "stale-token", &[("rate_limit", "on")], async |hub| {
        let mut ada = hub.member("ada").await;
        let login = json!({"login": "ada", "password": password("ada")});
        let pair = done(&hub.visitor().post("/api/v1/auth/login", &login).await);
        ada.bearer = Some("over".into());
        assert_eq!(ada.get("/api/v1/me").await.status, 401);
        assert_eq!(ada.patch("/api/v1/me", &json!({})).await.status, 401, "what needs somebody still does");
        assert_eq!(ada.post("/api/v1/auth/login", &login).await.status, 200);
        let refresh = json!({"refresh_token": pair["refresh_token"]});
        assert_eq!(ada.post("/api/v1/auth/refresh", &refresh).await.status, 200);
    });
}

hub_test!(async fn any_of_several_tags_may_match(hub) {
    let ada = hub.member("ada").await;
    let slug = hub.space(&ada, "open").await;
    let rename = async |tags: &str, name: &str| {
        let request = ada.request("PATCH", &format!("/api/v1/spaces/{slug}")).header("If-Match", tags);
        ada.send(request.json(&json!({"name": name}))).await
    };
    assert_eq!(rename("\"nope\", \"v1\"", "One").await.status, 200);
    for tags in ["\"nope\", W/\"v2\"", "\"v1\",\"v3\"", "nonsense", "\"v1\", \"v1\", \"v1\", \"v1\", \"v1\", \"v1\", \"v1\", \"v1\", \"v2\""] {
        assert_eq!(rename(tags, "Two").await.status, 412, "{tags}");
    }
    assert_eq!(rename("\"v1\", *", "Three").await.status, 200);
});

hub_test!(async fn a_longest_text_fits_however_it_is_written(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let body = |count: usize| format!("{{\"title\":\"Long\",\"kind\":\"question\",\"body\":\"{}\"}}", "\\ud83d\\ude00".repeat(count));
    for (count, status) in [(60_000, 201), (60_001, 422)] {
        let request = ada.request("POST", &format!("/api/v1/spaces/{space}/topics"));
        let answer = ada.send(request.header("Content-Type", "application/json").body(body(count))).await;
        assert_eq!(answer.status, status, "{count}");
    }
});

hub_test!(async fn the_opening_text_is_a_post_like_others(hub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let topic = hub.topic(&ada, &space, "What is asked").await;
    let (topic, first) = (id(&topic), topic["first_post_id"].as_str().unwrap().to_owned());
    let post = format!("/api/v1/posts/{first}");
    assert_eq!(put(&ada, &format!("{post}/answer"), &json!({})).await.status, 409, "no answer to itself");
    assert_eq!(ada.delete(&format!("{post}/answer")).await.status, 204, "and so none that could be taken back");
    let before = ada.get(&post).await.header("etag").to_owned();
    done(&ada.patch(&format!("/api/v1/topics/{topic}"), &json!({"title": "What is really asked"})).await);
    assert_eq!(ada.get(&post).await.header("etag"), before, "the title is the topic's");
    done(&ada.patch(&post, &json!({"body": "Another text."})).await);
    assert_ne!(ada.get(&post).await.header("etag"), before);
});

hub_test!(async fn a_long_ref_comes_back(hub) {
    let ada = hub.member("ada").await;
    let mut socket = Socket::open(&ada).await;
    let reference = "é".repeat(1000);
    socket.send(&json!({"type": "ping", "ref": reference})).await;
    assert_eq!(socket.next_of("pong").await["ref"], reference);
});

hub_test!(async fn scenarios_come_in_pages_and_an_adoption_needs_no_status(hub) {
    let (_rhea, ada, bob) = (hub.member("rhea").await, hub.member("ada").await, hub.member("bob").await);
    playbook(&bob, "reads", None).await;
    for title in ["One", "Two", "Three"] {
        done(&bob.post("/api/v1/playbooks/reads/scenarios", &json!({"title": title})).await);
    }
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = done(&ada.get(&format!("/api/v1/playbooks/reads/scenarios?limit=2&cursor={cursor}")).await);
        titles.extend(page["items"].as_array().unwrap().iter().map(|of| of["title"].as_str().unwrap().to_owned()));
        assert!(titles.len() <= 3 && page["items"].as_array().unwrap().len() <= 2);
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(titles, ["One", "Two", "Three"], "in their order");
    for wrong in ["limit=0", "limit=101", "cursor=%21"] {
        assert_eq!(ada.get(&format!("/api/v1/playbooks/reads/scenarios?{wrong}")).await.status, 422, "{wrong}");
    }
    let slug = published(&ada, &bob, "Taken up", "reads").await;
    let adoption = json!({"organisation": "Vale Trust"});
    assert_eq!(put(&bob, &format!("/api/v1/case-studies/{slug}/adoption"), &adoption).await.status, 204);
    assert_eq!(done(&bob.get("/api/v1/adoptions").await)["items"][0]["status"], "considering");
});

hub_test!(async fn an_import_without_a_name_takes_that_of_its_folder(hub) {
    let ada = hub.member("ada").await;
    let folder = Folder::new();
    let path = folder.path().join("Ward Notes_2026");
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("pumps.md"), "# Pumps\n\nWhich one.").unwrap();
    let asked = |path| Asked { format: Format::Documents, path, space: None, playbook: None, owner: None, site: None };
    import(hub.state(), &asked(path)).await.unwrap();
    hub.settle().await;
    assert_eq!(done(&ada.get("/api/v1/spaces/ward-notes-2026/resources").await)["items"][0]["title"], "Pumps");
    let nameless = folder.path().join("…");
    std::fs::create_dir_all(&nameless).unwrap();
    assert!(import(hub.state(), &asked(nameless)).await.unwrap_err().contains("--space is missing"));
});

#[test]
fn a_lost_mail_server_is_seen() {
    let smtp = Smtp::start();
    let gone = Port::hold();
    for (url, state) in [(smtp.url(), "ok"), (format!("smtp://{}", gone.address()), "degraded")] {
        run_with(Db::Sqlite, "mail-state", &[("smtp_url", &url)], async |hub| {
            let answer = hub.visitor().get("/readyz").await;
            assert_eq!((answer.status, &answer.json()["components"]["mail"]["state"]), (200, &json!(state)));
        });
    }
}

#[test]
fn every_operation_says_that_it_may_be_too_much_or_away() {
    let document = serde_json::to_value(document()).unwrap();
    assert!(document["paths"]["/ws"]["get"].is_object());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, of)| of["responses"].is_object()) {
            for status in ["429", "503"] {
                assert_ne!(operation["responses"][status], Value::Null, "{method} {path}: {status}");
            }
        }
    }
}

#[test]
fn the_words_of_the_document_are_those_on_the_wire() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let words = |name: &str| schemas[name]["enum"].clone();
    assert_eq!(words("AdoptionStatus"), serde_json::to_value(AdoptionStatus::ALL).unwrap());
    assert_eq!(words("PartKey"), serde_json::to_value(PartKey::ALL).unwrap());
    assert_eq!(words("Visibility"), serde_json::to_value(Visibility::ALL).unwrap());
    assert_eq!(words("TopicKind"), serde_json::to_value(TopicKind::ALL).unwrap());
    for (name, schema) in schemas {
        for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(!word.contains(|letter: char| letter.is_ascii_uppercase()), "{name}: {word}");
        }
    }
}
