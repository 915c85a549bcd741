//! The only place of this module that looks at a clock: a monotonic one, to stop work that hostile
//! input made slow. It decides how much is highlighted or compared, never what is stored.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    pub(super) fn passed(self) -> bool {
        Instant::now() >= self.0
    }

    pub(super) fn instant(self) -> Instant {
        self.0
    }
}
