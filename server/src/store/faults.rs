//! What an error of the database means: somebody else was first, the connection is gone, a part
//! is away and may come back, or the fault is ours.
//!
//! A lost connection is noted, so that the pools look at every connection that was idle when it
//! happened before they hand it out again: one query finds out, the others are spared.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

use crate::web::error::{AppError, Result};

/// How long an answer of the database may take. It ends what takes longer itself: where that does not
/// happen, it is silent.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(20);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Milliseconds since `START` when a connection was last found to be lost; 0: never.
static LOST_AT: AtomicU64 = AtomicU64::new(0);

/// PostgreSQL's code for a lock that was not to be had in time.
const LOCKED: &str = "55P03";

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Transactions collided, or the database was busy: the same again may go through.
    Collision,
    /// The connection is gone; nothing was committed unless a commit was on its way.
    Lost,
    /// It took too long: this transaction ends, and concerns no other.
    Late,
    /// The database has no room or no connection for us now.
    Away,
    /// None of these: a fault of ours.
    Ours,
}

/// The error of the driver inside, if there is one.
fn driver(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

/// Tells what an error means.
#[must_use]
pub fn fault(error: &DbErr) -> Fault {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => Fault::Away,
        // Whoever is let in no more (no login, another password, a database that is closed or gone) did
        // nothing wrong: an operator may give it back.
        DbErr::Conn(_) => match driver(error).map_or(Fault::Away, driver_fault) {
            Fault::Ours => Fault::Away,
            meaning => meaning,
        },
        _ => driver(error).map_or(Fault::Ours, driver_fault),
    }
}

/// Whether PostgreSQL gave up because somebody else held a lock.
pub(super) fn is_locked(error: &DbErr) -> bool {
    match driver(error) {
        Some(SqlxError::Database(error)) => error.code().as_deref() == Some(LOCKED),
        _ => false,
    }
}

fn driver_fault(error: &SqlxError) -> Fault {
    match error {
        SqlxError::Io(_) | SqlxError::WorkerCrashed => Fault::Lost,
        SqlxError::PoolTimedOut | SqlxError::PoolClosed => Fault::Away,
        // What breaks off in the middle of a message reads as a message that makes no sense.
        SqlxError::Protocol(_) | SqlxError::Tls(_) => Fault::Lost,
        SqlxError::Database(error) => error.code().map_or(Fault::Ours, |code| code_fault(&code)),
        _ => Fault::Ours,
    }
}

/// By the code of PostgreSQL (five characters) or SQLite (a number, extended in its high bits).
fn code_fault(code: &str) -> Fault {
    // SQLite's extended codes have four digits at most.
    if code.len() == 5 {
        return match code {
            // The last one: somebody else held a lock for too long, and may be gone the next time.
            "40001" | "40P01" | LOCKED => Fault::Collision,
            // Shut down, crashed, starting up; cut off while idle in a transaction.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Fault::Lost,
            "57014" => Fault::Late,
            // Read only while it is a standby.
            "25006" => Fault::Away,
            _ if code.starts_with("08") => Fault::Lost,
            // No disk, no memory, no connection left.
            _ if code.starts_with("53") || code.starts_with("58") => Fault::Away,
            _ => Fault::Ours,
        };
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => Fault::Collision,
        // No memory, read-only, input or output failed, full, cannot open, protocol.
        Ok(7 | 8 | 10 | 13 | 14 | 15) => Fault::Away,
        _ => Fault::Ours,
    }
}

/// Notes that a connection was found to be lost now.
pub fn note_lost() {
    let now = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
    LOST_AT.fetch_max(now + 1, Ordering::AcqRel);
}

/// Waits so long for a database and no longer: one that says nothing is one that is away.
pub async fn in_time<T>(limit: Duration, asked: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        note_lost();
        tracing::error!(seconds = limit.as_secs(), "the database does not answer");
        Err(AppError::Unavailable(2))
    })
}

/// Whether a connection was lost since another was last used, `idle_for` ago.
#[must_use]
pub fn lost_since(idle_for: Duration) -> bool {
    let lost = LOST_AT.load(Ordering::Acquire);
    let used = START.elapsed().saturating_sub(idle_for).as_millis();
    lost > 0 && u128::from(lost) > used
}

/// Why PostgreSQL cannot be reached or does not let us in, and what to do; one line.
#[must_use]
pub fn refusal(error: &SqlxError, options: &PgConnectOptions) -> String {
    let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
    let base = options.get_database().unwrap_or(user);
    let line = match error {
        SqlxError::Io(error) => {
            format!("cannot reach PostgreSQL at {host}:{port} ({error}); start it, or correct host and port")
        }
        SqlxError::PoolTimedOut => {
            format!("PostgreSQL at {host}:{port} does not answer within 5 s; check host, port and the network between")
        }
        SqlxError::Tls(error) => {
            format!("no TLS with PostgreSQL at {host}:{port} ({error}); correct sslmode and its certificates")
        }
        SqlxError::Protocol(_) => {
            format!("what answers at {host}:{port} does not speak as PostgreSQL does; correct host and port")
        }
        SqlxError::Database(error) => match error.code().as_deref() {
            Some("28P01" | "28000") => format!(
                "PostgreSQL at {host}:{port} refuses the user '{user}' ({}); correct user and password",
                error.message()
            ),
            Some("3D000") => {
                format!("PostgreSQL at {host}:{port} has no database '{base}'; make it with: createdb {base}")
            }
            Some("42501") => format!(
                "PostgreSQL at {host}:{port} lets the user '{user}' do too little ({}); grant it the database",
                error.message()
            ),
            Some("53300") => format!(
                "PostgreSQL at {host}:{port} has no connection left ({}); raise its max_connections",
                error.message()
            ),
            Some("57P03") => format!("PostgreSQL at {host}:{port} is not ready ({}); wait for it", error.message()),
            _ => format!("PostgreSQL at {host}:{port} does not let us in ({}); see its log", error.message()),
        },
        other => format!("PostgreSQL at {host}:{port} cannot be used ({other}); correct the address"),
    };
    one_line(&line)
}

/// A text without line breaks.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sea_orm::{DbErr, RuntimeErr, SqlxError};

    use super::{Fault, code_fault, fault, lost_since, note_lost};

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        for (code, fault) in [
            ("40001", Fault::Collision),
            ("40P01", Fault::Collision),
            ("57P01", Fault::Lost),
            ("08006", Fault::Lost),
            ("55P03", Fault::Collision),
            ("25P03", Fault::Lost),
            ("57014", Fault::Late),
            ("53100", Fault::Away),
            ("23505", Fault::Ours),
            ("42703", Fault::Ours),
            ("5", Fault::Collision),
            ("517", Fault::Collision),
            ("13", Fault::Away),
            ("778", Fault::Away),
            ("2067", Fault::Ours),
            ("19", Fault::Ours),
        ] {
            assert_eq!(code_fault(code), fault, "{code}");
        }
    }

    #[test]
    fn whoever_is_not_let_in_may_be_later() {
        let refused = || RuntimeErr::SqlxError(SqlxError::Configuration("no login".into()).into());
        assert_eq!(fault(&DbErr::Conn(refused())), Fault::Away);
        assert_eq!(fault(&DbErr::Query(refused())), Fault::Ours);
    }

    #[test]
    fn a_loss_concerns_what_was_idle_then_and_not_what_came_later() {
        note_lost();
        assert!(lost_since(Duration::from_secs(5)));
        // True for the rest of this millisecond, and then no longer.
        while lost_since(Duration::ZERO) {
            std::thread::yield_now();
        }
    }
}
