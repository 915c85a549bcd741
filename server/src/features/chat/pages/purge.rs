//! Erasing a message for good, by a moderator who says why.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::Shown;
use super::head::RoomHead;
use super::id_in;
use super::messages::address;
use crate::app::AppState;
use crate::features::chat::actions;
use crate::features::chat::queries;
use crate::web::error::Result;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "chat/templates/message-purge.html")]
struct PurgePage<'a> {
    f: &'a Frame,
    room_name: String,
    page: String,
    at: String,
    id: String,
    excerpt: String,
    form: Shown,
}

/// `GET /messages/{id}/purge`
pub async fn form(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    show(&req, &state, &me, Shown::default(), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let (view, room) = queries::find_message(state, me, id_in(req, "id")?).await?;
    room.ground.standing.moderate()?;
    let frame = Frame::new(state, req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(state, &room, "room").await?;
    let content = PurgePage {
        f: &frame,
        at: address(&head.page, &view),
        id: view.id.to_string(),
        excerpt: crate::text::excerpt(&view.body_html, 300),
        room_name: head.name,
        page: head.page,
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /messages/{id}/purge`
pub async fn purge(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let id = id_in(&req, "id")?;
    let (_, room) = queries::find_message(&state, &me, id).await?;
    let mut form = Shown::typed(&sent, &["reason"]);
    match actions::purge_message(&state, &me, id, form.value("reason")).await {
        Ok(()) => Ok(see_other(&queries::view_of(&state, &room).await?.path())),
        Err(error) => {
            let status = form.refuse(error)?;
            show(&req, &state, &me, form, status).await
        }
    }
}
