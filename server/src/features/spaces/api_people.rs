//! JSON handlers for who belongs to a space.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::api::{id, seen};
use super::membership::{Person, answer_request, decline_invite, join_space, leave_space, remove_member, set_role};
use super::model::{
    EntryView, InviteView, JoinWish, MESSAGE, RequestView, RoleChange, SpaceMemberView, Standing, StandingState,
};
use super::policy::Access;
use super::queries;
use crate::app::AppState;
use crate::entities::kinds::SpaceRole;
use crate::web::checks::{Text, check};
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::json::{Json, MaybeJson};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// Join a space: at once where it is open or restricted, or with an invitation; a private one is
/// asked. An administrator comes in at once, which its owners are shown.
#[utoipa::path(
    post, path = "/spaces/{slug}/join", tag = "spaces", request_body = Option<JoinWish>,
    params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Belongs to it", body = Standing),
        (status = 202, description = "Asked; a moderator answers", body = Standing),
        (status = 400, body = Problem, description = "Not JSON"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Archived"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 409, body = Problem, description = "A finding to confirm"),
        (status = 413, body = Problem, description = "Too large"),
        (status = 415, body = Problem, description = "Not application/json"),
        (status = 422, body = Problem, description = "Fields with errors"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn join(
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    input: MaybeJson<JoinWish>,
) -> Result<HttpResponse> {
    let wish = input.value.unwrap_or_default();
    let texts = check(&[Text::line("message", &wish.message, MESSAGE)], wish.confirmed)?;
    let (person, slug) = (Person::of(&me), slug.into_inner());
    write_once(&state, me.id, input.once, async move |tx| {
        let standing = join_space(tx, &person, &slug, texts.get("message")).await?;
        let status = if standing.state == StandingState::Requested { 202 } else { 200 };
        Answer::ok(status, &standing, None)
    })
    .await
}

/// Leave a space, or take back the wish to join it. The last owner stays.
#[utoipa::path(
    post, path = "/spaces/{slug}/leave", tag = "spaces",
    params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Does not belong to it", body = Standing),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 409, body = Problem, description = "The last owner cannot leave"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn leave(req: HttpRequest, state: Data<AppState>, me: Member, slug: Path<String>) -> Result<HttpResponse> {
    let once = Once::of(&req, b"")?;
    let (person, slug) = (Person::of(&me), slug.into_inner());
    write_once(&state, me.id, once, async move |tx| Answer::ok(200, &leave_space(tx, &person, &slug).await?, None))
        .await
}

/// Filters of a list of members.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemberFilter {
    /// `member`, `moderator` or `owner`.
    pub role: Option<String>,
    /// Part of a name or handle.
    pub q: Option<String>,
}

/// Who belongs to a space, newest first.
#[utoipa::path(
    get, path = "/spaces/{slug}/members", tag = "spaces", params(("slug" = String, Path), PageQuery, MemberFilter),
    responses(
        (status = 200, description = "A page of members", body = Page<SpaceMemberView>),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 422, body = Problem, description = "Limit, cursor or role"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn members(
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    query: Query<PageQuery>,
    filter: Query<MemberFilter>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.read()?;
    let role = match filter.role.as_deref() {
        None | Some("") => None,
        Some(word) => {
            Some(SpaceRole::parse(word).ok_or_else(|| AppError::field("role", "is member, moderator or owner"))?)
        }
    };
    let like: String = filter.q.as_deref().unwrap_or_default().chars().take(60).collect();
    let page = queries::members(state.store.read(), space.id, role, &like, query.after()?, query.limit()?).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Give somebody a role: a member's changes, a wish to join is granted, anybody else is invited.
#[utoipa::path(
    put, path = "/spaces/{slug}/members/{handle}", tag = "spaces", request_body = RoleChange,
    params(("slug" = String, Path), ("handle" = String, Path)),
    responses(
        (status = 200, description = "Belongs to it with this role", body = Standing),
        (status = 202, description = "Invited", body = Standing),
        (status = 400, body = Problem, description = "Not JSON"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not a moderator, not an owner, or archived"),
        (status = 404, body = Problem, description = "No such space or member"),
        (status = 409, body = Problem, description = "A space keeps an owner"),
        (status = 413, body = Problem, description = "Too large"),
        (status = 415, body = Problem, description = "Not application/json"),
        (status = 422, body = Problem, description = "Fields with errors"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn put_member(
    state: Data<AppState>,
    me: Member,
    path: Path<(String, String)>,
    input: Json<RoleChange>,
) -> Result<HttpResponse> {
    let (person, (slug, handle), role) = (Person::of(&me), path.into_inner(), input.value.role);
    let standing = state.store.write(async move |tx| set_role(tx, &person, &slug, &handle, role).await).await?;
    let mut response =
        if standing.state == StandingState::Invited { HttpResponse::Accepted() } else { HttpResponse::Ok() };
    Ok(response.json(standing))
}

/// Take somebody out of a space, or an invitation back.
#[utoipa::path(
    delete, path = "/spaces/{slug}/members/{handle}", tag = "spaces",
    params(("slug" = String, Path), ("handle" = String, Path)),
    responses(
        (status = 204, description = "Does not belong to it"),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not a moderator, or not an owner"),
        (status = 404, body = Problem, description = "No such space or member"),
        (status = 409, body = Problem, description = "A space keeps an owner"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn delete_member(state: Data<AppState>, me: Member, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (person, (slug, handle)) = (Person::of(&me), path.into_inner());
    state.store.write(async move |tx| remove_member(tx, &person, &slug, &handle).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who asks to join, newest first; for moderators.
#[utoipa::path(
    get, path = "/spaces/{slug}/requests", tag = "spaces", params(("slug" = String, Path), PageQuery),
    responses(
        (status = 200, description = "A page of requests", body = Page<RequestView>),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not a moderator"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 422, body = Problem, description = "Limit or cursor"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn requests(
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    query: Query<PageQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.moderate()?;
    let page = queries::requests(state.store.read(), space.id, query.after()?, query.limit()?).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Let somebody in who asked.
#[utoipa::path(
    post, path = "/spaces/{slug}/requests/{id}/accept", tag = "spaces",
    params(("slug" = String, Path), ("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Belongs to it", body = Standing),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not a moderator, or archived"),
        (status = 404, body = Problem, description = "No such space or request"),
        (status = 409, body = Problem, description = "Answered otherwise"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn accept(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    answer(&req, &state, &me, path.into_inner(), true).await
}

/// Say no to somebody who asked.
#[utoipa::path(
    post, path = "/spaces/{slug}/requests/{id}/decline", tag = "spaces",
    params(("slug" = String, Path), ("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Does not belong to it", body = Standing),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not a moderator"),
        (status = 404, body = Problem, description = "No such space or request"),
        (status = 409, body = Problem, description = "Answered otherwise"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn decline(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    answer(&req, &state, &me, path.into_inner(), false).await
}

async fn answer(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    (slug, request): (String, String),
    accept: bool,
) -> Result<HttpResponse> {
    let once = Once::of(req, b"")?;
    let (_, access) = state.spaces.find(state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.moderate()?;
    let (person, request) = (Person::of(me), id(&request)?);
    write_once(state, me.id, once, async move |tx| {
        Answer::ok(200, &answer_request(tx, &person, &slug, request, accept).await?, None)
    })
    .await
}

/// The spaces the viewer is asked into, newest first, a hundred at most.
#[utoipa::path(
    get, path = "/me/invites", tag = "spaces",
    responses(
        (status = 200, description = "The invitations", body = Page<InviteView>),
        (status = 401, body = Problem, description = "Not signed in"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn invites(state: Data<AppState>, me: Member) -> Result<HttpResponse> {
    let items = queries::invites_of(state.store.read(), me.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// Say no to an invitation.
#[utoipa::path(
    post, path = "/spaces/{slug}/invites/decline", tag = "spaces",
    params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "No longer invited", body = Standing),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 404, body = Problem, description = "No such invitation"),
        (status = 429, body = Problem, description = "Too many requests"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn decline_invitation(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
) -> Result<HttpResponse> {
    let once = Once::of(&req, b"")?;
    let (person, slug) = (Person::of(&me), slug.into_inner());
    write_once(&state, me.id, once, async move |tx| Answer::ok(200, &decline_invite(tx, &person, &slug).await?, None))
        .await
}

/// Administrators who came into a private or confidential space without being let in; for its
/// owners, newest first.
#[utoipa::path(
    get, path = "/spaces/{slug}/entries", tag = "spaces", params(("slug" = String, Path), PageQuery),
    responses(
        (status = 200, description = "A page of entries", body = Page<EntryView>),
        (status = 401, body = Problem, description = "Not signed in"),
        (status = 403, body = Problem, description = "Not an owner"),
        (status = 404, body = Problem, description = "Hidden or absent"),
        (status = 422, body = Problem, description = "Limit or cursor"),
    ),
    security(("bearer" = []), ("session" = [])),
)]
pub async fn entries(
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    query: Query<PageQuery>,
) -> Result<HttpResponse> {
    let (id, access) = seen(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    if access < Access::Read {
        return Err(AppError::NotFound);
    }
    access.own()?;
    let page = queries::entries(state.store.read(), id, query.after()?, query.limit()?).await?;
    Ok(HttpResponse::Ok().json(page))
}
