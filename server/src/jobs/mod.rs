//! Work after the commit: a queue in the database, retried with growing pauses, given up to a
//! dead-letter list, and a schedule of things that come round.
//!
//! Invariant: a job runs at least once. A job that a dead process had taken is free again when
//! its lock runs out; so handlers must bear to run twice. That counts as an attempt, so that a job
//! which ends its process does not do so for ever.

mod queue;
mod schedule;
mod worker;

pub use queue::{Lane, done, failed, retry_dead, take};
pub use schedule::{claim, keeping, ran, run_due};
pub use worker::{Worker, payload, run_until_idle};
