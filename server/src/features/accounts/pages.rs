//! Pages for visitors: registering, signing in and out, setting up the hub.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::EntityTrait;
use serde::Deserialize;

use super::forms::{Shown, fault};
use super::register::{self, Door, Entry};
use super::sessions::{self, Kind};
use super::sign_in::{SignIn, sign_in};
use super::{invitations, links};
use crate::app::AppState;
use crate::app::config::Registration;
use crate::entities::{member, page as hub_page};
use crate::features::hub::Settings;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, local_path, page_with_status, see_other};
use crate::web::rate_limit::{What, client_share};
use crate::web::viewer::{Via, Viewer};

#[derive(Debug, Deserialize)]
pub struct Next {
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "accounts/templates/login.html")]
struct LoginPage {
    f: Frame,
    form: Shown,
    next: String,
    open: bool,
    notice: &'static str,
}

async fn login_page(
    state: &AppState,
    req: &HttpRequest,
    form: Shown,
    next: &str,
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, &Viewer::Anonymous).await?.plain();
    let open = state.config.registration == Registration::Open;
    let notice = match req.query_string() {
        "reset" => "accounts.login.reset",
        "out" => "accounts.login.out",
        _ => "",
    };
    page_with_status(&f, &LoginPage { f: f.clone(), form, next: next.to_owned(), open, notice }, status)
}

/// `GET /login`
pub async fn login_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    next: web::Query<Next>,
) -> Result<HttpResponse> {
    let next = local_path(next.next.as_deref().unwrap_or("/"));
    if viewer.member().is_some() {
        return Ok(see_other(next));
    }
    login_page(&state, &req, Shown::new(), next, StatusCode::OK).await
}

/// `POST /login`
pub async fn login(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer, form: Form) -> Result<HttpResponse> {
    let next = local_path(form.some("next").unwrap_or("/")).to_owned();
    let shared = form.ticked("shared");
    let before = viewer.member().filter(|me| me.via == Via::Cookie).map(|me| me.session_id);
    let kind = Kind::Browser { shared };
    let key = match sign_in(&state, &req, form.get("login"), form.get("password"), kind, before).await {
        Ok(SignIn::In(signed_in)) => {
            let (opened, _) = *signed_in;
            let mut response = see_other(&next);
            add(&mut response, &sessions::cookie(&state, &opened.secret, shared))?;
            return Ok(response);
        }
        Ok(SignIn::Wrong) => "accounts.wrong",
        Ok(SignIn::Suspended) => "accounts.suspended",
        Err(other) => return Err(other),
    };
    let shown = Shown::typed(&form, &["login", "shared"], vec![fault("login", key)]);
    login_page(&state, &req, shown, &next, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `POST /logout`
pub async fn logout(state: web::Data<AppState>, viewer: Viewer, _form: Form) -> Result<HttpResponse> {
    if let Some(me) = viewer.member() {
        let session = me.session_id;
        state.store.write(async move |tx| sessions::end(tx, &[session]).await).await?;
    }
    let mut response = see_other("/login?out");
    add(&mut response, &sessions::no_cookie(&state))?;
    Ok(response)
}

#[derive(Template)]
#[template(path = "accounts/templates/register.html")]
struct RegisterPage {
    f: Frame,
    form: Shown,
    /// Address the form goes to.
    action: String,
    /// Who invites, and with what words.
    inviter: String,
    message: String,
    conduct: i32,
    closed: bool,
}

#[derive(Template)]
#[template(path = "accounts/templates/setup.html")]
struct SetupPage {
    f: Frame,
    /// Whether there is no member yet.
    first: bool,
    form: Shown,
    token: String,
}

/// The version of the conduct page; 0 if there is none yet.
pub(super) async fn conduct_version(state: &AppState) -> Result<i32> {
    let row = hub_page::Entity::find_by_id("conduct").one(state.store.read()).await?;
    Ok(row.map_or(0, |row| row.version))
}

/// An invitation as its page shows it.
#[derive(Debug, Default)]
struct Invited {
    token: String,
    email: String,
    inviter: String,
    message: String,
}

async fn invited(state: &AppState, token: &str) -> Result<Invited> {
    let row = invitations::find(state.store.read(), state.clock.now(), token).await?.ok_or(AppError::NotFound)?;
    let inviter = member::Entity::find_by_id(row.invited_by).one(state.store.read()).await?;
    Ok(Invited {
        token: token.to_owned(),
        email: row.email,
        inviter: inviter.map(|of| of.display_name).unwrap_or_default(),
        message: row.message,
    })
}

async fn register_page(
    state: &AppState,
    req: &HttpRequest,
    invited: Option<Invited>,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, &Viewer::Anonymous).await?.plain();
    let conduct = conduct_version(state).await?;
    let closed = match state.config.registration {
        Registration::Open => false,
        Registration::Invite => invited.is_none(),
        Registration::Closed => true,
    };
    let action = invited.as_ref().map_or_else(|| "/register".to_owned(), |of| format!("/invite/{}", of.token));
    let Invited { email, inviter, message, .. } = invited.unwrap_or_default();
    let form = if status == StatusCode::OK && !email.is_empty() { form.with("email", &email) } else { form };
    let template = RegisterPage { f: f.clone(), form, action, inviter, message, conduct, closed };
    page_with_status(&f, &template, status)
}

/// `GET /register`
pub async fn register_form(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer) -> Result<HttpResponse> {
    if viewer.member().is_some() {
        return Ok(see_other("/"));
    }
    register_page(&state, &req, None, Shown::new(), StatusCode::OK).await
}

/// `GET /invite/{token}`: the form to register; for a member the spaces it asks them into.
pub async fn invite_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    if let Some(me) = viewer.member() {
        let (member, token) = (me.id, token.into_inner());
        let taken = state.store.write(async move |tx| invitations::take(tx, member, &token).await).await;
        return match taken {
            // They see what they are asked into, and join or decline there.
            Ok(()) => Ok(see_other("/spaces")),
            Err(AppError::NotFound) => Ok(see_other("/")),
            Err(error) => Err(error),
        };
    }
    let invited = invited(&state, &token).await?;
    register_page(&state, &req, Some(invited), Shown::new(), StatusCode::OK).await
}

/// `POST /register`
pub async fn register(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    form: Form,
) -> Result<HttpResponse> {
    submit(&state, &req, &viewer, &form, None).await
}

/// `POST /invite/{token}`
pub async fn accept_invite(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    token: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let invited = invited(&state, &token).await?;
    submit(&state, &req, &viewer, &form, Some(invited)).await
}

const FIELDS: &[&str] = &["display_name", "handle", "email", "conduct", "hub_name"];

async fn submit(
    state: &web::Data<AppState>,
    req: &HttpRequest,
    viewer: &Viewer,
    form: &Form,
    invited: Option<Invited>,
) -> Result<HttpResponse> {
    if viewer.member().is_some() {
        return Ok(see_other("/"));
    }
    state.limits.take(What::Register, &client_share(req, state)).await?;
    let door = invited.as_ref().map_or(Door::Open, |of| Door::Invited(of.token.clone()));
    let conduct = form.get("conduct").parse::<i32>().ok().filter(|version| *version >= 0);
    let made = match conduct {
        Some(version) => make(state, req, form, door, version, None).await?,
        None => Err(vec![fault("conduct", "accounts.fault.conduct")]),
    };
    match made {
        Ok(response) => Ok(response),
        Err(faults) => {
            let shown = Shown::typed(form, FIELDS, faults);
            register_page(state, req, invited, shown, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Makes the member and signs them in; the faults of the form otherwise.
async fn make(
    state: &web::Data<AppState>,
    req: &HttpRequest,
    form: &Form,
    door: Door,
    conduct: i32,
    hub_name: Option<String>,
) -> Result<Result<HttpResponse, Vec<FieldError>>> {
    let entry = Entry {
        handle: form.get("handle").to_owned(),
        display_name: form.get("display_name").to_owned(),
        email: form.get("email").to_owned(),
        password: form.get("password").to_owned(),
    };
    let address = client_share(req, state);
    register::look_at_guesses(state, &address)?;
    let ready = match register::prepare(&entry).await {
        Ok(ready) => ready,
        Err(AppError::Invalid(faults)) => return Ok(Err(faults)),
        Err(other) => return Err(other),
    };
    let (inner, agent) = (state.clone(), sessions::user_agent(req));
    let made = state
        .store
        .write(async move |tx| {
            let of = register::register(&inner, tx, &ready, &door, conduct).await?;
            if let Some(name) = &hub_name {
                Settings::set(tx, of.id, "hub.name", name).await?;
            }
            sessions::open(tx, of.id, Kind::Browser { shared: false }, &agent).await
        })
        .await
        .inspect_err(|error| register::note_guess(state, &address, error));
    match made {
        Ok(opened) => {
            let mut response = see_other("/");
            add(&mut response, &sessions::cookie(state, &opened.secret, false))?;
            Ok(Ok(response))
        }
        Err(AppError::Conflict(text)) => {
            let field = register::taken_field(&text);
            Ok(Err(vec![FieldError { field: field.into(), message: text.into_owned() }]))
        }
        Err(AppError::Invalid(faults)) => Ok(Err(faults)),
        Err(other) => Err(other),
    }
}

#[derive(Debug, Deserialize)]
pub struct SetupQuery {
    token: Option<String>,
}

async fn setup_page(
    state: &AppState,
    req: &HttpRequest,
    token: &str,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let db = state.store.read();
    let works = links::look(db, state.clock.now(), links::SETUP, token).await?.is_some();
    if !works || register::has_administrator(db).await? {
        return Err(AppError::NotFound);
    }
    let first = !register::has_members(db).await?;
    let f = Frame::new(state, req, &Viewer::Anonymous).await?.plain();
    let form = if status == StatusCode::OK { form.with("hub_name", &f.hub_name) } else { form };
    page_with_status(&f, &SetupPage { f: f.clone(), first, form, token: token.to_owned() }, status)
}

/// `GET /setup?token=`
pub async fn setup_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    query: web::Query<SetupQuery>,
) -> Result<HttpResponse> {
    let token = query.token.as_deref().unwrap_or_default();
    setup_page(&state, &req, token, Shown::new(), StatusCode::OK).await
}

/// `POST /setup`
pub async fn setup(state: web::Data<AppState>, req: HttpRequest, form: Form) -> Result<HttpResponse> {
    state.limits.take(What::Guess, &client_share(&req, &state)).await?;
    let token = form.get("token").to_owned();
    let name = crate::web::checks::check(
        &[crate::web::checks::Text::line("hub_name", form.get("hub_name"), 80).required()],
        false,
    );
    let made = match name {
        Ok(checked) => {
            let (name, conduct) = (checked.get("hub_name").to_owned(), conduct_version(&state).await?);
            make(&state, &req, &form, Door::Setup(token.clone()), conduct, Some(name)).await?
        }
        Err(AppError::Invalid(faults)) => Err(faults),
        Err(other) => return Err(other),
    };
    match made {
        Ok(response) => Ok(response),
        Err(faults) => {
            let shown = Shown::typed(&form, FIELDS, faults);
            setup_page(&state, &req, &token, shown, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

pub(super) fn add(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) -> Result<()> {
    response.add_cookie(cookie).map_err(|error| AppError::internal(format!("a cookie could not be set: {error}")))
}
