//! Ways in that close: tokens, links and invitations when what gave them is over, and what a
//! program's token does not open.

use praxis_server::features::accounts;
use serde_json::json;

use crate::support::hub::password;
use crate::support::program::{Folder, Served};
use crate::support::{Client, TestHub, hub_test};

/// A program of a member's, with a personal API token.
async fn program(hub: &TestHub, of: &Client) -> Client {
    let made = of.post("/api/v1/me/tokens", &json!({"name": "Ward board"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut program = hub.visitor();
    program.bearer = made.json()["token"].as_str().map(str::to_owned);
    assert_eq!(program.get("/api/v1/me").await.status, 200);
    program
}

hub_test!(async fn a_new_password_ends_the_api_tokens_too(hub) {
    let mut ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let (board, of_ben) = (program(hub, &ada).await, program(hub, &ben).await);
    let link = accounts::reset_link(hub.state(), "ada").await.unwrap().unwrap();
    let path = link.strip_prefix(&hub.base).unwrap();
    let visitor = hub.visitor();
    let page = visitor.page(path).await;
    assert!(page.text.contains("API tokens end"), "{}", page.text);
    assert_eq!(visitor.form(path, &page.csrf(), &[("password", &password("ada"))]).await.status, 303);
    assert_eq!(board.get("/api/v1/me").await.status, 401, "the link ends it at once");
    let login = json!({"login": "ada", "password": password("ada")});
    let tokens = hub.visitor().post("/api/v1/auth/login", &login).await.json();
    ada.bearer = tokens["access_token"].as_str().map(str::to_owned);
    let board = program(hub, &ada).await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let page = browser.page("/settings/account").await;
    assert!(page.text.contains("API tokens end"), "{}", page.text);
    let fields = [("old", password("ada")), ("new", "lantern seventy orchard mist".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(browser.form("/settings/account/password", &page.csrf(), &fields).await.status, 303);
    assert_eq!(board.get("/api/v1/me").await.status, 401, "so does the change");
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    assert_eq!(of_ben.get("/api/v1/me").await.status, 200, "nobody else's");
});

hub_test!(async fn an_api_token_gives_no_role_and_no_way_in(hub) {
    let root = hub.member("rhea").await;
    hub.member("ben").await;
    let board = program(hub, &root).await;
    let reason = json!({"reason": "spam"});
    let refused = [
        board.patch("/api/v1/admin/members/ben", &json!({"role": "administrator"})).await,
        board.post("/api/v1/members/ben/suspend", &reason).await,
        board.post("/api/v1/members/ben/unsuspend", &reason).await,
    ];
    for answer in &refused {
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert_eq!(answer.json()["detail"], "Sign in for this; an API token cannot do it.");
    }
    for (path, fields) in [
        ("/admin/members/ben/role", &[("role", "administrator")][..]),
        ("/admin/members/ben/link", &[("next", "")][..]),
        ("/members/ben/suspend", &[("reason", "spam")][..]),
        ("/members/ben/unsuspend", &[("reason", "spam")][..]),
    ] {
        let answer = board.form(path, "", fields).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
    assert_eq!(board.get("/api/v1/admin/members").await.status, 200, "reading goes on");
    let of_ben = root.get("/api/v1/members/ben").await.json();
    assert_eq!(of_ben["role"], "member");
    assert_eq!(root.patch("/api/v1/admin/members/ben", &json!({"role": "expert"})).await.status, 200);
    assert_eq!(root.post("/api/v1/members/ben/suspend", &reason).await.status, 204);
});

/// The path of a new invitation of somebody's.
async fn invitation(hub: &TestHub, by: &Client, email: &str, spaces: &[&str]) -> String {
    let made = by.post("/api/v1/invitations", &json!({"emails": [email], "spaces": spaces})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.json()["items"][0]["link"].as_str().unwrap().to_owned();
    link.strip_prefix(&hub.base).unwrap().to_owned()
}

/// Registers by the link of an invitation.
async fn come(hub: &TestHub, path: &str, handle: &str) -> u16 {
    let token = path.rsplit('/').next().unwrap();
    let entry = json!({
        "handle": handle, "display_name": handle, "email": format!("{handle}@example.org"),
        "password": password(handle), "invitation": token,
    });
    hub.visitor().post("/api/v1/auth/register", &entry).await.status
}

hub_test!(async fn an_invitation_ends_with_the_right_to_send_it(hub) {
    let root = hub.member("rhea").await;
    let (olga, faye) = (hub.member("olga").await, hub.member("faye").await);
    let role = async |handle: &str, role: &str| {
        let done = root.patch(&format!("/api/v1/admin/members/{handle}"), &json!({"role": role})).await;
        assert_eq!(done.status, 200, "{}", done.text);
    };
    let (one, two) = (hub.space(&olga, "private").await, hub.space(&olga, "private").await);
    let of = |space: &str, handle: &str| format!("/api/v1/spaces/{space}/members/{handle}");
    // Somebody who runs two spaces and then one gives that one.
    role("faye", "facilitator").await;
    for space in [&one, &two] {
        assert!(olga.put_json(&of(space, "faye"), &json!({"role": "moderator"})).await.status < 300);
        assert_eq!(faye.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status, 200);
    }
    let both = invitation(hub, &faye, "new@example.org", &[&one, &two]).await;
    let hub_alone = invitation(hub, &faye, "newer@example.org", &[]).await;
    role("faye", "member").await;
    assert_eq!(olga.put_json(&of(&two, "faye"), &json!({"role": "member"})).await.status, 200);
    assert_eq!(come(hub, &hub_alone, "newer").await, 404, "who runs a space invites into it");
    assert_eq!(come(hub, &both, "new").await, 201);
    let there = async |space: &str| {
        olga.get(&format!("/api/v1/spaces/{space}/members")).await.text.contains("\"new\"")
    };
    assert!(there(one.as_str()).await && !there(two.as_str()).await);
    // And nothing once they run none.
    let last = invitation(hub, &faye, "late@example.org", &[&one]).await;
    assert_eq!(hub.visitor().page(&last).await.status, 200);
    assert_eq!(olga.put_json(&of(&one, "faye"), &json!({"role": "member"})).await.status, 200);
    assert_eq!(hub.visitor().page(&last).await.status, 404);
    assert_eq!(come(hub, &last, "late").await, 404);
    hub.settle().await;
});

hub_test!(async fn who_is_suspended_lets_nobody_in(hub) {
    let root = hub.member("rhea").await;
    let (olga, ben) = (hub.member("olga").await, hub.member("ben").await);
    let eve = hub.member("eve").await;
    let space = hub.space(&olga, "confidential").await;
    let put = async |by: &Client, handle: &str, role: &str| {
        let path = format!("/api/v1/spaces/{space}/members/{handle}");
        assert!(by.put_json(&path, &json!({"role": role})).await.status < 300);
    };
    let join = async |who: &Client| who.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status;
    put(&olga, "ben", "moderator").await;
    assert_eq!(join(&ben).await, 200);
    // Asked by one who runs it no more.
    put(&ben, "eve", "member").await;
    let door = async || {
        let invites = eve.get("/api/v1/me/invites").await.json()["items"].as_array().unwrap().len();
        (invites, eve.get(&format!("/api/v1/spaces/{space}")).await.status)
    };
    assert_eq!(door().await, (1, 200), "the invited stand at the door");
    put(&olga, "ben", "member").await;
    assert_eq!(door().await, (0, 404), "and it exists no more for them");
    assert_eq!(join(&eve).await, 404);
    put(&olga, "ben", "moderator").await;
    put(&ben, "eve", "member").await;
    let link = invitation(hub, &ben, "new@example.org", &[&space]).await;
    for act in ["suspend", "unsuspend"] {
        let done = root.post(&format!("/api/v1/members/ben/{act}"), &json!({"reason": "spam"})).await;
        assert_eq!(done.status, 204, "{}", done.text);
        assert_eq!(come(hub, &link, "new").await, 404, "after {act}");
        assert_eq!(join(&eve).await, 404, "after {act}");
    }
    put(&olga, "eve", "member").await;
    assert_eq!(join(&eve).await, 200, "others ask whom they like");
    hub.settle().await;
});

#[test]
fn the_log_names_routes_and_no_secrets() {
    let folder = Folder::new();
    let served = Served::start(folder.path(), &[("LOG", "praxis_server=debug")]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let visitor = Client::new(&served.base);
        for way in ["invite", "reset", "verify", "unsubscribe/1", "resets"] {
            let answer = visitor.page(&format!("/{way}/hush-hush")).await;
            assert!((400..500).contains(&answer.status), "{way}: {}", answer.status);
        }
    });
    let log = served.kill_for_log();
    assert!(!log.contains("hush-hush"), "{log}");
    for route in ["/invite/{token}", "/reset/{token}", "/verify/{token}", "/unsubscribe/{member}/{token}", "unmatched"]
    {
        assert!(log.contains(&format!("\"{route}\"")), "{route}: {log}");
    }
}
