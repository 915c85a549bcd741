//! What a study said before: published revisions and how they differ, saved states of parts, and
//! the log of its review.

use std::fmt::Write as _;

use sea_orm::QueryResult;

use super::study::Seen;
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct, StudyRole};
use crate::features::playbooks::measures::{Measure, shown};
use crate::features::playbooks::model::{
    ActView, NameView, PartDiff, PartRevisionView, PartView, RevisionContent, StudyRevisionFull, StudyRevisionView,
};
use crate::features::playbooks::parts::{field_title, fields as fields_of, title};
use crate::features::playbooks::rows::{fields, kept};
use crate::features::playbooks::terms::Terms;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::text::{DiffTime, DiffWords, diff_html};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::words::english;

const REVISION: &str = "SELECT r.number, r.title, r.note, r.published_at, m.handle, m.display_name";

/// The published revisions of a study that its viewer may read, the newest first.
pub async fn revisions(state: &AppState, seen: &Seen, page: &PageQuery) -> Result<Page<StudyRevisionView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(REVISION)
        .then(" FROM study_revision r JOIN member m ON m.id = r.published_by WHERE r.study_id = ")
        .bind(seen.id)
        .then(" AND r.number > ")
        .bind(seen.hidden_upto);
    if let Some(place) = after {
        sql = sql.then(" AND r.number < ").bind(i32::try_from(place.id).unwrap_or(0));
    }
    let sql = sql.then(" ORDER BY r.number DESC").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let items = rows.iter().map(revision_view).collect::<Result<Vec<_>>>()?;
    let items = with_people(state, seen.id, items).await?;
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: i64::from(of.number) }))
}

/// Puts to revisions who wrote them and who is thanked in them: one statement.
async fn with_people(
    state: &AppState,
    study: i64,
    mut revisions: Vec<StudyRevisionView>,
) -> Result<Vec<StudyRevisionView>> {
    if revisions.is_empty() {
        return Ok(revisions);
    }
    let rows = Sql::new(
        "SELECT p.number, p.role, m.id AS m_id, m.handle, m.display_name FROM study_revision_author p \
         JOIN member m ON m.id = p.member_id WHERE p.study_id = ",
    )
    .bind(study)
    .then(" AND p.number IN ")
    .list(revisions.iter().map(|of| of.number))
    .then(" ORDER BY p.number, p.position, p.member_id")
    .all(state.store.read())
    .await?;
    for row in rows {
        let number: i32 = row.try_get("", "number")?;
        let Some(of) = revisions.iter_mut().find(|of| of.number == number) else { continue };
        let who = NameView {
            id: row.try_get("m_", "id")?,
            handle: row.try_get("", "handle")?,
            display_name: row.try_get("", "display_name")?,
        };
        match row.try_get::<StudyRole>("", "role")? {
            StudyRole::Author => of.authors.push(who),
            StudyRole::Credited => of.credited.push(who),
        }
    }
    Ok(revisions)
}

/// Who wrote something and who is thanked in it, a line each.
#[must_use]
pub fn people_text(authors: &[NameView], credited: &[NameView]) -> String {
    let said = |role: StudyRole| english().of("playbooks.edit_study.role", role.as_str());
    let (author, thanked) = (said(StudyRole::Author), said(StudyRole::Credited));
    let authors = authors.iter().map(|who| format!("{author}: {}", who.display_name));
    let thanked = credited.iter().map(|who| format!("{thanked}: {}", who.display_name));
    authors.chain(thanked).collect::<Vec<_>>().join("\n")
}

/// What a revision said, to be compared with another.
#[must_use]
pub fn content_of(full: StudyRevisionFull) -> RevisionContent {
    let people = people_text(&full.revision.authors, &full.revision.credited);
    RevisionContent { title: full.revision.title, parts: full.parts, terms: full.terms, people }
}

fn revision_view(row: &QueryResult) -> Result<StudyRevisionView> {
    let at: i64 = row.try_get("", "published_at")?;
    Ok(StudyRevisionView {
        number: row.try_get("", "number")?,
        title: row.try_get("", "title")?,
        authors: Vec::new(),
        credited: Vec::new(),
        note: row.try_get("", "note")?,
        published_by: row.try_get("", "handle")?,
        published_by_name: row.try_get("", "display_name")?,
        published_at: rfc3339(at),
        at,
    })
}

/// One published revision with what it said; 404 for readers of one that moderators hid.
pub async fn revision(state: &AppState, seen: &Seen, number: i32) -> Result<StudyRevisionFull> {
    if number <= seen.hidden_upto {
        return Err(AppError::NotFound);
    }
    kept_revision(state, seen.id, number).await
}

/// The same for those who read the working copy.
pub async fn kept_revision(state: &AppState, study: i64, number: i32) -> Result<StudyRevisionFull> {
    let row = Sql::new(REVISION)
        .then(", r.content FROM study_revision r JOIN member m ON m.id = r.published_by WHERE r.study_id = ")
        .bind(study)
        .then(" AND r.number = ")
        .bind(number)
        .one(state.store.read())
        .await?
        .ok_or(AppError::NotFound)?;
    let content: RevisionContent = serde_json::from_str(&row.try_get::<String>("", "content")?)?;
    let revision = with_people(state, study, vec![revision_view(&row)?]).await?.pop().ok_or(AppError::NotFound)?;
    Ok(StudyRevisionFull { revision, parts: content.parts, terms: content.terms })
}

/// How two contents of a study differ, part by part; parts that are the same are left out.
#[must_use]
pub fn diff_revisions(old: &RevisionContent, new: &RevisionContent) -> Vec<PartDiff> {
    let words = english();
    let said = DiffWords { added: words.t("forum.history.added"), removed: words.t("forum.history.removed") };
    let time = DiffTime::begin();
    let mut diffs = Vec::new();
    let mut compare = |key: Option<PartKey>, heading: String, old: &str, new: &str| {
        if old != new {
            diffs.push(PartDiff { key, heading, diff_html: diff_html(old, new, &said, time) });
        }
    };
    compare(None, words.t("playbooks.title_field").to_owned(), &old.title, &new.title);
    for key in PartKey::ALL {
        let text = |of: &RevisionContent| of.parts.get(key).map(plain).unwrap_or_default();
        compare(Some(*key), title(*key), &text(old), &text(new));
    }
    // Of what a node of the previous release published it is not known.
    if !old.people.is_empty() && !new.people.is_empty() {
        compare(None, words.t("playbooks.edit_study.people").to_owned(), &old.people, &new.people);
    }
    compare(None, words.t("playbooks.terms").to_owned(), &terms_text(&old.terms), &terms_text(&new.terms));
    diffs
}

/// A part as lines to be compared: its text, its fields, its measures.
fn plain(part: &PartView) -> String {
    let mut text = part.body.clone();
    for field in fields_of(part.key) {
        if let Some(value) = part.fields.get(field.name) {
            let _infallible = write!(text, "\n{}: {value}", field_title(field.name));
        }
    }
    for measure in &part.measures {
        let _infallible = write!(text, "\n{}", measure_line(measure));
    }
    text
}

fn measure_line(of: &Measure) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
    let mut line = format!("{}: {} → {} {}", of.name, number(of.before), number(of.after), of.unit);
    for (label, value) in [("", &of.period), ("", &of.method), ("", &of.source)] {
        if !value.is_empty() {
            let _infallible = write!(line, "; {label}{value}");
        }
    }
    if let Some(n) = of.n {
        let _infallible = write!(line, "; n = {n}");
    }
    line
}

fn terms_text(terms: &Terms) -> String {
    let lines: Vec<String> = terms
        .iter()
        .map(|(kind, labels)| format!("{}: {}", english().of("playbooks.term_kind", kind.as_str()), labels.join(", ")))
        .collect();
    lines.join("\n")
}

/// Every saved state of one part, the newest first; for those who read the working copy.
pub async fn part_revisions(
    state: &AppState,
    study: i64,
    key: PartKey,
    page: &PageQuery,
) -> Result<Page<PartRevisionView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(
        "SELECT r.version, r.body, r.fields, r.measures, r.note, r.created_at, m.handle, m.display_name \
         FROM study_part_revision r JOIN member m ON m.id = r.editor_id WHERE r.study_id = ",
    )
    .bind(study)
    .then(" AND r.part = ")
    .bind(key.as_str());
    if let Some(place) = after {
        sql = sql.then(" AND r.version < ").bind(i32::try_from(place.id).unwrap_or(0));
    }
    let sql = sql.then(" ORDER BY r.version DESC").limit(limit + 1);
    let mut items = Vec::new();
    for row in sql.all(state.store.read()).await? {
        let at: i64 = row.try_get("", "created_at")?;
        items.push(PartRevisionView {
            version: row.try_get("", "version")?,
            body: row.try_get("", "body")?,
            fields: fields(&row.try_get::<String>("", "fields")?),
            measures: kept(&row.try_get::<String>("", "measures")?),
            editor: row.try_get("", "handle")?,
            editor_name: row.try_get("", "display_name")?,
            note: row.try_get("", "note")?,
            created_at: rfc3339(at),
            at,
        });
    }
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: i64::from(of.version) }))
}

/// The log of a study, the newest first.
pub async fn acts_of(state: &AppState, study: i64, page: &PageQuery) -> Result<Page<ActView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(
        "SELECT t.id, t.kind, t.note, t.checklist, t.revision, t.at, m.id AS m_id, m.handle, m.display_name \
         FROM study_act t JOIN member m ON m.id = t.actor_id WHERE t.study_id = ",
    )
    .bind(study);
    if let Some(place) = after {
        sql = sql.then(" AND t.id < ").bind(place.id);
    }
    let sql = sql.then(" ORDER BY t.id DESC").limit(limit + 1);
    let mut items = Vec::new();
    for row in sql.all(state.store.read()).await? {
        let at: i64 = row.try_get("", "at")?;
        items.push(ActView {
            id: Id(row.try_get("", "id")?),
            kind: row.try_get::<StudyAct>("", "kind")?,
            actor: NameView {
                id: row.try_get("m_", "id")?,
                handle: row.try_get("", "handle")?,
                display_name: row.try_get("", "display_name")?,
            },
            note: row.try_get("", "note")?,
            checklist: kept(&row.try_get::<String>("", "checklist")?),
            revision: row.try_get("", "revision")?,
            at: rfc3339(at),
            time: at,
        });
    }
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: of.id.0 }))
}
