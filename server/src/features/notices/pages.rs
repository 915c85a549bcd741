//! `/notices`: the newest first, with what has not been read marked.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::model::NoticeView;
use super::{actions, queries};
use crate::app::AppState;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// A notice in the list.
struct Line {
    id: String,
    handle: String,
    avatar: String,
    url: String,
    said: String,
    place: String,
    excerpt: String,
    at: i64,
    read: bool,
}

impl Line {
    fn of(f: &Frame, notice: NoticeView) -> Self {
        let said = f.of("notices.said", notice.kind.as_str()).replace("{name}", &notice.actor.display_name);
        let gone = notice.title.is_empty() && notice.excerpt.is_empty();
        Self {
            id: notice.id.to_string(),
            avatar: notice.actor.avatar_version().to_owned(),
            handle: notice.actor.handle,
            url: notice.url,
            said,
            place: if gone { f.t("notices.gone").to_owned() } else { notice.title },
            excerpt: notice.excerpt,
            at: notice.created,
            read: notice.read,
        }
    }
}

#[derive(Template)]
#[template(path = "notices/templates/notices.html")]
struct NoticesPage<'a> {
    f: &'a Frame,
    rows: Vec<Line>,
    unread: i64,
    next: Option<String>,
}

/// `GET /notices`
pub async fn list(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let found = queries::list(&state, &me, &query).await?;
    let next = found.next_cursor.map(|cursor| format!("/notices?cursor={cursor}"));
    let rows = found.items.into_iter().map(|notice| Line::of(&frame, notice)).collect();
    page(&frame, &NoticesPage { f: &frame, rows, unread: frame.side.notices, next })
}

/// `POST /notices/{id}/read`
pub async fn read(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    _sent: Form,
) -> Result<HttpResponse> {
    let id: Id = path.parse().map_err(|_| AppError::NotFound)?;
    actions::read_one(&state, &me, id.0).await?;
    Ok(see_other("/notices"))
}

/// `POST /notices/read`
pub async fn read_all(state: web::Data<AppState>, me: Member, _sent: Form) -> Result<HttpResponse> {
    actions::read_all(&state, &me).await?;
    Ok(see_other("/notices"))
}
