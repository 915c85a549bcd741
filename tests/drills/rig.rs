//! Nodes of one hub as processes, with people who write and read all the time.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::crowd::{Addresses, Reader, Tally, Writer};
use crate::support::engines::say;
use crate::support::program::{Folder, Served};
use crate::support::{Client, Socket};

/// How long full service may take to come back on a busy machine.
pub const WITHIN: Duration = Duration::from_secs(60);

pub struct Rig {
    folder: Folder,
    settings: Vec<(String, String)>,
    nodes: Vec<Option<Served>>,
    pub addresses: Addresses,
    pub ada: Client,
    pub room: String,
    stream: String,
    epoch: String,
    pub tally: Arc<Tally>,
    stop: watch::Sender<bool>,
    until: watch::Sender<Option<i64>>,
    writers: Vec<JoinHandle<Writer>>,
    readers: Vec<JoinHandle<Reader>>,
    places: Vec<watch::Receiver<i64>>,
    probes: usize,
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

impl Rig {
    /// Starts so many nodes with a crowd: four writers, and two readers on each node.
    pub async fn start(count: usize, settings: &[(&str, &str)], data: Option<Folder>) -> Self {
        let folder = data.unwrap_or_else(Folder::new);
        let mut all = vec![("RATE_LIMIT", "off"), ("LOG", "error"), ("WORKERS", "2")];
        all.extend(settings);
        let settings: Vec<(String, String)> =
            all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let addresses: Addresses = Arc::new(Mutex::new(vec![None; count]));
        let (stop, until) = (watch::channel(false).0, watch::channel(None).0);
        let mut rig = Self {
            folder,
            settings,
            nodes: (0..count).map(|_| None).collect(),
            addresses,
            ada: Client::new(""),
            room: String::new(),
            stream: String::new(),
            epoch: String::new(),
            tally: Arc::default(),
            stop,
            until,
            writers: Vec::new(),
            readers: Vec::new(),
            places: Vec::new(),
            probes: 0,
        };
        (0..count).for_each(|node| rig.launch(node, &[]));
        rig.settle_in().await;
        rig
    }

    async fn settle_in(&mut self) {
        let base = self.base(0);
        let (ada, bob) = (register(&base, "ada").await, register(&base, "bob").await);
        let space = json!({"slug": "drill", "name": "Drill", "description": "", "visibility": "open"});
        assert_eq!(ada.post("/api/v1/spaces", &space).await.status, 201);
        assert!(bob.post("/api/v1/spaces/drill/join", &json!({})).await.status < 300);
        let body = json!({"slug": "one", "name": "One", "purpose": ""});
        let room = ada.post("/api/v1/spaces/drill/rooms", &body).await.json();
        let text = |name: &str| room[name].as_str().unwrap().to_owned();
        (self.room, self.stream, self.epoch) = (text("id"), text("stream"), text("epoch"));
        let count = self.nodes.len();
        for number in 0..4 {
            let writer = Writer {
                name: format!("writer-{number}"),
                bearer: if number % 2 == 0 { ada.bearer.clone() } else { bob.bearer.clone() },
                room: self.room.clone(),
                by_socket: number < 2,
                node: number % count,
                written: 0,
                waiting: Default::default(),
                acknowledged: Vec::new(),
                addresses: Arc::clone(&self.addresses),
                tally: Arc::clone(&self.tally),
            };
            self.writers.push(spawn(writer.run(self.stop.subscribe())));
        }
        for number in 0..2 * count {
            let (place, seen) = watch::channel(0);
            let reader = Reader {
                node: number % count,
                bearer: bob.bearer.clone(),
                stream: self.stream.clone(),
                epoch: self.epoch.clone(),
                events: Vec::new(),
                addresses: Arc::clone(&self.addresses),
                place,
            };
            self.places.push(seen);
            self.readers.push(spawn(reader.run(self.until.subscribe())));
        }
        self.ada = ada;
    }

    /// Starts a node, with settings of its own over those of all.
    pub fn launch(&mut self, node: usize, own: &[(&str, &str)]) {
        let mut settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        settings.extend(own);
        let served = Served::start(self.folder.path(), &settings);
        self.addresses.lock().unwrap()[node] = Some(served.base.clone());
        self.nodes[node] = Some(served);
    }

    pub fn base(&self, node: usize) -> String {
        self.addresses.lock().unwrap()[node].clone().unwrap()
    }

    /// Ends a node without a chance to finish anything.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].take().unwrap().kill();
        self.addresses.lock().unwrap()[node] = None;
    }

    /// Asks a node to end, and waits until it has. New work goes to the others meanwhile.
    pub async fn end(&mut self, node: usize) {
        let served = self.nodes[node].take().unwrap();
        self.addresses.lock().unwrap()[node] = None;
        assert!(served.end("TERM").await.success(), "an orderly end");
    }

    pub fn signal(&self, node: usize, signal: &str) {
        let pid = self.nodes[node].as_ref().unwrap().pid().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Waits until so many more messages are acknowledged.
    pub async fn written(&self, more: usize) {
        let goal = self.tally.acknowledged.load(Ordering::SeqCst) + more;
        let waiting = async {
            while self.tally.acknowledged.load(Ordering::SeqCst) < goal {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(WITHIN, waiting).await.expect("messages are acknowledged");
    }

    /// Waits until every node takes a message and everybody on every node has it, and the nodes
    /// hear each other again if they should; prints how long that took.
    pub async fn full_service(&mut self, what: &str, since: Instant, bus: bool) {
        let served = async {
            for node in 0..self.nodes.len() {
                self.probes += 1;
                let mut client = Client::new(&self.base(node));
                client.bearer.clone_from(&self.ada.bearer);
                let body = json!({"body": "probe", "client_id": format!("probe-{}", self.probes)});
                let path = format!("/api/v1/rooms/{}/messages", self.room);
                let seq = loop {
                    if let Ok(answer) = client.request("POST", &path).json(&body).send().await {
                        let status = answer.status().as_u16();
                        assert!(matches!(status, 200 | 201 | 503), "{status}");
                        if status < 300 {
                            break answer.json::<Value>().await.unwrap()["seq"].as_i64().unwrap();
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                };
                for place in &mut self.places {
                    place.wait_for(|place| *place >= seq).await.unwrap();
                }
                while bus && self.bus(node).await != "connected" {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::time::timeout(WITHIN, served).await.unwrap_or_else(|_| panic!("no full service after: {what}"));
        say(what, since);
    }

    /// The longest that any of some messages took from one node to a reader on another.
    pub async fn slowest_across(&mut self, count: usize) -> Duration {
        let mut slowest = Duration::ZERO;
        for number in 0..count {
            slowest = slowest.max(self.crossing(number % 2, (number + 1) % 2).await);
        }
        slowest
    }

    /// How long a message took, once it was acknowledged, from one node to a reader on another or the same.
    pub async fn crossing(&mut self, from: usize, to: usize) -> Duration {
        let mut reader = self.look(to).await;
        let mut client = Client::new(&self.base(from));
        client.bearer.clone_from(&self.ada.bearer);
        self.probes += 1;
        let body = json!({"body": "probe", "client_id": format!("probe-{}", self.probes)});
        let sent = client.post(&format!("/api/v1/rooms/{}/messages", self.room), &body).await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        let (committed, seq) = (Instant::now(), sent.json()["seq"].as_i64().unwrap());
        while reader.events(1).await.iter().all(|event| event["seq"].as_i64().unwrap() < seq) {}
        committed.elapsed()
    }

    /// The state of a node's bus; readiness itself never fails for it.
    pub async fn bus(&self, node: usize) -> Value {
        match reqwest::get(format!("{}/readyz", self.base(node))).await {
            Ok(answer) => answer.json::<Value>().await.unwrap()["components"]["bus"]["state"].clone(),
            Err(_) => Value::Null,
        }
    }

    /// A member's socket on a node that reads the room from its end.
    pub async fn look(&self, node: usize) -> Socket {
        let mut client = Client::new(&self.base(node));
        client.bearer.clone_from(&self.ada.bearer);
        let mut socket = Socket::open(&client).await;
        assert_eq!(socket.subscribe(&self.stream, None, None).await["type"], "subscribed");
        socket
    }

    /// Stops the crowd and compares: what was acknowledged, what is there, what everybody read.
    pub async fn compare(mut self) {
        self.stop.send_replace(true);
        let mut writers = Vec::new();
        for writer in self.writers.drain(..) {
            writers.push(tokio::time::timeout(WITHIN, writer).await.expect("what waits goes out").unwrap());
        }
        self.ada.base = self.base(0);
        let listed = self.listed().await;
        let by_name: BTreeMap<&str, &Value> =
            listed.iter().map(|message| (message["client_id"].as_str().unwrap(), message)).collect();
        assert_eq!(by_name.len(), listed.len(), "a message is there twice");
        let mut acknowledged = 0;
        for told in writers.iter().flat_map(|writer| &writer.acknowledged) {
            let name = told.letter.client_id.as_str();
            let there = by_name.get(name).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
            assert_eq!((&there["id"], &there["seq"]), (&json!(told.id), &json!(told.seq)));
            assert_eq!(there["body"], told.letter.body);
            acknowledged += 1;
        }
        let probes = listed.iter().filter(|message| message["body"] == "probe").count();
        assert_eq!(acknowledged + probes, listed.len(), "nothing is there that was not acknowledged in the end");
        let view = self.ada.get(&format!("/api/v1/rooms/{}", self.room)).await.json();
        assert_eq!(view["message_count"], listed.len());
        self.until.send_replace(view["head"].as_i64());
        let rows: Vec<_> = listed.iter().map(|message| (&message["seq"], &message["id"], &message["body"])).collect();
        for reader in self.readers.drain(..) {
            let reader = tokio::time::timeout(WITHIN, reader).await.expect("readers come to the head").unwrap();
            let posted = reader.events.iter().filter(|event| event["event"] == "message.posted");
            let posted: Vec<_> =
                posted.map(|event| (&event["seq"], &event["data"]["id"], &event["data"]["body"])).collect();
            assert_eq!(posted, rows, "what a reader of node {} saw is what is there", reader.node);
        }
        for node in self.nodes.drain(..).flatten() {
            assert!(node.end("TERM").await.success(), "an orderly end");
        }
    }

    async fn listed(&self) -> Vec<Value> {
        let mut listed: Vec<Value> = Vec::new();
        loop {
            let after = listed.last().map_or(0, |message| message["seq"].as_i64().unwrap());
            let path = format!("/api/v1/rooms/{}/messages?after={after}&limit=100", self.room);
            let page = self.ada.get(&path).await.json();
            let items = page["items"].as_array().unwrap();
            if items.is_empty() {
                return listed;
            }
            listed.extend(items.iter().cloned());
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the drill waits for it")]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

/// Runs a drill.
pub fn drill(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(body);
}
