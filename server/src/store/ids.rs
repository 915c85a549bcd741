//! Identifiers: 63 bits, made by the program, growing with time.
//!
//! 41 bits of milliseconds since 2025, 10 bits for the process, 12 bits of a counter. On the
//! wire an identifier is an opaque string: 13 characters of Crockford's base 32, lower case.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EPOCH_MS: i64 = 1_735_689_600_000;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A row's identifier as the outside sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub i64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u64::from_ne_bytes(self.0.to_ne_bytes());
        for place in (0..13).rev() {
            let digit = usize::try_from((value >> (place * 5)) & 31).unwrap_or(0);
            let letter = ALPHABET.get(digit).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an identifier of this hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an identifier")
    }
}

impl std::error::Error for NotAnId {}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() != 13 {
            return Err(NotAnId);
        }
        let mut value: i64 = 0;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(NotAnId)?;
            let digit = i64::try_from(digit).map_err(|_| NotAnId)?;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit)).ok_or(NotAnId)?;
        }
        Ok(Self(value))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Id {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("Opaque identifier"))
            .into()
    }
}

impl utoipa::ToSchema for Id {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

/// Makes identifiers for one process. Clones share the counter.
#[derive(Clone, Debug)]
pub struct Ids {
    process: i64,
    /// Where the counter of a millisecond begins: another number in each process, so that two whose
    /// numbers are equal in their lowest bits do not make the same.
    begin: i64,
    last: Arc<AtomicI64>,
}

impl Ids {
    /// `process` separates processes that share a database; its lowest 10 bits count.
    #[must_use]
    pub fn new(process: i64) -> Self {
        // Half of the counter stays free above it; what does not fit goes into the next millisecond.
        Self { process: process & 1023, begin: rand::random_range(0..2048), last: Arc::new(AtomicI64::new(0)) }
    }

    /// The next identifier, larger than every earlier one of this process even if the clock
    /// goes back. `now` in microseconds.
    #[must_use]
    pub fn next(&self, now: i64) -> i64 {
        let ms = ((now / 1000 - EPOCH_MS).max(0) << 12) | self.begin;
        let mut last = self.last.load(Ordering::Relaxed);
        let tick = loop {
            let next = ms.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break next,
                Err(seen) => last = seen,
            }
        };
        ((tick >> 12) << 22) | (self.process << 12) | (tick & 4095)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = (EPOCH_MS + 50_000_000_000) * 1000;

    #[test]
    fn ids_grow_even_if_the_clock_goes_back() {
        let ids = Ids::new(7);
        let mut last = 0;
        for step in 0..20_000 {
            let id = ids.next(NOW - step * 10);
            assert!(id > last, "{id} after {last}");
            assert_eq!((id >> 12) & 1023, 7);
            last = id;
        }
    }

    #[test]
    fn processes_with_equal_numbers_begin_apart() {
        // Of forty that meet in one millisecond hardly any two begin with the same.
        let mut first: Vec<i64> = (0..40).map(|round| Ids::new(round * 1024 + 3).next(NOW)).collect();
        first.sort_unstable();
        first.dedup();
        assert!(first.len() > 30, "{} of 40", first.len());
    }
}
