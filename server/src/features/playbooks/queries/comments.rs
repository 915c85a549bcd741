//! Comments on the parts of a study.

use sea_orm::{ConnectionTrait, QueryResult};

use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::forum::{AUTHOR, author};
use crate::features::playbooks::model::CommentView;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};

const COMMENT: &str = "SELECT k.id, k.part, k.parent_id, k.quote, k.body, k.body_html, k.created_at, k.edited_at, \
    k.deleted_at, k.resolved_at, k.reply_count, k.version, z.handle AS z_handle, ";

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
    let sql = sql.then(" ORDER BY k.id LIMIT ").bind(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = sql.all(state.store.read()).await?;
    let items = rows.iter().map(comment).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: of.id.0 }))
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
        reply_count: row.try_get("", "reply_count")?,
        version: row.try_get("", "version")?,
        created,
    })
}
