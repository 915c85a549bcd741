//! Messages into the database: numbers, seqs, threads and counts as chat itself keeps them.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ActiveValue::Set, EntityTrait as _};

use crate::entities::{message, message_reaction, room};
use crate::features::forum::model::ReactionView;
use crate::features::imports::refs;
use crate::features::imports::texts::Ready;
use crate::search::Kind;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream, append_all};
use crate::web::error::{AppError, Result};

/// What a message has beside its text.
#[derive(Clone, Debug)]
pub struct Kept {
    pub author: i64,
    /// When and by whom it was pinned.
    pub pinned: Option<(i64, i64)>,
    /// Emoji and who reacted with them, in their order.
    pub reactions: Vec<(String, Vec<i64>)>,
}

/// A message on its way in.
#[derive(Clone, Debug)]
pub struct Message {
    pub external: String,
    /// The message its thread hangs on.
    pub thread: Option<String>,
    pub ts: String,
    pub at: i64,
    pub edited: Option<i64>,
    pub text: Ready,
    pub kept: Kept,
}

/// What a batch added.
#[derive(Clone, Copy, Debug, Default)]
pub struct Added {
    pub messages: u64,
    pub reactions: u64,
}

/// Appends messages to a room, in their order.
pub async fn insert(tx: &mut Tx, source: &str, room: i64, batch: &[Message]) -> Result<Added> {
    // Begins by writing: the room stays locked, and on SQLite the transaction is a writer's.
    Sql::new("UPDATE room SET message_count = message_count WHERE id = ").bind(room).run(tx.conn()).await?;
    let of = room::Entity::find_by_id(room).one(tx.conn()).await?;
    let of = of.ok_or_else(|| AppError::internal("the room is gone"))?;
    let external: Vec<String> = batch.iter().map(|message| message.external.clone()).collect();
    let known = refs::known(tx.conn(), source, refs::MESSAGE, &external).await?;
    let roots: BTreeSet<&String> = batch.iter().filter_map(|message| message.thread.as_ref()).collect();
    let roots: Vec<String> = roots.into_iter().cloned().collect();
    let mut ids = refs::known(tx.conn(), source, refs::MESSAGE, &roots).await?;
    // Twice in one file, or another import beside this one.
    let mut seen = HashSet::new();
    let new: Vec<(i64, &Message)> = batch
        .iter()
        .filter(|message| !known.contains_key(&message.external) && seen.insert(&message.external))
        .map(|message| (tx.id(), message))
        .collect();
    if new.is_empty() {
        return Ok(Added::default());
    }
    ids.extend(new.iter().map(|(id, message)| (message.external.clone(), *id)));
    let events = new.iter().map(|(id, message)| {
        let event = NewEvent::new("message.posted", *id, Some(message.kept.author));
        (Stream::room(room), event)
    });
    let committed = append_all(tx.conn(), events.collect(), tx.now()).await?;
    let (mut rows, mut reactions, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for ((number, (id, message)), event) in (of.message_count + 1..).zip(&new).zip(&committed) {
        let thread = message.thread.as_ref().and_then(|root| ids.get(root)).copied();
        rows.push(row(*id, room, event.seq, number, thread, message)?);
        for (emoji, members) in &message.kept.reactions {
            let members: BTreeSet<i64> = members.iter().copied().collect();
            reactions.extend(members.into_iter().map(|member| message_reaction::ActiveModel {
                message_id: Set(*id),
                emoji: Set(emoji.clone()),
                member_id: Set(member),
                created_at: Set(message.at),
            }));
        }
        kept.push((refs::MESSAGE, message.external.clone(), *id));
        tx.index(Kind::Message, *id);
    }
    let added = Added { messages: rows.len() as u64, reactions: reactions.len() as u64 };
    for chunk in rows.chunks(refs::CHUNK) {
        message::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx.conn()).await?;
    }
    for chunk in reactions.chunks(refs::CHUNK) {
        message_reaction::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx.conn()).await?;
    }
    count_replies(tx, &new, &ids).await?;
    let newest = new.iter().map(|(_, message)| message.at).max().max(of.last_message_at);
    Sql::new("UPDATE room SET message_count = ")
        .bind(of.message_count + i64::try_from(new.len()).unwrap_or(0))
        .then(", last_message_at = ")
        .bind(newest)
        .then(" WHERE id = ")
        .bind(room)
        .run(tx.conn())
        .await?;
    refs::keep(tx, source, &kept).await?;
    Ok(added)
}

fn row(id: i64, room: i64, seq: i64, number: i64, thread: Option<i64>, of: &Message) -> Result<message::ActiveModel> {
    let count = |members: &Vec<i64>| members.iter().collect::<BTreeSet<_>>().len();
    let reactions: Vec<ReactionView> = of
        .kept
        .reactions
        .iter()
        .map(|(emoji, members)| ReactionView {
            emoji: emoji.clone(),
            count: i64::try_from(count(members)).unwrap_or(i64::MAX),
        })
        .filter(|reaction| reaction.count > 0)
        .collect();
    Ok(message::ActiveModel {
        id: Set(id),
        room_id: Set(room),
        seq: Set(seq),
        number: Set(number),
        author_id: Set(of.kept.author),
        client_id: Set(format!("slack:{}", of.ts)),
        body: Set(of.text.body.clone()),
        body_html: Set(of.text.html.clone()),
        reply_to: Set(thread),
        thread_id: Set(thread),
        reply_count: Set(0),
        last_reply_at: Set(None),
        created_at: Set(of.at),
        edited_at: Set(of.edited),
        deleted_at: Set(None),
        deleted_by: Set(None),
        pinned_at: Set(of.kept.pinned.map(|(at, _)| at)),
        pinned_by: Set(of.kept.pinned.map(|(_, by)| by)),
        reactions: Set(serde_json::to_string(&reactions)?),
        revision_count: Set(0),
        version: Set(1),
    })
}

/// The threads that grew.
async fn count_replies(tx: &Tx, new: &[(i64, &Message)], ids: &HashMap<String, i64>) -> Result<()> {
    let roots: BTreeSet<i64> =
        new.iter().filter_map(|(_, message)| ids.get(message.thread.as_ref()?)).copied().collect();
    let roots: Vec<i64> = roots.into_iter().collect();
    for chunk in roots.chunks(refs::CHUNK) {
        Sql::new(
            "UPDATE message SET \
             reply_count = (SELECT COUNT(*) FROM message reply WHERE reply.thread_id = message.id AND reply.deleted_at IS NULL), \
             last_reply_at = (SELECT MAX(reply.created_at) FROM message reply WHERE reply.thread_id = message.id) \
             WHERE id IN ",
        )
        .list(chunk.iter().copied())
        .run(tx.conn())
        .await?;
    }
    Ok(())
}
