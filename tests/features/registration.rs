//! Who may register, what comes with an invitation, and what registering tells of others.

use praxis_server::entities::{event, mail, member, space};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::hub::{password, run_with};
use crate::support::{Client, Db, TestHub, hub_test};

const BOTH: [Db; 2] = [Db::Sqlite, Db::Postgres];

fn entry(handle: &str) -> Value {
    json!({
        "handle": handle, "display_name": format!("{handle} Example"), "email": format!("{handle}@example.org"),
        "password": password(handle),
    })
}

/// Invites by mail; the token of the link.
async fn invite(hub: &TestHub, by: &Client, handle: &str, spaces: &[&str]) -> String {
    let address = format!("{handle}@example.org");
    let made = by.post("/api/v1/invitations", &json!({"emails": [address], "spaces": spaces})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    hub.settle().await;
    let row = mail::Entity::find().filter(mail::Column::ToAddress.eq(address)).one(hub.state().store.read()).await;
    let text = row.unwrap().unwrap().text;
    text.split_once("/invite/").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

/// Registers on a page; the status.
async fn on_page(hub: &TestHub, path: &str, handle: &str) -> u16 {
    let visitor = hub.visitor();
    let csrf = visitor.page(path).await.csrf();
    let (address, password) = (format!("{handle}@example.org"), password(handle));
    let fields =
        [("handle", handle), ("display_name", "N"), ("email", &address), ("password", &password), ("conduct", "0")];
    visitor.form(path, &csrf, &fields).await.status
}

#[test]
fn by_invitation_alone_means_that() {
    for db in BOTH {
        run_with(db, "invite", &[("registration", "invite")], async |hub| {
            let ada = hub.member("ada").await;
            let refused = hub.visitor().post("/api/v1/auth/register", &entry("ben")).await;
            assert_eq!(refused.status, 403, "{}", refused.text);
            let page = hub.visitor().page("/register").await;
            assert!(page.status == 200 && !page.text.contains("name=\"password\""), "{}", page.text);
            let csrf = hub.visitor();
            let token = csrf.page("/login").await.csrf();
            let password = password("ben");
            let fields = [
                ("handle", "ben"),
                ("display_name", "N"),
                ("email", "ben@example.org"),
                ("password", &password),
                ("conduct", "0"),
            ];
            assert_eq!(csrf.form("/register", &token, &fields).await.status, 403, "the form's address is no way round");
            let mut by_api = entry("ben");
            by_api["invitation"] = invite(hub, &ada, "ben", &[]).await.into();
            assert_eq!(hub.visitor().post("/api/v1/auth/register", &by_api).await.status, 201);
            let token = invite(hub, &ada, "cleo", &[]).await;
            assert_eq!(on_page(hub, &format!("/invite/{token}"), "cleo").await, 303);
            let mut made_up = entry("dee");
            made_up["invitation"] = "made-up".into();
            assert_eq!(hub.visitor().post("/api/v1/auth/register", &made_up).await.status, 404);
        });
    }
}

#[test]
fn closed_is_closed_also_to_the_invited() {
    for db in BOTH {
        run_with(db, "closed", &[("registration", "closed")], async |hub| {
            // The first administrator comes in all the same: there would be no hub without.
            let ada = hub.member("ada").await;
            assert_eq!(hub.visitor().post("/api/v1/auth/register", &entry("ben")).await.status, 403);
            let token = invite(hub, &ada, "ben", &[]).await;
            let mut invited = entry("ben");
            invited["invitation"] = token.clone().into();
            assert_eq!(hub.visitor().post("/api/v1/auth/register", &invited).await.status, 403);
            let page = hub.visitor().page(&format!("/invite/{token}")).await;
            assert!(page.status == 200 && !page.text.contains("name=\"password\""), "{}", page.text);
            assert!(!hub.visitor().page("/register").await.text.contains("name=\"password\""));
            let count = member::Entity::find().all(hub.state().store.read()).await.unwrap().len();
            assert_eq!(count, 1);
        });
    }
}

#[test]
fn on_https_the_session_goes_over_https_alone() {
    run_with(Db::Sqlite, "https session", &[("base_url", "https://hub.example.org")], async |hub| {
        assert_eq!(hub.visitor().post("/api/v1/auth/register", &entry("ada")).await.status, 201);
        let visitor = hub.visitor();
        let csrf = visitor.page("/login").await.csrf();
        let login = |origin: &str| {
            visitor
                .request("POST", "/login")
                .header("Origin", origin)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(format!("_csrf={csrf}&login=ada&password={}", password("ada")))
        };
        assert_eq!(visitor.send(login(&hub.base)).await.status, 403, "the hub's own origin is the public one");
        let answer = visitor.send(login("https://hub.example.org")).await;
        let cookie = answer.header("set-cookie");
        assert_eq!(answer.status, 303, "{}", answer.text);
        for part in ["praxis_session=", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
    });
}

hub_test!(async fn who_signs_in_is_told_what_me_tells(hub) {
    let body = entry("ada");
    let made = hub.visitor().post("/api/v1/auth/register", &body).await.json();
    let mut ada = hub.visitor();
    ada.bearer = made["access_token"].as_str().map(str::to_owned);
    assert_eq!(made["member"], ada.get("/api/v1/me").await.json());
    let change = json!({"headline": "Stroke physician", "expertise": ["stroke"], "about": "Hello."});
    assert_eq!(ada.patch("/api/v1/me", &change).await.status, 200);
    let login = hub.visitor().post("/api/v1/auth/login", &json!({"login": "ada", "password": password("ada")})).await;
    let me = ada.get("/api/v1/me").await.json();
    assert_eq!(login.json()["member"], me);
    assert_eq!(me["expertise"], json!(["stroke"]));
    let again = hub.visitor().post("/api/v1/auth/refresh", &json!({"refresh_token": made["refresh_token"]})).await;
    assert_eq!(again.json()["member"], me);
});

hub_test!(async fn an_invitation_joins_its_spaces_as_any_joining_does(hub) {
    let ada = hub.member("ada").await;
    let (one, two) = (hub.space(&ada, "private").await, hub.space(&ada, "confidential").await);
    let mut body = entry("ben");
    body["invitation"] = invite(hub, &ada, "ben", &[&one, &two]).await.into();
    let made = hub.visitor().post("/api/v1/auth/register", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let db = hub.state().store.read();
    for slug in [&one, &two] {
        let row = space::Entity::find().filter(space::Column::Slug.eq(slug.as_str())).one(db).await.unwrap().unwrap();
        assert_eq!(row.member_count, 2, "{slug}");
    }
    let events = event::Entity::find().all(db).await.unwrap();
    let count = |stream: &str, kind: &str| {
        events.iter().filter(|row| row.stream.starts_with(stream) && row.kind == kind).count()
    };
    assert_eq!(count("space:", "member.joined") , 4, "the owner twice, the invited twice");
    let ben = member::Entity::find().filter(member::Column::Handle.eq("ben")).one(db).await.unwrap().unwrap();
    let own = format!("member:{}", praxis_server::store::Id(ben.id));
    assert_eq!(count(&own, "membership.changed"), 2);
    let mut client = hub.visitor();
    client.bearer = made.json()["access_token"].as_str().map(str::to_owned);
    assert_eq!(client.get(&format!("/api/v1/spaces/{two}/topics")).await.status, 200, "and it is theirs to read");
});

hub_test!(async fn asking_whether_addresses_are_taken_is_slow(hub) {
    hub.member("ada").await;
    let ask = async |handle: &str, address: &str| {
        let mut body = entry(handle);
        body["email"] = address.into();
        hub.visitor().post("/api/v1/auth/register", &body).await
    };
    for number in 0..3 {
        let taken = ask(&format!("eve{number}"), "ada@example.org").await;
        assert_eq!(taken.status, 409, "{}", taken.text);
        assert_eq!(ask("ada", &format!("eve{number}@example.org")).await.status, 409, "a handle is public");
    }
    for number in 3..5 {
        assert_eq!(on_page(hub, "/register", "ada").await, 422, "a taken handle on the page, {number}");
        assert_eq!(ask(&format!("eve{number}"), "ADA@example.org").await.status, 409);
    }
    let slowed = ask("ben", "ben@example.org").await;
    assert_eq!(slowed.status, 429, "nothing is told for a while, not even of a fresh address: {}", slowed.text);
    assert_eq!(on_page(hub, "/register", "ben").await, 429);
    let wait: i64 = slowed.header("retry-after").parse().unwrap();
    hub.clock.advance(wait * 1_000_000);
    assert_eq!(ask("ben", "ben@example.org").await.status, 201);
});
