//! How the spine asks a feature for what can be found.

use std::future::Future;
use std::pin::Pin;

use sea_orm::DatabaseConnection;

use super::{Document, Kind};
use crate::web::error::Result;

/// What a source answers with.
pub type SourceAnswer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Something whose whole inside changed: every reply of a topic, every message of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Within {
    pub kind: Kind,
    pub id: i64,
}

/// One kind of things that can be found. A feature implements this for a unit type of its own and
/// is listed in `features::search_sources`.
pub trait Source: Send + Sync {
    fn kind(&self) -> Kind;

    /// The documents of these ids (500 at most) as the rows are now, in any order. What is not to
    /// be found (deleted, hidden, not there) is left out, and leaves the index.
    fn documents<'a>(&'a self, db: &'a DatabaseConnection, ids: &'a [i64]) -> SourceAnswer<'a, Vec<Document>>;

    /// The ids of everything that can be found, ascending, greater than `after`: one page.
    fn ids<'a>(&'a self, db: &'a DatabaseConnection, after: i64, limit: u64) -> SourceAnswer<'a, Vec<i64>>;

    /// How many there are to be found.
    fn count<'a>(&'a self, db: &'a DatabaseConnection) -> SourceAnswer<'a, i64>;

    /// The ids of this kind inside something else, ascending, greater than `after`, whether they
    /// can be found or not: one page. Most kinds have nothing inside another.
    fn within<'a>(
        &'a self,
        _db: &'a DatabaseConnection,
        _of: Within,
        _after: i64,
        _limit: u64,
    ) -> SourceAnswer<'a, Vec<i64>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
