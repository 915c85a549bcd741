//! `POST /files` and `GET /files/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{file_actions, files};
use crate::app::AppState;
use crate::entities::file;
use crate::store::Id;
use crate::web::download::{self, Download};
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::Once;
use crate::web::multipart;
use crate::web::viewer::{Member, Viewer};

/// A file may have this many bytes.
pub const MOST: usize = 25 << 20;

/// A file for use in a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    pub id: Id,
    pub name: String,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Pixels, of an image.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Path of its bytes.
    pub url: String,
    /// What to put into a text to use it.
    pub markdown: String,
}

impl FileView {
    #[must_use]
    pub fn of(row: &file::Model) -> Self {
        let url = format!("{}{}", files::PREFIX, Id(row.id));
        let label: String = row.name.chars().filter(|c| !matches!(c, '[' | ']' | '\\' | '`' | '<' | '>')).collect();
        let sign = if files::is_image(&row.media_type) { "!" } else { "" };
        Self {
            id: Id(row.id),
            name: row.name.clone(),
            media_type: row.media_type.clone(),
            size: row.size,
            width: row.width,
            height: row.height,
            markdown: format!("{sign}[{label}]({url})"),
            url,
        }
    }
}

/// The form of an upload.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the form; `web::multipart` reads it")]
pub struct UploadForm {
    /// The file, at most 25 MB: PNG, JPEG, GIF or WebP images (encoded anew, without
    /// metadata), PDF, ZIP and office documents, plain text.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Uploads a file for use in a text. Until it is used in one, only its uploader can read it.
#[utoipa::path(
    post, path = "/files", tag = "files", operation_id = "upload_file",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same upload again has one effect")),
    responses(
        (status = 201, description = "Stored", body = FileView, headers(("Location" = String, description = "Its address"))),
        (status = 400, description = "A form that cannot be read", body = Problem),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "A cookie without its token", body = Problem),
        (status = 409, description = "The key was used with another file", body = Problem),
        (status = 413, description = "Too large, or more than what is left of the space for one's files", body = Problem),
        (status = 415, description = "Not a form, or a file of a type that is not taken", body = Problem),
        (status = 422, description = "No file, an image that cannot be read, or one that the virus scanner refused", body = Problem),
        (status = 503, description = "The store of files is full or away, the virus scanner is away, or too much is on its way", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn upload(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let form = multipart::read(&req, payload, "file", MOST).await?;
    let (name, bytes) = form.file.ok_or_else(|| AppError::field("file", "is needed"))?;
    let once = Once::of_pieces(&req, &[name.as_bytes(), &[0], &bytes])?;
    file_actions::store_file(&state, me.id, &name, bytes, once).await
}

/// A file's bytes. Images are shown in place, everything else is an attachment.
#[utoipa::path(
    get, path = "/files/{id}", tag = "files", operation_id = "download_file",
    params(
        ("id" = String, Path),
        ("Range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-99`"),
    ),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A range of them", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "As the client has it"),
        (status = 404, description = "No such file, or not for this viewer", body = Problem),
        (status = 416, description = "A range that begins after the end", body = Problem),
        (status = 503, description = "The store of files is away", body = Problem),
    ),
    security((), ("bearer" = []), ("session" = []))
)]
pub async fn download(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id: Id = path.parse().map_err(|_| AppError::NotFound)?;
    let row = files::find_readable(&state, &viewer, id.0).await?;
    let how = if files::is_image(&row.media_type) { "inline" } else { "attachment" };
    let what = Download {
        key: &row.storage_key,
        size: u64::try_from(row.size).unwrap_or(0),
        etag: format!("\"{}\"", row.sha256),
        media_type: &row.media_type,
        disposition: files::disposition(how, &row.name),
        // Asked for again each time: who may read it can change.
        cache: "private, no-cache",
    };
    download::serve(&state, &req, &what).await.map(|(answer, _)| answer)
}
