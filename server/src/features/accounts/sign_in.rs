//! Signing in: one way for pages and API.

use actix_web::HttpRequest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::passwords;
use super::sessions::{self, Kind, Opened};
use crate::app::AppState;
use crate::entities::kinds::MemberState;
use crate::entities::member;
use crate::web::error::{AppError, Result};
use crate::web::rate_limit::{What, client_share};

/// How signing in ended.
#[derive(Debug)]
pub enum SignIn {
    In(Box<(Opened, member::Model)>),
    /// Unknown, wrong or not to be used: nobody is told which.
    Wrong,
    /// The password is right, the account suspended.
    Suspended,
}

/// Checks login and password and opens a session.
pub async fn sign_in(
    state: &AppState,
    req: &HttpRequest,
    login: &str,
    password: &str,
    kind: Kind,
    before: Option<i64>,
) -> Result<SignIn> {
    let address = client_share(req, state);
    state.limits.take(What::Guess, &address).await?;
    let login = login.trim().to_lowercase();
    let found = find(state, &login).await?;
    let account = found.as_ref().map_or_else(|| login.chars().take(254).collect(), |of| of.id.to_string());
    let pair = format!("{address} {account}");
    state.slow_down.attempt(&pair, state.clock.now())?;
    let hash = found.as_ref().and_then(|of| of.password_hash.as_deref());
    let right = passwords::verify(password, hash).await?;
    let Some(of) = found.filter(|_| right) else { return Ok(SignIn::Wrong) };
    state.slow_down.succeeded(&pair);
    match of.state {
        MemberState::Active => {}
        MemberState::Suspended => return Ok(SignIn::Suspended),
        MemberState::Unclaimed => return Ok(SignIn::Wrong),
    }
    let (id, agent) = (of.id, sessions::user_agent(req));
    let opened = state
        .store
        .write(async move |tx| {
            // Suspended meanwhile is suspended.
            let now = member::Entity::find_by_id(id).one(tx.conn()).await?.ok_or(AppError::Unauthenticated)?;
            if now.state != MemberState::Active {
                return Err(AppError::Unauthenticated);
            }
            if let Some(before) = before {
                sessions::end(tx, &[before]).await?;
            }
            sessions::open(tx, id, kind, &agent).await
        })
        .await?;
    Ok(SignIn::In(Box::new((opened, of))))
}

async fn find(state: &AppState, login: &str) -> Result<Option<member::Model>> {
    if login.is_empty() || login.len() > 254 || login.contains('\0') {
        return Ok(None);
    }
    let by = if login.contains('@') { member::Column::Email } else { member::Column::Handle };
    Ok(member::Entity::find().filter(by.eq(login)).one(state.store.read()).await?)
}

/// Whether a signed-in member's password is this; wrong ones slow the pair as at signing in.
pub async fn is_password(state: &AppState, req: &HttpRequest, of: &member::Model, password: &str) -> Result<bool> {
    let pair = format!("{} {}", client_share(req, state), of.id);
    state.slow_down.attempt(&pair, state.clock.now())?;
    let right = passwords::verify(password, of.password_hash.as_deref()).await?;
    if right {
        state.slow_down.succeeded(&pair);
    }
    Ok(right)
}
