//! The tags of a topic and their counts in its space.

use crate::store::Sql;
use crate::store::Tx;
use crate::web::error::Result;

/// Gives a topic exactly these tags.
pub(super) async fn set_tags(tx: &Tx, topic: i64, tags: &[String]) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO topic_tag (topic_id, tag) VALUES ");
    for (place, tag) in tags.iter().enumerate() {
        sql = sql.then(if place == 0 { "(" } else { ", (" }).bind(topic).then(", ").bind(tag.clone()).then(")");
    }
    sql.run(tx.conn()).await?;
    Ok(())
}

/// Removes every tag of a topic.
pub(super) async fn clear_tags(tx: &Tx, topic: i64) -> Result<()> {
    Sql::new("DELETE FROM topic_tag WHERE topic_id = ").bind(topic).run(tx.conn()).await?;
    Ok(())
}

/// Counts a topic under these tags in, or out. In one order, so that two actions never wait for
/// each other.
pub(super) async fn count_tags(tx: &Tx, space: i64, tags: &[String], by: i32) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut tags = tags.to_vec();
    tags.sort();
    let mut sql = Sql::new("INSERT INTO tag (space_id, name, topic_count) VALUES ");
    for (place, tag) in tags.into_iter().enumerate() {
        let open = if place == 0 { "(" } else { ", (" };
        sql = sql.then(open).bind(space).then(", ").bind(tag).then(", ").bind(by).then(")");
    }
    sql.then(" ON CONFLICT (space_id, name) DO UPDATE SET topic_count = tag.topic_count + excluded.topic_count")
        .run(tx.conn())
        .await?;
    Ok(())
}
