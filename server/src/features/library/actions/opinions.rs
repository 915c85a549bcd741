//! Endorsements and counted downloads.

use super::{ground, tell};
use crate::app::AppState;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Endorses a resource with what the member is (`on`), or takes it back. Not one's own.
pub async fn set_endorsement(state: &AppState, me: &Me, id: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let ground = ground::resource(tx, member, id).await?.living()?;
            ground.standing.write()?;
            if on && ground.author_id == member {
                return Err(AppError::Forbidden("Nobody endorses what they shared themselves.".into()));
            }
            let changed = if on {
                Sql::new("INSERT INTO resource_endorsement (resource_id, member_id, created_at) VALUES (")
                    .bind(id)
                    .then(", ")
                    .bind(member)
                    .then(", ")
                    .bind(tx.now())
                    .then(") ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM resource_endorsement WHERE resource_id = ")
                    .bind(id)
                    .then(" AND member_id = ")
                    .bind(member)
            };
            if changed.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            Sql::new("UPDATE resource SET endorsement_count = endorsement_count + ")
                .bind(if on { 1 } else { -1 })
                .then(" WHERE id = ")
                .bind(id)
                .run(tx.conn())
                .await?;
            tell(tx, "resource.changed", ground.space_id, id, member);
            Ok(())
        })
        .await
}

/// Counts one download. It is no change that readers are told of.
pub async fn count_download(state: &AppState, id: i64) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            Sql::new("UPDATE resource SET download_count = download_count + 1 WHERE id = ")
                .bind(id)
                .run(tx.conn())
                .await?;
            Ok(())
        })
        .await
}
