//! The promise, put to the test: the program is killed with `kill -9` under load, ten times, and
//! everything it acknowledged is there, once, in order.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::postgres::PostgresDatabase;
use crate::support::program::{Folder, Served};
use crate::support::{Client, Socket};

/// Sends of a socket that may wait for their answer.
const WAITING: usize = 16;
/// How long a life may take to acknowledge what it should.
const WITHIN: Duration = Duration::from_secs(60);

/// What was sent, until it is acknowledged.
#[derive(Clone, Debug)]
struct Letter {
    room: String,
    client_id: String,
    body: String,
}

/// What the server said of it.
#[derive(Clone, Debug)]
struct Acknowledged {
    letter: Letter,
    id: String,
    seq: i64,
}

/// Counts what is acknowledged, by everybody.
#[derive(Default)]
struct Tally {
    count: AtomicUsize,
    more: Notify,
}

struct Writer {
    name: String,
    client: Client,
    by_socket: bool,
    rooms: Vec<String>,
    written: usize,
    waiting: VecDeque<Letter>,
    acknowledged: Vec<Acknowledged>,
    tally: Arc<Tally>,
}

impl Writer {
    fn write(&mut self) -> Letter {
        self.written += 1;
        let number = self.written;
        let letter = Letter {
            room: self.rooms[number % self.rooms.len()].clone(),
            client_id: format!("{}-{number}", self.name),
            body: format!("Number {number} of {}", self.name),
        };
        self.waiting.push_back(letter.clone());
        letter
    }

    fn acknowledge(&mut self, client_id: &str, id: &Value, seq: &Value) {
        let at = self.waiting.iter().position(|letter| letter.client_id == client_id);
        let letter = self.waiting.remove(at.unwrap_or_else(|| panic!("{client_id} was acknowledged twice"))).unwrap();
        let (id, seq) = (id.as_str().unwrap().to_owned(), seq.as_i64().unwrap());
        self.acknowledged.push(Acknowledged { letter, id, seq });
        self.tally.count.fetch_add(1, Ordering::SeqCst);
        self.tally.more.notify_one();
    }

    /// Writes until the server is gone, or, the last time, until nothing waits.
    async fn live(mut self, base: String, last: bool) -> Self {
        self.client.base = base;
        if self.by_socket {
            self.live_by_socket(last).await
        } else {
            self.live_by_http(last).await
        }
        self
    }

    async fn live_by_socket(&mut self, last: bool) {
        let Some(mut socket) = Socket::try_open(&self.client).await else { return };
        // As an outbox does: what waits goes again, in its order, under its names.
        let mut outgoing: VecDeque<Letter> = self.waiting.clone();
        loop {
            while !last && self.waiting.len() < WAITING {
                let letter = self.write();
                outgoing.push_back(letter);
            }
            while let Some(letter) = outgoing.pop_front() {
                let frame =
                    json!({"type": "send", "room": letter.room, "body": letter.body, "client_id": letter.client_id});
                if !socket.try_send(&frame).await {
                    return;
                }
            }
            if self.waiting.is_empty() {
                return;
            }
            let Some(frame) = socket.try_next().await else { return };
            match frame["type"].as_str().unwrap() {
                "sent" => self.acknowledge(frame["client_id"].as_str().unwrap(), &frame["id"], &frame["seq"]),
                "error" => panic!("{frame}"),
                _ => {}
            }
        }
    }

    async fn live_by_http(&mut self, last: bool) {
        let mut outgoing: VecDeque<Letter> = self.waiting.clone();
        loop {
            let letter = match outgoing.pop_front() {
                Some(letter) => letter,
                None if last => return,
                None => self.write(),
            };
            let body = json!({"body": letter.body, "client_id": letter.client_id});
            let path = format!("/api/v1/rooms/{}/messages", letter.room);
            let Ok(answer) = self.client.request("POST", &path).json(&body).send().await else { return };
            let status = answer.status().as_u16();
            // The answer may end in the middle.
            let Ok(said) = answer.json::<Value>().await else { return };
            assert!(matches!(status, 200 | 201), "{status} {said}");
            self.acknowledge(&letter.client_id, &said["id"], &said["seq"]);
        }
    }
}

/// Follows one room over all lives.
struct Reader {
    client: Client,
    stream: String,
    epoch: String,
    /// In the order of their seqs, from 1.
    events: Vec<Value>,
}

impl Reader {
    /// Reads until the server is gone, or up to `until`.
    async fn live(mut self, base: String, until: Option<i64>) -> Self {
        self.client.base = base;
        let Some(mut socket) = Socket::try_open(&self.client).await else { return self };
        let since = self.events.len();
        let frame = json!({"type": "subscribe", "stream": self.stream, "since": since, "epoch": self.epoch});
        if !socket.try_send(&frame).await {
            return self;
        }
        while until.is_none_or(|until| (self.events.len() as i64) < until) {
            let Some(frame) = socket.try_next().await else { return self };
            assert!(!matches!(frame["type"].as_str(), Some("reset" | "error")), "{frame}");
            for event in frame["items"].as_array().into_iter().flatten() {
                assert_eq!(event["seq"], self.events.len() + 1, "a hole or a repeat in {}", self.stream);
                self.events.push(event.clone());
            }
        }
        self
    }
}

async fn register(base: &str, handle: &str) -> Client {
    let body = json!({
        "handle": handle, "display_name": handle, "email": format!("{handle}@example.org"), "password": "correct-battery-staple-9",
    });
    let mut client = Client::new(base);
    let answer = client.post("/api/v1/auth/register", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    client.bearer = answer.json()["access_token"].as_str().map(str::to_owned);
    client
}

fn again(client: &Client) -> Client {
    let mut copy = Client::new(&client.base);
    copy.bearer.clone_from(&client.bearer);
    copy
}

fn serve(folder: &Path, database: Option<&str>) -> Served {
    let mut settings = vec![("RATE_LIMIT", "off"), ("LOG", "error"), ("WORKERS", "2")];
    settings.extend(database.map(|url| ("DATABASE_URL", url)));
    Served::start(folder, &settings)
}

async fn drill(kills: usize, database: Option<&str>) {
    let folder = Folder::new();
    let serve = || serve(folder.path(), database);
    let server = serve();
    let (ada, bob) = (register(&server.base, "ada").await, register(&server.base, "bob").await);
    let space = json!({"slug": "drill", "name": "Drill", "description": "", "visibility": "open"});
    assert_eq!(ada.post("/api/v1/spaces", &space).await.status, 201);
    assert!(bob.post("/api/v1/spaces/drill/join", &json!({})).await.status < 300);
    let (mut rooms, mut readers) = (Vec::new(), Vec::new());
    for name in ["one", "two"] {
        let body = json!({"slug": name, "name": name, "purpose": ""});
        let room = ada.post("/api/v1/spaces/drill/rooms", &body).await.json();
        rooms.push(room["id"].as_str().unwrap().to_owned());
        let (stream, epoch) = (room["stream"].as_str().unwrap().to_owned(), room["epoch"].as_str().unwrap().to_owned());
        readers.push(Reader { client: again(&bob), stream, epoch, events: Vec::new() });
    }
    let tally = Arc::new(Tally::default());
    let writer = |number: usize| Writer {
        name: format!("writer-{number}"),
        client: again(if number.is_multiple_of(2) { &ada } else { &bob }),
        by_socket: number < 4,
        rooms: rooms.clone(),
        written: 0,
        waiting: VecDeque::new(),
        acknowledged: Vec::new(),
        tally: Arc::clone(&tally),
    };
    let mut writers: Vec<Writer> = (0..6).map(writer).collect();
    let mut server = Some(server);
    for life in 0..kills {
        let served = server.take().unwrap_or_else(serve);
        let base = served.base.clone();
        let writing = join_all(writers.drain(..).map(|writer| writer.live(base.clone(), false)));
        let reading = join_all(readers.drain(..).map(|reader| reader.live(base.clone(), None)));
        // Each life ends somewhere else: early, and in the middle of more and more.
        let enough = tally.count.load(Ordering::SeqCst) + 20 + life * 50;
        let killing = async {
            while tally.count.load(Ordering::SeqCst) < enough {
                tally.more.notified().await;
            }
            served.kill();
        };
        let life = async { tokio::join!(writing, reading, killing) };
        (writers, readers, _) = tokio::time::timeout(WITHIN, life).await.expect("messages are acknowledged");
    }
    let served = serve();
    let mut written = Vec::new();
    for writer in writers {
        let writer = writer.live(served.base.clone(), true).await;
        assert!(writer.waiting.is_empty(), "what waits goes out in the end");
        written.push(writer);
    }
    let mut ada = ada;
    ada.base.clone_from(&served.base);
    for (room, reader) in rooms.iter().zip(readers) {
        compare(&ada, room, reader, &written, &served.base).await;
    }
}

/// The room as it stands, beside what was acknowledged and what its reader saw.
async fn compare(ada: &Client, room: &str, reader: Reader, writers: &[Writer], base: &str) {
    let mut listed: Vec<Value> = Vec::new();
    loop {
        let after = listed.last().map_or(0, |message| message["seq"].as_i64().unwrap());
        let page = ada.get(&format!("/api/v1/rooms/{room}/messages?after={after}&limit=100")).await.json();
        let items = page["items"].as_array().unwrap();
        if items.is_empty() {
            break;
        }
        listed.extend(items.iter().cloned());
    }
    let by_name: BTreeMap<&str, &Value> =
        listed.iter().map(|message| (message["client_id"].as_str().unwrap(), message)).collect();
    assert_eq!(by_name.len(), listed.len(), "a message is there twice");
    let mut acknowledged = 0;
    for writer in writers {
        let mut last = 0;
        for number in 1..=writer.written {
            let name = format!("{}-{number}", writer.name);
            let told: Vec<_> = writer.acknowledged.iter().filter(|told| told.letter.client_id == name).collect();
            let [told] = told.as_slice() else { panic!("{name}: acknowledged {} times", told.len()) };
            if told.letter.room != room {
                continue;
            }
            acknowledged += 1;
            let there = by_name.get(name.as_str()).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
            assert_eq!((&there["id"], &there["seq"]), (&json!(told.id), &json!(told.seq)));
            assert_eq!(there["body"], told.letter.body);
            assert!(told.seq > last, "{name} stands before what its writer wrote earlier");
            last = told.seq;
        }
    }
    assert_eq!(acknowledged, listed.len(), "nothing is there that was not acknowledged in the end");
    let view = ada.get(&format!("/api/v1/rooms/{room}")).await.json();
    assert_eq!(view["message_count"], listed.len());
    let head = view["head"].as_i64().unwrap();
    let reader = reader.live(base.to_owned(), Some(head)).await;
    assert_eq!(reader.events.len() as i64, head);
    let posted = reader.events.iter().filter(|event| event["event"] == "message.posted");
    let posted: Vec<_> = posted.map(|event| (&event["seq"], &event["data"]["id"], &event["data"]["body"])).collect();
    let rows: Vec<_> = listed.iter().map(|message| (&message["seq"], &message["id"], &message["body"])).collect();
    assert_eq!(posted, rows, "what the reader saw is what is there");
}

fn run(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(body);
}

#[test]
fn what_was_acknowledged_survives_ten_kills() {
    run(drill(10, None));
}

#[test]
fn what_was_acknowledged_survives_kills_on_postgres() {
    run(async {
        let Some(database) = PostgresDatabase::make().await else { return };
        drill(4, Some(&database.url)).await;
        database.remove().await;
    });
}
