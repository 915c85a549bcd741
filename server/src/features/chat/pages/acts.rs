//! The small acts on messages and rooms. A script gets 204 and asks for what changed, a form goes
//! back to where it was.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{by_fetch, id_in};
use crate::app::AppState;
use crate::entities::kinds::{Availability, RoomKind};
use crate::features::chat::actions::{self, Setting};
use crate::features::chat::queries;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{local_path, see_other};
use crate::web::viewer::Member;

/// `?undo=1` takes an act back.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActQuery {
    undo: Option<String>,
}

impl ActQuery {
    pub fn on(&self) -> bool {
        self.undo.as_deref() != Some("1")
    }
}

type State = web::Data<AppState>;
type Query = web::Query<ActQuery>;

fn back(req: &HttpRequest, path: &str) -> HttpResponse {
    if by_fetch(req) { HttpResponse::NoContent().finish() } else { see_other(path) }
}

fn to_message(req: &HttpRequest, id: i64) -> HttpResponse {
    back(req, &format!("/messages/{}", Id(id)))
}

/// `POST /messages/{id}/reactions`
pub async fn react(req: HttpRequest, state: State, me: Member, query: Query, sent: Form) -> Result<HttpResponse> {
    let id = id_in(&req, "id")?;
    actions::set_reaction(&state, &me, id, sent.get("emoji"), query.on()).await?;
    Ok(to_message(&req, id))
}

/// `POST /messages/{id}/pin`
pub async fn pin(req: HttpRequest, state: State, me: Member, query: Query, _sent: Form) -> Result<HttpResponse> {
    let id = id_in(&req, "id")?;
    actions::set_pinned(&state, &me, id, query.on()).await?;
    Ok(to_message(&req, id))
}

/// `POST /messages/{id}/delete`
pub async fn delete(req: HttpRequest, state: State, me: Member, _sent: Form) -> Result<HttpResponse> {
    let id = id_in(&req, "id")?;
    actions::delete_message(&state, &me, id, IfMatch::default()).await?;
    Ok(to_message(&req, id))
}

/// Back to a room, or to its settings where the form stood there.
async fn to_room(req: &HttpRequest, state: &AppState, me: &Member, room: i64, sent: &Form) -> Result<HttpResponse> {
    match queries::find_room(state, me, room).await {
        Ok(found) => {
            let path = queries::view_of(state, &found).await?.path();
            let more = if sent.get("next") == "settings" { "/settings" } else { "" };
            Ok(back(req, &format!("{path}{more}")))
        }
        // A private room that was left does not exist any more.
        Err(AppError::NotFound) => Ok(see_other("/rooms")),
        Err(error) => Err(error),
    }
}

/// `POST /rooms/{id}/read`: everything that is there now.
pub async fn read(req: HttpRequest, state: State, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    actions::mark_read(&state, me.id, room.ground.id, room.head).await?;
    to_room(&req, &state, &me, room.ground.id, &sent).await
}

/// `POST /rooms/{id}/follow`
pub async fn follow(req: HttpRequest, state: State, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = id_in(&req, "id")?;
    actions::follow(&state, &me, room).await?;
    to_room(&req, &state, &me, room, &sent).await
}

/// `POST /rooms/{id}/leave`: an open room is followed no longer, a private one is left.
pub async fn leave(req: HttpRequest, state: State, me: Member, _sent: Form) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    match room.ground.standing.kind {
        RoomKind::Private => actions::remove_person(&state, &me, room.ground.id, &me.handle).await?,
        RoomKind::Open | RoomKind::Direct => actions::unfollow(&state, &me, room.ground.id).await?,
    }
    Ok(see_other("/rooms"))
}

/// `POST /rooms/{id}/favourite`
pub async fn favourite(req: HttpRequest, state: State, me: Member, query: Query, sent: Form) -> Result<HttpResponse> {
    let room = id_in(&req, "id")?;
    actions::set_mine(&state, &me, room, Setting { favourite: Some(query.on()), ..Setting::default() }).await?;
    to_room(&req, &state, &me, room, &sent).await
}

/// `POST /rooms/{id}/mute`
pub async fn mute(req: HttpRequest, state: State, me: Member, query: Query, sent: Form) -> Result<HttpResponse> {
    let room = id_in(&req, "id")?;
    actions::set_mine(&state, &me, room, Setting { muted: Some(query.on()), ..Setting::default() }).await?;
    to_room(&req, &state, &me, room, &sent).await
}

/// `POST /people/{handle}/block`
pub async fn block(req: HttpRequest, state: State, me: Member, query: Query, _sent: Form) -> Result<HttpResponse> {
    let handle = req.match_info().get("handle").unwrap_or_default();
    actions::set_block(&state, &me, handle, query.on()).await?;
    Ok(see_other(&format!("/people/{handle}")))
}

/// `POST /settings/availability`
pub async fn availability(state: State, me: Member, sent: Form) -> Result<HttpResponse> {
    let shown = Availability::parse(sent.get("availability"))
        .ok_or_else(|| AppError::field("availability", "is online, away or do_not_disturb"))?;
    actions::set_availability(&state, &me, shown).await?;
    Ok(see_other(local_path(sent.get("next"))))
}
