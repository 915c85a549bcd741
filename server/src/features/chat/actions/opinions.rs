//! Reactions and pins. Each says so once however often it is asked.

use serde_json::json;

use crate::app::AppState;
use crate::features::chat::ground;
use crate::features::chat::policy::{MOST_EMOJI, MOST_PINS};
use crate::features::forum::model::ReactionView;
use crate::features::forum::policy::parse_emoji;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Puts an emoji to a message (`on`), or takes it back.
pub async fn set_reaction(state: &AppState, me: &Me, message: i64, emoji: &str, on: bool) -> Result<()> {
    let (member, handle, emoji) = (me.id, me.handle.clone(), parse_emoji(emoji)?);
    state
        .store
        .write(async move |tx| {
            let of = ground::message(tx, member, message).await?.living()?;
            of.room.standing.write()?;
            let changed = if on {
                Sql::new("INSERT INTO message_reaction (message_id, emoji, member_id, created_at) VALUES ")
                    .rows([[of.id.into(), emoji.clone().into(), member.into(), tx.now().into()]])
                    .then(" ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM message_reaction WHERE message_id = ")
                    .bind(of.id)
                    .then(" AND emoji = ")
                    .bind(emoji.clone())
                    .then(" AND member_id = ")
                    .bind(member)
            };
            if changed.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            count_reactions(tx, of.id).await?;
            let kind = if on { "reaction.added" } else { "reaction.removed" };
            let event = NewEvent::new(kind, of.id, Some(member)).with(json!({"emoji": emoji, "handle": handle}));
            tx.append(Stream::room(of.room.id), event);
            Ok(())
        })
        .await
}

/// Writes the counts that are shown under a message: emoji in the order of their first use.
async fn count_reactions(tx: &Tx, message: i64) -> Result<()> {
    let rows = Sql::new("SELECT emoji, count(*) AS uses FROM message_reaction WHERE message_id = ")
        .bind(message)
        .then(" GROUP BY emoji ORDER BY min(created_at), emoji")
        .all(tx.conn())
        .await?;
    if rows.len() > MOST_EMOJI {
        return Err(AppError::Conflict("This message has all the different emoji that one can have.".into()));
    }
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        counts.push(ReactionView { emoji: row.try_get("", "emoji")?, count: row.try_get("", "uses")? });
    }
    Sql::new("UPDATE message SET reactions = ")
        .bind(serde_json::to_string(&counts)?)
        .then(" WHERE id = ")
        .bind(message)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Pins a message to its room (`on`), or no longer: whoever writes there.
pub async fn set_pinned(state: &AppState, me: &Me, message: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let of = ground::message(tx, member, message).await?.living()?;
            of.room.standing.write()?;
            if of.pinned == on {
                return Ok(());
            }
            if on && pinned_in(tx, of.room.id).await? >= MOST_PINS {
                return Err(AppError::Conflict(format!("A room has {MOST_PINS} pinned messages at most.").into()));
            }
            Sql::new("UPDATE message SET pinned_at = ")
                .bind(on.then(|| tx.now()))
                .then(", pinned_by = ")
                .bind(on.then_some(member))
                .then(" WHERE id = ")
                .bind(of.id)
                .run(tx.conn())
                .await?;
            let kind = if on { "message.pinned" } else { "message.unpinned" };
            tx.append(Stream::room(of.room.id), NewEvent::new(kind, of.id, Some(member)));
            Ok(())
        })
        .await
}

async fn pinned_in(tx: &Tx, room: i64) -> Result<i64> {
    let row = Sql::new("SELECT count(*) AS pinned FROM message WHERE pinned_at IS NOT NULL AND room_id = ")
        .bind(room)
        .one(tx.conn())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("", "pinned")?))
}
