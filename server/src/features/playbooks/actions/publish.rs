//! What readers get: a revision is made of the working copy, whole, and kept for good.

use std::collections::BTreeMap;

use crate::entities::kinds::{MemberState, PartKey, StudyState};
use crate::features::people::linked_files;
use crate::features::playbooks::ground::StudyGround;
use crate::features::playbooks::model::{PartView, RevisionContent};
use crate::features::playbooks::parts::completeness;
use crate::features::playbooks::queries::terms_of;
use crate::features::playbooks::texts::end_of_day;
use crate::ports::clock::DAY;
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, FieldError, Result};

/// After so long a study is looked at again, if its authors name no day.
pub(super) const REVIEW_AFTER: i64 = 365 * DAY;

/// 422 with what publication needs and is not there.
pub(super) fn ready(now: i64, parts: &BTreeMap<PartKey, PartView>) -> Result<()> {
    let complete = completeness(|key| parts.get(&key).is_some_and(|part| !part.is_empty()));
    let mut faults: Vec<FieldError> = complete
        .missing
        .iter()
        .map(|key| FieldError { field: format!("parts.{key}").into(), message: "is needed for publication".into() })
        .collect();
    let due = parts.get(&PartKey::ReviewDue).and_then(|part| end_of_day(&part.body));
    if due.is_some_and(|due| due < now) {
        faults.push(FieldError {
            field: "parts.review_due".into(),
            message: "has passed: choose the day of the next review".into(),
        });
    }
    if faults.is_empty() { Ok(()) } else { Err(AppError::Invalid(faults)) }
}

/// 422 if whoever is to keep a study true cannot: their account was closed since they were named.
pub(super) async fn owner_in_use(tx: &Tx, parts: &BTreeMap<PartKey, PartView>) -> Result<()> {
    let Some(part) = parts.get(&PartKey::Owner) else { return Ok(()) };
    let handle = part.body.trim_start_matches('@').to_lowercase();
    let row = Sql::new("SELECT state FROM member WHERE handle = ").bind(handle).one(tx.conn()).await?;
    let state = row.map(|row| row.try_get::<MemberState>("", "state")).transpose()?;
    if state.is_some_and(|state| state != MemberState::Active) {
        return Err(AppError::field("parts.owner", "is a member whose account is not in use: choose another owner"));
    }
    Ok(())
}

/// Makes the working copy the published revision; its number.
pub(in crate::features::playbooks) async fn release(
    tx: &mut Tx,
    study: &StudyGround,
    mut parts: BTreeMap<PartKey, PartView>,
    note: &str,
) -> Result<i32> {
    parts.retain(|_, part| !part.is_empty());
    let terms = terms_of(tx.conn(), &[study.id], false).await?.remove(&study.id).unwrap_or_default();
    let figure = parts.get(&PartKey::Outcomes).and_then(|part| part.measures.first().cloned());
    let figure = figure.map(|figure| serde_json::to_string(&figure)).transpose()?.unwrap_or_default();
    let summary = parts.get(&PartKey::Summary).map(|part| part.body.clone()).unwrap_or_default();
    let due = parts.get(&PartKey::ReviewDue).and_then(|part| end_of_day(&part.body));
    let owner = match parts.get(&PartKey::Owner) {
        Some(part) => named(tx, &part.body).await?,
        None => None,
    };
    let number = study.revision_count + 1;
    show_figures(tx, study.id, &parts).await?;
    super::study_rows::set_terms(tx, study.id, &terms, true).await?;
    let content = RevisionContent { title: study.title.clone(), parts, terms, ..RevisionContent::default() };
    Sql::new("INSERT INTO study_revision (study_id, number, title, content, note, published_by, published_at) VALUES ")
        .rows([[
            study.id.into(),
            number.into(),
            study.title.clone().into(),
            serde_json::to_string(&content)?.into(),
            note.into(),
            study.actor.id.into(),
            tx.now().into(),
        ]])
        .run(tx.conn())
        .await?;
    keep_people(tx, study.id, number).await?;
    // A node of the release before hides without saying up to where.
    Sql::new(
        "UPDATE case_study SET state = 'published', retired_at = NULL, hidden_upto = CASE WHEN hidden_at IS NULL \
              THEN hidden_upto ELSE published END, hidden_at = NULL, reminded_at = NULL, published = ",
    )
    .bind(number)
    .then(", revision_count = ")
    .bind(number)
    .then(", published_at = ")
    .bind(tx.now())
    .then(", first_published_at = COALESCE(first_published_at, ")
    .bind(tx.now())
    .then("), live_title = title, live_summary = ")
    .bind(summary)
    .then(", live_figure = ")
    .bind(figure)
    .then(", review_due = ")
    .bind(due.unwrap_or(tx.now() + REVIEW_AFTER))
    .then(", owner_id = ")
    .bind(owner)
    .then(" WHERE id = ")
    .bind(study.id)
    .run(tx.conn())
    .await?;
    count_studies(tx, study.playbook_id).await?;
    super::told::study_moved(tx, study, "study.published").await?;
    tx.index(Kind::CaseStudy, study.id);
    Ok(number)
}

/// Keeps who wrote a revision and who is thanked in it, whoever comes or goes later.
async fn keep_people(tx: &Tx, study: i64, number: i32) -> Result<()> {
    Sql::new(
        "INSERT INTO study_revision_author (study_id, number, member_id, role, position) SELECT w.study_id, CAST(",
    )
    .bind(number)
    .then(" AS INTEGER), w.member_id, w.role, w.position FROM study_author w WHERE w.study_id = ")
    .bind(study)
    .run(tx.conn())
    .await?;
    Ok(())
}

/// The member whom a published text names as its owner: whoever has the account by then.
async fn named(tx: &Tx, handle: &str) -> Result<Option<i64>> {
    let handle = handle.trim_start_matches('@').to_lowercase();
    let row = Sql::new("SELECT id FROM member WHERE handle = ").bind(handle).one(tx.conn()).await?;
    row.map(|row| Ok(row.try_get("", "id")?)).transpose()
}

/// The uploads of what is published are its readers' to open; those of before no longer.
async fn show_figures(tx: &Tx, study: i64, parts: &BTreeMap<PartKey, PartView>) -> Result<()> {
    Sql::new("DELETE FROM study_figure WHERE study_id = ").bind(study).run(tx.conn()).await?;
    let html = parts.values().flat_map(|part| std::iter::once(&part.body_html).chain(part.fields_html.values()));
    show(tx, study, html.flat_map(|html| linked_files(html)).collect()).await
}

/// Lets a study show files that its texts link to: its own, and those of the talk it was made of,
/// which its first author could read and took with the words.
pub(super) async fn show(tx: &Tx, study: i64, mut files: Vec<i64>) -> Result<()> {
    files.sort_unstable();
    files.dedup();
    for batch in files.chunks(400) {
        Sql::new(
            "INSERT INTO study_figure (study_id, file_id) SELECT c.id, f.id FROM case_study c JOIN file f ON f.id IN ",
        )
        .list(batch.iter().copied())
        .then(" LEFT JOIN post p ON p.id = f.post_id LEFT JOIN message m ON m.id = f.message_id ")
        .then("WHERE (f.study_id = c.id OR p.topic_id = c.source_topic_id OR m.room_id = c.source_room_id) AND c.id = ")
        .bind(study)
        .then(" ON CONFLICT DO NOTHING")
        .run(tx.conn())
        .await?;
    }
    Ok(())
}

/// Takes a study off the lists.
pub(in crate::features::playbooks) async fn withdraw_from_readers(tx: &mut Tx, study: &StudyGround) -> Result<()> {
    Sql::new("UPDATE case_study SET state = ")
        .bind(StudyState::Retired.as_str())
        .then(", retired_at = ")
        .bind(tx.now())
        .then(" WHERE id = ")
        .bind(study.id)
        .run(tx.conn())
        .await?;
    tx.index(Kind::CaseStudy, study.id);
    if study.published > 0
        && let Some(home) = study.playbook_id
    {
        super::told::study_moved(tx, study, "study.retired").await?;
        super::told::narrowed(tx, home, study.actor.id);
    }
    count_studies(tx, study.playbook_id).await
}

/// Writes how many studies of a playbook its readers find.
async fn count_studies(tx: &Tx, playbook: Option<i64>) -> Result<()> {
    let Some(playbook) = playbook else { return Ok(()) };
    Sql::new(
        "UPDATE playbook SET study_count = (SELECT count(*) FROM case_study c WHERE c.playbook_id = playbook.id \
         AND c.published > 0 AND c.retired_at IS NULL) WHERE id = ",
    )
    .bind(playbook)
    .run(tx.conn())
    .await?;
    Ok(())
}
