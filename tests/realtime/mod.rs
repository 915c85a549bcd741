//! Streams and sockets.

mod drill;
mod journeys;
mod reaching;
mod recovery;
mod rooms;
mod slow;
mod topic;
mod typing;
