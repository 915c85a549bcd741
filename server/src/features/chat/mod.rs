//! Chat: rooms of a space, open or private, and direct conversations; messages that last.
//!
//! Invariants: a message's seq is that of its `message.posted` in the room's stream. A `client_id`
//! is one message of its author and room, for ever. Who may see a room follows its space; what
//! is withdrawn ends at once. Whatever a viewer may not see is 404.
//!
//! For pages: [`queries`] finds rooms for a viewer (`by_slug`, `find_room`, `rooms_of_space`,
//! `followed`, `directs`, `side` for the sidebar) and reads what is in a found one (`messages`, `thread`,
//! `pins`, `day`, `seq_at`, `people_of_room`, `room_topics`, `my_reactions`). [`actions`] has every
//! write but sending, which is [`send`].

pub mod actions;
mod api;
mod events;
mod ground;
pub mod model;
mod notify;
mod pages;
pub mod policy;
pub mod queries;
mod reported;
mod search;
mod sending;
mod surroundings;

pub use api::{configure as configure_api, openapi};
pub use events::{fill_events, marker_data, room_data};
pub use ground::{Marker, RoomGround};
pub use pages::configure as configure_pages;
pub use queries::{has_blocked, side};
pub use reported::{Reported, remove_reported, reportable, reported, reported_views};
pub use search::{Messages, Rooms};
pub use sending::{Mailbag, NewMessage, Outgoing, Sender, Sent, parse_reply, prepare, preview};
pub use surroundings::{glimpses, may_subscribe, people_shown, shows_files, typist};

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Posts a message and returns once it is durable; a repeat of its `client_id` returns the first.
pub async fn send(state: &AppState, me: &Me, room: i64, new: &NewMessage) -> Result<Sent> {
    let outgoing = prepare(state, me.id, room, new).await?;
    state.sender.submit(outgoing)?.await
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        "chat.notify" => notify::run(state, serde_json::from_str(&job.payload)?).await,
        kind => Err(AppError::internal(format!("no such job: {kind}"))),
    }
}
