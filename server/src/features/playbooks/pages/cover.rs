//! The picture at the head of a playbook: an upload on its settings page, and the words for those
//! who cannot see it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::forms::Sheet;
use super::manage::{Sheets, owned, people_sheet, sheet_of, show_edit};
use crate::app::AppState;
use crate::features::people;
use crate::features::playbooks::actions::{self, Cover, PlaybookChange};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::see_other;
use crate::web::viewer::{Member, Viewer};
use crate::web::{csrf, multipart};

/// `POST /playbooks/{slug}/cover`
pub async fn add(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let of = owned(&state, &viewer, &path).await?;
    let upload = multipart::read(&req, payload, "cover", people::MOST_FILE).await?;
    csrf::require(&req, upload.field(csrf::FIELD)).await?;
    let words = upload.field("cover_alt").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut form = Sheet::default().with("cover", "").with("cover_alt", &words);
    let status = match put(&state, &me, &path, &words, upload).await {
        Ok(()) => return Ok(see_other(&format!("/playbooks/{}/edit#cover-form", of.row.slug))),
        Err(AppError::UnsupportedType(detail)) => {
            form.faults.push(FieldError { field: "cover".into(), message: detail.into_owned() });
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        }
        Err(AppError::Invalid(faults)) if faults.iter().any(|fault| fault.field == "file") => {
            let cover = |fault: FieldError| FieldError { field: "cover".into(), message: fault.message };
            form.faults = faults.into_iter().map(cover).collect();
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => form.refuse(error)?,
    };
    let sheets = Sheets { form: sheet_of(&of), cover: form, people: people_sheet() };
    show_edit(&req, &state, &viewer, &path, sheets, status).await
}

async fn put(state: &AppState, me: &Member, slug: &str, words: &str, upload: multipart::Upload) -> Result<()> {
    // What is wrong with the words is said before anything is kept.
    let mut faults = Vec::new();
    if words.is_empty() {
        faults.push(FieldError { field: "cover_alt".into(), message: "is needed".into() });
    }
    let Some((name, bytes)) = upload.file else {
        faults.push(FieldError { field: "cover".into(), message: "is needed".into() });
        return Err(AppError::Invalid(faults));
    };
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let picture = people::keep_picture(state, me.id, &name, bytes).await?;
    let cover = Some(Some(Cover { file: picture.id, alternative: words.to_owned() }));
    let change = PlaybookChange { cover, ..PlaybookChange::default() };
    actions::edit_playbook(state, me, slug, &change, IfMatch::default()).await
}

/// `POST /playbooks/{slug}/cover/remove`
pub async fn remove(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    _sent: Form,
) -> Result<HttpResponse> {
    let change = PlaybookChange { cover: Some(None), ..PlaybookChange::default() };
    actions::edit_playbook(&state, &me, &path, &change, IfMatch::default()).await?;
    Ok(see_other(&format!("/playbooks/{}/edit#cover-form", path.as_str())))
}
