//! Settings of one's account: address, password, sessions, tokens, mail.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};

use super::device::device;
use super::forms::{Shown, fault};
use super::recover_pages::write_mail_switch;
use super::{links, mail, passwords, recover, register, sessions, sign_in, tokens};
use crate::app::AppState;
use crate::entities::{api_token, member};
use crate::store::Id;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::rate_limit::What;
use crate::web::viewer::{Me, Member, Via, Viewer};

async fn own(state: &AppState, me: &Me) -> Result<member::Model> {
    member::Entity::find_by_id(me.id).one(state.store.read()).await?.ok_or(AppError::Unauthenticated)
}

/// Account pages are for sessions: an API token is no way to a password.
fn signed_in(me: &Me) -> Result<()> {
    if me.via == Via::ApiToken {
        return Err(AppError::Forbidden("Sign in for this; an API token cannot do it.".into()));
    }
    Ok(())
}

async fn frame(state: &AppState, req: &HttpRequest, me: &Member) -> Result<Frame> {
    Frame::new(state, req, &Viewer::Member(std::sync::Arc::clone(&me.0))).await
}

/// What a page says after a redirect: `?saved` and the like.
fn notice(req: &HttpRequest) -> &'static str {
    match req.query_string() {
        "saved" => "accounts.saved",
        "sent" => "accounts.account.sent",
        "ended" => "accounts.sessions.ended",
        "revoked" => "accounts.tokens.revoked",
        _ => "",
    }
}

#[derive(Template)]
#[template(path = "accounts/templates/account.html")]
struct AccountPage {
    f: Frame,
    form: Shown,
    verified: bool,
    notice: &'static str,
}

async fn account_page(
    state: &AppState,
    req: &HttpRequest,
    me: &Member,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let (f, of) = (frame(state, req, me).await?, own(state, me).await?);
    let form = if form.faults.is_empty() || form.value("email").is_empty() {
        form.with("email", of.email.as_deref().unwrap_or_default())
    } else {
        form
    };
    let verified = of.email_verified_at.is_some();
    page_with_status(&f, &AccountPage { f: f.clone(), form, verified, notice: notice(req) }, status)
}

/// `GET /settings/account`
pub async fn account(state: web::Data<AppState>, req: HttpRequest, me: Member) -> Result<HttpResponse> {
    account_page(&state, &req, &me, Shown::new(), StatusCode::OK).await
}

/// `POST /settings/account/email`
pub async fn change_email(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    form: Form,
) -> Result<HttpResponse> {
    signed_in(&me)?;
    state.limits.take(What::Mail, &me.id.to_string()).await?;
    let of = own(&state, &me).await?;
    let again = form.ticked("again");
    let email = if again { of.email.clone() } else { register::parse_email(form.get("email")) };
    let mut faults: Vec<FieldError> = Vec::new();
    match &email {
        None => faults.push(fault("email", "accounts.fault.email")),
        Some(email) if recover::email_taken(state.store.read(), email, me.id).await? => {
            faults.push(fault("email", "accounts.fault.email_taken"));
        }
        Some(_) => {}
    }
    if !again && !sign_in::is_password(&state, &req, &of, form.get("current")).await? {
        faults.push(fault("current", "accounts.fault.password_wrong"));
    }
    let Some(email) = email.filter(|_| faults.is_empty()) else {
        let shown = Shown::typed(&form, &["email"], faults);
        return account_page(&state, &req, &me, shown, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let inner = state.clone();
    state
        .store
        .write(async move |tx| {
            let token = links::make(tx, links::VERIFY, Some(of.id), Some(&email), links::VERIFY_FOR).await?;
            mail::verify(&inner, tx, &of, &email, &token).await?;
            // The old address hears of it, while there is time to do something.
            if let Some(old) = of.email.as_deref().filter(|old| *old != email && of.email_verified_at.is_some()) {
                let letter = mail::told(&inner, "changed", &[("name", &of.display_name)], "/settings/account").await?;
                let to = mail::To { kind: "changed", member: Some(of.id), address: old, about: None };
                mail::queue_letter(tx, to, &letter, inner.origin()).await?;
            }
            Ok(())
        })
        .await?;
    Ok(see_other("/settings/account?sent"))
}

/// `POST /settings/account/password`
pub async fn change_password(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    form: Form,
) -> Result<HttpResponse> {
    signed_in(&me)?;
    let of = own(&state, &me).await?;
    let mut faults = Vec::new();
    if !sign_in::is_password(&state, &req, &of, form.get("old")).await? {
        faults.push(fault("old", "accounts.fault.password_wrong"));
    }
    let about = [of.handle.as_str(), &of.display_name, of.email.as_deref().unwrap_or_default()];
    faults.extend(passwords::fault("new", form.get("new"), &about));
    if !faults.is_empty() {
        let shown = Shown::typed(&form, &[], faults);
        return account_page(&state, &req, &me, shown, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let (hash, member, this) = (passwords::hash(form.get("new")).await?, me.id, me.session_id);
    state
        .store
        .write(async move |tx| {
            member::Entity::update_many()
                .col_expr(member::Column::PasswordHash, Expr::value(Some(hash.clone())))
                .filter(member::Column::Id.eq(member))
                .exec(tx.conn())
                .await?;
            links::withdraw(tx, links::RESET, Some(member)).await?;
            links::withdraw(tx, links::VERIFY, Some(member)).await?;
            sessions::end_all(tx, member, Some(this)).await?;
            tokens::revoke_all(tx, member).await
        })
        .await?;
    Ok(see_other("/settings/account?saved"))
}

/// A session as its page shows it.
#[derive(Debug)]
struct SessionRow {
    id: String,
    name: String,
    used_at: i64,
    shared: bool,
    current: bool,
    program: bool,
}

#[derive(Template)]
#[template(path = "accounts/templates/sessions.html")]
struct SessionsPage {
    f: Frame,
    rows: Vec<SessionRow>,
    notice: &'static str,
}

/// `GET /settings/sessions`
pub async fn sessions_list(state: web::Data<AppState>, req: HttpRequest, me: Member) -> Result<HttpResponse> {
    let f = frame(&state, &req, &me).await?;
    let rows = sessions::living(&state, me.id).await?;
    let rows = rows
        .into_iter()
        .map(|row| SessionRow {
            id: Id(row.id).to_string(),
            name: device(&f, &row.user_agent),
            used_at: row.used_at,
            shared: row.shared,
            current: row.id == me.session_id,
            program: row.kind == "tokens",
        })
        .collect();
    page(&f, &SessionsPage { f: f.clone(), rows, notice: notice(&req) })
}

/// `POST /settings/sessions/{id}/end`
pub async fn end_session(
    state: web::Data<AppState>,
    me: Member,
    id: web::Path<Id>,
    _form: Form,
) -> Result<HttpResponse> {
    signed_in(&me)?;
    let (member, session) = (me.id, id.into_inner().0);
    state.store.write(async move |tx| sessions::end_own(tx, member, session).await).await?;
    Ok(see_other("/settings/sessions?ended"))
}

/// `POST /settings/sessions/end`
pub async fn end_others(state: web::Data<AppState>, me: Member, _form: Form) -> Result<HttpResponse> {
    signed_in(&me)?;
    let (member, this) = (me.id, me.session_id);
    state.store.write(async move |tx| sessions::end_all(tx, member, Some(this)).await).await?;
    Ok(see_other("/settings/sessions?ended"))
}

/// What is offered as a token's life, days.
const LIVES: &[i64] = &[30, 90, 365];

#[derive(Template)]
#[template(path = "accounts/templates/tokens.html")]
struct TokensPage {
    f: Frame,
    form: Shown,
    rows: Vec<api_token::Model>,
    made: String,
    lives: &'static [i64],
    notice: &'static str,
}

async fn tokens_page(
    state: &AppState,
    req: &HttpRequest,
    me: &Member,
    form: Shown,
    made: String,
    status: StatusCode,
) -> Result<HttpResponse> {
    let (f, rows) = (frame(state, req, me).await?, tokens::list(state, me.id).await?);
    let template = TokensPage { f: f.clone(), form, rows, made, lives: LIVES, notice: notice(req) };
    page_with_status(&f, &template, status)
}

/// `GET /settings/tokens`
pub async fn tokens_list(state: web::Data<AppState>, req: HttpRequest, me: Member) -> Result<HttpResponse> {
    tokens_page(&state, &req, &me, Shown::new(), String::new(), StatusCode::OK).await
}

/// `POST /settings/tokens`: the answer shows the token, this once.
pub async fn make_token(state: web::Data<AppState>, req: HttpRequest, me: Member, form: Form) -> Result<HttpResponse> {
    signed_in(&me)?;
    let days = form.get("days").parse::<i64>().ok().filter(|days| LIVES.contains(days));
    let (inner, member, name) = (state.clone(), me.id, form.get("name").to_owned());
    let made = match days {
        Some(days) => state.store.write(async move |tx| tokens::make(&inner, tx, member, &name, days).await).await,
        None => Err(AppError::Invalid(vec![fault("days", "accounts.fault.days")])),
    };
    let faults = match made {
        Ok(row) => {
            let secret = tokens::secret(&state, row.id);
            return tokens_page(&state, &req, &me, Shown::new(), secret, StatusCode::OK).await;
        }
        Err(AppError::Invalid(faults)) => faults,
        Err(AppError::Conflict(text)) => vec![FieldError { field: "name".into(), message: text.into_owned() }],
        Err(other) => return Err(other),
    };
    let shown = Shown::typed(&form, &["name", "days"], faults);
    tokens_page(&state, &req, &me, shown, String::new(), StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `POST /settings/tokens/{id}/revoke`
pub async fn revoke_token(
    state: web::Data<AppState>,
    me: Member,
    id: web::Path<Id>,
    _form: Form,
) -> Result<HttpResponse> {
    signed_in(&me)?;
    let (member, token) = (me.id, id.into_inner().0);
    state.store.write(async move |tx| tokens::revoke(tx, member, token).await).await?;
    Ok(see_other("/settings/tokens?revoked"))
}

#[derive(Template)]
#[template(path = "accounts/templates/mail_settings.html")]
struct MailPage {
    f: Frame,
    on: bool,
    verified: bool,
    notice: &'static str,
}

/// `GET /settings/mail`
pub async fn mail_switch(state: web::Data<AppState>, req: HttpRequest, me: Member) -> Result<HttpResponse> {
    let (f, of) = (frame(&state, &req, &me).await?, own(&state, &me).await?);
    let verified = of.email_verified_at.is_some();
    page(&f, &MailPage { f: f.clone(), on: of.mail_on, verified, notice: notice(&req) })
}

/// `POST /settings/mail`
pub async fn set_mail(state: web::Data<AppState>, me: Member, form: Form) -> Result<HttpResponse> {
    signed_in(&me)?;
    write_mail_switch(&state, me.id, form.ticked("mail")).await?;
    Ok(see_other("/settings/mail?saved"))
}
