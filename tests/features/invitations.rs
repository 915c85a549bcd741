//! Invitations reach members and newcomers alike, tell their sender nothing, and work without mail.

use praxis_server::entities::{mail, member};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Client, TestHub, hub_test};

/// Makes an address a member's own, as their mail would.
async fn confirm(hub: &TestHub, handle: &str) {
    let handle = handle.to_owned();
    let done = hub.state().store.write(async move |tx| {
        member::Entity::update_many()
            .col_expr(member::Column::EmailVerifiedAt, Expr::value(Some(1_i64)))
            .filter(member::Column::Handle.eq(handle.as_str()))
            .exec(tx.conn())
            .await?;
        Ok(())
    });
    done.await.unwrap();
}

fn path(hub: &TestHub, link: &Value) -> String {
    link.as_str().unwrap().strip_prefix(&hub.base).unwrap().to_owned()
}

async fn asked(who: &Client) -> Vec<String> {
    let items = who.get("/api/v1/me/invites").await.json()["items"].clone();
    items.as_array().unwrap().iter().map(|item| item["space"]["slug"].as_str().unwrap().to_owned()).collect()
}

hub_test!(async fn a_member_and_a_newcomer_look_alike_to_who_invites_them(hub) {
    hub.member("rhea").await;
    let owner = hub.member("olga").await;
    let ben = hub.member("ben").await;
    confirm(hub, "ben").await;
    let space = hub.space(&owner, "confidential").await;
    let body = json!({"emails": ["ben@example.org", "new@example.org"], "spaces": [space], "message": "Come"});
    let made = owner.post("/api/v1/invitations", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(made["mail"], "held");
    let mut rows: Vec<Value> = made["items"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 2);
    for row in &mut rows {
        assert_eq!(hub.visitor().page(&path(hub, &row["link"])).await.status, 200, "{row}");
        for own in ["id", "email", "link"] {
            row.as_object_mut().unwrap().remove(own).unwrap();
        }
    }
    assert_eq!(rows[0], rows[1]);
    let listed = owner.get("/api/v1/invitations").await;
    assert!(!listed.text.contains("/invite/"), "links are said once: {}", listed.text);
    // The member finds it, the sender does not see whose the address is.
    assert_eq!(asked(&ben).await, std::slice::from_ref(&space));
    let browser = Client::sign_in(&hub.base, "olga").await;
    let page = browser.page(&format!("/s/{space}/members")).await;
    assert!(!page.text.contains("ben Example"), "{}", page.text);
    let member = format!("/api/v1/spaces/{space}/members/ben");
    assert_eq!(owner.delete(&member).await.status, 404, "nothing to take back that one may know of");
    // Declined, and asked again.
    let decline = format!("/api/v1/spaces/{space}/invites/decline");
    assert_eq!(ben.send(ben.request("POST", &decline)).await.status, 200);
    assert!(asked(&ben).await.is_empty());
    assert_eq!(owner.post("/api/v1/invitations", &body).await.status, 201);
    assert_eq!(asked(&ben).await, std::slice::from_ref(&space));
    assert_eq!(ben.send(ben.request("POST", &format!("/api/v1/spaces/{space}/join"))).await.status, 200);
    // Mails: one for the account there is, one that makes one.
    let mails = mail::Entity::find().filter(mail::Column::Kind.eq("invite")).all(hub.state().store.read()).await.unwrap();
    assert!(mails.iter().any(|of| of.to_address == "ben@example.org" && of.text.contains("/spaces") && of.text.contains("on Praxis")));
    assert!(mails.iter().any(|of| of.to_address == "new@example.org" && of.text.contains("/invite/")));
    hub.settle().await;
});

hub_test!(async fn a_link_shown_to_its_sender_proves_no_address(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let space = hub.space(&ada, "private").await;
    let invite = |email: &str| json!({"emails": [email], "spaces": [space]});
    let made = ada.post("/api/v1/invitations", &invite("victim@example.org")).await.json();
    let link = path(hub, &made["items"][0]["link"]);
    let visitor = hub.visitor();
    let csrf = visitor.page(&link).await.csrf();
    let fields = [
        ("handle", "mallory"), ("display_name", "Mallory"), ("email", "victim@example.org"),
        ("password", "a-long-way-to-tipperary-7"), ("conduct", "0"),
    ];
    assert_eq!(visitor.form(&link, &csrf, &fields).await.status, 303);
    let find = member::Entity::find().filter(member::Column::Handle.eq("mallory"));
    let made = find.one(hub.state().store.read()).await.unwrap().unwrap();
    assert!(made.email_verified_at.is_none(), "the sender of an invitation could have opened it");
    // A member whose address nobody confirmed is asked in by the link.
    let made = ada.post("/api/v1/invitations", &invite("ben@example.org")).await.json();
    assert!(asked(&ben).await.is_empty());
    let browser = Client::sign_in(&hub.base, "ben").await;
    let opened = browser.page(&path(hub, &made["items"][0]["link"])).await;
    assert_eq!((opened.status, opened.header("location")), (303, "/spaces"));
    assert_eq!(asked(&ben).await, std::slice::from_ref(&space));
    assert_eq!(ada.get("/api/v1/invitations").await.json()["items"][0]["state"], "accepted");
    hub.settle().await;
});

hub_test!(async fn the_same_answer_under_the_same_key_keeps_no_link(hub) {
    let ada = hub.member("ada").await;
    let body = json!({"emails": ["new@example.org"]});
    let send = async || {
        let request = ada.request("POST", "/api/v1/invitations").header("Idempotency-Key", "k").json(&body);
        ada.send(request).await.json()
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first, second);
    let secret = first["items"][0]["link"].as_str().unwrap().rsplit('/').next().unwrap();
    let kept = praxis_server::entities::idempotent_answer::Entity::find().all(hub.state().store.read()).await.unwrap();
    assert!(!kept.is_empty() && !format!("{kept:?}").contains(secret));
    hub.settle().await;
});

hub_test!(async fn what_is_written_to_guests_of_a_hidden_space_stays_there(hub) {
    let root = hub.member("rhea").await;
    let owner = hub.member("olga").await;
    let hidden = hub.space(&owner, "confidential").await;
    let open = hub.space(&owner, "open").await;
    for (space, message) in [(&hidden, "about the merger"), (&open, "about bread")] {
        let body = json!({"emails": [format!("{space}@example.org")], "spaces": [space], "message": message});
        assert_eq!(owner.post("/api/v1/invitations", &body).await.status, 201);
    }
    let seen = root.get("/api/v1/invitations").await;
    assert!(!seen.text.contains("merger") && !seen.text.contains(&format!("\"{hidden}\"")), "{}", seen.text);
    assert!(seen.text.contains("about bread"), "{}", seen.text);
    assert!(owner.get("/api/v1/invitations").await.text.contains("about the merger"));
    hub.settle().await;
});
