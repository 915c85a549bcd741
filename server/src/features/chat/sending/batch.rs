//! One transaction for many messages, in few statements: one for 256 of them where one would not do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::rows;
use super::{Outgoing, Sent};
use crate::features::chat::ground::{self, RoomGround};
use crate::features::chat::model::MessageView;
use crate::features::chat::notify::{Notify, Told};
use crate::features::chat::{events, queries};
use crate::features::forum;
use crate::features::forum::model::AuthorView;
use crate::ports::clock::rfc3339;
use crate::search::Kind;
use crate::store::{After, Id, MOST_ROWS, Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// What a message stands on: the room for its author, and who that is.
pub(super) struct Ground {
    pub room: RoomGround,
    pub author: AuthorView,
}

/// The message that is answered, and the root of its thread.
pub(super) struct Answered {
    room: i64,
    root: i64,
    reply_count: i32,
}

/// What becomes of one message of a batch.
enum Plan {
    Refused(AppError),
    /// It was posted before.
    Known(Arc<MessageView>),
    /// The same as another of this batch.
    Twin(usize),
    /// The message with this place among the new ones.
    New(usize),
}

/// A message to be written.
pub(super) struct Fresh<'a> {
    pub outgoing: &'a Outgoing,
    pub view: Arc<MessageView>,
}

/// Posts messages; an outcome for each, in their order. An error is that of the whole transaction.
pub(in crate::features::chat) async fn deliver(tx: &mut Tx, all: &[Outgoing]) -> Result<Vec<Result<Sent>>> {
    let mut rooms: Vec<i64> = all.iter().map(|one| one.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let mut members: Vec<i64> = all.iter().map(|one| one.member).collect();
    members.sort_unstable();
    members.dedup();
    ground::lock(tx, &rooms, &members).await?;
    let grounds = grounds(tx, all).await?;
    let known = known(tx, all).await?;
    let answered = answered(tx, all).await?;
    let (plans, mut fresh) = plan(tx, all, &grounds, &known, &answered);
    if !fresh.is_empty() {
        number(&mut fresh, &grounds);
        post(tx, &mut fresh, &grounds, &answered).await?;
    }
    Ok(outcomes(plans, fresh))
}

fn outcomes(plans: Vec<Plan>, fresh: Vec<Fresh<'_>>) -> Vec<Result<Sent>> {
    let views: Vec<Arc<MessageView>> = fresh.into_iter().map(|one| one.view).collect();
    let new = |at: usize, fresh: bool| {
        let view = views.get(at).cloned().ok_or_else(|| AppError::internal("a message was lost"));
        view.map(|message| Sent { message, fresh })
    };
    plans
        .into_iter()
        .map(|plan| match plan {
            Plan::Refused(error) => Err(error),
            Plan::Known(view) => Ok(Sent { message: view, fresh: false }),
            Plan::Twin(at) => new(at, false),
            Plan::New(at) => new(at, true),
        })
        .collect()
}

/// Every (room, author) of the batch with the author's rights there.
async fn grounds(tx: &Tx, all: &[Outgoing]) -> Result<HashMap<(i64, i64), Ground>> {
    let mut pairs: Vec<(i64, i64)> = all.iter().map(|one| (one.room, one.member)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut grounds = HashMap::with_capacity(pairs.len());
    for part in pairs.chunks(MOST_ROWS) {
        let rows = Sql::new("WITH p(room_id, member_id) AS (VALUES ")
            .padded_rows(part.iter().map(|(room, member)| [(*room).into(), (*member).into()]).collect())
            .then(") SELECT ")
            .then(ground::ROOM)
            .then(", ")
            .then(forum::AUTHOR)
            .then(" FROM p JOIN room r ON r.id = p.room_id JOIN member v ON v.id = p.member_id ")
            .then("JOIN member a ON a.id = v.id")
            .then(ground::AROUND)
            .all(tx.conn())
            .await?;
        for row in &rows {
            let room = ground::room(row)?;
            let author = forum::author(row)?;
            grounds.insert((room.id, author.id), Ground { room, author });
        }
    }
    Ok(grounds)
}

type Key = (i64, i64, String);

fn key(one: &Outgoing) -> Key {
    (one.room, one.member, one.client_id.clone())
}

/// Those of the batch that were posted before, as they now are.
async fn known(tx: &Tx, all: &[Outgoing]) -> Result<HashMap<Key, Arc<MessageView>>> {
    let mut known = HashMap::new();
    for part in all.chunks(MOST_ROWS) {
        let ids = Sql::new("WITH p(room_id, author_id, client_id) AS (VALUES ")
            .padded_rows(
                part.iter().map(|one| [one.room.into(), one.member.into(), one.client_id.as_str().into()]).collect(),
            )
            .then(") SELECT m.id FROM p JOIN message m ON m.room_id = p.room_id AND m.author_id = p.author_id ")
            .then("AND m.client_id = p.client_id")
            .ids(tx.conn())
            .await?;
        if ids.is_empty() {
            continue;
        }
        for view in queries::messages_by_ids(tx.conn(), &ids).await? {
            known.insert((view.room.0, view.author.id, view.client_id.clone()), Arc::new(view));
        }
    }
    Ok(known)
}

async fn answered(tx: &Tx, all: &[Outgoing]) -> Result<HashMap<i64, Answered>> {
    let ids: Vec<i64> = all.iter().filter_map(|one| one.reply_to).collect();
    let mut answered = HashMap::with_capacity(ids.len());
    for part in ids.chunks(MOST_ROWS) {
        let rows = Sql::new(
            "SELECT m.id, m.room_id, t.id AS root, t.reply_count FROM message m \
             JOIN message t ON t.id = COALESCE(m.thread_id, m.id) WHERE m.id IN ",
        )
        .padded_list(part.to_vec())
        .all(tx.conn())
        .await?;
        for row in rows {
            let of = Answered {
                room: row.try_get("", "room_id")?,
                root: row.try_get("", "root")?,
                reply_count: row.try_get("", "reply_count")?,
            };
            answered.insert(row.try_get("", "id")?, of);
        }
    }
    Ok(answered)
}

/// Decides each message; no other one of the batch is refused for it.
fn plan<'a>(
    tx: &Tx,
    all: &'a [Outgoing],
    grounds: &HashMap<(i64, i64), Ground>,
    known: &HashMap<Key, Arc<MessageView>>,
    answered: &HashMap<i64, Answered>,
) -> (Vec<Plan>, Vec<Fresh<'a>>) {
    let mut fresh: Vec<Fresh<'a>> = Vec::with_capacity(all.len());
    let mut first: HashMap<Key, usize> = HashMap::with_capacity(all.len());
    let mut plans = Vec::with_capacity(all.len());
    for one in all {
        let Some(ground) = grounds.get(&(one.room, one.member)) else {
            plans.push(Plan::Refused(AppError::NotFound));
            continue;
        };
        // A repeat is answered while the room can be read, also where nothing new may be written.
        let key = key(one);
        if ground.room.standing.read().is_ok() {
            if let Some(view) = known.get(&key) {
                plans.push(Plan::Known(Arc::clone(view)));
                continue;
            }
            if let Some(at) = first.get(&key) {
                plans.push(Plan::Twin(*at));
                continue;
            }
        }
        match decide(one, ground, answered) {
            Err(error) => plans.push(Plan::Refused(error)),
            Ok(thread) => {
                let at = fresh.len();
                first.insert(key, at);
                plans.push(Plan::New(at));
                fresh.push(Fresh { outgoing: one, view: Arc::new(view_of(tx, one, ground, thread)) });
            }
        }
    }
    (plans, fresh)
}

/// Whether a message may be posted, and in which thread.
fn decide(one: &Outgoing, ground: &Ground, answered: &HashMap<i64, Answered>) -> Result<Option<i64>> {
    ground.room.standing.write()?;
    if one.written.body.is_empty() {
        // It came as a repeat of something that is not there.
        return Err(AppError::field("body", "is needed"));
    }
    one.reply_to
        .map(|id| {
            answered
                .get(&id)
                .filter(|of| of.room == one.room)
                .map(|of| of.root)
                .ok_or_else(|| AppError::field("reply_to", "is a message of this room"))
        })
        .transpose()
}

fn view_of(tx: &Tx, one: &Outgoing, ground: &Ground, thread: Option<i64>) -> MessageView {
    MessageView {
        id: Id(tx.id()),
        room: Id(one.room),
        seq: 0,
        author: ground.author.clone(),
        body: one.written.body.clone(),
        body_html: one.written.html.clone(),
        client_id: one.client_id.clone(),
        reply_to: one.reply_to.map(Id),
        thread: thread.map(Id),
        reply_count: 0,
        last_reply_at: None,
        created_at: rfc3339(tx.now()),
        edited_at: None,
        deleted: false,
        pinned: false,
        reactions: Vec::new(),
        version: 1,
        created: tx.now(),
        edited: None,
        number: 0,
        revision_count: 0,
    }
}

/// Numbers new messages behind those of their rooms.
fn number(fresh: &mut [Fresh<'_>], grounds: &HashMap<(i64, i64), Ground>) {
    let mut last: HashMap<i64, i64> = HashMap::new();
    for one in fresh {
        let (room, member) = (one.outgoing.room, one.outgoing.member);
        let next = last
            .entry(room)
            .or_insert_with(|| grounds.get(&(room, member)).map_or(0, |ground| ground.room.message_count));
        *next += 1;
        Arc::make_mut(&mut one.view).number = *next;
    }
}

/// Writes everything that new messages move.
async fn post(
    tx: &mut Tx,
    fresh: &mut [Fresh<'_>],
    grounds: &HashMap<(i64, i64), Ground>,
    answered: &HashMap<i64, Answered>,
) -> Result<()> {
    let wanted = fresh
        .iter()
        .map(|one| {
            let event = NewEvent::new("message.posted", one.view.id.0, Some(one.outgoing.member));
            (Stream::room(one.outgoing.room), event)
        })
        .collect();
    let mut committed = tx.append_now(wanted).await?;
    let mut roots: BTreeMap<i64, i32> = BTreeMap::new();
    for (one, event) in fresh.iter_mut().zip(&mut committed) {
        Arc::make_mut(&mut one.view).seq = event.seq;
        if let Some(thread) = one.view.thread {
            *roots.entry(thread.0).or_insert(0) += 1;
        }
    }
    let now = tx.now();
    // What live readers get says how many replies a thread has after all of this commit, as a
    // replay would.
    for (one, event) in fresh.iter().zip(&mut committed) {
        let before = one.outgoing.reply_to.and_then(|id| answered.get(&id));
        let root = before.map(|of| (of.root, of.reply_count + roots.get(&of.root).copied().unwrap_or(0)));
        event.live = Some(events::posted(&one.view, root.map(|(id, count)| (id, count, now))));
    }
    tx.publish(committed);
    rows::insert_messages(tx, fresh).await?;
    fresh.iter().for_each(|one| tx.index(Kind::Message, one.view.id.0));
    rows::move_rooms(tx, fresh).await?;
    rows::count_replies(tx, &roots).await?;
    rows::adopt_files(tx, fresh).await?;
    for member in rows::move_markers(tx, fresh, grounds).await? {
        tx.after(After::Follows(member));
    }
    let told: Vec<Told> = fresh.iter().filter_map(|one| told(one, grounds)).collect();
    if !told.is_empty() {
        tx.enqueue("chat.notify", &Notify { messages: told }).await?;
    }
    Ok(())
}

/// Whether somebody is to hear of a message by name.
fn told(one: &Fresh<'_>, grounds: &HashMap<(i64, i64), Ground>) -> Option<Told> {
    let ground = grounds.get(&(one.outgoing.room, one.outgoing.member))?;
    let mentions = &one.outgoing.written.mentions;
    let everybody = mentions.iter().any(|handle| handle == "room") && ground.room.standing.moderates();
    let direct = ground.room.space_id.is_none();
    (direct || !mentions.is_empty()).then(|| Told { message: one.view.id.0, mentions: mentions.clone(), everybody })
}
