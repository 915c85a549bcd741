//! Who stands around a study: authors, the credited, those who endorse it, those who use it.

use sea_orm::{ConnectionTrait, QueryResult};

use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, Discipline, StudyRole};
use crate::features::forum::model::AuthorView;
use crate::features::forum::{AUTHOR, author};
use crate::features::playbooks::model::{AdoptionView, NameView, StudyEndorsementView, StudyRef};
use crate::features::playbooks::rows::LIVE_PEOPLE;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};

/// Endorsements and adoptions that a study's page shows at once.
const SHOWN: i64 = 20;

#[derive(Debug, Default)]
pub(super) struct Around {
    pub authors: Vec<AuthorView>,
    pub credited: Vec<NameView>,
    pub endorsements: Vec<StudyEndorsementView>,
    pub adoptions: Vec<AdoptionView>,
}

impl NameView {
    #[must_use]
    pub fn of(author: &AuthorView) -> Self {
        Self { handle: author.handle.clone(), display_name: author.display_name.clone(), id: author.id }
    }
}

const ENDORSEMENT: &str = "e.study_id AS x_study_id, e.discipline AS x_discipline, e.role AS x_role, \
    e.organisation AS x_organisation, e.reason AS x_text, '' AS x_site, '' AS x_status, '' AS x_contact, \
    e.created_at AS x_created_at, e.created_at AS x_updated_at, e.member_id AS x_id, 0 AS x_position";

const ADOPTION: &str = "d.study_id AS x_study_id, '' AS x_discipline, '' AS x_role, d.organisation AS x_organisation, \
    d.why AS x_text, d.site AS x_site, d.status AS x_status, d.contact AS x_contact, d.created_at AS x_created_at, \
    d.updated_at AS x_updated_at, d.id AS x_id, 0 AS x_position";

const WRITER: &str = "w.study_id AS x_study_id, '' AS x_discipline, w.role AS x_role, '' AS x_organisation, \
    '' AS x_text, '' AS x_site, '' AS x_status, '' AS x_contact, CAST(0 AS BIGINT) AS x_created_at, \
    CAST(0 AS BIGINT) AS x_updated_at, w.member_id AS x_id, w.position AS x_position";

/// All four in one statement; contacts only for those who are signed in. The people are those of what
/// is published (`live`) or of the working copy. Adoptions of study `study` carry no name of it: the
/// caller knows which study it is.
pub(super) async fn around(
    db: &impl ConnectionTrait,
    study: i64,
    live: bool,
    signed_in: bool,
    me: Option<i64>,
) -> Result<Around> {
    let from = |sql: Sql, what: &str, columns: &str, table: &str| {
        sql.then("SELECT * FROM (SELECT '")
            .then(what)
            .then("' AS x_what, ")
            .then(columns)
            .then(", ")
            .then(AUTHOR)
            .then(" FROM ")
            .then(table)
            .bind(study)
    };
    let people = if live { LIVE_PEOPLE } else { "study_author w" };
    let writers = format!("{people} JOIN member a ON a.id = w.member_id WHERE w.study_id = ");
    let endorsers = "study_endorsement e JOIN member a ON a.id = e.member_id WHERE e.study_id = ";
    let adopters = "study_adoption d JOIN member a ON a.id = d.member_id WHERE d.study_id = ";
    // One's own comes first, so that a page can offer to change it.
    let me = me.unwrap_or(0);
    let sql = from(Sql::default(), "writer", WRITER, &writers).then(" ORDER BY w.position, w.member_id LIMIT 100) w");
    let sql = from(sql.then(" UNION ALL "), "endorsement", ENDORSEMENT, endorsers)
        .then(" ORDER BY CASE WHEN e.member_id = ")
        .bind(me)
        .then(" THEN 0 ELSE 1 END, e.created_at DESC, e.member_id")
        .limit(SHOWN)
        .then(") e");
    let sql = from(sql.then(" UNION ALL "), "adoption", ADOPTION, adopters)
        .then(" ORDER BY CASE WHEN d.member_id = ")
        .bind(me)
        .then(" THEN 0 ELSE 1 END, d.organisation_key, d.id")
        .limit(SHOWN)
        .then(") d");
    let mut around = Around::default();
    for row in sql.all(db).await? {
        match row.try_get::<String>("x_", "what")?.as_str() {
            "endorsement" => around.endorsements.push(endorsement(&row)?),
            "adoption" => around.adoptions.push(adoption(
                &row,
                signed_in,
                StudyRef { slug: String::new(), title: String::new() },
            )?),
            _ => {
                let who = author(&row)?;
                if row.try_get::<StudyRole>("x_", "role")? == StudyRole::Author {
                    around.authors.push(who);
                } else {
                    around.credited.push(NameView::of(&who));
                }
            }
        }
    }
    Ok(around)
}

fn endorsement(row: &QueryResult) -> Result<StudyEndorsementView> {
    let who = author(row)?;
    let created: i64 = row.try_get("x_", "created_at")?;
    Ok(StudyEndorsementView {
        handle: who.handle,
        display_name: who.display_name,
        discipline: row.try_get::<Discipline>("x_", "discipline")?,
        role: row.try_get("x_", "role")?,
        organisation: row.try_get("x_", "organisation")?,
        reason: row.try_get("x_", "text")?,
        created_at: rfc3339(created),
        created,
        avatar: who.avatar,
    })
}

pub(super) fn adoption(row: &QueryResult, signed_in: bool, study: StudyRef) -> Result<AdoptionView> {
    let who = author(row)?;
    let (created, updated): (i64, i64) = (row.try_get("x_", "created_at")?, row.try_get("x_", "updated_at")?);
    let organisation: String = row.try_get("x_", "organisation")?;
    Ok(AdoptionView {
        id: Id(row.try_get("x_", "id")?),
        study,
        organisation_key: super::register::key(&organisation),
        organisation,
        site: row.try_get("x_", "site")?,
        status: row.try_get::<AdoptionStatus>("x_", "status")?,
        why: row.try_get("x_", "text")?,
        contact: if signed_in { row.try_get("x_", "contact")? } else { String::new() },
        handle: who.handle,
        display_name: who.display_name,
        created_at: rfc3339(created),
        updated_at: rfc3339(updated),
        updated,
    })
}

/// The endorsements of a study, the newest first.
pub async fn endorsements_of(state: &AppState, study: i64, page: &PageQuery) -> Result<Page<StudyEndorsementView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new("SELECT ")
        .then(ENDORSEMENT)
        .then(", ")
        .then(AUTHOR)
        .then(" FROM study_endorsement e JOIN member a ON a.id = e.member_id WHERE e.study_id = ")
        .bind(study);
    if let Some(place) = after {
        sql = sql.then(" AND (e.created_at, e.member_id) < (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY e.created_at DESC, e.member_id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        items.push((endorsement(row)?, row.try_get::<i64>("x_", "id")?));
    }
    Ok(Page::cut(items, limit, |(of, id)| Place { key: of.created, id: *id }).map(|(of, _)| of))
}

/// The adoptions of a study, the newest first.
pub async fn adoptions_of(
    state: &AppState,
    study: i64,
    name: &StudyRef,
    signed_in: bool,
    page: &PageQuery,
) -> Result<Page<AdoptionView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new("SELECT ")
        .then(ADOPTION)
        .then(", ")
        .then(AUTHOR)
        .then(" FROM study_adoption d JOIN member a ON a.id = d.member_id WHERE d.study_id = ")
        .bind(study);
    if let Some(place) = after {
        sql = sql.then(" AND d.id < ").bind(place.id);
    }
    let rows = sql.then(" ORDER BY d.id DESC").limit(limit + 1).all(state.store.read()).await?;
    let items = rows.iter().map(|row| adoption(row, signed_in, name.clone())).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: of.id.0 }))
}

pub(super) const ADOPTION_COLUMNS: &str = ADOPTION;
