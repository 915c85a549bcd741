//! How sockets end that say nothing, or nothing that makes sense.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::rooms::open_room;
use crate::support::raw::RawSocket;
use crate::support::{Db, Socket, TestHub, hub_test};

/// Asks whether anybody is there, and says that it is over: come back.
const PING: [u8; 2] = [0x89, 0];
const LEAVING: [u8; 4] = [0x88, 2, 0x03, 0xE9];

async fn silence(hub: &TestHub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let (_, stream) = open_room(hub, &ada).await;
    let mut silent = RawSocket::open(&bob, None).await;
    silent.send(&json!({"type": "subscribe", "stream": stream})).await;
    let mut watching = Socket::open(&ada).await;
    assert_eq!(watching.subscribe(&stream, None, None).await["type"], "subscribed");
    // Whoever reads answers what it is asked.
    let gone = async {
        let mut seen = 0;
        loop {
            let frame = watching.next_of("presence").await;
            let online: Vec<&Value> = frame["online"].as_array().unwrap().iter().map(|of| &of["handle"]).collect();
            if online.len() == 2 {
                seen += 1;
            } else if seen > 0 {
                assert_eq!(online, ["ada"]);
                break;
            }
        }
    };
    let ended = async {
        let mut heard: Vec<u8> = Vec::new();
        while !heard.ends_with(&LEAVING) {
            assert!(silent.stream.read_buf(&mut heard).await.unwrap() > 0, "closed without a word: {heard:?}");
        }
        assert!(heard.windows(2).any(|two| two == PING), "it was asked first");
    };
    let both = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(gone, ended) });
    both.await.expect("the silent one is found out");
    watching.send(&json!({"type": "ping"})).await;
    watching.next_of("pong").await;
}

#[test]
fn a_silent_socket_is_ended_and_nobody_sees_it_any_more() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let often = Duration::from_secs(1);
        let hub = TestHub::start_as(Db::Sqlite, "silent", &[], |config| config.look_every = often).await;
        silence(&hub).await;
        hub.finish().await;
    });
}

hub_test!(async fn abuse_of_the_protocol_ends_a_socket(hub) {
    let ada = hub.member("ada").await;
    let long_ping: Vec<u8> = [vec![0x89, 0x80 | 126, 0, 126], vec![0; 130]].concat();
    let wrong = [
        ("not masked", vec![0x81, 1, b'x']),
        ("no such frame", vec![0x83, 0x80, 0, 0, 0, 0]),
        ("of an extension", vec![0xC1, 0x80, 0, 0, 0, 0]),
        ("a part of nothing", vec![0x80, 0x80, 0, 0, 0, 0]),
        ("no text", vec![0x81, 0x81, 0, 0, 0, 0, 0xFF]),
        ("a long ping", long_ping),
    ];
    for (what, bytes) in wrong {
        let mut socket = RawSocket::open(&ada, None).await;
        socket.stream.write_all(&bytes).await.unwrap();
        assert_eq!(socket.closed().await, 1008, "{what}");
    }
    // Good frames that mean nothing are answered, so many of them.
    let mut socket = Socket::open(&ada).await;
    let mut refused = 0;
    let code = loop {
        socket.send(&json!({"type": "nonsense"})).await;
        let frame = socket.next_lasting().await;
        match frame["type"].as_str().unwrap() {
            "error" => refused += 1,
            "close" => break frame["code"].clone(),
            other => panic!("{other}"),
        }
    };
    assert_eq!(code, 1008);
    assert!(refused >= 200, "{refused}");
});
