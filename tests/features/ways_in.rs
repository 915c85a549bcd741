//! Ways in that close: tokens, links and invitations when what gave them is over, and what a
//! program's token does not open.

use praxis_server::features::accounts;
use serde_json::json;

use crate::support::hub::password;
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
