//! Mail on its way: a conversation with a mail server, refusals, and the way to have no more.

use praxis_server::entities::kinds::MailState;
use praxis_server::entities::{job, mail, member};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::support::hub::run_with;
use crate::support::smtp::{Letter, Smtp};
use crate::support::{Client, Db, TestHub};

const SECOND: i64 = 1_000_000;

/// Runs a test on both databases, with a mail server.
fn with_smtp(name: &str, body: impl AsyncFn(&TestHub, &Smtp)) {
    for db in [Db::Sqlite, Db::Postgres] {
        let smtp = Smtp::start();
        run_with(db, name, &[("smtp_url", &smtp.url())], async |hub| body(hub, &smtp).await);
    }
}

fn to(smtp: &Smtp, handle: &str) -> Vec<Letter> {
    let address = format!("{handle}@example.org");
    smtp.letters().into_iter().filter(|letter| letter.to == address).collect()
}

/// The first path of the hub in a text.
fn path_in(hub: &TestHub, text: &str) -> String {
    let (_, rest) = text.split_once(&hub.base).unwrap_or_else(|| panic!("no link: {text}"));
    rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '>')).next().unwrap().to_owned()
}

async fn states(hub: &TestHub, handle: &str) -> Vec<(MailState, Option<String>)> {
    let address = format!("{handle}@example.org");
    let find = mail::Entity::find().filter(mail::Column::ToAddress.eq(address));
    find.all(hub.state().store.read()).await.unwrap().into_iter().map(|row| (row.state, row.error)).collect()
}

#[test]
fn a_reply_is_mailed_with_a_way_to_have_no_more_at_one_click() {
    with_smtp("mail", async |hub, smtp| {
        let ada = hub.member("ada").await;
        let ben = hub.member("ben").await;
        hub.settle().await;
        let verify = to(smtp, "ada").remove(0);
        assert_eq!(verify.header("List-Unsubscribe"), "", "what the account itself needs has no switch");
        assert_eq!(states(hub, "ada").await, [(MailState::Sent, None)]);
        let path = path_in(hub, &verify.text);
        let visitor = hub.visitor();
        let csrf = visitor.page(&path).await.csrf();
        assert_eq!(visitor.form(&path, &csrf, &[]).await.status, 200);

        let space = hub.space(&ada, "open").await;
        let topic = hub.topic(&ada, &space, "Night alerts").await["id"].as_str().unwrap().to_owned();
        hub.reply(&ben, &topic, None, "Mute them?").await;
        hub.settle().await;
        let letters = to(smtp, "ada");
        assert_eq!(letters.len(), 2, "{letters:?}");
        let reply = letters.last().unwrap();
        assert!(reply.text.contains("Mute them?"), "{}", reply.text);
        assert_eq!(reply.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let stop = reply.header("List-Unsubscribe").trim_start_matches('<').trim_end_matches('>').to_owned();
        let path = stop.strip_prefix(&hub.base).unwrap_or_else(|| panic!("no address of the hub: {stop}"));

        // A mail service posts without cookies, Origin or form token.
        let click = |path: &str| {
            let service = hub.visitor();
            let kind = "application/x-www-form-urlencoded";
            let request = service.request("POST", path).header("Content-Type", kind).body("List-Unsubscribe=One-Click");
            async move { service.send(request).await.status }
        };
        assert_eq!(click(&format!("{path}x")).await, 404, "not with a made-up address");
        let on = async || {
            let row = member::Entity::find().filter(member::Column::Handle.eq("ada"));
            row.one(hub.state().store.read()).await.unwrap().unwrap().mail_on
        };
        assert!(on().await);
        assert_eq!(hub.visitor().page(path).await.status, 200);
        assert!(on().await, "opening the address switches nothing");
        assert_eq!(click(path).await, 200);
        assert!(!on().await);
        hub.reply(&ben, &topic, None, "Anybody?").await;
        hub.settle().await;
        assert_eq!(to(smtp, "ada").len(), 2, "no more mail");
    });
}

#[test]
fn a_mail_that_is_put_off_is_tried_again_after_a_pause() {
    with_smtp("mail put off", async |hub, smtp| {
        hub.expect_failing_jobs();
        smtp.refuse(Some("450 4.2.1 try again later"));
        hub.member("ada").await;
        hub.settle().await;
        assert_eq!((smtp.refused(), smtp.letters().len()), (1, 0));
        assert_eq!(states(hub, "ada").await, [(MailState::Queued, None)]);
        let waits = async || {
            let row = job::Entity::find().one(hub.state().store.read()).await.unwrap().unwrap();
            (row.attempts, row.run_at - hub.clock.now())
        };
        let (attempts, first) = waits().await;
        assert!(attempts == 1 && (0..=5 * SECOND).contains(&first), "{attempts} {first}");
        hub.clock.advance(first);
        hub.settle().await;
        let (attempts, second) = waits().await;
        assert!(attempts == 2 && second > first && second <= 10 * SECOND, "the pause grows: {attempts} {second}");
        smtp.refuse(None);
        assert_eq!(smtp.letters().len(), 0, "not before its time");
        hub.clock.advance(second);
        hub.settle().await;
        assert_eq!((smtp.refused(), to(smtp, "ada").len()), (2, 1));
        assert_eq!(states(hub, "ada").await, [(MailState::Sent, None)]);
        assert!(job::Entity::find().one(hub.state().store.read()).await.unwrap().is_none());
    });
}

#[test]
fn a_mail_that_is_refused_for_good_is_shown_as_failed() {
    with_smtp("mail refused", async |hub, smtp| {
        smtp.refuse(Some("550 5.1.1 no such mailbox"));
        hub.member("ada").await;
        hub.settle().await;
        assert_eq!(smtp.refused(), 1);
        let [(MailState::Failed, Some(error))] = &states(hub, "ada").await[..] else { panic!("it has not failed") };
        assert!(error.contains("no such mailbox"), "{error}");
        assert!(job::Entity::find().one(hub.state().store.read()).await.unwrap().is_none(), "it is not tried again");
        let page = Client::sign_in(&hub.base, "ada").await.page("/admin/jobs").await;
        assert!(page.text.contains("no such mailbox") && page.text.contains("ada@example.org"), "{}", page.text);
        assert!(hub.visitor().get("/metrics").await.text.contains("praxis_mail_failed 1"));
    });
}
