//! `/resources/{id}/versions`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::bodies::{self, ResourceBody};
use super::{Target, id_of};
use crate::app::AppState;
use crate::features::library::actions::{self, NewVersionOf};
use crate::features::library::files::room_left;
use crate::features::library::model::{ResourceView, VersionView};
use crate::features::library::queries;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::IfMatch;
use crate::web::idempotency::Once;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// What a resource was made of, the newest first
#[utoipa::path(get, path = "/resources/{id}/versions", tag = "library", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<VersionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: Target,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (versions, _) = queries::versions(&state, &viewer, id.0, &page).await?;
    Ok(HttpResponse::Ok().json(versions))
}

/// Add a version, of the same form as the ones before. Only `note` of the fields counts
#[utoipa::path(post, path = "/resources/{id}/versions", tag = "library",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header), ("If-Match" = Option<String>, Header)),
    request_body(content((ResourceBody = "application/json"), (bodies::ResourceForm = "multipart/form-data"))),
    responses((status = 201, body = ResourceView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let seen = queries::find(&state, &viewer, id.0).await?;
    // Before a long file is read for nothing.
    seen.access.write(&viewer, &seen.space)?;
    let if_match = IfMatch::of(&req)?;
    let room = room_left(state.store.read(), me.id).await?;
    let sent = bodies::sent(&req, payload, &state, room).await?;
    let new = NewVersionOf {
        resource: id.0,
        content: sent.content,
        note: sent.fields.note,
        confirmed: sent.fields.confirmed,
        if_match,
    };
    actions::add_version_once(&state, &me, &seen.space, &new, sent.once).await
}

/// Make an old version the newest one again
#[utoipa::path(post, path = "/resources/{id}/versions/{number}/restore", tag = "library",
    params(("id" = String, Path), ("number" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ResourceView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn restore(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let id = id_of(&path.0)?;
    let number = path.1.parse().map_err(|_| AppError::NotFound)?;
    let seen = queries::find(&state, &Viewer::Member(me.0.clone()), id).await?;
    actions::restore_version_once(&state, &me, &seen.space, id, number, Once::of(&req, b"")?).await
}
