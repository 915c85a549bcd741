//! From rows to what is known: the columns of every select of playbooks and studies, and how they
//! are read. The same selects serve readers and, locked, actions.

use std::collections::BTreeMap;

use sea_orm::QueryResult;

use super::measures::Measure;
use super::model::{PlaybookRef, PlaybookRow, StudyRow};
use super::policy::{BookStanding, StudyStanding};
use super::terms::Terms;
use crate::entities::kinds::{
    HubRole, MemberState, PlaybookRole, PlaybookVisibility, SpaceRole, StudyRole, StudyState, Visibility,
};
use crate::features::spaces::Access;
use crate::features::spaces::policy::by_role;
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::web::error::{AppError, Result};

/// Columns of a playbook `b`.
pub(super) const BOOK: &str = "b.id AS b_id, b.slug AS b_slug, b.title AS b_title, b.pathway AS b_pathway, \
    b.summary AS b_summary, b.visibility AS b_visibility, b.space_id AS b_space_id, b.cover_id AS b_cover_id, \
    b.cover_alt AS b_cover_alt, b.study_count AS b_study_count, b.created_at AS b_created_at, \
    b.updated_at AS b_updated_at, b.archived_at AS b_archived_at, b.version AS b_version";

/// What [`book_standing`] needs of the viewer `a`: the joins are [`BOOK_JOINS`].
pub(super) const STANDING: &str = "a.id AS v_id, a.hub_role AS v_hub_role, a.state AS v_state, \
    s.visibility AS s_visibility, s.archived_at AS s_archived_at, sm.role AS sm_role, pm.role AS pm_role";

/// Follows ` LEFT JOIN member a ON a.id = $`.
pub(super) const BOOK_JOINS: &str = " LEFT JOIN space s ON s.id = b.space_id \
    LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = a.id \
    LEFT JOIN playbook_member pm ON pm.playbook_id = b.id AND pm.member_id = a.id";

/// How the viewer `a` stands to a study `c` whose row of `study_author` is `sa`: what
/// [`study_standing`] needs beside the others. Whoever wrote of it once wrote it, whatever they are
/// called now.
pub(super) const WRITER: &str = "sa.role AS sa_role, CASE WHEN c.created_by = a.id OR c.submitted_by = a.id \
    OR EXISTS (SELECT 1 FROM study_part_revision w WHERE w.study_id = c.id AND w.editor_id = a.id) \
    OR EXISTS (SELECT 1 FROM study_revision_author w WHERE w.study_id = c.id AND w.member_id = a.id AND w.role = 'author') \
    THEN 1 ELSE 0 END AS sa_wrote";

/// The people of what is published, as table `w`: those of its revision; without any, as a node of
/// the previous release published it, those of the working copy.
pub(super) const LIVE_PEOPLE: &str = "(SELECT p.study_id, p.member_id, p.role, p.position \
    FROM study_revision_author p JOIN case_study q ON q.id = p.study_id AND q.published = p.number \
    UNION ALL SELECT p.study_id, p.member_id, p.role, p.position FROM study_author p \
    JOIN case_study q ON q.id = p.study_id WHERE NOT EXISTS (SELECT 1 FROM study_revision_author n \
    WHERE n.study_id = q.id AND n.number = q.published)) w";

/// Columns of a study `c`.
pub(super) const STUDY: &str = "c.id AS c_id, c.slug AS c_slug, c.playbook_id AS c_playbook_id, c.title AS c_title, \
    c.summary AS c_summary, c.live_title AS c_live_title, c.live_summary AS c_live_summary, \
    c.live_figure AS c_live_figure, c.state AS c_state, c.created_at AS c_created_at, c.updated_at AS c_updated_at, \
    c.submitted_at AS c_submitted_at, c.retired_at AS c_retired_at, c.hidden_at AS c_hidden_at, c.published_at AS c_published_at, \
    c.first_published_at AS c_first_published_at, c.review_due AS c_review_due, c.published AS c_published, \
    c.revision_count AS c_revision_count, c.endorsement_count AS c_endorsement_count, \
    c.adoption_count AS c_adoption_count, c.open_comments AS c_open_comments, c.version AS c_version";

/// How the viewer stands to a playbook, from [`STANDING`] and [`BOOK`].
pub(super) fn book_standing(row: &QueryResult) -> Result<BookStanding> {
    let viewer: Option<i64> = row.try_get("v_", "id")?;
    let hub_role = row.try_get::<Option<HubRole>>("v_", "hub_role")?.unwrap_or(HubRole::Member);
    let state = row.try_get::<Option<MemberState>>("v_", "state")?;
    let active = state == Some(MemberState::Active);
    let space = row.try_get::<Option<Visibility>>("s_", "visibility")?.map(|visibility| {
        if viewer.is_some() {
            by_role(hub_role, row.try_get::<Option<SpaceRole>>("sm_", "role").ok().flatten(), visibility)
        } else if visibility == Visibility::Open {
            Access::Read
        } else {
            Access::Hidden
        }
    });
    Ok(BookStanding {
        visibility: row.try_get::<PlaybookVisibility>("b_", "visibility")?,
        role: row.try_get::<Option<PlaybookRole>>("pm_", "role")?,
        space,
        space_archived: row.try_get::<Option<i64>>("s_", "archived_at")?.is_some(),
        archived: row.try_get::<Option<i64>>("b_", "archived_at")?.is_some(),
        administrator: active && hub_role == HubRole::Administrator,
        signed_in: viewer.is_some(),
        suspended: viewer.is_some() && !active,
    })
}

/// How the viewer stands to a study whose home may be absent; [`WRITER`] is among the columns.
pub(super) fn study_standing(row: &QueryResult) -> Result<StudyStanding> {
    let home: Option<i64> = row.try_get("b_", "id")?;
    let viewer: Option<i64> = row.try_get("v_", "id")?;
    let state = row.try_get::<Option<MemberState>>("v_", "state")?;
    let study_state = row.try_get::<StudyState>("c_", "state")?;
    let published = row.try_get::<i32>("c_", "published")? > 0;
    Ok(StudyStanding {
        state: study_state,
        published,
        given: published || !matches!(study_state, StudyState::Draft | StudyState::Retired),
        hidden: row.try_get::<Option<i64>>("c_", "hidden_at")?.is_some(),
        author: row.try_get::<Option<StudyRole>>("sa_", "role")? == Some(StudyRole::Author),
        wrote: row.try_get::<i32>("sa_", "wrote")? != 0,
        book: home.map(|_| book_standing(row)).transpose()?,
        signed_in: viewer.is_some(),
        suspended: viewer.is_some() && state != Some(MemberState::Active),
    })
}

/// A playbook in a list; its space is not filled in.
pub(super) fn book(row: &QueryResult) -> Result<PlaybookRow> {
    let (created, updated): (i64, i64) = (row.try_get("b_", "created_at")?, row.try_get("b_", "updated_at")?);
    let cover: Option<i64> = row.try_get("b_", "cover_id")?;
    Ok(PlaybookRow {
        id: Id(row.try_get("b_", "id")?),
        slug: row.try_get("b_", "slug")?,
        title: row.try_get("b_", "title")?,
        pathway: row.try_get("b_", "pathway")?,
        summary: row.try_get("b_", "summary")?,
        visibility: row.try_get::<PlaybookVisibility>("b_", "visibility")?,
        space: None,
        study_count: row.try_get("b_", "study_count")?,
        cover_url: cover.map(|id| format!("/api/v1/files/{}", Id(id))),
        cover_alt: row.try_get("b_", "cover_alt")?,
        archived: row.try_get::<Option<i64>>("b_", "archived_at")?.is_some(),
        created_at: rfc3339(created),
        updated_at: rfc3339(updated),
        created,
        updated,
        space_id: row.try_get("b_", "space_id")?,
        version: row.try_get("b_", "version")?,
    })
}

/// A study in a list, of its published copy or (`working`) of the other; without authors and terms.
pub(super) fn study(row: &QueryResult, working: bool, now: i64) -> Result<StudyRow> {
    let slug: String = row.try_get("c_", "slug")?;
    let retired = row.try_get::<Option<i64>>("c_", "retired_at")?.is_some();
    // How far the working copy has come is its writers' affair.
    let state = match (working, retired) {
        (true, _) => row.try_get::<StudyState>("c_", "state")?,
        (false, true) => StudyState::Retired,
        (false, false) => StudyState::Published,
    };
    let (published, first): (Option<i64>, Option<i64>) =
        (row.try_get("c_", "published_at")?, row.try_get("c_", "first_published_at")?);
    let (updated, due): (i64, Option<i64>) = (row.try_get("c_", "updated_at")?, row.try_get("c_", "review_due")?);
    let (title, summary) = if working { ("title", "summary") } else { ("live_title", "live_summary") };
    let figure: String = row.try_get("c_", "live_figure")?;
    let playbook = match (row.try_get::<Option<String>>("b_", "slug")?, row.try_get::<Option<String>>("b_", "title")?) {
        (Some(slug), Some(title)) => Some(PlaybookRef { slug, title }),
        _ => None,
    };
    let revision: i32 = row.try_get("c_", "published")?;
    Ok(StudyRow {
        id: Id(row.try_get("c_", "id")?),
        url: format!("/case-studies/{slug}"),
        slug,
        title: row.try_get("c_", title)?,
        summary: row.try_get("c_", summary)?,
        state,
        playbook,
        authors: Vec::new(),
        terms: Terms::new(),
        figure: figure_of(&figure),
        endorsement_count: row.try_get("c_", "endorsement_count")?,
        adoption_count: row.try_get("c_", "adoption_count")?,
        revision,
        published_at: published.map(rfc3339),
        first_published_at: first.map(rfc3339),
        updated_at: rfc3339(updated),
        review_due: due.map(day),
        overdue: revision > 0 && !retired && due.is_some_and(|due| due < now),
        published,
        first_published: first,
        updated,
        due,
        submitted: row.try_get("c_", "submitted_at")?,
        open_comments: row.try_get("c_", "open_comments")?,
    })
}

/// The first measure as it is kept with a study.
fn figure_of(json: &str) -> Option<Measure> {
    serde_json::from_str(json).ok()
}

/// A JSON column that this program wrote.
pub(super) fn kept<T: serde::de::DeserializeOwned + Default>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}

/// The fields of a part as stored.
pub(super) fn fields(json: &str) -> BTreeMap<String, String> {
    kept(json)
}

/// A slug or handle from an address or a body, in small letters; 404 for what could be none.
pub(super) fn address(text: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if text.len() <= 100 && !text.is_empty() && text.bytes().all(plain) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(AppError::NotFound)
    }
}

/// `2027-01-31` of a time.
#[must_use]
pub fn day(at: i64) -> String {
    rfc3339(at).chars().take(10).collect()
}
