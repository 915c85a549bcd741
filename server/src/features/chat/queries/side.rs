//! The sidebar: what waits for a member, and where they have been lately.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::QueryResult;

use crate::app::AppState;
use crate::entities::kinds::{Availability, RoomKind};
use crate::features::chat::model::path;
use crate::features::spaces::policy::{Access, by_role};
use crate::features::spaces::{Snapshot, SpaceInfo};
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};
use crate::web::frame::{Side, SideRoom};
use crate::web::viewer::Me;

/// Rooms and conversations that are looked at for what waits in them: a counter says no more than 99.
const LOOKED_AT: i64 = 150;
/// Rooms in the sidebar, favourites first and then those that moved last; all are on a page of their own.
const ROOMS: usize = 30;
/// Conversations in the sidebar.
const DIRECTS: usize = 10;
/// Beyond these: rooms, and as many conversations, with something new.
const WAITING: usize = 30;

/// What waits for a member: rooms, notices, and how they are shown. Two statements, three with
/// conversations; whatever has something new is counted among favourites, rooms with mentions and those that moved last,
/// 150 in all.
pub async fn side(state: &AppState, me: &Me) -> Result<Side> {
    let spaces = state.spaces.snapshot(state).await?;
    let rows = Sql::new(
        "SELECT p.room_id, q.kind, q.name, q.slug, q.space_id, q.message_count - p.read_count, p.mention_count, \
         p.muted, p.favourite FROM room_member p JOIN room q ON q.id = p.room_id WHERE p.member_id = ",
    )
    .bind(me.id)
    .then(
        " AND q.archived_at IS NULL ORDER BY p.favourite DESC, p.mention_count > 0 DESC, \
         COALESCE(q.last_message_at, q.created_at) DESC, q.id DESC",
    )
    .limit(LOOKED_AT)
    .all(state.store.read())
    .await?;
    let (mut rooms, mut directs) = (Vec::new(), Vec::new());
    for row in &rows {
        let (kind, room) = (row.try_get_by_index::<RoomKind>(1)?, followed(me, &spaces, row)?);
        let list = if kind == RoomKind::Direct { &mut directs } else { &mut rooms };
        list.extend(room);
    }
    let waiting = rooms.iter().chain(&directs).filter(|room| room.count() > 0).count();
    let (mut rooms, mut directs) = (within(rooms, ROOMS), within(directs, DIRECTS));
    rooms.sort_by_cached_key(|room| (!room.favourite, room.name.to_lowercase(), room.id.0));
    name_directs(state, me, &mut directs).await?;
    let row = Sql::new(
        "SELECT v.availability, (SELECT COUNT(*) FROM (SELECT 1 AS one FROM notice n \
         WHERE n.member_id = v.id AND n.read_at IS NULL LIMIT 100) unread) AS notices FROM member v WHERE v.id = ",
    )
    .bind(me.id)
    .one(state.store.read())
    .await?
    .ok_or(AppError::Unauthenticated)?;
    Ok(Side {
        rooms,
        directs,
        waiting,
        notices: row.try_get("", "notices")?,
        availability: row.try_get::<Availability>("", "availability")?,
    })
}

/// A room that a member follows, if they may read it.
fn followed(me: &Me, spaces: &Snapshot, row: &QueryResult) -> Result<Option<SideRoom>> {
    let (id, kind) = (Id(row.try_get_by_index(0)?), row.try_get_by_index::<RoomKind>(1)?);
    let space = row.try_get_by_index::<Option<i64>>(4)?.and_then(|space| spaces.by_id(space));
    let reads = |space: &Arc<SpaceInfo>| {
        by_role(me.hub_role, me.spaces.get(&space.id).copied(), space.visibility) >= Access::Read
    };
    if kind != RoomKind::Direct && !space.is_some_and(reads) {
        return Ok(None);
    }
    let slug: Option<String> = row.try_get_by_index(3)?;
    let favourite = row.try_get_by_index(8)?;
    Ok(Some(SideRoom {
        id,
        path: path(space.map(|space| space.slug.as_str()), slug.as_deref(), id),
        name: row.try_get_by_index(2)?,
        icon: match kind {
            _ if favourite => "star-filled",
            RoomKind::Open | RoomKind::Direct => "",
            RoomKind::Private => "lock",
        },
        favourite,
        muted: row.try_get_by_index(7)?,
        unread: row.try_get_by_index::<i64>(5)?.max(0),
        mentions: row.try_get_by_index(6)?,
    }))
}

/// The first ones, and of the others those with something new, mentions before the rest.
fn within(mut rooms: Vec<SideRoom>, most: usize) -> Vec<SideRoom> {
    let mut others = rooms.split_off(most.min(rooms.len()));
    others.retain(|room| room.count() > 0);
    others.sort_by_key(|room| room.mentions == 0);
    rooms.extend(others.into_iter().take(WAITING));
    rooms
}

/// A conversation is called by the names of the others in it.
async fn name_directs(state: &AppState, me: &Me, directs: &mut [SideRoom]) -> Result<()> {
    if directs.is_empty() {
        return Ok(());
    }
    let rows = Sql::new(
        "SELECT p.room_id, o.display_name FROM room_member p JOIN member o ON o.id = p.member_id WHERE p.member_id <> ",
    )
    .bind(me.id)
    .then(" AND p.room_id IN ")
    .list(directs.iter().map(|room| room.id.0))
    .then(" ORDER BY p.room_id, p.member_id")
    .all(state.store.read())
    .await?;
    let mut names: HashMap<i64, String> = HashMap::new();
    for row in &rows {
        let (room, name) = (row.try_get_by_index(0)?, row.try_get_by_index::<String>(1)?);
        let names = names.entry(room).or_default();
        names.push_str(if names.is_empty() { "" } else { ", " });
        names.push_str(&name);
    }
    for direct in directs {
        direct.name = names.remove(&direct.id.0).unwrap_or_default();
    }
    Ok(())
}
