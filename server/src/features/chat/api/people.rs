//! People of rooms, direct conversations, blocks, presence.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Target, id_of};
use crate::app::AppState;
use crate::entities::kinds::Availability;
use crate::features::chat::actions;
use crate::features::chat::model::{RoomPerson, RoomRow, RoomView};
use crate::features::chat::queries;
use crate::web::error::{Problem, Result};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::Member;

/// Whom to talk to.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct DirectBody {
    /// 1 to 19 others.
    #[schema(min_items = 1, max_items = 19)]
    handles: Vec<String>,
}

/// What others see of one's presence.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct AvailabilityBody {
    availability: Availability,
}

/// Those let into a private room, those of a direct conversation, or those who follow an open room
#[utoipa::path(get, path = "/rooms/{id}/members", tag = "chat", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<RoomPerson>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn members(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id.0).await?;
    Ok(HttpResponse::Ok().json(queries::people_of_room(&state, room.ground.id, &page).await?))
}

/// Let somebody into a private room
#[utoipa::path(put, path = "/rooms/{id}/members/{handle}", tag = "chat", params(("id" = String, Path), ("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn add(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, handle) = path.into_inner();
    actions::add_person(&state, &me, id_of(&id)?, &handle).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take somebody out of a private room, or oneself
#[utoipa::path(delete, path = "/rooms/{id}/members/{handle}", tag = "chat", params(("id" = String, Path), ("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn remove(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, handle) = path.into_inner();
    actions::remove_person(&state, &me, id_of(&id)?, &handle).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Open the conversation with these people; 200 if there is one
#[utoipa::path(post, path = "/direct", tag = "chat", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = DirectBody,
    responses((status = 201, body = RoomView, headers(("Location" = String))), (status = 200, body = RoomView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn open_direct(
    state: web::Data<AppState>,
    me: Member,
    body: Json<DirectBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    actions::open_direct_once(&state, &me, &value.handles, once).await
}

/// One's direct conversations, the newest first
#[utoipa::path(get, path = "/direct", tag = "chat", params(PageQuery),
    responses((status = 200, body = Page<RoomRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn directs(
    state: web::Data<AppState>,
    me: Member,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(queries::followed_page(&state, &me, true, &page).await?))
}

/// Hear no more from a member
#[utoipa::path(put, path = "/members/{handle}/block", tag = "chat", params(("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn block(state: web::Data<AppState>, me: Member, handle: web::Path<String>) -> Result<HttpResponse> {
    actions::set_block(&state, &me, &handle, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hear from a member again
#[utoipa::path(delete, path = "/members/{handle}/block", tag = "chat", params(("handle" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unblock(state: web::Data<AppState>, me: Member, handle: web::Path<String>) -> Result<HttpResponse> {
    actions::set_block(&state, &me, &handle, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whom one blocks, the latest first
#[utoipa::path(get, path = "/me/blocks", tag = "chat", params(PageQuery),
    responses((status = 200, body = Page<RoomPerson>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn blocks(
    state: web::Data<AppState>,
    me: Member,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(queries::blocks(&state, &me, &page).await?))
}

/// Say what others see of one's presence
#[utoipa::path(put, path = "/me/availability", tag = "chat",
    request_body = AvailabilityBody,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn set_availability(
    state: web::Data<AppState>,
    me: Member,
    body: Json<AvailabilityBody>,
) -> Result<HttpResponse> {
    actions::set_availability(&state, &me, body.value.availability).await?;
    Ok(HttpResponse::NoContent().finish())
}
