//! What people ask of a hub, one request at a time, each of another room than the one before.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

use crate::Figure;
use crate::hub::Hub;

/// Events that a reader missed.
const MISSED: i64 = 100;

struct Room {
    id: String,
    slug: String,
    head: i64,
}

async fn get(hub: &Hub, path: &str) -> Value {
    let request = hub.http.get(format!("{}{path}", hub.base())).bearer_auth(&hub.token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn rooms(hub: &Hub) -> Vec<Room> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(hub, &format!("/api/v1/spaces/grown/rooms?limit=100{cursor}")).await;
        for item in page["items"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            found.push(Room { id: text("id"), slug: text("slug"), head: item["head"].as_i64().unwrap() });
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn figure(what: &'static str, mut times: Vec<Duration>) -> Figure {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    Figure { what, p50: at(50), p99: at(99), count: times.len() }
}

/// Asks for as long as it takes to know; the first answers, which fill caches, do not count.
async fn pages(hub: &Hub, what: &'static str, within: Duration, path: impl Fn(usize) -> String) -> Figure {
    for number in 0..20 {
        get_any(hub, &path(number)).await;
    }
    let (mut times, started) = (Vec::new(), Instant::now());
    while started.elapsed() < within {
        let asked = Instant::now();
        get_any(hub, &path(20 + times.len())).await;
        times.push(asked.elapsed());
    }
    figure(what, times)
}

async fn get_any(hub: &Hub, path: &str) {
    let request = hub.http.get(format!("{}{path}", hub.base())).bearer_auth(&hub.token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap();
}

pub async fn ask(hub: &Hub, within: Duration) -> Vec<Figure> {
    let rooms = rooms(hub).await;
    // Steps through all rooms in no obvious order.
    let room = |number: usize| &rooms[number * 7919 % rooms.len()];
    // Not always the same page of a room.
    let middle = |number: usize| {
        let of = room(number);
        (of, (of.head / 2 + (number as i64 * 104_729) % (of.head / 3).max(1)).max(2))
    };
    vec![
        pages(hub, "newest messages", within, |number| format!("/api/v1/rooms/{}/messages?limit=50", room(number).id))
            .await,
        pages(hub, "history before a message", within, |number| {
            let (of, seq) = middle(number);
            format!("/api/v1/rooms/{}/messages?limit=50&before={seq}", of.id)
        })
        .await,
        pages(hub, "around a message", within, |number| {
            let (of, seq) = middle(number);
            format!("/api/v1/rooms/{}/messages?limit=50&around={seq}", of.id)
        })
        .await,
        pages(hub, "page of a room", within, |number| format!("/s/grown/chat/{}", room(number).slug)).await,
        pages(hub, "list of 10 rooms", within, |_| "/api/v1/spaces/grown/rooms?limit=10".into()).await,
        catch_up(hub, within, &rooms).await,
    ]
}

/// A reader that missed some events subscribes again; until the last of them is there.
async fn catch_up(hub: &Hub, within: Duration, rooms: &[Room]) -> Figure {
    let mut request = format!("{}/api/v1/ws", hub.base().replacen("http", "ws", 1)).into_client_request().unwrap();
    let bearer = HeaderValue::from_str(&format!("Bearer {}", hub.token)).unwrap();
    request.headers_mut().insert("Authorization", bearer);
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("praxis.v1"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let (mut times, mut started, mut number) = (Vec::new(), Instant::now(), 0);
    while started.elapsed() < within {
        let room = &rooms[number * 7919 % rooms.len()];
        number += 1;
        let stream = format!("room:{}", room.id);
        let since = (room.head - MISSED).max(0);
        let asked = Instant::now();
        let ask = json!({"type": "subscribe", "stream": stream, "since": since});
        socket.send(Message::text(ask.to_string())).await.unwrap();
        let mut seen = since;
        while seen < room.head {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert!(!matches!(frame["type"].as_str(), Some("reset" | "error")), "{frame}");
            for item in frame["items"].as_array().into_iter().flatten() {
                seen += 1;
                assert_eq!(item["seq"], seen);
            }
        }
        let took = asked.elapsed();
        if number == 20 {
            started = Instant::now();
        } else if number > 20 {
            times.push(took);
        }
        let leave = json!({"type": "unsubscribe", "stream": stream});
        socket.send(Message::text(leave.to_string())).await.unwrap();
        loop {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
            if text.contains("\"unsubscribed\"") {
                break;
            }
        }
    }
    figure("catch-up of 100 events", times)
}
