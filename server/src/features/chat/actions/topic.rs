//! A topic made of messages: they are quoted with their authors and links, and a note stays.

use std::fmt::Write as _;

use actix_web::HttpResponse;

use crate::app::AppState;
use crate::entities::kinds::{RoomKind, TopicKind};
use crate::features::chat::ground;
use crate::features::chat::model::MessageView;
use crate::features::chat::policy::MOST_QUOTED;
use crate::features::chat::queries::{find_room, messages_by_ids};
use crate::features::chat::sending::{Outgoing, Written, deliver, written};
use crate::features::forum::actions::{NewTopic, PreparedTopic, insert_topic, prepare_topic};
use crate::features::forum::model::TopicView;
use crate::store::{Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::text;
use crate::web::error::{AppError, Result};
use crate::web::etag::of_version;
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;
use crate::web::words::english;

/// What a topic is to be made of.
#[derive(Clone, Debug)]
pub struct TopicWish {
    pub messages: Vec<i64>,
    pub title: String,
    pub kind: TopicKind,
    pub tags: Vec<String>,
    pub confirmed: bool,
}

/// Makes a topic of messages of an open room in its space; whoever writes there may. The note is
/// posted in the same transaction.
pub async fn make_topic(state: &AppState, me: &Me, room: i64, wish: &TopicWish) -> Result<TopicView> {
    let (member, draft) = (me.id, prepare(state, me, room, wish).await?);
    state.store.write(async move |tx| insert(tx, member, &draft).await).await
}

/// The same for a request that may come again.
pub async fn make_topic_once(
    state: &AppState,
    me: &Me,
    room: i64,
    wish: &TopicWish,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, draft) = (me.id, prepare(state, me, room, wish).await?);
    write_once(state, member, once, async move |tx| {
        let view = insert(tx, member, &draft).await?;
        let answer = Answer::created(format!("/api/v1/topics/{}", view.row.id), &view, Some(view.first_post_id.0))?;
        Ok(answer.with_etag(of_version(view.version)))
    })
    .await
}

/// A topic ready to be written, and the note that stays in the room.
struct Draft {
    room: i64,
    space: i64,
    /// The messages that it quotes: id and version.
    quoted: Vec<(i64, i32)>,
    topic: PreparedTopic,
    note: Written,
}

async fn prepare(state: &AppState, me: &Me, room: i64, wish: &TopicWish) -> Result<Draft> {
    let found = find_room(state, me, room).await?;
    let of = &found.ground;
    of.standing.write()?;
    let (Some(space), Some(slug), RoomKind::Open) = (of.space_id, of.space.as_deref(), of.standing.kind) else {
        return Err(AppError::Forbidden("What is said in a private room stays in it.".into()));
    };
    let path = format!("/s/{slug}/chat/{}", of.slug.as_deref().unwrap_or_default());
    let messages = quoted(state, room, &wish.messages).await?;
    let new = NewTopic {
        title: wish.title.clone(),
        body: body_of(&messages, &path),
        kind: wish.kind,
        tags: wish.tags.clone(),
        confirmed: wish.confirmed,
    };
    let topic = prepare_topic(state, space, &new).await?;
    let link = format!("[{}](/s/{slug}/t/{PLACE})", escape(&topic.title));
    let note = english().with("chat.topics.made", &[("topic", link.as_str())]);
    // The link's address is known in the transaction; its words are rendered like any text.
    let note = written(state, room, &note).await?;
    let quoted = messages.iter().map(|message| (message.id.0, message.version)).collect();
    Ok(Draft { room, space, quoted, topic, note })
}

async fn insert(tx: &mut Tx, member: i64, draft: &Draft) -> Result<TopicView> {
    let room = draft.room;
    as_quoted(tx, member, draft).await?;
    let topic = insert_topic(tx, member, draft.space, &draft.topic).await?;
    let id = topic.row.id;
    Sql::new("INSERT INTO room_topic (room_id, topic_id, created_by, created_at) VALUES ")
        .rows([[room.into(), id.0.into(), member.into(), tx.now().into()]])
        .run(tx.conn())
        .await?;
    tx.append(Stream::room(room), NewEvent::new("room.changed", room, Some(member)));
    let mut note = draft.note.clone();
    note.body = note.body.replace(PLACE, &id.to_string());
    note.html = note.html.replace(PLACE, &id.to_string());
    let outgoing = Outgoing { room, member, client_id: format!("topic-{id}"), written: note, reply_to: None };
    if let Some(outcome) = deliver(tx, &[outgoing]).await?.pop() {
        outcome?;
    }
    Ok(topic)
}

/// Locks the room: it is still open, and its messages say what is quoted of them.
async fn as_quoted(tx: &Tx, member: i64, draft: &Draft) -> Result<()> {
    let of = ground::locked(tx, member, draft.room).await?;
    of.standing.write()?;
    if of.standing.kind != RoomKind::Open {
        return Err(AppError::Forbidden("What is said in a private room stays in it.".into()));
    }
    let rows = Sql::new("SELECT id, version FROM message WHERE deleted_at IS NULL AND id IN ")
        .list(draft.quoted.iter().map(|(id, _)| *id))
        .all(tx.conn())
        .await?;
    let mut now = Vec::with_capacity(rows.len());
    for row in rows {
        now.push((row.try_get::<i64>("", "id")?, row.try_get::<i32>("", "version")?));
    }
    if draft.quoted.iter().all(|message| now.contains(message)) {
        Ok(())
    } else {
        Err(AppError::Conflict("One of these messages has changed meanwhile; look at them again.".into()))
    }
}

/// The chosen messages of an open room that a member may write in, and where that room is: what
/// is said in a private room stays in it.
pub async fn quotable(state: &AppState, me: &Me, room: i64, ids: &[i64]) -> Result<(String, Vec<MessageView>)> {
    let found = find_room(state, me, room).await?;
    let of = &found.ground;
    of.standing.write()?;
    let (Some(slug), RoomKind::Open) = (of.space.as_deref(), of.standing.kind) else {
        return Err(AppError::Forbidden("What is said in a private room stays in it.".into()));
    };
    let path = format!("/s/{slug}/chat/{}", of.slug.as_deref().unwrap_or_default());
    Ok((path, quoted(state, room, ids).await?))
}

/// Stands for the id of a topic that is not made yet.
const PLACE: &str = "0000000000000";

/// The chosen messages, living and of this room, in their order there.
async fn quoted(state: &AppState, room: i64, ids: &[i64]) -> Result<Vec<MessageView>> {
    if ids.is_empty() || ids.len() > MOST_QUOTED {
        return Err(AppError::field("messages", format!("names 1 to {MOST_QUOTED} messages of this room")));
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut messages = messages_by_ids(state.store.read(), &ids).await?;
    messages.retain(|message| message.room.0 == room && !message.deleted);
    if messages.len() != ids.len() {
        return Err(AppError::field("messages", format!("names 1 to {MOST_QUOTED} messages of this room")));
    }
    messages.sort_by_key(|message| message.seq);
    Ok(messages)
}

fn body_of(messages: &[MessageView], path: &str) -> String {
    let mut body = String::new();
    for message in messages {
        body.push_str(text::quote(&message.author.handle, &message.body).trim_end());
        let _infallible = write!(body, "\n>\n> [{}]({path}?at={})\n\n", date(&message.created_at), message.seq);
    }
    body
}

/// `2026-01-31 09:30` of an RFC 3339 time.
fn date(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

/// A text that is no markup inside a link.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
