//! Bringing the schema up to date: once, whoever comes first, and never below a newer version.
//!
//! On PostgreSQL an advisory lock lets one node change the schema while the others that start
//! with it wait. An embedded database is copied to a file beside it first.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use super::connect::patient;
use super::faults::one_line;
use super::{Connections, close_readers};

/// The advisory lock of all nodes of one database: "praxis" as a number.
const LOCK: i64 = 0x7072_6178_6973;
/// How often the lock is asked for while another node changes the schema.
const ASK: Duration = Duration::from_millis(200);

/// What is done to the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// All steps that are missing.
    Up,
    /// The last step is taken back.
    Down,
}

/// Changes the schema if there is anything to change; the error is one line for the operator.
pub async fn change_schema(url: &str, connections: &Connections, change: Change) -> Result<(), String> {
    let missing = missing(&connections.writer).await?;
    if change == Change::Up && missing.is_empty() {
        return Ok(());
    }
    if connections.backend == DbBackend::Postgres {
        let db = patient(url).await?;
        let done = alone(&db, change).await;
        close_readers(&db).await;
        return done;
    }
    if let Some(path) = url.strip_prefix("sqlite://") {
        copy_first(&connections.writer, Path::new(path), &missing).await?;
    }
    run(&connections.writer, change).await
}

async fn run(db: &DatabaseConnection, change: Change) -> Result<(), String> {
    let done = match change {
        Change::Up => Migrator::up(db, None).await,
        Change::Down => Migrator::down(db, Some(1)).await,
    };
    done.map_err(|error| {
        one_line(&format!("the schema could not be changed ({error}); see that the user may change it"))
    })
}

/// Takes the lock on this one connection, which lets go of it with its end, and changes what is
/// then still to be changed.
async fn alone(db: &DatabaseConnection, change: Change) -> Result<(), String> {
    let fault = |error: DbErr| one_line(&format!("the schema cannot be locked ({error}); try again"));
    let mut told = false;
    loop {
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_try_advisory_lock($1)", [LOCK.into()]);
        let row = db.query_one_raw(ask).await.map_err(fault)?;
        if row.and_then(|row| row.try_get_by_index::<bool>(0).ok()) == Some(true) {
            break;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("another node changes the schema; waiting for it");
        }
        tokio::time::sleep(ASK).await;
    }
    if change == Change::Up && missing(db).await?.is_empty() {
        return Ok(());
    }
    run(db, change).await
}

/// Names of the steps that the database lacks. A database that has steps this program does not
/// know is refused.
async fn missing(db: &DatabaseConnection) -> Result<Vec<String>, String> {
    let applied = applied(db).await.map_err(|error| one_line(&format!("the schema cannot be read ({error})")))?;
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if let Some(newer) = applied.iter().filter(|name| !known.contains(name)).max() {
        return Err(format!(
            "the database was migrated by a newer version of praxis (it has {newer}); start that version or a later one"
        ));
    }
    Ok(known.into_iter().filter(|name| !applied.contains(name)).collect())
}

async fn applied(db: &DatabaseConnection) -> Result<HashSet<String>, DbErr> {
    let backend = db.get_database_backend();
    let table = match backend {
        DbBackend::Postgres => "SELECT 1 FROM pg_class WHERE oid = to_regclass('seaql_migrations')",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    if db.query_one_raw(Statement::from_string(backend, table)).await?.is_none() {
        return Ok(HashSet::new());
    }
    let rows = db.query_all_raw(Statement::from_string(backend, "SELECT version FROM seaql_migrations")).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}

/// Copies an embedded database that has something in it to a file beside it, named after the first
/// step that will change it. What is there from a try that was cut off is older, and stays.
async fn copy_first(db: &DatabaseConnection, path: &Path, missing: &[String]) -> Result<(), String> {
    let Some(step) = missing.first().filter(|_| missing.len() < Migrator::migrations().len()) else { return Ok(()) };
    let copy = beside(path, &format!("before-{step}"));
    if copy.exists() {
        return Ok(());
    }
    let part = beside(path, &format!("before-{step}.part"));
    let fault = |error: &dyn std::fmt::Display| {
        one_line(&format!(
            "no copy could be made at {} before the schema changes ({error}); make room there",
            copy.display()
        ))
    };
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fault(&error)),
        _ => {}
    }
    let into = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [part.display().to_string().into()]);
    // Its owner's alone, as the database is: SQLite writes into an empty file that is there.
    crate::app::private::make_file(&part).map_err(|error| fault(&error))?;
    db.execute_raw(into).await.map_err(|error| fault(&error))?;
    std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(|error| fault(&error))?;
    std::fs::rename(&part, &copy).map_err(|error| fault(&error))?;
    tracing::info!(copy = %copy.display(), "the database was copied before its schema changes");
    Ok(())
}

/// `praxis.db` and `x`: `praxis.x.db`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{what}.db"))
}
