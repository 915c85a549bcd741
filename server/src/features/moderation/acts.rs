//! Hiding and showing posts and topics.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::policy::Ground;
use super::record::{Act, record};
use super::reports::{self, About};
use crate::entities::{post, space, tag, topic, topic_tag};
use crate::search::Kind;
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// Hides a post behind a stub, or shows it again. Doing it twice changes nothing.
pub async fn hide_post(tx: &mut Tx, actor: i64, id: i64, hide: bool, reason: &str) -> Result<Ground> {
    let (ground, post) = Ground::of_post(tx, actor, id).await?;
    ground.tend()?;
    if post.purged_at.is_some() {
        return Err(AppError::Conflict("This post was purged.".into()));
    }
    if post.hidden_at.is_some() == hide {
        return Ok(ground);
    }
    post::Entity::update_many()
        .col_expr(post::Column::HiddenAt, Expr::value(hide.then(|| tx.now())))
        .filter(post::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    let action = if hide { "hide" } else { "unhide" };
    let act = Act { space: Some(ground.space.id), actor, action, subject_kind: "post", subject: id, reason };
    record(tx, act).await?;
    if hide {
        reports::settle_all(tx, actor, About::Post(id), reason).await?;
    }
    if post.is_first {
        tx.index(Kind::Topic, ground.topic.id)
    } else {
        tx.index(Kind::Post, id)
    }
    tx.append(Stream::topic(ground.topic.id), NewEvent::new("post.edited", id, Some(actor)));
    if post.is_first {
        tx.append(Stream::topic(ground.topic.id), NewEvent::new("topic.changed", ground.topic.id, Some(actor)));
        // Lists show how a topic begins.
        tx.append(Stream::space(ground.space.id), NewEvent::new("topic.changed", ground.topic.id, Some(actor)));
    }
    Ok(ground)
}

/// Hides a topic from all but moderators, or shows it again.
pub async fn hide_topic(tx: &mut Tx, actor: i64, id: i64, hide: bool, reason: &str) -> Result<Ground> {
    let ground = Ground::of_topic(tx, actor, id).await?;
    ground.tend()?;
    if ground.topic.hidden_at.is_some() == hide {
        return Ok(ground);
    }
    topic::Entity::update_many()
        .col_expr(topic::Column::HiddenAt, Expr::value(hide.then(|| tx.now())))
        .filter(topic::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    if ground.topic.deleted_at.is_none() {
        count_topic(tx, &ground.topic, if hide { -1 } else { 1 }).await?;
    }
    let action = if hide { "hide" } else { "unhide" };
    let act = Act { space: Some(ground.space.id), actor, action, subject_kind: "topic", subject: id, reason };
    record(tx, act).await?;
    if hide {
        reports::settle_all(tx, actor, About::Post(ground.topic.first_post_id), reason).await?;
        // Whoever has it open and does not moderate loses it now.
        tx.after(After::TopicAccess(id));
    }
    tx.index_with_inside(Kind::Topic, id);
    tx.append(Stream::topic(id), NewEvent::new("topic.changed", id, Some(actor)));
    tx.append(Stream::space(ground.space.id), NewEvent::new("topic.changed", id, Some(actor)));
    Ok(ground)
}

/// The counts of a space and its tags tell of no topic that is hidden.
async fn count_topic(tx: &Tx, of: &topic::Model, by: i32) -> Result<()> {
    space::Entity::update_many()
        .col_expr(space::Column::TopicCount, Expr::col(space::Column::TopicCount).add(by))
        .filter(space::Column::Id.eq(of.space_id))
        .exec(tx.conn())
        .await?;
    let tags: Vec<String> = topic_tag::Entity::find()
        .select_only()
        .column(topic_tag::Column::Tag)
        .filter(topic_tag::Column::TopicId.eq(of.id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    tag::Entity::update_many()
        .col_expr(tag::Column::TopicCount, Expr::col(tag::Column::TopicCount).add(by))
        .filter(tag::Column::SpaceId.eq(of.space_id))
        .filter(tag::Column::Name.is_in(tags))
        .exec(tx.conn())
        .await?;
    Ok(())
}
