//! A room as one member has it: the columns that every select of rooms has, and how they are read.

use sea_orm::QueryResult;

use super::policy::Standing;
use crate::entities::kinds::{HubRole, MemberState, RoomKind, SpaceRole, Visibility};
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};

/// Columns of a room `r` in `s` for the viewer `v`, for [`room`].
pub(super) const ROOM: &str = "r.id AS r_id, r.space_id AS r_space_id, r.kind AS r_kind, r.slug AS r_slug, \
    r.name AS r_name, r.purpose AS r_purpose, r.direct_key AS r_direct_key, r.message_count AS r_message_count, \
    r.last_message_at AS r_last_message_at, r.archived_at AS r_archived_at, r.created_by AS r_created_by, \
    r.created_at AS r_created_at, r.version AS r_version, v.id AS v_id, v.hub_role AS v_hub_role, \
    v.state AS v_state, s.visibility AS s_visibility, s.archived_at AS s_archived_at, s.slug AS s_slug, \
    s.name AS s_name, sm.role AS sm_role, rm.read_seq AS rm_read_seq, rm.read_count AS rm_read_count, \
    rm.mention_count AS rm_mention_count, rm.muted AS rm_muted, rm.favourite AS rm_favourite, \
    CASE WHEN r.kind = 'direct' AND r.direct_key NOT LIKE '%-%-%' AND (EXISTS (SELECT 1 FROM room_member bo \
    JOIN member_block mb ON mb.member_id = bo.member_id AND mb.blocked_id = v.id \
    WHERE bo.room_id = r.id AND bo.member_id <> v.id) OR EXISTS (SELECT 1 FROM room_member bo \
    JOIN member_block mb ON mb.blocked_id = bo.member_id AND mb.member_id = v.id \
    WHERE bo.room_id = r.id AND bo.member_id <> v.id)) THEN 1 ELSE 0 END AS r_is_blocked";

/// What goes with them, behind the viewer `v`.
pub(super) const AROUND: &str = " LEFT JOIN space s ON s.id = r.space_id \
    LEFT JOIN space_member sm ON sm.space_id = r.space_id AND sm.member_id = v.id \
    LEFT JOIN room_member rm ON rm.room_id = r.id AND rm.member_id = v.id";

/// A room with what is known of it and of one member in it.
#[derive(Clone, Debug)]
pub struct RoomGround {
    pub standing: Standing,
    pub id: i64,
    pub space_id: Option<i64>,
    pub space: Option<String>,
    pub space_name: Option<String>,
    pub slug: Option<String>,
    pub name: String,
    pub purpose: String,
    pub direct_key: Option<String>,
    pub message_count: i64,
    pub last_message_at: Option<i64>,
    pub created_at: i64,
    pub version: i32,
    pub mine: Option<Marker>,
}

/// How far somebody has read, and what they set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    pub read_seq: i64,
    pub read_count: i64,
    pub mentions: i32,
    pub muted: bool,
    pub favourite: bool,
}

/// `SELECT … FROM room r … WHERE` for a viewer; the caller goes on with what holds of the rooms.
/// CROSS: SQLite, too, takes the rooms first, in the order of their index, and reads no more than asked for.
pub(super) fn select(viewer: i64) -> Sql {
    Sql::new("SELECT ")
        .then(ROOM)
        .then(" FROM room r CROSS JOIN member v")
        .then(AROUND)
        .then(" WHERE v.id = ")
        .bind(viewer)
        .then(" AND ")
}

/// Reads a row of [`select`].
pub(super) fn room(row: &QueryResult) -> Result<RoomGround> {
    let kind = row.try_get::<RoomKind>("r_", "kind")?;
    let read_seq: Option<i64> = row.try_get("rm_", "read_seq")?;
    let mine = match read_seq {
        Some(read_seq) => Some(Marker {
            read_seq,
            read_count: row.try_get("rm_", "read_count")?,
            mentions: row.try_get("rm_", "mention_count")?,
            muted: row.try_get("rm_", "muted")?,
            favourite: row.try_get("rm_", "favourite")?,
        }),
        None => None,
    };
    let member: i64 = row.try_get("v_", "id")?;
    Ok(RoomGround {
        standing: Standing {
            member,
            hub_role: row.try_get::<HubRole>("v_", "hub_role")?,
            state: row.try_get::<MemberState>("v_", "state")?,
            kind,
            inside: mine.is_some(),
            role: row.try_get::<Option<SpaceRole>>("sm_", "role")?,
            visibility: row.try_get::<Option<Visibility>>("s_", "visibility")?,
            space_archived: row.try_get::<Option<i64>>("s_", "archived_at")?.is_some(),
            archived: row.try_get::<Option<i64>>("r_", "archived_at")?.is_some(),
            made: row.try_get::<i64>("r_", "created_by")? == member,
            blocked: row.try_get::<i32>("r_", "is_blocked")? != 0,
        },
        id: row.try_get("r_", "id")?,
        space_id: row.try_get("r_", "space_id")?,
        space: row.try_get("s_", "slug")?,
        space_name: row.try_get("s_", "name")?,
        slug: row.try_get("r_", "slug")?,
        name: row.try_get("r_", "name")?,
        purpose: row.try_get("r_", "purpose")?,
        direct_key: row.try_get("r_", "direct_key")?,
        message_count: row.try_get("r_", "message_count")?,
        last_message_at: row.try_get("r_", "last_message_at")?,
        created_at: row.try_get("r_", "created_at")?,
        version: row.try_get("r_", "version")?,
        mine,
    })
}

/// Locks rooms, their spaces and those who act in them, in the order in which everybody locks
/// them: spaces, rooms, members. A withdrawal of rights holds its space or its room, a suspension
/// its member, so that it and a write are one after the other. The rows are read in the next
/// statement, which sees what the last holder wrote.
pub(super) async fn lock(tx: &Tx, rooms: &[i64], members: &[i64]) -> Result<()> {
    use sea_orm::{ConnectionTrait as _, DbBackend};
    if tx.conn().get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    Sql::new("SELECT id FROM space WHERE id IN (SELECT space_id FROM room WHERE id IN ")
        .padded_list(rooms.to_vec())
        .then(") ORDER BY id FOR KEY SHARE")
        .all(tx.conn())
        .await?;
    Sql::new("SELECT id FROM room WHERE id IN ")
        .padded_list(rooms.to_vec())
        .then(" ORDER BY id FOR UPDATE")
        .all(tx.conn())
        .await?;
    if !members.is_empty() {
        Sql::new("SELECT id FROM member WHERE id IN ")
            .padded_list(members.to_vec())
            .then(" ORDER BY id FOR SHARE")
            .all(tx.conn())
            .await?;
    }
    Ok(())
}

/// Locks a space in which a room is to be made, and who makes it, as [`lock`] does.
pub(super) async fn lock_space(tx: &Tx, space: i64, member: i64) -> Result<()> {
    use sea_orm::{ConnectionTrait as _, DbBackend};
    if tx.conn().get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    Sql::new("SELECT id FROM space WHERE id = ").bind(space).then(" FOR KEY SHARE").all(tx.conn()).await?;
    Sql::new("SELECT id FROM member WHERE id = ").bind(member).then(" FOR SHARE").all(tx.conn()).await?;
    Ok(())
}

/// Waits for what people write just now, and has what they write next wait for this.
pub(super) async fn hold_up(tx: &Tx, members: [i64; 2]) -> Result<()> {
    use sea_orm::{ConnectionTrait as _, DbBackend};
    if tx.conn().get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    Sql::new("SELECT id FROM member WHERE id IN ")
        .list(members)
        .then(" ORDER BY id FOR NO KEY UPDATE")
        .all(tx.conn())
        .await?;
    Ok(())
}

/// A room for an action, locked; 404 if it does not exist for the member.
pub(super) async fn locked(tx: &Tx, member: i64, id: i64) -> Result<RoomGround> {
    lock(tx, &[id], &[member]).await?;
    seen(tx, member, id).await
}

/// A room for what concerns the member alone, not locked: nobody waits for a marker that moves.
pub(super) async fn seen(tx: &Tx, member: i64, id: i64) -> Result<RoomGround> {
    let row = select(member).then("r.id = ").bind(id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let ground = room(&row)?;
    ground.standing.read()?;
    Ok(ground)
}

/// A message an action is about, with its room, which is locked.
#[derive(Clone, Debug)]
pub(super) struct MessageGround {
    pub room: RoomGround,
    pub id: i64,
    pub author_id: i64,
    pub body: String,
    pub thread_id: Option<i64>,
    pub created_at: i64,
    pub deleted: bool,
    pub pinned: bool,
    pub revision_count: i32,
    pub version: i32,
}

impl MessageGround {
    /// 404 for a message that is deleted.
    pub fn living(self) -> Result<Self> {
        if self.deleted { Err(AppError::NotFound) } else { Ok(self) }
    }
}

/// A message for an action; 404 if it does not exist for the member.
pub(super) async fn message(tx: &Tx, member: i64, id: i64) -> Result<MessageGround> {
    let room = Sql::new("SELECT room_id FROM message WHERE id = ").bind(id).one(tx.conn()).await?;
    let room = locked(tx, member, room.ok_or(AppError::NotFound)?.try_get("", "room_id")?).await?;
    let row = Sql::new(
        "SELECT author_id, body, thread_id, created_at, deleted_at, pinned_at, revision_count, version \
         FROM message WHERE id = ",
    )
    .bind(id)
    .one(tx.conn())
    .await?
    .ok_or(AppError::NotFound)?;
    Ok(MessageGround {
        room,
        id,
        author_id: row.try_get("", "author_id")?,
        body: row.try_get("", "body")?,
        thread_id: row.try_get("", "thread_id")?,
        created_at: row.try_get("", "created_at")?,
        deleted: row.try_get::<Option<i64>>("", "deleted_at")?.is_some(),
        pinned: row.try_get::<Option<i64>>("", "pinned_at")?.is_some(),
        revision_count: row.try_get("", "revision_count")?,
        version: row.try_get("", "version")?,
    })
}
