//! `/resources/{id}/content` and `/preview`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Target;
use crate::app::AppState;
use crate::entities::kinds::ScanState;
use crate::entities::stored_file;
use crate::features::library::actions::count_download;
use crate::features::library::files::{self, Counts};
use crate::features::library::model::{FileView, PageText, VersionView};
use crate::features::library::queries;
use crate::features::people::disposition;
use crate::web::error::{AppError, Problem, Result};
use crate::web::headers::only_head;
use crate::web::pagination::{Page, PageQuery};
use crate::web::rate_limit::client_address;
use crate::web::viewer::Viewer;
use sea_orm::EntityTrait as _;

/// Which version.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VersionQuery {
    /// Its number; the newest if absent.
    version: Option<String>,
}

impl VersionQuery {
    fn number(&self) -> Result<Option<i32>> {
        let text = self.version.as_deref().filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|_| AppError::NotFound)).transpose()
    }
}

/// What a resource is made of: the bytes of a file (whole or a range; nothing but pictures is shown
/// in place), the way to a link, the Markdown of a note. Counted as a download
#[utoipa::path(get, path = "/resources/{id}/content", tag = "library",
    params(("id" = String, Path), VersionQuery, ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of them", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 303, description = "A link: where it leads", headers(("Location" = String))),
        (status = 304, description = "As the client has it"),
        (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "It is held for the virus scanner", body = Problem),
        (status = 416, description = "Beyond the end of the file", body = Problem),
    ),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    id: Target,
    query: web::Query<VersionQuery>,
) -> Result<HttpResponse> {
    let (version, seen) = queries::seen_version(&state, &viewer, id.0, query.number()?).await?;
    let (answer, counts) = if let Some(file) = &version.file {
        held(file)?;
        let row =
            stored_file::Entity::find_by_id(&file.sha256).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
        files::serve(&req, &state, file, &row.storage_key).await?
    } else if let Some(url) = &version.url {
        let mut answer = HttpResponse::SeeOther();
        answer.insert_header(("Location", url.as_str())).insert_header(("Referrer-Policy", "no-referrer"));
        (answer.insert_header(("Cache-Control", "no-store")).finish(), Counts::Yes)
    } else {
        let mut answer = HttpResponse::Ok();
        answer
            .content_type("text/markdown; charset=utf-8")
            .insert_header(("Content-Disposition", disposition("attachment", &format!("{}.md", seen.row.title))))
            .insert_header(("Content-Security-Policy", "sandbox; default-src 'none'"))
            .insert_header(("Cache-Control", "private, no-cache"));
        (answer.body(version.body.clone().unwrap_or_default()), Counts::Yes)
    };
    // Pictures are fetched by pages that show them: that is no download.
    let shown = req.headers().get("Sec-Fetch-Dest").is_some_and(|value| value.as_bytes() == b"image");
    if !shown
        && !only_head(&req)
        && is_counted(&req, &state, &viewer, &version, counts)
        && let Err(error) = count_download(&state, id.0).await
    {
        // Whoever wants to read is not kept from it by a number.
        tracing::warn!(%error, "a download was not counted");
    }
    Ok(answer)
}

fn is_counted(req: &HttpRequest, state: &AppState, viewer: &Viewer, of: &VersionView, counts: Counts) -> bool {
    let who = || match viewer.member() {
        Some(me) => me.id.to_string(),
        None => client_address(req, state).to_string(),
    };
    match counts {
        Counts::Yes => true,
        Counts::First => of.file.as_ref().is_some_and(|file| state.downloads.is_first(&who(), &file.sha256)),
        Counts::No => false,
    }
}

/// 409 for what waits for the scanner, 404 for what it refused.
fn held(file: &FileView) -> Result<()> {
    match file.scan {
        ScanState::Off | ScanState::Clean => Ok(()),
        ScanState::Waiting => Err(AppError::Conflict("This file is held until the virus scanner has seen it.".into())),
        ScanState::Unscannable => {
            Err(AppError::Conflict("This file is held: the virus scanner does not take it.".into()))
        }
        ScanState::Infected => Err(AppError::NotFound),
    }
}

/// The text of a file, page by page: what is searched and shown
#[utoipa::path(get, path = "/resources/{id}/preview", tag = "library",
    params(("id" = String, Path), VersionQuery, ("page" = Option<String>, Query, description = "Number of the page to begin with"), PageQuery),
    responses((status = 200, body = Page<PageText>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn preview(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: Target,
    query: web::Query<VersionQuery>,
    from: web::Query<FromQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (version, _) = queries::seen_version(&state, &viewer, id.0, query.number()?).await?;
    let from = from.page.as_deref().filter(|text| !text.is_empty());
    let from =
        from.map_or(Ok(1), |text| text.parse().map_err(|_| AppError::field("page", "is the number of a page")))?;
    let pages = match version.file.filter(FileView::is_served) {
        Some(file) => queries::page_texts(&state, &file.sha256, from, &page).await?,
        None => {
            page.limit()?;
            page.after()?;
            Page { items: Vec::new(), next_cursor: None }
        }
    };
    Ok(HttpResponse::Ok().json(pages))
}

/// Where to begin.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FromQuery {
    page: Option<String>,
}
