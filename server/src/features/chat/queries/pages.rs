//! What only pages ask: messages by id, blocks between people, days.

use crate::app::AppState;
use crate::features::chat::model::MessageView;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::viewer::Me;

use super::messages::messages_by_ids;
use super::rooms::FoundRoom;

/// Messages of a found room by id, in any order.
pub async fn messages_in(state: &AppState, room: &FoundRoom, ids: &[i64]) -> Result<Vec<MessageView>> {
    let mut views = messages_by_ids(state.store.read(), ids).await?;
    views.retain(|view| view.room.0 == room.ground.id);
    Ok(views)
}

/// Whether the viewer has blocked this member.
pub async fn has_blocked(state: &AppState, me: &Me, member: i64) -> Result<bool> {
    let row = Sql::new("SELECT 1 AS one FROM member_block WHERE member_id = ")
        .bind(me.id)
        .then(" AND blocked_id = ")
        .bind(member)
        .one(state.store.read())
        .await?;
    Ok(row.is_some())
}

/// When the last message before a time was written, microseconds.
pub async fn last_before(state: &AppState, room: i64, at: i64) -> Result<Option<i64>> {
    let row = Sql::new("SELECT created_at FROM message WHERE room_id = ")
        .bind(room)
        .then(" AND created_at < ")
        .bind(at)
        .then(" ORDER BY created_at DESC LIMIT 1")
        .one(state.store.read())
        .await?;
    row.map_or(Ok(None), |row| Ok(Some(row.try_get("", "created_at")?)))
}
