//! The shared engine: a Meilisearch server with one index for all nodes of a hub.
//!
//! Meilisearch knows no stems and no language, so it is given words that were cut and reduced here,
//! as the embedded index is: one analysis for both. Invariants: who asks is a filter of every
//! question that is sent, also of those that only look whether a word is there; nothing that a
//! person wrote becomes part of a filter as it stands; and how far the index is stands in it, written
//! with what it brought, so that a wiped server is seen.

mod added;
mod ask;
mod entry;
mod filter;
mod home;
mod http;
mod index;
mod meaning;
mod server;
mod settings;
mod weighed;

pub use home::Home;
pub use index::MeiliIndex;
pub use server::{Reached, Server};

use crate::app::config::Config;

/// The server of the configuration, if there is one; the error is one line.
pub fn server(config: &Config) -> Result<Option<Server>, String> {
    let Some(url) = &config.meili_url else { return Ok(None) };
    let server = Server::new(url, config.meili_key.as_deref());
    server.map(Some).map_err(|error| format!("PRAXIS_MEILI_KEY: {error}"))
}
