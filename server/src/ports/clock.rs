//! The only place that reads the wall clock. Tests move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Microseconds in common spans.
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// The hub's clock: system time plus an offset that only tests move.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// Microseconds since 1970, UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX) + self.offset.load(Ordering::Relaxed)
    }

    /// Moves the clock by so many microseconds, for tests of limits that last hours.
    pub fn advance(&self, micros: i64) {
        self.offset.fetch_add(micros, Ordering::Relaxed);
    }
}

/// A time as the wire and `datetime` attributes show it: RFC 3339 in UTC, milliseconds if any.
#[must_use]
pub fn rfc3339(micros: i64) -> String {
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros / 1000) * 1_000_000) else {
        return String::from("1970-01-01T00:00:00Z");
    };
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_else(|_| String::from("1970-01-01T00:00:00Z"))
}

/// The microseconds of an RFC 3339 time; `None` if it is none.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1000).ok()
}
