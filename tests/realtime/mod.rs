//! Streams and sockets.

mod drill;
mod journeys;
mod recovery;
mod rooms;
mod slow;
mod topic;
mod typing;
