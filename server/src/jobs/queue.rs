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
pub const MOST_ATTEMPTS: i32 = 8;

/// Kinds of jobs that may take seconds or minutes.
const SLOW: [&str; 2] = [crate::features::library::SCAN, crate::features::library::EXTRACT];

/// Jobs that take long have a worker of their own, so that mails and notices wait for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Quick,
    Slow,
}

impl Lane {
    /// Jobs taken at once. A slow one is taken when it is run: its lock must outlast it.
    #[must_use]
    pub const fn batch(self) -> u64 {
        match self {
            Self::Quick => 16,
            Self::Slow => 1,
        }
    }

    fn kinds(self) -> Condition {
        match self {
            Self::Quick => Condition::all().add(job::Column::Kind.is_not_in(SLOW)),
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
            let jobs = find.all(tx.conn()).await?;
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(JobState::Running.as_str()))
                .col_expr(job::Column::LockedUntil, Expr::value(Some(tx.now() + LOCK)))
                .filter(job::Column::Id.is_in(jobs.iter().map(|job| job.id)))
                .exec(tx.conn())
                .await?;
            Ok(jobs)
        })
        .await
}

fn due(now: i64) -> Condition {
    Condition::any()
        .add(Condition::all().add(job::Column::State.eq(JobState::Ready)).add(job::Column::RunAt.lte(now)))
        .add(Condition::all().add(job::Column::State.eq(JobState::Running)).add(job::Column::LockedUntil.lt(now)))
}

/// Ends a job that went well.
pub async fn done(state: &AppState, id: i64) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            job::Entity::delete_by_id(id).exec(tx.conn()).await?;
            Ok(())
        })
        .await
}

/// Puts a failed job back for later, or among the dead.
pub async fn failed(state: &AppState, of: &job::Model, error: &AppError) -> Result<()> {
    let attempts = of.attempts + 1;
    let dead = attempts >= MOST_ATTEMPTS;
    let text: String = error.to_string().chars().take(500).collect();
    let id = of.id;
    // 5 s, 10 s, 20 s, … 10 min: most outages are short, and none is helped by haste.
    let pause = (5 * SECOND).saturating_mul(1 << attempts.clamp(0, 7));
    state
        .store
        .write(async move |tx| {
            let next = if dead { JobState::Dead } else { JobState::Ready };
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(next.as_str()))
                .col_expr(job::Column::Attempts, Expr::value(attempts))
                .col_expr(job::Column::RunAt, Expr::value(tx.now() + pause))
                .col_expr(job::Column::LockedUntil, Expr::value(Option::<i64>::None))
                .col_expr(job::Column::LastError, Expr::value(Some(text.clone())))
                .col_expr(job::Column::FinishedAt, Expr::value(dead.then(|| tx.now())))
                .filter(job::Column::Id.eq(id))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
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
