//! Opening the database.
//!
//! SQLite: write-ahead log, `synchronous=FULL`, one writing connection and a pool of readers that
//! cannot write. PostgreSQL: one pool for both.

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector};
use tracing::log::LevelFilter;

/// More readers than cores: a query is mostly a hand-over between threads.
const SQLITE_READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 24;
const POSTGRES_WRITERS: usize = 8;

/// The opened database.
#[derive(Clone, Debug)]
pub struct Connections {
    pub reader: DatabaseConnection,
    pub writer: DatabaseConnection,
    /// How many transactions may run at once.
    pub writers: usize,
    pub backend: DbBackend,
}

/// Opens `url` (`sqlite://PATH` or `postgres://…`); the error is one line for the operator.
pub async fn connect(url: &str) -> Result<Connections, String> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return sqlite(Path::new(path)).await;
    }
    postgres(url).await
}

async fn sqlite(path: &Path) -> Result<Connections, String> {
    let base = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(256)
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, Duration::from_millis(500));
    let fault = |error: sea_orm::SqlxError| format!("cannot open {}: {error}", path.display());
    // A new database is its owner's alone; SQLite gives the files beside it the same rights.
    crate::app::private::make_file(path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    // What is deleted is overwritten: a purged text is not left in a free page. A log of 16 MB is
    // written back less often than one of 4, and each page of it once.
    let writing =
        base.clone().pragma("secure_delete", "ON").pragma("wal_autocheckpoint", "4000").pragma("cache_size", "-16384");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(writing)
        .await
        .map_err(fault)?;
    let reader = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .min_connections(1)
        .idle_timeout(Duration::from_secs(60))
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(base.pragma("query_only", "ON").pragma("cache_size", "-4096"))
        .await
        .map_err(fault)?;
    Ok(Connections {
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        writers: 1,
        backend: DbBackend::Sqlite,
    })
}

async fn postgres(url: &str) -> Result<Connections, String> {
    let options: PgConnectOptions = url.parse().map_err(|error| format!("not a PostgreSQL address: {error}"))?;
    let options = options
        .application_name("praxis")
        .options([("statement_timeout", "15000"), ("idle_in_transaction_session_timeout", "30000")])
        .statement_cache_capacity(256)
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, Duration::from_millis(500));
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|error| format!("PostgreSQL does not let us in: {error}"))?;
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    let version = db
        .query_one_raw(sea_orm::Statement::from_string(DbBackend::Postgres, "SHOW server_version_num"))
        .await
        .ok()
        .flatten()
        .and_then(|row| row.try_get::<String>("", "server_version_num").ok())
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or(0);
    if version < 130_000 {
        return Err(format!("PostgreSQL 13 or newer is needed; this one says {version}"));
    }
    Ok(Connections { reader: db.clone(), writer: db, writers: POSTGRES_WRITERS, backend: DbBackend::Postgres })
}

/// Writes SQLite's log into the database and empties the file; false if readers were in the way.
/// A connection that cannot change data may do this.
pub async fn flush_log(db: &DatabaseConnection) -> Result<bool, sea_orm::DbErr> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(true);
    }
    let flush = sea_orm::Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let busy = db.query_one_raw(flush).await?.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    Ok(busy == Some(0))
}

/// Size and idle connections of a pool.
#[must_use]
pub fn pool_of(db: &DatabaseConnection) -> (u32, usize) {
    match db.get_database_backend() {
        DbBackend::Sqlite => {
            let pool = db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        }
        _ => {
            let pool = db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        }
    }
}

/// Closes a pool; on SQLite this lets go of the file.
pub async fn close_readers(db: &DatabaseConnection) {
    if let Err(error) = db.clone().close().await {
        tracing::debug!(%error, "the database did not close cleanly");
    }
}
