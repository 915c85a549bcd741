//! `/settings`: one's profile and picture.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::EntityTrait as _;
use serde::Deserialize;

use super::model::{LinkView, links_of};
use super::profile::{self, ProfileInput};
use super::{actions, avatar_actions, queries};
use crate::app::AppState;
use crate::entities::kinds::Discipline;
use crate::entities::member;
use crate::web::error::{AppError, FieldError, Finding, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Me, Member, Viewer};
use crate::web::{csrf, multipart};

/// Offered in the form; the API takes any.
const TIME_ZONES: [&str; 44] = [
    "UTC",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Brussels",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/Zurich",
    "Europe/Rome",
    "Europe/Vienna",
    "Europe/Prague",
    "Europe/Warsaw",
    "Europe/Copenhagen",
    "Europe/Oslo",
    "Europe/Stockholm",
    "Europe/Helsinki",
    "Europe/Athens",
    "Europe/Bucharest",
    "Europe/Kyiv",
    "Europe/Istanbul",
    "Africa/Cairo",
    "Africa/Lagos",
    "Africa/Nairobi",
    "Africa/Johannesburg",
    "Asia/Jerusalem",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Seoul",
    "Australia/Perth",
    "Australia/Sydney",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
];

/// What stands in the form, as typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    display_name: String,
    headline: String,
    discipline: String,
    organisation: String,
    expertise: String,
    about: String,
    links: String,
    time_zone: String,
    version: i32,
}

#[derive(Template)]
#[template(path = "people/templates/settings.html")]
struct SettingsPage {
    f: Frame,
    typed: Typed,
    disciplines: Vec<(&'static str, String)>,
    zones: Vec<String>,
    faults: Vec<FieldError>,
    findings: Vec<Finding>,
    saved: bool,
    stale: bool,
    has_picture: bool,
    handle: String,
    avatar_version: String,
}

impl SettingsPage {
    /// What is wrong with a field; empty if nothing is.
    fn fault(&self, field: &str) -> &str {
        self.faults.iter().find(|fault| fault.field == field).map_or("", |fault| fault.message.as_str())
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == field)
    }

    fn has_errors(&self) -> bool {
        self.stale || !self.faults.is_empty() || !self.findings.is_empty()
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct SettingsQuery {
    saved: Option<String>,
}

pub async fn show(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    query: web::Query<SettingsQuery>,
) -> Result<HttpResponse> {
    let mut page = build(&state, &req, &me.0, None).await?;
    page.saved = query.saved.is_some();
    page_with_status(&page.f, &page, StatusCode::OK)
}

/// The page with what is stored, or with what was typed.
async fn build(
    state: &AppState,
    req: &HttpRequest,
    me: &std::sync::Arc<Me>,
    typed: Option<Typed>,
) -> Result<SettingsPage> {
    let f = Frame::new(state, req, &Viewer::Member(std::sync::Arc::clone(me))).await?;
    let db = state.store.read();
    let row = member::Entity::find_by_id(me.id).one(db).await?.ok_or(AppError::NotFound)?;
    let typed = match typed {
        Some(typed) => typed,
        None => {
            let tags = queries::expertise_of(db, &[me.id]).await?.remove(&me.id).unwrap_or_default();
            stored(&row, &tags)
        }
    };
    let disciplines = Discipline::ALL.iter().map(|of| (of.as_str(), f.of("people.discipline", of.as_str()))).collect();
    let mut zones: Vec<String> = TIME_ZONES.iter().map(|zone| (*zone).to_owned()).collect();
    if !typed.time_zone.is_empty() && !zones.contains(&typed.time_zone) {
        zones.insert(0, typed.time_zone.clone());
    }
    Ok(SettingsPage {
        f,
        typed,
        disciplines,
        zones,
        faults: Vec::new(),
        findings: Vec::new(),
        saved: false,
        stale: false,
        has_picture: row.avatar.is_some(),
        avatar_version: row.avatar.clone().unwrap_or_else(|| "0".to_owned()),
        handle: row.handle,
    })
}

fn stored(row: &member::Model, tags: &[String]) -> Typed {
    let lines: Vec<String> = links_of(row)
        .into_iter()
        .map(|link| if link.label.is_empty() { link.url } else { format!("{} {}", link.label, link.url) })
        .collect();
    Typed {
        display_name: row.display_name.clone(),
        headline: row.headline.clone(),
        discipline: row.discipline.as_str().to_owned(),
        organisation: row.organisation.clone(),
        expertise: tags.join(" "),
        about: row.about.clone(),
        links: lines.join("\n"),
        time_zone: row.time_zone.clone(),
        version: row.version,
    }
}

fn typed(form: &Form) -> Typed {
    let text = |field: &str| form.get(field).to_owned();
    Typed {
        display_name: text("display_name"),
        headline: text("headline"),
        discipline: text("discipline"),
        organisation: text("organisation"),
        expertise: text("expertise"),
        about: text("about"),
        links: text("links"),
        time_zone: text("time_zone"),
        version: form.get("version").parse().unwrap_or(0),
    }
}

/// A line of links: what it is called, if that is said, and the address last.
fn link_of(line: &str) -> LinkView {
    match line.rsplit_once(char::is_whitespace) {
        Some((label, url)) => LinkView { label: label.trim().to_owned(), url: url.to_owned() },
        None => LinkView { label: String::new(), url: line.to_owned() },
    }
}

pub async fn save(state: web::Data<AppState>, req: HttpRequest, me: Member, form: Form) -> Result<HttpResponse> {
    let mut typed = typed(&form);
    let discipline = Discipline::parse(&typed.discipline);
    let input = ProfileInput {
        display_name: Some(typed.display_name.clone()),
        headline: Some(typed.headline.clone()),
        discipline,
        organisation: Some(typed.organisation.clone()),
        expertise: Some(
            typed.expertise.split([' ', ',', '\t']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        ),
        about: Some(typed.about.clone()),
        links: Some(typed.links.lines().map(str::trim).filter(|line| !line.is_empty()).map(link_of).collect()),
        time_zone: Some(typed.time_zone.clone()),
        mail_on: None,
        confirmed: form.ticked("confirmed"),
    };
    let if_match = IfMatch::version(Some(typed.version));
    let outcome = match profile::parse(&state, input).await {
        Ok(change) => {
            let id = me.id;
            state.store.write(async move |tx| actions::change_profile(tx, id, &change, if_match).await).await.map(drop)
        }
        Err(error) => Err(error),
    };
    let (faults, findings, stale) = match outcome {
        Ok(()) => return Ok(see_other("/settings?saved=profile")),
        Err(AppError::Invalid(faults)) => (in_words(faults), Vec::new(), false),
        Err(AppError::Confirm(findings)) => (Vec::new(), findings, false),
        Err(AppError::Stale) => (Vec::new(), Vec::new(), true),
        Err(error) => return Err(error),
    };
    if stale {
        // Having been told, one may save over what changed.
        let row = member::Entity::find_by_id(me.id).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
        typed.version = row.version;
    }
    let mut page = build(&state, &req, &me.0, Some(typed)).await?;
    (page.faults, page.findings, page.stale) = (faults, findings, stale);
    let status = if stale { StatusCode::PRECONDITION_FAILED } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with_status(&page.f, &page, status)
}

pub async fn upload_avatar(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let form = match multipart::read(&req, payload, "avatar", avatar_actions::MOST).await {
        // A form that is too large is not a reason to lose the page.
        Err(AppError::TooLarge(detail)) => {
            return picture_refused(&state, &req, &me.0, StatusCode::PAYLOAD_TOO_LARGE, detail.into_owned()).await;
        }
        read => read?,
    };
    csrf::require(&req, form.field(csrf::FIELD)).await?;
    let Some((_, bytes)) = form.file else {
        let text = crate::web::words::english().t("people.settings.no_file").to_owned();
        return picture_refused(&state, &req, &me.0, StatusCode::UNPROCESSABLE_ENTITY, text).await;
    };
    match avatar_actions::set_avatar(&state, me.id, bytes).await {
        Ok(()) => Ok(see_other("/settings?saved=picture")),
        Err(AppError::Invalid(faults)) => {
            let text = in_words(faults).into_iter().next().map(|fault| fault.message).unwrap_or_default();
            picture_refused(&state, &req, &me.0, StatusCode::UNPROCESSABLE_ENTITY, text).await
        }
        Err(AppError::UnsupportedType(text)) => {
            picture_refused(&state, &req, &me.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, text.into_owned()).await
        }
        Err(error) => Err(error),
    }
}

/// What the API says in words of its fields, in the page's words: what would be right.
fn in_words(faults: Vec<FieldError>) -> Vec<FieldError> {
    let words = crate::web::words::english();
    let mut said: Vec<FieldError> = Vec::new();
    for FieldError { field, .. } in faults {
        if said.iter().all(|fault| fault.field != field) {
            let message = words.of("people.fault", &field);
            said.push(FieldError { field, message });
        }
    }
    said
}

async fn picture_refused(
    state: &AppState,
    req: &HttpRequest,
    me: &std::sync::Arc<Me>,
    status: StatusCode,
    message: String,
) -> Result<HttpResponse> {
    let mut page = build(state, req, me, None).await?;
    page.faults = vec![FieldError { field: "avatar".into(), message }];
    page_with_status(&page.f, &page, status)
}

/// The form is read for its CSRF field.
pub async fn remove_avatar(state: web::Data<AppState>, me: Member, _form: Form) -> Result<HttpResponse> {
    avatar_actions::remove_avatar(&state, me.id).await?;
    Ok(see_other("/settings?saved=picture"))
}
