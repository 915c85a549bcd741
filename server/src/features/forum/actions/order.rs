//! Pinning and closing topics.

use super::ground;
use crate::app::AppState;
use crate::store::Sql;
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;
use crate::web::viewer::Me;

/// Pins a topic to the top of its space (`on`), or no longer: moderators.
pub async fn set_pinned(state: &AppState, me: &Me, topic: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let topic = ground::topic(tx, member, topic).await?.living()?;
            topic.standing().moderate()?;
            if topic.pinned == on {
                return Ok(());
            }
            let at = on.then(|| tx.now());
            Sql::new("UPDATE topic SET pinned_at = ")
                .bind(at)
                .then(" WHERE id = ")
                .bind(topic.id)
                .run(tx.conn())
                .await?;
            tx.append(Stream::topic(topic.id), NewEvent::new("topic.changed", topic.id, Some(member)));
            Ok(())
        })
        .await
}

/// Closes a topic to replies (`on`), or opens it again: moderators, and its author.
pub async fn set_closed(state: &AppState, me: &Me, topic: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let topic = ground::topic(tx, member, topic).await?.living()?;
            topic.standing().change(topic.author_id)?;
            if topic.closed == on {
                return Ok(());
            }
            if !on && !topic.standing().moderates() && closed_by(tx, topic.id).await? != Some(member) {
                return Err(crate::web::error::AppError::Forbidden("A moderator closed this topic.".into()));
            }
            Sql::new("UPDATE topic SET closed_at = ")
                .bind(on.then(|| tx.now()))
                .then(", closed_by = ")
                .bind(on.then_some(member))
                .then(" WHERE id = ")
                .bind(topic.id)
                .run(tx.conn())
                .await?;
            tx.append(Stream::topic(topic.id), NewEvent::new("topic.changed", topic.id, Some(member)));
            Ok(())
        })
        .await
}

async fn closed_by(tx: &crate::store::Tx, topic: i64) -> Result<Option<i64>> {
    let row = Sql::new("SELECT closed_by FROM topic WHERE id = ").bind(topic).one(tx.conn()).await?;
    row.map_or(Ok(None), |row| Ok(row.try_get("", "closed_by")?))
}
