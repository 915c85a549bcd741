//! The log of changes that indexes follow: rows of `index_change`, written with what they tell of.
//!
//! Invariant: a follower that goes on from its cursor sees every mark that was committed since, at
//! least once. On SQLite one writer at a time numbers the rows, so their order is commit order. On
//! PostgreSQL several writers commit out of the order of their numbers; a cursor there is a
//! snapshot of the database, and what comes next is what that snapshot did not see and the present
//! one does. No writer waits for another.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend};
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::store::{Sql, insert_rows};
use crate::web::error::{AppError, Result};

/// Marks read at once.
const PAGE: i64 = 2000;
/// The row of `setting` that says how far the log was cut.
const FLOOR: &str = "search.log_floor";

/// A row changed; with `deep` everything inside it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    pub kind: Kind,
    pub id: i64,
    pub deep: bool,
}

/// Writes marks; the last statement but the events of a transaction.
pub async fn record(tx: &DatabaseTransaction, marks: &BTreeSet<Mark>, now: i64) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let rows =
        marks.iter().map(|mark| [mark.kind.as_str().into(), mark.id.into(), mark.deep.into(), now.into()]).collect();
    insert_rows(tx, "INSERT INTO index_change (kind, subject_id, deep, at) VALUES ", rows).await
}

/// How far an index has followed the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Rows up to this number are done; on PostgreSQL, of those between the two snapshots.
    after: i64,
    /// PostgreSQL: everything this snapshot sees is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// PostgreSQL: of what this one sees besides, the rows up to `after` are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// The end of the log now; read before the rows that an index is built from.
pub async fn end(db: &DatabaseConnection) -> Result<Cursor> {
    if db.get_database_backend() == DbBackend::Postgres {
        return Ok(Cursor { after: 0, seen: Some(snapshot(db).await?), target: None });
    }
    let row = Sql::new("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'index_change'), 0) AS last");
    let row = row.one(db).await?.ok_or_else(|| AppError::internal("the log has no end"))?;
    Ok(Cursor { after: row.try_get("", "last")?, seen: None, target: None })
}

async fn snapshot(db: &impl ConnectionTrait) -> Result<String> {
    let row = Sql::new("SELECT pg_current_snapshot()::text AS now").one(db).await?;
    Ok(row.ok_or_else(|| AppError::internal("no snapshot"))?.try_get("", "now")?)
}

/// What comes after a cursor, and the cursor behind it. Fewer than a page: that was all.
#[derive(Debug)]
pub struct Read {
    pub marks: BTreeSet<Mark>,
    pub next: Cursor,
    pub more: bool,
}

/// Reads on; `None` if the log was cut beyond the cursor, or another database stands behind it:
/// then the index has to be built again.
pub async fn read(db: &DatabaseConnection, cursor: &Cursor) -> Result<Option<Read>> {
    if db.get_database_backend() == DbBackend::Postgres {
        read_postgres(db, cursor).await
    } else {
        read_sqlite(db, cursor).await
    }
}

async fn read_sqlite(db: &DatabaseConnection, cursor: &Cursor) -> Result<Option<Read>> {
    // One statement: the end and the floor are of the same moment as the rows.
    let rows = Sql::new(
        "SELECT e.last, e.floor, c.id, c.kind, c.subject_id, c.deep FROM (SELECT \
         coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'index_change'), 0) AS last, \
         coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'search.log_floor'), 0) AS floor) e \
         LEFT JOIN (SELECT id, kind, subject_id, deep FROM index_change WHERE id > ",
    )
    .bind(cursor.after)
    .then(" ORDER BY id")
    .limit(PAGE)
    .then(") c ON 1 = 1")
    .all(db)
    .await?;
    let Some(first) = rows.first() else { return Err(AppError::internal("the log has no end")) };
    let (last, floor): (i64, i64) = (first.try_get("", "last")?, first.try_get("", "floor")?);
    if cursor.seen.is_some() || cursor.after < floor || cursor.after > last {
        return Ok(None);
    }
    let (marks, after, count) = marks(&rows)?;
    let next = Cursor { after: after.max(cursor.after), seen: None, target: None };
    Ok(Some(Read { marks, next, more: count >= PAGE }))
}

async fn read_postgres(db: &DatabaseConnection, cursor: &Cursor) -> Result<Option<Read>> {
    let Some(seen) = &cursor.seen else { return Ok(None) };
    let (Some(low), Some(high)) = (edge(seen, 0), edge(seen, 1)) else { return Ok(None) };
    // A target is kept until all of it is read, so that pages are of one and the same set.
    let target = match &cursor.target {
        Some(target) => target.clone(),
        None => snapshot(db).await?,
    };
    let Some(now) = edge(&target, 1) else { return Ok(None) };
    // The number of the next transaction is of the same moment: a floor beyond it was brought along
    // from another cluster by a dump, and says nothing of this log.
    let floor =
        Sql::new("SELECT value, pg_snapshot_xmax(pg_current_snapshot())::text AS next FROM setting WHERE key = ");
    let floor: i64 = match floor.bind(FLOOR).one(db).await? {
        Some(row) => {
            let floor: i64 = row.try_get::<String>("", "value")?.parse().unwrap_or(0);
            let next: i64 = row.try_get::<String>("", "next")?.parse().unwrap_or(i64::MAX);
            if floor < next { floor } else { 0 }
        }
        None => 0,
    };
    if floor >= low || now < high {
        return Ok(None);
    }
    if *seen == target {
        let next = Cursor { after: 0, seen: Some(target), target: None };
        return Ok(Some(Read { marks: BTreeSet::new(), next, more: false }));
    }
    let rows = Sql::new("SELECT id, kind, subject_id, deep FROM index_change WHERE place >= ")
        .bind(low)
        .then(" AND place < ")
        .bind(now)
        .then(" AND id > ")
        .bind(cursor.after)
        .then(" AND NOT pg_visible_in_snapshot(place::text::xid8, ")
        .bind(seen.clone())
        .then("::pg_snapshot) AND pg_visible_in_snapshot(place::text::xid8, ")
        .bind(target.clone())
        .then("::pg_snapshot) ORDER BY id")
        .limit(PAGE)
        .all(db)
        .await?;
    let (marks, after, count) = marks(&rows)?;
    let more = count >= PAGE;
    let next = if more {
        Cursor { after, seen: Some(seen.clone()), target: Some(target) }
    } else {
        Cursor { after: 0, seen: Some(target), target: None }
    };
    Ok(Some(Read { marks, next, more }))
}

/// `xmin` (0) or `xmax` (1) of a snapshot's text, `xmin:xmax:…`.
fn edge(snapshot: &str, which: usize) -> Option<i64> {
    snapshot.split(':').nth(which)?.parse().ok()
}

fn marks(rows: &[sea_orm::QueryResult]) -> Result<(BTreeSet<Mark>, i64, i64)> {
    let (mut marks, mut last, mut count) = (BTreeSet::new(), 0, 0);
    for row in rows {
        let Some(id) = row.try_get::<Option<i64>>("", "id")? else { continue };
        last = id;
        count += 1;
        // A kind of a newer version of the program is no business of this one.
        if let Some(kind) = Kind::parse(&row.try_get::<String>("", "kind")?) {
            marks.insert(Mark { kind, id: row.try_get("", "subject_id")?, deep: row.try_get("", "deep")? });
        }
    }
    Ok((marks, last, count))
}

/// Cuts marks from before a time, microseconds, a batch a call, and says in the same transaction
/// how far: an index that is further behind builds itself again. Returns how many went.
///
/// On PostgreSQL a mark stays while a transaction is open that began to write before it, of whatever database of
/// the cluster: until that one ends, no snapshot says of itself that it has all before the mark, so that an index
/// could neither go on nor be built.
pub async fn trim(tx: &DatabaseTransaction, before: i64, now: i64) -> Result<usize> {
    let by_place = tx.get_database_backend() == DbBackend::Postgres;
    let mut sql =
        Sql::new("DELETE FROM index_change WHERE id IN (SELECT id FROM index_change WHERE at < ").bind(before);
    // Marks and a floor that came with a dump of another cluster may be numbered beyond this one.
    let mut next = i64::MAX;
    if by_place {
        let snapshot = snapshot(tx).await?;
        let (Some(low), Some(high)) = (edge(&snapshot, 0), edge(&snapshot, 1)) else {
            return Err(AppError::internal("no snapshot"));
        };
        sql = sql.then(" AND (place < ").bind(low).then(" OR place >= ").bind(high).then(")");
        next = high;
    }
    let gone = sql.then(" ORDER BY at LIMIT 5000) RETURNING id, place").all(tx).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let mut floor: i64 = 0;
    for row in &gone {
        let place: i64 = row.try_get("", if by_place { "place" } else { "id" })?;
        floor = floor.max(if place < next { place } else { 0 });
    }
    Sql::new("INSERT INTO setting (key, value, updated_at) VALUES ")
        .rows([[FLOOR.into(), floor.to_string().into(), now.into()]])
        .then(
            " ON CONFLICT (key) DO UPDATE SET value = CASE WHEN CAST(setting.value AS BIGINT) < \
             CAST(excluded.value AS BIGINT) OR CAST(setting.value AS BIGINT) >= ",
        )
        .bind(next)
        .then(" THEN excluded.value ELSE setting.value END, updated_at = excluded.updated_at")
        .run(tx)
        .await?;
    Ok(gone.len())
}
