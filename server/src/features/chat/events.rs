//! The data of a room's events, from the rows as they now are: the same for live readers and
//! replays. What is deleted or purged comes with empty texts.
//!
//! Data is absolute: `message.*` is the message, with `root` (the head of its thread and how many
//! replies that has) where it hangs in one; `reaction.*` has all reactions of the message;
//! `room.changed` is the room as all its readers see it; a topic made of its messages changes it, too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use super::model::MessageView;
use super::queries::messages_by_ids;
use crate::entities::kinds::RoomKind;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::streams::{Committed, Live};
use crate::web::error::Result;

/// Ids in one statement.
const BATCH: usize = 500;

/// A message with the root of its thread, as events carry it.
#[derive(serde::Serialize)]
struct Posted<'a> {
    #[serde(flatten)]
    message: &'a MessageView,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<Root>,
}

#[derive(serde::Serialize)]
struct Root {
    id: Id,
    reply_count: i32,
    last_reply_at: Option<String>,
}

/// The data of a `message.posted`; `root`: id, replies, and when the last came, microseconds.
pub(super) fn posted(message: &Arc<MessageView>, root: Option<(i64, i32, i64)>) -> Live {
    let message = Arc::clone(message);
    Live::Later(Arc::new(move || {
        let root = root.map(|(id, reply_count, at)| Root { id: Id(id), reply_count, last_reply_at: Some(rfc3339(at)) });
        let text = serde_json::to_string(&Posted { message: &message, root });
        // Texts and numbers alone: there is nothing that JSON could not hold.
        text.unwrap_or_else(|_| "null".to_owned()).into()
    }))
}

/// Data of events of `room:` streams: at most three statements for 500 subjects.
pub async fn fill_events(db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    let about_rooms = |event: &Committed| event.kind.starts_with("room.");
    let messages = load(db, events.iter().filter(|event| !about_rooms(event)).map(|event| event.subject)).await?;
    let roots = load(db, messages.values().filter_map(|message| message.thread).map(|id| id.0)).await?;
    let rooms: HashSet<i64> = events.iter().filter(|event| about_rooms(event)).map(|event| event.subject).collect();
    let rooms = room_data(db, &rooms.into_iter().collect::<Vec<_>>()).await?;
    events
        .iter()
        .map(|event| {
            if about_rooms(event) {
                let gone = || json!({"id": Id(event.subject), "deleted": true});
                return Ok(rooms.get(&event.subject).cloned().unwrap_or_else(gone));
            }
            match messages.get(&event.subject) {
                Some(message) => message_data(event, message, &roots),
                None => Ok(json!({"id": Id(event.subject), "deleted": true})),
            }
        })
        .collect()
}

async fn load(db: &DatabaseConnection, ids: impl Iterator<Item = i64>) -> Result<HashMap<i64, MessageView>> {
    let ids: Vec<i64> = ids.collect::<HashSet<i64>>().into_iter().collect();
    let mut messages = HashMap::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        messages.extend(messages_by_ids(db, batch).await?.into_iter().map(|view| (view.id.0, view)));
    }
    Ok(messages)
}

fn message_data(event: &Committed, message: &MessageView, roots: &HashMap<i64, MessageView>) -> Result<Value> {
    let extra = |name: &str| event.extra.as_ref().and_then(|extra| extra.get(name)).cloned().unwrap_or(Value::Null);
    if event.kind.starts_with("reaction.") {
        return Ok(json!({
            "message_id": message.id,
            "emoji": extra("emoji"),
            "handle": extra("handle"),
            "reactions": message.reactions,
        }));
    }
    let root = message.thread.and_then(|id| roots.get(&id.0)).map(|root| Root {
        id: root.id,
        reply_count: root.reply_count,
        last_reply_at: root.last_reply_at.clone(),
    });
    Ok(serde_json::to_value(Posted { message, root })?)
}

/// Rooms as all their readers see them, by id.
pub async fn room_data(db: &DatabaseConnection, rooms: &[i64]) -> Result<HashMap<i64, Value>> {
    let mut data = HashMap::with_capacity(rooms.len());
    for batch in rooms.chunks(BATCH) {
        let rows = Sql::new("SELECT id, kind, slug, name, purpose, archived_at, version FROM room WHERE id IN ")
            .list(batch.iter().copied())
            .all(db)
            .await?;
        for row in rows {
            let id: i64 = row.try_get("", "id")?;
            let kind = row.try_get::<RoomKind>("", "kind")?;
            let room = json!({
                "id": Id(id),
                "kind": kind,
                "slug": row.try_get::<Option<String>>("", "slug")?,
                "name": row.try_get::<String>("", "name")?,
                "purpose": row.try_get::<String>("", "purpose")?,
                "private": kind == RoomKind::Private,
                "archived": row.try_get::<Option<i64>>("", "archived_at")?.is_some(),
                "version": row.try_get::<i32>("", "version")?,
            });
            data.insert(id, room);
        }
    }
    Ok(data)
}

/// Data of `read.moved` events of one member's stream: the room's id with how far they have read.
pub async fn marker_data(db: &DatabaseConnection, member: i64, rooms: &[i64]) -> Result<HashMap<i64, Value>> {
    let mut data = HashMap::with_capacity(rooms.len());
    for batch in rooms.chunks(BATCH) {
        let rows = Sql::new(
            "SELECT rm.room_id, rm.read_seq, rm.read_count, rm.mention_count, r.message_count FROM room_member rm \
             JOIN room r ON r.id = rm.room_id WHERE rm.member_id = ",
        )
        .bind(member)
        .then(" AND rm.room_id IN ")
        .list(batch.iter().copied())
        .all(db)
        .await?;
        for row in rows {
            let room: i64 = row.try_get("", "room_id")?;
            let unread = row.try_get::<i64>("", "message_count")? - row.try_get::<i64>("", "read_count")?;
            let marker = json!({
                "room": Id(room),
                "read_seq": row.try_get::<i64>("", "read_seq")?,
                "unread": unread.max(0),
                "mentions": row.try_get::<i32>("", "mention_count")?,
            });
            data.insert(room, marker);
        }
    }
    Ok(data)
}
