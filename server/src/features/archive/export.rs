//! `praxis export FILE`: the whole hub as one archive that any hub can load.

use std::path::Path;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseTransaction, DbBackend, IsolationLevel, TransactionTrait as _,
};

use super::format::{FORMAT, Head, Kind, Manifest, PART, TABLES, Table as Entry, VERSION, numbered};
use super::pack::Packer;
use super::progress::Progress;
use super::tables::{self, Table};
use super::{blobs, close, database_fault, open_blobs, open_database, rows};
use crate::app::{Config, serving};
use crate::ports::clock::{Clock, rfc3339};
use crate::store::Connections;
use crate::web::error::Result;

/// Writes the archive; returns what it says at the end.
pub async fn export(config: &Config, to: &Path) -> Result<String, String> {
    super::scratch::outside(config, to)?;
    let connections = open_database(config).await?;
    let files = open_blobs(config)?;
    let _open = config.embedded().map(|_| serving::share(config)).transpose()?;
    let mut progress = Progress::new();
    let written = write(&connections, &files, to, &mut progress).await;
    progress.finish();
    close(connections).await;
    written
}

/// The head of an archive of this hub.
pub async fn head(db: &impl sea_orm::ConnectionTrait, kind: Kind) -> Result<Head, String> {
    let schema = tables::schema(db).await.map_err(|_| database_fault(&"there is no hub in it; start one first"))?;
    Ok(Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        kind,
        praxis: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: rfc3339(Clock::default().now()),
        schema,
    })
}

async fn write(
    connections: &Connections,
    files: &crate::ports::blobs::Blobs,
    to: &Path,
    progress: &mut Progress,
) -> Result<String, String> {
    let snapshot = snapshot(connections).await.map_err(|error| database_fault(&error))?;
    let head = head(&snapshot, Kind::Export).await?;
    let mut packer = Packer::create(to, &head)?;
    let mut manifest = Manifest {
        head,
        database: None,
        tables: Default::default(),
        files: Default::default(),
        left_out: tables::left_out(),
    };
    let read = tables::read(&snapshot).await.map_err(|error| database_fault(&error))?;
    let mut all = 0;
    for table in &read {
        let entry = pack(&snapshot, table, &mut packer, progress).await?;
        all += entry.rows;
        manifest.tables.insert(table.name.clone(), entry);
    }
    // The snapshot is not held while files are copied: what it names was there before it.
    snapshot.commit().await.map_err(|error| database_fault(&error))?;
    manifest.files = blobs::pack(files, &mut packer, progress).await?;
    let (tables, count) = (manifest.tables.len(), manifest.files.count);
    let size = packer.finish(&manifest)?;
    Ok(format!("{all} rows of {tables} tables and {count} files in {} ({size} bytes)", to.display()))
}

/// One transaction that sees the database as it stands now, for as long as it takes.
async fn snapshot(connections: &Connections) -> Result<DatabaseTransaction> {
    if connections.backend == DbBackend::Sqlite {
        let tx = connections.reader.begin().await?;
        // A deferred transaction begins with its first look.
        tx.query_one_raw(sea_orm::Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM sqlite_master"))
            .await?;
        return Ok(tx);
    }
    let tx =
        connections.reader.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?;
    unlimited(&tx).await?;
    Ok(tx)
}

/// On PostgreSQL: lifts the limits that guard requests, for this transaction.
pub async fn unlimited(tx: &DatabaseTransaction) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
             SET LOCAL lock_timeout = 0",
        )
        .await?;
    }
    Ok(())
}

async fn pack(
    snapshot: &DatabaseTransaction,
    table: &Table,
    packer: &mut Packer,
    progress: &mut Progress,
) -> Result<Entry, String> {
    let fault = |error: crate::web::error::AppError| database_fault(&format!("{}: {error}", table.name));
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut entry = Entry { columns, ..Entry::default() };
    progress.stage(&table.name, rows::count(snapshot, table).await.map_err(fault)?, false);
    let mut reader = rows::Reader::new(table).map_err(fault)?;
    let (mut part, mut count) = (Vec::with_capacity(PART + (1 << 20)), 0);
    loop {
        let lines = reader.next(snapshot).await.map_err(fault)?;
        let last = lines.is_empty();
        progress.advance(lines.len() as u64);
        for line in lines {
            part.extend_from_slice(line.as_bytes());
            part.push(b'\n');
            count += 1;
            if part.len() >= PART {
                end_part(&table.name, &mut part, &mut count, &mut entry, packer)?;
            }
        }
        if last {
            break;
        }
    }
    if count > 0 {
        end_part(&table.name, &mut part, &mut count, &mut entry, packer)?;
    }
    Ok(entry)
}

fn end_part(
    table: &str,
    part: &mut Vec<u8>,
    count: &mut u64,
    entry: &mut Entry,
    packer: &mut Packer,
) -> Result<(), String> {
    let name = numbered(&format!("{TABLES}{table}/"), entry.parts.len() + 1);
    let mut written = packer.whole_entry(&name, part)?;
    written.rows = *count;
    entry.rows += *count;
    entry.parts.push(written);
    part.clear();
    *count = 0;
    Ok(())
}
