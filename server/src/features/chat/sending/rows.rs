//! The rows that a batch of messages writes: a table at a time, up to 256 rows in a statement.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::batch::{Fresh, Ground};
use crate::store::{MOST_ROWS, Sql, Tx, few_sizes, insert_rows};
use crate::web::error::Result;

pub(super) async fn insert_messages(tx: &Tx, fresh: &[Fresh<'_>]) -> Result<()> {
    let rows = fresh
        .iter()
        .map(|one| {
            let view = &one.view;
            [
                view.id.0.into(),
                view.room.0.into(),
                view.seq.into(),
                view.number.into(),
                view.author.id.into(),
                view.client_id.clone().into(),
                view.body.clone().into(),
                view.body_html.clone().into(),
                view.reply_to.map(|id| id.0).into(),
                view.thread.map(|id| id.0).into(),
                view.created.into(),
            ]
        })
        .map(|[id, room, seq, number, author, client, body, html, reply, thread, at]| {
            // What every new message has alike comes last.
            [
                id,
                room,
                seq,
                number,
                author,
                client,
                body,
                html,
                reply,
                thread,
                at,
                0i32.into(),
                "[]".into(),
                0i32.into(),
                1i32.into(),
            ]
        })
        .collect();
    let insert = "INSERT INTO message (id, room_id, seq, number, author_id, client_id, body, body_html, reply_to, \
         thread_id, created_at, reply_count, reactions, revision_count, version) VALUES ";
    insert_rows(tx.conn(), insert, rows).await
}

pub(super) async fn move_rooms(tx: &Tx, fresh: &[Fresh<'_>]) -> Result<()> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for one in fresh {
        *counts.entry(one.outgoing.room).or_insert(0) += 1;
    }
    let counts: Vec<(i64, i64)> = counts.into_iter().collect();
    for part in counts.chunks(MOST_ROWS) {
        Sql::new("WITH p(id, n) AS (VALUES ")
            .padded_rows(part.iter().map(|(room, count)| [(*room).into(), (*count).into()]).collect())
            .then(") UPDATE room SET message_count = room.message_count + p.n, last_message_at = ")
            .bind(tx.now())
            .then(" FROM p WHERE room.id = p.id")
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

pub(super) async fn count_replies(tx: &Tx, roots: &BTreeMap<i64, i32>) -> Result<()> {
    let roots: Vec<(&i64, &i32)> = roots.iter().collect();
    for part in roots.chunks(MOST_ROWS) {
        Sql::new("WITH p(id, n) AS (VALUES ")
            .padded_rows(part.iter().map(|(root, count)| [(**root).into(), (**count).into()]).collect())
            .then(") UPDATE message SET reply_count = message.reply_count + p.n, last_reply_at = ")
            .bind(tx.now())
            .then(" FROM p WHERE message.id = p.id")
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

/// Uploads of their authors that new messages show become readable with them.
pub(super) async fn adopt_files(tx: &Tx, fresh: &[Fresh<'_>]) -> Result<()> {
    let mut files: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for one in fresh {
        for file in crate::features::people::linked_files(&one.view.body_html) {
            files.entry(file).or_insert((one.view.id.0, one.outgoing.member));
        }
    }
    crate::features::people::adopt_into_messages(tx, &files).await
}

/// Who writes follows the room, and has read it so far if they had before. Returns who follows
/// a room that they did not.
pub(super) async fn move_markers(
    tx: &Tx,
    fresh: &[Fresh<'_>],
    grounds: &HashMap<(i64, i64), Ground>,
) -> Result<BTreeSet<i64>> {
    let mut moved: BTreeMap<(i64, i64), (i64, i64)> = BTreeMap::new();
    let mut new = BTreeSet::new();
    for one in fresh {
        let key = (one.outgoing.member, one.outgoing.room);
        let before = grounds.get(&(one.outgoing.room, one.outgoing.member)).and_then(|ground| ground.room.mine);
        let read = moved.get(&key).map(|(_, count)| *count).or(before.map(|mine| mine.read_count));
        if read.is_none_or(|count| count == one.view.number - 1) {
            moved.insert(key, (one.view.seq, one.view.number));
        }
        if before.is_none() {
            new.insert(one.outgoing.member);
        }
    }
    for part in few_sizes(moved.into_iter().collect()) {
        let rows = part.into_iter().map(|((member, room), (seq, count))| {
            let (none, no) = (0i32, false);
            [member.into(), room.into(), seq.into(), count.into(), none.into(), no.into(), no.into(), tx.now().into()]
        });
        Sql::new(
            "INSERT INTO room_member (member_id, room_id, read_seq, read_count, mention_count, muted, favourite, \
             joined_at) VALUES ",
        )
        .rows(rows)
        .then(" ON CONFLICT (member_id, room_id) DO UPDATE SET read_seq = excluded.read_seq, ")
        .then("read_count = excluded.read_count WHERE room_member.read_seq < excluded.read_seq")
        .run(tx.conn())
        .await?;
    }
    Ok(new)
}
