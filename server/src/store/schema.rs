//! Bringing the schema up to date: once, whoever comes first, and never below a newer version.
//!
//! On PostgreSQL an advisory lock lets one node change the schema while the others that start
//! with it wait; beside an embedded database it is a lock on a file. That database is copied first,
//! whichever way it goes.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use super::connect::{connect, patient};
use super::faults::{is_locked, one_line};
use super::{Connections, close_readers};
use crate::app::private;
use crate::app::secrets::random_token;

/// The advisory lock of all nodes of one database: "praxis" as a number.
const LOCK: i64 = 0x7072_6178_6973;
/// How often the lock is asked for while another node changes the schema.
const ASK: Duration = Duration::from_millis(200);
/// How long everybody else has a table, before a step that needs it is tried again.
const LET_OTHERS: Duration = Duration::from_secs(2);

/// What is done to the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// All steps that are missing.
    Up,
    /// The first so many steps, those that are missing: for an archive of an older program.
    UpTo(usize),
    /// The last step is taken back.
    Down,
}

/// Changes the schema if there is anything to change; the error is one line for the operator.
pub async fn change_schema(url: &str, connections: &Connections, change: Change) -> Result<(), String> {
    let missing = missing(&connections.writer).await?;
    if steps(&missing, change) == 0 {
        return Ok(());
    }
    if connections.backend == DbBackend::Postgres {
        let db = patient(url).await?;
        let done = alone(&db, change).await;
        close_readers(&db).await;
        return done;
    }
    let Some(path) = url.strip_prefix("sqlite://").map(Path::new) else {
        return run(&connections.writer, change, steps(&missing, change)).await.map_err(|error| failed(&error));
    };
    let lock = lock_beside(path).await?;
    // Another process may have done it meanwhile.
    let missing = self::missing(&connections.writer).await?;
    let count = steps(&missing, change);
    if count == 0 {
        return Ok(());
    }
    if lock.is_some() {
        remove_parts(path);
    }
    let copy = copy_first(&connections.writer, path, &missing, change).await?;
    run(&connections.writer, change, count).await.map_err(|error| match copy {
        Some(copy) => format!("{}; the database as it was is {}", failed(&error), copy.display()),
        None => failed(&error),
    })
}

/// Waits until no other process changes the schema of this file, and keeps others waiting as long as
/// what it returns is held. None where files cannot be locked.
async fn lock_beside(path: &Path) -> Result<Option<File>, String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = path.with_file_name(format!("{stem}.schema.lock"));
    let fault = |error: std::io::Error| one_line(&format!("{} cannot be used ({error})", name.display()));
    private::make_file(&name).map_err(fault)?;
    let file = File::options().write(true).open(&name).map_err(fault)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!("another process changes the schema; waiting for it");
                }
                tokio::time::sleep(ASK).await;
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the database cannot be locked: start one process at a time after an upgrade");
                return Ok(None);
            }
        }
    }
}

/// How many steps a change takes.
fn steps(missing: &[String], change: Change) -> usize {
    let all = Migrator::migrations().len();
    let have = all - missing.len();
    match change {
        Change::Up => missing.len(),
        Change::UpTo(count) => count.saturating_sub(have),
        Change::Down => have.min(1),
    }
}

async fn run(db: &DatabaseConnection, change: Change, steps: usize) -> Result<(), DbErr> {
    let steps = u32::try_from(steps).ok();
    match change {
        Change::Up | Change::UpTo(_) => Migrator::up(db, steps).await,
        Change::Down => Migrator::down(db, steps).await,
    }
}

fn failed(error: &DbErr) -> String {
    one_line(&format!("the schema could not be changed ({error}); see that the user may change it"))
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
    let mut told = false;
    loop {
        let count = steps(&missing(db).await?, change);
        if count == 0 {
            return Ok(());
        }
        match run(db, change, count).await {
            Ok(()) => return Ok(()),
            // Somebody reads or writes a table for long, and all who need it queue behind a step that
            // waits: it steps back, and what it had done is undone.
            Err(error) if is_locked(&error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "a step of the schema waits for a table that somebody holds");
                }
                tokio::time::sleep(LET_OTHERS).await;
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// Refuses a database that a newer version migrated; the error is one line.
pub async fn refuse_newer(db: &DatabaseConnection) -> Result<(), String> {
    missing(db).await.map(drop)
}

/// Looks whether a PostgreSQL can be used, and writes nothing; the error is one line.
pub async fn look(url: &str) -> Result<(), String> {
    let connections = connect(url).await?;
    let seen = refuse_newer(&connections.writer).await;
    close_readers(&connections.reader).await;
    close_readers(&connections.writer).await;
    seen
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

/// Copies an embedded database that has something in it to a file beside it, named after the step
/// that will change it: `before-STEP`, or `before-STEP-goes`. A copy of that name from an earlier
/// change is of another time, and is replaced.
async fn copy_first(
    db: &DatabaseConnection,
    path: &Path,
    missing: &[String],
    change: Change,
) -> Result<Option<PathBuf>, String> {
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if missing.len() == known.len() {
        return Ok(None);
    }
    let step = match change {
        Change::Up | Change::UpTo(_) => missing.first().cloned(),
        Change::Down => known.iter().rev().find(|name| !missing.contains(name)).map(|name| format!("{name}-goes")),
    };
    let Some(step) = step else { return Ok(None) };
    let copy = beside(path, &format!("before-{step}"));
    let random: String = random_token().chars().take(12).collect();
    let making = Part(beside(path, &format!("before-{step}.{random}.part")));
    let part = making.0.as_path();
    let fault = |error: &dyn std::fmt::Display| {
        one_line(&format!(
            "no copy could be made at {} before the schema changes ({error}); make room there",
            copy.display()
        ))
    };
    let into = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [part.display().to_string().into()]);
    // Its owner's alone, as the database is: SQLite writes into an empty file that is there.
    private::make_new(part).map_err(|error| fault(&error))?;
    db.execute_raw(into).await.map_err(|error| fault(&error))?;
    File::open(part).and_then(|file| file.sync_all()).map_err(|error| fault(&error))?;
    std::fs::rename(part, &copy).map_err(|error| fault(&error))?;
    tracing::info!(copy = %copy.display(), "the database was copied before its schema changes");
    Ok(Some(copy))
}

/// A copy that is not whole yet, gone with this; once it has its name nothing is left to go.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// Removes what a process left that was killed while it made a copy.
fn remove_parts(path: &Path) {
    let begin = format!("{}.before-", path.file_stem().unwrap_or_default().to_string_lossy());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begin) && name.ends_with(".part.db") {
            let _gone = std::fs::remove_file(entry.path());
        }
    }
}

/// `praxis.db` and `x`: `praxis.x.db`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{what}.db"))
}
