//! Sessions: opening, renewing and ending them.
//!
//! Invariant: only hashes of tokens are kept. A session is one sign-in: a browser's cookie, or a
//! chain of refresh tokens of which one is good at a time; a used one shown again ends it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::USER_AGENT;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::app::AppState;
use crate::app::secrets::{hash_token, random_token};
use crate::entities::kinds::MemberState;
use crate::entities::{member, refresh_token, session};
use crate::ports::clock::{DAY, HOUR, MINUTE};
use crate::store::{After, Tx};
use crate::web::error::{AppError, Result};
use crate::web::sessions::session_lives;
use crate::web::viewer::SESSION_COOKIE;

/// A session ends after this.
const LONGEST: i64 = 30 * DAY;
/// A session that is not used ends after this.
const IDLE: i64 = 12 * HOUR;
/// On a shared computer.
const IDLE_SHARED: i64 = 30 * MINUTE;

/// What kind of session to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A browser's, by cookie.
    Browser { shared: bool },
    /// A program's, by access and refresh tokens.
    Tokens,
}

/// A session just opened or renewed, with the secret that is shown once.
#[derive(Clone, Debug)]
pub struct Opened {
    pub member_id: i64,
    pub session_id: i64,
    /// The cookie's value, or the refresh token.
    pub secret: String,
}

/// The name a browser or program gives itself, cut.
#[must_use]
pub fn user_agent(req: &HttpRequest) -> String {
    let text = req.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Opens a session.
pub async fn open(tx: &mut Tx, member: i64, kind: Kind, user_agent: &str) -> Result<Opened> {
    let (session_id, secret, now) = (tx.id(), random_token(), tx.now());
    let shared = kind == Kind::Browser { shared: true };
    let row = session::ActiveModel {
        id: Set(session_id),
        member_id: Set(member),
        kind: Set(if kind == Kind::Tokens { "tokens" } else { "browser" }.to_owned()),
        token_hash: Set((kind != Kind::Tokens).then(|| hash_token(&secret))),
        shared: Set(shared),
        user_agent: Set(user_agent.to_owned()),
        created_at: Set(now),
        used_at: Set(now),
        idle_limit: Set(if shared { IDLE_SHARED } else { IDLE }),
        expires_at: Set(now + LONGEST),
        ended_at: Set(None),
    };
    session::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    if kind == Kind::Tokens {
        add_link(tx, session_id, &secret, now + LONGEST).await?;
    }
    member::Entity::update_many()
        .col_expr(member::Column::SeenAt, Expr::value(Some(now)))
        .filter(member::Column::Id.eq(member))
        .exec(tx.conn())
        .await?;
    Ok(Opened { member_id: member, session_id, secret })
}

async fn add_link(tx: &Tx, session_id: i64, secret: &str, expires_at: i64) -> Result<()> {
    let link = refresh_token::ActiveModel {
        token_hash: Set(hash_token(secret)),
        session_id: Set(session_id),
        created_at: Set(tx.now()),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    refresh_token::Entity::insert(link).exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// Changes a refresh token into the next one; `None` if it is not good. One that was used before
/// ends the session: either its owner or somebody else has a copy.
pub async fn renew(tx: &mut Tx, token: &str) -> Result<Option<(Opened, member::Model)>> {
    let hash = hash_token(token);
    let Some(link) = refresh_token::Entity::find_by_id(hash.clone()).one(tx.conn()).await? else { return Ok(None) };
    let spent = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(Some(tx.now())))
        .filter(refresh_token::Column::TokenHash.eq(hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx.conn())
        .await?;
    if spent.rows_affected == 0 {
        end(tx, &[link.session_id]).await?;
        return Ok(None);
    }
    let Some(row) = session::Entity::find_by_id(link.session_id).one(tx.conn()).await? else { return Ok(None) };
    if !session_lives(&row, tx.now()) || link.expires_at <= tx.now() {
        return Ok(None);
    }
    let of = member::Entity::find_by_id(row.member_id).one(tx.conn()).await?;
    let Some(of) = of.filter(|of| of.state == MemberState::Active) else { return Ok(None) };
    let secret = random_token();
    add_link(tx, row.id, &secret, row.expires_at).await?;
    session::Entity::update_many()
        .col_expr(session::Column::UsedAt, Expr::value(tx.now()))
        .filter(session::Column::Id.eq(row.id))
        .exec(tx.conn())
        .await?;
    Ok(Some((Opened { member_id: of.id, session_id: row.id, secret }, of)))
}

/// Ends these sessions and their sockets.
pub async fn end(tx: &mut Tx, sessions: &[i64]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(Some(tx.now())))
        .filter(session::Column::Id.is_in(sessions.iter().copied()))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx.conn())
        .await?;
    for session in sessions {
        tx.after(After::EndSession(*session));
    }
    Ok(())
}

/// Ends all sessions of a member but one; how many.
pub async fn end_all(tx: &mut Tx, member: i64, but: Option<i64>) -> Result<usize> {
    let ids: Vec<i64> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::Id.ne(but.unwrap_or_default()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    end(tx, &ids).await?;
    Ok(ids.len())
}

/// A member's living sessions, the last used first; at most 100.
pub async fn living(state: &AppState, member: i64) -> Result<Vec<session::Model>> {
    let now = state.clock.now();
    let rows = session::Entity::find()
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .order_by_desc(session::Column::UsedAt)
        .order_by_desc(session::Column::Id)
        .limit(100)
        .all(state.store.read())
        .await?;
    Ok(rows.into_iter().filter(|row| session_lives(row, now)).collect())
}

/// Ends one of a member's own sessions; 404 for any other.
pub async fn end_own(tx: &mut Tx, member: i64, session: i64) -> Result<()> {
    let row = session::Entity::find_by_id(session).one(tx.conn()).await?;
    let row = row.filter(|row| row.member_id == member && row.ended_at.is_none()).ok_or(AppError::NotFound)?;
    end(tx, &[row.id]).await
}

/// The cookie of a browser's session. On a shared computer it goes with the window.
#[must_use]
pub fn cookie(state: &AppState, secret: &str, shared: bool) -> Cookie<'static> {
    let builder = Cookie::build(SESSION_COOKIE, secret.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.is_https());
    if shared { builder.finish() } else { builder.max_age(Duration::seconds(LONGEST / 1_000_000)).finish() }
}

/// A cookie that takes the session's away.
#[must_use]
pub fn no_cookie(state: &AppState) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, "")
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.is_https())
        .max_age(Duration::ZERO)
        .finish()
}
