//! Runs jobs as they come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::sync::watch;

use super::queue::{self, Lane};
use crate::app::AppState;
use crate::entities::job;
use crate::store::in_time;
use crate::web::error::{AppError, Result};

/// How often the queue is looked at when nobody wakes the worker.
const LOOK: Duration = Duration::from_secs(1);
/// How long it may take to take jobs: to look, and then to write.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// How long a job that runs when the hub stops may go on. Then it is given back, and runs again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What wakes the workers.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    quick: Arc<Notify>,
    mail: Arc<Notify>,
    slow: Arc<Notify>,
}

impl Worker {
    /// There are new jobs.
    pub fn wake(&self) {
        for lane in Lane::ALL {
            self.of(lane).notify_one();
        }
    }

    fn of(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Quick => &self.quick,
            Lane::Mail => &self.mail,
            Lane::Slow => &self.slow,
        }
    }

    /// Runs the jobs of a lane until told to stop; one that has begun is ended first if that does
    /// not take long.
    pub async fn run(self, state: AppState, lane: Lane, mut stop: watch::Receiver<bool>) {
        let wake = self.of(lane);
        while !*stop.borrow() {
            if let Err(error) = super::schedule::run_due(&state, lane).await {
                tracing::warn!(%error, "the schedule waits for the database");
            }
            let ran = match in_time(TAKEN_WITHIN, queue::take(&state, lane, lane.batch())).await {
                Ok(jobs) if jobs.is_empty() => {
                    tokio::select! {
                        () = wake.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                        _ = stop.changed() => {}
                    }
                    continue;
                }
                Ok(jobs) => {
                    // Where one was there may be more, for another worker of the lane.
                    if lane.workers() > 1 {
                        wake.notify_one();
                    }
                    run_taken(&state, &jobs, &stop).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = ran {
                tracing::warn!(%error, "jobs wait for the database");
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }
}

/// Runs jobs that were taken, one after the other. What the stop or the end of their lock comes
/// before is given back untouched.
async fn run_taken(state: &AppState, jobs: &[job::Model], stop: &watch::Receiver<bool>) -> Result<()> {
    for (at, job) in jobs.iter().enumerate() {
        if *stop.borrow() || !queue::holds(job, state.clock.now()) {
            return queue::give_back(state, jobs.get(at..).unwrap_or_default()).await;
        }
        let started = std::time::Instant::now();
        let running = std::panic::AssertUnwindSafe(crate::features::run_job(state, job)).catch_unwind();
        let ran = tokio::select! {
            ran = running => ran,
            () = patience(stop.clone()) => {
                tracing::warn!(kind = job.kind, "a job is given back, as the hub stops");
                return queue::give_back(state, jobs.get(at..).unwrap_or_default()).await;
            }
        };
        state.metrics.observe_job(&job.kind, started.elapsed());
        let ours = match ran.unwrap_or_else(|_| Err(AppError::internal("the job panicked"))) {
            Ok(()) => queue::done(state, job).await?,
            Err(error) => {
                tracing::warn!(%error, kind = job.kind, attempt = job.attempts + 1, "a job failed");
                queue::failed(state, job, &error).await?
            }
        };
        if !ours {
            tracing::warn!(kind = job.kind, "a job took longer than its lock, and is another's now");
        }
    }
    Ok(())
}

/// Ends some time after the stop.
async fn patience(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody will tell: a command, which ends when its jobs do.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(PATIENCE).await;
}

/// Runs what is due until nothing is, for command-line programs and tests.
pub async fn run_until_idle(state: &AppState) -> Result<usize> {
    let (_nobody, never) = watch::channel(false);
    let mut ran = 0;
    loop {
        let mut some = 0;
        for lane in Lane::ALL {
            let jobs = queue::take(state, lane, lane.batch()).await?;
            run_taken(state, &jobs, &never).await?;
            some += jobs.len();
        }
        if some == 0 {
            return Ok(ran);
        }
        ran += some;
    }
}

/// The payload of a job.
pub fn payload<T: serde::de::DeserializeOwned>(job: &job::Model) -> Result<T> {
    Ok(serde_json::from_str(&job.payload)?)
}
