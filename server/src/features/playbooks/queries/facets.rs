//! Terms: of studies, and how many studies are under each.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::books::Eyes;
use super::lists::Filter;
use crate::app::AppState;
use crate::entities::kinds::TermKind;
use crate::features::playbooks::model::TermCount;
use crate::features::playbooks::terms::{Terms, fold};
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::viewer::Viewer;

/// Terms of studies, of what is published (`live`) or of the working copy; as shown, in
/// alphabetical order within their kind.
pub async fn terms_of(db: &impl ConnectionTrait, studies: &[i64], live: bool) -> Result<HashMap<i64, Terms>> {
    let mut terms: HashMap<i64, Terms> = HashMap::new();
    for batch in studies.chunks(500) {
        let rows = Sql::new("SELECT study_id, kind, label FROM study_term WHERE live = ")
            .bind(i32::from(live))
            .then(" AND study_id IN ")
            .list(batch.iter().copied())
            .then(" ORDER BY study_id, kind, term")
            .all(db)
            .await?;
        for row in rows {
            let of = terms.entry(row.try_get("", "study_id")?).or_default();
            of.entry(row.try_get::<TermKind>("", "kind")?).or_default().push(row.try_get("", "label")?);
        }
    }
    Ok(terms)
}

/// Appends what a filter asks of a published study `c`.
pub(super) fn filtered(sql: Sql, filter: &Filter, now: i64) -> Sql {
    let mut sql = sql.then(" AND c.published > 0 AND c.retired_at IS NULL");
    if let Some(playbook) = filter.playbook {
        // Its own, and those of others that stand in its scenarios.
        sql = sql
            .then(" AND (c.playbook_id = ")
            .bind(playbook)
            .then(" OR c.id IN (SELECT y.study_id FROM scenario_study y JOIN scenario n ON n.id = y.scenario_id WHERE n.playbook_id = ")
            .bind(playbook)
            .then("))");
    }
    if let Some(scenario) = filter.scenario {
        sql =
            sql.then(" AND c.id IN (SELECT study_id FROM scenario_study WHERE scenario_id = ").bind(scenario).then(")");
    }
    for (kind, terms) in &filter.terms {
        sql = sql
            .then(" AND EXISTS (SELECT 1 FROM study_term t WHERE t.study_id = c.id AND t.live = 1 AND t.kind = ")
            .bind(kind.as_str())
            .then(" AND t.term IN ")
            .list(terms.iter().map(|term| fold(term)))
            .then(")");
    }
    if let Some(author) = &filter.author {
        // As the lists name them: of the revision; without any, of the working copy.
        let author = author.to_lowercase();
        sql = sql
            .then(" AND c.id IN (SELECT w.study_id FROM member m JOIN study_revision_author w ON w.member_id = m.id ")
            .then("JOIN case_study q ON q.id = w.study_id AND q.published = w.number WHERE w.role = 'author' AND m.handle = ")
            .bind(author.as_str())
            .then(" UNION ALL SELECT w.study_id FROM member m JOIN study_author w ON w.member_id = m.id ")
            .then("JOIN case_study q ON q.id = w.study_id WHERE NOT EXISTS (SELECT 1 FROM study_revision_author n ")
            .then("WHERE n.study_id = q.id AND n.number = q.published) AND w.role = 'author' AND m.handle = ")
            .bind(author.as_str())
            .then(")");
    }
    if filter.overdue {
        sql = sql.then(" AND c.review_due < ").bind(now);
    }
    sql
}

/// The terms of the studies that a filter leaves, those of the most studies first; at most 400,
/// one statement.
pub async fn term_counts(state: &AppState, viewer: &Viewer, filter: &Filter) -> Result<Vec<TermCount>> {
    counts_for(state, Eyes::Of(viewer), filter).await
}

pub(super) async fn counts_for(state: &AppState, eyes: Eyes<'_>, filter: &Filter) -> Result<Vec<TermCount>> {
    let sql = Sql::new(
        "SELECT x.kind, x.term, min(x.label) AS label, count(*) AS uses FROM study_term x \
         JOIN case_study c ON c.id = x.study_id JOIN playbook b ON b.id = c.playbook_id WHERE x.live = 1 AND ",
    );
    let rows = filtered(eyes.may_read(sql, state).await?, filter, state.clock.now())
        .then(" GROUP BY x.kind, x.term ORDER BY uses DESC, x.kind, x.term LIMIT 400")
        .all(state.store.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(TermCount {
                kind: row.try_get::<TermKind>("", "kind")?,
                term: row.try_get("", "label")?,
                count: row.try_get("", "uses")?,
            })
        })
        .collect()
}
