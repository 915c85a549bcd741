//! Rooms as one member sees them.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};

use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::ground::{self, RoomGround};
use crate::features::chat::model::{MyRoom, RoomPerson, RoomRow, RoomView};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::streams::{Stream, log_head};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{MOST, Page, PageQuery, Place};
use crate::web::viewer::Me;

/// Rooms of a member that a page lists.
const MOST_FOLLOWED: i64 = 300;
/// People that a room's view names.
const MOST_PEOPLE: i64 = 100;

/// A room that exists for whoever asked.
#[derive(Clone, Debug)]
pub struct FoundRoom {
    /// What is known of it and of the viewer in it; its `standing` says what they may.
    pub ground: RoomGround,
    /// Head of its stream, read before the row.
    pub head: i64,
}

/// A room by id; 404 if it does not exist for the member. Two statements.
pub async fn find_room(state: &AppState, me: &Me, id: i64) -> Result<FoundRoom> {
    room_in(state.store.read(), me.id, id).await
}

/// The same inside a transaction.
pub(in crate::features::chat) async fn room_in(db: &impl ConnectionTrait, member: i64, id: i64) -> Result<FoundRoom> {
    let head = log_head(db, Stream::room(id)).await?.head;
    let row = ground::select(member).then("r.id = ").bind(id).one(db).await?.ok_or(AppError::NotFound)?;
    let ground = ground::room(&row)?;
    ground.standing.read()?;
    Ok(FoundRoom { ground, head })
}

/// A room by the slugs of its space and its own; 404 if it does not exist for the member.
pub async fn by_slug(state: &AppState, me: &Me, space: &str, slug: &str) -> Result<FoundRoom> {
    if slug.contains('\0') || space.contains('\0') {
        return Err(AppError::NotFound);
    }
    let row = Sql::new("SELECT r.id FROM room r JOIN space s ON s.id = r.space_id WHERE s.slug = ")
        .bind(space.to_lowercase())
        .then(" AND r.slug = ")
        .bind(slug.to_lowercase())
        .one(state.store.read())
        .await?
        .ok_or(AppError::NotFound)?;
    find_room(state, me, row.try_get("", "id")?).await
}

/// The view of a found room: one more statement for those who are named in it.
pub async fn view_of(state: &AppState, room: &FoundRoom) -> Result<RoomView> {
    view_in(state.store.read(), &state.epoch, room).await
}

/// The same inside a transaction.
pub(in crate::features::chat) async fn view_in(
    db: &impl ConnectionTrait,
    epoch: &str,
    room: &FoundRoom,
) -> Result<RoomView> {
    let of = &room.ground;
    let people = match of.standing.kind {
        RoomKind::Open => None,
        RoomKind::Private | RoomKind::Direct => Some(people(db, of.id).await?),
    };
    let name = match (&people, of.standing.kind) {
        (Some(people), RoomKind::Direct) => names(people.iter().filter(|person| person.id != of.standing.member)),
        _ => of.name.clone(),
    };
    Ok(RoomView {
        id: Id(of.id),
        kind: of.standing.kind,
        space: of.space.clone(),
        slug: of.slug.clone(),
        name,
        purpose: of.purpose.clone(),
        private: of.standing.kind == RoomKind::Private,
        archived: of.standing.archived,
        message_count: of.message_count,
        members: people,
        created_at: rfc3339(of.created_at),
        last_message_at: of.last_message_at.map(rfc3339),
        stream: Stream::room(of.id).to_string(),
        head: room.head,
        epoch: epoch.to_owned(),
        mine: mine(of),
        version: of.version,
    })
}

async fn people(db: &impl ConnectionTrait, room: i64) -> Result<Vec<RoomPerson>> {
    let rows = Sql::new(
        "SELECT m.id, m.handle, m.display_name, m.avatar FROM room_member rm JOIN member m ON m.id = rm.member_id \
         WHERE rm.room_id = ",
    )
    .bind(room)
    .then(" ORDER BY rm.member_id")
    .limit(MOST_PEOPLE)
    .all(db)
    .await?;
    rows.iter().map(|row| person(row, "")).collect()
}

pub(super) fn person(row: &QueryResult, prefix: &str) -> Result<RoomPerson> {
    Ok(RoomPerson {
        id: row.try_get(prefix, "id")?,
        handle: row.try_get(prefix, "handle")?,
        display_name: row.try_get(prefix, "display_name")?,
        avatar: row.try_get(prefix, "avatar")?,
    })
}

fn names<'a>(people: impl Iterator<Item = &'a RoomPerson>) -> String {
    people.map(|person| person.display_name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a room is to the viewer.
fn mine(of: &RoomGround) -> Option<MyRoom> {
    of.mine.map(|mine| MyRoom {
        read_seq: mine.read_seq,
        unread: (of.message_count - mine.read_count).max(0),
        mentions: mine.mentions,
        muted: mine.muted,
        favourite: mine.favourite,
    })
}

fn row_of(state: &AppState, of: &RoomGround, others: &[String]) -> RoomRow {
    let direct = of.standing.kind == RoomKind::Direct;
    RoomRow {
        id: Id(of.id),
        kind: of.standing.kind,
        space: of.space.clone(),
        space_name: of.space_name.clone(),
        slug: of.slug.clone(),
        name: if direct { others.join(", ") } else { of.name.clone() },
        purpose: of.purpose.clone(),
        archived: of.standing.archived,
        last_message_at: of.last_message_at.map(rfc3339),
        stream: Stream::room(of.id).to_string(),
        head: 0,
        epoch: state.epoch.to_string(),
        private: of.standing.kind == RoomKind::Private,
        mine: mine(of),
    }
}

/// The rooms of a space that exist for the member, the newest first. Two statements.
pub async fn rooms_of_space(state: &AppState, me: &Me, space: i64, page: &PageQuery) -> Result<Page<RoomRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = ground::select(me.id).then("r.space_id = ").bind(space);
    sql = sql.then(" AND (r.kind = 'open' OR rm.member_id IS NOT NULL)");
    if let Some(place) = after {
        sql = sql.then(" AND r.id < ").bind(place.id);
    }
    let rows = sql.then(" ORDER BY r.id DESC").limit(limit + 1).all(state.store.read()).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let of = ground::room(row)?;
        // Its space decides as well; the caller has found that for the viewer, this is the second lock.
        if of.standing.read().is_ok() {
            items.push(row_of(state, &of, &[]));
        }
    }
    let mut page = Page::cut(items, limit, |row| Place { key: 0, id: row.id.0 });
    set_heads(state, &mut page.items).await?;
    Ok(page)
}

/// The rooms a member follows that still exist for them, direct conversations among them; those that
/// moved last if they are many. The caller sorts. One statement for rooms and
/// names, one for heads not in mind.
pub async fn followed(state: &AppState, me: &Me) -> Result<Vec<RoomRow>> {
    followed_among(state, me, latest(me.id)).await.map(readable)
}

/// The rooms of a member that moved last.
fn latest(member: i64) -> Sql {
    Sql::new("SELECT p.room_id FROM room_member p JOIN room q ON q.id = p.room_id WHERE p.member_id = ")
        .bind(member)
        .then(" ORDER BY p.favourite DESC, COALESCE(q.last_message_at, q.created_at) DESC, q.id DESC")
        .limit(MOST_FOLLOWED)
}

/// The direct conversations of a member by pages, that which moved last first.
pub async fn directs(state: &AppState, me: &Me, page: &PageQuery) -> Result<Page<RoomRow>> {
    let mut some = Sql::new(
        "SELECT q.id, COALESCE(q.last_message_at, q.created_at) AS moved FROM room_member p \
         JOIN room q ON q.id = p.room_id AND q.kind = 'direct' WHERE p.member_id = ",
    )
    .bind(me.id);
    if let Some(place) = page.after()? {
        some = some.then(" AND (COALESCE(q.last_message_at, q.created_at), q.id) < (").bind(place.key);
        some = some.then(", ").bind(place.id).then(")");
    }
    some = some.then(" ORDER BY moved DESC, q.id DESC").limit(MOST + 1);
    let rows = some.all(state.store.read()).await?;
    let place = |row: &QueryResult| -> Result<Place> {
        Ok(Place { key: row.try_get("", "moved")?, id: row.try_get("", "id")? })
    };
    let places = rows.iter().map(place).collect::<Result<Vec<Place>>>()?;
    let Page { items: places, next_cursor } = Page::cut(places, MOST, |place| *place);
    let ids = Sql::new("SELECT id AS room_id FROM room WHERE id IN ").list(places.iter().map(|place| place.id));
    let mut items = followed_among(state, me, ids).await.map(readable)?;
    let order: HashMap<i64, usize> = places.iter().enumerate().map(|(at, place)| (place.id, at)).collect();
    items.sort_by_key(|row| order.get(&row.id.0).copied());
    Ok(Page { items, next_cursor })
}

/// The same by pages, the newest room first; direct conversations alone if asked.
pub async fn followed_page(state: &AppState, me: &Me, direct: bool, page: &PageQuery) -> Result<Page<RoomRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut some = Sql::new("SELECT p.room_id FROM room_member p");
    some = if direct { some.then(" JOIN room q ON q.id = p.room_id AND q.kind = 'direct'") } else { some };
    some = some.then(" WHERE p.member_id = ").bind(me.id);
    if let Some(place) = after {
        some = some.then(" AND p.room_id < ").bind(place.id);
    }
    some = some.then(" ORDER BY p.room_id DESC").limit(limit + 1);
    let mut all = followed_among(state, me, some).await?;
    all.sort_by_key(|(row, _)| std::cmp::Reverse(row.id.0));
    let Page { items, next_cursor } = Page::cut(all, limit, |(row, _)| Place { key: 0, id: row.id.0 });
    Ok(Page { items: readable(items), next_cursor })
}

fn readable(rooms: Vec<(RoomRow, bool)>) -> Vec<RoomRow> {
    rooms.into_iter().filter(|(_, reads)| *reads).map(|(row, _)| row).collect()
}

/// The rooms of some ids, each with whether the member may read it.
async fn followed_among(state: &AppState, me: &Me, ids: Sql) -> Result<Vec<(RoomRow, bool)>> {
    let select = format!("SELECT {}, o.display_name AS o_display_name FROM (", ground::ROOM);
    let rows = ids
        .around(&select, ") f JOIN room r ON r.id = f.room_id JOIN member v ON v.id = ")
        .bind(me.id)
        .then(ground::AROUND)
        .then(
            " LEFT JOIN room_member om ON r.kind = 'direct' AND om.room_id = r.id AND om.member_id <> v.id \
             LEFT JOIN member o ON o.id = om.member_id ORDER BY r.id, om.member_id",
        )
        .all(state.store.read())
        .await?;
    let mut found: Vec<(RoomGround, Vec<String>)> = Vec::new();
    for row in &rows {
        let of = ground::room(row)?;
        let other: Option<String> = row.try_get("o_", "display_name")?;
        match found.last_mut() {
            Some((last, others)) if last.id == of.id => others.extend(other),
            _ => found.push((of, other.into_iter().collect())),
        }
    }
    let mut rooms: Vec<RoomRow> = found.iter().map(|(of, others)| row_of(state, of, others)).collect();
    set_heads(state, &mut rooms).await?;
    Ok(rooms.into_iter().zip(found.iter().map(|(of, _)| of.standing.read().is_ok())).collect())
}

/// Heads of rows: from memory, and for the rest from the database.
async fn set_heads(state: &AppState, rooms: &mut [RoomRow]) -> Result<()> {
    let streams: Vec<Stream> = rooms.iter().map(|row| Stream::room(row.id.0)).collect();
    let heads = state.heads.current_of(state.store.read(), &streams).await?;
    for (room, (_, head)) in rooms.iter_mut().zip(heads) {
        room.head = head;
    }
    Ok(())
}

/// The ids of the rooms that a member follows and may read.
pub async fn followed_ids(state: &AppState, member: i64) -> Result<Vec<i64>> {
    let select = format!("SELECT {} FROM (", ground::ROOM);
    let rows = latest(member)
        .around(&select, ") f JOIN room r ON r.id = f.room_id JOIN member v ON v.id = ")
        .bind(member)
        .then(ground::AROUND)
        .all(state.store.read())
        .await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        let of = ground::room(row)?;
        if of.standing.read().is_ok() && of.mine.is_some_and(|mine| !mine.muted) {
            ids.push(of.id);
        }
    }
    Ok(ids)
}
