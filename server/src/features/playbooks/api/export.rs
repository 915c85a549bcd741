//! Case studies and playbooks to take away.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::studies::CopyQuery;
use crate::app::AppState;
use crate::features::playbooks::citation::Cited;
use crate::features::playbooks::model::Copy;
use crate::features::playbooks::queries::{self, Which};
use crate::ports::blobs::Reading;
use crate::web::error::{AppError, Problem, Result};
use crate::web::viewer::Viewer;

/// A case study as Markdown with front matter, which an import reads again
#[utoipa::path(get, path = "/case-studies/{slug}/export.md", tag = "case-studies", operation_id = "export_case_study", params(("slug" = String, Path), CopyQuery),
    responses((status = 200, body = String, content_type = "text/markdown"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn study(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    query: web::Query<CopyQuery>,
) -> Result<HttpResponse> {
    let view = queries::study_view(&state, &viewer, &slug, query.which()?).await?;
    let text = queries::study_export(&view);
    Ok(HttpResponse::Ok()
        .content_type("text/markdown; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.md\"", view.row.slug)))
        .body(text))
}

/// A case study with its pictures, as a ZIP archive of Markdown, which an import reads again
#[utoipa::path(get, path = "/case-studies/{slug}/export", tag = "case-studies", operation_id = "export_case_study_archive", params(("slug" = String, Path), CopyQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn study_archive(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    query: web::Query<CopyQuery>,
) -> Result<HttpResponse> {
    let archive = queries::study_archive(&state, &viewer, &slug, query.which()?).await?;
    Ok(zipped(&slug.to_lowercase(), archive))
}

/// How a case study is cited, as it is published.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CitationView {
    /// In a sentence.
    plain: String,
    bibtex: String,
    /// A linked-data `Article` of schema.org.
    #[schema(value_type = Object)]
    json_ld: serde_json::Value,
    /// Its address.
    url: String,
    /// Number of the publication that is cited.
    version: i32,
}

/// How a published case study is cited: in a sentence, as BibTeX and as linked data
#[utoipa::path(get, path = "/case-studies/{slug}/citation", tag = "case-studies", operation_id = "cite_case_study", params(("slug" = String, Path)),
    responses((status = 200, body = CitationView), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn citation(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
) -> Result<HttpResponse> {
    let view = queries::study_view(&state, &viewer, &slug, Which::Published).await?;
    if view.copy != Copy::Published {
        return Err(AppError::NotFound);
    }
    let hub = state.settings.current(&state).await?.name;
    let url = format!("{}{}", state.origin(), view.row.url);
    let cited = Cited::of(&view, &hub, state.origin(), &url);
    let (plain, bibtex, json_ld) = (cited.plain(), cited.bibtex(), cited.json_ld());
    let version = view.row.revision;
    Ok(HttpResponse::Ok().json(CitationView { plain, bibtex, json_ld, url: url.clone(), version }))
}

/// A playbook with its published case studies, as a ZIP archive of Markdown, which an import reads again
#[utoipa::path(get, path = "/playbooks/{slug}/export", tag = "playbooks", operation_id = "export_playbook", params(("slug" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn playbook(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
) -> Result<HttpResponse> {
    let archive = queries::playbook_export(&state, &viewer, &slug).await?;
    Ok(zipped(&slug.to_lowercase(), archive))
}

fn zipped(name: &str, archive: Reading) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.zip\"")))
        // It is packed already.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(archive.size, archive.bytes))
}
