//! Making a report and settling it.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::policy::{Ground, locked};
use super::record::{Act, record};
use crate::entities::kinds::{ReportReason, ReportState};
use crate::entities::report;
use crate::store::Tx;
use crate::web::error::{AppError, Result};

/// Makes a report, or finds the member's open one of this post; true if it is new.
pub async fn flag_post(
    tx: &Tx,
    member: i64,
    post: i64,
    reason: ReportReason,
    note: &str,
) -> Result<(report::Model, bool)> {
    // The lock on the topic's row makes one of two reports that a member sends at once.
    let (ground, post) = Ground::of_post(tx, member, post).await?;
    if post.deleted_at.is_some() || post.purged_at.is_some() {
        return Err(AppError::NotFound);
    }
    if post.author_id == member {
        return Err(AppError::Forbidden("This is your own post: edit or delete it instead.".into()));
    }
    let open = report::Entity::find()
        .filter(report::Column::PostId.eq(post.id))
        .filter(report::Column::ReporterId.eq(member))
        .filter(report::Column::State.eq(ReportState::Open))
        .one(tx.conn())
        .await?;
    if let Some(open) = open {
        return Ok((open, false));
    }
    let row = report::Model {
        id: tx.id(),
        post_id: post.id,
        space_id: ground.space.id,
        reporter_id: member,
        reason,
        note: note.to_owned(),
        state: ReportState::Open,
        created_at: tx.now(),
        handled_by: None,
        handled_at: None,
        outcome: None,
    };
    let new = report::ActiveModel {
        id: Set(row.id),
        post_id: Set(row.post_id),
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
    report::Entity::insert(new).exec_without_returning(tx.conn()).await?;
    Ok((row, true))
}

/// Settles an open report; 409 if it is settled.
pub async fn settle(tx: &Tx, actor: i64, id: i64, to: ReportState, outcome: &str) -> Result<report::Model> {
    let found = report::Entity::find_by_id(id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let (ground, _) = Ground::of_post(tx, actor, found.post_id).await?;
    // To those who do not moderate there, a report does not exist.
    ground.access.moderate().map_err(|_| AppError::NotFound)?;
    let found = locked(tx, report::Entity::find_by_id(id)).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    if found.state != ReportState::Open {
        return Err(AppError::Conflict("This report is settled.".into()));
    }
    report::Entity::update_many()
        .col_expr(report::Column::State, Expr::value(to.as_str()))
        .col_expr(report::Column::HandledBy, Expr::value(Some(actor)))
        .col_expr(report::Column::HandledAt, Expr::value(Some(tx.now())))
        .col_expr(report::Column::Outcome, Expr::value(Some(outcome.to_owned())))
        .filter(report::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    let action = if to == ReportState::Upheld { "uphold" } else { "dismiss" };
    let space = Some(ground.space.id);
    record(tx, Act { space, actor, action, subject_kind: "report", subject: id, reason: outcome }).await?;
    Ok(report::Model {
        state: to,
        handled_by: Some(actor),
        handled_at: Some(tx.now()),
        outcome: Some(outcome.to_owned()),
        ..found
    })
}

/// An act on a post settles its open reports: they were right.
pub async fn settle_all(tx: &Tx, actor: i64, post: i64, outcome: &str) -> Result<()> {
    report::Entity::update_many()
        .col_expr(report::Column::State, Expr::value(ReportState::Upheld.as_str()))
        .col_expr(report::Column::HandledBy, Expr::value(Some(actor)))
        .col_expr(report::Column::HandledAt, Expr::value(Some(tx.now())))
        .col_expr(report::Column::Outcome, Expr::value(Some(outcome.to_owned())))
        .filter(report::Column::PostId.eq(post))
        .filter(report::Column::State.eq(ReportState::Open))
        .exec(tx.conn())
        .await?;
    Ok(())
}
