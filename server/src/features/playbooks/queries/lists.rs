//! Lists of case studies: what is published, one's own, and what waits for a review.

use std::collections::HashMap;

use super::books::readable;
use super::facets::filtered;
use sea_orm::ConnectionTrait;

use crate::app::AppState;
use crate::entities::kinds::{StudyRole, StudyState, TermKind};
use crate::features::playbooks::model::{NameView, StudyRow};
use crate::features::playbooks::rows::{LIVE_PEOPLE, STUDY, study};
use crate::features::playbooks::terms::Terms;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Me, Viewer};

/// How a list is sorted, the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest revision.
    #[default]
    New,
    /// The most adoptions.
    Adopted,
    /// The most endorsements.
    Endorsed,
}

impl Sort {
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("" | "new") => Ok(Self::New),
            Some("adopted") => Ok(Self::Adopted),
            Some("endorsed") => Ok(Self::Endorsed),
            Some(_) => Err(AppError::field("sort", "is new, adopted or endorsed")),
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::New => "c.published_at",
            Self::Adopted => "c.adoption_count",
            Self::Endorsed => "c.endorsement_count",
        }
    }

    fn key(self, row: &StudyRow) -> i64 {
        match self {
            Self::New => row.published.unwrap_or(0),
            Self::Adopted => row.adoption_count.into(),
            Self::Endorsed => row.endorsement_count.into(),
        }
    }
}

/// Which published studies. Terms of one kind are alternatives, kinds narrow each other down.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A playbook, which the viewer was shown by a finder.
    pub playbook: Option<i64>,
    pub scenario: Option<i64>,
    pub terms: Vec<(TermKind, Vec<String>)>,
    /// Handle of an author.
    pub author: Option<String>,
    /// The review is overdue.
    pub overdue: bool,
    pub sort: Sort,
}

const FROM: &str = ", b.slug AS b_slug, b.title AS b_title FROM case_study c ";

/// A page of published studies: two statements.
pub async fn list_studies(
    state: &AppState,
    viewer: &Viewer,
    filter: &Filter,
    page: &PageQuery,
) -> Result<Page<StudyRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let sql = Sql::new("SELECT ").then(STUDY).then(FROM).then("JOIN playbook b ON b.id = c.playbook_id WHERE ");
    let mut sql = filtered(readable(sql, state, viewer).await?, filter, state.clock.now());
    let column = filter.sort.column();
    if let Some(place) = after {
        sql = sql.then(" AND (").then(column).then(", c.id) < (");
        sql = match filter.sort {
            Sort::New => sql.bind(place.key),
            Sort::Adopted | Sort::Endorsed => sql.bind(i32::try_from(place.key).unwrap_or(i32::MAX)),
        };
        sql = sql.then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY ").then(column).then(" DESC, c.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let rows = rows.iter().map(|row| study(row, false, state.clock.now())).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: filter.sort.key(row), id: row.id.0 });
    page.items = with_names(state.store.read(), page.items, true).await?;
    Ok(page)
}

/// The studies that a member writes, of whatever state, the newest first; their working copies.
pub async fn list_mine(
    state: &AppState,
    me: &Me,
    only: Option<StudyState>,
    page: &PageQuery,
) -> Result<Page<StudyRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new("SELECT ")
        .then(STUDY)
        .then(FROM)
        .then("JOIN study_author sa ON sa.study_id = c.id LEFT JOIN playbook b ON b.id = c.playbook_id ")
        .then("WHERE sa.role = 'author' AND sa.member_id = ")
        .bind(me.id);
    if let Some(only) = only {
        sql = sql.then(" AND c.state = ").bind(only.as_str());
    }
    if let Some(place) = after {
        sql = sql.then(" AND sa.study_id < ").bind(place.id);
    }
    let sql = sql.then(" ORDER BY sa.study_id DESC").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let rows = rows.iter().map(|row| study(row, true, state.clock.now())).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: 0, id: row.id.0 });
    page.items = with_names(state.store.read(), page.items, false).await?;
    Ok(page)
}

/// What waits for a review in a playbook, the longest first; for its reviewers.
pub async fn reviews_of(state: &AppState, playbook: i64, page: &PageQuery) -> Result<Page<StudyRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new("SELECT ")
        .then(STUDY)
        .then(FROM)
        .then("JOIN playbook b ON b.id = c.playbook_id WHERE c.state = 'submitted' AND c.playbook_id = ")
        .bind(playbook);
    if let Some(place) = after {
        sql = sql.then(" AND (c.submitted_at, c.id) > (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY c.submitted_at, c.id").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let rows = rows.iter().map(|row| study(row, true, state.clock.now())).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: row.submitted.unwrap_or(0), id: row.id.0 });
    page.items = with_names(state.store.read(), page.items, false).await?;
    Ok(page)
}

/// Published studies that share terms with this one, those with the most in common first; at
/// most six, two statements.
pub async fn related(state: &AppState, viewer: &Viewer, id: i64) -> Result<Vec<StudyRow>> {
    let sql = Sql::new("SELECT ")
        .then(STUDY)
        .then(FROM)
        .then("JOIN playbook b ON b.id = c.playbook_id JOIN (SELECT o.study_id, count(*) AS shared FROM study_term t ")
        .then("JOIN study_term o ON o.kind = t.kind AND o.term = t.term AND o.live = 1 AND o.study_id <> t.study_id ")
        .then("WHERE t.live = 1 AND t.study_id = ")
        .bind(id)
        .then(" GROUP BY o.study_id ORDER BY shared DESC, o.study_id DESC LIMIT 60) x ON x.study_id = c.id ")
        .then("WHERE c.published > 0 AND c.retired_at IS NULL AND ");
    let rows = readable(sql, state, viewer)
        .await?
        .then(" ORDER BY x.shared DESC, c.adoption_count DESC, c.id DESC LIMIT 6")
        .all(state.store.read())
        .await?;
    let rows = rows.iter().map(|row| study(row, false, state.clock.now())).collect::<Result<Vec<_>>>()?;
    with_names(state.store.read(), rows, true).await
}

/// Puts authors and terms to rows: one statement.
pub(in crate::features::playbooks) async fn with_names(
    db: &impl ConnectionTrait,
    mut rows: Vec<StudyRow>,
    live: bool,
) -> Result<Vec<StudyRow>> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let mut ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut terms: HashMap<i64, Terms> = HashMap::new();
    let mut authors: HashMap<i64, Vec<NameView>> = HashMap::new();
    for batch in ids.chunks(250) {
        let found = Sql::new(
            "SELECT x.study_id, x.kind, x.sorted, x.label, 0 AS place, CAST(0 AS BIGINT) AS id FROM (SELECT study_id, \
             kind, term AS sorted, label FROM study_term WHERE live = ",
        )
        .bind(i32::from(live))
        .then(" AND study_id IN ")
        .list(batch.iter().copied())
        .then(
            ") x UNION ALL SELECT y.study_id, '' AS kind, y.handle AS sorted, y.display_name AS label, \
             y.position AS place, y.id FROM (SELECT w.study_id, w.position, m.id, m.handle, m.display_name FROM ",
        )
        .then(if live { LIVE_PEOPLE } else { "study_author w" })
        .then(" JOIN member m ON m.id = w.member_id WHERE w.role = ")
        .bind(StudyRole::Author.as_str())
        .then(" AND w.study_id IN ")
        .list(batch.iter().copied())
        .then(") y ORDER BY 1, 2, 5, 6, 3")
        .all(db)
        .await?;
        for row in found {
            let (study, label): (i64, String) = (row.try_get("", "study_id")?, row.try_get("", "label")?);
            if row.try_get::<String>("", "kind")?.is_empty() {
                authors.entry(study).or_default().push(NameView {
                    id: row.try_get("", "id")?,
                    handle: row.try_get("", "sorted")?,
                    display_name: label,
                });
            } else {
                let of = terms.entry(study).or_default();
                of.entry(row.try_get::<TermKind>("", "kind")?).or_default().push(label);
            }
        }
    }
    for row in &mut rows {
        // The same study may stand in several scenarios.
        row.authors = authors.get(&row.id.0).cloned().unwrap_or_default();
        row.terms = terms.get(&row.id.0).cloned().unwrap_or_default();
    }
    Ok(rows)
}
