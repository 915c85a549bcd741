//! Reports of messages: who may settle them, and taking a reported message away.
//!
//! A message of a space is a matter of those who tend the space, one of a direct conversation of
//! the administrators: somebody in it has shown it to them. They see that message and no other.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::policy::{acting, tends};
use super::record::{Act, record};
use super::reports::{self, About};
use crate::entities::kinds::{HubRole, ReportReason};
use crate::entities::{report, space, space_member};
use crate::features::chat;
use crate::features::spaces::{Access, policy};
use crate::store::Tx;
use crate::web::error::{AppError, Result};

/// Makes a report, or finds the member's open one of this message; true if it is new.
pub async fn flag_message(
    tx: &Tx,
    member: i64,
    message: i64,
    reason: ReportReason,
    note: &str,
) -> Result<(report::Model, bool)> {
    let of = chat::reportable(tx, member, message).await?;
    if of.author_id == member {
        return Err(AppError::Forbidden("This is your own message: edit or delete it instead.".into()));
    }
    reports::flag(tx, member, About::Message(of.id), of.space_id, reason, note).await
}

/// How far an actor gets with the reports of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Settles them.
    Settle,
    /// Takes the message away, too.
    Remove,
}

/// How far somebody gets with the reports of messages of a space, or of direct conversations.
/// 404 where they see none.
pub async fn reach(tx: &Tx, actor: i64, of_space: Option<i64>) -> Result<Reach> {
    let actor = acting(tx, actor).await?;
    let Some(of_space) = of_space else {
        return if actor.hub_role == HubRole::Administrator { Ok(Reach::Remove) } else { Err(AppError::NotFound) };
    };
    let space = space::Entity::find_by_id(of_space).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let role = space_member::Entity::find_by_id((space.id, actor.id)).one(tx.conn()).await?.map(|row| row.role);
    let access = policy::by_role(actor.hub_role, role, space.visibility);
    match (access >= Access::Moderate, tends(actor.hub_role, access, space.visibility)) {
        (true, _) => Ok(Reach::Remove),
        (_, true) => Ok(Reach::Settle),
        _ => Err(AppError::NotFound),
    }
}

/// Takes a reported message away, which settles its reports; 403 for those who only settle.
pub async fn remove_reported(tx: &mut Tx, actor: i64, message: i64, reason: &str) -> Result<()> {
    let of = chat::reported(tx, message).await?;
    let reach = reach(tx, actor, of.space_id).await?;
    // What nobody reported is not theirs to take out of rooms that they do not see.
    let reports = report::Entity::find().filter(report::Column::MessageId.eq(message));
    reports.one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    if reach != Reach::Remove {
        return Err(AppError::Forbidden("Only a moderator can take a message away.".into()));
    }
    chat::remove_reported(tx, actor, of.id).await?;
    let act = Act { space: of.space_id, actor, action: "remove", subject_kind: "message", subject: of.id, reason };
    record(tx, act).await?;
    settle_message(tx, actor, of.id, reason).await
}

/// An act on a message settles its open reports: they were right.
pub async fn settle_message(tx: &Tx, actor: i64, message: i64, outcome: &str) -> Result<()> {
    reports::settle_all(tx, actor, About::Message(message), outcome).await
}
