//! Editing and deleting messages. The history of what was said is kept.

use crate::app::AppState;
use crate::features::chat::ground::{self, MessageGround};
use crate::features::chat::model::MESSAGE;
use crate::features::chat::notify::{Notify, Told};
use crate::features::chat::sending::written;
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::viewer::Me;

/// Changes the text of a message: its author alone. The same text changes nothing.
pub async fn edit_message(
    state: &AppState,
    me: &Me,
    message: i64,
    body: &str,
    confirmed: bool,
    if_match: IfMatch,
) -> Result<()> {
    let checked = checks::check(&[Text::body("body", body, MESSAGE).required()], confirmed)?;
    let room = Sql::new("SELECT room_id FROM message WHERE id = ").bind(message).one(state.store.read()).await?;
    let room: i64 = room.ok_or(AppError::NotFound)?.try_get("", "room_id")?;
    let new = written(state, room, checked.get("body")).await?;
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let of = ground::message(tx, member, message).await?.living()?;
            of.room.standing.write()?;
            if of.author_id != member {
                return Err(AppError::Forbidden("Only its author can change a message.".into()));
            }
            if_match.check(of.version)?;
            if of.body == new.body {
                return Ok(());
            }
            remember(tx, &of, &new.body).await?;
            Sql::new("UPDATE message SET version = version + 1, edited_at = ")
                .bind(tx.now())
                .then(", body = ")
                .bind(new.body.clone())
                .then(", body_html = ")
                .bind(new.html.clone())
                .then(" WHERE id = ")
                .bind(of.id)
                .run(tx.conn())
                .await?;
            let files = crate::features::people::linked_files(&new.html);
            let files = files.into_iter().map(|file| (file, (of.id, member))).collect();
            crate::features::people::adopt_into_messages(tx, &files).await?;
            if !new.mentions.is_empty() {
                // Whoever was told of it is told no second time.
                let told = Told { message: of.id, mentions: new.mentions.clone(), everybody: false };
                tx.enqueue("chat.notify", &Notify { messages: vec![told] }).await?;
            }
            tx.index(Kind::Message, of.id);
            tx.append(Stream::room(of.room.id), NewEvent::new("message.edited", of.id, Some(member)));
            Ok(())
        })
        .await
}

/// Adds a state to the history; the first edit also saves what was there before.
async fn remember(tx: &Tx, of: &MessageGround, body: &str) -> Result<()> {
    let mut rows: Vec<[sea_orm::Value; 5]> = Vec::new();
    let mut number = of.revision_count;
    if number == 0 {
        number = 1;
        let before = of.body.clone();
        rows.push([of.id.into(), number.into(), before.into(), of.author_id.into(), of.created_at.into()]);
    }
    number += 1;
    rows.push([of.id.into(), number.into(), body.into(), of.room.standing.member.into(), tx.now().into()]);
    Sql::new("INSERT INTO message_revision (message_id, number, body, editor_id, created_at) VALUES ")
        .rows(rows)
        .run(tx.conn())
        .await?;
    Sql::new("UPDATE message SET revision_count = ")
        .bind(number)
        .then(" WHERE id = ")
        .bind(of.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Deletes a message softly: its author or a moderator. Its thread stays.
pub async fn delete_message(state: &AppState, me: &Me, message: i64, if_match: IfMatch) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let of = ground::message(tx, member, message).await?;
            if_match.check(of.version)?;
            remove(tx, &of).await
        })
        .await
}

pub(super) async fn remove(tx: &mut Tx, of: &MessageGround) -> Result<()> {
    let standing = &of.room.standing;
    standing.remove(of.author_id)?;
    if of.deleted {
        return Ok(());
    }
    take_away(tx, standing.member, of.room.id, of.id, of.thread_id).await?;
    settle_reports(tx, standing.member, of).await
}

/// A moderator who takes away what somebody else wrote has settled the reports of it.
async fn settle_reports(tx: &Tx, actor: i64, of: &MessageGround) -> Result<()> {
    if of.author_id == actor {
        return Ok(());
    }
    crate::features::moderation::settle_message(tx, actor, of.id, "").await
}

/// Makes a stub of a message and tells its readers.
pub async fn take_away(tx: &mut Tx, by: i64, room: i64, message: i64, thread: Option<i64>) -> Result<()> {
    Sql::new("UPDATE message SET deleted_at = ")
        .bind(tx.now())
        .then(", deleted_by = ")
        .bind(by)
        .then(", pinned_at = NULL, pinned_by = NULL, version = version + 1 WHERE id = ")
        .bind(message)
        .run(tx.conn())
        .await?;
    if let Some(root) = thread {
        Sql::new("UPDATE message SET reply_count = reply_count - 1 WHERE reply_count > 0 AND id = ")
            .bind(root)
            .run(tx.conn())
            .await?;
    }
    tx.index(Kind::Message, message);
    tx.append(Stream::room(room), NewEvent::new("message.deleted", message, Some(by)));
    Ok(())
}
