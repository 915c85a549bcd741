//! `/spaces/{slug}/resources`, `/resources`, `/resources/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::Target;
use super::bodies::{self, ResourceBody};
use crate::app::AppState;
use crate::entities::kinds::{ResourceForm, ResourceKind, Stage};
use crate::features::library::actions::{self, Content, NewResource};
use crate::features::library::files::room_left;
use crate::features::library::model::{ResourceRow, ResourceView};
use crate::features::library::queries::{self, Filter, Sort};
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::Once;
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Which resources.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ResourcesQuery {
    /// `file`, `link` or `note`.
    form: Option<String>,
    /// A kind such as `guidance`.
    kind: Option<String>,
    /// `understand`, `develop` or `adopt`.
    stage: Option<String>,
    tag: Option<String>,
    topic: Option<String>,
    /// Handle of who shared it.
    author: Option<String>,
    /// `true`: those whose review is due; `false`: the others.
    stale: Option<String>,
    /// `new` (the default), `updated`, `downloads` or `endorsed`.
    sort: Option<String>,
}

impl ResourcesQuery {
    fn filter(self, space: Option<i64>) -> Result<Filter> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        fn word<T>(field: &'static str, text: Option<String>, parse: fn(&str) -> Option<T>) -> Result<Option<T>> {
            let wrong = || AppError::field(field, "is none that there is");
            text.filter(|text| !text.is_empty()).map(|text| parse(&text).ok_or_else(wrong)).transpose()
        }
        let plain = |field: &'static str, text: Option<String>| match some(text) {
            // PostgreSQL takes no NUL in a text.
            Some(text) if text.contains('\0') || text.len() > 400 => {
                Err(AppError::field(field, "is none that there is"))
            }
            text => Ok(text),
        };
        Ok(Filter {
            space,
            form: word("form", self.form, ResourceForm::parse)?,
            kind: word("kind", self.kind, ResourceKind::parse)?,
            stage: word("stage", self.stage, Stage::parse)?,
            tag: plain("tag", self.tag)?,
            topic: plain("topic", self.topic)?,
            author: plain("author", self.author)?,
            stale: match some(self.stale).as_deref() {
                None => None,
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some(_) => return Err(AppError::field("stale", "is true or false")),
            },
            sort: Sort::parse(self.sort.as_deref())?,
        })
    }
}

/// Resources of a space
#[utoipa::path(get, path = "/spaces/{slug}/resources", tag = "library", params(("slug" = String, Path), ResourcesQuery, PageQuery),
    responses((status = 200, body = Page<ResourceRow>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn of_space(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    query: web::Query<ResourcesQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &slug).await?;
    access.read()?;
    let filter = query.into_inner().filter(Some(space.id))?;
    Ok(HttpResponse::Ok().json(queries::list(&state, &viewer, &filter, &page).await?))
}

/// Resources of all spaces that one may read
#[utoipa::path(get, path = "/resources", tag = "library", params(ResourcesQuery, PageQuery),
    responses((status = 200, body = Page<ResourceRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn everywhere(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<ResourcesQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filter = query.into_inner().filter(None)?;
    Ok(HttpResponse::Ok().json(queries::list(&state, &viewer, &filter, &page).await?))
}

/// Resources whose review is due and that one answers for, the longest due first
#[utoipa::path(get, path = "/me/reviews", tag = "library", params(PageQuery),
    responses((status = 200, body = Page<ResourceRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn due(state: web::Data<AppState>, me: Member, page: web::Query<PageQuery>) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    Ok(HttpResponse::Ok().json(queries::due_for(&state, &me, &viewer, &page).await?))
}

/// Share a file, a link or a note
#[utoipa::path(post, path = "/spaces/{slug}/resources", tag = "library", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body(content((ResourceBody = "application/json"), (bodies::ResourceForm = "multipart/form-data"))),
    responses((status = 201, body = ResourceView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let (space, access) = state.spaces.find(&state, &viewer, &slug).await?;
    // Before a long file is read for nothing.
    access.write(&viewer, &space)?;
    let room = room_left(state.store.read(), me.id).await?;
    let sent = bodies::sent(&req, payload, &state, room).await?;
    let new = NewResource { fields: sent.fields, content: sent.content };
    actions::create_once(&state, &me, &space, &new, sent.once).await
}

/// A resource with all its fields
#[utoipa::path(get, path = "/resources/{id}", tag = "library", params(("id" = String, Path)),
    responses((status = 200, body = ResourceView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, viewer: Viewer, id: Target) -> Result<HttpResponse> {
    let (view, _) = queries::view(&state, &viewer, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a resource. A `url` or `body` makes a new version
#[utoipa::path(patch, path = "/resources/{id}", tag = "library", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ResourceBody,
    responses((status = 200, body = ResourceView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<ResourceBody>,
) -> Result<HttpResponse> {
    let (fields, content): (_, Option<Content>) = body.value.parts()?;
    actions::edit(&state, &me, id.0, &fields, content.as_ref(), IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), id).await
}

/// Delete a resource
#[utoipa::path(delete, path = "/resources/{id}", tag = "library", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::delete(&state, &me, id.0, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Bring a deleted resource back
#[utoipa::path(post, path = "/resources/{id}/restore", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn restore(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::restore_once(&state, &me, id.0, Once::of(&req, b"")?).await
}

/// Endorse a resource with what one is
#[utoipa::path(put, path = "/resources/{id}/endorsement", tag = "library", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn endorse(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_endorsement(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an endorsement back
#[utoipa::path(delete, path = "/resources/{id}/endorsement", tag = "library", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unendorse(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_endorsement(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Open a topic about a resource that has none; the topic it has, else
#[utoipa::path(post, path = "/resources/{id}/topic", tag = "library", params(("id" = String, Path)),
    responses((status = 200, description = "`{topic_id, url}`"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn discuss(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    let seen = queries::find(&state, &Viewer::Member(me.0.clone()), id.0).await?;
    let topic = Id(actions::discuss(&state, &me, &seen.row).await?);
    let url = format!("/s/{}/t/{topic}", seen.space.slug);
    Ok(HttpResponse::Ok().json(json!({ "topic_id": topic, "url": url })))
}
