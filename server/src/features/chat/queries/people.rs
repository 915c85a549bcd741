//! People of rooms, whom a member blocks, and topics that were made of messages.

use super::rooms::person;
use crate::app::AppState;
use crate::features::chat::model::RoomPerson;
use crate::features::forum::model::TopicRow;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Me;

/// Those let into a private room, those of a direct conversation, or those who follow an open one.
/// The caller has found the room for its viewer.
pub async fn people_of_room(state: &AppState, room: i64, page: &PageQuery) -> Result<Page<RoomPerson>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let rows = Sql::new(
        "SELECT m.id, m.handle, m.display_name, m.avatar FROM room_member rm JOIN member m ON m.id = rm.member_id \
         WHERE m.state = 'active' AND rm.room_id = ",
    )
    .bind(room)
    .then(" AND rm.member_id > ")
    .bind(after.map_or(0, |place| place.id))
    .then(" ORDER BY rm.member_id")
    .limit(limit + 1)
    .all(state.store.read())
    .await?;
    let items = rows.iter().map(|row| person(row, "")).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(items, limit, |person| Place { key: 0, id: person.id }))
}

/// Whom a member blocks, the latest first.
pub async fn blocks(state: &AppState, me: &Me, page: &PageQuery) -> Result<Page<RoomPerson>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(
        "SELECT m.id, m.handle, m.display_name, m.avatar, b.created_at FROM member_block b \
         JOIN member m ON m.id = b.blocked_id WHERE b.member_id = ",
    )
    .bind(me.id);
    if let Some(place) = after {
        sql = sql.then(" AND (b.created_at < ").bind(place.key).then(" OR (b.created_at = ").bind(place.key);
        sql = sql.then(" AND m.id < ").bind(place.id).then("))");
    }
    let rows = sql.then(" ORDER BY b.created_at DESC, m.id DESC").limit(limit + 1).all(state.store.read()).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        items.push((person(row, "")?, row.try_get::<i64>("", "created_at")?));
    }
    Ok(Page::cut(items, limit, |(person, at)| Place { key: *at, id: person.id }).map(|(person, _)| person))
}

/// Topics that were made of a room's messages, the latest first; at most 100.
pub async fn room_topics(state: &AppState, room: i64) -> Result<Vec<TopicRow>> {
    let rows = Sql::new("SELECT topic_id FROM room_topic WHERE room_id = ")
        .bind(room)
        .then(" ORDER BY created_at DESC, topic_id DESC LIMIT 100")
        .all(state.store.read())
        .await?;
    let ids = rows.iter().map(|row| Ok(row.try_get("", "topic_id")?)).collect::<Result<Vec<i64>>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut topics = crate::features::forum::queries::topics_by_ids(state.store.read(), &ids).await?;
    topics.retain(|topic| !topic.deleted && !topic.hidden);
    topics.sort_by_key(|topic| ids.iter().position(|id| *id == topic.id.0));
    Ok(topics)
}
