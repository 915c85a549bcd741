//! Where the studies of notices are and what was said, for a member who may read them now.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::rows::{BOOK, BOOK_JOINS, STANDING, STUDY, WRITER, study_standing};
use crate::entities::kinds::{NoticeKind, PartKey};
use crate::features::notices::model::{EXCERPT, Glimpse};
use crate::store::Sql;
use crate::text::excerpt;
use crate::web::error::Result;

/// A notice of a study: its kind, its subject and the study.
pub type Told = (NoticeKind, i64, i64);

/// Glimpses by notice; what is not for them has none. Three statements.
pub async fn glimpses(db: &impl ConnectionTrait, viewer: i64, told: &[Told]) -> Result<HashMap<Told, Glimpse>> {
    let mut glimpses = HashMap::new();
    for batch in told.chunks(200) {
        let said = said(db, batch).await?;
        let rows = Sql::new("SELECT ")
            .then(WRITER)
            .then(", ")
            .then(STUDY)
            .then(", ")
            .then(BOOK)
            .then(", ")
            .then(STANDING)
            .then(" FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id LEFT JOIN member a ON a.id = ")
            .bind(viewer)
            .then(BOOK_JOINS)
            .then(" LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id WHERE c.id IN ")
            .list(batch.iter().map(|(_, _, study)| *study))
            .all(db)
            .await?;
        for row in rows {
            let standing = study_standing(&row)?;
            let id: i64 = row.try_get("c_", "id")?;
            let (slug, title): (String, String) = (
                row.try_get("c_", "slug")?,
                row.try_get("c_", if standing.reads_working() { "title" } else { "live_title" })?,
            );
            for of in batch.iter().filter(|(_, _, study)| *study == id) {
                let working = is_of_working_copy(of.0);
                if standing.read().is_err() || (working && !standing.reads_working()) {
                    continue;
                }
                let (text, part) = said.get(&of.1).cloned().unwrap_or_default();
                let place = part.map(|part| format!("#{part}")).unwrap_or_default();
                // The editor is its authors' alone; reviewers have a page of their own.
                let url = match (working, standing.author) {
                    (true, true) => format!("/case-studies/{slug}/edit{place}"),
                    (true, false) => format!("/case-studies/{slug}/review{place}"),
                    (false, _) => format!("/case-studies/{slug}"),
                };
                let excerpt =
                    if working || standing.reads_published() { excerpt(&text, EXCERPT) } else { String::new() };
                glimpses.insert(*of, Glimpse { url, title: title.clone(), excerpt });
            }
        }
    }
    Ok(glimpses)
}

const fn is_of_working_copy(kind: NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::StudySubmitted | NoticeKind::StudyReturned | NoticeKind::StudyCommented | NoticeKind::StudyShared
    )
}

type Said = HashMap<i64, (String, Option<PartKey>)>;

/// What was said, by subject: comments, and notes of the log.
async fn said(db: &impl ConnectionTrait, told: &[Told]) -> Result<Said> {
    let mut said = Said::new();
    let rows = Sql::new("SELECT id, part, body FROM study_comment WHERE deleted_at IS NULL AND id IN ")
        .list(told.iter().map(|(_, subject, _)| *subject))
        .all(db)
        .await?;
    for row in rows {
        said.insert(row.try_get("", "id")?, (row.try_get("", "body")?, Some(row.try_get::<PartKey>("", "part")?)));
    }
    let rows = Sql::new("SELECT id, note FROM study_act WHERE kind NOT IN ('joined', 'credited', 'left') AND id IN ")
        .list(told.iter().map(|(_, subject, _)| *subject))
        .all(db)
        .await?;
    for row in rows {
        said.insert(row.try_get("", "id")?, (row.try_get("", "note")?, None));
    }
    Ok(said)
}
