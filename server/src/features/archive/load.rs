//! `praxis import praxis FILE`: an archive into a hub that has no members.
//!
//! The archive is checked whole first, against the schema that it says it has, and the hub is looked
//! at; only then is anything made. Files come before rows, as with every upload: they replace
//! themselves when the command runs again. All rows are one transaction, so a run that is cut off
//! has added none, and the same command does it anew.

use std::path::Path;

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait as _, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};

use super::check::{self, Checked};
use super::format::{BLOBS, Kind, TABLES};
use super::pack::Unpacker;
use super::progress::Progress;
use super::tables::{self, Table};
use super::{blobs, close, database_fault, file_fault, open_blobs, rows};
use crate::app::{Config, look_first, private, serving};
use crate::entities::{setting, stream};
use crate::ports::blobs::Blobs;
use crate::ports::clock::Clock;
use crate::store::{Change, Connections, Sql, change_schema, connect};
use crate::streams::Stream;
use crate::web::error::AppError;

/// Which archive a hub was loaded from: the same one again adds nothing.
const LOADED: &str = "archive.loaded";
const AGAIN: &str = "this archive is loaded already; nothing was added";
/// Rows of one statement, and their bytes.
const ROWS: usize = 2000;
const BYTES: usize = 2 << 20;

/// Loads the archive; returns what it says at the end.
pub async fn load(config: &Config, from: &Path) -> Result<String, String> {
    let head = check::head(from, Kind::Export)?;
    let mut progress = Progress::new();
    let checked = check_first(&head.schema, from, &mut progress).await;
    let checked = checked.inspect_err(|_| progress.finish())?;
    look_first(config).await.inspect_err(|_| progress.finish())?;
    private::make_dir(&config.data_dir)
        .map_err(|error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display()))?;
    let _open = serving::share(config)?;
    let files = open_blobs(config)?;
    let connections = connect(&config.database()).await.map_err(|error| database_fault(&error))?;
    let done = run(config, &connections, &files, from, &checked, &mut progress).await;
    progress.finish();
    close(connections).await;
    done
}

/// Checks an archive against the tables of its own schema, made in memory: a damaged one leaves no
/// trace in the hub that it was for.
async fn check_first(schema: &[String], from: &Path, progress: &mut Progress) -> Result<Checked, String> {
    let ours: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if !ours.starts_with(schema) {
        return Err(file_fault(from, &"the archive is of a newer program; upgrade this one first"));
    }
    let fault = |error: &dyn std::fmt::Display| file_fault(from, &format!("it cannot be checked ({error})"));
    let mut one = sea_orm::ConnectOptions::new("sqlite::memory:");
    one.max_connections(1).min_connections(1).sqlx_logging(false);
    let db = sea_orm::Database::connect(one).await.map_err(|error| fault(&error))?;
    let steps = u32::try_from(schema.len()).ok();
    Migrator::up(&db, steps).await.map_err(|error| fault(&error))?;
    let known = tables::read(&db).await.map_err(|error| fault(&error))?;
    db.close().await.map_err(|error| fault(&error))?;
    check::whole(from, Kind::Export, &known, progress)
}

async fn run(
    config: &Config,
    connections: &Connections,
    files: &Blobs,
    from: &Path,
    checked: &Checked,
    progress: &mut Progress,
) -> Result<String, String> {
    let fault = |error: AppError| database_fault(&error);
    let there = tables::names(&connections.writer).await.map_err(fault)?;
    if there.contains("member") && there.contains("setting") && is_loaded(&connections.writer, checked).await? {
        return Ok(AGAIN.to_owned());
    }
    reach(config, connections, &checked.manifest.head.schema, from).await?;
    let known = tables::read(&connections.writer).await.map_err(fault)?;
    keep_files(files, from, checked, progress).await.map_err(|line| again(&line))?;
    let all = keep_rows(connections, &known, from, checked, progress).await.map_err(|line| again(&line))?;
    let Some(all) = all else { return Ok(AGAIN.to_owned()) };
    // What was archived by an older program goes the rest of the way.
    change_schema(&config.database(), connections, Change::Up).await.map_err(|error| database_fault(&error))?;
    let (tables, count) = (checked.manifest.tables.len(), checked.manifest.files.count);
    Ok(format!("{all} rows of {tables} tables and {count} files; members sign in again"))
}

/// Whether this hub has this archive already. One that has members takes none.
async fn is_loaded(db: &impl ConnectionTrait, checked: &Checked) -> Result<bool, String> {
    let loaded = setting::Entity::find_by_id(LOADED).one(db).await.map_err(|error| database_fault(&error))?;
    if loaded.is_some_and(|row| row.value == checked.id) {
        return Ok(true);
    }
    // The key alone: an older schema lacks columns of today.
    let one = Sql::new("SELECT id FROM member LIMIT 1").one(db).await;
    if one.map_err(|error| database_fault(&error))?.is_none() {
        return Ok(false);
    }
    Err("the hub has members, and an archive is loaded into an empty one; name another database and another data \
         directory"
        .to_owned())
}

fn again(line: &str) -> String {
    format!("{line}; no row was added: mend that and run the same command again")
}

/// Brings the database to the schema of the archive: all of it, or, for an archive of an older
/// program, an empty database as far as that one went.
async fn reach(config: &Config, connections: &Connections, schema: &[String], from: &Path) -> Result<(), String> {
    let db = &connections.writer;
    let there = tables::names(db).await.map_err(|error| database_fault(&error))?;
    let have = if there.contains("seaql_migrations") {
        tables::schema(db).await.map_err(|error| database_fault(&error))?.len()
    } else {
        0
    };
    if have > schema.len() && schema.len() < Migrator::migrations().len() {
        return Err(file_fault(
            from,
            &"the archive is of an older program; load it into a database that is still empty",
        ));
    }
    change_schema(&config.database(), connections, Change::UpTo(schema.len()))
        .await
        .map_err(|error| database_fault(&error))
}

async fn keep_files(files: &Blobs, from: &Path, checked: &Checked, progress: &mut Progress) -> Result<(), String> {
    let listed = &checked.manifest.files;
    if listed.count == 0 {
        return Ok(());
    }
    progress.stage(&format!("{} files", listed.count), listed.bytes, true);
    let mut entries = Unpacker::open(from)?;
    while let Some((name, _)) = entries.next()? {
        if let Some(key) = name.strip_prefix(BLOBS) {
            blobs::unpack(files, key, &checked.hashes, &mut entries, progress).await?;
        }
    }
    Ok(())
}

/// All rows in one transaction; how many, or `None` if another run was first.
async fn keep_rows(
    connections: &Connections,
    known: &[Table],
    from: &Path,
    checked: &Checked,
    progress: &mut Progress,
) -> Result<Option<u64>, String> {
    let fault = |error: AppError| database_fault(&error);
    // Nobody registers from here on: who did before is seen below.
    let turn = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = connections.writer.begin_with_options(turn).await.map_err(|error| database_fault(&error))?;
    super::export::unlimited(&tx).await.map_err(fault)?;
    let first = match connections.backend {
        DbBackend::Sqlite => "PRAGMA defer_foreign_keys = ON",
        _ => "LOCK TABLE member IN EXCLUSIVE MODE",
    };
    tx.execute_unprepared(first).await.map_err(|error| database_fault(&error))?;
    if is_loaded(&tx, checked).await? {
        return Ok(None);
    }
    let heads = stream::Entity::find_by_id(Stream::HUB.to_string()).one(&tx);
    let before = heads.await.map_err(|error| database_fault(&error))?.map_or(0, |row| row.head);
    // What an empty hub has of its own: settings, pages, a setup link that was shown.
    for table in known.iter().rev() {
        rows::clear(&tx, table).await.map_err(fault)?;
    }
    let mut all = 0;
    let mut entries = Unpacker::open(from)?;
    let mut stage = String::new();
    while let Some((name, _)) = entries.next()? {
        let Some((table, _)) = name.strip_prefix(TABLES).and_then(|rest| rest.split_once('/')) else { continue };
        let Some(table) = known.iter().find(|known| known.name == table) else { continue };
        if stage != table.name {
            let rows = checked.manifest.tables.get(&table.name).map_or(0, |entry| entry.rows);
            progress.stage(&table.name, rows, false);
            stage.clone_from(&table.name);
        }
        let (bytes, sha256) = entries.all(super::format::MOST_PART)?;
        let parts = checked.manifest.tables.get(&table.name).map(|entry| entry.parts.as_slice()).unwrap_or_default();
        if !parts.iter().any(|part| part.name == name && part.sha256 == sha256) {
            return Err(entries.damaged("it changed while it was read"));
        }
        all += insert(&tx, table, &bytes, progress).await?;
    }
    move_on(&tx, before).await.map_err(fault)?;
    let row = setting::ActiveModel {
        key: Set(LOADED.into()),
        value: Set(checked.id.clone()),
        updated_at: Set(Clock::default().now()),
    };
    setting::Entity::insert(row).exec_without_returning(&tx).await.map_err(|error| database_fault(&error))?;
    tx.commit().await.map_err(|error| database_fault(&error))?;
    Ok(Some(all))
}

async fn insert(tx: &DatabaseTransaction, table: &Table, bytes: &[u8], progress: &mut Progress) -> Result<u64, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut waiting: Vec<&str> = Vec::new();
    let (mut size, mut all) = (0, 0);
    for line in text.lines() {
        size += line.len();
        waiting.push(line);
        if waiting.len() == ROWS || size > BYTES {
            all += send(tx, table, &mut waiting, progress).await?;
            size = 0;
        }
    }
    if !waiting.is_empty() {
        all += send(tx, table, &mut waiting, progress).await?;
    }
    Ok(all)
}

async fn send(
    tx: &DatabaseTransaction,
    table: &Table,
    waiting: &mut Vec<&str>,
    progress: &mut Progress,
) -> Result<u64, String> {
    rows::insert(tx, table, waiting).await.map_err(|error| {
        let AppError::Internal(cause) = &error else { return database_fault(&error) };
        database_fault(&format!("{}: {cause}", table.name))
    })?;
    let count = waiting.len() as u64;
    progress.advance(count);
    waiting.clear();
    Ok(count)
}

/// A server that was running beside this keeps the hub's settings in mind by the head of its
/// stream: if the archive's head is no further, it is moved on, with nothing to replay before it.
async fn move_on(tx: &DatabaseTransaction, before: i64) -> Result<(), AppError> {
    let name = Stream::HUB.to_string();
    let Some(row) = stream::Entity::find_by_id(&name).one(tx).await? else { return Ok(()) };
    if before == 0 || row.head > before {
        return Ok(());
    }
    let head = before + 1;
    Sql::new("UPDATE stream SET head = ")
        .bind(head)
        .then(", floor = ")
        .bind(head)
        .then(" WHERE name = ")
        .bind(name)
        .run(tx)
        .await?;
    Ok(())
}
