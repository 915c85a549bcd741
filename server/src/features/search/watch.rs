//! Looks for what is new in kept searches, by the clock, and tells their members.

use std::sync::Arc;

use super::asked::SearchQuery;
use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::features::notices::{NewNotice, tell};
use crate::ports::clock::MINUTE;
use crate::ports::search::{Ask, Sort};
use crate::search::reach;
use crate::store::Sql;
use crate::web::error::Result;

/// Searches looked at in one round; the rest comes with the next.
const ROUND: i64 = 200;
/// A search is looked at no more often than this.
const EVERY: i64 = 5 * MINUTE;
/// What was written so shortly ago may not be in every index yet.
const SETTLED: i64 = MINUTE;

/// Looks at those that have waited longest.
pub async fn run_due(state: &AppState) -> Result<()> {
    let now = state.clock.now();
    let rows = Sql::new("SELECT id, member_id, query, checked_at FROM saved_search WHERE notify AND checked_at < ")
        .bind(now - EVERY)
        .then(" ORDER BY checked_at LIMIT ")
        .bind(ROUND)
        .all(state.store.read())
        .await?;
    for row in &rows {
        let (id, member): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "member_id")?);
        let (query, since): (String, i64) = (row.try_get("", "query")?, row.try_get("", "checked_at")?);
        let until = now - SETTLED;
        let new = news(state, member, &query, since, until).await?;
        state.store.write(async move |tx| note(tx, id, member, until, new).await).await?;
    }
    Ok(())
}

/// Whether others wrote something in between that the search finds for its member.
async fn news(state: &AppState, member: i64, query: &str, since: i64, until: i64) -> Result<bool> {
    let reach = reach(state.store.read(), Some(member)).await?;
    // A space that was named and is no longer seen: there is nothing to be told.
    let Ok(asked) = SearchQuery::of_address(query).check(state, &reach).await else { return Ok(false) };
    let mut filters = asked.filters;
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
    let own = found.facets.authors.iter().find(|(author, _)| *author == member).map_or(0, |(_, count)| *count);
    Ok(found.total > own)
}

async fn note(tx: &mut crate::store::Tx, id: i64, member: i64, until: i64, new: bool) -> Result<()> {
    // Its member may have deleted it meanwhile.
    let still = Sql::new("UPDATE saved_search SET checked_at = ").bind(until).then(" WHERE id = ").bind(id);
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
