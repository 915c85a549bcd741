//! Whatever is sent to a route of the OpenAPI document: never a 500, and what is refused changes nothing.

use praxis_server::web::openapi::document;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::hub::{password, run_with};
use crate::support::stage::{Cast, done, id};
use crate::support::{Client, Db, TestHub};

/// One route of the document.
struct Operation {
    method: String,
    path: String,
    /// Names of the body's properties, as far as the document tells.
    fields: Vec<String>,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let named = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
            let schema = named.map_or(schema, |name| &document["components"]["schemas"][name]);
            let fields = schema["properties"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), fields });
        }
    }
    operations
}

/// A generator with a seed: the same requests every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// Values that nobody means well with.
fn values() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(9_223_372_036_854_775_807_i64),
        json!(1e308),
        json!(""),
        json!(" "),
        json!("a"),
        json!("\u{0}"),
        json!("a\u{0}b"),
        json!("\u{202e}txt.exe\u{202c}"),
        json!("\u{feff}\u{200b}\u{200d}"),
        json!("e\u{301}".repeat(300)),
        json!("👩‍👩‍👧‍👦🏳️‍🌈".repeat(50)),
        json!("x".repeat(70_000)),
        json!("[".repeat(50_000)),
        json!("> ".repeat(20_000)),
        json!("`'\"<script>alert(1)</script>--;DROP TABLE member"),
        json!("%00%ff../../etc/passwd"),
        json!("1999-02-30T25:61:61Z"),
        json!([]),
        json!([null, 1, "a", {}]),
        json!(vec!["tag"; 500]),
        json!({}),
        json!({"a": {"b": {"c": []}}}),
        deep,
    ]
}

/// Bodies that are no JSON, or no text.
fn raw() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("application/json", Vec::new()),
        ("application/json", b"{".to_vec()),
        ("application/json", b"nul".to_vec()),
        ("application/json", b"{\"body\":\"\\ud800\"}".to_vec()),
        ("application/json", b"{\"body\":\"\\udc00\\ud800\"}".to_vec()),
        ("application/json", b"{\"title\":\"\xff\xfe\"}".to_vec()),
        ("application/json", "[".repeat(200_000).into_bytes()),
        ("application/json", b"{\"a\":1,\"a\":2}".to_vec()),
        ("application/json; charset=utf-7", b"{}".to_vec()),
        ("text/html", b"<p>".to_vec()),
        ("application/x-www-form-urlencoded", b"title=a&title=b".to_vec()),
        ("multipart/form-data", b"--x".to_vec()),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_vec()),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xff.png\"\r\n\r\n\x89PNG\r\n--x--\r\n"
                .to_vec(),
        ),
        ("", b"{}".to_vec()),
    ]
}

const QUERIES: &[&str] = &[
    "",
    "?limit=0",
    "?limit=-1",
    "?limit=99999999999999999999",
    "?limit=ten",
    "?cursor=nonsense",
    "?cursor=%00",
    "?cursor=AAAA&limit=1",
    "?sort=sideways&order=none&kind=nothing&state=odd",
    "?q=%00&tag=%ff&author=%F0%9F%91%8D",
    "?q=%25_%5C'%22&tag=%25",
    "?limit=1&limit=2",
    "?%",
];

const IDS: &[&str] = &[
    "0",
    "-1",
    "0000000000000",
    "zzzzzzzzzzzzz",
    "9999999999999",
    "%00",
    "%F0%9F%91%8D",
    "a%2Fb",
    "..",
    "%C0%AF",
    "null",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn odd_input_is_refused_and_changes_nothing() {
    run_with(Db::Sqlite, "fuzz", &[("rate_limit", "off")], async |hub| fuzz(hub, 0x5eed).await);
}

#[test]
fn odd_input_is_refused_and_changes_nothing_on_postgres() {
    run_with(Db::Postgres, "fuzz", &[("rate_limit", "off")], async |hub| fuzz(hub, 0xfeed).await);
}

async fn fuzz(hub: &TestHub, seed: u64) {
    let cast = Cast::of(hub).await;
    let space = cast.space(hub, "open").await;
    let topic = id(&hub.topic(&cast.author, &space, "What is asked").await);
    let post = id(&hub.reply(&cast.author, &topic, None, "What is answered.").await);
    let room = id(&super::chat::room(&cast.author, &space, "talk", false).await);
    let message = id(&super::chat::say(&cast.author, &room, "What is said.").await);
    let real = Real { space: &space, topic: &topic, post: &post, room: &room, message: &message };
    // Somebody whom the administrator may suspend without spoiling the rest.
    let victim = hub.member("vera").await;
    let mut dice = Dice(seed);
    let (values, raw) = (values(), raw());
    let mut faults = Vec::new();
    let mut sender = Client::new(&hub.base);
    for operation in operations() {
        for round in 0..24 {
            if round % 6 == 0 {
                // Whoever was signed out, suspended or thrown out on the way comes back.
                let handle = ["rhea", "olga", "mia"][dice.roll(3)];
                sender.bearer = if round == 18 { None } else { sign_in(hub, handle).await };
            }
            let path = path(&operation.path, &mut dice, &real, &victim.handle);
            let query = if operation.method == "GET" { *dice.pick(QUERIES) } else { "" };
            let mut request = sender.request(&operation.method, &format!("/api/v1{path}{query}"));
            if operation.method != "GET" {
                if round % 4 == 3 {
                    let (kind, body) = dice.pick(&raw);
                    if !kind.is_empty() {
                        request = request.header("Content-Type", *kind);
                    }
                    request = request.body(body.clone());
                } else {
                    let mut body = serde_json::Map::new();
                    for field in &operation.fields {
                        body.insert(field.clone(), dice.pick(&values).clone());
                    }
                    if operation.fields.is_empty() || dice.roll(8) == 0 {
                        body.insert("body".into(), dice.pick(&values).clone());
                    }
                    request = request.json(&body);
                }
                if dice.roll(5) == 0 {
                    request = request.header("Idempotency-Key", *dice.pick(&["a", " ", "k".repeat(300).as_str()]));
                }
                if dice.roll(5) == 0 {
                    request =
                        request.header("If-Match", *dice.pick(&["*", "\"v1\"", "W/\"v1\"", "\"v99999999999\"", "x"]));
                }
            }
            // What earlier requests left to jobs is no fault of this one.
            hub.settle().await;
            let before = rows(hub).await;
            let answer = sender.send(request).await;
            let what = format!("{} {path}{query} in round {round}: {}", operation.method, answer.status);
            if answer.status >= 500 {
                faults.push(format!("{what}: {}", answer.text));
            }
            if answer.status < 400 {
                continue;
            }
            if answer.header("content-type") != "application/problem+json" {
                faults.push(format!("{what} of type '{}'", answer.header("content-type")));
            } else if answer.json()["status"] != answer.status {
                faults.push(format!("{what}: {}", answer.text));
            }
            let after = rows(hub).await;
            if before != after {
                faults.push(format!("{what} and yet {before:?} became {after:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(hub.visitor().get("/readyz").await.status, 200);
}

async fn sign_in(hub: &TestHub, handle: &str) -> Option<String> {
    let body = json!({"login": handle, "password": password(handle)});
    let pair = done(&hub.visitor().post("/api/v1/auth/login", &body).await);
    pair["access_token"].as_str().map(str::to_owned)
}

/// Names of what is there.
struct Real<'a> {
    space: &'a str,
    topic: &'a str,
    post: &'a str,
    room: &'a str,
    message: &'a str,
}

/// The path with real or odd names in its places.
fn path(template: &str, dice: &mut Dice, real: &Real<'_>, victim: &str) -> String {
    let id = match template.split('/').nth(1) {
        Some("topics") => real.topic,
        Some("rooms") => real.room,
        Some("messages") => real.message,
        _ => real.post,
    };
    let mut path = template.to_owned();
    for (place, real) in [("{slug}", real.space), ("{handle}", victim), ("{emoji}", "%F0%9F%91%8D"), ("{id}", id)] {
        let name = if dice.roll(3) == 0 { *dice.pick(IDS) } else { real };
        path = path.replace(place, name);
    }
    path
}

/// How many rows each table has, of those that only requests fill: mail comes from jobs.
async fn rows(hub: &TestHub) -> Vec<(String, i64)> {
    const TABLES: &[&str] = &[
        "member",
        "session",
        "api_token",
        "invitation",
        "space",
        "space_member",
        "space_request",
        "space_invite",
        "topic",
        "post",
        "post_revision",
        "reaction",
        "endorsement",
        "bookmark",
        "tag",
        "topic_tag",
        "report",
        "file",
        "event",
        "moderation_act",
        "room",
        "room_member",
        "message",
        "message_revision",
        "message_reaction",
        "room_topic",
        "member_block",
        "notice",
        "idempotent_answer",
    ];
    let counts: Vec<String> =
        TABLES.iter().map(|table| format!("SELECT '{table}' AS name, count(*) AS n FROM {table}")).collect();
    let db = hub.state().store.read();
    let statement = Statement::from_string(db.get_database_backend(), counts.join(" UNION ALL "));
    let rows = db.query_all_raw(statement).await.unwrap();
    let mut counts: Vec<(String, i64)> =
        rows.iter().map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "n").unwrap())).collect();
    counts.sort();
    counts
}
