//! `/topics/{id}/posts`, `/posts/{id}` and its history.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Target;
use crate::app::AppState;
use crate::features::forum::actions::{self, NewReply, PostChange};
use crate::features::forum::model::{PostView, RevisionView};
use crate::features::forum::queries::{self, From, Order};
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::Once;
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A new reply.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ReplyBody {
    /// Markdown, at most 60,000 characters.
    #[schema(max_length = 60_000)]
    body: String,
    /// The post that is answered; absent or null for the topic itself.
    parent_id: Option<String>,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    confirmed: bool,
}

/// What of a post becomes new.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PostPatch {
    #[schema(max_length = 60_000)]
    body: String,
    /// Why, for the history.
    #[serde(default)]
    note: String,
    #[serde(default)]
    confirmed: bool,
}

/// In which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PostsQuery {
    /// `tree` (the default: depth first, siblings oldest first) or `time` (oldest first).
    order: Option<String>,
}

/// Replies of a topic
#[utoipa::path(get, path = "/topics/{id}/posts", tag = "forum", params(("id" = String, Path), PostsQuery, PageQuery),
    responses((status = 200, body = Page<PostView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: Target,
    query: web::Query<PostsQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let topic = queries::find_topic(&state, &viewer, id.0).await?;
    let (order, limit) = (Order::parse(query.order.as_deref())?, page.limit()?);
    // A cursor is the last post of the page before: it holds when the tree is numbered anew.
    let from = match page.cursor.as_deref() {
        None | Some("") => From::Start,
        Some(cursor) => {
            let id = cursor.parse::<Id>().map_err(|_| AppError::field("cursor", "is not one of this list"))?;
            From::After(id.0)
        }
    };
    let posts = queries::posts_page(&state, topic.row.id.0, order, from, limit).await?;
    Ok(HttpResponse::Ok().json(Page { items: posts.items, next_cursor: posts.after.map(|id| id.to_string()) }))
}

/// Reply to a topic
#[utoipa::path(post, path = "/topics/{id}/posts", tag = "forum", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReplyBody,
    responses((status = 201, body = PostView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<ReplyBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let parent = value.parent_id.map(|parent| parent.parse::<Id>()).transpose();
    let new = NewReply {
        body: value.body,
        parent_id: parent.map_err(|_| AppError::field("parent_id", "is a post of this topic"))?.map(|id| id.0),
        confirmed: value.confirmed,
    };
    actions::reply_once(&state, &me, id.0, &new, once).await
}

/// A post
#[utoipa::path(get, path = "/posts/{id}", tag = "forum", params(("id" = String, Path)),
    responses((status = 200, body = PostView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, viewer: Viewer, id: Target) -> Result<HttpResponse> {
    let (post, _) = queries::find_post(&state, &viewer, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(post.version))).json(post))
}

/// Change a post
#[utoipa::path(patch, path = "/posts/{id}", tag = "forum", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = PostPatch,
    responses((status = 200, body = PostView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<PostPatch>,
) -> Result<HttpResponse> {
    let change = PostChange { body: body.value.body, note: body.value.note, confirmed: body.value.confirmed };
    actions::edit_post(&state, &me, id.0, &change, IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), id).await
}

/// Delete a post
#[utoipa::path(delete, path = "/posts/{id}", tag = "forum", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::delete_post(&state, &me, id.0, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Bring a deleted post back
#[utoipa::path(post, path = "/posts/{id}/restore", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn restore(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::restore_post_once(&state, &me, id.0, Once::of(&req, b"")?).await
}

/// What a post said before, the newest first
#[utoipa::path(get, path = "/posts/{id}/revisions", tag = "forum", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<RevisionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn revisions(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: Target,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (_, revisions) = queries::revisions(&state, &viewer, id.0, &page).await?;
    Ok(HttpResponse::Ok().json(revisions))
}
