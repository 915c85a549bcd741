//! Whom to tell of a message: who was named, who it was written to.
//!
//! Invariant: nobody hears of a message that they could not open, or of one by somebody they
//! block; the rows at the time of the job decide.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::ground;
use super::sending::MAY_READ;
use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::features::notices::{self, NewNotice};
use crate::store::{After, Sql, Tx};
use crate::web::error::Result;

/// Followers that are told in one transaction.
const PAGE: i64 = 500;
/// Rows of one statement.
const CHUNK: usize = 256;

/// The job `chat.notify`: one for all messages of a commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notify {
    pub messages: Vec<Told>,
}

/// A message and whom it names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub message: i64,
    /// Handles as written.
    pub mentions: Vec<String>,
    /// A moderator named the whole room.
    pub everybody: bool,
}

/// A message somebody is told of.
#[derive(Clone, Copy, Debug)]
struct News {
    message: i64,
    room: i64,
    author: i64,
    seq: i64,
    number: i64,
    member: i64,
}

const FROM_MESSAGE: &str = " JOIN room r ON r.id = g.room_id LEFT JOIN space s ON s.id = r.space_id ";
const COLUMNS: &str = "g.id AS message, g.room_id, g.author_id, g.seq, g.number, m.id AS member";
const TELLABLE: &str = " AND g.deleted_at IS NULL AND m.state = 'active' AND m.id <> g.author_id AND NOT EXISTS \
    (SELECT 1 FROM member_block b WHERE b.member_id = m.id AND b.blocked_id = g.author_id) AND ";

pub(super) async fn run(state: &AppState, notify: Notify) -> Result<()> {
    let mut told = mentioned(state, &notify).await?;
    let named: HashSet<(i64, i64)> = told.iter().map(|news| (news.message, news.member)).collect();
    send(state, std::mem::take(&mut told), NoticeKind::Mention).await?;
    send(state, written_to(state, &notify).await?, NoticeKind::Direct).await?;
    for of in notify.messages.iter().filter(|of| of.everybody) {
        let mut after = 0;
        loop {
            let page = followers(state, of.message, after).await?;
            let Some(last) = page.last() else { break };
            after = last.member;
            let new = page.into_iter().filter(|news| !named.contains(&(news.message, news.member))).collect();
            send(state, new, NoticeKind::Mention).await?;
        }
    }
    Ok(())
}

async fn send(state: &AppState, news: Vec<News>, kind: NoticeKind) -> Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    state
        .store
        .write(async move |tx| {
            let may = if kind == NoticeKind::Mention {
                let mut rooms: Vec<i64> = news.iter().map(|of| of.room).collect();
                rooms.sort_unstable();
                rooms.dedup();
                ground::lock(tx, &rooms, &[]).await?;
                Some(still_told(tx, &news).await?)
            } else {
                None
            };
            let all: Vec<NewNotice> = news
                .iter()
                .filter(|of| may.as_ref().is_none_or(|may| may.contains(&(of.member, of.message))))
                .map(|of| NewNotice {
                    member: of.member,
                    kind,
                    actor: of.author,
                    subject: of.message,
                    room: Some(of.room),
                    topic: None,
                    resource: None,
                    study: None,
                })
                .collect();
            let told: HashSet<(i64, i64)> = notices::tell(tx, &all).await?.into_iter().collect();
            hold_markers(tx, &news).await?;
            read_already(tx, &told).await?;
            if kind == NoticeKind::Mention {
                count(tx, news.iter().filter(|of| told.contains(&(of.member, of.message)))).await?;
            }
            Ok(())
        })
        .await
}

/// Member and message of those who may still hear of it, asked again with their rooms locked: who was
/// taken out or left while this job was on its way is not told, and does not come back by being named.
async fn still_told(tx: &Tx, news: &[News]) -> Result<HashSet<(i64, i64)>> {
    let mut may = HashSet::new();
    for chunk in news.chunks(CHUNK) {
        let rows = Sql::new("WITH p(message_id, member_id) AS (VALUES ")
            .padded_rows(chunk.iter().map(|of| [of.message.into(), of.member.into()]).collect())
            .then(") SELECT ")
            .then(COLUMNS)
            .then(" FROM p JOIN message g ON g.id = p.message_id JOIN member m ON m.id = p.member_id")
            .then(FROM_MESSAGE)
            .then("WHERE r.kind <> 'direct'")
            .then(TELLABLE)
            .then(MAY_READ)
            .all(tx.conn())
            .await?;
        for row in &rows {
            let of = read(row)?;
            may.insert((of.member, of.message));
        }
    }
    Ok(may)
}

/// Waits for whoever is just reading there: either they see the notices that were made here, or it is seen
/// here how far they have read.
async fn hold_markers(tx: &Tx, news: &[News]) -> Result<()> {
    for chunk in news.chunks(CHUNK) {
        Sql::new("UPDATE room_member SET read_seq = read_seq WHERE member_id IN ")
            .list(chunk.iter().map(|of| of.member))
            .then(" AND room_id IN ")
            .list(chunk.iter().map(|of| of.room))
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

/// Whoever has read as far as the message while this job waited is told of nothing new.
async fn read_already(tx: &Tx, told: &HashSet<(i64, i64)>) -> Result<()> {
    let pairs: Vec<&(i64, i64)> = told.iter().collect();
    for chunk in pairs.chunks(CHUNK) {
        Sql::new("UPDATE notice SET read_at = ")
            .bind(tx.now())
            .then(" WHERE read_at IS NULL AND member_id IN ")
            .list(chunk.iter().map(|(member, _)| *member))
            .then(" AND subject_id IN ")
            .list(chunk.iter().map(|(_, message)| *message))
            .then(
                " AND EXISTS (SELECT 1 FROM message g JOIN room_member rm ON rm.room_id = g.room_id WHERE g.id =                  notice.subject_id AND rm.member_id = notice.member_id AND rm.read_seq >= g.seq)",
            )
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

/// Raises the counts of mentions; whoever is named in an open room follows it from there on. Nobody
/// is let into a private one by that: there only those who are in it count.
async fn count(tx: &mut Tx, news: impl Iterator<Item = &News>) -> Result<()> {
    let mut counts: BTreeMap<(i64, i64), (i64, i64, i32)> = BTreeMap::new();
    for of in news {
        let count = counts.entry((of.member, of.room)).or_insert((of.seq, of.number, 0));
        *count = (count.0.min(of.seq), count.1.min(of.number), count.2 + 1);
    }
    if counts.is_empty() {
        return Ok(());
    }
    let rows: Vec<[sea_orm::Value; 5]> = counts
        .iter()
        .map(|((member, room), (seq, number, count))| {
            let (seq, number) = (seq - 1, number - 1);
            [(*member).into(), (*room).into(), seq.into(), number.into(), (*count).into()]
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        Sql::new("WITH p(member_id, room_id, seq, number, mentions) AS (VALUES ")
            .rows(chunk.iter().cloned())
            .then(
                ") INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, favourite, \
                 joined_at) SELECT p.member_id, p.room_id, p.seq, p.number, p.mentions, ",
            )
            .bind(false)
            .then(", ")
            .bind(false)
            .then(", ")
            .bind(tx.now())
            .then(
                " FROM p JOIN room r ON r.id = p.room_id WHERE (r.kind = 'open' OR EXISTS (SELECT 1 FROM room_member y \
                 WHERE y.room_id = p.room_id AND y.member_id = p.member_id))",
            )
            .then(" ON CONFLICT (member_id, room_id) DO UPDATE SET mention_count = room_member.mention_count + ")
            .then("excluded.mention_count WHERE room_member.read_seq <= excluded.read_seq")
            .run(tx.conn())
            .await?;
    }
    for (member, _) in counts.into_keys() {
        tx.after(After::Follows(member));
    }
    Ok(())
}

/// Who is named and may read it; a direct conversation tells its people anyway.
async fn mentioned(state: &AppState, notify: &Notify) -> Result<Vec<News>> {
    let pairs: Vec<[sea_orm::Value; 2]> = notify
        .messages
        .iter()
        .flat_map(|of| of.mentions.iter().map(|handle| [of.message.into(), handle.as_str().into()]))
        .collect();
    let mut news = HashMap::new();
    for chunk in pairs.chunks(1000) {
        let rows = Sql::new("WITH p(message_id, handle) AS (VALUES ")
            .rows(chunk.iter().cloned())
            .then(") SELECT ")
            .then(COLUMNS)
            .then(" FROM p JOIN message g ON g.id = p.message_id JOIN member m ON m.handle = p.handle")
            .then(FROM_MESSAGE)
            .then("WHERE r.kind <> 'direct'")
            .then(TELLABLE)
            .then(MAY_READ)
            .all(state.store.read())
            .await?;
        for row in &rows {
            let of = read(row)?;
            // `@anna-` may mean two handles that are one member.
            news.insert((of.message, of.member), of);
        }
    }
    Ok(news.into_values().collect())
}

/// The other people of direct conversations, unless they muted it.
async fn written_to(state: &AppState, notify: &Notify) -> Result<Vec<News>> {
    let rows = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM message g")
        .then(FROM_MESSAGE)
        .then("JOIN room_member rm ON rm.room_id = r.id JOIN member m ON m.id = rm.member_id WHERE r.kind = 'direct'")
        .then(" AND NOT rm.muted AND g.id IN ")
        .padded_list(notify.messages.iter().map(|of| of.message).collect())
        .then(TELLABLE)
        .then("1 = 1")
        .all(state.store.read())
        .await?;
    rows.iter().map(read).collect()
}

/// Those who follow a message's room and did not mute it, behind a member.
async fn followers(state: &AppState, message: i64, after: i64) -> Result<Vec<News>> {
    let rows = Sql::new("SELECT ")
        .then(COLUMNS)
        .then(" FROM message g")
        .then(FROM_MESSAGE)
        .then("JOIN room_member rm ON rm.room_id = r.id JOIN member m ON m.id = rm.member_id WHERE r.kind <> 'direct'")
        .then(" AND NOT rm.muted AND g.id = ")
        .bind(message)
        .then(" AND rm.member_id > ")
        .bind(after)
        .then(TELLABLE)
        .then(MAY_READ)
        .then(" ORDER BY rm.member_id")
        .limit(PAGE)
        .all(state.store.read())
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &sea_orm::QueryResult) -> Result<News> {
    Ok(News {
        message: row.try_get("", "message")?,
        room: row.try_get("", "room_id")?,
        author: row.try_get("", "author_id")?,
        seq: row.try_get("", "seq")?,
        number: row.try_get("", "number")?,
        member: row.try_get("", "member")?,
    })
}
