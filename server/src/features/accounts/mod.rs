//! Accounts: registering, signing in and out, sessions, tokens, mail, invitations, the first administrator.

mod addresses;
mod api;
mod console;
mod device;
mod forms;
pub mod invitations;
mod links;
pub mod mail;
mod me_api;
mod pages;
mod passwords;
mod recover;
mod recover_pages;
mod register;
pub mod sessions;
mod settings;
mod sign_in;
mod slowdown;
mod tokens;

use actix_web::web;
use utoipa::OpenApi;

pub use console::{create_administrator, reset_link, setup_link};
pub use mail::{SEND, queue};
pub use register::handle_fault;
pub use slowdown::SlowDown;

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        api::register,
        api::login,
        api::refresh,
        api::logout,
        me_api::list_sessions,
        me_api::end_other_sessions,
        me_api::end_session,
        me_api::list_tokens,
        me_api::make_token,
        me_api::revoke_token,
        me_api::list_invitations,
        me_api::invite,
        me_api::revoke_invitation,
    ),
    components(schemas(
        api::RegisterRequest,
        api::LoginRequest,
        api::RefreshRequest,
        api::TokensView,
        me_api::SessionView,
        me_api::TokenView,
        me_api::NewTokenView,
        me_api::NewToken,
        me_api::NewInvitations,
        me_api::InvitationsView,
        invitations::InvitationView,
    ))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.route("/auth/register", web::post().to(api::register))
        .route("/auth/login", web::post().to(api::login))
        .route("/auth/refresh", web::post().to(api::refresh))
        .route("/auth/logout", web::post().to(api::logout))
        .route("/me/sessions", web::get().to(me_api::list_sessions))
        .route("/me/sessions", web::delete().to(me_api::end_other_sessions))
        .route("/me/sessions/{id}", web::delete().to(me_api::end_session))
        .route("/me/tokens", web::get().to(me_api::list_tokens))
        .route("/me/tokens", web::post().to(me_api::make_token))
        .route("/me/tokens/{id}", web::delete().to(me_api::revoke_token))
        .route("/invitations", web::get().to(me_api::list_invitations))
        .route("/invitations", web::post().to(me_api::invite))
        .route("/invitations/{id}", web::delete().to(me_api::revoke_invitation));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.route("/login", web::get().to(pages::login_form))
        .route("/login", web::post().to(pages::login))
        .route("/logout", web::post().to(pages::logout))
        .route("/register", web::get().to(pages::register_form))
        .route("/register", web::post().to(pages::register))
        .route("/invite/{token}", web::get().to(pages::invite_form))
        .route("/invite/{token}", web::post().to(pages::accept_invite))
        .route("/setup", web::get().to(pages::setup_form))
        .route("/setup", web::post().to(pages::setup))
        .route("/forgot", web::get().to(recover_pages::forgot_form))
        .route("/forgot", web::post().to(recover_pages::forgot))
        .route("/claim", web::get().to(recover_pages::forgot_form))
        .route("/reset/{token}", web::get().to(recover_pages::reset_form))
        .route("/reset/{token}", web::post().to(recover_pages::reset))
        .route("/verify/{token}", web::get().to(recover_pages::verify_form))
        .route("/verify/{token}", web::post().to(recover_pages::verify))
        .route("/unsubscribe/{member}/{token}", web::get().to(recover_pages::unsubscribe_form))
        .route("/unsubscribe/{member}/{token}", web::post().to(recover_pages::unsubscribe))
        .route("/settings/account", web::get().to(settings::account))
        .route("/settings/account/email", web::post().to(settings::change_email))
        .route("/settings/account/password", web::post().to(settings::change_password))
        .route("/settings/sessions", web::get().to(settings::sessions_list))
        .route("/settings/sessions/end", web::post().to(settings::end_others))
        .route("/settings/sessions/{id}/end", web::post().to(settings::end_session))
        .route("/settings/tokens", web::get().to(settings::tokens_list))
        .route("/settings/tokens", web::post().to(settings::make_token))
        .route("/settings/tokens/{id}/revoke", web::post().to(settings::revoke_token))
        .route("/settings/mail", web::get().to(settings::mail_switch))
        .route("/settings/mail", web::post().to(settings::set_mail));
}

pub async fn prepare(_state: &AppState) -> Result<()> {
    passwords::warm().await
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        recover::FORGOT => recover::answer(state, job).await,
        mail::SEND => mail::send(state, job).await,
        other => Err(AppError::internal(format!("no such job: {other}"))),
    }
}
