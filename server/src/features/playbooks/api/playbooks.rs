//! `/playbooks`, `/playbooks/{slug}`, its people and what waits there.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::given;
use crate::app::AppState;
use crate::entities::kinds::{PlaybookRole, PlaybookVisibility};
use crate::features::playbooks::actions::{self, Cover, NewPlaybook, PlaybookChange};
use crate::features::playbooks::model::{PlaybookPerson, PlaybookRow, PlaybookView, StudyRow};
use crate::features::playbooks::queries;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A new playbook.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PlaybookBody {
    /// `[a-z0-9][a-z0-9_-]{1,59}`
    slug: String,
    #[schema(max_length = 200)]
    title: String,
    /// Pathway or speciality.
    #[serde(default)]
    #[schema(max_length = 200)]
    pathway: String,
    #[serde(default)]
    #[schema(max_length = 255)]
    summary: String,
    /// Markdown.
    #[serde(default)]
    #[schema(max_length = 60_000)]
    introduction: String,
    #[serde(default = "open")]
    visibility: PlaybookVisibility,
    /// Slug of its space; needed for a restricted one.
    space: Option<String>,
    /// What reviewers go through, at most 40 points.
    #[serde(default)]
    checklist: Vec<String>,
    #[serde(default)]
    confirmed: bool,
}

const fn open() -> PlaybookVisibility {
    PlaybookVisibility::Open
}

/// What of a playbook becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PlaybookPatch {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 200)]
    pathway: Option<String>,
    #[schema(max_length = 255)]
    summary: Option<String>,
    #[schema(max_length = 60_000)]
    introduction: Option<String>,
    visibility: Option<PlaybookVisibility>,
    /// Slug; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    space: Option<Option<String>>,
    /// Null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CoverBody>)]
    cover: Option<Option<CoverBody>>,
    checklist: Option<Vec<String>>,
    /// Archived playbooks leave the lists and take no new studies.
    archived: Option<bool>,
    #[serde(default)]
    confirmed: bool,
}

/// The image at its head.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CoverBody {
    /// Of an image that the member has uploaded.
    file_id: String,
    /// What it shows, at most 255 characters.
    #[schema(max_length = 255)]
    alternative: String,
}

impl CoverBody {
    fn cover(self) -> Result<Cover> {
        let file = self
            .file_id
            .parse::<Id>()
            .map_err(|_| AppError::field("cover", "is an image that you have uploaded for it"))?;
        Ok(Cover { file: file.0, alternative: self.alternative })
    }
}

/// Which playbooks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaybooksQuery {
    /// Slug of a space.
    space: Option<String>,
    pathway: Option<String>,
    /// `true`: archived ones too.
    archived: Option<String>,
}

/// Playbooks that one may read, the newest first
#[utoipa::path(get, path = "/playbooks", tag = "playbooks", operation_id = "list_playbooks", params(PlaybooksQuery, PageQuery),
    responses((status = 200, body = Page<PlaybookRow>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<PlaybooksQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let space = match query.space.as_deref().filter(|slug| !slug.is_empty()) {
        Some(slug) => {
            let (space, access) = state.spaces.find(&state, &viewer, slug).await?;
            access.read()?;
            Some(space.id)
        }
        None => None,
    };
    let pathway = query.pathway.as_deref().filter(|text| !text.is_empty());
    let archived = query.archived.as_deref() == Some("true");
    Ok(HttpResponse::Ok().json(queries::list_playbooks(&state, &viewer, space, pathway, archived, &page).await?))
}

/// Make a playbook
#[utoipa::path(post, path = "/playbooks", tag = "playbooks", operation_id = "create_playbook", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = PlaybookBody,
    responses((status = 201, body = PlaybookView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(state: web::Data<AppState>, me: Member, body: Json<PlaybookBody>) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let new = NewPlaybook {
        slug: value.slug,
        title: value.title,
        pathway: value.pathway,
        summary: value.summary,
        introduction: value.introduction,
        visibility: value.visibility,
        space: value.space,
        checklist: value.checklist,
        confirmed: value.confirmed,
    };
    actions::create_playbook_once(&state, &me, &new, once).await
}

/// A playbook with its scenarios
#[utoipa::path(get, path = "/playbooks/{slug}", tag = "playbooks", operation_id = "get_playbook", params(("slug" = String, Path)),
    responses((status = 200, body = PlaybookView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, viewer: Viewer, slug: web::Path<String>) -> Result<HttpResponse> {
    let view = queries::playbook_view(&state, &viewer, &slug).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.row.version))).json(view))
}

/// Change a playbook
#[utoipa::path(patch, path = "/playbooks/{slug}", tag = "playbooks", operation_id = "change_playbook", params(("slug" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = PlaybookPatch,
    responses((status = 200, body = PlaybookView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<PlaybookPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let cover = match of.cover {
        Some(Some(cover)) => Some(Some(cover.cover()?)),
        Some(None) => Some(None),
        None => None,
    };
    let change = PlaybookChange {
        title: of.title,
        pathway: of.pathway,
        summary: of.summary,
        introduction: of.introduction,
        visibility: of.visibility,
        space: of.space,
        cover,
        checklist: of.checklist,
        archived: of.archived,
        confirmed: of.confirmed,
    };
    actions::edit_playbook(&state, &me, &slug, &change, IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), slug).await
}

/// Owners and reviewers of a playbook
#[utoipa::path(get, path = "/playbooks/{slug}/people", tag = "playbooks", operation_id = "list_playbook_people", params(("slug" = String, Path)),
    responses((status = 200, body = Page<PlaybookPerson>), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn people(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
) -> Result<HttpResponse> {
    let book = queries::find_playbook(&state, &viewer, &slug).await?;
    let items = queries::people_of(state.store.read(), book.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// What somebody is to be in a playbook.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PersonBody {
    role: PlaybookRole,
}

/// Make a member an owner or a reviewer
#[utoipa::path(put, path = "/playbooks/{slug}/people/{handle}", tag = "playbooks", operation_id = "put_playbook_person", params(("slug" = String, Path), ("handle" = String, Path)),
    request_body = PersonBody,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn put_person(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: Json<PersonBody>,
) -> Result<HttpResponse> {
    actions::set_person(&state, &me, &path.0, &path.1, body.value.role).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take somebody out of a playbook's people
#[utoipa::path(delete, path = "/playbooks/{slug}/people/{handle}", tag = "playbooks", operation_id = "delete_playbook_person", params(("slug" = String, Path), ("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete_person(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::remove_person(&state, &me, &path.0, &path.1).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Case studies that wait for a review, the longest first; for reviewers
#[utoipa::path(get, path = "/playbooks/{slug}/reviews", tag = "playbooks", operation_id = "list_playbook_reviews", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<StudyRow>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn reviews(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let book = queries::find_playbook(&state, &Viewer::Member(me.0), &slug).await?;
    if !book.standing.reviews() {
        return Err(AppError::Forbidden("Only reviewers of this playbook can do this.".into()));
    }
    Ok(HttpResponse::Ok().json(queries::reviews_of(&state, book.id, &page).await?))
}
