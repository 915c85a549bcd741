//! How much a socket may send, and how much of it may be wrong.

use super::protocol::Code;

pub(super) type Limit = governor::DefaultDirectRateLimiter;

/// Refused frames after which a socket is abusing the protocol, at once and a second.
const REFUSED: (u32, u32) = (200, 5);
/// The same for frames that were too many, which are answered and cost nothing else.
const HASTY: (u32, u32) = (20_000, 500);

/// So many at once, and so many a second.
pub(super) fn limit((burst, a_second): (u32, u32)) -> Limit {
    let quota = governor::Quota::per_second(nonzero(a_second));
    Limit::direct(quota.allow_burst(nonzero(burst)))
}

const fn nonzero(value: u32) -> std::num::NonZeroU32 {
    match std::num::NonZeroU32::new(value) {
        Some(value) => value,
        None => std::num::NonZeroU32::MIN,
    }
}

/// What a socket may still do wrong; it comes back with time.
pub(super) struct Patience {
    refused: Limit,
    hasty: Limit,
}

impl Default for Patience {
    fn default() -> Self {
        Self { refused: limit(REFUSED), hasty: limit(HASTY) }
    }
}

impl Patience {
    /// One more that is refused: whether that was too much.
    pub(super) fn is_over(&self, code: Code) -> bool {
        match code {
            // What is not the client's fault does not try our patience.
            Code::Unavailable | Code::Confirm => false,
            Code::RateLimited => self.hasty.check().is_err(),
            _ => self.refused.check().is_err(),
        }
    }
}
