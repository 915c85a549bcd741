//! Editing a message.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::Shown;
use super::head::RoomHead;
use super::messages::address;
use super::{by_fetch, id_in};
use crate::app::AppState;
use crate::features::chat::actions;
use crate::features::chat::model::MessageView;
use crate::features::chat::queries::{self, FoundRoom};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "chat/templates/message-edit.html")]
struct EditPage<'a> {
    f: &'a Frame,
    room_name: String,
    page: String,
    at: String,
    id: String,
    form: Shown,
    /// What somebody else saved meanwhile.
    other: String,
}

/// A message of one's own.
async fn own(state: &AppState, me: &Member, req: &HttpRequest) -> Result<(MessageView, FoundRoom)> {
    let (view, room) = queries::find_message(state, me, id_in(req, "id")?).await?;
    if view.deleted {
        return Err(AppError::NotFound);
    }
    if view.author.id != me.id {
        return Err(AppError::Forbidden("Only its author can edit a message.".into()));
    }
    room.ground.standing.write()?;
    Ok((view, room))
}

/// `GET /messages/{id}/edit`
pub async fn form(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let (view, room) = own(&state, &me, &req).await?;
    let form = Shown::default().with("body", view.body.as_str()).with("version", view.version.to_string());
    show(&req, &state, &me, &view, &room, form, String::new(), StatusCode::OK).await
}

#[expect(clippy::too_many_arguments, reason = "each is one thing that the page depends on")]
async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    view: &MessageView,
    room: &FoundRoom,
    form: Shown,
    other: String,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(state, room, "room").await?;
    let content = EditPage {
        f: &frame,
        at: address(&head.page, view),
        id: view.id.to_string(),
        room_name: head.name,
        page: head.page,
        form,
        other,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /messages/{id}/edit`
pub async fn save(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let (view, room) = own(&state, &me, &req).await?;
    let mut form = Shown::typed(&sent, &["body", "version"]);
    let version = form.value("version").parse().ok();
    let body = form.value("body").to_owned();
    let saved =
        actions::edit_message(&state, &me, view.id.0, &body, sent.ticked("confirmed"), IfMatch::version(version)).await;
    let (status, other) = match saved {
        Ok(_) if by_fetch(&req) => return Ok(HttpResponse::NoContent().finish()),
        Ok(_) => {
            let path = queries::view_of(&state, &room).await?.path();
            return Ok(see_other(&address(&path, &view)));
        }
        // A script says why by the problem.
        Err(error) if by_fetch(&req) => return Err(error),
        Err(AppError::Stale) => {
            let (now, _) = queries::find_message(&state, &me, view.id.0).await?;
            form = form.with("version", now.version.to_string());
            (StatusCode::PRECONDITION_FAILED, now.body)
        }
        Err(error) => (form.refuse(error)?, String::new()),
    };
    show(&req, &state, &me, &view, &room, form, other, status).await
}
