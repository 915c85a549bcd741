//! Making a report and settling it.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter};

use super::messages;
use super::policy::{Ground, locked};
use super::record::{Act, record};
use crate::entities::kinds::{ReportReason, ReportState};
use crate::entities::report;
use crate::features::{chat, playbooks};
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
    flag(tx, member, About::Post(post.id), Some(ground.space.id), reason, note).await
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub enum About {
    Post(i64),
    Message(i64),
    Study(i64),
}

impl About {
    /// What the report of a row is about; 404 for a row that does not say.
    pub fn of(row: &report::Model) -> Result<Self> {
        match (row.post_id, row.message_id, row.study_id) {
            (Some(id), ..) => Ok(Self::Post(id)),
            (_, Some(id), _) => Ok(Self::Message(id)),
            (.., Some(id)) => Ok(Self::Study(id)),
            _ => Err(AppError::NotFound),
        }
    }

    /// Reports of the same.
    fn same(self) -> Expr {
        match self {
            Self::Post(id) => report::Column::PostId.eq(id),
            Self::Message(id) => report::Column::MessageId.eq(id),
            Self::Study(id) => report::Column::StudyId.eq(id),
        }
    }
}

/// Makes a report, or finds the member's open one of the same; true if it is new. Whoever calls
/// has locked what it is about.
pub async fn flag(
    tx: &Tx,
    member: i64,
    about: About,
    space: Option<i64>,
    reason: ReportReason,
    note: &str,
) -> Result<(report::Model, bool)> {
    let (mut post_id, mut message_id, mut study_id) = (None, None, None);
    match about {
        About::Post(id) => post_id = Some(id),
        About::Message(id) => message_id = Some(id),
        About::Study(id) => study_id = Some(id),
    }
    let open = report::Entity::find()
        .filter(about.same())
        .filter(report::Column::ReporterId.eq(member))
        .filter(report::Column::State.eq(ReportState::Open))
        .one(tx.conn())
        .await?;
    if let Some(open) = open {
        return Ok((open, false));
    }
    let row = report::Model {
        id: tx.id(),
        post_id,
        message_id,
        study_id,
        space_id: space,
        reporter_id: member,
        reason,
        note: note.to_owned(),
        state: ReportState::Open,
        created_at: tx.now(),
        handled_by: None,
        handled_at: None,
        outcome: None,
    };
    report::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.conn()).await?;
    Ok((row, true))
}

/// Settles an open report; 409 if it is settled.
pub async fn settle(tx: &Tx, actor: i64, id: i64, to: ReportState, outcome: &str) -> Result<report::Model> {
    let found = report::Entity::find_by_id(id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    // To those who do not moderate there, a report does not exist.
    match About::of(&found)? {
        About::Post(post) => Ground::of_post(tx, actor, post).await?.0.tend().map_err(|_| AppError::NotFound)?,
        About::Message(message) => {
            let of = chat::reported(tx, message).await?;
            messages::reach(tx, actor, of.space_id).await.map(drop)?;
        }
        About::Study(study) => {
            let of = playbooks::reported::reported(tx, study).await?;
            messages::reach(tx, actor, of.space_id).await.map(drop)?;
        }
    }
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
    let space = found.space_id;
    record(tx, Act { space, actor, action, subject_kind: "report", subject: id, reason: outcome }).await?;
    Ok(report::Model {
        state: to,
        handled_by: Some(actor),
        handled_at: Some(tx.now()),
        outcome: Some(outcome.to_owned()),
        ..found
    })
}

/// Settles other open reports of the same as this one was.
pub async fn settle_with(tx: &Tx, like: &report::Model, ids: &[i64]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    report::Entity::update_many()
        .col_expr(report::Column::State, Expr::value(like.state.as_str()))
        .col_expr(report::Column::HandledBy, Expr::value(like.handled_by))
        .col_expr(report::Column::HandledAt, Expr::value(like.handled_at))
        .col_expr(report::Column::Outcome, Expr::value(like.outcome.clone()))
        .filter(report::Column::Id.is_in(ids.iter().copied()))
        .filter(About::of(like)?.same())
        .filter(report::Column::State.eq(ReportState::Open))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// An act on something settles its open reports: they were right.
pub async fn settle_all(tx: &Tx, actor: i64, about: About, outcome: &str) -> Result<()> {
    report::Entity::update_many()
        .col_expr(report::Column::State, Expr::value(ReportState::Upheld.as_str()))
        .col_expr(report::Column::HandledBy, Expr::value(Some(actor)))
        .col_expr(report::Column::HandledAt, Expr::value(Some(tx.now())))
        .col_expr(report::Column::Outcome, Expr::value(Some(outcome.to_owned())))
        .filter(about.same())
        .filter(report::Column::State.eq(ReportState::Open))
        .exec(tx.conn())
        .await?;
    Ok(())
}
