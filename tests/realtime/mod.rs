//! Streams and sockets.

mod recovery;
mod rooms;
mod topic;
