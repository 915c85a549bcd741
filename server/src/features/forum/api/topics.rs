//! `/spaces/{slug}/topics`, `/topics`, `/topics/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Target;
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::actions::{self, NewTopic, TopicChange};
use crate::features::forum::model::{TopicRow, TopicView};
use crate::features::forum::queries::{self, Filter, Sort, TopicState};
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::Once;
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A new topic.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TopicBody {
    /// At most 200 characters.
    #[schema(max_length = 200)]
    title: String,
    /// Markdown, at most 60,000 characters.
    #[schema(max_length = 60_000)]
    body: String,
    kind: TopicKind,
    /// At most 8.
    #[serde(default)]
    #[schema(max_items = 8)]
    tags: Vec<String>,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    confirmed: bool,
}

/// What of a topic becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TopicPatch {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 60_000)]
    body: Option<String>,
    kind: Option<TopicKind>,
    #[schema(max_items = 8)]
    tags: Option<Vec<String>>,
    /// Why, for the history.
    #[serde(default)]
    note: String,
    #[serde(default)]
    confirmed: bool,
}

/// Which topics.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TopicsQuery {
    /// `question`, `discussion`, `idea`, `update` or `win`.
    kind: Option<String>,
    tag: Option<String>,
    /// Handle of the author.
    author: Option<String>,
    /// `unanswered`, `answered`, `open` or `closed`.
    state: Option<String>,
    /// `new` (the default), `active` or `top`.
    sort: Option<String>,
}

impl TopicsQuery {
    fn filter(self, space: Option<i64>) -> Result<Filter> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let kind = some(self.kind).map(|kind| {
            TopicKind::parse(&kind)
                .ok_or_else(|| AppError::field("kind", "is question, discussion, idea, update or win"))
        });
        Ok(Filter {
            space,
            kind: kind.transpose()?,
            tag: some(self.tag),
            author: some(self.author),
            state: TopicState::parse(self.state.as_deref())?,
            sort: Sort::parse(self.sort.as_deref(), Sort::New)?,
            without_pinned: false,
        })
    }
}

/// Topics of a space
#[utoipa::path(get, path = "/spaces/{slug}/topics", tag = "forum", params(("slug" = String, Path), TopicsQuery, PageQuery),
    responses((status = 200, body = Page<TopicRow>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn of_space(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    query: web::Query<TopicsQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &slug).await?;
    access.read()?;
    let filter = query.into_inner().filter(Some(space.id))?;
    Ok(HttpResponse::Ok().json(queries::list_topics(&state, &viewer, &filter, &page).await?))
}

/// Topics of all spaces that one may read
#[utoipa::path(get, path = "/topics", tag = "forum", params(TopicsQuery, PageQuery),
    responses((status = 200, body = Page<TopicRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn everywhere(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<TopicsQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filter = query.into_inner().filter(None)?;
    Ok(HttpResponse::Ok().json(queries::list_topics(&state, &viewer, &filter, &page).await?))
}

/// Open a topic
#[utoipa::path(post, path = "/spaces/{slug}/topics", tag = "forum", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = TopicBody,
    responses((status = 201, body = TopicView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<TopicBody>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.read()?;
    let Json { value, once } = body;
    let new = NewTopic {
        title: value.title,
        body: value.body,
        kind: value.kind,
        tags: value.tags,
        confirmed: value.confirmed,
    };
    actions::create_topic_once(&state, &me, space.id, &new, once).await
}

/// A topic with its opening text
#[utoipa::path(get, path = "/topics/{id}", tag = "forum", params(("id" = String, Path)),
    responses((status = 200, body = TopicView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, viewer: Viewer, id: Target) -> Result<HttpResponse> {
    let (view, _) = queries::topic_view(&state, &viewer, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a topic
#[utoipa::path(patch, path = "/topics/{id}", tag = "forum", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = TopicPatch,
    responses((status = 200, body = TopicView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<TopicPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let change = TopicChange {
        title: of.title,
        body: of.body,
        kind: of.kind,
        tags: of.tags,
        note: of.note,
        confirmed: of.confirmed,
    };
    actions::edit_topic(&state, &me, id.0, &change, IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), id).await
}

/// Delete a topic
#[utoipa::path(delete, path = "/topics/{id}", tag = "forum", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::delete_topic(&state, &me, id.0, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Bring a deleted topic back
#[utoipa::path(post, path = "/topics/{id}/restore", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn restore(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::restore_topic_once(&state, &me, id.0, Once::of(&req, b"")?).await
}

/// Pin a topic to the top of its space
#[utoipa::path(put, path = "/topics/{id}/pin", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn pin(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_pinned(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer pin a topic
#[utoipa::path(delete, path = "/topics/{id}/pin", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unpin(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_pinned(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Close a topic to replies
#[utoipa::path(put, path = "/topics/{id}/closed", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn close(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_closed(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Open a closed topic again
#[utoipa::path(delete, path = "/topics/{id}/closed", tag = "forum", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn reopen(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_closed(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
