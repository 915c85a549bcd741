//! Bringing the schema up to date: once, whoever comes first, and never below a newer version.
//!
//! On PostgreSQL an advisory lock lets one node change the schema while the others that start
//! with it wait. An embedded database is copied to a file beside it first, whichever way it goes.

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
    let copy = match url.strip_prefix("sqlite://") {
        Some(path) => copy_first(&connections.writer, Path::new(path), &missing, change).await?,
        None => None,
    };
    let count = steps(&missing, change);
    run(&connections.writer, change, count).await.map_err(|line| match copy {
        Some(copy) => format!("{line}; the database as it was is {}", copy.display()),
        None => line,
    })
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

async fn run(db: &DatabaseConnection, change: Change, steps: usize) -> Result<(), String> {
    let steps = u32::try_from(steps).ok();
    let done = match change {
        Change::Up | Change::UpTo(_) => Migrator::up(db, steps).await,
        Change::Down => Migrator::down(db, steps).await,
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
    match steps(&missing(db).await?, change) {
        0 => Ok(()),
        steps => run(db, change, steps).await,
    }
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
    Ok(Some(copy))
}

/// `praxis.db` and `x`: `praxis.x.db`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{what}.db"))
}
