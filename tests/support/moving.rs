//! What tests of moving a hub share: commands that have to succeed, a hub with content, and what is
//! in an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use praxis_server::app::Config;
use reqwest::multipart::{Form, Part};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Client;
use super::hub::password;
use super::program::{Ended, Served, command, run};

/// Runs a command of the program that has to succeed.
pub fn done(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let ended = run(folder, arguments, settings);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended.out
}

/// One line that says why, and exit code 2.
pub fn refused(ended: &Ended, names: &str) {
    let lines: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("praxis: ")).collect();
    assert_eq!((ended.code, lines.len()), (Some(2), 1), "{ended:?}");
    assert!(lines[0].contains(names), "{ended:?}");
}

pub fn admin(folder: &Path, handle: &str) {
    use std::io::Write as _;
    let email = format!("{handle}@example.org");
    let mut program =
        command(folder, &["admin", "create", "--handle", handle, "--email", &email, "--password-stdin"], &[]);
    let mut child = program.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", password(handle)).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Signs in by the API; the refresh token too.
pub async fn sign_in(base: &str, handle: &str) -> (Client, String) {
    let mut client = Client::new(base);
    let answer = client.post("/api/v1/auth/login", &json!({"login": handle, "password": password(handle)})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    client.bearer = answer.json()["access_token"].as_str().map(str::to_owned);
    (client, answer.json()["refresh_token"].as_str().unwrap().to_owned())
}

pub async fn upload(client: &Client, name: &str, bytes: Vec<u8>) -> Value {
    let form = Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()));
    let answer = client.send(client.request("POST", "/api/v1/files").multipart(form)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

pub async fn made(client: &Client, path: &str, body: Value) -> Value {
    let answer = client.post(path, &body).await;
    assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text);
    answer.json()
}

/// A hub with invented content and some of its own; addresses that show it.
pub async fn fill(served: &Served) -> Vec<String> {
    let (ada, _) = sign_in(&served.base, "ada").await;
    made(
        &ada,
        "/api/v1/spaces",
        json!({"slug": "moving", "name": "Moving", "description": "", "visibility": "private"}),
    )
    .await;
    let file = upload(&ada, "plan.txt", "A plan. ".repeat(5000).into_bytes()).await;
    let body = format!("Ünïcode \u{1f600}, \"quotes\" and \\slashes\\.\n\n{}", file["markdown"].as_str().unwrap());
    let topic = json!({"title": "A topic that moves", "body": body, "kind": "question", "tags": ["moving"]});
    let topic = made(&ada, "/api/v1/spaces/moving/topics", topic).await["id"].as_str().unwrap().to_owned();
    let reply = made(&ada, &format!("/api/v1/topics/{topic}/posts"), json!({"body": "A reply."})).await;
    let reply = reply["id"].as_str().unwrap();
    assert!(ada.put(&format!("/api/v1/posts/{reply}/reactions/%F0%9F%91%8D")).await.status < 300);
    let room = json!({"slug": "van", "name": "Van", "purpose": "What goes where"});
    let room = made(&ada, "/api/v1/spaces/moving/rooms", room).await["id"].as_str().unwrap().to_owned();
    for number in 0..40 {
        let body = json!({"body": format!("Box {number}"), "client_id": format!("box-{number}")});
        made(&ada, &format!("/api/v1/rooms/{room}/messages"), body).await;
    }
    vec![
        "/api/v1/spaces?limit=100".into(),
        "/api/v1/members?limit=100".into(),
        "/api/v1/spaces/moving/topics".into(),
        format!("/api/v1/topics/{topic}"),
        format!("/api/v1/topics/{topic}/posts"),
        format!("/api/v1/rooms/{room}/messages?limit=100"),
        file["url"].as_str().unwrap().to_owned(),
    ]
}

/// What a member is shown at some addresses, without what is of one hub or one moment alone.
pub async fn answers(base: &str, addresses: &[String]) -> Vec<String> {
    let (ada, _) = sign_in(base, "ada").await;
    let mut found = Vec::new();
    for address in addresses {
        let answer = ada.get(address).await;
        assert_eq!(answer.status, 200, "{address}: {}", answer.text);
        let text = match serde_json::from_str::<Value>(&answer.text) {
            Ok(mut json) => {
                forget(&mut json);
                json.to_string()
            }
            Err(_) => answer.text,
        };
        found.push(text);
    }
    found
}

fn forget(json: &mut Value) {
    match json {
        Value::Object(items) => {
            for name in ["epoch", "seen_at", "last_seen_at", "online"] {
                items.remove(name);
            }
            items.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

/// Entries of an archive: name and bytes.
pub fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let read = |entry: std::io::Result<tar::Entry<std::fs::File>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

pub fn manifest(path: &Path) -> Value {
    let mut entries = entries(path);
    assert_eq!(entries.pop().unwrap().0, "manifest.json.sha256");
    let (name, bytes) = entries.pop().unwrap();
    assert_eq!(name, "manifest.json");
    serde_json::from_slice(&bytes).unwrap()
}

/// Rows by table, and files, whatever their order.
pub fn content(path: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut content: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, bytes) in entries(path) {
        if let Some((table, _)) = name.strip_prefix("tables/").and_then(|rest| rest.split_once('/')) {
            for line in String::from_utf8(bytes).unwrap().lines() {
                let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
                assert!(content.entry(table.to_owned()).or_default().insert(format!("{row:?}")), "{table}: twice");
            }
        } else if name.starts_with("blobs/") {
            let hash = format!("{:?}", sha2::Sha256::digest(&bytes));
            content.entry("(files)".into()).or_default().insert(format!("{name} {hash}"));
        }
    }
    content
}

pub fn config(values: &[(&str, &str)]) -> Config {
    Config::from_values(&values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()).unwrap()
}

pub async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

pub async fn sqlite(path: &Path) -> DatabaseConnection {
    sea_orm::Database::connect(format!("sqlite://{}", path.display())).await.unwrap()
}
