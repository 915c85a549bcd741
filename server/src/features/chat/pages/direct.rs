//! Direct conversations: one's own, and the way to another.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::forms::Shown;
use super::rooms::RoomLine;
use crate::app::AppState;
use crate::features::chat::actions;
use crate::features::chat::queries;
use crate::store::Id;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

#[derive(Clone, Debug, Default, Deserialize)]
pub struct DirectQuery {
    with: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "chat/templates/direct.html")]
struct DirectPage<'a> {
    f: &'a Frame,
    rooms: Vec<RoomLine>,
    next: Option<String>,
    form: Shown,
}

/// `GET /direct`
pub async fn list(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<DirectQuery>,
) -> Result<HttpResponse> {
    let with: String = query.with.as_deref().unwrap_or_default().chars().take(700).collect();
    let page = PageQuery { limit: None, cursor: query.into_inner().cursor };
    show(&req, &state, &me, &page, Shown::default().with("handles", with), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    page: &PageQuery,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let Page { items: rooms, next_cursor: next } = queries::directs(state, me, page).await?.map(RoomLine::of);
    page_with_status(&frame, &DirectPage { f: &frame, rooms, next, form }, status)
}

/// `POST /direct`
pub async fn open(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let mut form = Shown::typed(&sent, &["handles"]);
    let handles: Vec<String> = form
        .value("handles")
        .split([' ', ',', ';', '\n', '\t'])
        .map(|handle| handle.trim_start_matches('@').to_lowercase())
        .filter(|handle| !handle.is_empty())
        .collect();
    let status = match actions::open_direct(&state, &me, &handles).await {
        Ok((room, _)) => return Ok(see_other(&format!("/direct/{}", Id(room)))),
        Err(error @ (AppError::Forbidden(_) | AppError::Conflict(_))) => {
            let status = error.status();
            let message = error.problem().detail;
            form.faults.push(FieldError { field: "handles".into(), message });
            status
        }
        Err(error) => form.refuse(error)?,
    };
    show(&req, &state, &me, &PageQuery::default(), form, status).await
}
