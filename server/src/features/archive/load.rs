//! `praxis import praxis FILE`: an archive into a hub that has no members.
//!
//! The archive is checked whole first. Files come before rows, as with every upload: they replace
//! themselves when the command runs again. All rows are one transaction, so a run that is cut off
//! has added none, and the same command does it anew.

use std::path::Path;

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait as _, TransactionTrait as _,
};

use super::check::{self, Checked};
use super::format::{BLOBS, Kind, TABLES};
use super::pack::Unpacker;
use super::progress::Progress;
use super::tables::{self, Table};
use super::{blobs, close, database_fault, file_fault, open_blobs, rows};
use crate::app::{Config, private, serving};
use crate::entities::{member, setting, stream};
use crate::ports::blobs::Blobs;
use crate::ports::clock::Clock;
use crate::store::{Connections, connect};
use crate::streams::Stream;
use crate::web::error::AppError;

/// Which archive a hub was loaded from: the same one again adds nothing.
const LOADED: &str = "archive.loaded";
/// Rows of one statement, and their bytes.
const ROWS: usize = 2000;
const BYTES: usize = 2 << 20;

/// Loads the archive; returns what it says at the end.
pub async fn load(config: &Config, from: &Path) -> Result<String, String> {
    let head = check::head(from, Kind::Export)?;
    private::make_dir(&config.data_dir)
        .map_err(|error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display()))?;
    let _open = serving::share(&config.data_dir)?;
    let files = open_blobs(config)?;
    let connections = connect(&config.database()).await.map_err(|error| database_fault(&error))?;
    let mut progress = Progress::new();
    let done = run(&connections, &files, &head.schema, from, &mut progress).await;
    progress.finish();
    close(connections).await;
    done
}

async fn run(
    connections: &Connections,
    files: &Blobs,
    schema: &[String],
    from: &Path,
    progress: &mut Progress,
) -> Result<String, String> {
    reach(connections, schema, from).await?;
    let fault = |error: AppError| database_fault(&error);
    let known = tables::read(&connections.writer).await.map_err(fault)?;
    let checked = check::whole(from, Kind::Export, &known, progress)?;
    let loaded = setting::Entity::find_by_id(LOADED).one(&connections.writer).await;
    if loaded.map_err(|error| database_fault(&error))?.is_some_and(|row| row.value == checked.id) {
        return Ok("this archive is loaded already; nothing was added".to_owned());
    }
    if member::Entity::find().one(&connections.writer).await.map_err(|error| database_fault(&error))?.is_some() {
        return Err("the hub has members, and an archive is loaded into an empty one; name another database and \
                    another data directory"
            .to_owned());
    }
    keep_files(files, from, &checked, progress).await.map_err(|line| again(&line))?;
    let all = keep_rows(connections, &known, from, &checked, progress).await.map_err(|line| again(&line))?;
    // What was archived by an older program goes the rest of the way.
    Migrator::up(&connections.writer, None).await.map_err(|error| database_fault(&error))?;
    let (tables, count) = (checked.manifest.tables.len(), checked.manifest.files.count);
    Ok(format!("{all} rows of {tables} tables and {count} files; members sign in again"))
}

fn again(line: &str) -> String {
    format!("{line}; no row was added: mend that and run the same command again")
}

/// Brings the database to the schema of the archive: all of it, or, for an archive of an older
/// program, an empty database as far as that one went.
async fn reach(connections: &Connections, schema: &[String], from: &Path) -> Result<(), String> {
    let db = &connections.writer;
    let fault = |error: sea_orm::DbErr| database_fault(&error);
    let ours: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if !ours.starts_with(schema) {
        return Err(file_fault(from, &"the archive is of a newer program; upgrade this one first"));
    }
    if schema.len() == ours.len() {
        return Migrator::up(db, None).await.map_err(fault);
    }
    let have = Migrator::get_applied_migrations(db).await.map_err(fault)?.len();
    if have > schema.len() {
        return Err(file_fault(
            from,
            &"the archive is of an older program; load it into a database that is still empty",
        ));
    }
    let steps = u32::try_from(schema.len() - have).unwrap_or(0);
    if steps > 0 { Migrator::up(db, Some(steps)).await.map_err(fault) } else { Ok(()) }
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
            blobs::unpack(files, key, &mut entries, progress).await?;
        }
    }
    Ok(())
}

async fn keep_rows(
    connections: &Connections,
    known: &[Table],
    from: &Path,
    checked: &Checked,
    progress: &mut Progress,
) -> Result<u64, String> {
    let fault = |error: AppError| database_fault(&error);
    let tx = connections.writer.begin().await.map_err(|error| database_fault(&error))?;
    super::export::unlimited(&tx).await.map_err(fault)?;
    if connections.backend == DbBackend::Sqlite {
        tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await.map_err(|error| database_fault(&error))?;
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
    Ok(all)
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
    crate::store::Sql::new("UPDATE stream SET head = ")
        .bind(head)
        .then(", floor = ")
        .bind(head)
        .then(" WHERE name = ")
        .bind(name)
        .run(tx)
        .await?;
    Ok(())
}
