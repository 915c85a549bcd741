//! Pages that look the same to every visitor, kept while what they show stands still.
//!
//! An entry is good while the heads it was derived at are the heads now, and for a minute at
//! most, because pages say how long ago things were. A page that lists what many streams hold is
//! good while nothing at all changed, and for a second at most, because this process may not
//! have in mind every stream that another one writes to.

use std::sync::Arc;

use bytes::Bytes;
use moka::sync::Cache;

use super::pages::Threads;
use crate::app::AppState;
use crate::ports::clock::{MINUTE, SECOND};
use crate::streams::Stream;

/// Bytes of all kept pages together.
const MOST_BYTES: u64 = 24 << 20;

/// A rendered page.
#[derive(Clone, Debug)]
pub struct Kept {
    pub heads: Arc<[(Stream, i64)]>,
    /// Of a list: the number of changes it was made at.
    pub changes: Option<u64>,
    pub made_at: i64,
    pub plain: Bytes,
    pub brotli: Bytes,
    pub etag: Arc<str>,
}

#[derive(Clone, Debug)]
pub struct PageCache {
    pages: Cache<String, Kept>,
    /// Parts of topics for everybody, from which members' pages are made.
    pub(in crate::features::forum) threads: Threads,
}

impl Default for PageCache {
    fn default() -> Self {
        let pages = Cache::builder()
            .max_capacity(MOST_BYTES)
            .weigher(|key: &String, page: &Kept| {
                u32::try_from(key.len() + page.plain.len() + page.brotli.len() + 256).unwrap_or(u32::MAX)
            })
            .build();
        Self { pages, threads: Threads::default() }
    }
}

impl PageCache {
    /// The page of an address, if it is still good.
    #[must_use]
    pub fn get(&self, state: &AppState, address: &str) -> Option<Kept> {
        let page = self.pages.get(address)?;
        let most = if page.changes.is_some() { SECOND } else { MINUTE };
        let fresh = (0..most).contains(&(state.clock.now() - page.made_at));
        let still = page.changes.is_none_or(|changes| changes == state.heads.changes());
        let same = still && page.heads.iter().all(|(stream, head)| state.heads.get(*stream) == Some(*head));
        (fresh && same).then_some(page)
    }

    /// Keeps a page that was derived at these heads, which were read before its rows.
    pub fn put(&self, address: String, page: Kept) {
        self.pages.insert(address, page);
    }
}
