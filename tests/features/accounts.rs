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
