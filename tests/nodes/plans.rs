//! No list reads a whole table that grows: PostgreSQL itself says how it ran every statement of
//! the hub, on a database with enough rows that it would rather not.

use std::collections::BTreeSet;

use praxis_server::app::{Config, start};
use praxis_server::ports::clock::Clock;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::json;

use crate::support::engines::Postgres;
use crate::support::hub::password;
use crate::support::program::Folder;
use crate::support::{Client, Socket};

/// Tables that may be read whole: a hub has few rows of them, however large it is, and what is
/// read of them is kept in memory.
const SMALL: [&str; 4] = ["space", "setting", "page", "seaql_migrations"];

/// Rows by the thousand, as years of use leave them. Ids are those of nothing else.
const ROWS: &str = "
INSERT INTO member SELECT y.* FROM (SELECT t FROM member t WHERE handle = 'ada' LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'handle', 'crowd-' || n, 'email', 'crowd-' || n || '@example.org', 'hub_role', 'member')) y;
INSERT INTO space_member SELECT y.* FROM (SELECT t FROM space_member t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('member_id', 1000000 + n, 'role', 'member')) y;
INSERT INTO topic SELECT y.* FROM (SELECT t FROM topic t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'first_post_id', 3000000 + n)) y;
INSERT INTO post SELECT y.* FROM (SELECT t FROM post t  LIMIT 1) x, generate_series(1, 50000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'topic_id', 1000001 + n % 20000, 'author_id', 1000001 + n % 20000)) y;
INSERT INTO room SELECT y.* FROM (SELECT t FROM room t WHERE kind = 'open' LIMIT 1) x, generate_series(1, 5000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'slug', 'room-' || n)) y;
INSERT INTO room_member SELECT y.* FROM (SELECT t FROM room_member t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('room_id', 1000001 + n % 5000, 'member_id', 1000000 + n)) y;
INSERT INTO message SELECT y.* FROM (SELECT t FROM message t  LIMIT 1) x, generate_series(1, 100000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'room_id', 1000001 + n % 5000, 'author_id', 1000001 + n % 20000, 'client_id', 'crowd-' || n, 'seq', n, 'number', n)) y;
INSERT INTO notice SELECT y.* FROM (SELECT t FROM notice t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'member_id', 1000001 + n % 20000)) y;
INSERT INTO stream SELECT 'room:crowd' || n, 10, 0, 1 FROM generate_series(1, 30000) n;
INSERT INTO event SELECT 'room:crowd' || n % 30000, n / 30000 + 1, 'message.posted', n, NULL,
  (SELECT max(at) FROM event), '' FROM generate_series(1, 150000) n;
INSERT INTO session SELECT y.* FROM (SELECT t FROM session t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'member_id', 1000000 + n, 'token_hash', 'crowd-' || n)) y;
INSERT INTO job SELECT 1000000 + n, 'chat.notify', '{}', 'dead', 8, 1, NULL, 'x', 1, 1 FROM generate_series(1, 20000) n;
INSERT INTO mail SELECT 1000000 + n, 'reply', NULL, 'x@example.org', 's', 't', 'h', 'sent', 1, 1, NULL, NULL
  FROM generate_series(1, 20000) n;
INSERT INTO file SELECT y.* FROM (SELECT t FROM file t  LIMIT 1) x, generate_series(1, 20000) n,
  LATERAL jsonb_populate_record(x.t, jsonb_build_object('id', 1000000 + n, 'owner_id', 1000001 + n % 20000)) y;
";

/// The tables that a plan reads whole, with the statement.
fn whole_reads(log: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for entry in log.split("\n@@ ").filter(|entry| entry.contains("plan:")) {
        let text = entry.split_once("Query Text: ").map_or("", |(_, rest)| rest);
        let statement: String = text.lines().take_while(|line| !line.contains("(cost=")).collect::<Vec<_>>().join(" ");
        if statement.starts_with("INSERT INTO") && statement.contains("generate_series") || statement.contains("pg_") {
            continue;
        }
        for (_, rest) in entry.match_indices("Seq Scan on ").map(|(at, mark)| (at, &entry[at + mark.len()..])) {
            let table = rest.split([' ', '\n']).next().unwrap_or_default();
            if !SMALL.contains(&table) {
                found.insert((table.to_owned(), statement.chars().take(600).collect()));
            }
        }
    }
    found
}

#[test]
fn no_statement_of_the_hub_reads_a_growing_table_whole() {
    let Some(mut postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if !postgres.can_explain() {
            crate::support::not_run("the plans of statements (PostgreSQL has no auto_explain)");
            return;
        }
        let folder = Folder::new();
        let settings = [
            ("bind", "127.0.0.1:0".to_owned()),
            ("data_dir", folder.path().display().to_string()),
            ("database_url", postgres.url("postgres")),
            ("rate_limit", "off".to_owned()),
            ("workers", "1".to_owned()),
        ];
        let config = Config::from_values(&settings.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
        let hub = start(config.clone(), Clock::default()).await.unwrap();
        let base = format!("http://{}", hub.address);
        let register = async |handle: &str| {
            let body = json!({"handle": handle, "display_name": handle, "email": format!("{handle}@example.org"),
                "password": password(handle)});
            let mut client = Client::new(&base);
            let answer = client.post("/api/v1/auth/register", &body).await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            client.bearer = answer.json()["access_token"].as_str().map(str::to_owned);
            client
        };
        let (ada, bob) = (register("ada").await, register("bob").await);
        let post = async |who: &Client, path: &str, body: serde_json::Value| {
            let answer = who.post(&format!("/api/v1{path}"), &body).await;
            assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text);
            serde_json::from_str::<serde_json::Value>(&answer.text).unwrap_or_default()
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        post(&ada, "/spaces", json!({"slug": "plans", "name": "Plans", "description": "", "visibility": "open"})).await;
        post(&bob, "/spaces/plans/join", json!({})).await;
        let topic = json!({"title": "A topic of plans", "body": "@bob what?", "kind": "question", "tags": ["plan"]});
        let topic = post(&ada, "/spaces/plans/topics", topic).await;
        let topic_id = text(&topic["id"]);
        let reply = post(&bob, &format!("/topics/{topic_id}/posts"), json!({"body": "A reply @ada"})).await;
        let post_id = text(&reply["id"]);
        let room = post(&ada, "/spaces/plans/rooms", json!({"slug": "talk", "name": "Talk", "purpose": ""})).await;
        let room_id = text(&room["id"]);
        let messages = format!("/rooms/{room_id}/messages");
        let message = post(&ada, &messages, json!({"body": "@bob hello", "client_id": "1"})).await;
        let message_id = text(&message["id"]);
        post(&bob, &messages, json!({"body": "in a thread", "client_id": "2", "reply_to": message_id})).await;
        let direct = post(&ada, "/direct", json!({"handles": ["bob"]})).await;
        post(&ada, &format!("/rooms/{}/messages", text(&direct["id"])), json!({"body": "hi", "client_id": "3"})).await;
        crate::support::stage::file(&ada).await;
        hub.stop().await;

        let db = Database::connect(postgres.url("postgres")).await.unwrap();
        for statement in ROWS.split(';').filter(|statement| !statement.trim().is_empty()) {
            db.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
        db.execute_unprepared("ANALYZE").await.unwrap();
        db.close().await.unwrap();

        postgres.stop();
        postgres.explain_everything();
        postgres.resume();
        let hub = start(config, Clock::default()).await.unwrap();
        let base = format!("http://{}", hub.address);
        let mut asked = 0;
        for who in ["nobody", "ada", "bob"] {
            let client = if who == "nobody" { Client::new(&base) } else { Client::sign_in(&base, who).await };
            let pages = [
                "/",
                "/topics",
                "/tags",
                "/tags/plan",
                "/bookmarks",
                "/spaces",
                "/s/plans",
                "/s/plans/members",
                "/people",
                "/people?q=crowd-77",
                "/people/ada",
                "/rooms",
                "/s/plans/chat",
                "/s/plans/chat/talk",
                "/notices",
                "/settings",
                "/settings/sessions",
                "/settings/tokens",
                "/reports",
                "/s/plans/log",
                "/admin",
                "/admin/spaces",
                "/admin/invitations",
                "/admin/jobs",
                "/admin/log",
                "/complete?q=cr",
                "/s/plans/chat/talk/pins",
            ]
            .map(str::to_owned);
            let more = [
                format!("/s/plans/t/{topic_id}"),
                format!("/posts/{post_id}/history"),
                format!("/messages/{message_id}"),
                format!("/s/plans/chat/talk/thread/{message_id}"),
            ];
            let api = [
                "/me",
                "/members",
                "/members?q=crowd-1",
                "/members/ada",
                "/spaces",
                "/spaces/plans",
                "/spaces/plans/members",
                "/spaces/plans/topics",
                "/spaces/plans/topics?sort=new",
                "/spaces/plans/topics?sort=top",
                "/spaces/plans/topics?state=unanswered",
                "/spaces/plans/topics?tag=plan",
                "/spaces/plans/topics?author=ada",
                "/spaces/plans/topics?kind=question",
                "/spaces/plans/rooms",
                "/notices",
                "/rooms",
            ]
            .map(|path| format!("/api/v1{path}"));
            let of_things = [
                format!("/api/v1/topics/{topic_id}"),
                format!("/api/v1/topics/{topic_id}/posts"),
                format!("/api/v1/topics/{topic_id}/posts?order=time"),
                format!("/api/v1/posts/{post_id}/revisions"),
                format!("/api/v1/rooms/{room_id}"),
                format!("/api/v1{messages}"),
                format!("/api/v1{messages}?after=0"),
                format!("/api/v1{messages}?around=1"),
            ];
            for path in pages.iter().chain(&more).chain(&api).chain(&of_things) {
                let answer = client.page(path).await;
                assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.text);
                asked += usize::from(answer.status == 200);
            }
        }
        assert!(asked > 100, "{asked} pages and lists were read");
        // Writes, sockets and what runs by itself.
        let mut bob = Client::new(&base);
        let login = bob.post("/api/v1/auth/login", &json!({"login": "bob", "password": password("bob")})).await.json();
        bob.bearer = login["access_token"].as_str().map(str::to_owned);
        let mut socket = Socket::open(&bob).await;
        socket.subscribe(room["stream"].as_str().unwrap(), Some(0), None).await;
        socket.subscribe(topic["stream"].as_str().unwrap(), Some(0), None).await;
        socket.subscribe(&format!("member:{}", text(&login["member"]["id"])), Some(0), None).await;
        post(&bob, &messages, json!({"body": "@ada once more", "client_id": "4"})).await;
        post(&bob, &format!("/topics/{topic_id}/posts"), json!({"body": "Once more @ada"})).await;
        let reaction = format!("/api/v1/posts/{post_id}/reactions/%F0%9F%8E%89");
        assert!(bob.put(&reaction).await.status < 300);
        assert!(bob.put(&format!("/api/v1/posts/{post_id}/bookmark")).await.status < 300);
        socket.send(&json!({"type": "read", "room": room_id, "seq": 1})).await;
        praxis_server::jobs::run_due(&hub.state).await.unwrap();
        praxis_server::jobs::run_until_idle(&hub.state).await.unwrap();
        assert_eq!(bob.post("/api/v1/auth/logout", &json!({})).await.status, 204);
        hub.stop().await;
        let found = whole_reads(&postgres.log());
        let told: Vec<String> = found.iter().map(|(table, statement)| format!("{table}: {statement}")).collect();
        assert!(told.is_empty(), "tables that grow are read whole by:\n{}", told.join("\n"));
    });
}
