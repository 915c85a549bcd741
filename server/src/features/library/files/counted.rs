//! Who began to fetch a file in parts: the same beginning again, as players and readers of PDF ask for
//! it, is no other download.

use std::time::Duration;

use moka::sync::Cache;

/// Beginnings that are remembered, and for how long.
const MOST: u64 = 50_000;
const FOR: Duration = Duration::from_mins(10);

/// Beginnings of a short while, of this node.
#[derive(Clone, Debug)]
pub struct Counted(Cache<String, ()>);

impl Default for Counted {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(FOR).build())
    }
}

impl Counted {
    /// Whether this is the first beginning of a content by somebody.
    pub fn is_first(&self, who: &str, sha256: &str) -> bool {
        self.0.entry(format!("{who} {sha256}")).or_insert(()).is_fresh()
    }
}
