//! What a resource was made of, and adding to it.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::{Fault, refused};
use super::id_of;
use super::resource::Rights;
use crate::app::AppState;
use crate::features::library::actions::{self, Content, NewVersionOf};
use crate::features::library::files::{self, room_left};
use crate::features::library::model::{VersionView, size_text};
use crate::features::library::queries::{self, Seen};
use crate::web::error::{AppError, Finding, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "library/templates/versions.html")]
struct VersionsPage<'a> {
    f: &'a Frame,
    seen: &'a Seen,
    can: Rights,
    rows: Vec<VersionView>,
    next: Option<String>,
    typed: Typed,
}

impl VersionsPage<'_> {
    fn size(&self, bytes: &i64) -> String {
        size_text(*bytes)
    }

    fn fault(&self, field: &str) -> Option<&str> {
        self.typed.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }
}

/// The form of a new version, as typed and as answered.
#[derive(Debug, Default)]
struct Typed {
    url: String,
    body: String,
    note: String,
    /// Of the resource, as it was when the form was made.
    version: Option<i32>,
    faults: Vec<Fault>,
    findings: Vec<Finding>,
    /// Somebody else saved meanwhile.
    stale: bool,
}

/// `GET /resources/{id}/versions`
pub async fn list(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    show(&req, &state, &viewer, id_of(&path)?, &query, None, StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    id: i64,
    query: &PageQuery,
    typed: Option<Typed>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let (found, seen) = queries::versions(state, viewer, id, query).await?;
    let f = Frame::new(state, req, viewer).await?;
    let can = Rights::of(viewer.member(), &seen);
    let next = found.next_cursor.map(|cursor| format!("/resources/{}/versions?cursor={cursor}", seen.row.id));
    let typed = typed.unwrap_or_else(|| {
        let newest = found.items.first();
        Typed {
            url: newest.and_then(|version| version.url.clone()).unwrap_or_default(),
            body: newest.and_then(|version| version.body.clone()).unwrap_or_default(),
            version: Some(seen.version),
            ..Typed::default()
        }
    });
    page_with_status(&f, &VersionsPage { f: &f, seen: &seen, can, rows: found.items, next, typed }, status)
}

/// `POST /resources/{id}/versions`: a form with a file, or a plain one for links and notes.
pub async fn add(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let id = id_of(&path)?;
    let seen = queries::find(&state, &viewer, id).await?;
    seen.access.write(&viewer, &seen.space)?;
    let mut typed = Typed::default();
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (content, confirmed) = if kind.starts_with("multipart/form-data") {
        let room = room_left(state.store.read(), me.id).await?;
        match files::read_page(&req, payload, &state, room).await {
            Ok((sent, refused_file)) => {
                typed.note = sent.field("note").unwrap_or_default().to_owned();
                typed.version = sent.field("version").and_then(|version| version.parse().ok());
                let confirmed = sent.field("confirmed").is_some_and(|value| !value.is_empty());
                let file = match (sent.file, refused_file) {
                    (_, Some(error)) => Err(error),
                    (file, None) => file.map(Content::File).ok_or_else(|| AppError::field("file", "is needed")),
                };
                (file, confirmed)
            }
            Err(error) => (Err(error), false),
        }
    } else {
        let sent = Form::from_request(&req, &mut payload.into_inner()).await?;
        typed.url = sent.get("url").to_owned();
        typed.body = sent.get("body").replace("\r\n", "\n");
        typed.note = sent.get("note").to_owned();
        typed.version = sent.some("version").and_then(|version| version.parse().ok());
        let content =
            if typed.url.is_empty() { Content::Note(typed.body.clone()) } else { Content::Link(typed.url.clone()) };
        (Ok(content), sent.ticked("confirmed"))
    };
    let done = match content {
        Ok(content) => {
            let new = NewVersionOf {
                resource: id,
                content,
                note: typed.note.clone(),
                confirmed,
                if_match: IfMatch::version(typed.version),
            };
            actions::add_version(&state, &me, &new).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/resources/{}", seen.row.id))),
        Err(AppError::Stale) => {
            // The typed text stays; saving again goes over what is there now.
            typed.stale = true;
            typed.version = Some(queries::find(&state, &viewer, id).await?.version);
            show(&req, &state, &viewer, id, &PageQuery::default(), Some(typed), StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let f = Frame::new(&state, &req, &viewer).await?;
            (typed.faults, typed.findings) = refused(&f, error)?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            show(&req, &state, &viewer, id, &PageQuery::default(), Some(typed), status).await
        }
    }
}

/// `POST /resources/{id}/versions/{number}/restore`
pub async fn restore(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    _sent: Form,
) -> Result<HttpResponse> {
    let number = path.1.parse().map_err(|_| AppError::NotFound)?;
    actions::restore_version(&state, &me, id_of(&path.0)?, number).await?;
    Ok(see_other(&format!("/resources/{}", path.0)))
}
