//! The hub as one file: backups of the embedded database, and archives that any hub can load.
//!
//! Invariant: a file is checked whole (structure, hashes, counts, columns) before anything of it
//! is written, and is written whole before it has its name. `docs/ARCHIVE.md` is the format.
//! Signing keys, sessions and tokens never enter a file; `tables` says which rows stay behind.

mod backup;
mod blobs;
mod check;
mod export;
mod format;
mod load;
mod pack;
mod progress;
mod restore;
mod rows;
mod scratch;
pub mod tables;

pub use backup::backup;
pub use export::export;
pub use load::load;
pub use restore::restore;

use std::path::Path;

use crate::app::Config;
use crate::ports::blobs::Blobs;
use crate::store::{Connections, connect, refuse_newer};

/// A line for a file that cannot be used.
fn file_fault(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display()).replace('\n', " ")
}

fn database_fault(error: &dyn std::fmt::Display) -> String {
    format!("PRAXIS_DATABASE_URL: {error}").replace('\n', " ")
}

/// Opens the database of a hub that is there, as it stands: nothing is made or migrated. What a newer
/// version wrote is not understood here, and would be missing from what is made of it.
async fn open_database(config: &Config) -> Result<Connections, String> {
    if let Some(path) = config.embedded()
        && !path.exists()
    {
        return Err(format!("PRAXIS_DATA_DIR: there is no hub at {}; start one first", path.display()));
    }
    let connections = connect(&config.database()).await.map_err(|error| database_fault(&error))?;
    if let Err(line) = refuse_newer(&connections.reader).await {
        close(connections).await;
        return Err(database_fault(&line));
    }
    Ok(connections)
}

fn open_blobs(config: &Config) -> Result<Blobs, String> {
    Blobs::open(&config.storage, &config.aws)
}

async fn close(connections: Connections) {
    crate::store::close_readers(&connections.reader).await;
    crate::store::close_readers(&connections.writer).await;
}
