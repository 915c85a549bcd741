//! Which posts are shown: a deleted one stays as a stub while something that is shown hangs on it.
//!
//! Invariant: `reply_count` of a post is the number of its direct replies that are shown. When a
//! post comes or goes, its ancestors may come or go with it, so this walks up; it ends at the first
//! ancestor that is not deleted.

use crate::store::Sql;
use crate::store::Tx;
use crate::web::error::Result;

/// A reply to `parent` is shown that was not before.
pub(super) async fn appeared(tx: &Tx, parent: Option<i64>) -> Result<()> {
    let mut next = parent;
    while let Some(id) = next {
        let (above, deleted, replies) = step(tx, id, 1).await?;
        next = above.filter(|_| deleted && replies == 1);
    }
    Ok(())
}

/// A reply to `parent` is no longer shown.
pub(super) async fn vanished(tx: &Tx, parent: Option<i64>) -> Result<()> {
    let mut next = parent;
    while let Some(id) = next {
        let (above, deleted, replies) = step(tx, id, -1).await?;
        next = above.filter(|_| deleted && replies == 0);
    }
    Ok(())
}

/// Counts and tells: the post's parent, whether it is deleted, its replies now.
async fn step(tx: &Tx, id: i64, by: i32) -> Result<(Option<i64>, bool, i32)> {
    let row = Sql::new("UPDATE post SET reply_count = reply_count + ")
        .bind(by)
        .then(" WHERE id = ")
        .bind(id)
        .then(" RETURNING parent_id, deleted_at, reply_count")
        .one(tx.conn())
        .await?;
    let Some(row) = row else { return Ok((None, false, 0)) };
    Ok((
        row.try_get("", "parent_id")?,
        row.try_get::<Option<i64>>("", "deleted_at")?.is_some(),
        row.try_get("", "reply_count")?,
    ))
}
