//! A worker that is told more than fits into its mailbox loses nothing that has to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use praxis_server::realtime::Hub;
use praxis_server::store::After;
use serde_json::json;

use crate::support::{Socket, hub_test};

/// Tells the workers so much that concerns nobody that their mailboxes stay full.
struct Flood(Arc<AtomicBool>, Vec<JoinHandle<()>>);

impl Flood {
    fn start(hub: &Hub) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let flood = |_| {
            let (hub, done) = (hub.clone(), Arc::clone(&done));
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    hub.control(After::Jobs);
                }
            })
        };
        let threads = (0..2).map(flood).collect();
        Self(done, threads)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

hub_test!(async fn a_full_mailbox_loses_no_end(hub) {
    let ada = hub.member("ada").await;
    let mut leaving = Vec::new();
    for handle in ["bob", "cat", "dan", "eve"] {
        let client = hub.member(handle).await;
        let socket = Socket::open(&client).await;
        leaving.push((client, socket));
    }
    let fay = hub.member("fay").await;
    let (mut suspended, mut last) = (Socket::open(&fay).await, Socket::open(&ada).await);
    let flood = Flood::start(&hub.state().hub);
    for (client, socket) in &mut leaving {
        assert_eq!(client.post("/api/v1/auth/logout", &json!({})).await.status, 204);
        assert_eq!(socket.closed().await, json!({"type": "close", "code": 4401}));
    }
    assert_eq!(ada.post("/api/v1/members/fay/suspend", &json!({"reason": "A test."})).await.status, 204);
    assert_eq!(suspended.closed().await, json!({"type": "close", "code": 4403}));
    last.send(&json!({"type": "ping", "ref": "still here"})).await;
    assert_eq!(last.next_of("pong").await["ref"], "still here", "who is signed in stays");
    hub.state().hub.leave();
    assert_eq!(last.closed().await, json!({"type": "close", "code": 1001}));
    drop(flood);
});
