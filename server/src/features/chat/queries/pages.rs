//! What only pages ask: the sidebar, messages by id, blocks between people, days.

use crate::app::AppState;
use crate::entities::kinds::{Availability, RoomKind};
use crate::features::chat::model::{MessageView, RoomRow};
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Side, SideRoom};
use crate::web::viewer::Me;

use super::messages::messages_by_ids;
use super::rooms::{FoundRoom, followed};

/// Rooms in the sidebar; the rest is on the page of all.
const ROOMS: usize = 30;
/// Conversations in the sidebar.
const DIRECTS: usize = 10;

/// What waits for a member: rooms, notices, and how they are shown. Two statements, three while a
/// head is not in mind.
pub async fn side(state: &AppState, me: &Me) -> Result<Side> {
    let mut rows = followed(state, me).await?;
    rows.retain(|row| !row.archived);
    let (mut directs, mut rooms): (Vec<RoomRow>, Vec<RoomRow>) =
        rows.into_iter().partition(|row| row.kind == RoomKind::Direct);
    rooms.sort_by_cached_key(|row| (!favourite(row), row.name.to_lowercase(), row.id));
    directs.sort_by(|left, right| right.last_message_at.cmp(&left.last_message_at));
    let row = Sql::new(
        "SELECT v.availability, (SELECT COUNT(*) FROM (SELECT 1 AS one FROM notice n \
         WHERE n.member_id = v.id AND n.read_at IS NULL LIMIT 100) unread) AS notices FROM member v WHERE v.id = ",
    )
    .bind(me.id)
    .one(state.store.read())
    .await?
    .ok_or(AppError::Unauthenticated)?;
    Ok(Side {
        rooms: shown(rooms, ROOMS),
        directs: shown(directs, DIRECTS),
        notices: row.try_get("", "notices")?,
        availability: row.try_get::<Availability>("", "availability")?,
    })
}

fn favourite(row: &RoomRow) -> bool {
    row.mine.as_ref().is_some_and(|mine| mine.favourite)
}

/// The first ones, and whatever has something new.
fn shown(rows: Vec<RoomRow>, most: usize) -> Vec<SideRoom> {
    let rows = rows.into_iter().map(|row| {
        let path = row.path();
        let favourite = favourite(&row);
        let mine = row.mine.unwrap_or_default();
        SideRoom {
            id: row.id.to_string(),
            path,
            icon: match row.kind {
                _ if favourite => "star-filled",
                RoomKind::Open | RoomKind::Direct => "",
                RoomKind::Private => "lock",
            },
            name: row.name,
            muted: mine.muted,
            unread: mine.unread,
            mentions: mine.mentions,
        }
    });
    rows.enumerate().filter(|(at, room)| *at < most || room.count() > 0).map(|(_, room)| room).collect()
}

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
