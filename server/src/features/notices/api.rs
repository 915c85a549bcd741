//! Notices by JSON.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::model::{Actor, NoticeView};
use super::{actions, queries};
use crate::app::AppState;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::Once;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::Member;

#[derive(OpenApi)]
#[openapi(paths(list, read_one, read_all), components(schemas(NoticeView, Actor)))]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// One's notices, the newest first
#[utoipa::path(get, path = "/notices", tag = "notices", params(PageQuery),
    responses((status = 200, body = Page<NoticeView>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn list(state: web::Data<AppState>, me: Member, page: web::Query<PageQuery>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(queries::list(&state, &me, &page).await?))
}

/// Mark a notice as read
#[utoipa::path(put, path = "/notices/{id}/read", tag = "notices", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn read_one(state: web::Data<AppState>, me: Member, id: web::Path<String>) -> Result<HttpResponse> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    actions::read_one(&state, &me, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mark all notices as read
#[utoipa::path(post, path = "/notices/read", tag = "notices", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn read_all(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    // Reading twice is reading once: the key is checked and needs no row.
    Once::of(&req, b"")?;
    actions::read_all(&state, &me).await?;
    Ok(HttpResponse::NoContent().finish())
}
