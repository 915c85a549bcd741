//! `/rooms`, `/spaces/{slug}/rooms`, and what a room is to oneself.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Target, id_of};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::chat::actions::{self, NewRoom, RoomChange, Setting, TopicWish};
use crate::features::chat::model::{MyRoom, RoomRow, RoomView};
use crate::features::chat::queries;
use crate::features::forum::model::{TopicRow, TopicView};
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// A new room.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RoomBody {
    /// Its address in the space: `[a-z0-9][a-z0-9_-]{1,59}`.
    slug: String,
    /// At most 200 characters.
    #[schema(max_length = 200)]
    name: String,
    /// What it is for, at most 255 characters.
    #[serde(default)]
    #[schema(max_length = 255)]
    purpose: String,
    /// Only for those who are let in.
    #[serde(default)]
    private: bool,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    confirmed: bool,
}

/// What of a room becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RoomPatch {
    #[schema(max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 255)]
    purpose: Option<String>,
    /// An archived room is read, not written.
    archived: Option<bool>,
    /// Another address within the space.
    #[schema(max_length = 60)]
    slug: Option<String>,
    /// Only for those who are let in; those who follow it stay. Once somebody else has written in a
    /// private room, only a moderator who is in it can open it.
    private: Option<bool>,
    #[serde(default)]
    confirmed: bool,
}

/// What one sets for a room; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct MinePatch {
    muted: Option<bool>,
    favourite: Option<bool>,
}

/// How far one has read.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ReadBody {
    /// The newest seq that was read; what lies beyond the head counts as the head.
    #[schema(minimum = 0)]
    seq: i64,
}

/// A topic to be made of messages.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TopicOfMessages {
    /// Ids of 1 to 50 messages of the room.
    #[schema(min_items = 1, max_items = 50)]
    messages: Vec<String>,
    #[schema(max_length = 200)]
    title: String,
    kind: TopicKind,
    #[serde(default)]
    #[schema(max_items = 8)]
    tags: Vec<String>,
    #[serde(default)]
    confirmed: bool,
}

/// The rooms one follows, direct conversations among them, the newest room first
#[utoipa::path(get, path = "/rooms", tag = "chat", params(PageQuery),
    responses((status = 200, body = Page<RoomRow>), (status = 401, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn followed(
    state: web::Data<AppState>,
    me: Member,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(queries::followed_page(&state, &me, false, &page).await?))
}

/// Rooms of a space, the newest first
#[utoipa::path(get, path = "/spaces/{slug}/rooms", tag = "chat", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<RoomRow>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn of_space(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.read()?;
    Ok(HttpResponse::Ok().json(queries::rooms_of_space(&state, &me, space.id, &page).await?))
}

/// Make a room
#[utoipa::path(post, path = "/spaces/{slug}/rooms", tag = "chat", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RoomBody,
    responses((status = 201, body = RoomView, headers(("Location" = String), ("ETag" = String))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<RoomBody>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    access.read()?;
    let Json { value: of, once } = body;
    let new =
        NewRoom { slug: of.slug, name: of.name, purpose: of.purpose, private: of.private, confirmed: of.confirmed };
    actions::create_room_once(&state, &me, space.id, &new, once).await
}

/// A room
#[utoipa::path(get, path = "/rooms/{id}", tag = "chat", params(("id" = String, Path)),
    responses((status = 200, body = RoomView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id.0).await?;
    let view = queries::view_of(&state, &room).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a room: who made it, or a moderator
#[utoipa::path(patch, path = "/rooms/{id}", tag = "chat", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = RoomPatch,
    responses((status = 200, body = RoomView, headers(("ETag" = String))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<RoomPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let RoomPatch { name, purpose, archived, slug, private, confirmed } = of;
    let change = RoomChange { name, purpose, archived, slug, private, confirmed };
    actions::change_room(&state, &me, id.0, &change, IfMatch::of(&req)?).await?;
    get(state, me, id).await
}

/// Follow a room: it stands in the sidebar with its counts
#[utoipa::path(put, path = "/rooms/{id}/follow", tag = "chat", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn follow(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::follow(&state, &me, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer follow an open room
#[utoipa::path(delete, path = "/rooms/{id}/follow", tag = "chat", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unfollow(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::unfollow(&state, &me, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mute a room or make it a favourite; follows it by that
#[utoipa::path(patch, path = "/rooms/{id}/mine", tag = "chat", params(("id" = String, Path)),
    request_body = MinePatch,
    responses((status = 200, body = MyRoom), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch_mine(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<MinePatch>,
) -> Result<HttpResponse> {
    let setting = Setting { muted: body.value.muted, favourite: body.value.favourite };
    actions::set_mine(&state, &me, id.0, setting).await?;
    let room = queries::find_room(&state, &me, id.0).await?;
    Ok(HttpResponse::Ok().json(queries::view_of(&state, &room).await?.mine))
}

/// Say how far one has read; the marker only moves forward
#[utoipa::path(put, path = "/rooms/{id}/read", tag = "chat", params(("id" = String, Path)),
    request_body = ReadBody,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn read(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<ReadBody>,
) -> Result<HttpResponse> {
    actions::mark_read(&state, me.id, id.0, body.value.seq).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make a topic of messages of an open room
#[utoipa::path(post, path = "/rooms/{id}/topics", tag = "chat", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = TopicOfMessages,
    responses((status = 201, body = TopicView, headers(("Location" = String), ("ETag" = String))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn make_topic(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<TopicOfMessages>,
) -> Result<HttpResponse> {
    let Json { value: of, once } = body;
    let messages = of.messages.iter().map(|id| id_of(id)).collect::<Result<Vec<_>>>();
    let messages = messages.map_err(|_| AppError::field("messages", "names messages of this room"))?;
    let wish = TopicWish { messages, title: of.title, kind: of.kind, tags: of.tags, confirmed: of.confirmed };
    actions::make_topic_once(&state, &me, id.0, &wish, once).await
}

/// Topics that were made of a room's messages, the latest first; at most 100
#[utoipa::path(get, path = "/rooms/{id}/topics", tag = "chat", params(("id" = String, Path)),
    responses((status = 200, body = Page<TopicRow>), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn topics(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id.0).await?;
    let items = queries::room_topics(&state, room.ground.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
