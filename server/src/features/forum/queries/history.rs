//! Saved states of a post, and the tags of spaces.

use super::posts::find_post;
use crate::app::AppState;
use crate::features::forum::model::{PostView, RevisionView, TagView};
use crate::ports::clock::rfc3339;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Viewer;

/// The saved states of a post, the newest first. One that was never edited has its one state.
/// What is deleted or hidden has a history for moderators alone.
pub async fn revisions(
    state: &AppState,
    viewer: &Viewer,
    post: i64,
    page: &PageQuery,
) -> Result<(PostView, Page<RevisionView>)> {
    let (limit, after) = (page.limit()?, page.after()?);
    let (post, topic) = find_post(state, viewer, post).await?;
    if post.purged || ((post.deleted || post.hidden) && !topic.moderates()) {
        return Err(AppError::NotFound);
    }
    if post.revision_count == 0 {
        let only = RevisionView {
            number: 1,
            title: post.is_first.then(|| topic.row.title.clone()),
            tags: None,
            body: post.body.clone(),
            editor: post.author.handle.clone(),
            editor_name: post.author.display_name.clone(),
            note: String::new(),
            created_at: post.created_at.clone(),
            at: post.created,
        };
        return Ok((post, Page { items: vec![only], next_cursor: None }));
    }
    let mut sql = Sql::new(
        "SELECT r.number, r.title, r.tags, r.body, r.note, r.created_at, m.handle, m.display_name \
         FROM post_revision r JOIN member m ON m.id = r.editor_id WHERE r.post_id = ",
    )
    .bind(post.id.0);
    if let Some(place) = after {
        sql = sql.then(" AND r.number < ").bind(i32::try_from(place.id).unwrap_or(0));
    }
    let sql = sql.then(" ORDER BY r.number DESC").limit(limit + 1);
    let mut items = Vec::new();
    for row in sql.all(state.store.read()).await? {
        let tags: Option<String> = row.try_get("", "tags")?;
        items.push(RevisionView {
            number: row.try_get("", "number")?,
            title: row.try_get("", "title")?,
            tags: tags.map(|tags| tags.split_whitespace().map(str::to_owned).collect()),
            body: row.try_get("", "body")?,
            editor: row.try_get("", "handle")?,
            editor_name: row.try_get("", "display_name")?,
            note: row.try_get("", "note")?,
            at: row.try_get("", "created_at")?,
            created_at: rfc3339(row.try_get("", "created_at")?),
        });
    }
    let page = Page::cut(items, limit, |of| Place { key: 0, id: i64::from(of.number) });
    Ok((post, page))
}

/// The tags of the spaces a viewer may read (or of one of them), the most used first.
pub async fn tags(
    state: &AppState,
    viewer: &Viewer,
    space: Option<i64>,
    beginning: Option<&str>,
    page: &PageQuery,
) -> Result<Page<TagView>> {
    let limit = page.limit()?;
    let readable = match space {
        Some(space) => vec![space],
        None => state.spaces.readable(state, viewer).await?,
    };
    let mut sql = Sql::new(
        "SELECT name, CAST(sum(topic_count) AS BIGINT) AS uses FROM tag WHERE topic_count > 0 AND space_id IN ",
    )
    .list(readable);
    if let Some(beginning) = beginning {
        let beginning = beginning.to_lowercase();
        sql = sql
            .then(" AND substr(name, 1, ")
            .bind(i32::try_from(beginning.chars().count()).unwrap_or(0))
            .then(") = ")
            .bind(beginning);
    }
    // The cursor carries the last count and name; a tag's name fits no `Place`, so it is text.
    sql = sql.then(" GROUP BY name");
    if let Some((uses, name)) = page.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(cursor).transpose()? {
        sql = sql.then(" HAVING sum(topic_count) < ").bind(uses).then(" OR (sum(topic_count) = ").bind(uses);
        sql = sql.then(" AND name > ").bind(name).then(")");
    }
    let sql = sql.then(" ORDER BY uses DESC, name").limit(limit + 1);
    let mut items = Vec::new();
    for row in sql.all(state.store.read()).await? {
        items.push(TagView { name: row.try_get("", "name")?, count: row.try_get("", "uses")? });
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|tag| format!("{}.{}", tag.count, tag.name));
    Ok(Page { items, next_cursor })
}

fn cursor(text: &str) -> Result<(i64, String)> {
    text.split_once('.')
        .and_then(|(uses, name)| Some((uses.parse().ok()?, name.to_owned())))
        .filter(|(_, name)| crate::text::is_tag(name))
        .ok_or_else(|| AppError::field("cursor", "is not one of this list"))
}
