//! Streams and sockets.

mod drill;
mod journeys;
mod recovery;
mod slow;
mod topic;
mod typing;
