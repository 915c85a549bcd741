//! Every select of chat, each from what its viewer may see.
//!
//! Invariant: a page takes a fixed number of statements, whatever its room's size, and starts at
//! a place in an index, never at an offset. Heads are read before rows.

mod messages;
mod pages;
mod people;
mod rooms;
mod rows;
mod side;

pub(super) use messages::messages_by_ids;
pub use messages::{Bound, Which, day, find_message, messages, my_reactions, pins, revisions, seq_at};
pub use pages::{has_blocked, last_before, messages_in};
pub use people::{blocks, people_of_room, room_topics};
pub use rooms::{
    FoundRoom, by_slug, directs, find_room, followed, followed_ids, followed_page, rooms_of_space, view_of,
};
pub(super) use rooms::{room_in, view_in};
pub use side::side;
