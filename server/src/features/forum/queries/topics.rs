//! Reading one topic, and rows of topics by id.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::posts::opening_and_answers;
use super::rows::{AUTHOR, TOPIC, TOPIC_FROM, topic};
use crate::app::AppState;
use crate::features::forum::model::{TopicRow, TopicView};
use crate::features::spaces::{Access, SpaceInfo};
use crate::store::Id;
use crate::store::Sql;
use crate::streams::Stream;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// A topic as one viewer may see it, and what they may do there.
#[derive(Clone, Debug)]
pub struct Seen {
    pub row: TopicRow,
    pub space: Arc<SpaceInfo>,
    pub access: Access,
    pub first_post_id: i64,
    pub version: i32,
    pub read_seq: Option<i64>,
}

impl Seen {
    #[must_use]
    pub fn moderates(&self) -> bool {
        self.access >= Access::Moderate
    }
}

/// The beginning of every select of topics, with how far `me` has read.
pub(super) fn select(me: Option<i64>) -> Sql {
    let sql = Sql::new("SELECT ").then(TOPIC).then(", ").then(AUTHOR);
    match me {
        Some(me) => sql
            .then(", r.read_at AS r_read_at, r.seq AS r_seq")
            .then(TOPIC_FROM)
            .then(" LEFT JOIN topic_read r ON r.topic_id = t.id AND r.member_id = ")
            .bind(me),
        None => sql.then(", CAST(NULL AS BIGINT) AS r_read_at, CAST(NULL AS BIGINT) AS r_seq").then(TOPIC_FROM),
    }
}

/// The topic if it exists for the viewer, without its tags; 404 else. A deleted or hidden one
/// exists for moderators alone.
pub async fn find_topic(state: &AppState, viewer: &Viewer, id: i64) -> Result<Seen> {
    let me = viewer.member().map(|me| me.id);
    let sql = select(me).then(" WHERE t.id = ").bind(id);
    let row = sql.one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    let (first_post_id, version) = (row.try_get("", "first_post_id")?, row.try_get("", "version")?);
    let read_seq = row.try_get("r_", "seq")?;
    let row = topic(&row, me, state.clock.now())?;
    let (space, access) = state.spaces.find_by_id(state, viewer, row.space_id).await?;
    access.read()?;
    if (row.deleted || row.hidden) && access < Access::Moderate {
        return Err(AppError::NotFound);
    }
    Ok(Seen { row, space, access, first_post_id, version, read_seq })
}

/// A topic with its opening text and its answers. The head is read before the rows, so that events
/// after it lead from this view to the present.
pub async fn topic_view(state: &AppState, viewer: &Viewer, id: i64) -> Result<(TopicView, Seen)> {
    let db = state.store.read();
    let head = state.heads.current(db, Stream::topic(id)).await?;
    let mut seen = find_topic(state, viewer, id).await?;
    seen.row.tags = tags_of(db, &[id]).await?.remove(&id).unwrap_or_default();
    let mut posts = opening_and_answers(db, id, seen.first_post_id).await?.into_iter();
    let opening = posts.next().filter(|post| post.is_first).ok_or(AppError::NotFound)?;
    let answers: Vec<_> = posts.collect();
    let view = TopicView {
        row: seen.row.clone(),
        body: opening.body.clone(),
        body_html: opening.body_html.clone(),
        first_post_id: opening.id,
        answer_ids: answers.iter().map(|post| post.id).collect(),
        stream: Stream::topic(id).to_string(),
        head,
        epoch: state.epoch.to_string(),
        edited_at: opening.edited_at.clone(),
        version: seen.version,
        opening: Some(Box::new(opening)),
        answers,
        space_id: seen.row.space_id,
        read_seq: seen.read_seq,
    };
    Ok((view, seen))
}

/// Tags of topics, in alphabetical order.
pub(in crate::features::forum) async fn tags_of(
    db: &impl ConnectionTrait,
    topics: &[i64],
) -> Result<HashMap<i64, Vec<String>>> {
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    if topics.is_empty() {
        return Ok(tags);
    }
    let rows = Sql::new("SELECT topic_id, tag FROM topic_tag WHERE topic_id IN ")
        .list(topics.iter().copied())
        .then(" ORDER BY topic_id, tag")
        .all(db)
        .await?;
    for row in rows {
        tags.entry(row.try_get("", "topic_id")?).or_default().push(row.try_get("", "tag")?);
    }
    Ok(tags)
}

/// Puts their tags to rows.
pub(super) async fn with_tags(db: &impl ConnectionTrait, mut rows: Vec<TopicRow>) -> Result<Vec<TopicRow>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
    let mut tags = tags_of(db, &ids).await?;
    for row in &mut rows {
        row.tags = tags.remove(&row.id.0).unwrap_or_default();
    }
    Ok(rows)
}

/// Rows of topics by id, for events: whoever reads the stream may see them. In no order.
pub async fn topics_by_ids(db: &impl ConnectionTrait, ids: &[i64]) -> Result<Vec<TopicRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = select(None).then(" WHERE t.id IN ").list(ids.iter().copied()).all(db).await?;
    let rows = rows.iter().map(|row| topic(row, None, 0)).collect::<Result<Vec<_>>>()?;
    with_tags(db, rows).await
}

/// The ids of a topic's accepted answers, in the order of their acceptance.
pub(in crate::features::forum) async fn answer_ids(
    db: &impl ConnectionTrait,
    topics: &[i64],
) -> Result<HashMap<i64, Vec<Id>>> {
    let mut of: HashMap<i64, Vec<Id>> = HashMap::new();
    if topics.is_empty() {
        return Ok(of);
    }
    let rows =
        Sql::new("SELECT id, topic_id FROM post WHERE answer_at IS NOT NULL AND deleted_at IS NULL AND topic_id IN ")
            .list(topics.iter().copied())
            .then(" ORDER BY answer_at, id")
            .all(db)
            .await?;
    for row in rows {
        of.entry(row.try_get("", "topic_id")?).or_default().push(Id(row.try_get("", "id")?));
    }
    Ok(of)
}

/// Whether anybody but its author has replied to a topic; deleted replies do not count.
pub async fn others_replied(db: &impl ConnectionTrait, topic: i64, author: i64) -> Result<bool> {
    let found = Sql::new("SELECT 1 AS one FROM post WHERE topic_id = ")
        .bind(topic)
        .then(" AND NOT is_first AND deleted_at IS NULL AND author_id <> ")
        .bind(author)
        .then(" LIMIT 1")
        .one(db)
        .await?;
    Ok(found.is_some())
}
