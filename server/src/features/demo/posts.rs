//! The invented threads.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, EntityTrait};

use super::content::{Content, Marks, Reply, Thread};
use super::{Html, Ids, id_of};
use crate::entities::{endorsement, post, reaction, tag, topic, topic_tag};
use crate::features::forum::model::ReactionView;
use crate::features::forum::policy::{RANK_ENDORSEMENT, RANK_REACTION, parse_emoji, rank_of};
use crate::features::forum::tree::GAP;
use crate::ports::clock::{DAY, HOUR, MINUTE};
use crate::search::Kind;
use crate::store::Tx;
use crate::web::error::Result;

/// Writes every thread with its replies and what was put to them.
pub async fn threads(tx: &mut Tx, content: &Content, html: &Html, members: &Ids, spaces: &Ids) -> Result<()> {
    let mut uses: BTreeMap<(i64, &str), i32> = BTreeMap::new();
    for thread in &content.threads {
        let space = id_of(spaces, &thread.space)?;
        write_thread(tx, thread, html, members, space).await?;
        for name in &thread.tags {
            *uses.entry((space, name)).or_default() += 1;
        }
    }
    let rows = uses.into_iter().map(|((space, name), count)| tag::ActiveModel {
        space_id: Set(space),
        name: Set(name.to_owned()),
        topic_count: Set(count),
    });
    tag::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// A post of a thread with its place.
struct Placed<'a> {
    id: i64,
    author: i64,
    created: i64,
    parent: Option<usize>,
    depth: i32,
    pos: i64,
    children: i32,
    reply: &'a Reply,
}

async fn write_thread(tx: &mut Tx, thread: &Thread, html: &Html, members: &Ids, space: i64) -> Result<()> {
    let (id, first, now) = (tx.id(), tx.id(), tx.now());
    let author = id_of(members, &thread.author)?;
    let created = now - thread.days * DAY - 7 * MINUTE;
    let placed = place(tx, thread, members, created)?;
    let last = placed.iter().max_by_key(|post| post.created);
    let answers = count(thread.replies.iter().filter(|reply| reply.answer).count());
    let endorsed = thread.marks.endorsed.len() + placed.iter().map(|of| of.reply.marks.endorsed.len()).sum::<usize>();
    let rank = rank_of(count(placed.len()), answers)
        + RANK_ENDORSEMENT * count(endorsed)
        + RANK_REACTION * count(thread.marks.reactions.values().map(Vec::len).sum());
    let row = topic::ActiveModel {
        id: Set(id),
        space_id: Set(space),
        author_id: Set(author),
        kind: Set(thread.kind),
        title: Set(thread.title.clone()),
        first_post_id: Set(first),
        post_count: Set(count(placed.len())),
        answer_count: Set(answers),
        score: Set(0),
        rank: Set(rank),
        created_at: Set(created),
        activity_at: Set(last.map_or(created, |last| last.created)),
        last_post_id: Set(last.map(|last| last.id)),
        last_author_id: Set(last.map(|last| last.author)),
        pinned_at: Set(thread.pinned.then_some(created)),
        closed_at: Set(thread.closed.then_some(created + 14 * DAY)),
        closed_by: Set(thread.closed.then_some(author)),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        version: Set(1),
    };
    topic::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    tx.index_with_inside(Kind::Topic, id);
    let mut rows = vec![post::ActiveModel {
        id: Set(first),
        topic_id: Set(id),
        parent_id: Set(None),
        author_id: Set(author),
        is_first: Set(true),
        ..blank(&thread.body, html, &thread.marks, created)?
    }];
    for of in &placed {
        let accepted = of.reply.answer.then_some(of.created + HOUR);
        rows.push(post::ActiveModel {
            id: Set(of.id),
            topic_id: Set(id),
            parent_id: Set(of.parent.and_then(|index| placed.get(index)).map(|parent| parent.id)),
            author_id: Set(of.author),
            depth: Set(of.depth),
            tree_pos: Set(of.pos),
            answer_at: Set(accepted),
            answer_by: Set(accepted.map(|_| author)),
            reply_count: Set(of.children),
            ..blank(&of.reply.body, html, &of.reply.marks, of.created)?
        });
    }
    post::Entity::insert_many(rows).exec_without_returning(tx.conn()).await?;
    let tags = thread.tags.iter().map(|name| topic_tag::ActiveModel { topic_id: Set(id), tag: Set(name.clone()) });
    topic_tag::Entity::insert_many(tags).exec_without_returning(tx.conn()).await?;
    mark(tx, first, &thread.marks, members, created).await?;
    for of in &placed {
        mark(tx, of.id, &of.reply.marks, members, of.created).await?;
    }
    Ok(())
}

/// Gives every reply its place, depth first.
fn place<'a>(tx: &Tx, thread: &'a Thread, members: &Ids, opened: i64) -> Result<Vec<Placed<'a>>> {
    let mut placed: Vec<Placed<'a>> = Vec::with_capacity(thread.replies.len());
    for (index, reply) in thread.replies.iter().enumerate() {
        let parent = reply.under.map(|number| number.saturating_sub(1)).filter(|parent| *parent < index);
        let depth = parent.and_then(|parent| placed.get(parent)).map_or(0, |parent| parent.depth + 1);
        if let Some(parent) = parent.and_then(|parent| placed.get_mut(parent)) {
            parent.children += 1;
        }
        let (author, created) = (id_of(members, &reply.by)?, opened + reply.hours * HOUR);
        placed.push(Placed { id: tx.id(), author, created, parent, depth, pos: 0, children: 0, reply });
    }
    let below = |of: Option<usize>| -> Vec<usize> {
        let mut found: Vec<usize> =
            (0..placed.len()).filter(|index| placed.get(*index).is_some_and(|p| p.parent == of)).collect();
        // The stack takes from the end: the youngest first.
        found.sort_by_key(|index| std::cmp::Reverse(placed.get(*index).map(|p| p.created)));
        found
    };
    let (mut stack, mut order) = (below(None), Vec::new());
    while let Some(index) = stack.pop() {
        order.push(index);
        stack.extend(below(Some(index)));
    }
    for (pos, index) in (1_i64..).zip(order) {
        if let Some(post) = placed.get_mut(index) {
            post.pos = pos * GAP;
        }
    }
    Ok(placed)
}

/// A post with its text and what was put to it; the opening text of a topic but for its ids.
fn blank(body: &str, html: &Html, marks: &Marks, created: i64) -> Result<post::ActiveModel> {
    let body = body.trim();
    let mut reactions = Vec::new();
    for (emoji, members) in &marks.reactions {
        reactions.push(ReactionView { emoji: parse_emoji(emoji)?, count: i64::from(count(members.len())) });
    }
    Ok(post::ActiveModel {
        is_first: Set(false),
        depth: Set(0),
        tree_pos: Set(0),
        body: Set(body.to_owned()),
        body_html: Set(html.of(body)),
        score: Set(0),
        created_at: Set(created),
        edited_at: Set(None),
        answer_at: Set(None),
        answer_by: Set(None),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        purged_at: Set(None),
        reactions: Set(serde_json::to_string(&reactions)?),
        endorsement_count: Set(count(marks.endorsed.len())),
        reply_count: Set(0),
        revision_count: Set(0),
        source_url: Set(None),
        source_author: Set(None),
        version: Set(1),
        ..Default::default()
    })
}

/// The rows behind the counts.
async fn mark(tx: &Tx, post: i64, marks: &Marks, members: &Ids, created: i64) -> Result<()> {
    for (minutes, handle) in (20_i64..).zip(&marks.endorsed) {
        let row = endorsement::ActiveModel {
            post_id: Set(post),
            member_id: Set(id_of(members, handle)?),
            created_at: Set(created + minutes * MINUTE),
        };
        endorsement::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    }
    for (emoji, handles) in &marks.reactions {
        for (minutes, handle) in (5_i64..).zip(handles) {
            let row = reaction::ActiveModel {
                post_id: Set(post),
                emoji: Set(parse_emoji(emoji)?),
                member_id: Set(id_of(members, handle)?),
                created_at: Set(created + minutes * MINUTE),
            };
            reaction::Entity::insert(row).exec_without_returning(tx.conn()).await?;
        }
    }
    Ok(())
}

fn count(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}
