//! Getting back in: a forgotten password, an imported account to be claimed, an address to be
//! confirmed.
//!
//! Invariant: whether an address has an account is told to its mailbox alone.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::{links, mail, sessions, tokens};
use crate::app::AppState;
use crate::entities::kinds::MemberState;
use crate::entities::{job, member};
use crate::features::people;
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

pub const FORGOT: &str = "accounts.forgot";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    email: String,
}

/// Asks for a link. All the work is done later, so that a known address takes no longer.
pub async fn ask(tx: &mut Tx, email: &str) -> Result<()> {
    tx.enqueue(FORGOT, &Payload { email: email.to_owned() }).await
}

/// Mails a link if the address has an account that can use one.
pub async fn answer(state: &AppState, job: &job::Model) -> Result<()> {
    let Payload { email } = crate::jobs::payload(job)?;
    let inner = state.clone();
    state
        .store
        .write(async move |tx| {
            let found = member::Entity::find().filter(member::Column::Email.eq(email.as_str())).one(tx.conn()).await?;
            let Some(of) = found.filter(|of| of.state != MemberState::Suspended) else { return Ok(()) };
            let kind = if of.state == MemberState::Unclaimed { "claim" } else { "reset" };
            let token = links::make(tx, links::RESET, Some(of.id), Some(&email), links::RESET_FOR).await?;
            let letter = mail::told(&inner, kind, &[("name", &of.display_name)], &format!("/reset/{token}")).await?;
            let to = mail::To { kind, member: Some(of.id), address: &email, about: None };
            mail::queue_letter(tx, to, &letter, inner.origin()).await
        })
        .await
}

/// The member whom a link lets choose a password, if it works now.
pub async fn find(db: &impl ConnectionTrait, now: i64, token: &str) -> Result<Option<member::Model>> {
    let Some(link) = links::look(db, now, links::RESET, token).await? else { return Ok(None) };
    let of = member::Entity::find_by_id(link.member_id.unwrap_or_default()).one(db).await?;
    // A link mailed to an address that is the member's no longer is worth nothing.
    Ok(of.filter(|of| link.email.is_none() || link.email == of.email))
}

/// Sets the new password, ends all sessions and API tokens, and makes an unclaimed account its owner's.
pub async fn reset(tx: &mut Tx, token: &str, password_hash: &str, conduct: Option<i32>) -> Result<()> {
    let of = find(tx.conn(), tx.now(), token).await?.ok_or(AppError::NotFound)?;
    let link = links::spend(tx, links::RESET, token).await?.ok_or(AppError::NotFound)?;
    let claimed = of.state == MemberState::Unclaimed;
    let mut update = member::Entity::update_many()
        .col_expr(member::Column::PasswordHash, Expr::value(Some(password_hash.to_owned())))
        .col_expr(member::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(member::Column::Id.eq(of.id));
    if link.email.is_some() && of.email_verified_at.is_none() {
        update = update.col_expr(member::Column::EmailVerifiedAt, Expr::value(Some(tx.now())));
    }
    if claimed {
        update = update
            .col_expr(member::Column::State, Expr::value(MemberState::Active.as_str()))
            .col_expr(member::Column::ConductVersion, Expr::value(conduct.unwrap_or(0)));
    }
    update.exec(tx.conn()).await?;
    links::withdraw(tx, links::RESET, Some(of.id)).await?;
    // Nor may somebody who was in the account have its address changed afterwards.
    links::withdraw(tx, links::VERIFY, Some(of.id)).await?;
    sessions::end_all(tx, of.id, None).await?;
    tokens::revoke_all(tx, of.id).await?;
    if claimed {
        people::index_words(tx, &of, &[]).await?;
        tx.append(Stream::HUB, NewEvent::new("member.claimed", of.id, Some(of.id)));
    }
    tx.after(After::Access(of.id));
    Ok(())
}

/// Confirms an address; it becomes the member's if it was to replace another one.
pub async fn verify(tx: &mut Tx, token: &str) -> Result<()> {
    let link = links::spend(tx, links::VERIFY, token).await?.ok_or(AppError::NotFound)?;
    let (Some(id), Some(email)) = (link.member_id, link.email) else { return Err(AppError::NotFound) };
    if email_taken(tx.conn(), &email, id).await? {
        return Err(AppError::NotFound);
    }
    member::Entity::update_many()
        .col_expr(member::Column::Email, Expr::value(Some(email)))
        .col_expr(member::Column::EmailVerifiedAt, Expr::value(Some(tx.now())))
        .filter(member::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    tx.after(After::Access(id));
    Ok(())
}

/// Whether another member has an address.
pub async fn email_taken(db: &impl ConnectionTrait, email: &str, but: i64) -> Result<bool> {
    let other = member::Entity::find()
        .filter(member::Column::Email.eq(email))
        .filter(member::Column::Id.ne(but))
        .one(db)
        .await?;
    Ok(other.is_some())
}
