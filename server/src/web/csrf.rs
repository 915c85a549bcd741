//! State-changing requests that a cookie vouches for: same Origin, and a token.
//!
//! A member's token is derived from the session, a visitor's from a pre-session cookie that other
//! sites cannot send (`SameSite=Strict`). Requests with a bearer token need neither.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, ORIGIN};
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::error::{AppError, Result};
use super::viewer::{SESSION_COOKIE, Viewer, identify};
use crate::app::AppState;
use crate::app::secrets::{random_token, same};

/// Name of the visitors' cookie.
pub const VISITOR_COOKIE: &str = "praxis_visitor";
/// Name of the form field and of the header.
pub const FIELD: &str = "_csrf";
pub const HEADER: &str = "X-CSRF-Token";

/// Set on requests whose header carried a good token.
#[derive(Clone, Copy, Debug)]
struct Checked;

/// Whether the request's `Origin` is the hub's own.
#[must_use]
pub fn same_origin(req: &HttpRequest, state: &AppState) -> bool {
    req.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok()).is_some_and(|origin| origin == state.origin())
}

/// Refuses unsafe requests of browsers that come from elsewhere or, on the API, without a token
/// in the header. Pages check their field in `require`.
pub async fn guard(req: &HttpRequest) -> Result<()> {
    let safe = matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || req.headers().contains_key(AUTHORIZATION) {
        return Ok(());
    }
    // One-click unsubscribing comes from the reader's mail service; who has the address may.
    if req.path().starts_with("/unsubscribe/") {
        return Ok(());
    }
    let state = state_of(req)?;
    let api = req.path().starts_with("/api/");
    let by_cookie = req.cookie(SESSION_COOKIE).is_some();
    // A browser always sends its Origin with an unsafe request.
    if (by_cookie || !api) && !same_origin(req, &state) {
        return Err(AppError::Forbidden(
            "This request comes from another site; open the page here and try again.".into(),
        ));
    }
    if let Some(token) = req.headers().get(HEADER).and_then(|token| token.to_str().ok()) {
        check(req, token).await?;
    } else if api && by_cookie {
        return Err(AppError::Forbidden("The X-CSRF-Token header is missing; load the page again.".into()));
    }
    Ok(())
}

/// For page handlers: the token of the form field, unless the header had it.
pub async fn require(req: &HttpRequest, field: Option<&str>) -> Result<()> {
    if req.extensions().get::<Checked>().is_some() || req.headers().contains_key(AUTHORIZATION) {
        return Ok(());
    }
    check(req, field.unwrap_or_default()).await
}

async fn check(req: &HttpRequest, token: &str) -> Result<()> {
    let state = state_of(req)?;
    let viewer = identify(req).await?;
    let good = expected(&state, req, &viewer).is_some_and(|expected| same(&expected, token));
    if !good {
        return Err(AppError::Forbidden("This page is out of date; load it again and repeat what you did.".into()));
    }
    req.extensions_mut().insert(Checked);
    Ok(())
}

fn expected(state: &AppState, req: &HttpRequest, viewer: &Viewer) -> Option<String> {
    match viewer {
        Viewer::Member(me) => Some(for_session(state, me.session_id)),
        Viewer::Anonymous => req.cookie(VISITOR_COOKIE).map(|cookie| for_visitor(state, cookie.value())),
    }
}

/// The token of a session.
#[must_use]
pub fn for_session(state: &AppState, session: i64) -> String {
    state.secrets.token(&format!("csrf:session:{session}"))
}

fn for_visitor(state: &AppState, cookie: &str) -> String {
    state.secrets.token(&format!("csrf:visitor:{cookie}"))
}

/// A visitor's token, with the cookie to set if they have none yet.
#[must_use]
pub fn visitor_token(state: &AppState, req: &HttpRequest) -> (String, Option<Cookie<'static>>) {
    match req.cookie(VISITOR_COOKIE) {
        Some(cookie) if (20..=128).contains(&cookie.value().len()) => (for_visitor(state, cookie.value()), None),
        _ => {
            let value = random_token();
            let cookie = Cookie::build(VISITOR_COOKIE, value.clone())
                .path("/")
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(state.is_https())
                .finish();
            (for_visitor(state, &value), Some(cookie))
        }
    }
}

fn state_of(req: &HttpRequest) -> Result<web::Data<AppState>> {
    req.app_data::<web::Data<AppState>>().cloned().ok_or_else(|| AppError::internal("no state"))
}
