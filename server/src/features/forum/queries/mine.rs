//! What is a viewer's own: marks on posts, bookmarks, how far they have read.

use std::collections::HashMap;

use super::posts::{load, select};
use crate::app::AppState;
use crate::features::forum::model::{BookmarkView, Marks};
use crate::ports::clock::rfc3339;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Me, Viewer};

/// What the viewer has done with these posts, in one statement; none for visitors.
pub async fn marks(state: &AppState, viewer: &Viewer, posts: &[i64]) -> Result<HashMap<i64, Marks>> {
    let mut marks: HashMap<i64, Marks> = HashMap::new();
    let Some(me) = viewer.member() else { return Ok(marks) };
    if posts.is_empty() {
        return Ok(marks);
    }
    let of = |sql: Sql, text: &str| sql.then(text).bind(me.id).then(" AND post_id IN ").list(posts.iter().copied());
    let sql = of(Sql::default(), "SELECT post_id, 'r' AS what, emoji FROM reaction WHERE member_id = ");
    let sql = of(sql, " UNION ALL SELECT post_id, 'e' AS what, '' AS emoji FROM endorsement WHERE member_id = ");
    let sql = of(sql, " UNION ALL SELECT post_id, 'b' AS what, '' AS emoji FROM bookmark WHERE member_id = ");
    for row in sql.all(state.store.read()).await? {
        let mark = marks.entry(row.try_get("", "post_id")?).or_default();
        match row.try_get::<String>("", "what")?.as_str() {
            "r" => mark.reactions.push(row.try_get("", "emoji")?),
            "e" => mark.endorsed = true,
            _ => mark.bookmarked = true,
        }
    }
    Ok(marks)
}

/// A member's bookmarks, the latest first; what they may no longer see is left out.
pub async fn bookmarks(state: &AppState, me: &Me, viewer: &Viewer, page: &PageQuery) -> Result<Page<BookmarkView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let readable = state.spaces.readable(state, viewer).await?;
    let mut sql = Sql::new(
        "SELECT k.post_id, k.created_at, t.title, s.slug FROM bookmark k JOIN post p ON p.id = k.post_id \
         JOIN topic t ON t.id = p.topic_id JOIN space s ON s.id = t.space_id WHERE k.member_id = ",
    )
    .bind(me.id)
    .then(" AND p.deleted_at IS NULL AND p.hidden_at IS NULL AND t.deleted_at IS NULL AND t.hidden_at IS NULL")
    .then(" AND t.space_id IN ")
    .list(readable);
    if let Some(place) = after {
        sql = sql.then(" AND (k.created_at, k.post_id) < (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY k.created_at DESC, k.post_id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let mut found: Vec<(i64, i64, String, String)> = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push((
            row.try_get("", "post_id")?,
            row.try_get("", "created_at")?,
            row.try_get("", "title")?,
            row.try_get("", "slug")?,
        ));
    }
    let found = Page::cut(found, limit, |(post, at, _, _)| Place { key: *at, id: *post });
    let ids: Vec<i64> = found.items.iter().map(|(post, ..)| *post).collect();
    let mut posts = HashMap::new();
    if !ids.is_empty() {
        for post in load(state.store.read(), select().then(" WHERE p.id IN ").list(ids)).await? {
            posts.insert(post.id.0, post);
        }
    }
    let items = found.items.into_iter().filter_map(|(post, at, topic_title, space)| {
        Some(BookmarkView { post: posts.remove(&post)?, space, topic_title, bookmarked_at: rfc3339(at), at })
    });
    Ok(Page { items: items.collect(), next_cursor: found.next_cursor })
}

/// Remembers that a member has read a topic up to a seq of its stream. Writes only when that moves.
pub async fn mark_read(state: &AppState, me: &Me, topic: i64, had: Option<i64>, seq: i64) -> Result<()> {
    if had.is_some_and(|had| had >= seq) {
        return Ok(());
    }
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            Sql::new("INSERT INTO topic_read (member_id, topic_id, seq, read_at) VALUES (")
                .bind(member)
                .then(", ")
                .bind(topic)
                .then(", ")
                .bind(seq)
                .then(", ")
                .bind(tx.now())
                .then(
                    ") ON CONFLICT (member_id, topic_id) DO UPDATE SET seq = excluded.seq, read_at = excluded.read_at",
                )
                .then(" WHERE topic_read.seq < excluded.seq")
                .run(tx.conn())
                .await?;
            crate::features::notices::read_in_topic(tx, member, topic).await
        })
        .await
}
