//! Whom a member does not want to hear from, and what they show of their presence.

use crate::app::AppState;
use crate::entities::kinds::Availability;
use crate::features::chat::ground;
use crate::realtime::bus::Told;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Blocks a member (`on`), or no longer. Neither can write to the other in a conversation of two,
/// and what they write makes no notices. They are not told.
pub async fn set_block(state: &AppState, me: &Me, handle: &str, on: bool) -> Result<()> {
    let (member, handle) = (me.id, handle.to_lowercase());
    if handle.len() > 64 || handle.contains('\0') {
        return Err(AppError::NotFound);
    }
    state
        .store
        .write(async move |tx| {
            let row = Sql::new("SELECT id FROM member WHERE state = 'active' AND handle = ")
                .bind(handle.clone())
                .one(tx.conn())
                .await?;
            let other: i64 = row.ok_or(AppError::NotFound)?.try_get("", "id")?;
            if other == member {
                return Err(AppError::Conflict("Nobody blocks themselves.".into()));
            }
            ground::hold_up(tx, [member, other]).await?;
            let sql = if on {
                Sql::new("INSERT INTO member_block (member_id, blocked_id, created_at) VALUES ")
                    .rows([[member.into(), other.into(), tx.now().into()]])
                    .then(" ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM member_block WHERE member_id = ")
                    .bind(member)
                    .then(" AND blocked_id = ")
                    .bind(other)
            };
            sql.run(tx.conn()).await?;
            Ok(())
        })
        .await
}

/// Sets what a member shows of their presence.
pub async fn set_availability(state: &AppState, me: &Me, availability: Availability) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            Sql::new("UPDATE member SET availability = ")
                .bind(availability.as_str())
                .then(" WHERE id = ")
                .bind(member)
                .run(tx.conn())
                .await?;
            Ok(())
        })
        .await?;
    state.hub.live().changed(member);
    state.bus.tell(Told::Changed(member));
    Ok(())
}
