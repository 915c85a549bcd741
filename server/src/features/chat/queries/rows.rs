//! From rows to views of messages.

use sea_orm::QueryResult;

use crate::features::chat::model::MessageView;
use crate::features::forum::author;
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::web::error::Result;

/// Columns of a message `m`, for [`message`]; those of its author `a` go with them.
pub(super) const MESSAGE: &str = "m.id AS m_id, m.room_id AS m_room_id, m.seq AS m_seq, \
    m.number AS m_number, m.client_id AS m_client_id, m.body AS m_body, m.body_html AS m_body_html, \
    m.reply_to AS m_reply_to, m.thread_id AS m_thread_id, m.reply_count AS m_reply_count, \
    m.last_reply_at AS m_last_reply_at, m.created_at AS m_created_at, m.edited_at AS m_edited_at, \
    m.deleted_at AS m_deleted_at, m.pinned_at AS m_pinned_at, m.reactions AS m_reactions, \
    m.revision_count AS m_revision_count, m.version AS m_version";

/// A message as it now is; of a deleted one no text.
pub(super) fn message(row: &QueryResult) -> Result<MessageView> {
    let deleted = row.try_get::<Option<i64>>("m_", "deleted_at")?.is_some();
    let created: i64 = row.try_get("m_", "created_at")?;
    let edited: Option<i64> = row.try_get("m_", "edited_at")?;
    let reactions: String = row.try_get("m_", "reactions")?;
    Ok(MessageView {
        id: Id(row.try_get("m_", "id")?),
        room: Id(row.try_get("m_", "room_id")?),
        seq: row.try_get("m_", "seq")?,
        author: author(row)?,
        body: if deleted { String::new() } else { row.try_get("m_", "body")? },
        body_html: if deleted { String::new() } else { row.try_get("m_", "body_html")? },
        client_id: row.try_get("m_", "client_id")?,
        reply_to: row.try_get::<Option<i64>>("m_", "reply_to")?.map(Id),
        thread: row.try_get::<Option<i64>>("m_", "thread_id")?.map(Id),
        reply_count: row.try_get("m_", "reply_count")?,
        last_reply_at: row.try_get::<Option<i64>>("m_", "last_reply_at")?.map(rfc3339),
        created_at: rfc3339(created),
        edited_at: edited.map(rfc3339),
        deleted,
        pinned: row.try_get::<Option<i64>>("m_", "pinned_at")?.is_some(),
        reactions: if deleted || reactions.len() <= 2 {
            Vec::new()
        } else {
            serde_json::from_str(&reactions).unwrap_or_default()
        },
        version: row.try_get("m_", "version")?,
        created,
        edited,
        number: row.try_get("m_", "number")?,
        revision_count: row.try_get("m_", "revision_count")?,
    })
}
