//! JSON: one's own profile, the directory.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::EntityTrait as _;

use super::actions;
use super::avatar_actions::{self, remove_avatar, set_avatar};
use super::model::{MeView, MemberView, ProfileView};
use super::profile::{self, ProfileInput};
use super::queries::{self, DirectoryQuery};
use crate::app::AppState;
use crate::entities::member;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{self, IfMatch};
use crate::web::json::{self, Json};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// One's own profile.
#[utoipa::path(
    get, path = "/me", tag = "people", operation_id = "show_me",
    responses(
        (status = 200, description = "The profile", body = MeView, headers(("ETag" = String, description = "Its version"))),
        (status = 401, description = "Not signed in", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn show_me(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let db = state.store.read();
    let row = member::Entity::find_by_id(me.id).one(db).await?.ok_or(AppError::NotFound)?;
    Ok(answer(&queries::own_view(db, &row).await?))
}

/// Changes one's own profile; what is absent stays as it is.
#[utoipa::path(
    patch, path = "/me", tag = "people", operation_id = "change_me", request_body = ProfileInput,
    params(("If-Match" = Option<String>, Header, description = "The version that is changed")),
    responses(
        (status = 200, description = "The profile as it is now", body = MeView, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not JSON", body = Problem),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "A cookie without its token", body = Problem),
        (status = 409, description = "A text to look at before it is saved", body = Problem),
        (status = 412, description = "It has changed meanwhile", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 415, description = "Not application/json", body = Problem),
        (status = 422, description = "Wrong fields", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn change_me(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    input: Json<ProfileInput>,
) -> Result<HttpResponse> {
    let if_match = IfMatch::of(&req)?;
    let change = profile::parse(&state, input.value).await?;
    let id = me.id;
    let view = state.store.write(async move |tx| actions::change_profile(tx, id, &change, if_match).await).await?;
    Ok(answer(&view))
}

fn answer(view: &MeView) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, etag::of_version(view.version))).json(view)
}

/// Sets one's picture: PNG, JPEG, WebP or GIF, 5 MB and 8000 by 8000 pixels at most. It is cut
/// square and encoded anew.
#[utoipa::path(
    put, path = "/me/avatar", tag = "people", operation_id = "put_avatar",
    request_body(content = Vec<u8>, content_type = "image/*"),
    responses(
        (status = 204, description = "Set"),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "A cookie without its token", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 415, description = "Not an image of these types", body = Problem),
        (status = 422, description = "An image that cannot be read", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn put_avatar(state: web::Data<AppState>, me: Member, payload: web::Payload) -> Result<HttpResponse> {
    let bytes = json::read(payload.into_inner(), avatar_actions::MOST).await?;
    set_avatar(&state, me.id, bytes).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Goes back to the generated picture.
#[utoipa::path(
    delete, path = "/me/avatar", tag = "people", operation_id = "delete_avatar",
    responses(
        (status = 204, description = "Removed"),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "A cookie without its token", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn delete_avatar(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    remove_avatar(&state, me.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The directory, those who joined last first.
#[utoipa::path(
    get, path = "/members", tag = "people", operation_id = "list_members",
    params(DirectoryQuery, PageQuery),
    responses(
        (status = 200, description = "A page of members", body = Page<MemberView>),
        (status = 400, description = "A query that cannot be read", body = Problem),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 422, description = "A filter, limit or cursor that is none", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn list_members(
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<DirectoryQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let space = query.space(&state, &Viewer::Member(me.0)).await?.map(|space| space.id);
    let order = query.order(queries::Order::New)?;
    let members = queries::list_members(state.store.read(), &query, space, order, &page).await?;
    Ok(HttpResponse::Ok().json(members))
}

/// A member's profile.
#[utoipa::path(
    get, path = "/members/{handle}", tag = "people", operation_id = "show_member",
    params(("handle" = String, Path)),
    responses(
        (status = 200, description = "The profile", body = ProfileView),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 404, description = "No such member", body = Problem),
    ),
    security(("bearer" = []), ("session" = []))
)]
pub async fn show_member(state: web::Data<AppState>, me: Member, path: web::Path<String>) -> Result<HttpResponse> {
    let db = state.store.read();
    let row = queries::find_visible(db, &me, &path).await?;
    let tags = queries::expertise_of(db, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    Ok(HttpResponse::Ok().json(ProfileView::of(&row, tags)))
}
