//! Who was shut out and is let in again.

use serde_json::json;

use crate::support::hub::password;
use crate::support::stage::done;
use crate::support::{Client, Socket, TestHub, hub_test};

/// Signs in anew, as the earlier sessions are over.
async fn sign_in_again(hub: &TestHub, handle: &str) -> Client {
    let login = json!({"login": handle, "password": password(handle)});
    let answer = done(&hub.visitor().post("/api/v1/auth/login", &login).await);
    let mut client = Client::new(&hub.base);
    client.handle = handle.to_owned();
    client.bearer = Some(answer["access_token"].as_str().expect("a token").to_owned());
    client
}

hub_test!(async fn who_is_let_in_again_is_not_closed_for_what_was_before(hub) {
    let ada = hub.member("ada").await;
    hub.member("eve").await;
    // Nobody has a socket: what is said now waits until somebody has.
    for verb in ["suspend", "unsuspend"] {
        done(&ada.post(&format!("/api/v1/members/eve/{verb}"), &json!({"reason": "A test."})).await);
    }
    let eve = sign_in_again(hub, "eve").await;
    let mut socket = Socket::open(&eve).await;
    let member = format!("member:{}", done(&eve.get("/api/v1/me").await)["id"].as_str().unwrap());
    assert_eq!(socket.subscribe(&member, None, None).await["type"], "subscribed");
    for round in 0..5 {
        socket.send(&json!({"type": "ping", "ref": format!("{round}")})).await;
        loop {
            let frame = socket.next().await;
            assert_ne!(frame["type"], "close", "{frame}");
            if frame["type"] == "pong" {
                break;
            }
        }
    }
    // Shut out once more, it ends.
    done(&ada.post("/api/v1/members/eve/suspend", &json!({"reason": "A test."})).await);
    assert_eq!(socket.closed().await, json!({"type": "close", "code": 4403}));
});
