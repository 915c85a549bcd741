//! The database: readers, the one way to write, and identifiers.
//!
//! Invariant: reads go through `Store::read`, writes only through `Store::write`, which runs an
//! action inside one transaction and appends its events last.

mod address;
mod connect;
mod faults;
mod ids;
mod schema;
mod sql;
mod tx;
mod writer;

use std::sync::Arc;

use sea_orm::DatabaseConnection;

pub use address::readable;
pub use connect::{Connections, close_readers, connect, pool_of};
pub use faults::{ANSWER_WITHIN, Fault, fault, in_time, note_lost, one_line};
pub use ids::{Id, Ids, NotAnId};
pub use schema::{Change, change_schema, look, refuse_newer};
pub use sql::{MOST_ROWS, Sql, few_sizes, insert_rows};
pub use tx::{After, Tx};
pub use writer::{CommitSink, Writer};

use crate::web::error::Result;

/// Both ways into the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    reader: DatabaseConnection,
    writer: Arc<Writer>,
}

impl Store {
    #[must_use]
    pub fn new(reader: DatabaseConnection, writer: Writer) -> Self {
        Self { reader, writer: Arc::new(writer) }
    }

    /// For reading only; on SQLite a connection of this pool cannot write.
    #[must_use]
    pub const fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Runs one action in one transaction and returns once it is durable.
    ///
    /// The action may share its transaction with others and may run again after a conflict
    /// between transactions: it does nothing but database work, and takes what it needs by
    /// reference or clone. It runs to its end even if the caller is gone.
    pub async fn write<T, F>(&self, action: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.writer.submit(action).await
    }

    /// Writes SQLite's log into the database and empties it; false while readers hold it up.
    /// PostgreSQL has no such log of ours.
    pub async fn flush_log(&self) -> Result<bool> {
        Ok(connect::flush_log(&self.reader).await?)
    }

    /// Ends the writer after what is queued; for an orderly stop.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}
