//! Comments on the parts of a study.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};

use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::forum::{AUTHOR, author};
use crate::features::playbooks::model::CommentView;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};

const COMMENT: &str = "SELECT k.id, k.part, k.parent_id, k.quote, k.body, k.body_html, k.created_at, k.edited_at, \
    k.deleted_at, k.resolved_at, k.reply_count, k.version, z.handle AS z_handle, z.display_name AS z_name, ";

const FROM: &str = " FROM study_comment k JOIN member a ON a.id = k.author_id \
    LEFT JOIN member z ON z.id = k.resolved_by WHERE ";

/// Comments of a study, the oldest first, on one part or on all; threads are told by `parent_id`.
/// For those who read the working copy.
pub async fn comments_of(
    state: &AppState,
    study: i64,
    part: Option<PartKey>,
    open: bool,
    page: &PageQuery,
) -> Result<Page<CommentView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(COMMENT).then(AUTHOR).then(FROM).then("k.study_id = ").bind(study);
    if let Some(part) = part {
        sql = sql.then(" AND k.part = ").bind(part.as_str());
    }
    if open {
        sql = sql.then(
            " AND NOT EXISTS (SELECT 1 FROM study_comment f WHERE f.id = COALESCE(k.parent_id, k.id) \
             AND f.resolved_at IS NOT NULL)",
        );
    }
    // A deleted comment stays where it holds a thread together.
    sql = sql.then(" AND (k.deleted_at IS NULL OR k.reply_count > 0)");
    if let Some(place) = after {
        sql = sql.then(" AND k.id > ").bind(place.id);
    }
    let sql = sql.then(" ORDER BY k.id").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let items = rows.iter().map(comment).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: of.id.0 }))
}

/// Replies of one thread that are shown with it; all of them have their own page.
const REPLIES: i64 = 50;

/// The threads of a study that a page shows.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    /// First comments, the open ones first, the newest first; then the last replies to them, the
    /// oldest first.
    pub comments: Vec<CommentView>,
    /// How many threads each part has.
    pub totals: HashMap<PartKey, i64>,
    /// Where the next page of a part's threads begins.
    pub next: Option<String>,
}

/// The threads on one part or on all: so many of each part, with their last replies. Two statements.
/// For those who read the working copy.
pub async fn threads_of(state: &AppState, study: i64, part: Option<PartKey>, page: &PageQuery) -> Result<Threads> {
    let (limit, after) = (i64::try_from(page.limit()?).unwrap_or(i64::MAX), page.after()?);
    let order = "CASE WHEN k.resolved_at IS NULL THEN 0 ELSE 1 END";
    let mut sql = Sql::new("SELECT * FROM (")
        .then(COMMENT)
        .then(AUTHOR)
        .then(", count(*) OVER (PARTITION BY k.part) AS n_threads, row_number() OVER (PARTITION BY k.part ORDER BY ")
        .then(order)
        .then(", k.id DESC) AS n_place, ")
        .then(order)
        .then(" AS n_settled")
        .then(FROM)
        // A deleted comment stays where it holds a thread together.
        .then("k.parent_id IS NULL AND (k.deleted_at IS NULL OR k.reply_count > 0) AND k.study_id = ")
        .bind(study);
    if let Some(part) = part {
        sql = sql.then(" AND k.part = ").bind(part.as_str());
    }
    sql = sql.then(") x WHERE ");
    // Of one part page by page; of all only the beginnings.
    sql = match after.filter(|_| part.is_some()) {
        Some(place) => sql
            .then("(n_settled > ")
            .bind(i32::try_from(place.key).unwrap_or(0))
            .then(" OR (n_settled = ")
            .bind(i32::try_from(place.key).unwrap_or(0))
            .then(" AND id < ")
            .bind(place.id)
            .then(")) ORDER BY n_settled, id DESC")
            .limit(limit + 1),
        None => sql.then("n_place <= ").bind(limit + 1).then(" ORDER BY part, n_settled, id DESC"),
    };
    let mut found = Threads::default();
    let mut seen: HashMap<PartKey, i64> = HashMap::new();
    for row in sql.all(state.store.read()).await? {
        let of = comment(&row)?;
        found.totals.insert(of.part, row.try_get("n_", "threads")?);
        let count = seen.entry(of.part).or_default();
        *count += 1;
        if *count <= limit {
            found.comments.push(of);
        } else if part.is_some()
            && let Some(last) = found.comments.last()
        {
            found.next = Some(Place { key: i64::from(last.resolved), id: last.id.0 }.encode());
        }
    }
    let replies = replies_to(state, &found.comments.iter().map(|of| of.id.0).collect::<Vec<_>>()).await?;
    found.comments.extend(replies);
    Ok(found)
}

/// The last replies to each of some comments, the oldest first.
async fn replies_to(state: &AppState, firsts: &[i64]) -> Result<Vec<CommentView>> {
    let mut replies = Vec::new();
    for batch in firsts.chunks(500) {
        let rows = Sql::new("SELECT * FROM (")
            .then(COMMENT)
            .then(AUTHOR)
            .then(", row_number() OVER (PARTITION BY k.parent_id ORDER BY k.id DESC) AS n_place")
            .then(FROM)
            .then("k.deleted_at IS NULL AND k.parent_id IN ")
            .list(batch.iter().copied())
            .then(") x WHERE n_place <= ")
            .bind(REPLIES)
            .then(" ORDER BY id")
            .all(state.store.read())
            .await?;
        for row in &rows {
            replies.push(comment(row)?);
        }
    }
    Ok(replies)
}

/// One thread: its first comment, and a page of the replies to it, the oldest first; 404 if it is
/// none of this study. For those who read the working copy.
pub async fn thread_of(state: &AppState, study: i64, first: i64, page: &PageQuery) -> Result<Threads> {
    let (limit, after) = (page.limit()?, page.after()?);
    let found = find_comment(state.store.read(), &[first]).await?.pop();
    let (_, first) = found
        .filter(|(of, comment)| {
            *of == study && comment.parent_id.is_none() && (!comment.deleted || comment.reply_count > 0)
        })
        .ok_or(AppError::NotFound)?;
    let mut sql = Sql::new(COMMENT).then(AUTHOR).then(FROM).then("k.deleted_at IS NULL AND k.parent_id = ");
    sql = sql.bind(first.id.0);
    if let Some(place) = after {
        sql = sql.then(" AND k.id > ").bind(place.id);
    }
    let sql = sql.then(" ORDER BY k.id").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let replies = rows.iter().map(comment).collect::<Result<Vec<_>>>()?;
    let page = Page::cut(replies, limit, |of| Place { key: 0, id: of.id.0 });
    let mut comments = vec![first];
    comments.extend(page.items);
    Ok(Threads { comments, totals: HashMap::new(), next: page.next_cursor })
}

/// Comments by id, in no order; for events and answers.
pub async fn find_comment(db: &impl ConnectionTrait, ids: &[i64]) -> Result<Vec<(i64, CommentView)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Sql::new(COMMENT)
        .then("k.study_id AS k_study_id, ")
        .then(AUTHOR)
        .then(FROM)
        .then("k.id IN ")
        .list(ids.iter().copied())
        .all(db)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("k_", "study_id")?, comment(row)?))).collect()
}

fn comment(row: &QueryResult) -> Result<CommentView> {
    let deleted = row.try_get::<Option<i64>>("", "deleted_at")?.is_some();
    let text = |name: &str| -> Result<String> { if deleted { Ok(String::new()) } else { Ok(row.try_get("", name)?) } };
    let created: i64 = row.try_get("", "created_at")?;
    Ok(CommentView {
        id: Id(row.try_get("", "id")?),
        part: row.try_get::<PartKey>("", "part")?,
        parent_id: row.try_get::<Option<i64>>("", "parent_id")?.map(Id),
        author: author(row)?,
        quote: text("quote")?,
        body: text("body")?,
        body_html: text("body_html")?,
        created_at: rfc3339(created),
        edited_at: row.try_get::<Option<i64>>("", "edited_at")?.map(rfc3339),
        deleted,
        resolved: row.try_get::<Option<i64>>("", "resolved_at")?.is_some(),
        resolved_by: row.try_get("z_", "handle")?,
        resolved_by_name: row.try_get("z_", "name")?,
        reply_count: row.try_get("", "reply_count")?,
        version: row.try_get("", "version")?,
        created,
    })
}
