//! Taking jobs and ending them.

use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::app::AppState;
use crate::entities::job;
use crate::entities::kinds::JobState;
use crate::ports::clock::{MINUTE, SECOND};
use crate::store::{After, Tx};
use crate::web::error::{AppError, Result};

/// A taken job is free again after this, if its process died.
const LOCK: i64 = 5 * MINUTE;
/// After so many attempts a job is dead.
pub const MOST_ATTEMPTS: i32 = 10;
/// What is said of an attempt that nobody came back from.
const NEVER_ENDED: &str = "its process died, or it took longer than its lock";

/// A job is begun only while its lock lasts at least this long.
const LEFT: i64 = MINUTE;

/// Kinds of jobs that may take seconds or minutes: they wait for a scanner, for another process, for the
/// file store, or for those who read the database.
const SLOW: [&str; 5] = [
    crate::features::library::SCAN,
    crate::features::library::EXTRACT,
    crate::features::library::DELETE,
    crate::features::people::DELETE,
    crate::features::moderation::FORGET,
];
/// Kinds of jobs that wait for a mail server.
const MAIL: [&str; 1] = [crate::features::accounts::SEND];

/// Jobs that wait for others than the database have workers of their own, so that notices wait for none
/// of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Quick,
    Mail,
    Slow,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Quick, Self::Mail, Self::Slow];

    /// Jobs taken at once. One that may take long is taken when it is run: its lock must outlast it.
    #[must_use]
    pub const fn batch(self) -> u64 {
        match self {
            Self::Quick => 16,
            Self::Mail | Self::Slow => 1,
        }
    }

    /// Workers of a node: a mail server that is slow with one letter may be quick with another.
    #[must_use]
    pub const fn workers(self) -> usize {
        match self {
            Self::Mail => 4,
            Self::Quick | Self::Slow => 1,
        }
    }

    fn kinds(self) -> Condition {
        let apart = SLOW.into_iter().chain(MAIL);
        match self {
            Self::Quick => Condition::all().add(job::Column::Kind.is_not_in(apart)),
            Self::Mail => Condition::all().add(job::Column::Kind.is_in(MAIL)),
            Self::Slow => Condition::all().add(job::Column::Kind.is_in(SLOW)),
        }
    }
}

/// Takes up to `count` due jobs of a lane for this process.
pub async fn take(state: &AppState, lane: Lane, count: u64) -> Result<Vec<job::Model>> {
    // Looking first spares an idle hub a write.
    let now = state.clock.now();
    let any = job::Entity::find().filter(due(now)).filter(lane.kinds()).select_only().column(job::Column::Id).limit(1);
    if any.into_tuple::<i64>().one(state.store.read()).await?.is_none() {
        return Ok(Vec::new());
    }
    state
        .store
        .write(async move |tx| {
            let mut find = job::Entity::find()
                .filter(due(tx.now()))
                .filter(lane.kinds())
                .order_by_asc(job::Column::RunAt)
                .limit(count);
            if tx.conn().get_database_backend() == DbBackend::Postgres {
                find = find.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            }
            let found = find.all(tx.conn()).await?;
            let mut jobs = count_lost(tx, found).await?;
            let until = tx.now() + LOCK;
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(JobState::Running.as_str()))
                .col_expr(job::Column::LockedUntil, Expr::value(Some(until)))
                .filter(job::Column::Id.is_in(jobs.iter().map(|job| job.id)))
                .exec(tx.conn())
                .await?;
            for job in &mut jobs {
                (job.state, job.locked_until) = (JobState::Running, Some(until));
            }
            Ok(jobs)
        })
        .await
}

/// A job whose lock ran out has had an attempt, and is taken alone: should it end its process again,
/// that counts for no other.
async fn count_lost(tx: &Tx, mut found: Vec<job::Model>) -> Result<Vec<job::Model>> {
    let Some(at) = found.iter().position(|job| job.state == JobState::Running) else { return Ok(found) };
    let mut lost = found.swap_remove(at);
    lost.attempts += 1;
    let dead = lost.attempts >= MOST_ATTEMPTS;
    let next = if dead { JobState::Dead } else { JobState::Running };
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(next.as_str()))
        .col_expr(job::Column::Attempts, Expr::value(lost.attempts))
        .col_expr(job::Column::LockedUntil, Expr::value(lost.locked_until.filter(|_| !dead)))
        .col_expr(job::Column::LastError, Expr::value(Some(NEVER_ENDED.to_owned())))
        .col_expr(job::Column::FinishedAt, Expr::value(dead.then(|| tx.now())))
        .filter(job::Column::Id.eq(lost.id))
        .exec(tx.conn())
        .await?;
    if dead {
        tracing::error!(kind = lost.kind, id = lost.id, "a job ended its process again and again, and is given up");
        return Ok(Vec::new());
    }
    lost.last_error = Some(NEVER_ENDED.to_owned());
    Ok(vec![lost])
}

fn due(now: i64) -> Condition {
    Condition::any()
        .add(Condition::all().add(job::Column::State.eq(JobState::Ready)).add(job::Column::RunAt.lte(now)))
        .add(Condition::all().add(job::Column::State.eq(JobState::Running)).add(job::Column::LockedUntil.lt(now)))
}

/// The row of a job as long as it is this taker's: whose lock ran out says nothing more about a job
/// that another has.
fn held(of: &job::Model) -> Condition {
    Condition::all()
        .add(job::Column::Id.eq(of.id))
        .add(job::Column::State.eq(JobState::Running))
        .add(job::Column::LockedUntil.eq(of.locked_until))
}

/// Whether there is time left to run a job that was taken a while ago.
#[must_use]
pub fn holds(of: &job::Model, now: i64) -> bool {
    of.locked_until.is_some_and(|until| until - now >= LEFT)
}

/// Ends a job that went well; false if it was another's by then.
pub async fn done(state: &AppState, of: &job::Model) -> Result<bool> {
    let held = held(of);
    state
        .store
        .write(async move |tx| {
            let gone = job::Entity::delete_many().filter(held.clone()).exec(tx.conn()).await?;
            Ok(gone.rows_affected == 1)
        })
        .await
}

/// Gives jobs back that were taken and not ended: the next who looks runs them.
pub async fn give_back(state: &AppState, jobs: &[job::Model]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let held = jobs.iter().fold(Condition::any(), |all, job| all.add(held(job)));
    state
        .store
        .write(async move |tx| {
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(JobState::Ready.as_str()))
                .col_expr(job::Column::LockedUntil, Expr::value(Option::<i64>::None))
                .filter(held.clone())
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
}

/// Puts a failed job back for later, or among the dead; false if it was another's by then.
pub async fn failed(state: &AppState, of: &job::Model, error: &AppError) -> Result<bool> {
    let attempts = of.attempts + 1;
    let dead = attempts >= MOST_ATTEMPTS;
    let text: String = error.to_string().chars().take(500).collect();
    let held = held(of);
    let pause = pause_after(attempts);
    state
        .store
        .write(async move |tx| {
            let next = if dead { JobState::Dead } else { JobState::Ready };
            let put = job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(next.as_str()))
                .col_expr(job::Column::Attempts, Expr::value(attempts))
                .col_expr(job::Column::RunAt, Expr::value(tx.now() + pause))
                .col_expr(job::Column::LockedUntil, Expr::value(Option::<i64>::None))
                .col_expr(job::Column::LastError, Expr::value(Some(text.clone())))
                .col_expr(job::Column::FinishedAt, Expr::value(dead.then(|| tx.now())))
                .filter(held.clone())
                .exec(tx.conn())
                .await?;
            Ok(put.rows_affected == 1)
        })
        .await
}

/// How long a job waits that has failed so often: 5 s, 10 s, 20 s, … 10 min at most. Most outages
/// are short, and none is helped by haste.
fn pause_after(attempts: i32) -> i64 {
    let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    ((5 * SECOND) << doubled).min(10 * MINUTE)
}

/// Gives a dead job another round of attempts.
pub async fn retry_dead(tx: &mut Tx, id: i64) -> Result<()> {
    let changed = job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(JobState::Ready.as_str()))
        .col_expr(job::Column::Attempts, Expr::value(0))
        .col_expr(job::Column::RunAt, Expr::value(tx.now()))
        .col_expr(job::Column::FinishedAt, Expr::value(Option::<i64>::None))
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::State.eq(JobState::Dead))
        .exec(tx.conn())
        .await?;
    if changed.rows_affected == 0 {
        return Err(AppError::NotFound);
    }
    tx.after(After::Jobs);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::pause_after;
    use crate::ports::clock::SECOND;

    #[test]
    fn pauses_double_to_ten_minutes() {
        let seconds: Vec<i64> = (1..=9).map(|attempts| pause_after(attempts) / SECOND).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!((pause_after(0), pause_after(i32::MAX)), (5 * SECOND, 600 * SECOND));
    }
}
