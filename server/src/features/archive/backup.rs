//! `praxis backup FILE`: the embedded database and the files, while the hub runs.

use std::path::Path;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, SqlxSqliteConnector};

use super::export::head;
use super::format::{DATABASE, Kind, Manifest};
use super::pack::Packer;
use super::progress::Progress;
use super::scratch::{self, Scratch};
use super::{blobs, database_fault, file_fault, open_blobs, tables};
use crate::app::{Config, serving};
use crate::store::refuse_newer;

/// Writes the backup; returns what it says at the end.
pub async fn backup(config: &Config, to: &Path) -> Result<String, String> {
    let Some(database) = config.embedded() else {
        return Err(
            "backup is for the embedded database; on PostgreSQL use its own tools, or `praxis export FILE`".into()
        );
    };
    if !database.exists() {
        return Err(format!("PRAXIS_DATA_DIR: there is no hub at {}; start one first", database.display()));
    }
    let _open = serving::share(config)?;
    let files = open_blobs(config)?;
    if to.exists() {
        return Err(file_fault(to, &"there is such a file already; choose another name"));
    }
    scratch::outside(config, to)?;
    scratch::sweep(to);
    let (copy, _) = Scratch::make(to)?;
    let mut progress = Progress::new();
    let written = write(&database, copy.path(), &files, to, &mut progress).await;
    progress.finish();
    written
}

async fn write(
    database: &Path,
    copy: &Path,
    files: &crate::ports::blobs::Blobs,
    to: &Path,
    progress: &mut Progress,
) -> Result<String, String> {
    progress.stage("copying the database", 0, true);
    copy_database(database, copy).await?;
    let stripped = open(copy, false).await?;
    strip(&stripped).await?;
    let head = head(&stripped, Kind::Backup).await?;
    stripped.close().await.map_err(|error| database_fault(&error))?;
    let mut packer = Packer::create(to, &head)?;
    let part = add(&mut packer, copy, progress)?;
    let files = blobs::pack(files, &mut packer, progress).await?;
    let (bytes, count) = (part.size, files.count);
    let manifest =
        Manifest { head, database: Some(part), tables: Default::default(), files, left_out: tables::left_out() };
    let size = packer.finish(&manifest)?;
    Ok(format!("a database of {bytes} bytes and {count} files in {} ({size} bytes)", to.display()))
}

/// A copy as of one moment, whatever the hub writes meanwhile, into a file that is empty. Nothing is
/// written to the original.
async fn copy_database(database: &Path, copy: &Path) -> Result<(), String> {
    let from = open(database, true).await?;
    refuse_newer(&from).await.map_err(|line| database_fault(&line))?;
    let into = copy.display().to_string();
    let copied = crate::store::Sql::new("VACUUM INTO ").bind(into).run(&from).await;
    from.close().await.map_err(|error| database_fault(&error))?;
    copied.map(|_| ()).map_err(|error| match error {
        crate::web::error::AppError::Internal(cause) => file_fault(copy, &cause),
        other => file_fault(copy, &other),
    })
}

/// One connection to a database file.
pub async fn open(path: &Path, read_only: bool) -> Result<DatabaseConnection, String> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(read_only)
        .busy_timeout(std::time::Duration::from_secs(30))
        // What is removed from the copy is overwritten in it.
        .pragma("secure_delete", "ON")
        .log_statements(tracing::log::LevelFilter::Trace);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    pool.map(SqlxSqliteConnector::from_sqlx_sqlite_pool)
        .map_err(|error| database_fault(&format!("cannot open {}: {error}", path.display())))
}

/// Takes out what a backup does not hold.
async fn strip(copy: &DatabaseConnection) -> Result<(), String> {
    // Rows that refer to others go with them, so nothing is left behind in between.
    copy.execute_unprepared("PRAGMA foreign_keys = OFF").await.map_err(|error| database_fault(&error))?;
    let there = tables::names(copy).await.map_err(|error| database_fault(&error))?;
    let tables = tables::LEFT_OUT.iter().filter(|(name, _)| *name != "seaql_migrations" && there.contains(*name));
    let all = tables.map(|(name, _)| format!("DELETE FROM \"{name}\""));
    let some = tables::LEFT_ROWS
        .iter()
        .filter(|(name, _, _)| *name != "setting")
        .map(|(name, _, rows)| format!("DELETE FROM \"{name}\" WHERE {rows}"));
    for statement in all.chain(some) {
        copy.execute_unprepared(&statement).await.map_err(|error| database_fault(&error))?;
    }
    Ok(())
}

fn add(packer: &mut Packer, copy: &Path, progress: &mut Progress) -> Result<super::format::Part, String> {
    use std::io::Read as _;
    let fault = |error: std::io::Error| file_fault(copy, &error);
    let mut file = std::fs::File::open(copy).map_err(fault)?;
    let size = file.metadata().map_err(fault)?.len();
    progress.stage("database", size, true);
    packer.begin(DATABASE, size)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(fault)?;
        if read == 0 {
            return packer.end();
        }
        packer.bytes(buffer.get(..read).unwrap_or_default())?;
        progress.advance(read as u64);
    }
}
