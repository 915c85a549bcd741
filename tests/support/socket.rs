//! A socket of `praxis.v1` that sends and awaits JSON.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Client;

/// A frame that does not come within this time does not come.
const WITHIN: Duration = Duration::from_secs(10);

/// An open, signed-in socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens a socket with the client's bearer token and waits until it is ready.
    pub async fn open(client: &Client) -> Self {
        Self::try_open(client).await.expect("an open socket")
    }

    /// The same for a server that may be gone.
    pub async fn try_open(client: &Client) -> Option<Self> {
        let address = format!("{}/api/v1/ws", client.base.replacen("http", "ws", 1));
        let mut request = address.into_client_request().unwrap();
        let bearer = format!("Bearer {}", client.bearer.as_deref().expect("a client with a bearer token"));
        request.headers_mut().insert("Authorization", HeaderValue::from_str(&bearer).unwrap());
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("praxis.v1"));
        let (stream, _) = connect_async(request).await.ok()?;
        let mut socket = Self { stream };
        (socket.try_next().await?["type"] == "ready").then_some(socket)
    }

    /// Whether it could be sent.
    pub async fn try_send(&mut self, frame: &Value) -> bool {
        self.stream.send(Message::text(frame.to_string())).await.is_ok()
    }

    /// The next frame; `None` once the connection is gone.
    pub async fn try_next(&mut self) -> Option<Value> {
        loop {
            let message =
                tokio::time::timeout(9 * WITHIN, self.stream.next()).await.expect("a frame, or a sign of life");
            match message? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub async fn send(&mut self, frame: &Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame; a close frame is `{"type":"close","code":…}`.
    pub async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(WITHIN, self.stream.next()).await.expect("a frame within ten seconds");
            match message.expect("an open socket").expect("a good frame") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(frame) => {
                    return json!({"type": "close", "code": frame.map(|frame| u16::from(frame.code))});
                }
                _ => {}
            }
        }
    }

    /// Sends something that is no frame.
    pub async fn send_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next frame that is no droppable news of who is there.
    pub async fn next_lasting(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if !matches!(frame["type"].as_str(), Some("presence" | "typing" | "activity")) {
                return frame;
            }
        }
    }

    /// The close frame; what comes before it is passed over.
    pub async fn closed(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == "close" {
                return frame;
            }
        }
    }

    /// The next frame of this type; others are passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
            assert_ne!(frame["type"], "close", "closed while waiting for {kind}: {frame}");
        }
    }

    /// Subscribes to a stream; the answer, which may be `subscribed`, `reset` or `error`.
    pub async fn subscribe(&mut self, stream: &str, since: Option<i64>, epoch: Option<&str>) -> Value {
        let mut frame = json!({"type": "subscribe", "stream": stream});
        if let Some(since) = since {
            frame["since"] = since.into();
        }
        if let Some(epoch) = epoch {
            frame["epoch"] = epoch.into();
        }
        self.send(&frame).await;
        self.next_lasting().await
    }

    /// The next events, one by one, until there are `count`.
    pub async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let frame = self.next_of("events").await;
            events.extend(frame["items"].as_array().unwrap().iter().cloned());
        }
        events
    }
}
