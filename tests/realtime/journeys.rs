//! Readers that come and go while people write: each ends with the room as it stands.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::hub::{Db, run_with};
use crate::support::{Client, Socket, TestHub};

const READERS: usize = 3;
const JOURNEYS: usize = 8;

#[derive(Clone, Debug)]
enum Act {
    Post,
    Edit(usize),
    Delete(usize),
    React(usize),
    /// The connection is gone without a word.
    Vanish(usize),
    /// A reader comes back with the last seq it saw.
    Return(usize),
    /// A reader subscribes once more on the same socket.
    Again(usize),
    /// A reader takes a frame if it misses something.
    Read(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Post),
        2 => any::<usize>().prop_map(Act::Edit),
        1 => any::<usize>().prop_map(Act::Delete),
        1 => any::<usize>().prop_map(Act::React),
        2 => (0..READERS).prop_map(Act::Vanish),
        3 => (0..READERS).prop_map(Act::Return),
        1 => (0..READERS).prop_map(Act::Again),
        4 => (0..READERS).prop_map(Act::Read),
    ];
    vec(act, 20..50)
}

/// What is written in the room, by id, as a reader or the API knows it.
type State = BTreeMap<String, (i64, String)>;

struct Reader {
    client: Client,
    socket: Option<Socket>,
    last: i64,
    known: State,
}

impl Reader {
    async fn come(&mut self, stream: &str, epoch: &str) {
        if self.socket.is_none() {
            self.socket = Some(Socket::open(&self.client).await);
        }
        let frame = json!({"type": "subscribe", "stream": stream, "since": self.last, "epoch": epoch});
        self.socket.as_mut().unwrap().send(&frame).await;
        let since = self.last;
        loop {
            let frame = self.socket.as_mut().unwrap().next_lasting().await;
            match frame["type"].as_str().unwrap() {
                // Of the subscription before this one.
                "events" => self.take(&frame),
                "subscribed" => break,
                _ => panic!("{frame}"),
            }
        }
        // What follows begins after what was asked for.
        self.last = since;
    }

    async fn read(&mut self) {
        let frame = self.socket.as_mut().unwrap().next_of("events").await;
        self.take(&frame);
    }

    fn take(&mut self, frame: &Value) {
        for event in frame["items"].as_array().unwrap() {
            let seq = event["seq"].as_i64().unwrap();
            assert_eq!(seq, self.last + 1, "a hole or a repeat: {event}");
            self.last = seq;
            let data = &event["data"];
            match event["event"].as_str().unwrap() {
                "message.posted" | "message.edited" => {
                    let id = data["id"].as_str().unwrap().to_owned();
                    let posted = self.known.get(&id).map_or(seq, |(posted, _)| *posted);
                    self.known.insert(id, (posted, data["body"].as_str().unwrap().to_owned()));
                }
                "message.deleted" => {
                    if let Some((_, body)) = self.known.get_mut(data["id"].as_str().unwrap()) {
                        body.clear();
                    }
                }
                _ => {}
            }
        }
    }
}

/// The room by HTTP.
async fn refetch(client: &Client, room: &str) -> (State, i64) {
    let view = client.get(&format!("/api/v1/rooms/{room}")).await.json();
    let page = client.get(&format!("/api/v1/rooms/{room}/messages?after=0&limit=100")).await.json();
    let rows = page["items"].as_array().unwrap().iter();
    let state = rows.map(|row| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("id"), (row["seq"].as_i64().unwrap(), text("body")))
    });
    (state.collect(), view["head"].as_i64().unwrap())
}

async fn journey(hub: &TestHub, writer: &Client, readers: &mut [Reader], space: &str, name: &str, acts: Vec<Act>) {
    let body = json!({"slug": name, "name": name, "purpose": ""});
    let room = writer.post(&format!("/api/v1/spaces/{space}/rooms"), &body).await.json();
    let field = |name: &str| room[name].as_str().unwrap().to_owned();
    let (id, stream, epoch) = (field("id"), field("stream"), field("epoch"));
    let (mut messages, mut head): (Vec<String>, i64) = (Vec::new(), 0);
    for reader in readers.iter_mut() {
        (reader.last, reader.known, reader.socket) = (0, State::new(), None);
    }
    let mut number = 0;
    for act in acts {
        number += 1;
        let some = |at: usize| (!messages.is_empty()).then(|| messages[at % messages.len()].clone());
        match act {
            Act::Post => {
                let body = json!({"body": format!("Number {number}"), "client_id": format!("{name}-{number}")});
                let answer = writer.post(&format!("/api/v1/rooms/{id}/messages"), &body).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
                messages.push(answer.id());
            }
            Act::Edit(at) => {
                if let Some(message) = some(at) {
                    let body = json!({"body": format!("Edited by {number}")});
                    writer.patch(&format!("/api/v1/messages/{message}"), &body).await;
                }
            }
            Act::Delete(at) => {
                if let Some(message) = some(at) {
                    writer.delete(&format!("/api/v1/messages/{message}")).await;
                }
            }
            Act::React(at) => {
                if let Some(message) = some(at) {
                    writer.put(&format!("/api/v1/messages/{message}/reactions/👍")).await;
                }
            }
            Act::Vanish(reader) => readers[reader].socket = None,
            Act::Return(reader) => readers[reader].come(&stream, &epoch).await,
            Act::Again(reader) if readers[reader].socket.is_some() => readers[reader].come(&stream, &epoch).await,
            Act::Again(_) => {}
            Act::Read(reader) => {
                head = writer.get(&format!("/api/v1/rooms/{id}")).await.json()["head"].as_i64().unwrap();
                let reader = &mut readers[reader];
                if reader.socket.is_some() && reader.last < head {
                    reader.read().await;
                }
            }
        }
    }
    let (rows, now) = refetch(writer, &id).await;
    assert!(now >= head);
    for reader in readers.iter_mut() {
        if reader.socket.is_none() {
            reader.come(&stream, &epoch).await;
        }
        while reader.last < now {
            reader.read().await;
        }
        assert_eq!(reader.known, rows, "a reader of {name} knows something else than the room holds");
    }
    hub.settle().await;
}

async fn journeys(hub: &TestHub) {
    let ada = hub.member("ada").await;
    let space = hub.space(&ada, "open").await;
    let mut readers = Vec::new();
    for name in ["bob", "cy", "dee"] {
        let client = hub.member(name).await;
        readers.push(Reader { client, socket: None, last: 0, known: State::new() });
    }
    // The same journeys each time: a failure names its own.
    let mut runner = TestRunner::deterministic();
    for number in 0..JOURNEYS {
        let acts = acts().new_tree(&mut runner).unwrap().current();
        journey(hub, &ada, &mut readers, &space, &format!("journey-{number}"), acts).await;
    }
}

#[test]
fn readers_that_come_and_go_end_with_the_room_as_it_stands_on_sqlite() {
    run_with(Db::Sqlite, "journeys", &[("rate_limit", "off")], async |hub| journeys(hub).await);
}

#[test]
fn readers_that_come_and_go_end_with_the_room_as_it_stands_on_postgres() {
    run_with(Db::Postgres, "journeys", &[("rate_limit", "off")], async |hub| journeys(hub).await);
}
