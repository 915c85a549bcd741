//! Ways in by mail: confirming, resetting, claiming, inviting; and the operator's links.

use praxis_server::entities::kinds::{Availability, Discipline, HubRole, MailState, MemberState};
use praxis_server::entities::{mail, member};
use praxis_server::features::accounts;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::support::hub::password;
use crate::support::{Answer, Client, TestHub, hub_test};

const DAY: i64 = 86_400_000_000;

/// The newest mail of a kind to an address, once all jobs have run.
async fn mail_to(hub: &TestHub, kind: &str, address: &str) -> mail::Model {
    hub.settle().await;
    mail::Entity::find()
        .filter(mail::Column::Kind.eq(kind))
        .filter(mail::Column::ToAddress.eq(address))
        .order_by_desc(mail::Column::Id)
        .one(hub.state().store.read())
        .await
        .unwrap()
        .unwrap_or_else(|| panic!("no mail {kind} to {address}"))
}

/// The path of the link in a mail.
fn link(hub: &TestHub, mail: &mail::Model) -> String {
    let (_, rest) = mail.text.split_once(&hub.base).unwrap_or_else(|| panic!("no link: {}", mail.text));
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn sign_in(hub: &TestHub, login: &str, password: &str) -> Answer {
    hub.visitor().post("/api/v1/auth/login", &json!({"login": login, "password": password})).await
}

async fn send(client: &Client, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = client.page(page).await.csrf();
    client.form(action, &csrf, fields).await
}

hub_test!(async fn without_a_mail_server_mail_is_held_and_its_link_confirms_the_address(hub) {
    hub.member("ada").await;
    let mail = mail_to(hub, "verify", "ada@example.org").await;
    assert_eq!(mail.state, MailState::Held);
    let path = link(hub, &mail);
    let visitor = hub.visitor();
    let page = visitor.page(&path).await;
    assert_eq!(page.status, 200);
    assert_eq!(visitor.page(&path).await.status, 200, "opening the link uses nothing up");
    assert_eq!(visitor.form(&path, &page.csrf(), &[]).await.status, 200);
    assert_eq!(visitor.page(&path).await.status, 404, "it works once");
    let ada = member::Entity::find().one(hub.state().store.read()).await.unwrap().unwrap();
    assert!(ada.email_verified_at.is_some());
});

hub_test!(async fn a_reset_works_once_within_the_hour_and_ends_all_sessions(hub) {
    let ada = hub.member("ada").await;
    let browser = Client::sign_in(&hub.base, "ada").await;
    let visitor = hub.visitor();
    let known = send(&visitor, "/forgot", "/forgot", &[("email", "Ada@example.org")]).await;
    let unknown = send(&visitor, "/forgot", "/forgot", &[("email", "eve@example.org")]).await;
    assert_eq!((known.status, known.header("location")), (303, "/forgot?sent"));
    assert_eq!((unknown.status, unknown.header("location")), (303, "/forgot?sent"));
    let path = link(hub, &mail_to(hub, "reset", "ada@example.org").await);
    let weak = send(&visitor, &path, &path, &[("password", "password1234")]).await;
    assert_eq!(weak.status, 422);
    assert!(weak.text.contains("error-summary") && weak.text.contains("href=\"#password\""));
    let new = "lantern seventy orchard mist";
    let csrf = visitor.page(&path).await.csrf();
    assert_eq!(visitor.form(&path, &csrf, &[("password", new)]).await.status, 303);
    assert_eq!(visitor.form(&path, &csrf, &[("password", new)]).await.status, 404);
    assert_eq!(ada.get("/api/v1/me/sessions").await.status, 401);
    assert_eq!(browser.page("/login").await.status, 200, "the browser's session is over");
    assert_eq!(sign_in(hub, "ada", &password("ada")).await.status, 401);
    assert_eq!(sign_in(hub, "ada", new).await.status, 200);
    // A later link is dead after an hour.
    send(&visitor, "/forgot", "/forgot", &[("email", "ada@example.org")]).await;
    let path = link(hub, &mail_to(hub, "reset", "ada@example.org").await);
    assert_eq!(visitor.page(&path).await.status, 200);
    hub.clock.advance(DAY / 24);
    assert_eq!(visitor.page(&path).await.status, 404);
});

hub_test!(async fn an_imported_account_is_claimed_by_its_mail(hub) {
    hub.member("ada").await;
    let state = hub.state();
    state
        .store
        .write(async |tx| {
            let row = member::ActiveModel {
                id: Set(77),
                handle: Set("grace".into()),
                display_name: Set("Grace".into()),
                email: Set(Some("grace@example.org".into())),
                email_verified_at: Set(None),
                password_hash: Set(None),
                hub_role: Set(HubRole::Member),
                state: Set(MemberState::Unclaimed),
                headline: Set(String::new()),
                discipline: Set(Discipline::Other),
                organisation: Set(String::new()),
                about: Set(String::new()),
                about_html: Set(String::new()),
                links: Set("[]".into()),
                time_zone: Set("UTC".into()),
                avatar: Set(None),
                mail_on: Set(true),
                conduct_version: Set(0),
                created_at: Set(1),
                updated_at: Set(1),
                seen_at: Set(None),
                availability: Set(Availability::Online),
                version: Set(1),
            };
            member::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            Ok(())
        })
        .await
        .unwrap();
    let entry = json!({"handle": "grace2", "display_name": "G", "email": "grace@example.org", "password": password("g")});
    assert_eq!(hub.visitor().post("/api/v1/auth/register", &entry).await.status, 409, "nobody registers over it");
    let visitor = hub.visitor();
    send(&visitor, "/claim", "/forgot", &[("email", "grace@example.org")]).await;
    let path = link(hub, &mail_to(hub, "claim", "grace@example.org").await);
    let new = "lantern seventy orchard mist";
    let unread = send(&visitor, &path, &path, &[("password", new)]).await;
    assert_eq!(unread.status, 422, "the conduct page comes first");
    assert_eq!(send(&visitor, &path, &path, &[("password", new), ("conduct", "3")]).await.status, 303);
    assert_eq!(sign_in(hub, "grace", new).await.status, 200);
    let grace = member::Entity::find_by_id(77).one(state.store.read()).await.unwrap().unwrap();
    assert_eq!((grace.state, grace.conduct_version), (MemberState::Active, 3));
    assert!(grace.email_verified_at.is_some());
});

hub_test!(async fn an_invitation_opens_the_door_once_and_joins_its_spaces(hub) {
    use praxis_server::entities::{space, space_member};
    use praxis_server::entities::kinds::{SpaceRole, Visibility};
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let owner = member::Entity::find().filter(member::Column::Handle.eq("ada")).one(hub.state().store.read()).await.unwrap().unwrap().id;
    hub.state()
        .store
        .write(async move |tx| {
            let row = space::ActiveModel {
                id: Set(5),
                slug: Set("ward".into()),
                name: Set("Ward".into()),
                description: Set(String::new()),
                visibility: Set(Visibility::Confidential),
                pinned_body: Set(String::new()),
                pinned_html: Set(String::new()),
                archived_at: Set(None),
                created_by: Set(owner),
                created_at: Set(1),
                topic_count: Set(0),
                member_count: Set(1),
                version: Set(1),
            };
            space::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            let row = space_member::ActiveModel {
                space_id: Set(5), member_id: Set(owner), role: Set(SpaceRole::Owner), joined_at: Set(1),
            };
            space_member::Entity::insert(row).exec_without_returning(tx.conn()).await?;
            Ok(())
        })
        .await
        .unwrap();
    let invite = json!({"emails": ["Cy <cy@example.org>", "ben@example.org"], "spaces": ["ward"], "message": "Come & see"});
    let refused = ben.post("/api/v1/invitations", &invite).await;
    assert_eq!(refused.status, 403, "a member without a space of theirs invites nobody");
    assert_eq!(ben.get("/api/v1/invitations").await.status, 403);
    let unknown = ada.post("/api/v1/invitations", &json!({"emails": ["cy@example.org"], "spaces": ["nowhere"]})).await;
    assert_eq!(unknown.status, 422);
    assert_eq!(ada.post("/api/v1/invitations", &json!({"emails": ["not one"]})).await.status, 422);
    let made = ada.post("/api/v1/invitations", &invite).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["items"].as_array().unwrap().len(), 2, "{}", made.text);
    let mail = mail_to(hub, "invite", "cy@example.org").await;
    assert!(mail.text.contains("> Come & see") && mail.html.contains("Come &#38; see"), "{}", mail.html);
    let path = link(hub, &mail);
    let visitor = hub.visitor();
    let page = visitor.page(&path).await;
    assert!(page.text.contains("value=\"cy@example.org\""), "{}", page.text);
    let password = password("cy");
    let fields =
        [("handle", "cy"), ("display_name", "Cy"), ("email", "cy@example.org"), ("password", &password), ("conduct", "0")];
    let joined = visitor.form(&path, &page.csrf(), &fields).await;
    assert_eq!(joined.status, 303, "{}", joined.text);
    assert_eq!(hub.visitor().page(&path).await.status, 404);
    let db = hub.state().store.read();
    let cy = member::Entity::find().filter(member::Column::Handle.eq("cy")).one(db).await.unwrap().unwrap();
    assert!(cy.email_verified_at.is_some(), "the mail came by that address");
    assert!(space_member::Entity::find_by_id((5, cy.id)).one(db).await.unwrap().is_some());
    assert_eq!(space::Entity::find_by_id(5).one(db).await.unwrap().unwrap().member_count, 2);
    let list = ada.get("/api/v1/invitations").await.json();
    let items = list["items"].as_array().unwrap();
    let of_cy = items.iter().find(|item| item["email"] == "cy@example.org").unwrap_or_else(|| panic!("{list}"));
    assert_eq!((&of_cy["state"], &of_cy["spaces"][0]), (&json!("accepted"), &json!("ward")));
    // One that is taken back opens nothing.
    let made = ada.post("/api/v1/invitations", &json!({"emails": ["dee@example.org"]})).await.json();
    let path = link(hub, &mail_to(hub, "invite", "dee@example.org").await);
    let id = made["items"][0]["id"].as_str().unwrap();
    assert_eq!(ben.delete(&format!("/api/v1/invitations/{id}")).await.status, 404);
    assert_eq!(ada.delete(&format!("/api/v1/invitations/{id}")).await.status, 204);
    assert_eq!(hub.visitor().page(&path).await.status, 404);
});

hub_test!(async fn the_setup_link_makes_the_first_administrator_and_no_second(hub) {
    let first = accounts::setup_link(hub.state()).await.unwrap().unwrap();
    let second = accounts::setup_link(hub.state()).await.unwrap().unwrap();
    let path = |link: &str| link.strip_prefix(&hub.base).unwrap().to_owned();
    let token = |link: &str| link.split_once("token=").unwrap().1.to_owned();
    let visitor = hub.visitor();
    assert_eq!(visitor.page("/setup").await.status, 404);
    assert_eq!(visitor.page("/setup?token=wrong").await.status, 404);
    let page = visitor.page(&path(&first)).await;
    assert_eq!(page.status, 200);
    let (password, first_token, second_token) = (password("ada"), token(&first), token(&second));
    let fields = |token| {
        [
            ("token", token), ("hub_name", "Northmere <Hub>"), ("handle", "ada"), ("display_name", "Ada"),
            ("email", "ada@example.org"), ("password", password.as_str()),
        ]
    };
    assert_eq!(visitor.form("/setup", &page.csrf(), &fields(&first_token)).await.status, 303);
    assert!(visitor.page("/nothing").await.text.contains("Northmere &#60;Hub&#62;"));
    assert_eq!(sign_in(hub, "ada", &password).await.json()["member"]["role"], "administrator");
    assert_eq!(hub.visitor().page(&path(&second)).await.status, 404);
    let late = hub.visitor();
    let csrf = late.page("/login").await.csrf();
    assert_eq!(late.form("/setup", &csrf, &fields(&second_token)).await.status, 404);
    assert!(accounts::setup_link(hub.state()).await.unwrap().is_none());
});

hub_test!(async fn the_console_makes_administrators_and_links(hub) {
    let state = hub.state();
    accounts::create_administrator(state, "Root-1", "root@example.org", &password("r")).await.unwrap();
    assert_eq!(sign_in(hub, "root-1", &password("r")).await.json()["member"]["role"], "administrator");
    assert!(accounts::create_administrator(state, "root-1", "b@example.org", &password("r")).await.is_err());
    assert!(accounts::reset_link(state, "nobody").await.unwrap().is_none());
    let link = accounts::reset_link(state, "@ROOT-1").await.unwrap().unwrap();
    let path = link.strip_prefix(&hub.base).unwrap();
    let visitor = hub.visitor();
    assert_eq!(send(&visitor, path, path, &[("password", "lantern seventy orchard mist")]).await.status, 303);
    assert_eq!(sign_in(hub, "root-1", "lantern seventy orchard mist").await.status, 200);
    let root = member::Entity::find().one(state.store.read()).await.unwrap().unwrap();
    assert!(root.email_verified_at.is_none(), "a printed link confirms no address");
});

hub_test!(async fn mail_stops_by_the_switch_and_by_the_link(hub) {
    use praxis_server::features::accounts::mail::{Letter, notify, unsubscribe_address};
    hub.member("ada").await;
    let ada = member::Entity::find().one(hub.state().store.read()).await.unwrap().unwrap().id;
    let tell = async || {
        let state = hub.state().clone();
        let inner = state.clone();
        let write = state.store.write(async move |tx| {
            let letter = Letter { subject: "A\nreply".into(), paragraphs: vec!["Hello".into()], ..Letter::default() };
            notify(&inner, tx, "reply", &[ada], None, &letter).await
        });
        write.await.unwrap();
        hub.settle().await;
        mail::Entity::find().filter(mail::Column::Kind.eq("reply")).all(hub.state().store.read()).await.unwrap()
    };
    assert!(tell().await.is_empty(), "an address that is not confirmed gets no such mail");
    let path = link(hub, &mail_to(hub, "verify", "ada@example.org").await);
    let visitor = hub.visitor();
    send(&visitor, &path, &path, &[]).await;
    let mails = tell().await;
    assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "A reply"));
    let address = unsubscribe_address(hub.state(), ada);
    assert!(mails[0].text.contains(&address) && mails[0].html.contains(&address));
    let path = address.strip_prefix(&hub.base).unwrap();
    assert_eq!(visitor.page(&format!("{path}x")).await.status, 404);
    visitor.page(path).await;
    assert_eq!(tell().await.len(), 2, "opening the link switches nothing");
    assert_eq!(send(&visitor, path, path, &[]).await.status, 200);
    assert_eq!(tell().await.len(), 2);
    let browser = Client::sign_in(&hub.base, "ada").await;
    assert_eq!(send(&browser, "/settings/mail", "/settings/mail", &[("mail", "1")]).await.status, 303);
    assert_eq!(tell().await.len(), 3);
});
