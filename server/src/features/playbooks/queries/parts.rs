//! The parts of a working copy, and what members are writing in them.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, QueryResult};

use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::model::{PartDraftView, PartView};
use crate::features::playbooks::rows::{fields, kept};
use crate::ports::clock::rfc3339;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::etag::of_version;
use crate::web::viewer::Me;

const PART: &str = "SELECT p.part, p.body, p.body_html, p.fields, p.fields_html, p.measures, p.version, p.updated_at, \
    m.handle FROM study_part p JOIN member m ON m.id = p.updated_by WHERE p.study_id = ";

/// The parts of a study's working copy that were ever written.
pub async fn parts_of(db: &impl ConnectionTrait, study: i64) -> Result<BTreeMap<PartKey, PartView>> {
    let rows = Sql::new(PART).bind(study).all(db).await?;
    rows.iter().map(|row| part_view(row).map(|part| (part.key, part))).collect()
}

/// One part; empty, at version 0, if nothing was ever written in it.
pub async fn part_of(db: &impl ConnectionTrait, study: i64, key: PartKey) -> Result<PartView> {
    let row = Sql::new(PART).bind(study).then(" AND p.part = ").bind(key.as_str()).one(db).await?;
    row.as_ref().map_or_else(|| Ok(PartView::blank(key)), part_view)
}

impl PartView {
    /// A part in which nothing was ever written.
    #[must_use]
    pub fn blank(key: PartKey) -> Self {
        Self {
            key,
            body: String::new(),
            body_html: String::new(),
            fields: BTreeMap::new(),
            fields_html: BTreeMap::new(),
            measures: Vec::new(),
            version: 0,
            etag: of_version(0),
            updated_at: None,
            updated_by: None,
        }
    }
}

pub(in crate::features::playbooks) fn part_view(row: &QueryResult) -> Result<PartView> {
    let version: i32 = row.try_get("", "version")?;
    Ok(PartView {
        key: row.try_get::<PartKey>("", "part")?,
        body: row.try_get("", "body")?,
        body_html: row.try_get("", "body_html")?,
        fields: fields(&row.try_get::<String>("", "fields")?),
        fields_html: fields(&row.try_get::<String>("", "fields_html")?),
        measures: kept(&row.try_get::<String>("", "measures")?),
        version,
        etag: of_version(version),
        updated_at: Some(rfc3339(row.try_get("", "updated_at")?)),
        updated_by: Some(row.try_get("", "handle")?),
    })
}

const DRAFT: &str = "SELECT d.part, d.body, d.fields, d.measures, d.base_version, d.updated_at, \
    COALESCE(p.version, 0) AS version FROM study_part_draft d \
    LEFT JOIN study_part p ON p.study_id = d.study_id AND p.part = d.part WHERE d.study_id = ";

/// What a member has typed into the parts of a study and not saved.
pub async fn drafts_of(state: &AppState, me: &Me, study: i64) -> Result<BTreeMap<PartKey, PartDraftView>> {
    let rows = Sql::new(DRAFT).bind(study).then(" AND d.member_id = ").bind(me.id).all(state.store.read()).await?;
    rows.iter().map(|row| draft_view(row).map(|draft| (draft.key, draft))).collect()
}

/// The same of one part.
pub async fn draft_of(db: &impl ConnectionTrait, me: i64, study: i64, key: PartKey) -> Result<Option<PartDraftView>> {
    let row = Sql::new(DRAFT)
        .bind(study)
        .then(" AND d.member_id = ")
        .bind(me)
        .then(" AND d.part = ")
        .bind(key.as_str())
        .one(db)
        .await?;
    row.as_ref().map(draft_view).transpose()
}

fn draft_view(row: &QueryResult) -> Result<PartDraftView> {
    let (base, version): (i32, i32) = (row.try_get("", "base_version")?, row.try_get("", "version")?);
    let updated: i64 = row.try_get("", "updated_at")?;
    Ok(PartDraftView {
        key: row.try_get::<PartKey>("", "part")?,
        body: row.try_get("", "body")?,
        fields: fields(&row.try_get::<String>("", "fields")?),
        measures: kept(&row.try_get::<String>("", "measures")?),
        base_version: base,
        behind: base != version,
        updated_at: rfc3339(updated),
        updated,
    })
}
