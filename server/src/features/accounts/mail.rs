//! The outbox: a mail is a row and a job, written with what it tells of.
//!
//! Invariant: the log names a mail's kind and its recipient's id, never an address or a text.

use askama::Template;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::entities::kinds::MailState;
use crate::entities::{job, mail, member};
use crate::ports::mailer::MailFault;
use crate::store::{Id, Tx};
use crate::web::error::{AppError, Result};
use crate::web::words::english;

pub const SEND: &str = "accounts.send_mail";

/// Kinds of mail whose link is a secret.
const SECRET: &[&str] = &["verify", "reset", "claim", "invite"];
/// About the account itself: no switch holds it back, so none is offered. `changed` tells the old
/// address of a new one.
const ALWAYS: &[&str] = &["verify", "reset", "claim", "invite", "changed"];

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    id: i64,
}

/// A mail's words, before they are set as text and HTML.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub subject: String,
    /// Paragraphs before the link.
    pub paragraphs: Vec<String>,
    /// Somebody's own words, set apart.
    pub quote: String,
    /// The words of the link and its address.
    pub link: Option<(String, String)>,
    /// Small print.
    pub foot: String,
    /// Switches such mails off.
    pub unsubscribe: Option<String>,
}

#[derive(Template)]
#[template(path = "accounts/templates/mail.html")]
struct Html<'a> {
    letter: &'a Letter,
    hub: &'a str,
    stop: &'a str,
}

impl Letter {
    /// The letter as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = self.paragraphs.clone();
        if !self.quote.is_empty() {
            parts.push(self.quote.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"));
        }
        if let Some((words, address)) = &self.link {
            parts.push(format!("{words}:\n{address}"));
        }
        if !self.foot.is_empty() {
            parts.push(self.foot.clone());
        }
        if let Some(address) = &self.unsubscribe {
            parts.push(format!("{}\n{address}", english().t("mail.stop")));
        }
        parts.join("\n\n") + "\n"
    }

    /// The letter as HTML.
    pub fn html(&self, hub: &str) -> Result<String> {
        Ok(Html { letter: self, hub, stop: english().t("mail.stop") }.render()?)
    }
}

/// Whom a mail goes to, and what for.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    pub kind: &'a str,
    pub member: Option<i64>,
    pub address: &'a str,
    /// The post that the mail quotes, so that a purge finds it.
    pub about: Option<i64>,
}

/// Puts a mail in the outbox, to be sent after the commit.
pub async fn queue(tx: &mut Tx, to: To<'_>, subject: &str, text: &str, html: &str) -> Result<()> {
    let id = tx.id();
    let row = mail::ActiveModel {
        id: Set(id),
        kind: Set(to.kind.to_owned()),
        member_id: Set(to.member),
        to_address: Set(to.address.to_owned()),
        subject: Set(one_line(subject)),
        text: Set(text.to_owned()),
        html: Set(html.to_owned()),
        state: Set(MailState::Queued),
        created_at: Set(tx.now()),
        sent_at: Set(None),
        error: Set(None),
        subject_id: Set(to.about),
    };
    mail::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    tx.enqueue(SEND, &Payload { id }).await
}

/// Puts a letter in the outbox.
pub async fn queue_letter(tx: &mut Tx, to: To<'_>, letter: &Letter, hub: &str) -> Result<()> {
    queue(tx, to, &letter.subject, &letter.text(), &letter.html(hub)?).await
}

/// Tells members of something, where they want mail and have shown that the address is theirs.
/// The letter gets a link that switches such mails off. `kind` is `reply` or `mention`, `about`
/// the post that the letter quotes.
pub async fn notify(
    state: &AppState,
    tx: &mut Tx,
    kind: &str,
    members: &[i64],
    about: Option<i64>,
    letter: &Letter,
) -> Result<()> {
    let wanting: Vec<(i64, Option<String>)> = {
        use sea_orm::QuerySelect as _;
        member::Entity::find()
            .select_only()
            .column(member::Column::Id)
            .column(member::Column::Email)
            .filter(member::Column::Id.is_in(members.iter().copied()))
            .filter(member::Column::MailOn.eq(true))
            .filter(member::Column::State.eq(crate::entities::kinds::MemberState::Active))
            .filter(member::Column::EmailVerifiedAt.is_not_null())
            .into_tuple()
            .all(tx.conn())
            .await?
    };
    for (id, email) in wanting {
        let Some(email) = email else { continue };
        let mut letter = letter.clone();
        letter.unsubscribe = Some(unsubscribe_address(state, id));
        queue_letter(tx, To { kind, member: Some(id), address: &email, about }, &letter, state.origin()).await?;
    }
    Ok(())
}

/// The address that switches a member's mail off, good without signing in.
#[must_use]
pub fn unsubscribe_address(state: &AppState, member: i64) -> String {
    format!("{}/unsubscribe/{}/{}", state.origin(), Id(member), unsubscribe_token(state, member))
}

/// What proves that an unsubscribe link is ours.
#[must_use]
pub fn unsubscribe_token(state: &AppState, member: i64) -> String {
    state.secrets.token(&format!("unsubscribe:{member}"))
}

/// Asks the owner of an address to confirm it.
pub async fn verify(state: &AppState, tx: &mut Tx, of: &member::Model, to: &str, token: &str) -> Result<()> {
    let letter = told(state, "verify", &[("name", &of.display_name)], &format!("/verify/{token}"));
    queue_letter(tx, To { kind: "verify", member: Some(of.id), address: to, about: None }, &letter, state.origin())
        .await
}

/// A letter from the catalogue: `mail.KIND.{subject,text,link,foot}`, with the hub's address filled in.
#[must_use]
pub fn told(state: &AppState, kind: &str, places: &[(&str, &str)], path: &str) -> Letter {
    let host = state.origin().split_once("://").map_or("", |(_, host)| host);
    let mut places = places.to_vec();
    places.push(("hub", host));
    let say = |part: &str| english().with(&format!("mail.{kind}.{part}"), &places);
    Letter {
        subject: say("subject"),
        paragraphs: say("text").split("\n\n").map(|part| part.trim().to_owned()).collect(),
        quote: String::new(),
        link: Some((say("link"), format!("{}{path}", state.origin()))),
        foot: say("foot"),
        unsubscribe: None,
    }
}

/// Sends one mail. Without a mail server it stays in the outbox, held.
pub async fn send(state: &AppState, job: &job::Model) -> Result<()> {
    let Payload { id } = crate::jobs::payload(job)?;
    let Some(row) = mail::Entity::find_by_id(id).one(state.store.read()).await? else { return Ok(()) };
    if !matches!(row.state, MailState::Queued | MailState::Held) {
        return Ok(());
    }
    let recipient = row.member_id.map(|id| Id(id).to_string());
    if !state.mailer.is_configured() {
        tracing::info!(kind = row.kind, recipient, mail = %Id(id), "mail is held: no mail server is configured");
        return set(state, &row, MailState::Held, None).await;
    }
    let stop = row.member_id.filter(|_| !ALWAYS.contains(&row.kind.as_str())).map(|id| unsubscribe_address(state, id));
    match state.mailer.send(&row, stop.as_deref()).await {
        Ok(()) => {
            tracing::info!(kind = row.kind, recipient, mail = %Id(id), "mail sent");
            set(state, &row, MailState::Sent, None).await
        }
        Err(MailFault::Final(reason)) => {
            tracing::warn!(kind = row.kind, recipient, mail = %Id(id), "mail refused for good");
            set(state, &row, MailState::Failed, Some(reason)).await
        }
        Err(MailFault::Later(reason)) => Err(AppError::internal(reason)),
    }
}

async fn set(state: &AppState, row: &mail::Model, to: MailState, error: Option<String>) -> Result<()> {
    let (id, secret) = (row.id, SECRET.contains(&row.kind.as_str()));
    state
        .store
        .write(async move |tx| {
            let sent = (to == MailState::Sent).then(|| tx.now());
            let mut update = mail::Entity::update_many();
            // What was sent holds a link that opens an account: it is not kept.
            if to == MailState::Sent && secret {
                update =
                    update.col_expr(mail::Column::Text, Expr::value("")).col_expr(mail::Column::Html, Expr::value(""));
            }
            update
                .col_expr(mail::Column::State, Expr::value(to.as_str()))
                .col_expr(mail::Column::SentAt, Expr::value(sent))
                .col_expr(mail::Column::Error, Expr::value(error.clone()))
                .filter(mail::Column::Id.eq(id))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
}

/// A subject has one line, whatever a title holds.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(250).collect()
}
