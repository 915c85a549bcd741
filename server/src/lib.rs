//! Praxis: a real-time hub for communities of practice.
//!
//! The map: `app` puts the hub together, `web` is the spine of HTTP, `store` the database,
//! `streams` the ordered event log, `realtime` the sockets, `jobs` work after the commit,
//! `search` what can be found and by whom, `ports` the doors to what is not ours, `entities` the
//! tables, `text` what happens to texts, `locks` those of memory, and `features` what the hub does, a
//! folder each. `docs/ARCHITECTURE.md` walks through it.

pub mod app;
pub mod entities;
pub mod features;
pub mod jobs;
mod locks;
pub mod ports;
pub mod realtime;
pub mod search;
pub mod store;
pub mod streams;
pub mod text;
pub mod web;

/// A socket at rest touches a page of each of its buffers. With huge pages the system gives it all of
/// them, and keeps eight KiB more a socket; the feature `no_thp` forgoes these.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;
