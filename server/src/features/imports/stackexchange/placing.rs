//! Puts topics with new replies in order and counts them. The order is pure.

use std::collections::HashMap;
use std::fmt::Write as _;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::Run;
use crate::entities::{import_ref, post, topic};
use crate::features::forum::policy::RANK_REPLY;
use crate::features::forum::tree::GAP;
use crate::features::imports::refs;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;

/// Topics that are put in order in one transaction.
const BATCH: u64 = 100;
/// Rows that one statement changes.
const ROWS: usize = 400;

/// Goes through the topics of the dump, also those that an earlier run did not get to.
pub async fn place(run: &Run) -> Result<()> {
    let db = run.state.store.read();
    let mut last = String::new();
    loop {
        let rows: Vec<(String, i64)> = import_ref::Entity::find()
            .select_only()
            .column(import_ref::Column::ExternalId)
            .column(import_ref::Column::LocalId)
            .filter(import_ref::Column::Source.eq(run.source.as_str()))
            .filter(import_ref::Column::Kind.eq(refs::TOPIC))
            .filter(import_ref::Column::ExternalId.gt(last.as_str()))
            .order_by_asc(import_ref::Column::ExternalId)
            .limit(BATCH)
            .into_tuple()
            .all(db)
            .await?;
        let Some((end, _)) = rows.last() else { return Ok(()) };
        last.clone_from(end);
        let open: Vec<i64> = post::Entity::find()
            .select_only()
            .distinct()
            .column(post::Column::TopicId)
            .filter(post::Column::TopicId.is_in(rows.iter().map(|(_, id)| *id)))
            .filter(post::Column::TreePos.lt(0))
            .into_tuple()
            .all(db)
            .await?;
        if !open.is_empty() {
            run.state.store.write(async move |tx| put_in_order(tx, &open).await).await?;
        }
    }
}

/// What the order needs to know of a post.
#[derive(Clone, Copy, Debug)]
struct Node {
    id: i64,
    parent: Option<i64>,
    author: i64,
    created: i64,
    is_new: bool,
    accepted: bool,
}

async fn put_in_order(tx: &mut Tx, topics: &[i64]) -> Result<()> {
    // Locks the topics, so that nobody replies in between.
    topic::Entity::update_many()
        .col_expr(topic::Column::Version, Expr::col(topic::Column::Version))
        .filter(topic::Column::Id.is_in(topics.iter().copied()))
        .exec(tx.conn())
        .await?;
    let activity: Vec<(i64, i64)> = topic::Entity::find()
        .select_only()
        .column(topic::Column::Id)
        .column(topic::Column::ActivityAt)
        .filter(topic::Column::Id.is_in(topics.iter().copied()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut nodes = read(tx, topics).await?;
    let (mut places, mut counts) = (Vec::new(), Vec::new());
    for (id, activity) in activity {
        let nodes = nodes.remove(&id).unwrap_or_default();
        let answers = nodes.iter().filter(|node| node.is_new && node.accepted).count();
        let new = nodes.iter().filter(|node| node.is_new).count();
        let newest = nodes
            .iter()
            .filter(|node| node.is_new && node.created >= activity)
            .max_by_key(|node| (node.created, node.id));
        counts.push(Counted { id, new, answers, newest: newest.copied() });
        places.extend(order(&nodes));
        tx.append(Stream::topic(id), NewEvent::new("topic.changed", id, None));
    }
    for chunk in places.chunks(ROWS) {
        let mut sql = String::from("WITH v(id, pos, replies) AS (VALUES ");
        for (index, (id, pos, replies)) in chunk.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _written = write!(sql, "{comma}({id}, {pos}, {replies})");
        }
        sql.push_str(
            ") UPDATE post SET tree_pos = v.pos, reply_count = post.reply_count + v.replies FROM v WHERE post.id = v.id",
        );
        // Numbers alone, and a text that comes once: nothing to bind, nothing to keep prepared.
        tx.conn().execute_unprepared(&sql).await?;
    }
    for of in counts {
        count(tx, &of).await?;
    }
    Ok(())
}

async fn read(tx: &Tx, topics: &[i64]) -> Result<HashMap<i64, Vec<Node>>> {
    type Columns = (i64, i64, Option<i64>, i64, i64, i64, Option<i64>);
    let rows: Vec<Columns> = post::Entity::find()
        .select_only()
        .column(post::Column::TopicId)
        .column(post::Column::Id)
        .column(post::Column::ParentId)
        .column(post::Column::AuthorId)
        .column(post::Column::CreatedAt)
        .column(post::Column::TreePos)
        .column(post::Column::AnswerAt)
        .filter(post::Column::TopicId.is_in(topics.iter().copied()))
        .filter(post::Column::IsFirst.eq(false))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut nodes: HashMap<i64, Vec<Node>> = HashMap::new();
    for (topic, id, parent, author, created, pos, answer) in rows {
        let node = Node { id, parent, author, created, is_new: pos < 0, accepted: answer.is_some() };
        nodes.entry(topic).or_default().push(node);
    }
    Ok(nodes)
}

/// Depth first, siblings oldest first: id, place, and how many new replies it has.
fn order(nodes: &[Node]) -> Vec<(i64, i64, usize)> {
    let known: HashMap<i64, ()> = nodes.iter().map(|node| (node.id, ())).collect();
    let mut below: HashMap<Option<i64>, Vec<Node>> = HashMap::new();
    for node in nodes {
        let parent = node.parent.filter(|parent| known.contains_key(parent));
        below.entry(parent).or_default().push(*node);
    }
    for siblings in below.values_mut() {
        // The stack below takes from the end.
        siblings.sort_by_key(|node| std::cmp::Reverse((node.created, node.id)));
    }
    let mut stack = below.remove(&None).unwrap_or_default();
    let mut places = Vec::with_capacity(nodes.len());
    let mut pos = 0;
    while let Some(node) = stack.pop() {
        pos += GAP;
        let replies = below.remove(&Some(node.id)).unwrap_or_default();
        places.push((node.id, pos, replies.iter().filter(|reply| reply.is_new).count()));
        stack.extend(replies);
    }
    places
}

/// What a topic gains.
#[derive(Debug)]
struct Counted {
    id: i64,
    new: usize,
    answers: usize,
    newest: Option<Node>,
}

async fn count(tx: &Tx, of: &Counted) -> Result<()> {
    let more = |column: topic::Column, by: usize| Expr::col(column).add(i32::try_from(by).unwrap_or(0));
    let rank = RANK_REPLY.saturating_mul(i32::try_from(of.new).unwrap_or(0));
    let mut update = topic::Entity::update_many()
        .col_expr(topic::Column::PostCount, more(topic::Column::PostCount, of.new))
        // As for replies written here.
        .col_expr(topic::Column::Rank, Expr::col(topic::Column::Rank).add(rank))
        .col_expr(topic::Column::AnswerCount, more(topic::Column::AnswerCount, of.answers));
    if let Some(newest) = of.newest {
        update = update
            .col_expr(topic::Column::ActivityAt, Expr::value(newest.created))
            .col_expr(topic::Column::LastPostId, Expr::value(newest.id))
            .col_expr(topic::Column::LastAuthorId, Expr::value(newest.author));
    }
    update.filter(topic::Column::Id.eq(of.id)).exec(tx.conn()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{GAP, Node, order};

    fn node(id: i64, parent: Option<i64>, created: i64) -> Node {
        Node { id, parent, author: 1, created, is_new: id != 9, accepted: false }
    }

    #[test]
    fn depth_first_and_oldest_first() {
        let nodes =
            [node(4, Some(1), 40), node(2, None, 20), node(3, Some(1), 15), node(1, None, 10), node(9, Some(3), 50)];
        let places = order(&nodes);
        let ids: Vec<i64> = places.iter().map(|place| place.0).collect();
        assert_eq!(ids, [1, 3, 9, 4, 2]);
        assert_eq!(places[0], (1, GAP, 2));
        // The reply that was there before is already counted.
        assert_eq!(places[1], (3, 2 * GAP, 0));
    }
}
