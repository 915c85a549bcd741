//! Rate limits that all nodes have in common: one number in Redis for each key.
//!
//! The generic cell rate algorithm (ITU-T I.371): the number is the time at which a key would
//! have all of its share again. Redis's own clock counts, so that nodes need not agree.

use std::time::Duration;

/// How much a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Time after which there is one more.
    pub period: Duration,
    /// How many there are at most.
    pub burst: u32,
}

/// Takes up to ARGV[3] of a key; answers how many, and microseconds until there is one.
pub const SCRIPT: &str = "\
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local period, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or '0')
if full < now then full = now end
local free = math.floor((now + period * burst - full) / period)
if free < 1 then return {0, full + period - now - period * burst} end
local taken = math.min(free, want)
full = full + taken * period
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
return {taken, 0}";
