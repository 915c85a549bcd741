//! Failed sign-ins slow the pair of address and account.
//!
//! Invariant: no account is ever locked: from another address its member signs in at once. A
//! hospital behind one address is not slowed by one colleague's typing. What one node counts, the
//! others hear.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::app::secrets::hash_token;
use crate::locks::locked;
use crate::ports::clock::{HOUR, SECOND};
use crate::realtime::Bus;
use crate::realtime::bus::Told;
use crate::web::error::{AppError, Result};

/// So many wrong passwords cost nothing.
const FREE: u32 = 5;
/// The longest wait, seconds.
const LONGEST: i64 = 900;
/// Failures are forgotten after this.
const KEPT: i64 = HOUR;
/// Pairs kept at most.
const PAIRS: usize = 20_000;

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: i64,
}

impl Failures {
    /// Whether the wait is over, or how long it is. Who need not wait is not held up by somebody who asked a moment
    /// later and came first.
    fn passed(&self, now: i64) -> Result<()> {
        let wait = wait(self.count);
        let left = if wait > 0 { self.last + wait - now } else { 0 };
        if left > 0 { Err(AppError::TooMany(u64::try_from(left / SECOND + 1).unwrap_or(1))) } else { Ok(()) }
    }
}

/// What is remembered of failed sign-ins, by the hash of a pair. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SlowDown {
    pairs: Arc<Mutex<HashMap<String, Failures>>>,
    bus: Bus,
}

impl SlowDown {
    #[must_use]
    pub fn new(bus: Bus) -> Self {
        Self { pairs: Arc::default(), bus }
    }

    /// Counts an attempt as failed before the password is looked at, so that a hundred at once
    /// are a hundred; or says how long to wait.
    pub fn attempt(&self, pair: &str, now: i64) -> Result<()> {
        let key = hash_token(pair);
        let mut pairs = locked(&self.pairs);
        if pairs.len() >= PAIRS && !pairs.contains_key(&key) {
            make_room(&mut pairs, now);
        }
        let failures = pairs.entry(key.clone()).or_insert(Failures { count: 0, last: now });
        if now - failures.last > KEPT {
            failures.count = 0;
        }
        failures.passed(now)?;
        failures.count += 1;
        failures.last = now.max(failures.last);
        self.bus.tell(Told::Slowed(key, failures.count, now));
        Ok(())
    }

    /// What another node counted; none: the pair starts anew.
    pub fn hear(&self, key: String, count: u32, last: i64) {
        let mut pairs = locked(&self.pairs);
        if count == 0 {
            pairs.remove(&key);
            return;
        }
        if pairs.len() >= PAIRS && !pairs.contains_key(&key) {
            make_room(&mut pairs, last);
        }
        let failures = pairs.entry(key).or_insert(Failures { count, last });
        failures.count = failures.count.max(count);
        failures.last = failures.last.max(last);
    }

    /// How long to wait, without counting anything.
    pub fn look(&self, pair: &str, now: i64) -> Result<()> {
        let pairs = locked(&self.pairs);
        let Some(failures) = pairs.get(&hash_token(pair)).filter(|failures| now - failures.last <= KEPT) else {
            return Ok(());
        };
        failures.passed(now)
    }

    /// The password was right: the pair starts anew.
    pub fn succeeded(&self, pair: &str) {
        let key = hash_token(pair);
        let mut pairs = locked(&self.pairs);
        if pairs.remove(&key).is_some() {
            self.bus.tell(Told::Slowed(key, 0, 0));
        }
    }
}

/// How long to wait after so many failures, microseconds: 2, 4, 8 … seconds.
fn wait(failures: u32) -> i64 {
    if failures < FREE {
        return 0;
    }
    let seconds = 2_i64.checked_shl((failures - FREE).min(20)).unwrap_or(LONGEST);
    seconds.min(LONGEST) * SECOND
}

fn make_room(pairs: &mut HashMap<String, Failures>, now: i64) {
    pairs.retain(|_, failures| now - failures.last <= KEPT);
    if pairs.len() < PAIRS {
        return;
    }
    // Half go, the longest unheard of first: making room is rare then.
    let mut times: Vec<i64> = pairs.values().map(|failures| failures.last).collect();
    let middle = times.len() / 2;
    let (_, bound, _) = times.select_nth_unstable(middle);
    let bound = *bound;
    pairs.retain(|_, failures| failures.last > bound);
}

#[cfg(test)]
mod tests {
    use super::{FREE, PAIRS, SlowDown, wait};
    use crate::ports::clock::SECOND;

    #[test]
    fn one_who_asked_earlier_and_comes_later_need_not_wait() {
        let slow = SlowDown::default();
        slow.attempt("pair", 10 * SECOND).unwrap();
        slow.attempt("pair", 10 * SECOND - 1).unwrap();
        slow.look("pair", 10 * SECOND - 1).unwrap();
        for _ in 2..FREE {
            slow.attempt("pair", 10 * SECOND).unwrap();
        }
        assert!(slow.attempt("pair", 11 * SECOND).is_err(), "then it has to");
    }

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(wait(FREE - 1), 0);
        assert_eq!(wait(FREE), 2 * SECOND);
        assert_eq!(wait(FREE + 3), 16 * SECOND);
        assert_eq!(wait(FREE + 400), 900 * SECOND);
    }

    #[test]
    fn one_pair_waits_and_no_other() {
        let slow = SlowDown::default();
        for _ in 0..FREE {
            slow.attempt("a", 0).unwrap();
        }
        assert!(slow.attempt("a", SECOND).is_err() && slow.look("a", SECOND).is_err());
        slow.look("b", SECOND).unwrap();
        slow.attempt("b", SECOND).unwrap();
        slow.attempt("a", 3 * SECOND).unwrap();
        assert!(slow.attempt("a", 4 * SECOND).is_err(), "the wait has grown");
        slow.succeeded("a");
        slow.attempt("a", 4 * SECOND).unwrap();
    }

    #[test]
    fn the_memory_is_bounded() {
        let slow = SlowDown::default();
        for number in 0..i64::try_from(PAIRS).unwrap() + 10 {
            slow.attempt(&number.to_string(), number).unwrap();
        }
        assert!(slow.pairs.lock().unwrap().len() <= PAIRS);
    }
}
