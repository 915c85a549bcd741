//! Those who write and read while something breaks: each goes on at another node, as a browser
//! behind a proxy does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{Client, Socket};

/// Messages of a writer that may wait for their answer.
const WAITING: usize = 8;
/// How often a writer writes.
const EVERY: Duration = Duration::from_millis(15);
/// How long one try may take before another node is asked.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the nodes are; a node that is not there has no address.
pub type Addresses = Arc<Mutex<Vec<Option<String>>>>;

/// The address of a node, or of another if it has none.
pub fn address(of: &Addresses, wanted: usize) -> Option<String> {
    let all = of.lock().unwrap();
    let count = all.len();
    (0..count).find_map(|step| all[(wanted + step) % count].clone())
}

#[derive(Clone, Debug)]
pub struct Letter {
    pub client_id: String,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub letter: Letter,
    pub id: String,
    pub seq: i64,
}

/// Counts what is acknowledged, and how often the hub asked to come back.
#[derive(Default)]
pub struct Tally {
    pub acknowledged: AtomicUsize,
    pub refused: AtomicUsize,
}

pub struct Writer {
    pub name: String,
    pub bearer: Option<String>,
    pub room: String,
    pub by_socket: bool,
    pub node: usize,
    pub written: usize,
    pub waiting: VecDeque<Letter>,
    pub acknowledged: Vec<Acknowledged>,
    pub addresses: Addresses,
    pub tally: Arc<Tally>,
}

impl Writer {
    fn client(&self, base: &str) -> Client {
        let mut client = Client::new(base);
        client.bearer.clone_from(&self.bearer);
        client
    }

    fn write(&mut self) -> Letter {
        self.written += 1;
        let letter = Letter {
            client_id: format!("{}-{}", self.name, self.written),
            body: format!("Number {} of {}", self.written, self.name),
        };
        self.waiting.push_back(letter.clone());
        letter
    }

    fn acknowledge(&mut self, client_id: &str, id: &Value, seq: &Value) {
        let at = self.waiting.iter().position(|letter| letter.client_id == client_id);
        let letter = self.waiting.remove(at.unwrap_or_else(|| panic!("{client_id} was acknowledged twice"))).unwrap();
        let (id, seq) = (id.as_str().unwrap().to_owned(), seq.as_i64().unwrap());
        self.acknowledged.push(Acknowledged { letter, id, seq });
        self.tally.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Writes until told to stop, and then until everything is acknowledged.
    pub async fn run(mut self, stop: watch::Receiver<bool>) -> Self {
        let mut tries = self.node;
        while !(*stop.borrow() && self.waiting.is_empty()) {
            if let Some(base) = address(&self.addresses, tries) {
                if self.by_socket { self.by_socket(&base, &stop).await } else { self.by_http(&base, &stop).await }
            }
            tries += 1;
            tokio::time::sleep(EVERY).await;
        }
        self
    }

    async fn by_socket(&mut self, base: &str, stop: &watch::Receiver<bool>) {
        let client = self.client(base);
        let Ok(Some(mut socket)) = tokio::time::timeout(PATIENCE, Socket::try_open(&client)).await else { return };
        let mut outgoing: VecDeque<Letter> = self.waiting.clone();
        let mut pace = tokio::time::interval(EVERY);
        let mut heard = tokio::time::Instant::now();
        loop {
            while let Some(letter) = outgoing.pop_front() {
                let frame =
                    json!({"type": "send", "room": self.room, "body": letter.body, "client_id": letter.client_id});
                if !socket.try_send(&frame).await {
                    return;
                }
            }
            if *stop.borrow() && self.waiting.is_empty() {
                return;
            }
            if heard.elapsed() > 2 * PATIENCE && !self.waiting.is_empty() {
                // It hangs: another node may be better.
                return;
            }
            tokio::select! {
                frame = socket.try_next() => {
                    let Some(frame) = frame else { return };
                    heard = tokio::time::Instant::now();
                    match frame["type"].as_str().unwrap() {
                        "sent" => self.acknowledge(frame["client_id"].as_str().unwrap(), &frame["id"], &frame["seq"]),
                        "error" => {
                            assert_eq!(frame["code"], "unavailable", "{frame}");
                            self.tally.refused.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                        _ => {}
                    }
                }
                _ = pace.tick() => {
                    if !*stop.borrow() && self.waiting.len() < WAITING {
                        let letter = self.write();
                        outgoing.push_back(letter);
                    }
                }
            }
        }
    }

    async fn by_http(&mut self, base: &str, stop: &watch::Receiver<bool>) {
        let client = self.client(base);
        let mut outgoing: VecDeque<Letter> = self.waiting.clone();
        loop {
            let letter = match outgoing.pop_front() {
                Some(letter) => letter,
                None if *stop.borrow() => return,
                None => {
                    tokio::time::sleep(EVERY).await;
                    self.write()
                }
            };
            let body = json!({"body": letter.body, "client_id": letter.client_id});
            let path = format!("/api/v1/rooms/{}/messages", self.room);
            let sent = tokio::time::timeout(2 * PATIENCE, client.request("POST", &path).json(&body).send()).await;
            let Ok(Ok(answer)) = sent else { return };
            let (status, later) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            let Ok(said) = answer.json::<Value>().await else { return };
            if status == 503 {
                assert!(later, "a 503 says when to come back");
                self.tally.refused.fetch_add(1, Ordering::SeqCst);
                return;
            }
            assert!(matches!(status, 200 | 201), "{status} {said}");
            self.acknowledge(&letter.client_id, &said["id"], &said["seq"]);
        }
    }
}

/// Follows the room on one node, or on another while that one is away.
pub struct Reader {
    pub node: usize,
    pub bearer: Option<String>,
    pub stream: String,
    pub epoch: String,
    /// In the order of their seqs, from 1.
    pub events: Vec<Value>,
    pub addresses: Addresses,
    /// How far it has come, for whoever waits.
    pub place: watch::Sender<i64>,
}

impl Reader {
    /// Reads until the head it is told in the end.
    pub async fn run(mut self, mut until: watch::Receiver<Option<i64>>) -> Self {
        let mut tries = self.node;
        while !self.is_done(&until) {
            if let Some(base) = address(&self.addresses, tries) {
                self.read(&base, &mut until).await;
            }
            tries += 1;
            tokio::time::sleep(EVERY).await;
        }
        self
    }

    fn is_done(&self, until: &watch::Receiver<Option<i64>>) -> bool {
        until.borrow().is_some_and(|until| self.events.len() as i64 >= until)
    }

    async fn read(&mut self, base: &str, until: &mut watch::Receiver<Option<i64>>) {
        let mut client = Client::new(base);
        client.bearer.clone_from(&self.bearer);
        let Ok(Some(mut socket)) = tokio::time::timeout(PATIENCE, Socket::try_open(&client)).await else { return };
        let since = self.events.len();
        let frame = json!({"type": "subscribe", "stream": self.stream, "since": since, "epoch": self.epoch});
        if !socket.try_send(&frame).await {
            return;
        }
        while !self.is_done(until) {
            let frame = tokio::select! {
                frame = socket.try_next() => frame,
                _ = until.changed() => continue,
            };
            let Some(frame) = frame else { return };
            assert_ne!(frame["type"], "reset", "{frame}");
            if frame["type"] == "error" {
                assert_eq!(frame["code"], "unavailable", "{frame}");
                return;
            }
            for event in frame["items"].as_array().into_iter().flatten() {
                assert_eq!(event["seq"], self.events.len() + 1, "a hole or a repeat at node {}", self.node);
                self.events.push(event.clone());
            }
            self.place.send_replace(self.events.len() as i64);
        }
    }
}
