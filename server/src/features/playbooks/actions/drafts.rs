//! What is typed into a part is kept here until it is saved: a draft a member and part.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::ground;
use crate::features::playbooks::measures::MOST as MOST_MEASURES;
use crate::features::playbooks::model::PartDraftView;
use crate::features::playbooks::parts::{PartContent, fields};
use crate::features::playbooks::queries::draft_of;
use crate::store::{Sql, Tx};
use crate::web::checks::{self, BODY, Text};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// What is being typed. Only its size is checked: it is not finished.
#[derive(Clone, Debug, Default)]
pub struct DraftInput {
    pub body: String,
    pub fields: BTreeMap<String, String>,
    pub measures: Vec<Value>,
    /// The version of the part that the writing began from.
    pub base_version: i32,
}

/// Characters of all measures of a draft, as JSON.
const MEASURES: usize = 60_000;

/// Keeps what a member is typing into a part; authors.
pub async fn keep_draft(
    state: &AppState,
    me: &Me,
    slug: &str,
    key: PartKey,
    draft: &DraftInput,
) -> Result<PartDraftView> {
    let body = checks::check(&[Text::body("body", &draft.body, BODY)], true)?.get("body").to_owned();
    let mut kept = BTreeMap::new();
    for field in fields(key) {
        let value = draft.fields.get(field.name).map_or("", String::as_str);
        let checked = checks::check(&[Text::body("fields", value, BODY)], true)?;
        if !checked.get("fields").is_empty() {
            kept.insert(field.name.to_owned(), checked.get("fields").to_owned());
        }
    }
    let measures = serde_json::to_string(&draft.measures)?;
    if draft.measures.len() > MOST_MEASURES || measures.len() > MEASURES || measures.contains("\\u0000") {
        return Err(AppError::field("measures", format!("has {MOST_MEASURES} measures at most")));
    }
    let (fields, base) = (serde_json::to_string(&kept)?, draft.base_version.max(0));
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.edit()?;
            write(tx, study.id, key, member, [&body, &fields, &measures], base).await?;
            draft_of(tx.conn(), member, study.id, key).await?.ok_or_else(|| AppError::internal("a draft is gone"))
        })
        .await
}

/// Lets a draft go.
pub async fn drop_draft(state: &AppState, me: &Me, slug: &str, key: PartKey) -> Result<()> {
    let (member, slug) = (me.id, slug.to_owned());
    state
        .store
        .write(async move |tx| {
            let study = ground::study(tx, member, &slug).await?;
            study.standing.edit()?;
            forget(tx, study.id, key, member).await
        })
        .await
}

/// Keeps a content that could not be saved.
pub(super) async fn store(
    tx: &mut Tx,
    study: i64,
    key: PartKey,
    member: i64,
    content: &PartContent,
    base: i32,
) -> Result<()> {
    let (fields, measures) = (serde_json::to_string(&content.fields)?, serde_json::to_string(&content.measures)?);
    write(tx, study, key, member, [&content.body, &fields, &measures], base).await
}

async fn write(tx: &mut Tx, study: i64, key: PartKey, member: i64, texts: [&str; 3], base: i32) -> Result<()> {
    let [body, fields, measures] = texts;
    // An upload in a draft is in use, however long its writer takes. Readers get none of it before
    // it is published.
    crate::features::people::adopt_into_study(tx, member, study, &format!("{body} {fields}")).await?;
    Sql::new(
        "INSERT INTO study_part_draft (study_id, part, member_id, body, fields, measures, base_version, updated_at) VALUES ",
    )
    .rows([[
        study.into(),
        key.as_str().into(),
        member.into(),
        body.into(),
        fields.into(),
        measures.into(),
        base.into(),
        tx.now().into(),
    ]])
    .then(
        " ON CONFLICT (study_id, part, member_id) DO UPDATE SET body = excluded.body, fields = excluded.fields, \
         measures = excluded.measures, base_version = excluded.base_version, updated_at = excluded.updated_at",
    )
    .run(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn forget(tx: &Tx, study: i64, key: PartKey, member: i64) -> Result<()> {
    Sql::new("DELETE FROM study_part_draft WHERE study_id = ")
        .bind(study)
        .then(" AND part = ")
        .bind(key.as_str())
        .then(" AND member_id = ")
        .bind(member)
        .run(tx.conn())
        .await?;
    Ok(())
}
