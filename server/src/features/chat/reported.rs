//! Messages that were reported: what moderation asks of chat. Whoever reports a message shows it
//! to those who settle the report, and nothing else of its room.

use std::collections::HashMap;

use super::actions::take_away;
use super::ground;
use super::queries::messages_by_ids;
use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::store::{Sql, Tx};
use crate::text::excerpt;
use crate::web::error::{AppError, Result};

/// A message that a report is about, inside a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Reported {
    pub id: i64,
    pub author_id: i64,
    /// None for a direct conversation.
    pub space_id: Option<i64>,
}

/// A message that a member may report: they read its room, and it has a text. The room is locked,
/// which makes one of two reports that a member sends at once.
pub async fn reportable(tx: &Tx, member: i64, message: i64) -> Result<Reported> {
    let of = ground::message(tx, member, message).await?.living()?;
    Ok(Reported { id: of.id, author_id: of.author_id, space_id: of.room.space_id })
}

/// A reported message, whoever asks: the caller decides who may.
pub async fn reported(tx: &Tx, message: i64) -> Result<Reported> {
    let row = Sql::new(
        "SELECT m.author_id, r.space_id, r.id AS room FROM message m JOIN room r ON r.id = m.room_id WHERE m.id = ",
    )
    .bind(message)
    .one(tx.conn())
    .await?
    .ok_or(AppError::NotFound)?;
    ground::lock(tx, &[row.try_get("", "room")?], &[]).await?;
    Ok(Reported { id: message, author_id: row.try_get("", "author_id")?, space_id: row.try_get("", "space_id")? })
}

/// Takes a reported message away, also out of a room that the actor does not see.
pub async fn remove_reported(tx: &mut Tx, actor: i64, message: i64) -> Result<()> {
    let row = Sql::new("SELECT room_id, thread_id, deleted_at FROM message WHERE id = ")
        .bind(message)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    if row.try_get::<Option<i64>>("", "deleted_at")?.is_some() {
        return Ok(());
    }
    take_away(tx, actor, row.try_get("", "room_id")?, message, row.try_get("", "thread_id")?).await
}

/// A reported message as those who settle the report see it.
#[derive(Clone, Debug)]
pub struct ReportedView {
    pub author_id: i64,
    /// Empty for a direct conversation.
    pub room_name: String,
    pub direct: bool,
    /// It was said in an open room.
    pub open: bool,
    pub excerpt: String,
    pub deleted: bool,
}

/// Reported messages by id: two statements for 500.
pub async fn reported_views(state: &AppState, messages: &[i64], most: usize) -> Result<HashMap<i64, ReportedView>> {
    let db = state.store.read();
    let mut shown = HashMap::with_capacity(messages.len());
    for batch in messages.chunks(500) {
        let views = messages_by_ids(db, batch).await?;
        let rows = Sql::new("SELECT id, kind, name FROM room WHERE id IN ")
            .list(views.iter().map(|view| view.room.0))
            .all(db)
            .await?;
        let mut rooms: HashMap<i64, (RoomKind, String)> = HashMap::with_capacity(rows.len());
        for row in rows {
            rooms.insert(row.try_get("", "id")?, (row.try_get("", "kind")?, row.try_get("", "name")?));
        }
        for view in views {
            let (kind, room_name) = rooms.get(&view.room.0).cloned().unwrap_or((RoomKind::Direct, String::new()));
            let of = ReportedView {
                author_id: view.author.id,
                room_name,
                direct: kind == RoomKind::Direct,
                open: kind == RoomKind::Open,
                excerpt: excerpt(&view.body_html, most),
                deleted: view.deleted,
            };
            shown.insert(view.id.0, of);
        }
    }
    Ok(shown)
}
