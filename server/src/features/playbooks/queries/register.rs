//! The register: who uses what, by organisation.

use super::around::{ADOPTION_COLUMNS, adoption};
use super::books::readable;
use crate::app::AppState;
use crate::entities::kinds::AdoptionStatus;
use crate::features::forum::AUTHOR;
use crate::features::playbooks::model::{AdoptionView, OrganisationView, StudyRef};
use crate::features::playbooks::terms::fold;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, TextPlace};
use crate::web::viewer::Viewer;

/// How an organisation's name is compared and sorted.
#[must_use]
pub fn key(organisation: &str) -> String {
    fold(organisation)
}

/// Which adoptions.
#[derive(Clone, Debug, Default)]
pub struct RegisterFilter {
    /// Words that organisation, site, study or what was said hold all.
    pub q: Option<String>,
    /// The whole name.
    pub organisation: Option<String>,
    pub status: Option<AdoptionStatus>,
    /// A playbook, which the viewer was shown by a finder.
    pub playbook: Option<i64>,
}

impl RegisterFilter {
    /// A status by its word.
    pub fn status(word: Option<&str>) -> Result<Option<AdoptionStatus>> {
        match word {
            None | Some("") => Ok(None),
            Some(word) => AdoptionStatus::parse(word)
                .map(Some)
                .ok_or_else(|| AppError::field("status", "is considering, piloting, live or stopped")),
        }
    }
}

/// Words of a search that are looked at.
const MOST_WORDS: usize = 8;

/// Letters of a word that are tried in both cases.
const MOST_LETTERS: usize = 3;

/// A word as it may stand in a text whose letters a to z alone were made small, as SQLite does it:
/// every other letter in both cases, or all of them in one where there are many.
fn spellings(word: &str) -> Vec<String> {
    let small = word.to_lowercase();
    let large: String =
        small.chars().flat_map(|c| if c.is_ascii() { vec![c] } else { c.to_uppercase().collect() }).collect();
    let odd: Vec<usize> = small.chars().enumerate().filter(|(_, c)| !c.is_ascii()).map(|(at, _)| at).collect();
    if odd.len() > MOST_LETTERS {
        return vec![small, large];
    }
    (0..1_usize << odd.len())
        .map(|choice| {
            let upper = |at: usize| odd.iter().position(|of| *of == at).is_some_and(|bit| choice >> bit & 1 == 1);
            let case = |(at, c): (usize, char)| if upper(at) { c.to_uppercase().collect() } else { vec![c] };
            small.chars().enumerate().flat_map(case).collect()
        })
        .collect()
}

fn filtered(sql: Sql, filter: &RegisterFilter) -> Sql {
    let mut sql = sql.then(" AND c.published > 0 AND c.hidden_at IS NULL");
    if let Some(organisation) = &filter.organisation {
        sql = sql.then(" AND d.organisation_key = ").bind(key(organisation));
    }
    if let Some(status) = filter.status {
        sql = sql.then(" AND d.status = ").bind(status.as_str());
    }
    if let Some(playbook) = filter.playbook {
        sql = sql.then(" AND c.playbook_id = ").bind(playbook);
    }
    for word in filter.q.as_deref().unwrap_or_default().split_whitespace().take(MOST_WORDS) {
        sql = sql.then(" AND (");
        for (at, spelling) in spellings(word).into_iter().enumerate() {
            let pattern = spelling.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            sql = sql
                .then(if at == 0 { "" } else { " OR " })
                .then("d.organisation_key || ' ' || lower(d.site || ' ' || c.live_title || ' ' || d.why) LIKE ")
                .bind(format!("%{pattern}%"))
                .then(" ESCAPE '\\'");
        }
        sql = sql.then(")");
    }
    sql
}

/// A page of the register, by organisation; contacts only for those who are signed in.
pub async fn list_register(
    state: &AppState,
    viewer: &Viewer,
    filter: &RegisterFilter,
    page: &PageQuery,
) -> Result<Page<AdoptionView>> {
    let limit = page.limit()?;
    let sql = Sql::new("SELECT c.slug AS c_slug, c.live_title AS c_live_title, ")
        .then(ADOPTION_COLUMNS)
        .then(", ")
        .then(AUTHOR)
        .then(" FROM study_adoption d JOIN case_study c ON c.id = d.study_id JOIN playbook b ON b.id = c.playbook_id ")
        .then("JOIN member a ON a.id = d.member_id WHERE ");
    let mut sql = filtered(readable(sql, state, viewer).await?, filter);
    if let Some(place) = TextPlace::of(page)? {
        sql = sql.then(" AND (d.organisation_key, d.id) > (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY d.organisation_key, d.id").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let signed_in = viewer.member().is_some();
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let study = StudyRef { slug: row.try_get("c_", "slug")?, title: row.try_get("c_", "live_title")? };
        items.push(adoption(row, signed_in, study)?);
    }
    Ok(Page::cut_at(items, limit, |of| TextPlace { key: of.organisation_key.clone(), id: of.id.0 }.encode()))
}

/// Organisations with how far they have come with how many studies, by name.
pub async fn organisations(
    state: &AppState,
    viewer: &Viewer,
    filter: &RegisterFilter,
    page: &PageQuery,
) -> Result<Page<OrganisationView>> {
    let limit = page.limit()?;
    let mut columns = String::from("SELECT d.organisation_key, min(d.organisation) AS organisation");
    for status in AdoptionStatus::ALL {
        columns.push_str(&format!(
            ", CAST(sum(CASE WHEN d.status = '{status}' THEN 1 ELSE 0 END) AS BIGINT) AS n_{status}"
        ));
    }
    let sql = Sql::new(&columns).then(
        " FROM study_adoption d JOIN case_study c ON c.id = d.study_id JOIN playbook b ON b.id = c.playbook_id WHERE ",
    );
    let mut sql = filtered(readable(sql, state, viewer).await?, filter);
    if let Some(place) = TextPlace::of(page)? {
        sql = sql.then(" AND d.organisation_key > ").bind(place.key);
    }
    let sql = sql.then(" GROUP BY d.organisation_key ORDER BY d.organisation_key").limit(limit + 1);
    let mut items = Vec::new();
    for row in sql.all(state.store.read()).await? {
        let count = |status: AdoptionStatus| -> Result<i64> { Ok(row.try_get("n_", status.as_str())?) };
        items.push(OrganisationView {
            organisation: row.try_get("", "organisation")?,
            considering: count(AdoptionStatus::Considering)?,
            piloting: count(AdoptionStatus::Piloting)?,
            live: count(AdoptionStatus::Live)?,
            stopped: count(AdoptionStatus::Stopped)?,
            key: row.try_get("", "organisation_key")?,
        });
    }
    Ok(Page::cut_at(items, limit, |of| TextPlace { key: of.key.clone(), id: 0 }.encode()))
}

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn letters_beyond_a_to_z_are_tried_in_both_cases() {
        assert_eq!(spellings("North"), ["north"]);
        assert_eq!(spellings("évry"), ["évry", "Évry"]);
        assert_eq!(spellings("Çé"), ["çé", "Çé", "çÉ", "ÇÉ"]);
        assert_eq!(spellings("ÀÉÎÕü"), ["àéîõü", "ÀÉÎÕÜ"]);
    }
}
