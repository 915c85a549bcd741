//! `/spaces/{slug}/collections`, `/collections/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Target, id_of};
use crate::app::AppState;
use crate::features::library::actions::{self, CollectionChange, NewCollection};
use crate::features::library::model::CollectionView;
use crate::features::library::queries;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A collection to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CollectionBody {
    #[schema(max_length = 200)]
    title: String,
    /// Markdown.
    #[serde(default)]
    #[schema(max_length = 60_000)]
    introduction: String,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    confirmed: bool,
}

/// What of a collection becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CollectionPatch {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 60_000)]
    introduction: Option<String>,
    /// Ids of its resources in their order; those left out are no longer in it, but for what is
    /// hidden or deleted, which keeps its place.
    #[schema(max_items = 200)]
    resources: Option<Vec<String>>,
    #[serde(default)]
    confirmed: bool,
}

/// Collections of a space, the newest first
#[utoipa::path(get, path = "/spaces/{slug}/collections", tag = "library", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<CollectionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn of_space(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &slug).await?;
    access.read()?;
    Ok(HttpResponse::Ok().json(queries::collections(&state, space.id, &page).await?))
}

/// Make a collection
#[utoipa::path(post, path = "/spaces/{slug}/collections", tag = "library", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CollectionBody,
    responses((status = 201, body = CollectionView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<CollectionBody>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.read()?;
    let Json { value, once } = body;
    let new = NewCollection { title: value.title, introduction: value.introduction, confirmed: value.confirmed };
    actions::create_collection_once(&state, &me, space.id, &new, once).await
}

/// A collection with its resources
#[utoipa::path(get, path = "/collections/{id}", tag = "library", params(("id" = String, Path)),
    responses((status = 200, body = CollectionView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, viewer: Viewer, id: Target) -> Result<HttpResponse> {
    let (view, ..) = queries::collection(&state, &viewer, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a collection, or the order of what is in it
#[utoipa::path(patch, path = "/collections/{id}", tag = "library", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = CollectionPatch,
    responses((status = 200, body = CollectionView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<CollectionPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let wrong = || AppError::field("resources", "are resources of the same space");
    let resources = match of.resources {
        None => None,
        Some(ids) => Some(
            ids.iter().map(|id| id.parse::<Id>().map(|id| id.0).map_err(|_| wrong())).collect::<Result<Vec<_>>>()?,
        ),
    };
    let change =
        CollectionChange { title: of.title, introduction: of.introduction, resources, confirmed: of.confirmed };
    actions::edit_collection(&state, &me, id.0, &change, IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), id).await
}

/// Delete a collection, not what is in it
#[utoipa::path(delete, path = "/collections/{id}", tag = "library", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::delete_collection(&state, &me, id.0, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Put a resource at the end of a collection
#[utoipa::path(put, path = "/collections/{id}/resources/{resource}", tag = "library", params(("id" = String, Path), ("resource" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn put(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::set_collected(&state, &me, id_of(&path.0)?, id_of(&path.1)?, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a resource out of a collection
#[utoipa::path(delete, path = "/collections/{id}/resources/{resource}", tag = "library", params(("id" = String, Path), ("resource" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn take(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::set_collected(&state, &me, id_of(&path.0)?, id_of(&path.1)?, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
