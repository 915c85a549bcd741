//! Case studies that members report to the moderators: what is known of them, and taking one from
//! its readers.
//!
//! A report goes to those who tend the space of the study's playbook; a playbook without a space
//! is a matter of the administrators.

use std::collections::HashMap;

use super::actions::log_act;
use super::ground;
use super::model::{NameView, RevisionContent};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct};
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::text::excerpt;
use crate::web::error::{AppError, Result};

/// A published study that a member reads; 403 for its authors.
pub async fn reportable(tx: &Tx, member: i64, slug: &str) -> Result<Reported> {
    let study = ground::study(tx, member, slug).await?;
    study.standing.respond()?;
    if study.standing.author {
        return Err(AppError::Forbidden("This is your own case study: change or retire it instead.".into()));
    }
    reported(tx, study.id).await
}

/// 404 unless a study is there for a member.
pub async fn readable(tx: &Tx, member: i64, slug: &str) -> Result<()> {
    ground::study(tx, member, slug).await.map(drop)
}

/// What a report is about.
#[derive(Clone, Debug)]
pub struct Reported {
    pub id: i64,
    pub slug: String,
    /// Of its playbook.
    pub space_id: Option<i64>,
}

/// A study by its id, whoever asks.
pub async fn reported(tx: &Tx, id: i64) -> Result<Reported> {
    find(tx, " WHERE c.id = ", id).await
}

/// The same by its address.
pub async fn reported_by_slug(tx: &Tx, slug: &str) -> Result<Reported> {
    find(tx, " WHERE c.slug = ", super::rows::address(slug)?).await
}

async fn find(tx: &Tx, which: &str, of: impl Into<sea_orm::Value>) -> Result<Reported> {
    let row =
        Sql::new("SELECT c.id, c.slug, b.space_id FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id")
            .then(which)
            .bind(of)
            .one(tx.conn())
            .await?
            .ok_or(AppError::NotFound)?;
    Ok(Reported { id: row.try_get("", "id")?, slug: row.try_get("", "slug")?, space_id: row.try_get("", "space_id")? })
}

/// A reported study as moderators see it.
#[derive(Clone, Debug)]
pub struct ReportedView {
    pub slug: String,
    pub title: String,
    /// Who made it.
    pub author: NameView,
    /// The beginning of what readers get; empty if nothing is published.
    pub excerpt: String,
    pub hidden: bool,
    pub retired: bool,
}

/// Reported studies by id; who may see them is the caller's affair.
pub async fn reported_views(state: &AppState, ids: &[i64], most: usize) -> Result<HashMap<i64, ReportedView>> {
    let mut views = HashMap::new();
    if ids.is_empty() {
        return Ok(views);
    }
    let rows = Sql::new(
        "SELECT c.id, c.slug, c.live_title, c.live_summary, c.hidden_at, c.retired_at, r.content, m.id AS member_id, \
         m.handle, m.display_name FROM case_study c JOIN member m ON m.id = c.created_by \
         LEFT JOIN study_revision r ON r.study_id = c.id AND r.number = c.published WHERE c.id IN ",
    )
    .list(ids.iter().copied())
    .all(state.store.read())
    .await?;
    for row in rows {
        let content = row.try_get::<Option<String>>("", "content")?.unwrap_or_default();
        let content: RevisionContent = serde_json::from_str(&content).unwrap_or_default();
        let summary: String = row.try_get("", "live_summary")?;
        let challenge = content.parts.get(&PartKey::Challenge).map(|part| excerpt(&part.body_html, most));
        let text = [Some(summary), challenge].into_iter().flatten().filter(|text| !text.is_empty());
        let view = ReportedView {
            slug: row.try_get("", "slug")?,
            title: row.try_get("", "live_title")?,
            author: NameView {
                id: row.try_get("", "member_id")?,
                handle: row.try_get("", "handle")?,
                display_name: row.try_get("", "display_name")?,
            },
            excerpt: text.collect::<Vec<_>>().join(" · ").chars().take(most).collect(),
            hidden: row.try_get::<Option<i64>>("", "hidden_at")?.is_some(),
            retired: row.try_get::<Option<i64>>("", "retired_at")?.is_some(),
        };
        views.insert(row.try_get("", "id")?, view);
    }
    Ok(views)
}

/// Takes a published study from its readers: it leaves the lists and the search, its page is there
/// for its authors and reviewers alone, and only a new revision, reviewed by somebody who did not
/// write it, brings it back. What it said until now stays hidden then. Who may do this is the caller's affair.
pub async fn hide_study(tx: &mut Tx, actor: i64, of: &Reported, reason: &str) -> Result<()> {
    let study = ground::study(tx, actor, &of.slug).await?;
    if study.published == 0 {
        return Err(AppError::Conflict("Nothing of it is published.".into()));
    }
    if study.standing.hidden {
        return Ok(());
    }
    super::actions::withdraw(tx, &study).await?;
    Sql::new("UPDATE case_study SET version = version + 1, updated_at = ")
        .bind(tx.now())
        .then(", hidden_at = ")
        .bind(tx.now())
        .then(", hidden_upto = ")
        .bind(study.published)
        .then(" WHERE id = ")
        .bind(study.id)
        .run(tx.conn())
        .await?;
    log_act(tx, study.id, StudyAct::Retired, actor, reason, &[], None).await?;
    tx.append(Stream::case_study(study.id), NewEvent::new("state.changed", study.id, Some(actor)));
    Ok(())
}
