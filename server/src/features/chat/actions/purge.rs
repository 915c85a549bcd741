//! Purging: the text of a message leaves every row it is in, for good.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::edit::remove;
use crate::app::AppState;
use crate::entities::idempotent_answer;
use crate::features::chat::ground;
use crate::features::moderation::{self, Act};
use crate::search::Kind;
use crate::store::Sql;
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, SUMMARY, Text};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Purges a message: moderators of its space who see its room. Its history, its files and the
/// answers that repeat it go too; the act is logged without the text. Twice changes nothing.
pub async fn purge_message(state: &AppState, me: &Me, message: i64, reason: &str) -> Result<()> {
    let checked = checks::check(&[Text::line("reason", reason, SUMMARY).required()], true)?;
    let (member, reason) = (me.id, checked.get("reason").to_owned());
    state
        .store
        .write(async move |tx| {
            let of = ground::message(tx, member, message).await?;
            of.room.standing.moderate()?;
            let space = of.room.space_id.ok_or(AppError::NotFound)?;
            if of.deleted && of.body.is_empty() {
                return Ok(());
            }
            remove(tx, &of).await?;
            Sql::new("UPDATE message SET body = '', body_html = '', revision_count = 0 WHERE id = ")
                .bind(of.id)
                .run(tx.conn())
                .await?;
            Sql::new("DELETE FROM message_revision WHERE message_id = ").bind(of.id).run(tx.conn()).await?;
            idempotent_answer::Entity::delete_many()
                .filter(idempotent_answer::Column::SubjectId.eq(of.id))
                .exec(tx.conn())
                .await?;
            tx.index(Kind::Message, of.id);
            crate::features::people::purge_files_of_message(tx, of.id).await?;
            tx.enqueue(moderation::FORGET, &()).await?;
            let act = Act {
                space: Some(space),
                actor: member,
                action: "purge",
                subject_kind: "message",
                subject: of.id,
                reason: &reason,
            };
            moderation::record(tx, act).await?;
            moderation::settle_message(tx, member, of.id, &reason).await?;
            if of.deleted {
                tx.append(Stream::room(of.room.id), NewEvent::new("message.deleted", of.id, Some(member)));
            }
            Ok(())
        })
        .await
}
