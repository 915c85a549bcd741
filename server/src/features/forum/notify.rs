//! Whom to tell of a new post: who was answered, who opened the topic, who was mentioned.

use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::web::error::Result;

/// The job `forum.notify`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notify {
    pub post: i64,
    /// Handles as written.
    pub mentions: Vec<String>,
}

/// Queues the mails of one post.
pub(super) async fn run(_state: &AppState, _notify: Notify) -> Result<()> {
    Ok(())
}
