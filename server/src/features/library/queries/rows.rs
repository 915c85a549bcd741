//! From rows to views: the columns that selects of resources have, and how they are read.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};

use crate::entities::kinds::{ResourceForm, ResourceKind, ScanState, Stage, TextState};
use crate::features::forum::{AUTHOR, author};
use crate::features::library::model::{FileView, ResourceRow, VersionView};
use crate::features::library::policy::{day, is_due};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::Result;
use crate::web::words::english;

/// Columns of a resource `r` in `s` by `a`, with its newest version `v` and that one's file `sf`.
const RESOURCE: &str = "r.id, r.space_id, r.form, r.kind, r.stage, r.title, r.summary, r.authors, r.organisation, \
    r.published_on, r.review_due, r.version_count, r.download_count, r.endorsement_count, r.created_at, r.updated_at, \
    r.hidden_at, r.deleted_at, r.purged_at, r.version, r.topic_id, r.version_id, r.description, r.description_html, \
    r.licence, r.source, s.slug AS s_slug, s.name AS s_name, v.file_name AS v_file_name, v.url AS v_url, \
    sf.media_type AS sf_media_type, sf.size AS sf_size";

const FROM: &str = " FROM resource r JOIN space s ON s.id = r.space_id JOIN member a ON a.id = r.author_id \
    LEFT JOIN resource_version v ON v.id = r.version_id LEFT JOIN stored_file sf ON sf.sha256 = v.sha256";

/// Columns of a version `v` by `a` with its file `sf`.
const VERSION: &str = "v.id, v.resource_id, v.number, v.note, v.created_at, v.sha256, v.file_name, v.url, v.body, \
    v.body_html, v.restored_from, sf.size AS sf_size, sf.media_type AS sf_media_type, sf.scan_state AS sf_scan_state, \
    sf.scan_note AS sf_scan_note, sf.text_state AS sf_text_state, sf.text_reason AS sf_text_reason, \
    sf.page_count AS sf_page_count";

/// The beginning of every select of resources.
pub(super) fn select() -> Sql {
    Sql::new("SELECT ").then(RESOURCE).then(", ").then(AUTHOR).then(FROM)
}

/// The beginning of every select of versions.
pub(super) fn select_versions() -> Sql {
    Sql::new("SELECT ").then(VERSION).then(", ").then(AUTHOR).then(
        " FROM resource_version v JOIN member a ON a.id = v.author_id \
         LEFT JOIN stored_file sf ON sf.sha256 = v.sha256",
    )
}

/// A resource without its terms.
pub(super) fn resource(row: &QueryResult, now: i64) -> Result<ResourceRow> {
    let authors: String = row.try_get("", "authors")?;
    let (created, updated): (i64, i64) = (row.try_get("", "created_at")?, row.try_get("", "updated_at")?);
    let due: Option<i64> = row.try_get("", "review_due")?;
    let at = |name: &str| -> Result<bool> { Ok(row.try_get::<Option<i64>>("", name)?.is_some()) };
    let purged = at("purged_at")?;
    let title: String = row.try_get("", "title")?;
    Ok(ResourceRow {
        id: Id(row.try_get("", "id")?),
        space: row.try_get("s_", "slug")?,
        space_name: row.try_get("s_", "name")?,
        form: row.try_get::<ResourceForm>("", "form")?,
        kind: row.try_get::<ResourceKind>("", "kind")?,
        stage: row.try_get::<Option<Stage>>("", "stage")?,
        title: if purged { english().t("library.purged_title").to_owned() } else { title },
        summary: row.try_get("", "summary")?,
        topics: Vec::new(),
        tags: Vec::new(),
        authors: serde_json::from_str(&authors).unwrap_or_default(),
        organisation: row.try_get("", "organisation")?,
        author: author(row)?,
        file_name: row.try_get("v_", "file_name")?,
        media_type: row.try_get("sf_", "media_type")?,
        size: row.try_get("sf_", "size")?,
        url: row.try_get("v_", "url")?,
        published_on: row.try_get::<Option<i64>>("", "published_on")?.map(day),
        review_due: due.map(day),
        stale: is_due(due, now),
        version_count: row.try_get("", "version_count")?,
        download_count: row.try_get("", "download_count")?,
        endorsement_count: row.try_get("", "endorsement_count")?,
        created_at: rfc3339(created),
        updated_at: rfc3339(updated),
        created,
        updated,
        due,
        space_id: row.try_get("", "space_id")?,
        deleted: at("deleted_at")?,
        hidden: at("hidden_at")?,
        purged,
    })
}

/// A version.
pub(super) fn version(row: &QueryResult) -> Result<VersionView> {
    let created: i64 = row.try_get("", "created_at")?;
    let (resource, number): (i64, i32) = (row.try_get("", "resource_id")?, row.try_get("", "number")?);
    let file = match row.try_get::<Option<String>>("", "sha256")? {
        None => None,
        Some(sha256) => {
            let reason: String = row.try_get("sf_", "text_reason")?;
            Some(FileView {
                name: row.try_get::<Option<String>>("", "file_name")?.unwrap_or_default(),
                media_type: row.try_get("sf_", "media_type")?,
                size: row.try_get("sf_", "size")?,
                sha256,
                scan: row.try_get::<ScanState>("sf_", "scan_state")?,
                text: row.try_get::<TextState>("sf_", "text_state")?,
                text_reason: Some(reason).filter(|reason| !reason.is_empty()),
                pages: row.try_get("sf_", "page_count")?,
                finding: row.try_get("sf_", "scan_note")?,
            })
        }
    };
    Ok(VersionView {
        number,
        note: row.try_get("", "note")?,
        author: author(row)?,
        created_at: rfc3339(created),
        file,
        url: row.try_get("", "url")?,
        body: row.try_get("", "body")?,
        body_html: row.try_get("", "body_html")?,
        restored_from: row.try_get("", "restored_from")?,
        content_url: format!("/api/v1/resources/{}/content?version={number}", Id(resource)),
        created,
    })
}

/// Puts their topics and tags to resources: one statement.
pub(super) async fn with_terms(db: &impl ConnectionTrait, mut items: Vec<ResourceRow>) -> Result<Vec<ResourceRow>> {
    if items.is_empty() {
        return Ok(items);
    }
    let rows = Sql::new("SELECT resource_id, vocabulary, term FROM resource_term WHERE resource_id IN ")
        .list(items.iter().map(|item| item.id.0))
        .then(" ORDER BY folded")
        .all(db)
        .await?;
    let mut terms: HashMap<i64, (Vec<String>, Vec<String>)> = HashMap::new();
    for row in rows {
        let (topics, tags) = terms.entry(row.try_get("", "resource_id")?).or_default();
        let of = if row.try_get::<String>("", "vocabulary")? == "topic" { topics } else { tags };
        of.push(row.try_get("", "term")?);
    }
    for item in &mut items {
        (item.topics, item.tags) = terms.remove(&item.id.0).unwrap_or_default();
    }
    Ok(items)
}

/// Rows of resources by id, for events: whoever reads the stream may see them. In no order.
pub async fn rows_by_ids(db: &impl ConnectionTrait, ids: &[i64], now: i64) -> Result<Vec<ResourceRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = select().then(" WHERE r.id IN ").list(ids.iter().copied()).all(db).await?;
    let rows = rows.iter().map(|row| resource(row, now)).collect::<Result<Vec<_>>>()?;
    with_terms(db, rows).await
}
