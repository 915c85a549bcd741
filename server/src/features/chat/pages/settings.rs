//! What a room is for one member and for all: settings, people, the archive.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::acts::ActQuery;
use super::forms::Shown;
use super::head::RoomHead;
use super::{id_in, room_of};
use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::actions::{self, RoomChange};
use crate::features::chat::model::RoomPerson;
use crate::features::chat::queries::{self, FoundRoom};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

#[derive(Clone, Debug, Default, Deserialize)]
pub struct SettingsQuery {
    saved: Option<String>,
}

#[derive(Template)]
#[template(path = "chat/templates/room-settings.html")]
struct SettingsPage<'a> {
    f: &'a Frame,
    head: RoomHead,
    form: Shown,
    saved: bool,
    people: Vec<RoomPerson>,
    /// The viewer lets people into the private room.
    lets_in: bool,
}

impl SettingsPage<'_> {
    fn is_me(&self, person: &RoomPerson) -> bool {
        self.f.me.as_ref().is_some_and(|me| me.id == person.id)
    }
}

/// `GET …/settings`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<SettingsQuery>,
) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    show(&req, &state, &me, &room, None, query.saved.is_some(), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    room: &FoundRoom,
    form: Option<Shown>,
    saved: bool,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(state, room, "settings").await?;
    let form = form.unwrap_or_default();
    let form = if form.value("version").is_empty() {
        form.with("name", room.ground.name.as_str())
            .with("purpose", room.ground.purpose.as_str())
            .with("version", room.ground.version.to_string())
    } else {
        form
    };
    let some = PageQuery { limit: Some("100".into()), cursor: None };
    let people = queries::people_of_room(state, room.ground.id, &some).await?.items;
    let lets_in = head.manages && room.ground.standing.kind == RoomKind::Private;
    page_with_status(&frame, &SettingsPage { f: &frame, head, form, saved, people, lets_in }, status)
}

/// `POST …/settings`
pub async fn save(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    let path = queries::view_of(&state, &room).await?.path();
    let mut form = Shown::typed(&sent, &["name", "purpose", "version"]);
    let change = RoomChange {
        name: Some(form.value("name").to_owned()),
        purpose: Some(form.value("purpose").to_owned()),
        confirmed: sent.ticked("confirmed"),
        ..RoomChange::default()
    };
    let version = form.value("version").parse().ok();
    match actions::change_room(&state, &me, room.ground.id, &change, IfMatch::version(version)).await {
        Ok(_) => Ok(see_other(&format!("{path}/settings?saved=1"))),
        Err(error) => {
            let status = form.refuse(error)?;
            show(&req, &state, &me, &room, Some(form), false, status).await
        }
    }
}

/// `POST /rooms/{id}/archive`
pub async fn archive(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ActQuery>,
    _sent: Form,
) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    let change = RoomChange { archived: Some(query.on()), ..RoomChange::default() };
    actions::change_room(&state, &me, room.ground.id, &change, IfMatch::default()).await?;
    let path = queries::view_of(&state, &room).await?.path();
    Ok(see_other(&format!("{path}/settings?saved=1")))
}

/// `POST /rooms/{id}/members`: lets somebody into a private room, or takes them out.
pub async fn members(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    let handle = sent.get("handle").trim().trim_start_matches('@').to_owned();
    let done = if sent.ticked("remove") {
        actions::remove_person(&state, &me, room.ground.id, &handle).await
    } else {
        actions::add_person(&state, &me, room.ground.id, &handle).await
    };
    let mut form = Shown::default().with("handle", handle.as_str());
    let status = match done {
        Ok(()) => {
            let path = queries::view_of(&state, &room).await?.path();
            return Ok(see_other(&format!("{path}/settings?saved=1")));
        }
        Err(AppError::NotFound) => {
            form.fault("handle", "chat.form.nobody", &[("handle", &handle)]);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error @ AppError::Conflict(_)) => {
            let status = error.status();
            form.faults.push(FieldError { field: "handle".into(), message: error.problem().detail });
            status
        }
        Err(error) => form.refuse(error)?,
    };
    show(&req, &state, &me, &room, Some(form), false, status).await
}
