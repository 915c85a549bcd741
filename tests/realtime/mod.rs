//! Streams and sockets.

mod recovery;
mod topic;
