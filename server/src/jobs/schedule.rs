//! Things that come round: each runs once per period however many processes there are.
//!
//! A row of the settings table says when a task last ran; who moves it forward by a lease runs it, and
//! moves it to the time of the run when that went well.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::queue::Lane;
use crate::app::AppState;
use crate::entities::{idempotent_answer, one_time_token, refresh_token, session, setting};
use crate::ports::clock::{DAY, HOUR, MINUTE};
use crate::search::log;
use crate::store::Tx;
use crate::web::error::Result;

/// Events older than this are no longer replayed; a reader away for longer fetches again.
const EVENTS_KEPT: i64 = 30 * DAY;

/// An index that has not followed for so long builds itself again.
const CHANGES_KEPT: i64 = 3 * DAY;

/// A task that failed, or whose node died, is tried again after this.
const AGAIN: i64 = 5 * MINUTE;

/// How often a run looks whether its lease is half over, and how long it may go on: one that hangs is
/// another node's in the end.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);
const LONGEST: i64 = 6 * HOUR;

/// What each node does for itself: its memory is nobody else's.
const TIDY_MEMORY: (&str, i64) = ("schedule.tidy_memory", 10 * MINUTE);

/// What asks another part of the hub, or takes many rows away, holds up no notice.
const TASKS: &[(&str, i64, Lane)] = &[
    ("schedule.tidy_rows", HOUR, Lane::Slow),
    ("schedule.trim_events", HOUR, Lane::Slow),
    ("schedule.unused_files", HOUR, Lane::Slow),
    ("schedule.library_waiting", MINUTE, Lane::Slow),
    ("schedule.library_reviews", HOUR, Lane::Quick),
    ("schedule.library_orphans", DAY, Lane::Slow),
    ("schedule.trim_index_changes", HOUR, Lane::Slow),
    ("schedule.saved_searches", MINUTE, Lane::Slow),
    ("schedule.study_reviews", HOUR, Lane::Quick),
];

/// Runs what is due of a lane.
pub async fn run_due(state: &AppState, lane: Lane) -> Result<()> {
    let now = state.clock.now();
    if lane == Lane::Quick && state.schedule_due(TIDY_MEMORY.0, now, TIDY_MEMORY.1) {
        state.limits.tidy();
    }
    for (name, period, _) in TASKS.iter().filter(|(_, _, of)| *of == lane) {
        if !state.schedule_due(name, now, *period) {
            continue;
        }
        let again = now + lease(*period) - period;
        let lease = match claim(state, name, *period).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                // Whoever has it may die with it.
                state.schedule_again(name, again);
                continue;
            }
            Err(error) => {
                state.schedule_again(name, 0);
                return Err(error);
            }
        };
        let (went, lease) = keeping(state, name, *period, lease, run(state, name)).await;
        let done = match went {
            Ok(()) => ran(state, name, lease, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // The others are due all the same.
            tracing::warn!(%error, task = name, "a task of the schedule failed, and is tried again");
            state.schedule_again(name, again);
        }
    }
    Ok(())
}

/// How long a task is its taker's. One that failed, or whose node died, is due again after that.
const fn lease(period: i64) -> i64 {
    if period < AGAIN { period } else { AGAIN }
}

/// Moves a task's mark forward, as far as its lease; none if another process did. What comes back is
/// for [`ran`].
pub async fn claim(state: &AppState, name: &'static str, period: i64) -> Result<Option<i64>> {
    state
        .store
        .write(async move |tx| {
            let row = setting::ActiveModel { key: Set(name.into()), value: Set(String::new()), updated_at: Set(0) };
            setting::Entity::insert(row)
                .on_conflict(OnConflict::column(setting::Column::Key).do_nothing().to_owned())
                .exec_without_returning(tx.conn())
                .await?;
            let leased = tx.now() - period + lease(period);
            let moved = setting::Entity::update_many()
                .col_expr(setting::Column::UpdatedAt, Expr::value(leased))
                .filter(setting::Column::Key.eq(name))
                .filter(setting::Column::UpdatedAt.lte(tx.now() - period))
                .exec(tx.conn())
                .await?;
            Ok((moved.rows_affected == 1).then_some(leased))
        })
        .await
}

/// Waits for a task, and renews its lease meanwhile, so that no other node takes what only takes long. What
/// comes back is what the task said, and the lease as it is then.
pub async fn keeping<T>(
    state: &AppState,
    name: &'static str,
    period: i64,
    leased: i64,
    task: impl Future<Output = T>,
) -> (T, i64) {
    let mut task = std::pin::pin!(task);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let begun = state.clock.now();
    let (mut leased, mut renewed, mut is_ours) = (leased, begun, true);
    loop {
        tokio::select! {
            done = &mut task => return (done, leased),
            _ = look.tick(), if is_ours => {}
        }
        let now = state.clock.now();
        if now - begun > LONGEST {
            is_ours = false;
        } else if now - renewed >= lease(period) / 2 {
            match renew(state, name, period, leased).await {
                Ok(Some(until)) => (leased, renewed) = (until, now),
                Ok(None) => is_ours = false,
                // It is tried again, as long as it is not another's.
                Err(error) => tracing::warn!(%error, task = name, "the lease of a task could not be renewed"),
            }
        }
    }
}

/// Moves a lease forward from now; none if it is not the taker's any more.
async fn renew(state: &AppState, name: &'static str, period: i64, leased: i64) -> Result<Option<i64>> {
    state
        .store
        .write(async move |tx| {
            let until = tx.now() - period + lease(period);
            let moved = setting::Entity::update_many()
                .col_expr(setting::Column::UpdatedAt, Expr::value(until))
                .filter(setting::Column::Key.eq(name))
                .filter(setting::Column::UpdatedAt.eq(leased))
                .exec(tx.conn())
                .await?;
            Ok((moved.rows_affected == 1).then_some(until))
        })
        .await
}

/// Notes that a task ran at a time, if it is still its taker's.
pub async fn ran(state: &AppState, name: &'static str, leased: i64, at: i64) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            setting::Entity::update_many()
                .col_expr(setting::Column::UpdatedAt, Expr::value(at))
                .filter(setting::Column::Key.eq(name))
                .filter(setting::Column::UpdatedAt.eq(leased))
                .exec(tx.conn())
                .await?;
            Ok(())
        })
        .await
}

async fn run(state: &AppState, name: &str) -> Result<()> {
    match name {
        "schedule.tidy_rows" => tidy_rows(state).await?,
        "schedule.unused_files" => {
            crate::features::people::remove_unused_files(state).await?;
            state.blobs.remove_cut_off(state.clock.now() - DAY).await?;
        }
        "schedule.library_waiting" => crate::features::library::requeue_waiting(state).await?,
        "schedule.library_reviews" => crate::features::library::tell_reviews(state).await?,
        "schedule.library_orphans" => {
            crate::features::library::remove_orphans(state).await?;
        }
        "schedule.saved_searches" => crate::features::search::run_due(state).await?,
        "schedule.study_reviews" => crate::features::playbooks::remind(state).await?,
        "schedule.trim_index_changes" => {
            for _ in 0..1000 {
                let cut = async |tx: &mut Tx| log::trim(tx.conn(), tx.now() - CHANGES_KEPT, tx.now()).await;
                if state.store.write(cut).await? == 0 {
                    break;
                }
            }
        }
        "schedule.trim_events" => {
            // Some events a transaction, so that writers wait for none of it long.
            for _ in 0..1000 {
                let trimmed =
                    state.store.write(async |tx| crate::streams::trim(tx.conn(), tx.now() - EVENTS_KEPT).await).await?;
                if trimmed == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

async fn tidy_rows(state: &AppState) -> Result<()> {
    state
        .store
        .write(async |tx| {
            let (now, db) = (tx.now(), tx.conn());
            idempotent_answer::Entity::delete_many()
                .filter(idempotent_answer::Column::CreatedAt.lt(now - DAY))
                .exec(db)
                .await?;
            one_time_token::Entity::delete_many()
                .filter(one_time_token::Column::ExpiresAt.lt(now - DAY))
                .exec(db)
                .await?;
            // A session is kept for a month after its end, to be shown to its member.
            let old = sea_orm::sea_query::Query::select()
                .column(session::Column::Id)
                .from(session::Entity)
                .and_where(Expr::col(session::Column::ExpiresAt).lt(now - 30 * DAY))
                .to_owned();
            refresh_token::Entity::delete_many()
                .filter(refresh_token::Column::SessionId.in_subquery(old))
                .exec(db)
                .await?;
            session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(now - 30 * DAY)).exec(db).await?;
            Ok(())
        })
        .await
}
