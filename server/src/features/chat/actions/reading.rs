//! What a room is to one member: following it, reading it, muting it.

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::ground::{self, Marker};
use crate::features::chat::queries::room_in;
use crate::features::notices;
use crate::store::{After, Sql, Tx};
use crate::streams::{NewEvent, Stream, log_head};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// What a member sets for a room; `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    pub muted: Option<bool>,
    pub favourite: Option<bool>,
}

/// A member's row in a room, as one who has read everything that is there. True if it is new.
pub(super) async fn marker(tx: &Tx, member: i64, room: i64) -> Result<bool> {
    let head = log_head(tx.conn(), Stream::room(room)).await?.head;
    let added = Sql::new(
        "INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, favourite, joined_at) \
         SELECT ",
    )
    .bind(member)
    .then(", id, ")
    .bind(head)
    .then(", message_count, 0, ")
    .bind(false)
    .then(", ")
    .bind(false)
    .then(", ")
    .bind(tx.now())
    .then(" FROM room WHERE id = ")
    .bind(room)
    .then(" ON CONFLICT DO NOTHING")
    .run(tx.conn())
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Follows an open room: its page was opened, or it was asked for.
pub async fn follow(state: &AppState, me: &Me, room: i64) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            ground::locked(tx, member, room).await?;
            if marker(tx, member, room).await? {
                tx.after(After::Follows(member));
            }
            Ok(())
        })
        .await
}

/// No longer follows an open room. A private one is left, a direct conversation is for ever.
pub async fn unfollow(state: &AppState, me: &Me, room: i64) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let of = ground::locked(tx, member, room).await?;
            if of.standing.kind != RoomKind::Open {
                return Err(AppError::Conflict("Only an open room can be unfollowed; mute this one instead.".into()));
            }
            Sql::new("DELETE FROM room_member WHERE member_id = ")
                .bind(member)
                .then(" AND room_id = ")
                .bind(room)
                .run(tx.conn())
                .await?;
            tx.after(After::Follows(member));
            Ok(())
        })
        .await
}

/// Mutes a room or makes it a favourite; follows it by that.
pub async fn set_mine(state: &AppState, me: &Me, room: i64, setting: Setting) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            ground::locked(tx, member, room).await?;
            marker(tx, member, room).await?;
            let mut sql = Sql::new("UPDATE room_member SET read_seq = read_seq");
            if let Some(muted) = setting.muted {
                sql = sql.then(", muted = ").bind(muted);
            }
            if let Some(favourite) = setting.favourite {
                sql = sql.then(", favourite = ").bind(favourite);
            }
            sql.then(" WHERE member_id = ").bind(member).then(" AND room_id = ").bind(room).run(tx.conn()).await?;
            tx.after(After::Follows(member));
            Ok(())
        })
        .await
}

/// Whether reading up to `seq` changes nothing: so far is read, and the mentions that are counted are
/// just those that wait behind it.
async fn changes_nothing(
    db: &impl ConnectionTrait,
    member: i64,
    room: i64,
    mine: Option<Marker>,
    seq: i64,
) -> Result<bool> {
    let Some(mine) = mine.filter(|mine| mine.read_seq >= seq) else { return Ok(false) };
    if mine.mentions == 0 {
        return Ok(true);
    }
    let row = Sql::new(
        "SELECT COUNT(*) AS waiting, COALESCE(SUM(CASE WHEN (SELECT m.seq FROM message m WHERE m.id = n.subject_id) <= ",
    )
    .bind(seq)
    .then(" THEN 1 ELSE 0 END), 0) AS due FROM notice n WHERE n.read_at IS NULL AND n.kind = 'mention' AND n.member_id = ")
    .bind(member)
    .then(" AND n.room_id = ")
    .bind(room)
    .one(db)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let (waiting, due): (i64, i64) = (row.try_get("", "waiting")?, row.try_get("", "due")?);
    Ok(waiting == i64::from(mine.mentions) && due == 0)
}

/// Moves a member's marker forward to `seq`, never back and never beyond the head; their mentions
/// in the room up to there are read with it.
pub async fn mark_read(state: &AppState, member: i64, room: i64, seq: i64) -> Result<()> {
    if seq < 0 {
        return Err(AppError::field("seq", "counts from 0"));
    }
    // Most of what is said of reading is known already: it takes no turn among the writes.
    let db = state.store.read();
    let found = room_in(db, member, room).await?;
    if changes_nothing(db, member, room, found.ground.mine, seq.min(found.head)).await? {
        return Ok(());
    }
    state
        .store
        .write(async move |tx| {
            let of = ground::seen(tx, member, room).await?;
            let head = log_head(tx.conn(), Stream::room(room)).await?.head;
            let seq = seq.min(head);
            if changes_nothing(tx.conn(), member, room, of.mine, seq).await? {
                return Ok(());
            }
            if of.mine.is_none() {
                // A new row refers to the room, which is locked before it as everywhere; it may have
                // become private meanwhile, and the row would let the member in.
                ground::locked(tx, member, room).await?;
                marker(tx, member, room).await?;
                tx.after(After::Follows(member));
            }
            // Whoever tells of a message just now waits for this row, or this waits for them.
            Sql::new("UPDATE room_member SET read_seq = read_seq WHERE member_id = ")
                .bind(member)
                .then(" AND room_id = ")
                .bind(room)
                .run(tx.conn())
                .await?;
            notices::read_in_room(tx, member, room, seq).await?;
            Sql::new("UPDATE room_member SET mention_count = (SELECT COUNT(*) FROM notice n WHERE n.member_id = ")
                .bind(member)
                .then(" AND n.read_at IS NULL AND n.kind = 'mention' AND n.room_id = ")
                .bind(room)
                .then("), read_count = CASE WHEN read_seq < ")
                .bind(seq)
                .then(" THEN COALESCE((SELECT m.number FROM message m WHERE m.room_id = room_member.room_id AND m.seq <= ")
                .bind(seq)
                .then(" ORDER BY m.seq DESC LIMIT 1), 0) ELSE read_count END, read_seq = CASE WHEN read_seq < ")
                .bind(seq)
                .then(" THEN ")
                .bind(seq)
                .then(" ELSE read_seq END WHERE member_id = ")
                .bind(member)
                .then(" AND room_id = ")
                .bind(room)
                .run(tx.conn())
                .await?;
            let moved = NewEvent::new("read.moved", room, Some(member)).with(json!({ "seq": seq }));
            tx.append(Stream::member(member), moved);
            Ok(())
        })
        .await
}
