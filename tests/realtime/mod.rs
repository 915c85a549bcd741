//! Streams and sockets.

mod drill;
mod ends;
mod first_frame;
mod full;
mod journeys;
mod let_in;
mod many;
mod reaching;
mod recovery;
mod retention;
mod rooms;
mod rooms_hostile;
mod slow;
mod space;
mod topic;
mod typing;
