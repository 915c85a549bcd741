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

/// How much of the text of documents is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent<'a> {
    /// None: what things are called, and where they are.
    Head,
    /// What may be the best passage for words that begin so, folded: a bounded part of a long text.
    Best(&'a [String]),
    /// All that is indexed.
    Whole,
}

/// One kind of things that can be found. A feature implements this for a unit type of its own and
/// is listed in `features::search_sources`.
pub trait Source: Send + Sync {
    fn kind(&self) -> Kind;

    /// How many documents are read at once when they are read whole: few of what may be large.
    fn batch(&self) -> usize {
        500
    }

    /// The documents of these ids (500 at most) as the rows are now, in any order. What is not to
    /// be found (deleted, hidden, not there) is left out, and leaves the index.
    fn documents<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        ids: &'a [i64],
        extent: Extent<'a>,
    ) -> SourceAnswer<'a, Vec<Document>>;

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
