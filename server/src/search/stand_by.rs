//! A node that does not write the shared index: it answers from it, and knows how far it is.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::lease::Lease;
use super::log;
use super::service::{Condition, Wish, Wishes};
use crate::app::AppState;
use crate::ports::search::{Index, meili};
use crate::web::error::{AppError, Result};

/// How often the index is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The same while somebody waits for it.
const HURRY: Duration = Duration::from_millis(50);
/// How often the right to write is asked for.
const TRY: Duration = Duration::from_secs(3);
/// How often its size is.
const MEASURE: Duration = Duration::from_secs(10);

/// Answers until this node may write.
pub async fn run(
    state: &AppState,
    home: &meili::Home,
    lease: &Lease,
    wishes: &mut Wishes,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    let mut tried = Instant::now();
    let mut measured: Option<Instant> = None;
    let mut settling: Vec<oneshot::Sender<()>> = Vec::new();
    let mut had_all = state.clock.now();
    while !*stop.borrow() {
        while let Ok(wish) = wishes.try_recv() {
            match wish {
                Wish::Settle(answer) => settling.push(answer),
                // Whoever writes compares.
                Wish::Check(answer) => {
                    let _gone = answer.send(0);
                }
            }
        }
        let found = home.look().await.map_err(|error| AppError::Internal(error.into()))?;
        let good = found.filter(|(_, progress)| progress.is_good(&state.epoch));
        if let Some((index, progress)) = good {
            let condition = if progress.building.is_some() { Condition::Building } else { Condition::Good };
            if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
                measured = Some(Instant::now());
                let (documents, bytes) = index.size().await.map_err(|error| AppError::Internal(error.into()))?;
                state.search.note(|status| (status.documents, status.bytes) = (documents, bytes));
            }
            state.search.answer_from(Some(Index::Meili(index.into())));
            state.search.note(|status| status.condition = condition);
            let news = log::read(state.store.read(), &progress.cursor).await?;
            let has_all = news.is_some_and(|news| news.marks.is_empty() && !news.more);
            if has_all {
                had_all = state.clock.now();
            }
            state.search.note(|status| status.lacks_since = (!has_all).then_some(had_all));
            if condition == Condition::Good && has_all {
                for answer in settling.drain(..) {
                    let _gone = answer.send(());
                }
            }
        } else {
            state.search.note(|status| status.condition = Condition::Building);
        }
        if tried.elapsed() >= TRY {
            tried = Instant::now();
            if lease.take(state).await? {
                return Ok(());
            }
        }
        let pause = if settling.is_empty() { LOOK } else { HURRY };
        tokio::select! {
            _ = tokio::time::timeout(pause, state.search.woken()) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}
