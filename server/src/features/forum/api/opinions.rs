//! What members put to posts, what they keep, and tags.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Target, id_of};
use crate::app::AppState;
use crate::features::forum::actions;
use crate::features::forum::model::{BookmarkView, TagView};
use crate::features::forum::queries;
use crate::web::error::{Problem, Result};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Put an emoji to a post
#[utoipa::path(put, path = "/posts/{id}/reactions/{emoji}", tag = "forum", params(("id" = String, Path), ("emoji" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn react(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, emoji) = path.into_inner();
    actions::set_reaction(&state, &me, id_of(&id)?, &emoji, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an emoji back
#[utoipa::path(delete, path = "/posts/{id}/reactions/{emoji}", tag = "forum", params(("id" = String, Path), ("emoji" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unreact(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, emoji) = path.into_inner();
    actions::set_reaction(&state, &me, id_of(&id)?, &emoji, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept a reply as an answer
#[utoipa::path(put, path = "/posts/{id}/answer", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn answer(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_answer(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer accept a reply
#[utoipa::path(delete, path = "/posts/{id}/answer", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unanswer(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_answer(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Endorse a post with one's discipline and role
#[utoipa::path(put, path = "/posts/{id}/endorsement", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn endorse(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_endorsement(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an endorsement back
#[utoipa::path(delete, path = "/posts/{id}/endorsement", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unendorse(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_endorsement(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Keep a post for later
#[utoipa::path(put, path = "/posts/{id}/bookmark", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn bookmark(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_bookmark(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer keep a post
#[utoipa::path(delete, path = "/posts/{id}/bookmark", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unbookmark(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_bookmark(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The posts one keeps, the latest first
#[utoipa::path(get, path = "/me/bookmarks", tag = "forum", params(PageQuery),
    responses((status = 200, body = Page<BookmarkView>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn bookmarks(
    state: web::Data<AppState>,
    me: Member,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    Ok(HttpResponse::Ok().json(queries::bookmarks(&state, &me, &viewer, &page).await?))
}

/// Which tags.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TagsQuery {
    /// How the tag begins.
    q: Option<String>,
}

/// The tags of the spaces that one may read, the most used first
#[utoipa::path(get, path = "/tags", tag = "forum", params(TagsQuery, PageQuery),
    responses((status = 200, body = Page<TagView>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn tags(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<TagsQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let beginning = query.q.as_deref().filter(|text| !text.is_empty());
    Ok(HttpResponse::Ok().json(queries::tags(&state, &viewer, None, beginning, &page).await?))
}
