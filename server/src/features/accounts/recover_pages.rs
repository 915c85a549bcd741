//! Pages behind mailed links: forgotten passwords, claims, confirmations, no more mail.
//!
//! Opening a link changes nothing: mail scanners open links too. A button does.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::forms::{Shown, fault};
use super::pages::conduct_version;
use super::{links, mail, passwords, recover, register};
use crate::app::AppState;
use crate::app::secrets::same;
use crate::entities::kinds::MemberState;
use crate::entities::member;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::rate_limit::{What, client_share};
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "accounts/templates/forgot.html")]
struct ForgotPage {
    f: Frame,
    form: Shown,
    sent: bool,
    /// `accounts.forgot` or `accounts.claim`
    key: &'static str,
}

#[derive(Template)]
#[template(path = "accounts/templates/reset.html")]
struct ResetPage {
    f: Frame,
    form: Shown,
    token: String,
    handle: String,
    claim: bool,
    conduct: i32,
}

#[derive(Template)]
#[template(path = "accounts/templates/confirm.html")]
struct ConfirmPage {
    f: Frame,
    key: &'static str,
    action: String,
    done: bool,
    link: &'static str,
}

/// `GET /forgot`, `GET /claim`
pub async fn forgot_form(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer) -> Result<HttpResponse> {
    let f = Frame::new(&state, &req, &viewer).await?.plain();
    let key = if req.path() == "/claim" { "accounts.claim" } else { "accounts.forgot" };
    let sent = req.query_string() == "sent";
    page(&f, &ForgotPage { f: f.clone(), form: Shown::new(), sent, key })
}

/// `POST /forgot`
pub async fn forgot(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer, form: Form) -> Result<HttpResponse> {
    let address = client_share(&req, &state);
    state.limits.take(What::Guess, &address).await?;
    let Some(email) = register::parse_email(form.get("email")) else {
        let f = Frame::new(&state, &req, &viewer).await?.plain();
        let form = Shown::typed(&form, &["email"], vec![fault("email", "accounts.fault.email")]);
        let template = ForgotPage { f: f.clone(), form, sent: false, key: "accounts.forgot" };
        return page_with_status(&f, &template, StatusCode::UNPROCESSABLE_ENTITY);
    };
    state.limits.take(What::Mail, &format!("{address} {email}")).await?;
    state.store.write(async move |tx| recover::ask(tx, &email).await).await?;
    Ok(see_other("/forgot?sent"))
}

async fn reset_page(
    state: &AppState,
    req: &HttpRequest,
    viewer: &Viewer,
    token: &str,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let of = recover::find(state.store.read(), state.clock.now(), token).await?.ok_or(AppError::NotFound)?;
    let f = Frame::new(state, req, viewer).await?.plain();
    let claim = of.state == MemberState::Unclaimed;
    let conduct = if claim { conduct_version(state).await? } else { 0 };
    let template = ResetPage { f: f.clone(), form, token: token.to_owned(), handle: of.handle, claim, conduct };
    page_with_status(&f, &template, status)
}

/// `GET /reset/{token}`
pub async fn reset_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    reset_page(&state, &req, &viewer, &token, Shown::new(), StatusCode::OK).await
}

/// `POST /reset/{token}`
pub async fn reset(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    state.limits.take(What::Guess, &client_share(&req, &state)).await?;
    let token = token.into_inner();
    let of = recover::find(state.store.read(), state.clock.now(), &token).await?.ok_or(AppError::NotFound)?;
    let password = form.get("password");
    let about = [of.handle.as_str(), &of.display_name, of.email.as_deref().unwrap_or_default()];
    let mut faults: Vec<_> = passwords::fault("password", password, &about).into_iter().collect();
    let conduct = form.get("conduct").parse::<i32>().ok().filter(|version| *version >= 0);
    if of.state == MemberState::Unclaimed && conduct.is_none() {
        faults.push(fault("conduct", "accounts.fault.conduct"));
    }
    if !faults.is_empty() {
        let shown = Shown::typed(&form, &["conduct"], faults);
        return reset_page(&state, &req, &viewer, &token, shown, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let hash = passwords::hash(password).await?;
    state.store.write(async move |tx| recover::reset(tx, &token, &hash, conduct).await).await?;
    Ok(see_other("/login?reset"))
}

/// `GET /verify/{token}`
pub async fn verify_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    links::look(state.store.read(), state.clock.now(), links::VERIFY, &token).await?.ok_or(AppError::NotFound)?;
    confirm(&state, &req, &viewer, "accounts.verify", format!("/verify/{token}"), false, "/").await
}

/// `POST /verify/{token}`
pub async fn verify(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
    _form: Form,
) -> Result<HttpResponse> {
    state.limits.take(What::Guess, &client_share(&req, &state)).await?;
    let token = token.into_inner();
    state.store.write(async move |tx| recover::verify(tx, &token).await).await?;
    confirm(&state, &req, &viewer, "accounts.verify", String::new(), true, "/").await
}

fn unsubscriber(state: &AppState, path: &(Id, String)) -> Result<i64> {
    let (Id(member), token) = path;
    if same(&mail::unsubscribe_token(state, *member), token) { Ok(*member) } else { Err(AppError::NotFound) }
}

/// `GET /unsubscribe/{member}/{token}`
pub async fn unsubscribe_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    path: web::Path<(Id, String)>,
) -> Result<HttpResponse> {
    unsubscriber(&state, &path)?;
    let action = req.path().to_owned();
    confirm(&state, &req, &viewer, "accounts.unsubscribe", action, false, "/settings/mail").await
}

/// `POST /unsubscribe/{member}/{token}`: by the button, or by a mail program at one click
/// (RFC 8058), which has neither a cookie nor a token of a form. The address itself is the proof.
pub async fn unsubscribe(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    path: web::Path<(Id, String)>,
) -> Result<HttpResponse> {
    state.limits.take(What::Guess, &client_share(&req, &state)).await?;
    let member = unsubscriber(&state, &path)?;
    write_mail_switch(&state, member, false).await?;
    confirm(&state, &req, &viewer, "accounts.unsubscribe", String::new(), true, "/settings/mail").await
}

async fn confirm(
    state: &AppState,
    req: &HttpRequest,
    viewer: &Viewer,
    key: &'static str,
    action: String,
    done: bool,
    link: &'static str,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, viewer).await?.plain();
    page(&f, &ConfirmPage { f: f.clone(), key, action, done, link })
}

/// Switches a member's mail on or off.
pub(super) async fn write_mail_switch(state: &AppState, member: i64, on: bool) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            member::Entity::update_many()
                .col_expr(member::Column::MailOn, Expr::value(on))
                .filter(member::Column::Id.eq(member))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
}
