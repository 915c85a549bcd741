//! Messages of a room that the caller has found for its viewer.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::rooms::{FoundRoom, find_room};
use super::rows::{MESSAGE, message};
use crate::app::AppState;
use crate::features::chat::model::{MessageRevision, MessageView, MessagesPage};
use crate::features::forum::AUTHOR;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Me;

/// Where a page of messages begins or ends, by `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The newest.
    Newest,
    /// Those older than this.
    Before(i64),
    /// Those newer than this.
    After(i64),
    /// This one in the middle.
    Around(i64),
}

/// Which messages of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// The main column: those that are in no thread.
    Roots,
    /// A thread: its root and what hangs on it.
    Thread(i64),
}

/// A part of a room's messages, ascending: one statement, `Around` two. Its head is that of the room as it was
/// found: what came since may be in the part, and comes again to whoever reads on from there.
pub async fn messages(
    state: &AppState,
    of: &FoundRoom,
    which: Which,
    bound: Bound,
    limit: u64,
) -> Result<MessagesPage> {
    let (db, room, head) = (state.store.read(), of.ground.id, of.head);
    let (older, newer) = match bound {
        Bound::Newest => (side(db, room, which, i64::MAX, true, limit).await?, Side::default()),
        Bound::Before(seq) => {
            let newer = Side { items: Vec::new(), more: seq <= head };
            (side(db, room, which, seq, true, limit).await?, newer)
        }
        Bound::After(seq) => {
            let older = Side { items: Vec::new(), more: seq > 0 };
            (older, side(db, room, which, seq, false, limit).await?)
        }
        Bound::Around(seq) => {
            let before = limit / 2 + 1;
            let older = side(db, room, which, seq.saturating_add(1), true, before).await?;
            (older, side(db, room, which, seq, false, limit.saturating_sub(before)).await?)
        }
    };
    let next_cursor = match bound {
        Bound::After(_) => newer.items.last().filter(|_| newer.more).map(|last| cursor("a", last.seq)),
        _ => older.items.last().filter(|_| older.more).map(|first| cursor("b", first.seq)),
    };
    let mut items = older.items;
    items.reverse();
    items.extend(newer.items);
    Ok(MessagesPage {
        items,
        next_cursor,
        head,
        epoch: state.epoch.to_string(),
        more_before: older.more,
        more_after: newer.more,
    })
}

fn cursor(direction: &str, seq: i64) -> String {
    format!("{direction}{seq}")
}

impl Bound {
    /// The bound that a `next_cursor` of [`messages`] stands for.
    pub fn of_cursor(text: &str) -> Result<Self> {
        let wrong = || AppError::field("cursor", "is not one of this list");
        let (direction, seq) = text.split_at_checked(1).ok_or_else(wrong)?;
        let seq = seq.parse().map_err(|_| wrong())?;
        match direction {
            "a" => Ok(Self::After(seq)),
            "b" => Ok(Self::Before(seq)),
            _ => Err(wrong()),
        }
    }
}

/// Messages on one side of a bound, the nearest first.
#[derive(Default)]
struct Side {
    items: Vec<MessageView>,
    more: bool,
}

async fn side(db: &impl ConnectionTrait, room: i64, which: Which, seq: i64, back: bool, limit: u64) -> Result<Side> {
    let rows = side_of(room, which, seq, back, limit).all(db).await?;
    let mut items = rows.iter().map(message).collect::<Result<Vec<_>>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Side { items, more })
}

/// The statement of a side: it starts at a place in an index of just these messages, and reads no
/// more of it than it shows, however many others the room has.
fn side_of(room: i64, which: Which, seq: i64, back: bool, limit: u64) -> Sql {
    let (sign, order) = if back { ("seq < ", " DESC") } else { ("seq > ", "") };
    let most = one_more(limit);
    let sql = match which {
        Which::All => select().then(" WHERE m.room_id = ").bind(room),
        Which::Roots => select().then(" WHERE m.thread_id IS NULL AND m.room_id = ").bind(room),
        // The root is not in the index of its thread. CROSS: SQLite, too, takes these ids first.
        Which::Thread(root) => columns()
            .then(" FROM (SELECT id FROM (SELECT id FROM message WHERE thread_id = ")
            .bind(root)
            .then(" AND ")
            .then(sign)
            .bind(seq)
            .then(" ORDER BY seq")
            .then(order)
            .limit(most)
            .then(") t UNION ALL SELECT id FROM message WHERE id = ")
            .bind(root)
            .then(") x CROSS JOIN message m JOIN member a ON a.id = m.author_id WHERE m.id = x.id AND m.room_id = ")
            .bind(room),
    };
    sql.then(" AND m.").then(sign).bind(seq).then(" ORDER BY m.seq").then(order).limit(most)
}

fn one_more(limit: u64) -> i64 {
    i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)
}

fn columns() -> Sql {
    Sql::new("SELECT ").then(MESSAGE).then(", ").then(AUTHOR)
}

fn select() -> Sql {
    columns().then(" FROM message m JOIN member a ON a.id = m.author_id")
}

/// Messages by id, in any order, whoever asks.
pub(in crate::features::chat) async fn messages_by_ids(
    db: &impl ConnectionTrait,
    ids: &[i64],
) -> Result<Vec<MessageView>> {
    let rows = select().then(" WHERE m.id IN ").list(ids.iter().copied()).all(db).await?;
    rows.iter().map(message).collect()
}

/// A message with its room; 404 if it does not exist for the member.
pub async fn find_message(state: &AppState, me: &Me, id: i64) -> Result<(MessageView, FoundRoom)> {
    let view = messages_by_ids(state.store.read(), &[id]).await?.pop().ok_or(AppError::NotFound)?;
    let room = find_room(state, me, view.room.0).await?;
    Ok((view, room))
}

/// The pinned messages of a room, the latest pinned first; at most 100.
pub async fn pins(state: &AppState, room: i64) -> Result<Vec<MessageView>> {
    let rows = select()
        .then(" WHERE m.room_id = ")
        .bind(room)
        .then(" AND m.pinned_at IS NOT NULL AND m.deleted_at IS NULL ORDER BY m.pinned_at DESC, m.id LIMIT 100")
        .all(state.store.read())
        .await?;
    rows.iter().map(message).collect()
}

/// Messages that were written in `[from, to)`, microseconds, in the order of that, behind the one with
/// `seq`; threads too. One more than `limit` says that there are more.
pub async fn day(state: &AppState, room: i64, from: i64, to: i64, seq: i64, limit: u64) -> Result<Vec<MessageView>> {
    let db = state.store.read();
    let mut start = from;
    if seq > 0 {
        let last = Sql::new("SELECT created_at FROM message WHERE room_id = ")
            .bind(room)
            .then(" AND seq <= ")
            .bind(seq)
            .then(" ORDER BY seq DESC LIMIT 1");
        if let Some(row) = last.one(db).await? {
            start = start.max(row.try_get("", "created_at")?);
        }
    }
    let rows = day_of(room, start, to, seq, limit).all(db).await?;
    rows.iter().map(message).collect()
}

fn day_of(room: i64, start: i64, to: i64, seq: i64, limit: u64) -> Sql {
    select()
        .then(" WHERE m.room_id = ")
        .bind(room)
        .then(" AND m.created_at >= ")
        .bind(start)
        .then(" AND m.created_at < ")
        .bind(to)
        .then(" AND (m.created_at > ")
        .bind(start)
        .then(" OR m.seq > ")
        .bind(seq)
        .then(") ORDER BY m.created_at, m.seq")
        .limit(one_more(limit))
}

/// The first message at or after a time, microseconds: its seq and when it was written.
pub async fn seq_at(state: &AppState, room: i64, at: i64) -> Result<Option<(i64, i64)>> {
    let row = Sql::new("SELECT seq, created_at FROM message WHERE room_id = ")
        .bind(room)
        .then(" AND created_at >= ")
        .bind(at)
        .then(" ORDER BY created_at, seq LIMIT 1")
        .one(state.store.read())
        .await?;
    row.map_or(Ok(None), |row| Ok(Some((row.try_get("", "seq")?, row.try_get("", "created_at")?))))
}

/// The emoji that a member has put to some messages.
pub async fn my_reactions(state: &AppState, me: &Me, messages: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
    let mut mine: HashMap<i64, Vec<String>> = HashMap::new();
    if messages.is_empty() {
        return Ok(mine);
    }
    let rows = Sql::new("SELECT message_id, emoji FROM message_reaction WHERE member_id = ")
        .bind(me.id)
        .then(" AND message_id IN ")
        .list(messages.iter().copied())
        .all(state.store.read())
        .await?;
    for row in rows {
        mine.entry(row.try_get("", "message_id")?).or_default().push(row.try_get("", "emoji")?);
    }
    Ok(mine)
}

/// What a message said before, the newest first. Of a deleted one for moderators alone.
pub async fn revisions(state: &AppState, me: &Me, id: i64, page: &PageQuery) -> Result<Page<MessageRevision>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let (view, room) = find_message(state, me, id).await?;
    if view.deleted && !room.ground.standing.moderates() {
        return Err(AppError::NotFound);
    }
    if view.revision_count == 0 {
        let only =
            MessageRevision { number: 1, body: view.body, editor: view.author.handle, created_at: view.created_at };
        return Ok(Page { items: vec![only], next_cursor: None });
    }
    let below = after.map_or(i32::MAX, |place| i32::try_from(place.id).unwrap_or(0));
    let rows = Sql::new(
        "SELECT r.number, r.body, r.created_at, e.handle FROM message_revision r \
         JOIN member e ON e.id = r.editor_id WHERE r.message_id = ",
    )
    .bind(Id(id).0)
    .then(" AND r.number < ")
    .bind(below)
    .then(" ORDER BY r.number DESC")
    .limit(limit + 1)
    .all(state.store.read())
    .await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(MessageRevision {
            number: row.try_get("", "number")?,
            body: row.try_get("", "body")?,
            editor: row.try_get("", "handle")?,
            created_at: rfc3339(row.try_get("", "created_at")?),
        });
    }
    Ok(Page::cut(items, limit, |of| Place { key: 0, id: i64::from(of.number) }))
}

#[cfg(test)]
mod tests {
    use super::{Which, day_of, side_of};

    /// What is read of messages, whatever is looked up beside them.
    async fn reads(sql: crate::store::Sql, wanted: &str) {
        let plan = sql.plan().await.unwrap();
        assert!(plan.contains(wanted), "{wanted}: {plan}");
        assert!(!plan.contains("SCAN m") && !plan.contains("SCAN message"), "{plan}");
    }

    #[tokio::test]
    async fn a_page_reads_its_own_place_in_an_index() {
        for (back, sign) in [(true, '<'), (false, '>')] {
            reads(side_of(1, Which::All, 9, back, 50), &format!("ux_message_room_id_seq (room_id=? AND seq{sign}?)"))
                .await;
            reads(side_of(1, Which::Roots, 9, back, 50), &format!("ix_message_roots (room_id=? AND seq{sign}?)")).await;
            let thread = side_of(1, Which::Thread(2), 9, back, 50);
            assert!(!thread.clone().plan().await.unwrap().contains("(room_id=?"), "the room is not looked through");
            reads(thread, &format!("ix_message_thread_id_seq (thread_id=? AND seq{sign}?)")).await;
        }
        let day = day_of(1, 2, 3, 4, 200);
        let plan = day.clone().plan().await.unwrap();
        assert!(!plan.contains("TEMP B-TREE"), "a day is not sorted for each of its pages: {plan}");
        reads(day, "ix_message_room_id_created_at_seq (room_id=? AND created_at>? AND created_at<?)").await;
    }
}
