//! The log of acts.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::entities::moderation_act;
use crate::store::Tx;
use crate::web::checks::{SUMMARY, Text, check};
use crate::web::error::Result;

/// What was done, to what and why.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// The space it was done in; none for acts on the whole hub.
    pub space: Option<i64>,
    pub actor: i64,
    /// A word of the catalogue under `moderation.act`.
    pub action: &'static str,
    /// `post`, `topic`, `resource`, `member`, `space`, `report`, `hub`.
    pub subject_kind: &'static str,
    pub subject: i64,
    /// Why, in the actor's words; never the text that the act was about.
    pub reason: &'a str,
}

/// Writes an act into the log, in the transaction of the act itself.
pub async fn record(tx: &Tx, act: Act<'_>) -> Result<()> {
    let row = moderation_act::ActiveModel {
        id: Set(tx.id()),
        space_id: Set(act.space),
        actor_id: Set(act.actor),
        action: Set(act.action.to_owned()),
        subject_kind: Set(act.subject_kind.to_owned()),
        subject_id: Set(act.subject),
        reason: Set(act.reason.to_owned()),
        created_at: Set(tx.now()),
    };
    moderation_act::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// A reason as given by a client, normalised and measured.
pub fn clean_reason(reason: &str) -> Result<String> {
    Ok(check(&[Text::line("reason", reason, SUMMARY)], false)?.get("reason").to_owned())
}
