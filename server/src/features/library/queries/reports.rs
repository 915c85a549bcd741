//! Reports of resources, for those who see to them. The spaces are those of `moderation::moderated`.

use crate::app::AppState;
use crate::entities::kinds::{ReportReason, ReportState};
use crate::features::forum::{AUTHOR, author};
use crate::features::library::model::ResourceReportView;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};

/// Reports in these spaces, the newest first.
pub async fn reports(
    state: &AppState,
    spaces: &[i64],
    states: &[ReportState],
    page: &PageQuery,
) -> Result<Page<ResourceReportView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(
        "SELECT x.id, x.resource_id, x.reason, x.note, x.state, x.created_at, x.outcome, r.title, r.hidden_at, \
         r.deleted_at, r.purged_at, s.slug AS s_slug, s.name AS s_name, p.handle AS p_handle, \
         p.display_name AS p_display_name, h.handle AS h_handle, ",
    )
    .then(AUTHOR)
    .then(
        " FROM resource_report x JOIN resource r ON r.id = x.resource_id JOIN space s ON s.id = x.space_id \
         JOIN member a ON a.id = r.author_id JOIN member p ON p.id = x.reporter_id \
         LEFT JOIN member h ON h.id = x.handled_by WHERE x.space_id IN ",
    )
    .list(spaces.iter().copied())
    .then(" AND x.state IN ")
    .list(states.iter().map(|state| state.as_str()));
    if let Some(place) = after {
        sql = sql.then(" AND (x.created_at, x.id) < (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY x.created_at DESC, x.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let created: i64 = row.try_get("", "created_at")?;
        let resource = Id(row.try_get("", "resource_id")?);
        items.push(ResourceReportView {
            id: Id(row.try_get("", "id")?),
            resource_id: resource,
            title: row.try_get("", "title")?,
            space: row.try_get("s_", "slug")?,
            space_name: row.try_get("s_", "name")?,
            url: format!("/resources/{resource}"),
            author: author(row)?,
            reporter: row.try_get("p_", "handle")?,
            reporter_name: row.try_get("p_", "display_name")?,
            reason: row.try_get::<ReportReason>("", "reason")?,
            note: row.try_get("", "note")?,
            state: row.try_get::<ReportState>("", "state")?,
            hidden: row.try_get::<Option<i64>>("", "hidden_at")?.is_some(),
            deleted: row.try_get::<Option<i64>>("", "deleted_at")?.or(row.try_get("", "purged_at")?).is_some(),
            created_at: rfc3339(created),
            handled_by: row.try_get("h_", "handle")?,
            outcome: row.try_get("", "outcome")?,
            created,
        });
    }
    Ok(Page::cut(items, limit, |of| Place { key: of.created, id: of.id.0 }))
}

/// How many reports of resources are open in these spaces.
pub async fn open_reports(state: &AppState, spaces: &[i64]) -> Result<i64> {
    let row = Sql::new("SELECT count(*) AS open FROM resource_report WHERE state = 'open' AND space_id IN ")
        .list(spaces.iter().copied())
        .one(state.store.read())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("", "open")?))
}
