//! `/case-studies/{slug}/comments`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{id_of, key_of};
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::actions::{self, NewComment};
use crate::features::playbooks::model::CommentView;
use crate::features::playbooks::queries;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Which comments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CommentsQuery {
    /// Key of a part.
    part: Option<String>,
    /// `true`: threads that are not resolved.
    open: Option<String>,
}

/// A new comment.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CommentBody {
    part: PartKey,
    /// Markdown, at most 8,000 characters.
    #[schema(max_length = 8_000)]
    body: String,
    /// The first comment of the thread that is answered.
    parent_id: Option<String>,
    /// The passage that it is about.
    #[serde(default)]
    #[schema(max_length = 1_000)]
    quote: String,
    #[serde(default)]
    confirmed: bool,
}

/// What of a comment becomes new.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CommentPatch {
    #[schema(max_length = 8_000)]
    body: String,
    #[serde(default)]
    confirmed: bool,
}

/// Comments on a case study, the oldest first; for its authors and reviewers
#[utoipa::path(get, path = "/case-studies/{slug}/comments", tag = "case-studies", operation_id = "list_study_comments", params(("slug" = String, Path), CommentsQuery, PageQuery),
    responses((status = 200, body = Page<CommentView>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    query: web::Query<CommentsQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0), &slug).await?;
    seen.standing.read_working()?;
    let part = query
        .part
        .as_deref()
        .filter(|word| !word.is_empty())
        .map(|word| key_of(word).map_err(|_| AppError::field("part", "is the key of a part")));
    let open = query.open.as_deref() == Some("true");
    Ok(HttpResponse::Ok().json(queries::comments_of(&state, seen.id, part.transpose()?, open, &page).await?))
}

/// Comment on a part
#[utoipa::path(post, path = "/case-studies/{slug}/comments", tag = "case-studies", operation_id = "create_study_comment", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CommentBody,
    responses((status = 201, body = CommentView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<CommentBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let parent = value.parent_id.map(|parent| parent.parse::<Id>()).transpose();
    let new = NewComment {
        part: value.part,
        parent: parent.map_err(|_| AppError::field("parent_id", "is the first comment of a thread"))?.map(|id| id.0),
        quote: value.quote,
        body: value.body,
        confirmed: value.confirmed,
    };
    actions::add_comment_once(&state, &me, &slug, &new, once).await
}

/// Change one's own comment
#[utoipa::path(patch, path = "/case-studies/{slug}/comments/{id}", tag = "case-studies", operation_id = "change_study_comment", params(("slug" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = CommentPatch,
    responses((status = 200, body = CommentView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: Json<CommentPatch>,
) -> Result<HttpResponse> {
    let (of, id) = (body.value, id_of(&path.1)?);
    let if_match = IfMatch::of(&req)?;
    let view = actions::edit_comment(&state, &me, &path.0, id, &of.body, of.confirmed, if_match).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Delete a comment: one's own, or as a reviewer
#[utoipa::path(delete, path = "/case-studies/{slug}/comments/{id}", tag = "case-studies", operation_id = "delete_study_comment", params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::delete_comment(&state, &me, &path.0, id_of(&path.1)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Resolve a thread
#[utoipa::path(put, path = "/case-studies/{slug}/comments/{id}/resolved", tag = "case-studies", operation_id = "resolve_study_comment", params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn resolve(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::set_resolved(&state, &me, &path.0, id_of(&path.1)?, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Open a resolved thread again
#[utoipa::path(delete, path = "/case-studies/{slug}/comments/{id}/resolved", tag = "case-studies", operation_id = "reopen_study_comment", params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn reopen(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::set_resolved(&state, &me, &path.0, id_of(&path.1)?, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
