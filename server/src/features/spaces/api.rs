//! JSON handlers for spaces; those for the people in them are in `api_people`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::actions::{Changes, Draft, change_space, make_space};
use super::inside;
use super::model::{NewSpace, SpaceChange, SpaceView};
use super::policy::Access;
use super::queries;
use crate::app::AppState;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{self, IfMatch};
use crate::web::idempotency::{Answer, write_once};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Make a space. Its maker becomes its owner.
#[utoipa::path(
    post, path = "/spaces", tag = "spaces", request_body = NewSpace,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key again has one effect")),
    responses(
        (status = 201, description = "The space", body = SpaceView),
        (status = 400, body = Problem, description = "Not JSON"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Only facilitators make spaces here"),
        (status = 409, body = Problem, description = "The address is taken, or a finding to confirm"),
        (status = 413, body = Problem, description = "Too large"),
        (status = 415, body = Problem, description = "Not application/json"),
        (status = 422, body = Problem, description = "Fields with errors"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn create(state: Data<AppState>, me: Member, input: Json<NewSpace>) -> Result<HttpResponse> {
    let draft = Draft::of(&input.value)?;
    let members_make = state.settings.current(&state).await?.members_make_spaces;
    let (by, epoch) = (me.id, state.epoch.clone());
    write_once(&state, me.id, input.once, async move |tx| {
        let row = make_space(tx, by, members_make, &draft).await?;
        let at = super::model::At { head: 1, epoch: &epoch };
        let role = Some(crate::entities::kinds::SpaceRole::Owner);
        let view = SpaceView::of(&row, role, Access::Own, Some(at), false);
        let answer = Answer::created(format!("/api/v1/spaces/{}", row.slug), &view, Some(row.id))?;
        Ok(answer.with_etag(etag::of_version(row.version)))
    })
    .await
}

/// The spaces the viewer may see, newest first.
#[utoipa::path(
    get, path = "/spaces", tag = "spaces", params(PageQuery),
    responses(
        (status = 200, description = "A page of spaces", body = Page<SpaceView>),
        (status = 401, body = Problem, description = "The token is not good"),
        (status = 422, body = Problem, description = "Limit or cursor"),
    ),
)]
pub async fn list(state: Data<AppState>, viewer: Viewer, query: Query<PageQuery>) -> Result<HttpResponse> {
    let page = queries::visible_spaces(&state, &viewer, query.after()?, query.limit()?).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// One space. At the door of a private one: name, description and visibility alone.
#[utoipa::path(
    get, path = "/spaces/{slug}", tag = "spaces", params(("slug" = String, Path)),
    responses(
        (status = 200, description = "The space", body = SpaceView),
        (status = 401, body = Problem, description = "The token is not good"),
        (status = 404, body = Problem, description = "Hidden or absent"),
    ),
)]
pub async fn get(state: Data<AppState>, viewer: Viewer, slug: Path<String>) -> Result<HttpResponse> {
    let (id, access) = seen(&state, &viewer, &slug).await?;
    let view = queries::view(&state, &viewer, id, access).await?;
    let mut response = HttpResponse::Ok();
    if let Some(version) = view.version {
        response.insert_header(("ETag", etag::of_version(version)));
    }
    Ok(response.json(view))
}

/// A space and how far the viewer gets; those asked in stand at the door of what is hidden else.
pub(super) async fn seen(state: &AppState, viewer: &Viewer, slug: &str) -> Result<(i64, Access)> {
    match state.spaces.find(state, viewer, slug).await {
        Ok((space, access)) => Ok((space.id, access)),
        Err(AppError::NotFound) => {
            let me = viewer.member().ok_or(AppError::NotFound)?;
            let found = inside::whatever(state.store.read(), me.id, slug).await?;
            if found.invited.is_some() { Ok((found.space.id, Access::Door)) } else { Err(AppError::NotFound) }
        }
        Err(error) => Err(error),
    }
}

/// Change a space; its owners.
#[utoipa::path(
    patch, path = "/spaces/{slug}", tag = "spaces", request_body = SpaceChange,
    params(("slug" = String, Path), ("If-Match" = Option<String>, Header, description = "The version that was read")),
    responses(
        (status = 200, description = "The space", body = SpaceView),
        (status = 400, body = Problem, description = "Not JSON"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not an owner, or archived"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 409, body = Problem, description = "A finding to confirm"),
        (status = 412, body = Problem, description = "Changed meanwhile"),
        (status = 413, body = Problem, description = "Too large"),
        (status = 415, body = Problem, description = "Not application/json"),
        (status = 422, body = Problem, description = "Fields with errors"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn change(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    input: Json<SpaceChange>,
) -> Result<HttpResponse> {
    let seen = IfMatch::of(&req)?;
    // Who may not see the space hears nothing of what its fields may hold.
    state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?.1.own()?;
    let changes = Changes::of(&state, input.value).await?;
    let (by, slug) = (me.id, slug.into_inner());
    let inside = state.store.write(async move |tx| change_space(tx, by, &slug, seen, &changes).await).await?;
    let head = state.heads.current(state.store.read(), crate::streams::Stream::space(inside.space.id)).await?;
    let at = super::model::At { head, epoch: &state.epoch };
    let view = SpaceView::of(&inside.space, inside.role, inside.access, Some(at), false);
    Ok(HttpResponse::Ok().insert_header(("ETag", etag::of_version(inside.space.version))).json(view))
}

/// An identifier of a path; another text is nobody's.
pub(super) fn id(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}
