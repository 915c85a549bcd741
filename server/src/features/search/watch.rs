//! Looks for what is new in kept searches, by the clock, and tells their members.
//!
//! Invariants: one that cannot be looked at stands in nobody's way, and is looked at again from where
//! it was; while the index does not have everything nothing is looked at, and nothing passed over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::SearchQuery;
use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::features::notices::{NewNotice, tell};
use crate::ports::clock::MINUTE;
use crate::ports::search::{Ask, Sort};
use crate::search::{Condition, reach};
use crate::store::Sql;
use crate::web::error::{AppError, Result};

/// Searches looked at in one round; the rest comes with the next.
const ROUND: i64 = 200;
/// A search is looked at no more often than this.
const EVERY: i64 = 5 * MINUTE;
/// What was written so shortly ago may not be in every index yet.
const SETTLED: i64 = MINUTE;
/// A round takes no longer than this: the rest of the slow lane waits for it.
const BUDGET: Duration = Duration::from_secs(20);

/// Looks at those that have waited longest.
pub async fn run_due(state: &AppState) -> Result<()> {
    let (status, started, now) = (state.search.status(), Instant::now(), state.clock.now());
    if status.condition != Condition::Good || status.behind(now) >= SETTLED {
        return Ok(());
    }
    let rows = Sql::new("SELECT id, member_id, query, coalesce(unseen_from, checked_at) AS since FROM saved_search ")
        .then("WHERE notify AND checked_at < ")
        .bind(now - EVERY)
        .then(" ORDER BY checked_at")
        .limit(ROUND)
        .all(state.store.read())
        .await?;
    let until = now - SETTLED;
    for row in &rows {
        if started.elapsed() >= BUDGET {
            break;
        }
        let (id, member): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "member_id")?);
        let (query, since): (String, i64) = (row.try_get("", "query")?, row.try_get("", "since")?);
        match news(state, member, &query, since, until).await {
            Ok(new) => state.store.write(async move |tx| note(tx, id, member, until, new).await).await?,
            Err(error) => {
                tracing::warn!(%error, search = id, "a kept search could not be looked at");
                state.store.write(async move |tx| put_off(tx, id, since).await).await?;
            }
        }
    }
    Ok(())
}

/// The others come first; what is new since then is still to be told.
async fn put_off(tx: &crate::store::Tx, id: i64, since: i64) -> Result<()> {
    Sql::new("UPDATE saved_search SET unseen_from = ")
        .bind(since)
        .then(", checked_at = ")
        .bind(tx.now())
        .then(" WHERE id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Whether others wrote something in between that the search finds for its member.
async fn news(state: &AppState, member: i64, query: &str, since: i64, until: i64) -> Result<bool> {
    let reach = reach(state.store.read(), Some(member)).await?;
    // A space that was named and is no longer seen: there is nothing to be told.
    let asked = match SearchQuery::of_address(query).check(state, &reach).await {
        Ok(asked) => asked,
        Err(AppError::Invalid(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut filters = asked.filters;
    // Counts of a facet are as if its own filter were not set: who asks for what another wrote finds
    // nothing of their own.
    let finds_own = filters.author.is_none_or(|author| author == member);
    filters.from = Some(filters.from.map_or(since, |from| from.max(since)));
    filters.to = Some(filters.to.map_or(until, |to| to.min(until)));
    let ask = Ask {
        query: asked.query,
        filters,
        sort: Sort::New,
        limit: 1,
        after: None,
        reach: Arc::new(reach),
        now: state.clock.now(),
        names_only: false,
        facets: true,
    };
    let found = state.search.ask(ask).await?;
    let own = found.facets.authors.iter().find(|(author, _)| finds_own && *author == member);
    Ok(found.total > own.map_or(0, |(_, count)| *count))
}

async fn note(tx: &mut crate::store::Tx, id: i64, member: i64, until: i64, new: bool) -> Result<()> {
    // Its member may have deleted it meanwhile.
    let still = Sql::new("UPDATE saved_search SET unseen_from = NULL, checked_at = ");
    let still = still.bind(until).then(" WHERE id = ").bind(id);
    if still.run(tx.conn()).await?.rows_affected() == 0 || !new {
        return Ok(());
    }
    // One notice a search: a new one takes the place of the last.
    Sql::new("DELETE FROM notice WHERE kind = 'search' AND member_id = ")
        .bind(member)
        .then(" AND subject_id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    let notice = NewNotice {
        member,
        kind: NoticeKind::Search,
        actor: member,
        subject: id,
        room: None,
        topic: None,
        resource: None,
        study: None,
    };
    tell(tx, &[notice]).await?;
    Ok(())
}
