//! The written table of who may do what: every route of the API as six people see it.
//!
//! The space is private: the outsider and the administrator, who has not joined, stand at its
//! door. A facilitator gets what the outsider gets, but for `GET /reports` (200) and
//! `POST /invitations` (201); in open and restricted spaces they hide and settle, as
//! `details.rs` tests and decision 008 says. A route that the OpenAPI document has and the table lacks fails the test, and the other
//! way round.

use std::collections::BTreeSet;

use praxis_server::web::openapi::document;
use serde_json::{Value, json};

use crate::support::hub::run_with;
use crate::support::stage::{Cast, VIEWERS, done, file, id};
use crate::support::{Client, Db, TestHub};

/// Method and path as in the document; the body; what six viewers get:
/// anonymous, outsider, member, moderator, owner, administrator.
const TABLE: &[(&str, &str, [u16; 6])] = &[
    // Accounts
    ("POST /auth/register", "{}", [422, 422, 422, 422, 422, 422]),
    ("POST /auth/login", "{}", [422, 422, 422, 422, 422, 422]),
    ("POST /auth/refresh", "{}", [422, 422, 422, 422, 422, 422]),
    ("POST /auth/logout", "", [401, 204, 204, 204, 204, 204]),
    ("GET /me/sessions", "", [401, 200, 200, 200, 200, 200]),
    ("DELETE /me/sessions", "", [401, 204, 204, 204, 204, 204]),
    ("DELETE /me/sessions/{id}", "", [401, 404, 404, 404, 404, 404]),
    ("GET /me/tokens", "", [401, 200, 200, 200, 200, 200]),
    ("POST /me/tokens", "{}", [401, 422, 422, 422, 422, 422]),
    ("DELETE /me/tokens/{id}", "", [401, 404, 404, 404, 404, 404]),
    ("GET /invitations", "", [401, 403, 403, 200, 200, 200]),
    // Who runs a space invites into it, and so has to name it.
    ("POST /invitations", "{\"emails\":[\"somebody@example.net\"]}", [401, 403, 403, 422, 422, 201]),
    ("DELETE /invitations/{id}", "", [401, 404, 404, 404, 404, 404]),
    // Without a handshake
    ("GET /ws", "", [400, 400, 400, 400, 400, 400]),
    // People
    ("GET /me", "", [401, 200, 200, 200, 200, 200]),
    ("PATCH /me", "{}", [401, 200, 200, 200, 200, 200]),
    ("PUT /me/avatar", "{}", [401, 415, 415, 415, 415, 415]),
    ("DELETE /me/avatar", "", [401, 204, 204, 204, 204, 204]),
    ("GET /members", "", [401, 200, 200, 200, 200, 200]),
    ("GET /members/{handle}", "", [401, 200, 200, 200, 200, 200]),
    ("POST /files", "{}", [401, 415, 415, 415, 415, 415]),
    ("GET /files/{id}", "", [404, 404, 404, 404, 404, 404]),
    ("GET /me/invites", "", [401, 200, 200, 200, 200, 200]),
    // Spaces
    ("POST /spaces", "{}", [401, 422, 422, 422, 422, 422]),
    ("GET /spaces", "", [200, 200, 200, 200, 200, 200]),
    ("GET /spaces/{slug}", "", [404, 200, 200, 200, 200, 200]),
    ("PATCH /spaces/{slug}", "{\"name\":\"Renamed\"}", [401, 404, 403, 403, 200, 404]),
    ("POST /spaces/{slug}/join", "", [401, 202, 200, 200, 200, 200]),
    ("POST /spaces/{slug}/leave", "", [401, 200, 200, 200, 409, 200]),
    ("GET /spaces/{slug}/members", "", [401, 404, 200, 200, 200, 404]),
    ("PUT /spaces/{slug}/members/{handle}", "{\"role\":\"moderator\"}", [401, 404, 403, 403, 200, 404]),
    ("DELETE /spaces/{slug}/members/{handle}", "", [401, 404, 403, 204, 204, 404]),
    ("GET /spaces/{slug}/requests", "", [401, 404, 403, 200, 200, 404]),
    ("POST /spaces/{slug}/requests/{id}/accept", "", [401, 404, 403, 200, 200, 404]),
    ("POST /spaces/{slug}/requests/{id}/decline", "", [401, 404, 403, 200, 200, 404]),
    ("POST /spaces/{slug}/invites/decline", "", [401, 200, 200, 200, 200, 200]),
    ("GET /spaces/{slug}/entries", "", [401, 404, 403, 403, 200, 404]),
    // Forum
    ("GET /topics", "", [200, 200, 200, 200, 200, 200]),
    ("GET /spaces/{slug}/topics", "", [404, 404, 200, 200, 200, 404]),
    ("POST /spaces/{slug}/topics", TOPIC, [401, 404, 201, 201, 201, 404]),
    ("GET /topics/{id}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /topics/{id}", "{\"title\":\"Another title\"}", [401, 404, 403, 200, 200, 404]),
    ("DELETE /topics/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("POST /topics/{id}/restore", "", [401, 404, 404, 204, 204, 404]),
    ("PUT /topics/{id}/pin", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /topics/{id}/pin", "", [401, 404, 403, 204, 204, 404]),
    ("PUT /topics/{id}/closed", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /topics/{id}/closed", "", [401, 404, 403, 204, 204, 404]),
    ("GET /topics/{id}/posts", "", [404, 404, 200, 200, 200, 404]),
    ("POST /topics/{id}/posts", "{\"body\":\"A reply.\"}", [401, 404, 201, 201, 201, 404]),
    ("GET /posts/{id}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /posts/{id}", "{\"body\":\"Edited.\"}", [401, 404, 403, 200, 200, 404]),
    ("DELETE /posts/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("POST /posts/{id}/restore", "", [401, 404, 404, 204, 204, 404]),
    ("GET /posts/{id}/revisions", "", [404, 404, 200, 200, 200, 404]),
    ("PUT /posts/{id}/reactions/{emoji}", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /posts/{id}/reactions/{emoji}", "", [401, 404, 204, 204, 204, 404]),
    ("PUT /posts/{id}/answer", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /posts/{id}/answer", "", [401, 404, 403, 204, 204, 404]),
    ("PUT /posts/{id}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /posts/{id}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("PUT /posts/{id}/bookmark", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /posts/{id}/bookmark", "", [401, 404, 204, 204, 204, 404]),
    ("GET /me/bookmarks", "", [401, 200, 200, 200, 200, 200]),
    ("GET /tags", "", [200, 200, 200, 200, 200, 200]),
    // Chat
    ("GET /rooms", "", [401, 200, 200, 200, 200, 200]),
    ("GET /spaces/{slug}/rooms", "", [401, 404, 200, 200, 200, 404]),
    ("POST /spaces/{slug}/rooms", ROOM, [401, 404, 201, 201, 201, 404]),
    ("GET /rooms/{id}", "", [401, 404, 200, 200, 200, 404]),
    ("PATCH /rooms/{id}", "{\"name\":\"Renamed\"}", [401, 404, 403, 200, 200, 404]),
    ("PUT /rooms/{id}/follow", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /rooms/{id}/follow", "", [401, 404, 204, 204, 204, 404]),
    ("PATCH /rooms/{id}/mine", "{}", [401, 404, 200, 200, 200, 404]),
    ("PUT /rooms/{id}/read", "{\"seq\":0}", [401, 404, 204, 204, 204, 404]),
    ("POST /rooms/{id}/topics", EMPTY_TOPIC, [401, 404, 422, 422, 422, 404]),
    ("GET /rooms/{id}/topics", "", [401, 404, 200, 200, 200, 404]),
    ("GET /rooms/{id}/messages", "", [401, 404, 200, 200, 200, 404]),
    ("POST /rooms/{id}/messages", "{\"body\":\"Hello.\",\"client_id\":\"c\"}", [401, 404, 201, 201, 201, 404]),
    ("GET /rooms/{id}/pins", "", [401, 404, 200, 200, 200, 404]),
    ("GET /rooms/{id}/members", "", [401, 404, 200, 200, 200, 404]),
    // A private room that the moderator was let into, and who runs the space was not.
    ("PUT /rooms/{id}/members/{handle}", "", [401, 404, 404, 204, 404, 404]),
    ("DELETE /rooms/{id}/members/{handle}", "", [401, 404, 404, 204, 404, 404]),
    ("GET /messages/{id}", "", [401, 404, 200, 200, 200, 404]),
    ("PATCH /messages/{id}", "{\"body\":\"Edited.\"}", [401, 404, 403, 403, 403, 404]),
    ("DELETE /messages/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("GET /messages/{id}/revisions", "", [401, 404, 200, 200, 200, 404]),
    ("POST /messages/{id}/purge", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /messages/{id}/flags", FLAG, [401, 404, 201, 201, 201, 404]),
    // Nobody reported it.
    ("POST /messages/{id}/remove", "", [401, 404, 404, 404, 404, 404]),
    ("PUT /messages/{id}/reactions/{emoji}", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /messages/{id}/reactions/{emoji}", "", [401, 404, 204, 204, 204, 404]),
    ("PUT /messages/{id}/pin", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /messages/{id}/pin", "", [401, 404, 204, 204, 204, 404]),
    ("POST /direct", "{\"handles\":[]}", [401, 422, 422, 422, 422, 422]),
    ("GET /direct", "", [401, 200, 200, 200, 200, 200]),
    ("PUT /members/{handle}/block", "", [401, 204, 204, 204, 204, 204]),
    ("DELETE /members/{handle}/block", "", [401, 204, 204, 204, 204, 204]),
    ("GET /me/blocks", "", [401, 200, 200, 200, 200, 200]),
    ("PUT /me/availability", "{\"availability\":\"away\"}", [401, 204, 204, 204, 204, 204]),
    ("GET /notices", "", [401, 200, 200, 200, 200, 200]),
    ("PUT /notices/{id}/read", "", [401, 404, 404, 404, 404, 404]),
    ("POST /notices/read", "", [401, 204, 204, 204, 204, 204]),
    // Library
    ("GET /resources", "", [200, 200, 200, 200, 200, 200]),
    ("GET /me/reviews", "", [401, 200, 200, 200, 200, 200]),
    ("GET /spaces/{slug}/resources", "", [404, 404, 200, 200, 200, 404]),
    ("POST /spaces/{slug}/resources", LINK, [401, 404, 201, 201, 201, 404]),
    ("GET /resources/{id}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /resources/{id}", "{\"title\":\"Another title\"}", [401, 404, 403, 200, 200, 404]),
    ("DELETE /resources/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("POST /resources/{id}/restore", "", [401, 404, 404, 204, 204, 404]),
    ("PUT /resources/{id}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /resources/{id}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("POST /resources/{id}/topic", "", [401, 404, 200, 200, 200, 404]),
    ("GET /resources/{id}/versions", "", [404, 404, 200, 200, 200, 404]),
    ("POST /resources/{id}/versions", LINK, [401, 404, 403, 201, 201, 404]),
    ("POST /resources/{id}/versions/{number}/restore", "", [401, 404, 403, 201, 201, 404]),
    ("GET /resources/{id}/content", "", [404, 404, 303, 303, 303, 404]),
    ("GET /resources/{id}/preview", "", [404, 404, 200, 200, 200, 404]),
    ("POST /resources/{id}/flags", "{\"reason\":\"other\",\"note\":\"Look.\"}", [401, 404, 201, 201, 201, 404]),
    ("POST /resources/{id}/hide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /resources/{id}/unhide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /resources/{id}/purge", REASON, [401, 404, 403, 204, 204, 404]),
    ("GET /resource-reports", "", [401, 403, 403, 200, 200, 200]),
    ("POST /resource-reports/{id}/uphold", "{}", [401, 404, 404, 204, 204, 404]),
    ("POST /resource-reports/{id}/dismiss", "{}", [401, 404, 404, 204, 204, 404]),
    ("GET /spaces/{slug}/collections", "", [404, 404, 200, 200, 200, 404]),
    ("POST /spaces/{slug}/collections", "{\"title\":\"For new wards\"}", [401, 404, 201, 201, 201, 404]),
    ("GET /collections/{id}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /collections/{id}", "{\"title\":\"For old wards\"}", [401, 404, 403, 200, 200, 404]),
    ("DELETE /collections/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("PUT /collections/{id}/resources/{resource}", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /collections/{id}/resources/{resource}", "", [401, 404, 403, 204, 204, 404]),
    // Search: everybody, each over what they may see.
    ("GET /search", "", [200, 200, 200, 200, 200, 200]),
    ("GET /search/suggest", "", [200, 200, 200, 200, 200, 200]),
    ("GET /me/searches", "", [401, 200, 200, 200, 200, 200]),
    ("POST /me/searches", "{\"query\":\"q=falls\"}", [401, 201, 201, 201, 201, 201]),
    ("PATCH /me/searches/{id}", "{}", [401, 404, 404, 404, 404, 404]),
    ("DELETE /me/searches/{id}", "", [401, 404, 404, 404, 404, 404]),
    // Playbooks: one that is read like the private space, run by its owner; a study in it by the author
    ("GET /playbooks", "", [200, 200, 200, 200, 200, 200]),
    ("POST /playbooks", "{}", [401, 422, 422, 422, 422, 422]),
    ("GET /playbooks/{slug}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /playbooks/{slug}", "{\"title\":\"Renamed\"}", [401, 404, 403, 200, 200, 404]),
    ("GET /playbooks/{slug}/export", "", [404, 404, 200, 200, 200, 404]),
    ("GET /playbooks/{slug}/people", "", [404, 404, 200, 200, 200, 404]),
    ("PUT /playbooks/{slug}/people/{handle}", "{\"role\":\"reviewer\"}", [401, 404, 403, 204, 204, 404]),
    ("DELETE /playbooks/{slug}/people/{handle}", "", [401, 404, 404, 404, 404, 404]),
    ("GET /playbooks/{slug}/reviews", "", [401, 404, 403, 200, 200, 404]),
    ("GET /playbooks/{slug}/scenarios", "", [404, 404, 200, 200, 200, 404]),
    ("POST /playbooks/{slug}/scenarios", "{\"title\":\"A scenario\"}", [401, 404, 403, 201, 201, 404]),
    ("GET /playbooks/{slug}/scenarios/{id}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /playbooks/{slug}/scenarios/{id}", "{\"title\":\"Renamed\"}", [401, 404, 403, 200, 200, 404]),
    ("DELETE /playbooks/{slug}/scenarios/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("PUT /playbooks/{slug}/scenarios/{id}/studies/{study}", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /playbooks/{slug}/scenarios/{id}/studies/{study}", "", [401, 404, 403, 204, 204, 404]),
    ("GET /adoptions", "", [200, 200, 200, 200, 200, 200]),
    ("GET /adoptions/organisations", "", [200, 200, 200, 200, 200, 200]),
    ("GET /me/case-studies", "", [401, 200, 200, 200, 200, 200]),
    ("GET /case-studies", "", [200, 200, 200, 200, 200, 200]),
    ("POST /case-studies", "{\"title\":\"Mine\"}", [401, 201, 201, 201, 201, 201]),
    ("GET /case-studies/parts", "", [200, 200, 200, 200, 200, 200]),
    ("GET /case-studies/terms", "", [200, 200, 200, 200, 200, 200]),
    ("POST /case-studies/from-topic", "{}", [401, 422, 422, 422, 422, 422]),
    ("POST /case-studies/from-messages", "{}", [401, 422, 422, 422, 422, 422]),
    ("GET /case-studies/{slug}", "", [404, 404, 200, 200, 200, 404]),
    ("PATCH /case-studies/{slug}", "{\"title\":\"Renamed\"}", [401, 404, 403, 403, 403, 404]),
    ("GET /case-studies/{slug}/export.md", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/export", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/citation", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/related", "", [404, 404, 200, 200, 200, 404]),
    ("PUT /case-studies/{slug}/authors/{handle}", "", [401, 404, 403, 403, 403, 404]),
    ("DELETE /case-studies/{slug}/authors/{handle}", "", [401, 404, 403, 403, 403, 404]),
    ("GET /case-studies/{slug}/drafts", "", [401, 404, 403, 403, 403, 404]),
    ("GET /case-studies/{slug}/parts/{key}", "", [401, 404, 403, 200, 200, 404]),
    ("PATCH /case-studies/{slug}/parts/{key}", "{\"body\":\"Other.\"}", [401, 404, 403, 403, 403, 404]),
    ("GET /case-studies/{slug}/parts/{key}/revisions", "", [401, 404, 403, 200, 200, 404]),
    ("GET /case-studies/{slug}/parts/{key}/draft", "", [401, 404, 403, 403, 403, 404]),
    ("PUT /case-studies/{slug}/parts/{key}/draft", "{\"body\":\"Typed.\"}", [401, 404, 403, 403, 403, 404]),
    ("DELETE /case-studies/{slug}/parts/{key}/draft", "", [401, 404, 403, 403, 403, 404]),
    ("GET /case-studies/{slug}/comments", "", [401, 404, 403, 200, 200, 404]),
    ("POST /case-studies/{slug}/comments", "{\"part\":\"aim\",\"body\":\"Why?\"}", [401, 404, 403, 201, 201, 404]),
    ("PATCH /case-studies/{slug}/comments/{id}", "{\"body\":\"Other.\"}", [401, 404, 403, 403, 403, 404]),
    ("DELETE /case-studies/{slug}/comments/{id}", "", [401, 404, 403, 204, 204, 404]),
    ("PUT /case-studies/{slug}/comments/{id}/resolved", "", [401, 404, 403, 204, 204, 404]),
    ("DELETE /case-studies/{slug}/comments/{id}/resolved", "", [401, 404, 403, 204, 204, 404]),
    ("POST /case-studies/{slug}/flags", "{\"reason\":\"spam\"}", [401, 404, 201, 201, 201, 404]),
    ("POST /case-studies/{slug}/hide", "", [401, 404, 403, 204, 204, 404]),
    ("POST /case-studies/{slug}/submit", "", [401, 404, 403, 403, 403, 404]),
    ("POST /case-studies/{slug}/withdraw", "", [401, 404, 403, 403, 403, 404]),
    // The study is published: there is nothing to review.
    ("POST /case-studies/{slug}/publish", "", [401, 404, 403, 409, 409, 404]),
    ("POST /case-studies/{slug}/return", "{\"note\":\"Why?\"}", [401, 404, 403, 409, 409, 404]),
    ("POST /case-studies/{slug}/retire", "", [401, 404, 403, 200, 200, 404]),
    ("GET /case-studies/{slug}/revisions", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/revisions/{number}", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/revisions/{number}/diff", "", [404, 404, 200, 200, 200, 404]),
    ("GET /case-studies/{slug}/log", "", [401, 404, 403, 200, 200, 404]),
    ("PUT /case-studies/{slug}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /case-studies/{slug}/endorsement", "", [401, 404, 204, 204, 204, 404]),
    ("GET /case-studies/{slug}/endorsements", "", [404, 404, 200, 200, 200, 404]),
    ("PUT /case-studies/{slug}/adoption", "{\"status\":\"live\",\"site\":\"North\"}", [401, 404, 204, 204, 204, 404]),
    ("DELETE /case-studies/{slug}/adoption", "", [401, 404, 204, 204, 204, 404]),
    ("GET /case-studies/{slug}/adoptions", "", [404, 404, 200, 200, 200, 404]),
    ("PUT /case-studies/{slug}/follow", "", [401, 404, 204, 204, 204, 404]),
    ("DELETE /case-studies/{slug}/follow", "", [401, 404, 204, 204, 204, 404]),
    ("POST /case-studies/{slug}/discussion", "", [401, 404, 201, 201, 201, 404]),
    // Moderation
    ("POST /posts/{id}/flags", "{\"reason\":\"other\",\"note\":\"Look.\"}", [401, 404, 201, 201, 201, 404]),
    ("GET /reports", "", [401, 403, 403, 200, 200, 200]),
    ("GET /reports/{id}", "", [401, 404, 200, 200, 200, 404]),
    ("POST /reports/{id}/uphold", "{}", [401, 404, 404, 200, 200, 404]),
    ("POST /reports/{id}/dismiss", "{}", [401, 404, 404, 200, 200, 404]),
    ("POST /posts/{id}/hide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /posts/{id}/unhide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /posts/{id}/purge", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /topics/{id}/hide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /topics/{id}/unhide", REASON, [401, 404, 403, 204, 204, 404]),
    ("POST /members/{handle}/suspend", REASON, [401, 403, 403, 403, 403, 204]),
    ("POST /members/{handle}/unsuspend", REASON, [401, 403, 403, 403, 403, 204]),
    // Administration
    ("GET /admin/members", "", [401, 403, 403, 403, 403, 200]),
    ("PATCH /admin/members/{handle}", "{\"role\":\"member\"}", [401, 403, 403, 403, 403, 200]),
    ("GET /admin/settings", "", [401, 403, 403, 403, 403, 200]),
    ("PATCH /admin/settings", "{}", [401, 403, 403, 403, 403, 200]),
    ("GET /admin/jobs", "", [401, 403, 403, 403, 403, 200]),
    ("POST /admin/jobs/{id}/retry", "", [401, 403, 403, 403, 403, 404]),
];

const LINK: &str = "{\"url\":\"https://example.org/guide\"}";
const ROOM: &str = "{\"slug\":\"talk\",\"name\":\"Talk\"}";
const EMPTY_TOPIC: &str = "{\"messages\":[],\"title\":\"A topic\",\"kind\":\"question\"}";
const FLAG: &str = "{\"reason\":\"other\"}";
const REASON: &str = "{\"reason\":\"A reason.\"}";
const TOPIC: &str = "{\"title\":\"A topic\",\"body\":\"Its text.\",\"kind\":\"question\",\"tags\":[]}";

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
