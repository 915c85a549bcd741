//! Case studies and playbooks to take away.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};

use super::studies::CopyQuery;
use crate::app::AppState;
use crate::features::playbooks::queries;
use crate::web::error::{Problem, Result};
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

/// A playbook with its published case studies, as a ZIP archive of Markdown, which an import reads again
#[utoipa::path(get, path = "/playbooks/{slug}/export", tag = "playbooks", operation_id = "export_playbook", params(("slug" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn playbook(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
) -> Result<HttpResponse> {
    let bytes = queries::playbook_export(&state, &viewer, &slug).await?;
    let name = slug.to_lowercase();
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.zip\"")))
        .body(bytes))
}
