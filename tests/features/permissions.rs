//! The written table of who may do what: every route of the API as six people see it. A route that the
//! OpenAPI document has and the table lacks fails the test, and the other way round.

use std::collections::BTreeSet;

use praxis_server::web::openapi::document;
use serde_json::{Value, json};

use super::permissions_table::TABLE;
use crate::support::hub::run_with;
use crate::support::stage::{Cast, VIEWERS, done, file, id};
use crate::support::{Client, Db, TestHub};

fn routes_of_the_document() -> BTreeSet<String> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "patch", "delete"] {
            if item.get(method).is_some() {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    routes
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let rows: BTreeSet<String> = TABLE.iter().map(|(route, ..)| (*route).to_owned()).collect();
    assert_eq!(rows.len(), TABLE.len(), "a row is there twice");
    let routes = routes_of_the_document();
    let missing: Vec<&String> = routes.difference(&rows).collect();
    let left: Vec<&String> = rows.difference(&routes).collect();
    assert!(missing.is_empty() && left.is_empty(), "without a row: {missing:#?}, without a route: {left:#?}");
}

/// The path with real ids, made for this one request.
async fn place(hub: &TestHub, cast: &Cast, template: &str, shared: &Shared) -> String {
    let mut path = template.to_owned();
    if path.starts_with("/playbooks/{slug}") || path.starts_with("/case-studies/{slug}") {
        let number = shared.rooms.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        return super::playbooks::place(cast, &shared.space, number, &path).await;
    }
    if path.contains("{slug}") {
        // What changes a space or its members gets one of its own.
        let own = template.ends_with("{slug}") || !template.ends_with("/topics") || template.ends_with("/rooms");
        let slug = if own { cast.space(hub, "private").await } else { shared.space.clone() };
        if path.contains("/requests/{id}") {
            done(&shared.guest.send(shared.guest.request("POST", &format!("/api/v1/spaces/{slug}/join"))).await);
            let requests = done(&cast.owner.get(&format!("/api/v1/spaces/{slug}/requests")).await);
            path = path.replace("{id}", &id(&requests["items"][0]));
        }
        path = path.replace("{slug}", &slug);
    }
    if path.starts_with("/topics/{id}") || path.starts_with("/posts/{id}") || path.starts_with("/reports/{id}") {
        let topic = id(&hub.topic(&cast.author, &shared.space, "What is looked at").await);
        if path.starts_with("/topics/{id}") {
            if path.ends_with("/restore") {
                done(&cast.author.delete(&format!("/api/v1/topics/{topic}")).await);
            }
            path = path.replace("{id}", &topic);
        } else {
            let post = id(&hub.reply(&cast.author, &topic, None, "A reply that is looked at.").await);
            if path.ends_with("/restore") {
                done(&cast.author.delete(&format!("/api/v1/posts/{post}")).await);
            }
            if path.starts_with("/reports/{id}") {
                let flag = json!({"reason": "other", "note": "Look."});
                let report = done(&cast.member.post(&format!("/api/v1/posts/{post}/flags"), &flag).await);
                path = path.replace("{id}", &id(&report));
            }
            path = path.replace("{id}", &post);
        }
    }
    if path.starts_with("/rooms/{id}") || path.starts_with("/messages/{id}") {
        let private = path.contains("/members/{handle}");
        let slug = format!("room-{}", shared.rooms.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let room = id(&super::chat::room(&cast.author, &shared.space, &slug, private).await);
        if private {
            let path = format!("/api/v1/rooms/{room}/members/{}", cast.moderator.handle);
            done(&cast.author.put(&path).await);
        }
        let message = path.starts_with("/messages");
        let of = if message { id(&super::chat::say(&cast.author, &room, "Hello.").await) } else { room };
        path = path.replace("{id}", &of);
    }
    if path.starts_with("/resource") || path.starts_with("/collections") {
        let resource = id(&super::library::link(&cast.author, &shared.space, "A guide").await);
        if path.contains("{number}") {
            let next = json!({"url": "https://example.org/guide-2"});
            done(&cast.author.post(&format!("/api/v1/resources/{resource}/versions"), &next).await);
            path = path.replace("{number}", "1");
        }
        if path.ends_with("/restore") && !path.contains("/versions/") {
            done(&cast.author.delete(&format!("/api/v1/resources/{resource}")).await);
        }
        if path.starts_with("/resource-reports/{id}") {
            let flag = json!({"reason": "other", "note": "Look."});
            let report = done(&cast.member.post(&format!("/api/v1/resources/{resource}/flags"), &flag).await);
            path = path.replace("{id}", &id(&report));
        }
        if path.starts_with("/collections") {
            let new = json!({"title": "For new wards"});
            let path_of = format!("/api/v1/spaces/{}/collections", shared.space);
            path = path.replace("{id}", &id(&done(&cast.author.post(&path_of, &new).await)));
        }
        path = path.replace("{resource}", &resource).replace("{id}", &resource);
    }
    if path.starts_with("/files/{id}") {
        path = path.replace("{id}", &file(&cast.author).await);
    }
    let handle = if path.starts_with("/spaces") || path.starts_with("/rooms") {
        &cast.author.handle
    } else {
        &shared.guest.handle
    };
    path.replace("{handle}", handle).replace("{emoji}", "%F0%9F%91%8D").replace("{id}", &shared.nothing)
}

struct Shared {
    space: String,
    /// Somebody who belongs nowhere.
    guest: Client,
    /// An id of nothing.
    nothing: String,
    /// Names rooms.
    rooms: std::sync::atomic::AtomicU32,
}

#[test]
fn everybody_gets_what_the_table_says() {
    run_with(Db::Sqlite, "permissions", &[("rate_limit", "off")], async |hub| walk(hub).await);
}

#[test]
fn everybody_gets_what_the_table_says_on_postgres() {
    run_with(Db::Postgres, "permissions", &[("rate_limit", "off")], async |hub| walk(hub).await);
}

async fn walk(hub: &TestHub) {
    let cast = Cast::of(hub).await;
    let space = cast.space(hub, "private").await;
    let guest = hub.member("gina").await;
    let shared = Shared { space, guest, nothing: praxis_server::store::Id(1).to_string(), rooms: 0.into() };
    let mut wrong = Vec::new();
    for (route, body, expected) in TABLE {
        let (method, template) = route.split_once(' ').unwrap();
        for (name, expected) in VIEWERS.iter().zip(expected) {
            let path = place(hub, &cast, template, &shared).await;
            let mut viewer = Client::new(&hub.base);
            viewer.bearer.clone_from(&cast.viewer(name).bearer);
            // Ending all other sessions is asked by the test's own, which stays.
            if viewer.bearer.is_some() && template.contains("logout") {
                viewer.bearer = fresh_session(hub, &cast.viewer(name).handle).await;
            }
            let mut request = viewer.request(method, &format!("/api/v1{path}"));
            if !body.is_empty() {
                request = request.header("Content-Type", "application/json").body(*body);
            }
            let answer = viewer.send(request).await;
            if answer.status != *expected {
                let text: String = answer.text.chars().take(160).collect();
                wrong.push(format!("{route} as {name}: {} and not {expected}: {text}", answer.status));
            }
            let kind = answer.header("content-type");
            if answer.status >= 400 && kind != "application/problem+json" {
                wrong.push(format!("{route} as {name}: {} of type '{kind}'", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), TABLE.len() * 6, wrong.join("\n"));
}

/// A session that may end without ending the test's own.
async fn fresh_session(hub: &TestHub, handle: &str) -> Option<String> {
    if handle.is_empty() {
        return None;
    }
    let body = json!({"login": handle, "password": crate::support::hub::password(handle)});
    let pair: Value = done(&hub.visitor().post("/api/v1/auth/login", &body).await);
    pair["access_token"].as_str().map(str::to_owned)
}
