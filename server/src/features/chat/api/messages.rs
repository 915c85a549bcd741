//! `/rooms/{id}/messages` and `/messages/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Target, id_of};
use crate::app::AppState;
use crate::features::chat::actions;
use crate::features::chat::model::{MessageRevision, MessageView, MessagesPage};
use crate::features::chat::queries::{self, Bound, Which};
use crate::features::chat::sending::{self, NewMessage};
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::Member;

/// A new message.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct MessageBody {
    /// Markdown, at most 8,000 characters.
    #[schema(max_length = 8_000)]
    body: String,
    /// The sender's own name for it, 1 to 64 characters: the same one again is the same message.
    #[schema(max_length = 64)]
    client_id: String,
    /// The message of this room that is answered.
    reply_to: Option<String>,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    confirmed: bool,
}

/// What of a message becomes new.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct MessagePatch {
    #[schema(max_length = 8_000)]
    body: String,
    #[serde(default)]
    confirmed: bool,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PurgeBody {
    /// For the log, at most 255 characters.
    #[schema(max_length = 255)]
    reason: String,
}

/// Which messages; at most one of `before`, `after` and `around`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesQuery {
    /// Those older than this seq.
    before: Option<String>,
    /// Those newer than this seq.
    after: Option<String>,
    /// The message with this seq, and those on both sides of it.
    around: Option<String>,
    /// The thread of this message alone.
    thread: Option<String>,
    /// `true`: only those that are in no thread.
    roots: Option<String>,
}

impl MessagesQuery {
    fn which(&self) -> Result<Which> {
        if let Some(thread) = self.thread.as_deref().filter(|text| !text.is_empty()) {
            let thread = id_of(thread).map_err(|_| AppError::field("thread", "is a message of this room"))?;
            return Ok(Which::Thread(thread));
        }
        match self.roots.as_deref() {
            None | Some("" | "false") => Ok(Which::All),
            Some("true") => Ok(Which::Roots),
            Some(_) => Err(AppError::field("roots", "is true or false")),
        }
    }

    fn bound(&self, cursor: Option<&str>) -> Result<Bound> {
        let seq = |field: &'static str, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            let seq = text
                .map(|text| text.parse::<i64>().ok().filter(|seq| *seq >= 0))
                .map(|seq| seq.ok_or_else(|| AppError::field(field, "is a seq")));
            seq.transpose()
        };
        let given = [
            seq("before", &self.before)?.map(Bound::Before),
            seq("after", &self.after)?.map(Bound::After),
            seq("around", &self.around)?.map(Bound::Around),
        ];
        let mut given = given.into_iter().flatten();
        let (first, second) = (given.next(), given.next());
        if second.is_some() {
            return Err(AppError::field("before", "goes with neither after nor around"));
        }
        match cursor.filter(|cursor| !cursor.is_empty()) {
            Some(cursor) => Bound::of_cursor(cursor),
            None => Ok(first.unwrap_or(Bound::Newest)),
        }
    }
}

/// Messages of a room, ascending by seq; the newest when no bound is given
#[utoipa::path(get, path = "/rooms/{id}/messages", tag = "chat", params(("id" = String, Path), MessagesQuery, PageQuery),
    responses((status = 200, body = MessagesPage), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    query: web::Query<MessagesQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id.0).await?;
    let (which, limit) = (query.which()?, page.limit()?);
    let bound = query.bound(page.cursor.as_deref())?;
    Ok(HttpResponse::Ok().json(queries::messages(&state, &room, which, bound, limit).await?))
}

/// Send a message; 200 with the first one if its client_id was used before
#[utoipa::path(post, path = "/rooms/{id}/messages", tag = "chat", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = MessageBody,
    responses((status = 201, body = MessageView, headers(("Location" = String), ("ETag" = String))), (status = 200, body = MessageView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<MessageBody>,
) -> Result<HttpResponse> {
    let Json { value: of, once } = body;
    let reply_to = sending::parse_reply(of.reply_to.as_deref())?;
    let new = NewMessage { body: of.body, client_id: of.client_id, reply_to, confirmed: of.confirmed };
    queries::find_room(&state, &me, id.0).await?;
    let outgoing = sending::prepare(&state, me.id, id.0, &new).await?;
    if once.is_some() {
        return sending::send_once(&state, outgoing, once).await;
    }
    let sent = state.sender.submit(outgoing)?.await?;
    Ok(sending::answer(&sent)?.respond())
}

/// A message
#[utoipa::path(get, path = "/messages/{id}", tag = "chat", params(("id" = String, Path)),
    responses((status = 200, body = MessageView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn get(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    let (view, _) = queries::find_message(&state, &me, id.0).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a message: its author
#[utoipa::path(patch, path = "/messages/{id}", tag = "chat", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = MessagePatch,
    responses((status = 200, body = MessageView, headers(("ETag" = String))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<MessagePatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    queries::find_message(&state, &me, id.0).await?;
    actions::edit_message(&state, &me, id.0, &of.body, of.confirmed, IfMatch::of(&req)?).await?;
    get(state, me, id).await
}

/// Delete a message: its author or a moderator
#[utoipa::path(delete, path = "/messages/{id}", tag = "chat", params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    id: Target,
) -> Result<HttpResponse> {
    actions::delete_message(&state, &me, id.0, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a message said before, the newest first
#[utoipa::path(get, path = "/messages/{id}/revisions", tag = "chat", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<MessageRevision>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn revisions(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(queries::revisions(&state, &me, id.0, &page).await?))
}

/// Remove the text of a message for good: moderators
#[utoipa::path(post, path = "/messages/{id}/purge", tag = "chat", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PurgeBody,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn purge(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<PurgeBody>,
) -> Result<HttpResponse> {
    // Purging twice is purging once: the key needs no row.
    actions::purge_message(&state, &me, id.0, &body.value.reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The pinned messages of a room, the latest pinned first; at most 100
#[utoipa::path(get, path = "/rooms/{id}/pins", tag = "chat", params(("id" = String, Path)),
    responses((status = 200, body = Page<MessageView>), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn pins(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id.0).await?;
    let items = queries::pins(&state, room.ground.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
