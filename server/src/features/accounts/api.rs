//! `/auth/…`: tokens for programs.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::register::{self, Door, Entry};
use super::sessions::{self, Kind, Opened};
use super::sign_in::{SignIn, sign_in};
use crate::app::AppState;
use crate::entities::member;
use crate::features::people::{self, MeView};
use crate::web::error::{AppError, Problem, Result};
use crate::web::json::Json;
use crate::web::rate_limit::{What, client_share};
use crate::web::sessions::ACCESS_SECONDS;
use crate::web::viewer::{Member, Via};
use crate::web::words::english;

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RegisterRequest {
    /// `[a-z0-9][a-z0-9_-]{1,29}`, compared without case.
    handle: String,
    display_name: String,
    email: String,
    /// 10 to 200 characters, not easy to guess.
    password: String,
    /// The token of an invitation.
    invitation: Option<String>,
    /// The version of the conduct page that was read.
    conduct_version: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct LoginRequest {
    /// Handle or e-mail address.
    login: String,
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RefreshRequest {
    refresh_token: String,
}

/// A session's tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokensView {
    /// As `GET /me` shows it.
    pub member: MeView,
    /// Sent as `Authorization: Bearer`.
    pub access_token: String,
    /// Good for one use at `/auth/refresh`.
    pub refresh_token: String,
    /// `Bearer`
    pub token_type: &'static str,
    /// Life of the access token, seconds.
    pub expires_in: i64,
}

async fn tokens(state: &AppState, opened: &Opened, of: &member::Model) -> Result<TokensView> {
    Ok(TokensView {
        member: people::own_view(state.store.read(), of).await?,
        access_token: state.sessions.sign_access(of.id, opened.session_id, state.clock.now())?,
        refresh_token: opened.secret.clone(),
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
    })
}

fn no_store(mut response: actix_web::HttpResponseBuilder, body: &TokensView) -> HttpResponse {
    response.insert_header(("Cache-Control", "no-store")).json(body)
}

#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = RegisterRequest, responses(
    (status = 201, body = TokensView), (status = 400, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
pub async fn register(
    state: web::Data<AppState>,
    req: HttpRequest,
    body: Json<RegisterRequest>,
) -> Result<HttpResponse> {
    let address = client_share(&req, &state);
    state.limits.take(What::Register, &address).await?;
    register::look_at_guesses(&state, &address)?;
    let asked = body.value;
    let entry =
        Entry { handle: asked.handle, display_name: asked.display_name, email: asked.email, password: asked.password };
    let ready = register::prepare(&entry).await?;
    let door = match asked.invitation {
        Some(token) => Door::Invited(token),
        None if register::is_local(&state, &req) => Door::First,
        None => Door::Open,
    };
    let conduct = asked.conduct_version.unwrap_or(0).max(0);
    let (inner, agent) = (state.clone(), sessions::user_agent(&req));
    let (opened, of) = state
        .store
        .write(async move |tx| {
            let of = register::register(&inner, tx, &ready, &door, conduct).await?;
            Ok((sessions::open(tx, of.id, Kind::Tokens, &agent).await?, of))
        })
        .await
        .inspect_err(|error| register::note_guess(&state, &address, error))?;
    let mut response = HttpResponse::Created();
    response.insert_header(("Location", format!("/api/v1/members/{}", of.handle)));
    Ok(no_store(response, &tokens(&state, &opened, &of).await?))
}

#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginRequest, responses(
    (status = 200, body = TokensView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn login(state: web::Data<AppState>, req: HttpRequest, body: Json<LoginRequest>) -> Result<HttpResponse> {
    match sign_in(&state, &req, &body.value.login, &body.value.password, Kind::Tokens, None).await? {
        SignIn::In(signed_in) => {
            let (opened, of) = *signed_in;
            Ok(no_store(HttpResponse::Ok(), &tokens(&state, &opened, &of).await?))
        }
        SignIn::Wrong => Ok(wrong()),
        SignIn::Suspended => Err(AppError::Forbidden(english().t("accounts.suspended").to_owned().into())),
    }
}

/// 401 in the words of the page; the same for an unknown member and a wrong password.
fn wrong() -> HttpResponse {
    let mut problem = AppError::Unauthenticated.problem();
    problem.detail = english().t("accounts.wrong").to_owned();
    let mut response = HttpResponse::Unauthorized()
        .insert_header(("WWW-Authenticate", "Bearer"))
        .content_type("application/problem+json")
        .json(&problem);
    response.extensions_mut().insert(problem);
    response
}

#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshRequest, responses(
    (status = 200, body = TokensView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn refresh(state: web::Data<AppState>, req: HttpRequest, body: Json<RefreshRequest>) -> Result<HttpResponse> {
    state.limits.take(What::Guess, &client_share(&req, &state)).await?;
    let token = body.value.refresh_token;
    if token.len() > 128 {
        return Err(AppError::Unauthenticated);
    }
    // A token that was used before ends its session: that is written although the answer is 401.
    let renewed = state.store.write(async move |tx| sessions::renew(tx, &token).await).await?;
    let (opened, of) = renewed.ok_or(AppError::Unauthenticated)?;
    Ok(no_store(HttpResponse::Ok(), &tokens(&state, &opened, &of).await?))
}

#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn logout(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    if me.via == Via::ApiToken {
        return Err(AppError::Forbidden("A personal API token has no session; revoke it in the settings.".into()));
    }
    let session = me.session_id;
    state.store.write(async move |tx| sessions::end(tx, &[session]).await).await?;
    Ok(HttpResponse::NoContent().cookie(sessions::no_cookie(&state)).finish())
}
