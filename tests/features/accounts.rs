//! Registering, signing in, sessions and their ends.

use serde_json::{Value, json};

use crate::support::hub::password;
use crate::support::{Client, hub_test};

fn entry(handle: &str) -> Value {
    json!({
        "handle": handle, "display_name": format!("{handle} Example"), "email": format!("{handle}@example.org"),
        "password": password(handle),
    })
}

hub_test!(async fn registering_gives_tokens_that_work_and_the_first_member_runs_the_hub(hub) {
    let answer = hub.visitor().post("/api/v1/auth/register", &entry("ada")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let json = answer.json();
    assert_eq!(json["member"]["handle"], "ada");
    assert_eq!(json["member"]["role"], "administrator");
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 900);
    assert_eq!(hub.visitor().post("/api/v1/auth/register", &entry("ben")).await.json()["member"]["role"], "member");
    let login = hub.visitor().post("/api/v1/auth/login", &json!({"login": "ADA@example.org", "password": password("ada")})).await;
    assert_eq!(login.status, 200);
    let mut client = hub.visitor();
    client.bearer = login.json()["access_token"].as_str().map(str::to_owned);
    assert_eq!(client.post("/api/v1/auth/logout", &json!({})).await.status, 204);
    assert_eq!(client.post("/api/v1/auth/logout", &json!({})).await.status, 401, "the session is over at once");
});

hub_test!(async fn what_is_wrong_with_an_entry_is_said_for_every_field_at_once(hub) {
    let wrong = json!({"handle": "here", "display_name": " ", "email": "nobody", "password": "password1234"});
    let answer = hub.visitor().post("/api/v1/auth/register", &wrong).await;
    assert_eq!(answer.status, 422);
    let json = answer.json();
    let fields: Vec<&str> = json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["handle", "display_name", "email", "password"]);
    hub.member("ada").await;
    assert_eq!(hub.visitor().post("/api/v1/auth/register", &entry("ADA")).await.status, 409);
    let mut same_address = entry("ben");
    same_address["email"] = "Ada@Example.org".into();
    assert_eq!(hub.visitor().post("/api/v1/auth/register", &same_address).await.status, 409);
});

hub_test!(async fn a_refresh_token_shown_twice_ends_the_family(hub) {
    let first = hub.visitor().post("/api/v1/auth/register", &entry("ada")).await.json();
    let second = hub.visitor().post("/api/v1/auth/refresh", &json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let second = second.json();
    let again = hub.visitor().post("/api/v1/auth/refresh", &json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!(again.status, 401);
    let third = hub.visitor().post("/api/v1/auth/refresh", &json!({"refresh_token": second["refresh_token"]})).await;
    assert_eq!(third.status, 401, "the newest one of the family is dead too");
    let mut client = hub.visitor();
    client.bearer = second["access_token"].as_str().map(str::to_owned);
    assert_eq!(client.post("/api/v1/auth/logout", &json!({})).await.status, 401);
});

hub_test!(async fn unknown_member_and_wrong_password_look_alike(hub) {
    hub.member("ada").await;
    let wrong = hub.visitor().post("/api/v1/auth/login", &json!({"login": "ada", "password": "not it at all"})).await;
    let unknown = hub.visitor().post("/api/v1/auth/login", &json!({"login": "eve", "password": "not it at all"})).await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.text, unknown.text);
});

hub_test!(async fn signing_in_on_the_page_and_out_again(hub) {
    hub.member("ada").await;
    let client = Client::sign_in(&hub.base, "ada").await;
    let session = client.cookies.lock().unwrap()["praxis_session"].clone();
    // Signed in, the page to sign in leads on, and to no other site.
    assert_eq!(client.page("/login?next=/people").await.header("location"), "/people");
    assert_eq!(client.page("/login?next=//evil.example").await.header("location"), "/");
    // Without the token of the page nothing ends.
    assert_eq!(client.form("/logout", "wrong", &[]).await.status, 403);
    assert_eq!(client.page("/login").await.status, 303);
    let csrf = client.page("/nothing").await.csrf();
    assert_eq!(client.form("/logout", &csrf, &[]).await.status, 303);
    let old = hub.visitor();
    old.cookies.lock().unwrap().insert("praxis_session".into(), session);
    assert_eq!(old.page("/login").await.status, 200, "the old cookie is worth nothing");
});

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

async fn shared_sign_in(base: &str, handle: &str) -> Client {
    let client = Client::new(base);
    let page = client.page("/login").await;
    let fields = [("login", handle), ("password", &password(handle)), ("shared", "1"), ("next", "/people")];
    let answer = client.form("/login", &page.csrf(), &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/people"));
    assert!(!answer.header("set-cookie").contains("Max-Age"), "it goes with the window");
    client
}

async fn is_in(client: &Client) -> bool {
    client.get("/api/v1/me/sessions").await.status == 200
}

hub_test!(async fn sessions_end_after_12_hours_idle_or_30_days_and_shared_ones_after_30_minutes(hub) {
    hub.member("ada").await;
    let shared = shared_sign_in(&hub.base, "ada").await;
    let usual = Client::sign_in(&hub.base, "ada").await;
    hub.clock.advance(29 * MINUTE);
    assert!(is_in(&shared).await && is_in(&usual).await);
    // Its use was written down, so half an hour begins anew.
    hub.clock.advance(29 * MINUTE);
    assert!(is_in(&shared).await);
    hub.clock.advance(31 * MINUTE);
    assert!(!is_in(&shared).await && is_in(&usual).await);
    hub.clock.advance(12 * HOUR + MINUTE);
    assert!(!is_in(&usual).await, "12 hours without use");
    let usual = Client::sign_in(&hub.base, "ada").await;
    for half_day in 0..60 {
        assert!(is_in(&usual).await, "after {half_day} half days");
        hub.clock.advance(DAY / 2 - MINUTE);
    }
    hub.clock.advance(HOUR);
    assert!(!is_in(&usual).await, "30 days at the longest");
});

hub_test!(async fn wrong_passwords_slow_the_pair_and_lock_nobody(hub) {
    let ada = hub.member("ada").await;
    hub.member("ben").await;
    let guess = async |login: &str, password: &str| {
        hub.visitor().post("/api/v1/auth/login", &json!({"login": login, "password": password})).await
    };
    for login in ["ada", "ada@example.org", "ADA", "ada", "ada"] {
        assert_eq!(guess(login, "not it at all").await.status, 401);
    }
    let slowed = guess("ada", &password("ada")).await;
    assert_eq!(slowed.status, 429, "the right password waits too");
    let wait: i64 = slowed.header("retry-after").parse().unwrap();
    assert_eq!(guess("ben", &password("ben")).await.status, 200, "others behind the address do not");
    assert!(is_in(&ada).await);
    hub.clock.advance(wait * 1_000_000);
    assert_eq!(guess("ada", &password("ada")).await.status, 200);
    assert_eq!(guess("ada", "not it at all").await.status, 401, "a right one starts anew");
    for _ in 0..5 {
        guess("nobody", "not it at all").await;
    }
    assert_eq!(guess("nobody", "not it at all").await.status, 429, "an unknown member looks no different");
});

hub_test!(async fn a_browser_needs_the_origin_and_the_token(hub) {
    hub.member("ada").await;
    let ada = Client::sign_in(&hub.base, "ada").await;
    let csrf = ada.page("/settings/account").await.csrf();
    let logout = || ada.request("POST", "/api/v1/auth/logout");
    assert_eq!(ada.send(logout()).await.status, 403, "no Origin, no token");
    assert_eq!(ada.send(logout().header("Origin", &ada.base)).await.status, 403, "no token");
    let foreign = logout().header("Origin", "https://evil.example").header("X-CSRF-Token", &csrf);
    assert_eq!(ada.send(foreign).await.status, 403, "another site");
    assert!(is_in(&ada).await);
    // A visitor's form needs the cookie that other sites cannot send.
    let visitor = hub.visitor();
    let csrf = visitor.page("/login").await.csrf();
    visitor.cookies.lock().unwrap().clear();
    let fields = [("login", "ada"), ("password", &password("ada"))];
    assert_eq!(visitor.form("/login", &csrf, &fields).await.status, 403);
    let csrf = ada.page("/settings/account").await.csrf();
    let good = logout().header("Origin", &ada.base).header("X-CSRF-Token", &csrf);
    assert_eq!(ada.send(good).await.status, 204);
    assert!(!ada.cookies.lock().unwrap().contains_key("praxis_session"));
});

hub_test!(async fn the_session_cookie_is_new_at_every_sign_in(hub) {
    hub.member("ada").await;
    let client = hub.visitor();
    client.cookies.lock().unwrap().insert("praxis_session".into(), "planted".into());
    let page = client.page("/login").await;
    let fields = [("login", "ada"), ("password", &password("ada"))];
    let answer = client.form("/login", &page.csrf(), &fields).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=2592000"), "{cookie}");
    assert!(!cookie.contains("Secure"), "the hub is not on https: {cookie}");
    assert_ne!(client.cookies.lock().unwrap()["praxis_session"], "planted");
});

hub_test!(async fn a_form_that_is_wrong_comes_back_with_what_was_typed(hub) {
    let visitor = hub.visitor();
    let page = visitor.page("/register").await;
    assert_eq!(page.status, 200);
    let fields = [("handle", "Ådå"), ("display_name", "<b>Ada"), ("email", "ada@example.org"), ("password", "qwertyuiop12")];
    let answer = visitor.form("/register", &page.csrf(), &fields).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("href=\"#conduct\""), "the tick is missing: {}", answer.text);
    let with_tick: Vec<_> = fields.into_iter().chain([("conduct", "2")]).collect();
    let answer = visitor.form("/register", &page.csrf(), &with_tick).await;
    assert!(answer.text.contains("href=\"#handle\"") && answer.text.contains("href=\"#password\""));
    assert!(answer.text.contains("value=\"Ådå\"") && answer.text.contains("value=\"&#60;b&#62;Ada\""), "{}", answer.text);
    assert!(!answer.text.contains("qwertyuiop12"), "no password is written into a page");
    let good = password("ada");
    let fields = [("handle", "ada"), ("display_name", "Ada"), ("email", "ada@example.org"), ("password", &good), ("conduct", "2")];
    assert_eq!(visitor.form("/register", &page.csrf(), &fields).await.status, 303);
    assert!(is_in(&visitor).await);
    use sea_orm::EntityTrait;
    let ada = praxis_server::entities::member::Entity::find().one(hub.state().store.read()).await.unwrap().unwrap();
    assert_eq!(ada.conduct_version, 2);
    assert_eq!(ada.hub_role.as_str(), "member", "the page makes no administrator");
    let login = hub.visitor();
    let csrf = login.page("/login").await.csrf();
    let wrong = login.form("/login", &csrf, &[("login", "ada"), ("password", "x"), ("shared", "1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("value=\"ada\"") && wrong.text.contains("name=\"shared\" value=\"1\" checked"));
});

hub_test!(async fn a_forwarded_request_makes_no_administrator(hub) {
    let visitor = hub.visitor();
    let request = visitor.request("POST", "/api/v1/auth/register").header("X-Forwarded-For", "10.0.0.1").json(&entry("eve"));
    assert_eq!(visitor.send(request).await.json()["member"]["role"], "member");
    let request = visitor.request("POST", "/api/v1/auth/register").header("Host", "hub.example.org").json(&entry("eva"));
    assert_eq!(visitor.send(request).await.json()["member"]["role"], "member");
    assert_eq!(visitor.post("/api/v1/auth/register", &entry("ada")).await.json()["member"]["role"], "administrator");
});

hub_test!(async fn api_tokens_work_until_revoked_and_cannot_change_the_account(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let body = json!({"name": "Ward board", "expires_in_days": 2});
    let request = || ada.request("POST", "/api/v1/me/tokens").header("Idempotency-Key", "k1").json(&body);
    let made = ada.send(request()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pxt_"));
    assert_eq!(ada.send(request()).await.json()["token"], token.as_str(), "the same answer under the same key");
    let stored = {
        use sea_orm::EntityTrait;
        praxis_server::entities::idempotent_answer::Entity::find().all(hub.state().store.read()).await.unwrap()
    };
    assert!(stored.iter().all(|row| !row.body.contains("pxt_")), "no secret is kept");
    let mut program = hub.visitor();
    program.bearer = Some(token);
    assert!(is_in(&program).await);
    for (method, path) in [("POST", "/api/v1/me/tokens"), ("DELETE", "/api/v1/me/sessions")] {
        let answer = program.send(program.request(method, path).json(&json!({"name": "x"}))).await;
        assert_eq!(answer.status, 403, "{method} {path}");
    }
    let list = program.get("/api/v1/me/tokens").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(list["items"][0].get("token").is_none());
    let path = format!("/api/v1/me/tokens/{}", list["items"][0]["id"].as_str().unwrap());
    assert_eq!(ben.delete(&path).await.status, 404);
    assert_eq!(ada.delete(&path).await.status, 204);
    assert!(!is_in(&program).await, "at once");
    for number in 0..20 {
        assert_eq!(ada.post("/api/v1/me/tokens", &json!({"name": format!("t{number}")})).await.status, 201);
    }
    assert_eq!(ada.post("/api/v1/me/tokens", &json!({"name": "one more"})).await.status, 409);
    assert_eq!(ben.post("/api/v1/me/tokens", &json!({"name": "", "expires_in_days": 400})).await.status, 422);
    let made = ben.post("/api/v1/me/tokens", &body).await.json();
    program.bearer = made["token"].as_str().map(str::to_owned);
    assert!(is_in(&program).await);
    hub.clock.advance(2 * DAY);
    assert!(!is_in(&program).await, "it ends by itself");
});

hub_test!(async fn settings_end_sessions_and_change_password_and_address(hub) {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    hub.member("ada").await;
    hub.member("ben").await;
    let (one, two) = (Client::sign_in(&hub.base, "ada").await, Client::sign_in(&hub.base, "ada").await);
    let ben = Client::sign_in(&hub.base, "ben").await;
    let csrf = one.page("/settings/sessions").await.csrf();
    let list = two.get("/api/v1/me/sessions").await.json();
    let mine = list["items"].as_array().unwrap().iter().find(|s| s["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/settings/sessions/{mine}/end");
    let ben_csrf = ben.page("/settings/sessions").await.csrf();
    assert_eq!(ben.form(&path, &ben_csrf, &[]).await.status, 404, "another's session");
    assert_eq!(one.form(&path, &csrf, &[]).await.status, 303);
    assert!(!is_in(&two).await && is_in(&one).await);
    let three = Client::sign_in(&hub.base, "ada").await;
    let wrong = one.form("/settings/account/password", &csrf, &[("old", "no"), ("new", "lantern seventy orchard mist")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("href=\"#old\"") && is_in(&three).await);
    let right = [("old", password("ada")), ("new", "lantern seventy orchard mist".to_owned())];
    let right: Vec<(&str, &str)> = right.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(one.form("/settings/account/password", &csrf, &right).await.status, 303);
    assert!(is_in(&one).await && !is_in(&three).await, "other sessions end");
    let current = "lantern seventy orchard mist";
    let taken = [("email", "ben@example.org"), ("current", current)];
    assert_eq!(one.form("/settings/account/email", &csrf, &taken).await.status, 422);
    let new = [("email", "Ada.New@example.org"), ("current", current)];
    assert_eq!(one.form("/settings/account/email", &csrf, &new).await.status, 303);
    hub.settle().await;
    let db = hub.state().store.read();
    let ada = async || {
        use praxis_server::entities::member;
        member::Entity::find().filter(member::Column::Handle.eq("ada")).one(db).await.unwrap().unwrap()
    };
    assert_eq!(ada().await.email.as_deref(), Some("ada@example.org"), "not before it is confirmed");
    let mail = praxis_server::entities::mail::Entity::find()
        .filter(praxis_server::entities::mail::Column::ToAddress.eq("ada.new@example.org"))
        .one(db)
        .await
        .unwrap()
        .unwrap();
    let path = mail.text.split_once(&hub.base).unwrap().1.split_whitespace().next().unwrap().to_owned();
    let csrf = one.page(&path).await.csrf();
    assert_eq!(one.form(&path, &csrf, &[]).await.status, 200);
    assert_eq!(ada().await.email.as_deref(), Some("ada.new@example.org"));
    let csrf = one.page("/settings/tokens").await.csrf();
    let made = one.form("/settings/tokens", &csrf, &[("name", "Board"), ("days", "30")]).await;
    assert!(made.status == 200 && made.text.contains("id=\"token\">pxt_"), "{}", made.text);
    assert!(!one.page("/settings/tokens").await.text.contains("pxt_"), "shown once");
});
