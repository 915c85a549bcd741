//! Reports of resources, and what moderators do about them; each act stands in the log of acts.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{ground, tell};
use crate::entities::kinds::{ReportReason, ReportState};
use crate::entities::{idempotent_answer, resource_report, resource_version};
use crate::features::library::files::remove_unreferenced;
use crate::features::moderation::{Act, FORGET, record};
use crate::features::people::purge_files_of_resource;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};

/// Makes a report, or finds the member's open one of this resource; true if it is new.
pub async fn flag(
    tx: &Tx,
    member: i64,
    id: i64,
    reason: ReportReason,
    note: &str,
) -> Result<(resource_report::Model, bool)> {
    // The lock on the resource makes one of two reports that a member sends at once.
    let ground = ground::resource(tx, member, id).await?;
    if ground.deleted || ground.purged {
        return Err(AppError::NotFound);
    }
    if ground.author_id == member {
        return Err(AppError::Forbidden("You shared this yourself: change or delete it instead.".into()));
    }
    let open = resource_report::Entity::find()
        .filter(resource_report::Column::ResourceId.eq(id))
        .filter(resource_report::Column::ReporterId.eq(member))
        .filter(resource_report::Column::State.eq(ReportState::Open))
        .one(tx.conn())
        .await?;
    if let Some(open) = open {
        return Ok((open, false));
    }
    let row = resource_report::Model {
        id: tx.id(),
        resource_id: id,
        space_id: ground.space_id,
        reporter_id: member,
        reason,
        note: note.to_owned(),
        state: ReportState::Open,
        created_at: tx.now(),
        handled_by: None,
        handled_at: None,
        outcome: None,
    };
    let new = resource_report::ActiveModel {
        id: Set(row.id),
        resource_id: Set(row.resource_id),
        space_id: Set(row.space_id),
        reporter_id: Set(row.reporter_id),
        reason: Set(row.reason),
        note: Set(row.note.clone()),
        state: Set(row.state),
        created_at: Set(row.created_at),
        handled_by: Set(None),
        handled_at: Set(None),
        outcome: Set(None),
    };
    resource_report::Entity::insert(new).exec_without_returning(tx.conn()).await?;
    Ok((row, true))
}

/// Settles a report and the other open ones of the same resource; 409 if it is settled.
pub async fn settle(
    tx: &mut Tx,
    actor: i64,
    report: i64,
    to: ReportState,
    outcome: &str,
    hide_it: bool,
) -> Result<i64> {
    let found = resource_report::Entity::find_by_id(report).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let ground = ground::resource(tx, actor, found.resource_id).await?;
    // To those who do not moderate there, a report does not exist.
    ground.tend().map_err(|_| AppError::NotFound)?;
    if hide_it {
        hide(tx, actor, found.resource_id, true, outcome).await?;
        settle_all(tx, actor, found.resource_id, ReportState::Upheld, outcome).await?;
        return Ok(found.resource_id);
    }
    // Read again behind the lock on the resource.
    let state = resource_report::Entity::find_by_id(report).one(tx.conn()).await?.map(|row| row.state);
    if state != Some(ReportState::Open) {
        return Err(AppError::Conflict("This report is settled.".into()));
    }
    settle_all(tx, actor, found.resource_id, to, outcome).await?;
    let action = if to == ReportState::Upheld { "uphold" } else { "dismiss" };
    let space = Some(ground.space_id);
    record(tx, Act { space, actor, action, subject_kind: "report", subject: report, reason: outcome }).await?;
    Ok(found.resource_id)
}

async fn settle_all(tx: &Tx, actor: i64, resource: i64, to: ReportState, outcome: &str) -> Result<()> {
    Sql::new("UPDATE resource_report SET state = ")
        .bind(to.as_str())
        .then(", handled_by = ")
        .bind(actor)
        .then(", handled_at = ")
        .bind(tx.now())
        .then(", outcome = ")
        .bind(outcome)
        .then(" WHERE state = 'open' AND resource_id = ")
        .bind(resource)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Hides a resource from all but moderators, or shows it again. Doing it twice changes nothing.
pub async fn hide(tx: &mut Tx, actor: i64, id: i64, hidden: bool, reason: &str) -> Result<()> {
    let ground = ground::resource(tx, actor, id).await?;
    ground.tend()?;
    if ground.purged {
        return Err(AppError::Conflict("It was purged.".into()));
    }
    if ground.hidden == hidden {
        return Ok(());
    }
    Sql::new("UPDATE resource SET hidden_at = ")
        .bind(hidden.then(|| tx.now()))
        .then(" WHERE id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    let action = if hidden { "hide" } else { "unhide" };
    let space = Some(ground.space_id);
    record(tx, Act { space, actor, action, subject_kind: "resource", subject: id, reason }).await?;
    if hidden {
        settle_all(tx, actor, id, ReportState::Upheld, reason).await?;
    }
    tell(tx, "resource.changed", ground.space_id, id, actor);
    Ok(())
}

/// Takes a resource out of every row for good: its texts, versions, files and stored answers.
/// Moderators. Doing it twice changes nothing.
pub async fn purge(tx: &mut Tx, actor: i64, id: i64, reason: &str) -> Result<()> {
    let ground = ground::resource(tx, actor, id).await?;
    ground.standing.access().moderate()?;
    if ground.purged {
        return Ok(());
    }
    let rows = Sql::new("SELECT DISTINCT sha256 FROM resource_version WHERE sha256 IS NOT NULL AND resource_id = ")
        .bind(id)
        .all(tx.conn())
        .await?;
    let files: Vec<String> = rows.iter().map(|row| row.try_get("", "sha256")).collect::<Result<_, _>>()?;
    resource_version::Entity::delete_many().filter(resource_version::Column::ResourceId.eq(id)).exec(tx.conn()).await?;
    for table in ["resource_term", "resource_endorsement", "collection_item"] {
        Sql::new("DELETE FROM ").then(table).then(" WHERE resource_id = ").bind(id).run(tx.conn()).await?;
    }
    Sql::new(
        "UPDATE resource SET title = '', summary = '', description = '', description_html = '', authors = '[]', \
         organisation = '', licence = '', source = '', topic_id = NULL, review_due = NULL, version_count = 0, \
         endorsement_count = 0, version = version + 1, purged_at = ",
    )
    .bind(tx.now())
    .then(" WHERE id = ")
    .bind(id)
    .run(tx.conn())
    .await?;
    idempotent_answer::Entity::delete_many()
        .filter(idempotent_answer::Column::SubjectId.eq(id))
        .exec(tx.conn())
        .await?;
    Sql::new("DELETE FROM import_ref WHERE kind = 'resource' AND local_id = ").bind(id).run(tx.conn()).await?;
    remove_unreferenced(tx, &files).await?;
    purge_files_of_resource(tx, id).await?;
    settle_all(tx, actor, id, ReportState::Upheld, reason).await?;
    let space = Some(ground.space_id);
    record(tx, Act { space, actor, action: "purge", subject_kind: "resource", subject: id, reason }).await?;
    tell(tx, "resource.changed", ground.space_id, id, actor);
    tx.enqueue(FORGET, &()).await
}
