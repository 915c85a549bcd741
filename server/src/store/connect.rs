//! Opening the database.
//!
//! SQLite: write-ahead log, `synchronous=FULL`, one writing connection and a pool of readers that
//! cannot write. PostgreSQL: a pool for writers and one for readers, so that neither waits for
//! the other's connections.

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, SqlxError, SqlxPostgresConnector, SqlxSqliteConnector};
use tracing::log::LevelFilter;

use super::faults::{lost_since, refusal};

/// More readers than cores: a query is mostly a hand-over between threads.
const SQLITE_READERS: u32 = 8;
/// Connections of one node to PostgreSQL: `max_connections` there has to be larger than the sum
/// of all nodes.
const POSTGRES_READERS: u32 = 16;
const POSTGRES_WRITERS: u32 = 8;
/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(4);
/// How long the start waits for PostgreSQL.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A connection that was idle for so long is looked at before it is used.
const DOUBTFUL_AFTER: Duration = Duration::from_secs(10);
/// How long a connection may take to say that it is there. One that is silent is thrown away.
const LOOK_WITHIN: Duration = Duration::from_secs(2);
/// What PostgreSQL allows a session of ours, milliseconds. A node that stops in the middle of a
/// transaction holds the locks of its streams: others try again until it is thrown out.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "15000"), ("idle_in_transaction_session_timeout", "5000"), ("lock_timeout", "3000")];
/// A change of the schema waits no longer for a table: everybody else would queue behind it.
const LOCK_WITHIN: [(&str, &str); 1] = [("lock_timeout", "3000")];
/// The oldest PostgreSQL.
const OLDEST: u32 = 130_000;

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
    let fault = |error: SqlxError| format!("cannot open {}: {error}", path.display());
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
        // SQLite itself rolls back when the disk is full, and the driver then counts one
        // transaction too many: what comes next would be committed into nothing.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(writing)
        .await
        .map_err(fault)?;
    // All from the start: the thread of a connection gives way for ever if the one that opened it did.
    let reader = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .min_connections(SQLITE_READERS)
        .idle_timeout(None)
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

fn postgres_options(url: &str) -> Result<PgConnectOptions, String> {
    let options: PgConnectOptions = url.parse().map_err(|error: SqlxError| {
        format!("not an address of PostgreSQL ({error}); write it like postgres://user:password@host:5432/name")
    })?;
    Ok(options
        .application_name("praxis")
        .statement_cache_capacity(256)
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, Duration::from_millis(500)))
}

async fn postgres(url: &str) -> Result<Connections, String> {
    let options = postgres_options(url)?;
    try_postgres(&options).await?;
    let options = options.options(LIMITS);
    let pool = |most: u32| {
        PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(ACQUIRE_WITHIN)
            // A round trip before every query would be too much; after a loss it is made.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        return Ok(false);
                    }
                    if meta.idle_for >= DOUBTFUL_AFTER || lost_since(meta.idle_for) {
                        look(connection.ping()).await?;
                    }
                    Ok(true)
                })
            })
            // Whoever gave up in the middle of a query left its answer to be read. Where nothing is
            // left this asks nothing.
            .after_release(|connection, _| Box::pin(async move { look(connection.flush()).await.map(|()| true) }))
    };
    let fault = |error: SqlxError| refusal(&error, &options);
    let writer = pool(POSTGRES_WRITERS).connect_with(options.clone()).await.map_err(fault)?;
    let reader = pool(POSTGRES_READERS).connect_with(options.clone()).await.map_err(fault)?;
    Ok(Connections {
        reader: SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
        writer: SqlxPostgresConnector::from_sqlx_postgres_pool(writer),
        writers: usize::try_from(POSTGRES_WRITERS).unwrap_or(1),
        backend: DbBackend::Postgres,
    })
}

/// A connection that does not answer in time is as good as one that broke: it is closed without a
/// word, as nobody would hear it.
async fn look(asked: impl Future<Output = Result<(), SqlxError>>) -> Result<(), SqlxError> {
    let silent = || SqlxError::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(LOOK_WITHIN, asked).await.unwrap_or_else(|_| Err(silent()))
}

/// One connection to see who is there: a pool would try again and again, and then not say why.
async fn try_postgres(options: &PgConnectOptions) -> Result<(), String> {
    let trying = async {
        loop {
            match options.connect().await {
                // It starts up: a machine that boots brings up both at once.
                Err(SqlxError::Database(error)) if error.code().as_deref() == Some("57P03") => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                other => return other,
            }
        }
    };
    let connected = tokio::time::timeout(CONNECT_WITHIN, trying).await.unwrap_or(Err(SqlxError::PoolTimedOut));
    let connection = connected.map_err(|error| refusal(&error, options))?;
    let version = connection.server_version_num().unwrap_or(0);
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "the first connection did not close cleanly");
    }
    if version < OLDEST {
        return Err(format!(
            "PostgreSQL 13 or newer is needed, and {}:{} runs {}.{}; upgrade it",
            options.get_host(),
            options.get_port(),
            version / 10_000,
            version % 10_000
        ));
    }
    Ok(())
}

/// One connection to PostgreSQL for a change of the schema: it may take as long as it needs, but not
/// wait long for a table.
pub(super) async fn patient(url: &str) -> Result<DatabaseConnection, String> {
    let options = postgres_options(url)?.options(LOCK_WITHIN);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_with(options.clone())
        .await
        .map_err(|error| refusal(&error, &options))?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
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
