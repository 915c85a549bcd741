//! No list reads a whole table that grows: PostgreSQL itself says how it ran every statement of
//! the hub, on a database with enough rows that it would rather not.

use std::collections::BTreeSet;

use serde_json::json;

use super::rows;
use crate::support::engines::Postgres;
use crate::support::hub::password;
use crate::support::pages::{PAGES, browser_of};
use crate::support::stage::{Cast, VIEWERS, done, id};
use crate::support::things::Things;
use crate::support::{Client, Db, Socket, TestHub};

/// Tables that may be read whole: a hub has few rows of them, however large it is, and what is
/// read of them is kept in memory.
const SMALL: [&str; 5] = ["space", "setting", "page", "seaql_migrations", "search_index"];

/// Sums over everything, which no index spares: how often each word of a vocabulary is used, how
/// many there are of each kind. They stand here by name so that no other joins them unseen.
const SUMS: &[&str] = &[
    // Vocabularies of the library and of case studies, tags of all spaces.
    "SELECT min(x.term) AS term, count(*) AS uses FROM resource_term x",
    "SELECT x.kind, x.term, min(x.label) AS label, count(*) AS uses FROM study_term x",
    "SELECT name, CAST(sum(topic_count) AS BIGINT) AS uses FROM tag",
    // Who uses what, by organisation.
    "SELECT d.organisation_key, min(d.organisation) AS organisation",
    // Figures for administrators, and of the directory.
    "SELECT \"job\".\"state\", COUNT(",
    "SELECT \"mail\".\"state\", COUNT(",
    "SELECT COUNT(*) AS num_items FROM (SELECT \"member\"",
];

/// Whether an index reads: it compares its counts with the tables' every ten minutes, and builds
/// itself from rows by the hundred.
fn is_of_an_index(statement: &str) -> bool {
    (statement.starts_with("SELECT count(*) AS n FROM ") && !statement.contains('$')) || statement.contains("$100")
}

/// Lists of the API that filter or sort; the others are those of its own description.
const LISTS: &[&str] = &[
    "/members?q=crowd-1",
    "/spaces/{slug}/topics?sort=new",
    "/spaces/{slug}/topics?sort=top",
    "/spaces/{slug}/topics?state=unanswered",
    "/spaces/{slug}/topics?state=answered",
    "/spaces/{slug}/topics?tag=alerts",
    "/spaces/{slug}/topics?author=alan",
    "/spaces/{slug}/topics?kind=question",
    "/spaces/{slug}/resources?kind=dataset",
    "/spaces/{slug}/resources?tag=alerts",
    "/spaces/{slug}/resources?sort=downloads",
    "/topics/{id}/posts?order=time",
    "/rooms/{id}/messages?after=0",
    "/rooms/{id}/messages?around=1",
    "/rooms/{id}/messages?roots=true",
    "/rooms/{id}/messages?thread=0000000000001",
    "/search?q=alerts",
];

/// Pages that filter or sort otherwise than the list of pages does.
const MORE: &[&str] = &[
    "/people?q=crowd-77",
    "/topics?state=unanswered",
    "/topics?sort=top",
    "/library?q=alerts",
    "/library?kind=dataset",
    "/library?sort=downloads",
    "/library?tag=alerts",
    "/s/{slug}/library?sort=endorsed",
    "/complete?q=cr",
    "/admin?q=crowd",
    "/admin/members",
    "/admin/members?q=crowd-1",
];

/// The tables that a plan reads whole, with the statement.
fn whole_reads(log: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for entry in log.split("\n@@ ").filter(|entry| entry.contains("plan:")) {
        let text = entry.split_once("Query Text: ").map_or("", |(_, rest)| rest);
        let statement: String = text.lines().take_while(|line| !line.contains("(cost=")).collect::<Vec<_>>().join(" ");
        let of_the_catalogue = statement.contains("pg_catalog") || statement.contains("pg_class");
        if of_the_catalogue || is_of_an_index(&statement) || SUMS.iter().any(|sum| statement.starts_with(sum)) {
            continue;
        }
        for (at, mark) in entry.match_indices("Seq Scan on ") {
            let table = entry[at + mark.len()..].split([' ', '\n']).next().unwrap_or_default();
            if !SMALL.contains(&table) {
                found.insert((table.to_owned(), statement.chars().take(3000).collect()));
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
        let url = postgres.url("postgres");
        // The database is the test's own, whatever the harness would make.
        let mut hub = TestHub::start(Db::Sqlite, "plans", &[("database_url", &url), ("rate_limit", "off")]).await;
        let cast = Cast::of(&hub).await;
        let things = Things::of(&hub, &cast, "open").await;
        crate::support::stage::file(&cast.author).await;
        hub.settle().await;
        hub.stop().await;
        rows::fill(&url).await;
        postgres.stop();
        postgres.explain_everything();
        postgres.resume();
        hub.resume().await;

        let room = done(&member(&hub, "mia").await.get(&format!("/api/v1/spaces/{}/rooms", things.space)).await);
        let room = room["items"].as_array().unwrap().iter().find(|room| room["slug"] == json!(things.room)).cloned();
        let talk = room.map_or_else(|| things.direct.clone(), |room| id(&room));
        let described = hub.visitor().get("/api/openapi.json").await.json();
        let described = described["paths"].as_object().unwrap().iter().filter(|(_, path)| path["get"].is_object());
        let described: Vec<String> = described.map(|(path, _)| path.trim_start_matches("/api/v1").to_owned()).collect();
        assert!(described.len() > 40, "{described:?}");
        let in_api = |template: &str| {
            let about = if template.starts_with("/topics") { &things.topic } else { &talk };
            let talks = template.starts_with("/topics") || template.starts_with("/rooms");
            let template = if talks { template.replace("{id}", about) } else { template.to_owned() };
            format!("/api/v1{}", things.address(&template))
        };
        let mut asked = 0;
        for name in VIEWERS {
            let browser = browser_of(&hub, cast.viewer(name)).await;
            let pages = PAGES.iter().map(|(template, _)| *template).chain(MORE.iter().copied());
            let pages = pages.map(|template| things.address(template));
            let lists = described.iter().map(String::as_str).chain(LISTS.iter().copied()).map(in_api);
            for path in pages.chain(lists) {
                let answer = browser.page(&path).await;
                assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.text);
                asked += usize::from(answer.status == 200);
            }
        }
        assert!(asked > 400, "{asked} pages and lists were read");
        writes(&hub, &things, &talk).await;
        hub.stop().await;
        let found = whole_reads(&postgres.log());
        let told: Vec<String> = found.iter().map(|(table, statement)| format!("{table}: {statement}")).collect();
        assert!(told.is_empty(), "tables that grow are read whole by:\n{}", told.join("\n"));
        let _gone = std::fs::remove_dir_all(&hub.data_dir);
    });
}

/// Somebody's client, with a fresh token.
async fn member(hub: &TestHub, handle: &str) -> Client {
    let mut client = hub.visitor();
    let login = json!({"login": handle, "password": password(handle)});
    let login = done(&client.post("/api/v1/auth/login", &login).await);
    client.bearer = login["access_token"].as_str().map(str::to_owned);
    client.handle = handle.to_owned();
    client
}

/// Writes, sockets and what runs by itself.
async fn writes(hub: &TestHub, things: &Things, talk: &str) {
    let mia = member(hub, "mia").await;
    let own = id(&done(&mia.get("/api/v1/me").await));
    let mut socket = Socket::open(&mia).await;
    for stream in [format!("room:{talk}"), format!("topic:{}", things.topic), format!("member:{own}")] {
        socket.subscribe(&stream, Some(0), None).await;
    }
    let say = json!({"body": "@alan once more", "client_id": "once-more"});
    done(&mia.post(&format!("/api/v1/rooms/{talk}/messages"), &say).await);
    done(&mia.post(&format!("/api/v1/topics/{}/posts", things.topic), &json!({"body": "Once more @alan"})).await);
    done(&mia.put(&format!("/api/v1/posts/{}/reactions/%F0%9F%8E%89", things.post)).await);
    done(&mia.put(&format!("/api/v1/posts/{}/bookmark", things.post)).await);
    socket.send(&json!({"type": "read", "room": talk, "seq": 1})).await;
    for lane in praxis_server::jobs::Lane::ALL {
        praxis_server::jobs::run_due(hub.state(), lane).await.unwrap();
    }
    praxis_server::jobs::run_until_idle(hub.state()).await.unwrap();
    assert_eq!(mia.post("/api/v1/auth/logout", &json!({})).await.status, 204);
}
