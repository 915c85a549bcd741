//! Runs jobs as they come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::sync::watch;

use super::queue::{self, Lane};
use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};

/// How often the queue is looked at when nobody wakes the worker.
const LOOK: Duration = Duration::from_secs(1);

/// What wakes the worker.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    quick: Arc<Notify>,
    slow: Arc<Notify>,
}

impl Worker {
    /// There are new jobs.
    pub fn wake(&self) {
        self.quick.notify_one();
        self.slow.notify_one();
    }

    /// Runs the jobs of a lane until told to stop; one that has begun is ended first.
    pub async fn run(self, state: AppState, lane: Lane, mut stop: watch::Receiver<bool>) {
        let wake = if lane == Lane::Quick { &self.quick } else { &self.slow };
        while !*stop.borrow() {
            if lane == Lane::Quick
                && let Err(error) = super::schedule::run_due(&state).await
            {
                tracing::warn!(%error, "the schedule waits for the database");
            }
            match run_batch(&state, lane).await {
                Ok(0) => {
                    tokio::select! {
                        () = wake.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "jobs wait for the database");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
}

/// Takes and runs some jobs; how many.
async fn run_batch(state: &AppState, lane: Lane) -> Result<usize> {
    let jobs = queue::take(state, lane, lane.batch()).await?;
    for job in &jobs {
        let started = std::time::Instant::now();
        let ran = std::panic::AssertUnwindSafe(crate::features::run_job(state, job)).catch_unwind().await;
        state.metrics.observe_job(&job.kind, started.elapsed());
        match ran.unwrap_or_else(|_| Err(AppError::internal("the job panicked"))) {
            Ok(()) => queue::done(state, job.id).await?,
            Err(error) => {
                tracing::warn!(%error, kind = job.kind, attempt = job.attempts + 1, "a job failed");
                queue::failed(state, job, &error).await?;
            }
        }
    }
    Ok(jobs.len())
}

/// Runs what is due until nothing is, for command-line programs and tests.
pub async fn run_until_idle(state: &AppState) -> Result<usize> {
    let mut ran = 0;
    loop {
        match run_batch(state, Lane::Quick).await? + run_batch(state, Lane::Slow).await? {
            0 => return Ok(ran),
            some => ran += some,
        }
    }
}

/// The payload of a job.
pub fn payload<T: serde::de::DeserializeOwned>(job: &job::Model) -> Result<T> {
    Ok(serde_json::from_str(&job.payload)?)
}
