//! The data of a topic's events, from the rows as they now are: the same for live readers and
//! replays. What is deleted, hidden or purged comes with empty texts.
//!
//! Data is absolute: `post.*` is the post; `reaction.*` has the post's reactions, `answer.*` the
//! topic's answers, `endorsement.*` the post's endorsements, `topic.changed` the topic's row.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};

use super::model::{PostView, TopicRow};
use super::queries::{answer_ids, posts_by_ids, topics_by_ids};
use crate::store::Id;
use crate::streams::Committed;
use crate::web::error::Result;

/// Ids in one statement.
const BATCH: usize = 500;

/// Data of events of `topic:` streams: at most four statements for 500 subjects.
pub async fn fill_events(db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    let about_topics = |event: &&Committed| event.kind.starts_with("topic.");
    let posts = load_posts(db, &subjects(events.iter().filter(|event| !about_topics(event)))).await?;
    let topics = topic_rows(db, &subjects(events.iter().filter(about_topics))).await?;
    let answered: HashSet<i64> =
        events.iter().filter(|event| event.kind.starts_with("answer.")).map(|event| event.stream.id).collect();
    let answers = answer_ids(db, &answered.into_iter().collect::<Vec<_>>()).await?;
    let none = Vec::new();
    events
        .iter()
        .map(|event| {
            if event.kind.starts_with("topic.") {
                return topic_data(event.subject, topics.get(&event.subject));
            }
            let Some(post) = posts.get(&event.subject) else {
                return Ok(json!({"id": Id(event.subject), "deleted": true}));
            };
            let answers = answers.get(&event.stream.id).unwrap_or(&none);
            post_data(event, post, answers)
        })
        .collect()
}

/// Rows of topics by id, in batches.
async fn topic_rows(db: &impl ConnectionTrait, ids: &[i64]) -> Result<HashMap<i64, TopicRow>> {
    let mut rows = HashMap::new();
    for batch in ids.chunks(BATCH) {
        rows.extend(topics_by_ids(db, batch).await?.into_iter().map(|row| (row.id.0, row)));
    }
    Ok(rows)
}

async fn load_posts(db: &impl ConnectionTrait, ids: &[i64]) -> Result<HashMap<i64, PostView>> {
    let mut posts = HashMap::new();
    for batch in ids.chunks(BATCH) {
        posts.extend(posts_by_ids(db, batch).await?.into_iter().map(|post| (post.id.0, post)));
    }
    Ok(posts)
}

fn subjects<'a>(events: impl Iterator<Item = &'a Committed>) -> Vec<i64> {
    let unique: HashSet<i64> = events.map(|event| event.subject).collect();
    unique.into_iter().collect()
}

/// A topic as lists show it; of a deleted or hidden one only that.
pub(super) fn topic_data(id: i64, row: Option<&TopicRow>) -> Result<Value> {
    match row {
        Some(row) if !row.deleted && !row.hidden => Ok(serde_json::to_value(row)?),
        _ => Ok(json!({"id": Id(id), "deleted": true})),
    }
}

fn post_data(event: &Committed, post: &PostView, answers: &[Id]) -> Result<Value> {
    let extra = |name: &str| event.extra.as_ref().and_then(|extra| extra.get(name)).cloned().unwrap_or(Value::Null);
    Ok(match event.kind.split('.').next() {
        Some("reaction") => json!({
            "post_id": post.id,
            "emoji": extra("emoji"),
            "handle": extra("handle"),
            "reactions": post.reactions,
        }),
        Some("endorsement") => json!({
            "post_id": post.id,
            "handle": extra("handle"),
            "endorsements": post.endorsements,
        }),
        Some("answer") => json!({
            "post_id": post.id,
            "is_answer": post.is_answer,
            "answer_ids": answers,
        }),
        _ => serde_json::to_value(post)?,
    })
}
