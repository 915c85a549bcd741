//! Reports of case studies, and taking one from its readers.
//!
//! A study is a matter of those who tend the space of its playbook, one of a playbook without a
//! space of the administrators.

use super::messages::reach;
use super::record::{Act, record};
use super::reports::{self, About};
use crate::entities::kinds::ReportReason;
use crate::entities::report;
use crate::features::playbooks::reported;
use crate::store::Tx;
use crate::web::error::{AppError, Result};

/// Makes a report, or finds the member's open one of this study; true if it is new.
pub async fn flag_study(
    tx: &Tx,
    member: i64,
    slug: &str,
    reason: ReportReason,
    note: &str,
) -> Result<(report::Model, bool)> {
    let of = reported::reportable(tx, member, slug).await?;
    reports::flag(tx, member, About::Study(of.id), of.space_id, reason, note).await
}

/// Takes a study from its readers, which settles its reports: those who see reports of its space.
/// 404 where the study is not there for somebody, 403 where they do not see reports.
pub async fn hide_study(tx: &mut Tx, actor: i64, slug: &str, reason: &str) -> Result<()> {
    let of = reported::reported_by_slug(tx, slug).await?;
    hide(tx, actor, of, reason).await
}

/// The same by id, from a report; 404 for those who do not see it.
pub async fn hide_reported(tx: &mut Tx, actor: i64, study: i64, reason: &str) -> Result<()> {
    let of = reported::reported(tx, study).await?;
    hide(tx, actor, of, reason).await
}

async fn hide(tx: &mut Tx, actor: i64, of: reported::Reported, reason: &str) -> Result<()> {
    reported::readable(tx, actor, &of.slug).await?;
    reach(tx, actor, of.space_id).await.map_err(|error| match error {
        AppError::NotFound => AppError::Forbidden("Only moderators can do this.".into()),
        other => other,
    })?;
    reported::hide_study(tx, actor, &of, reason).await?;
    let act = Act { space: of.space_id, actor, action: "hide", subject_kind: "case_study", subject: of.id, reason };
    record(tx, act).await?;
    reports::settle_all(tx, actor, About::Study(of.id), reason).await
}
