//! `/upload`: a file for a text where no script runs. The page that comes back has the line to copy.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::file_actions;
use super::file_api::MOST;
use crate::app::AppState;
use crate::web::csrf;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page, page_with_status};
use crate::web::multipart;
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "people/templates/upload.html")]
struct UploadPage<'a> {
    f: &'a Frame,
    /// What to put into the text, after a file was stored.
    markdown: &'a str,
    fault: &'a str,
}

/// `GET /upload`
pub async fn form(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page(&f, &UploadPage { f: &f, markdown: "", fault: "" })
}

/// `POST /upload`
pub async fn upload(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let stored = store(&req, &state, &me, payload).await;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let (markdown, fault, status) = match stored {
        Ok(markdown) => (markdown, String::new(), StatusCode::OK),
        Err(AppError::Invalid(faults)) => {
            let refused = faults.iter().any(|fault| fault.message == file_actions::REFUSED);
            let key = if refused { "people.upload.refused" } else { "people.upload.choose" };
            (String::new(), f.t(key).to_owned(), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error @ (AppError::TooLarge(_) | AppError::UnsupportedType(_))) => {
            (String::new(), error.problem().detail, error.status())
        }
        Err(other) => return Err(other),
    };
    page_with_status(&f, &UploadPage { f: &f, markdown: &markdown, fault: &fault }, status)
}

async fn store(req: &HttpRequest, state: &AppState, me: &Member, payload: web::Payload) -> Result<String> {
    let form = multipart::read(req, payload, "file", MOST).await?;
    csrf::require(req, form.field(csrf::FIELD)).await?;
    let (name, bytes) = form.file.ok_or_else(|| AppError::field("file", "is needed"))?;
    file_actions::keep_file(state, me.id, &name, bytes).await
}
