//! Accounts: registering, signing in and out, sessions, tokens, mail, invitations, the first administrator.

mod api;
mod forms;
pub mod invitations;
mod links;
pub mod mail;
mod pages;
mod passwords;
mod register;
pub mod sessions;
mod sign_in;
mod slowdown;

use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

pub use slowdown::SlowDown;

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};

#[derive(OpenApi)]
#[openapi(
    paths(api::register, api::login, api::refresh, api::logout),
    components(schemas(api::RegisterRequest, api::LoginRequest, api::RefreshRequest, api::TokensView, api::AccountView))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut ServiceConfig) {
    cfg.route("/auth/register", web::post().to(api::register))
        .route("/auth/login", web::post().to(api::login))
        .route("/auth/refresh", web::post().to(api::refresh))
        .route("/auth/logout", web::post().to(api::logout));
}

pub fn configure_pages(cfg: &mut ServiceConfig) {
    cfg.route("/login", web::get().to(pages::login_form))
        .route("/login", web::post().to(pages::login))
        .route("/logout", web::post().to(pages::logout))
        .route("/register", web::get().to(pages::register_form))
        .route("/register", web::post().to(pages::register))
        .route("/invite/{token}", web::get().to(pages::invite_form))
        .route("/invite/{token}", web::post().to(pages::accept_invite))
        .route("/setup", web::get().to(pages::setup_form))
        .route("/setup", web::post().to(pages::setup));
}

pub async fn prepare(_state: &AppState) -> Result<()> {
    passwords::warm().await
}

/// The link that makes the first administrator, while there is none.
pub async fn setup_link(state: &AppState) -> Result<Option<String>> {
    if register::has_administrator(state.store.read()).await? {
        return Ok(None);
    }
    let token = state
        .store
        .write(async |tx| links::make(tx, links::SETUP, None, None, links::SETUP_FOR).await)
        .await?;
    Ok(Some(format!("{}/setup?token={token}", state.origin())))
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        mail::SEND => mail::send(state, job).await,
        other => Err(AppError::internal(format!("no such job: {other}"))),
    }
}
