//! Typing costs nothing: a million frames leave the room and the program as they were.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::program::{Folder, Served};
use crate::support::raw::{RawSocket, text_frame};
use crate::support::{Client, Socket};

const FRAMES: usize = 1_000_000;
const AT_ONCE: usize = 5_000;
const MOST: Duration = Duration::from_secs(60);
/// Allocators keep some of what passed through.
const GROWTH: u64 = 24 << 20;

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

async fn burst() {
    let folder = Folder::new();
    let server = Served::start(folder.path(), &[("LOG", "error")]);
    let (ada, bob) = (register(&server.base, "ada").await, register(&server.base, "bob").await);
    let space = json!({"slug": "talk", "name": "Talk", "description": "", "visibility": "open"});
    assert_eq!(ada.post("/api/v1/spaces", &space).await.status, 201);
    assert!(bob.post("/api/v1/spaces/talk/join", &json!({})).await.status < 300);
    let made = ada.post("/api/v1/spaces/talk/rooms", &json!({"slug": "one", "name": "One", "purpose": ""})).await;
    let (room, stream) = (made.id(), made.json()["stream"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/rooms/{room}");
    let mut reader = Socket::open(&ada).await;
    reader.subscribe(&stream, None, None).await;
    let before = ada.get(&path).await.json();

    let mut typist = RawSocket::open(&bob, None).await;
    let some = text_frame(&json!({"type": "typing", "room": room}).to_string()).repeat(AT_ONCE);
    // The first ones count no memory that the program needs anyway.
    typist.stream.write_all(&some).await.unwrap();
    assert_eq!(reader.next_of("typing").await["member"]["handle"], "bob");
    let memory = server.resident();
    let started = Instant::now();
    let (mut read, mut write) = typist.stream.split();
    let mut heard = Vec::new();
    let all = async {
        for _ in 0..FRAMES / AT_ONCE {
            write.write_all(&some).await.unwrap();
        }
        write.write_all(&text_frame(r#"{"type":"ping","ref":"the last"}"#)).await.unwrap();
    };
    // Frames are read in their order: whoever answers the last has seen them all.
    let answered = async {
        while !String::from_utf8_lossy(&heard).contains("the last") {
            assert!(heard.len() < 1 << 20, "frames nobody waits for are answered");
            assert!(read.read_buf(&mut heard).await.unwrap() > 0, "the typist was cut");
        }
    };
    let done = async { tokio::join!(all, answered) };
    tokio::time::timeout(MOST, done).await.expect("a million frames in a minute");
    let took = started.elapsed();
    let grown = server.resident().saturating_sub(memory);
    assert!(grown < GROWTH, "{grown} bytes more");
    let after = ada.get(&path).await.json();
    assert_eq!(after, before, "typing changed the room");

    // The reader heard of it once in three seconds; a message after it all says what came before.
    let body = json!({"body": "Done typing.", "client_id": "done"});
    assert_eq!(bob.post(&format!("{path}/messages"), &body).await.status, 201);
    let mut typing = 0;
    loop {
        let frame = reader.next().await;
        match frame["type"].as_str().unwrap() {
            "typing" => typing += 1,
            "events" => break,
            _ => {}
        }
    }
    assert!(typing <= took.as_secs() / 3 + 2, "{typing} signs of typing in {took:?}");
}

#[test]
fn a_million_typing_frames_change_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(burst());
}
