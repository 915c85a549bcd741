//! The hub's name, logo, welcome text and pages.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::actions;
use super::model::SettingsChange;
use crate::app::AppState;
use crate::entities::page;
use crate::features::hub::{logo, pages};
use crate::web::checks::{BODY, TITLE, Text, check};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{self, Frame, page_with_status, see_other};
use crate::web::viewer::{Administrator, Viewer};
use crate::web::{csrf, multipart};

#[derive(Template)]
#[template(path = "admin/templates/hub.html")]
struct HubPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    name: &'a str,
    welcome: &'a str,
    all_make_spaces: bool,
    errors: &'a [FieldError],
    saved: bool,
}

impl HubPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

/// `GET /admin/hub`
pub async fn hub_form(state: web::Data<AppState>, req: HttpRequest, me: Administrator) -> Result<HttpResponse> {
    let settings = state.settings.current(&state).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let template = HubPage {
        f: &f,
        tab: "hub",
        name: &settings.name,
        welcome: &settings.welcome,
        all_make_spaces: settings.members_make_spaces,
        errors: &[],
        saved: req.query_string() == "saved=1",
    };
    frame::page(&f, &template)
}

/// `POST /admin/hub`
pub async fn save_hub(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    form: Form,
) -> Result<HttpResponse> {
    let change = SettingsChange {
        name: Some(form.get("name").to_owned()),
        welcome: Some(form.get("welcome").to_owned()),
        members_make_spaces: Some(form.ticked("members_make_spaces")),
        confirmed: form.ticked("confirmed"),
    };
    match actions::change_settings(&state, me.id, change).await {
        Ok(()) => Ok(see_other("/admin/hub?saved=1")),
        Err(AppError::Invalid(errors)) => {
            let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
            let template = HubPage {
                f: &f,
                tab: "hub",
                name: form.get("name"),
                welcome: form.get("welcome"),
                all_make_spaces: form.ticked("members_make_spaces"),
                errors: &errors,
                saved: false,
            };
            page_with_status(&f, &template, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error),
    }
}

/// `POST /admin/hub/logo`: a new logo, or with `remove` none.
pub async fn save_logo(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let upload = multipart::read(&req, payload, "logo", logo::MOST).await?;
    csrf::require(&req, upload.field(csrf::FIELD)).await?;
    let settings = state.settings.current(&state).await?;
    let old = settings.logo.as_deref().map(str::to_owned);
    let new = match upload.file {
        Some((_, bytes)) => match logo::keep(&state, bytes).await {
            Ok(address) => Some(address),
            Err(AppError::Invalid(errors)) => {
                let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
                let template = HubPage {
                    f: &f,
                    tab: "hub",
                    name: &settings.name,
                    welcome: &settings.welcome,
                    all_make_spaces: settings.members_make_spaces,
                    errors: &errors,
                    saved: false,
                };
                return page_with_status(&f, &template, StatusCode::UNPROCESSABLE_ENTITY);
            }
            Err(error) => return Err(error),
        },
        None if upload.field("remove").is_some() => None,
        None => return Ok(see_other("/admin/hub")),
    };
    let same = new == old;
    actions::set_logo(&state, me.id, new).await?;
    if !same {
        logo::forget(&state, old.as_deref()).await;
    }
    Ok(see_other("/admin/hub?saved=1"))
}

#[derive(Template)]
#[template(path = "admin/templates/pages.html")]
struct PagesPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    pages: &'a [page::Model],
}

/// `GET /admin/pages`
pub async fn list_pages(state: web::Data<AppState>, req: HttpRequest, me: Administrator) -> Result<HttpResponse> {
    let pages = pages::all(&state).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    frame::page(&f, &PagesPage { f: &f, tab: "pages", pages: &pages })
}

#[derive(Template)]
#[template(path = "admin/templates/page.html")]
struct EditPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    slug: &'a str,
    title: &'a str,
    body: &'a str,
    version: i32,
    errors: &'a [FieldError],
}

impl EditPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

/// `GET /admin/pages/{slug}`
pub async fn page_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let page = pages::find(&state, &path).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let template = EditPage {
        f: &f,
        tab: "pages",
        slug: &page.slug,
        title: &page.title,
        body: &page.body,
        version: page.version,
        errors: &[],
    };
    frame::page(&f, &template)
}

/// `POST /admin/pages/{slug}`
pub async fn save_page(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let page = pages::find(&state, &path).await?;
    let version = form.get("version").parse().unwrap_or(page.version);
    let texts = [
        Text::line("title", form.get("title"), TITLE).required(),
        Text::body("body", form.get("body"), BODY).required(),
    ];
    match check(&texts, form.ticked("confirmed")) {
        Ok(checked) => {
            let seen = IfMatch::version(Some(version));
            actions::save_page(&state, me.id, &page.slug, checked.get("title"), checked.get("body"), seen).await?;
            Ok(see_other(&format!("/{}", page.slug)))
        }
        Err(AppError::Invalid(errors)) => {
            let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
            let template = EditPage {
                f: &f,
                tab: "pages",
                slug: &page.slug,
                title: form.get("title"),
                body: form.get("body"),
                version,
                errors: &errors,
            };
            page_with_status(&f, &template, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error),
    }
}
