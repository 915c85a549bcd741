//! Streams and sockets.

mod recovery;
