//! A figure for a part: an upload and the words for those who cannot see it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::Sheet;
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::people;
use crate::features::playbooks::actions::{self, DraftInput};
use crate::features::playbooks::parts::{self, Shape};
use crate::features::playbooks::queries;
use crate::web::checks::SUMMARY;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};
use crate::web::{csrf, multipart};

#[derive(Template)]
#[template(path = "playbooks/templates/figure.html")]
struct FigurePage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    key: &'static str,
    part: String,
    form: Sheet,
}

fn key_of(path: &(String, String)) -> Result<PartKey> {
    PartKey::parse(&path.1).filter(|key| parts::shape(*key) == Shape::Text).ok_or(AppError::NotFound)
}

/// `GET /case-studies/{slug}/edit/{key}/figure`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    show(&req, &state, &viewer, &path, Sheet::default().with("alt", "").with("file", ""), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    path: &(String, String),
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let key = key_of(path)?;
    let seen = queries::find_study(state, viewer, &path.0).await?;
    seen.standing.edit()?;
    let frame = Frame::new(state, req, viewer).await?;
    let content = FigurePage {
        f: &frame,
        address: seen.row.url,
        title: seen.row.title,
        key: key.as_str(),
        part: parts::title(key),
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /case-studies/{slug}/edit/{key}/figure`: what was typed of the part gets the figure at its end, as a
/// draft, so that its writer sees it before it is saved.
pub async fn add(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let key = key_of(&path)?;
    let upload = multipart::read(&req, payload, "file", people::MOST_FILE).await?;
    csrf::require(&req, upload.field(csrf::FIELD)).await?;
    let view = queries::study_to_edit(&state, &viewer, &path.0).await?;
    let alt = upload.field("alt").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut form = Sheet::default().with("alt", &alt).with("file", "");
    if alt.is_empty() || alt.chars().count() > SUMMARY * 2 {
        let message =
            if alt.is_empty() { "is needed".to_owned() } else { format!("has {} characters at most", SUMMARY * 2) };
        form.faults.push(FieldError { field: "alt".into(), message });
    }
    let Some((name, bytes)) = upload.file else {
        form.faults.push(FieldError { field: "file".into(), message: "is needed".into() });
        return show(&req, &state, &viewer, &path, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    if !form.faults.is_empty() {
        return show(&req, &state, &viewer, &path, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let url = match people::keep_picture(&state, me.id, &name, bytes).await {
        Ok(picture) => picture.url,
        Err(error @ (AppError::Invalid(_) | AppError::UnsupportedType(_))) => {
            let status = error.status();
            form.faults.push(FieldError { field: "file".into(), message: error.problem().detail });
            return show(&req, &state, &viewer, &path, form, status).await;
        }
        Err(error) => return Err(error),
    };
    let draft = queries::draft_of(state.store.read(), me.id, view.row.id.0, key).await?;
    let saved = view.parts.get(&key);
    let mut input = draft.map_or_else(
        || DraftInput {
            body: saved.map(|part| part.body.clone()).unwrap_or_default(),
            fields: saved.map(|part| part.fields.clone()).unwrap_or_default(),
            measures: saved
                .map(|part| part.measures.iter().filter_map(|of| serde_json::to_value(of).ok()).collect())
                .unwrap_or_default(),
            base_version: saved.map_or(0, |part| part.version),
        },
        |draft| DraftInput {
            body: draft.body,
            fields: draft.fields,
            measures: draft.measures,
            base_version: draft.base_version,
        },
    );
    let gap = if input.body.trim().is_empty() { "" } else { "\n\n" };
    let shown = alt.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    input.body = format!("{}{gap}![{shown}]({url})\n", input.body.trim_end());
    actions::keep_draft(&state, &me, &view.row.slug, key, &input).await?;
    Ok(see_other(&format!("{}/edit#{}", view.row.url, key.as_str())))
}
