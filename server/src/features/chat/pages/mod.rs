//! The pages of chat. Each works without scripts; an open room asks for parts of itself.
//!
//! Invariant: the partial that shows a message in a page is the one that shows it live.

mod acts;
mod cards;
mod day;
mod direct;
mod forms;
mod head;
mod kept;
mod make_topic;
mod messages;
mod purge;
mod revise;
mod room;
mod rooms;
mod say;
mod settings;
mod thread;

use actix_web::HttpRequest;
use actix_web::web;

use super::queries::{self, FoundRoom};
use crate::app::AppState;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;
use crate::web::viewer::Me;

pub fn configure(cfg: &mut Routes) {
    cfg.route("/rooms", web::get().to(rooms::mine))
        .route("/direct", web::get().to(direct::list))
        .route("/direct", web::post().to(direct::open))
        .route("/s/{slug}/chat", web::get().to(rooms::of_space))
        .route("/s/{slug}/chat", web::post().to(rooms::create))
        .route("/s/{slug}/chat/{room}", web::get().to(room::show))
        .route("/s/{slug}/chat/{room}/thread/{message}", web::get().to(thread::show))
        .route("/s/{slug}/chat/{room}/pins", web::get().to(kept::pins))
        .route("/s/{slug}/chat/{room}/topics", web::get().to(kept::topics))
        .route("/s/{slug}/chat/{room}/day", web::get().to(day::choose))
        .route("/s/{slug}/chat/{room}/day/{day}", web::get().to(day::show))
        .route("/s/{slug}/chat/{room}/settings", web::get().to(settings::form))
        .route("/s/{slug}/chat/{room}/settings", web::post().to(settings::save))
        .route("/s/{slug}/chat/{room}/make-topic", web::get().to(make_topic::form))
        .route("/s/{slug}/chat/{room}/make-topic", web::post().to(make_topic::make))
        .route("/direct/{id}", web::get().to(room::show))
        .route("/direct/{id}/thread/{message}", web::get().to(thread::show))
        .route("/direct/{id}/pins", web::get().to(kept::pins))
        .route("/direct/{id}/topics", web::get().to(kept::topics))
        .route("/direct/{id}/day", web::get().to(day::choose))
        .route("/direct/{id}/day/{day}", web::get().to(day::show))
        .route("/direct/{id}/settings", web::get().to(settings::form))
        .route("/rooms/{id}/messages", web::post().to(say::send))
        .route("/rooms/{id}/read", web::post().to(acts::read))
        .route("/rooms/{id}/follow", web::post().to(acts::follow))
        .route("/rooms/{id}/leave", web::post().to(acts::leave))
        .route("/rooms/{id}/favourite", web::post().to(acts::favourite))
        .route("/rooms/{id}/mute", web::post().to(acts::mute))
        .route("/rooms/{id}/archive", web::post().to(settings::archive))
        .route("/rooms/{id}/members", web::post().to(settings::members))
        .route("/messages/{id}", web::get().to(messages::permalink))
        .route("/messages/{id}/menu", web::get().to(messages::menu))
        .route("/messages/{id}/history", web::get().to(messages::history))
        .route("/messages/{id}/edit", web::get().to(revise::form))
        .route("/messages/{id}/edit", web::post().to(revise::save))
        .route("/messages/{id}/reactions", web::post().to(acts::react))
        .route("/messages/{id}/pin", web::post().to(acts::pin))
        .route("/messages/{id}/delete", web::post().to(acts::delete))
        .route("/messages/{id}/purge", web::get().to(purge::form))
        .route("/messages/{id}/purge", web::post().to(purge::purge))
        .route("/people/{handle}/block", web::post().to(acts::block))
        .route("/settings/availability", web::post().to(acts::availability));
}

/// Whether a script of an open page asks, which wants a part and not the whole.
fn by_fetch(req: &HttpRequest) -> bool {
    req.headers().get("X-Requested-With").is_some_and(|value| value.as_bytes() == b"fetch")
}

fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

/// A part of the path as an id.
fn id_in(req: &HttpRequest, name: &str) -> Result<i64> {
    id_of(req.match_info().get(name).unwrap_or_default())
}

/// The room that a page's address names, by space and slug or by id.
async fn room_of(state: &AppState, me: &Me, req: &HttpRequest) -> Result<FoundRoom> {
    let path = req.match_info();
    match (path.get("slug"), path.get("room")) {
        (Some(space), Some(slug)) => queries::by_slug(state, me, space, slug).await,
        _ => {
            let room = queries::find_room(state, me, id_in(req, "id")?).await?;
            if room.ground.space_id.is_some() {
                return Err(AppError::NotFound);
            }
            Ok(room)
        }
    }
}
