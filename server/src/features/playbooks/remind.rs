//! Reviews that are due: their authors and owners are reminded once, two weeks ahead, and a study
//! whose day has passed is shown as overdue.

use super::notify::{News, What};
use crate::app::AppState;
use crate::ports::clock::DAY;
use crate::store::Sql;
use crate::web::error::Result;

/// How long before the day.
const AHEAD: i64 = 14 * DAY;
/// Studies of one transaction.
const BATCH: i64 = 100;

/// Enqueues the reminders that are due.
pub async fn remind(state: &AppState) -> Result<()> {
    loop {
        let reminded = state
            .store
            .write(async |tx| {
                let rows = Sql::new(
                    "SELECT c.id, c.created_by FROM case_study c WHERE c.published > 0 AND c.retired_at IS NULL \
                     AND c.reminded_at IS NULL AND c.review_due < ",
                )
                .bind(tx.now() + AHEAD)
                .then(" ORDER BY c.review_due, c.id")
                .limit(BATCH)
                .locking("c", tx.conn())
                .all(tx.conn())
                .await?;
                for row in &rows {
                    let (study, actor): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "created_by")?);
                    let news = News { study, what: What::Due, subject: tx.id(), actor, mentions: Vec::new() };
                    tx.enqueue("playbooks.notify", &news).await?;
                }
                let ids = rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect::<Result<Vec<i64>>>()?;
                Sql::new("UPDATE case_study SET reminded_at = ")
                    .bind(tx.now())
                    .then(" WHERE id IN ")
                    .list(ids)
                    .run(tx.conn())
                    .await?;
                Ok(rows.len())
            })
            .await?;
        if reminded == 0 {
            return Ok(());
        }
    }
}
