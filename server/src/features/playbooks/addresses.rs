//! Which playbook an address belongs to, in mind: the heads of its streams have to be known before
//! its rows are read, and an address once given stays with its playbook.

use moka::sync::Cache;

/// Addresses in mind.
const MOST: u64 = 10_000;

#[derive(Clone, Debug)]
pub struct Addresses(Cache<String, i64>);

impl Default for Addresses {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Addresses {
    pub(super) fn get(&self, slug: &str) -> Option<i64> {
        self.0.get(slug)
    }

    /// Learns of an address that was read from a row.
    pub(super) fn learn(&self, slug: &str, id: i64) {
        self.0.insert(slug.to_owned(), id);
    }
}
