//! From what was written to what is stored: Markdown is rendered before the transaction.

use std::collections::HashSet;

use crate::app::AppState;
use crate::entities::kinds::Visibility;
use crate::store::Sql;
use crate::store::Tx;
use crate::text::{self, Links, Rendered};
use crate::web::error::Result;
use crate::web::words;

/// A text with its HTML.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub body: String,
    pub rendered: Rendered,
}

/// Renders a text for a space. Only members who may read the space become links.
pub(super) async fn written(state: &AppState, space: i64, body: &str) -> Result<Written> {
    let candidates = text::mention_candidates(body);
    let members = if candidates.is_empty() { HashSet::new() } else { known(state, space, candidates).await? };
    Ok(Written { body: body.to_owned(), rendered: render(state, body, &members, text::render) })
}

/// A text as a reader of the space would see it, for previews.
pub async fn preview(state: &AppState, space: i64, body: &str) -> Result<String> {
    Ok(written(state, space, body).await?.rendered.html)
}

/// The same for a text below a heading of its own, such as a part of a case study.
pub async fn preview_section(state: &AppState, space: i64, body: &str) -> Result<String> {
    let members = known(state, space, text::mention_candidates(body)).await?;
    Ok(render(state, body, &members, text::render_section).html)
}

fn render(state: &AppState, body: &str, members: &HashSet<String>, how: fn(&str, &Links<'_>) -> Rendered) -> Rendered {
    let words = words::english();
    let links = Links {
        members,
        origin: state.origin(),
        hard_breaks: false,
        words: text::Words {
            table: words.t("forum.table"),
            done: words.t("forum.task_done"),
            not_done: words.t("forum.task_open"),
        },
    };
    how(body, &links)
}

async fn known(state: &AppState, space: i64, handles: Vec<String>) -> Result<HashSet<String>> {
    let snapshot = state.spaces.snapshot(state).await?;
    let wide = snapshot
        .by_id(space)
        .is_some_and(|space| matches!(space.visibility, Visibility::Open | Visibility::Restricted));
    let mut sql = Sql::new("SELECT m.handle FROM member m WHERE m.state = 'active' AND m.handle IN ").list(handles);
    if !wide {
        sql = sql
            .then(" AND EXISTS (SELECT 1 FROM space_member sm WHERE sm.member_id = m.id AND sm.space_id = ")
            .bind(space)
            .then(")");
    }
    let rows = sql.all(state.store.read()).await?;
    rows.iter().map(|row| Ok(row.try_get("", "handle")?)).collect()
}

/// Ties uploads that a text shows to its post.
pub(super) async fn adopt_files(tx: &mut Tx, author: i64, post: i64, html: &str) -> Result<()> {
    crate::features::people::adopt_files(tx, author, post, html).await
}
