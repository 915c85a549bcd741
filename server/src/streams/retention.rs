//! Old events go; a reader that was away for longer than they are kept fetches again by HTTP.

use sea_orm::DatabaseTransaction;

use crate::store::Sql;
use crate::web::error::Result;

/// Events that one call removes at most: writers wait for it.
const EVENTS: i64 = 2000;
/// Streams that one call touches at most; whoever appends to one of them waits.
const STREAMS: i64 = 100;

/// Removes events older than `before` (microseconds) and raises the floors of their streams
/// first, so that no reader can be told less than it asked for. Of each stream a beginning goes,
/// so that what is left has no hole. At most one batch a call; returns how many events went, so
/// that the caller knows whether to come again.
pub async fn trim(tx: &DatabaseTransaction, before: i64) -> Result<usize> {
    let stale = Sql::new(
        "SELECT e.stream, MAX(e.seq) AS newest, (SELECT MIN(o.seq) FROM event o WHERE o.stream = e.stream) AS oldest \
         FROM (SELECT stream, seq FROM event WHERE at < ",
    )
    .bind(before)
    .then(" ORDER BY at")
    .limit(EVENTS)
    .then(") e GROUP BY e.stream ORDER BY e.stream")
    .limit(STREAMS)
    .all(tx)
    .await?;
    let mut left = EVENTS;
    for row in &stale {
        let name: String = row.try_get("", "stream")?;
        let (oldest, newest): (i64, i64) = (row.try_get("", "oldest")?, row.try_get("", "newest")?);
        // Where the clock went back there are more before the newest than were counted.
        let last = newest.min(oldest + left - 1);
        if last < oldest {
            break;
        }
        Sql::new("UPDATE stream SET floor = ")
            .bind(last)
            .then(" WHERE floor < ")
            .bind(last)
            .then(" AND name = ")
            .bind(name.as_str())
            .run(tx)
            .await?;
        Sql::new("DELETE FROM event WHERE stream = ").bind(name).then(" AND seq <= ").bind(last).run(tx).await?;
        left -= last - oldest + 1;
    }
    Ok(usize::try_from(EVENTS - left).unwrap_or_default())
}
