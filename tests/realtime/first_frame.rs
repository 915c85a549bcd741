//! Sockets without cookie or header, and what their first frame may be.

use futures_util::{SinkExt as _, StreamExt as _};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{Client, TestHub, hub_test};

/// A socket that has not said who it is.
struct Stranger(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Stranger {
    async fn come(hub: &TestHub) -> Self {
        let address = format!("{}/api/v1/ws", hub.base.replacen("http", "ws", 1));
        Self(connect_async(address).await.unwrap().0)
    }

    async fn say(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    async fn auth(&mut self, client: &Client) {
        let frame = json!({"type": "auth", "token": client.bearer.as_deref().unwrap()});
        self.say(Message::text(frame.to_string())).await;
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), self.0.next());
        next.await.expect("an answer in time").expect("an open socket").expect("a good frame")
    }

    async fn closed(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("not closed: {other}"),
        }
    }
}

hub_test!(async fn a_socket_that_nobody_can_look_up_is_not_signed_out(hub) {
    let ada = hub.member("ada").await;
    let change = async |text: &'static str| {
        let done = hub.state().store.write(async move |tx| {
            tx.conn().execute_unprepared(text).await?;
            Ok(())
        });
        done.await.unwrap();
    };
    // As when the database is away: whether the session lives cannot be said.
    change("ALTER TABLE session RENAME TO session_away").await;
    hub.state().sessions.forget_all();
    let mut early = Stranger::come(hub).await;
    early.auth(&ada).await;
    assert_eq!(early.closed().await, 1001, "it comes back");
    change("ALTER TABLE session_away RENAME TO session").await;
    let mut late = Stranger::come(hub).await;
    late.auth(&ada).await;
    let ready: Value = serde_json::from_str(late.next().await.to_text().unwrap()).unwrap();
    assert_eq!((&ready["type"], &ready["member"]["handle"]), (&json!("ready"), &json!("ada")));
    // What is known to be over is.
    assert_eq!(ada.post("/api/v1/auth/logout", &json!({})).await.status, 204);
    assert_eq!(late.closed().await, 4401);
    let mut after = Stranger::come(hub).await;
    after.auth(&ada).await;
    assert_eq!(after.closed().await, 4401);
});

hub_test!(async fn signs_of_life_may_come_before_the_first_frame(hub) {
    let ada = hub.member("ada").await;
    let mut socket = Stranger::come(hub).await;
    socket.say(Message::Ping("one".into())).await;
    assert_eq!(socket.next().await, Message::Pong("one".into()));
    socket.say(Message::Pong("unasked".into())).await;
    socket.auth(&ada).await;
    let ready: Value = serde_json::from_str(socket.next().await.to_text().unwrap()).unwrap();
    assert_eq!(ready["type"], "ready");
});

hub_test!(async fn a_first_frame_that_signs_nobody_in_ends_the_socket(hub) {
    let (ada, bob) = (hub.member("ada").await, hub.member("bob").await);
    let text = |frame: Value| Message::text(frame.to_string());
    let frames = [
        (text(json!({"type": "auth", "token": "nonsense"})), 4401),
        (text(json!({"type": "auth", "token": "pxt_nonsense"})), 4401),
        (text(json!({"type": "subscribe", "stream": "room:1"})), 4401),
        (Message::text("{"), 4401),
        (Message::binary(vec![1]), 4401),
        (text(json!({"type": "auth", "token": "x".repeat(70_000)})), 1009),
    ];
    for (frame, code) in frames {
        let mut socket = Stranger::come(hub).await;
        let shown: String = frame.to_string().chars().take(60).collect();
        socket.say(frame).await;
        assert_eq!(socket.closed().await, code, "{shown}");
    }
    // Who says nothing but that it is there.
    let mut silent = Stranger::come(hub).await;
    silent.say(Message::Ping("still".into())).await;
    assert_eq!(silent.next().await, Message::Pong("still".into()));
    assert_eq!(silent.closed().await, 4401);
    let made = bob.post("/api/v1/me/tokens", &json!({"name": "A program"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(ada.post("/api/v1/members/bob/suspend", &json!({"reason": "A test."})).await.status, 204);
    let mut suspended = Stranger::come(hub).await;
    suspended.auth(&bob).await;
    assert_eq!(suspended.closed().await, 4403);
    let mut program = Stranger::come(hub).await;
    program.say(text(json!({"type": "auth", "token": token}))).await;
    assert_eq!(program.closed().await, 4403);
});
