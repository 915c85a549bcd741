//! From what was written to what is stored: Markdown is rendered before the transaction.

use std::collections::HashSet;

use crate::app::AppState;
use crate::store::Sql;
use crate::text::{self, Links};
use crate::web::error::Result;
use crate::web::words;

/// A text with its HTML.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub body: String,
    pub html: String,
    /// Handles as written, lower case; `room` among them means everybody.
    pub mentions: Vec<String>,
}

/// Renders a text for a room. Only members who may read the room become links.
pub async fn written(state: &AppState, room: i64, body: &str) -> Result<Written> {
    let candidates = text::mention_candidates(body);
    let members = if candidates.is_empty() { HashSet::new() } else { readers(state, room, candidates).await? };
    let words = words::english();
    let links = Links {
        members: &members,
        origin: state.origin(),
        hard_breaks: true,
        words: text::Words {
            table: words.t("forum.table"),
            done: words.t("forum.task_done"),
            not_done: words.t("forum.task_open"),
        },
    };
    let rendered = text::render(body, &links);
    Ok(Written { body: body.to_owned(), html: rendered.html, mentions: rendered.mentions })
}

/// A text as a reader of the room would see it, for previews.
pub async fn preview(state: &AppState, room: i64, body: &str) -> Result<String> {
    Ok(written(state, room, body).await?.html)
}

/// Which of these handles belong to members who may read a room, as a condition on `m`, `r`, `s`.
pub(in crate::features::chat) const MAY_READ: &str = "((r.kind = 'open' AND (s.visibility IN ('open', 'restricted') OR EXISTS (SELECT 1 FROM space_member x \
     WHERE x.space_id = r.space_id AND x.member_id = m.id))) OR (r.kind = 'private' AND EXISTS (SELECT 1 FROM \
     room_member y WHERE y.room_id = r.id AND y.member_id = m.id) AND (s.visibility IN ('open', 'restricted') OR \
     EXISTS (SELECT 1 FROM space_member x WHERE x.space_id = r.space_id AND x.member_id = m.id))) OR \
     (r.kind = 'direct' AND EXISTS (SELECT 1 FROM room_member y WHERE y.room_id = r.id AND y.member_id = m.id)))";

async fn readers(state: &AppState, room: i64, handles: Vec<String>) -> Result<HashSet<String>> {
    let rows =
        Sql::new("SELECT m.handle FROM room r LEFT JOIN space s ON s.id = r.space_id JOIN member m ON m.handle IN ")
            .list(handles)
            .then(" WHERE m.state = 'active' AND r.id = ")
            .bind(room)
            .then(" AND ")
            .then(MAY_READ)
            .all(state.store.read())
            .await?;
    rows.iter().map(|row| Ok(row.try_get("", "handle")?)).collect()
}
