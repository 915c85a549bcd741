//! Every test of Praxis: through HTTP, sockets, browsers and the command line.

#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod browser;
mod drills;
mod features;
mod nodes;
mod realtime;
mod support;
