//! How far an index has come.

use serde::{Deserialize, Serialize};

use crate::search::config;
use crate::search::log::Cursor;

/// Changes with what an index is made of; another number is another index.
const FORMAT: u32 = 4;

/// How far an index has come; stands in the index itself, with what it brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    format: u32,
    config: String,
    /// Of the hub: another one is another history.
    pub epoch: String,
    pub cursor: Cursor,
    /// While it is being built: the kind and the id up to which it is.
    #[serde(default)]
    pub building: Option<(u64, i64)>,
    /// The last request to build it again that it has answered.
    #[serde(default)]
    pub request: i64,
}

impl Progress {
    /// An index that has nothing yet.
    #[must_use]
    pub fn begin(epoch: &str, cursor: Cursor, request: i64) -> Self {
        Self {
            format: FORMAT,
            config: config::fingerprint(),
            epoch: epoch.to_owned(),
            cursor,
            building: Some((0, 0)),
            request,
        }
    }

    /// Whether an index as of this can be gone on with.
    #[must_use]
    pub fn is_good(&self, epoch: &str) -> bool {
        self.format == FORMAT && self.config == config::fingerprint() && self.epoch == epoch
    }
}
