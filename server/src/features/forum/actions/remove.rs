//! Deleting and restoring, softly: rows stay, readers see a stub or nothing.

use actix_web::HttpResponse;

use super::ground::{self, PostGround, TopicGround};
use super::tags::count_tags;
use super::visibility::{appeared, vanished};
use crate::app::AppState;
use crate::features::forum::policy::{RANK_ENDORSEMENT, rank_gain};
use crate::features::forum::queries::{others_replied, tags_of};
use crate::search::Kind;
use crate::store::Sql;
use crate::store::{After, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// Deletes a topic: its author while nobody else has replied, moderators always.
pub async fn delete_topic(state: &AppState, me: &Me, topic: i64, if_match: IfMatch) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let topic = ground::topic(tx, member, topic).await?;
            if_match.check(topic.version)?;
            remove_topic(tx, &topic).await
        })
        .await
}

/// Brings a deleted topic back: moderators.
pub async fn restore_topic(state: &AppState, me: &Me, topic: i64) -> Result<()> {
    let member = me.id;
    state.store.write(async move |tx| bring_back_topic(tx, member, topic).await).await
}

/// The same for a request that may come again.
pub async fn restore_topic_once(state: &AppState, me: &Me, topic: i64, once: Option<Once>) -> Result<HttpResponse> {
    let member = me.id;
    write_once(state, member, once, async move |tx| {
        bring_back_topic(tx, member, topic).await?;
        Ok(Answer::empty())
    })
    .await
}

/// Deletes a post: its author or a moderator. The opening text goes with its topic.
pub async fn delete_post(state: &AppState, me: &Me, post: i64, if_match: IfMatch) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?;
            if_match.check(post.version)?;
            if post.is_first { remove_topic(tx, &post.topic).await } else { remove_post(tx, &post).await }
        })
        .await
}

/// Brings a deleted post back: moderators.
pub async fn restore_post(state: &AppState, me: &Me, post: i64) -> Result<()> {
    let member = me.id;
    state.store.write(async move |tx| bring_back(tx, member, post).await).await
}

/// The same for a request that may come again.
pub async fn restore_post_once(state: &AppState, me: &Me, post: i64, once: Option<Once>) -> Result<HttpResponse> {
    let member = me.id;
    write_once(state, member, once, async move |tx| {
        bring_back(tx, member, post).await?;
        Ok(Answer::empty())
    })
    .await
}

async fn bring_back(tx: &mut Tx, member: i64, post: i64) -> Result<()> {
    let post = ground::post(tx, member, post).await?;
    if post.is_first { bring_back_topic(tx, member, post.topic.id).await } else { bring_back_post(tx, &post).await }
}

async fn remove_topic(tx: &mut Tx, topic: &TopicGround) -> Result<()> {
    let standing = topic.standing();
    standing.change(topic.author_id)?;
    if topic.deleted {
        return Ok(());
    }
    if !standing.moderates() && others_replied(tx.conn(), topic.id, topic.author_id).await? {
        return Err(AppError::Forbidden("Others have replied here: ask a moderator to delete it.".into()));
    }
    let member = standing.member;
    Sql::new("UPDATE topic SET deleted_at = ")
        .bind(tx.now())
        .then(", deleted_by = ")
        .bind(member)
        .then(" WHERE id = ")
        .bind(topic.id)
        .run(tx.conn())
        .await?;
    // A hidden one is counted out already.
    if !topic.hidden {
        count_topic(tx, topic, -1).await?;
    }
    tell_changed(tx, topic, member);
    Ok(())
}

async fn bring_back_topic(tx: &mut Tx, member: i64, topic: i64) -> Result<()> {
    let topic = ground::topic(tx, member, topic).await?;
    topic.standing().moderate()?;
    if !topic.deleted {
        return Ok(());
    }
    Sql::new("UPDATE topic SET deleted_at = NULL, deleted_by = NULL WHERE id = ").bind(topic.id).run(tx.conn()).await?;
    if !topic.hidden {
        count_topic(tx, &topic, 1).await?;
    }
    tell_changed(tx, &topic, member);
    Ok(())
}

/// The counts of a space and its tags follow what is shown.
async fn count_topic(tx: &Tx, topic: &TopicGround, by: i32) -> Result<()> {
    let tags = tags_of(tx.conn(), &[topic.id]).await?.remove(&topic.id).unwrap_or_default();
    count_tags(tx, topic.space_id, &tags, by).await?;
    Sql::new("UPDATE space SET topic_count = topic_count + ")
        .bind(by)
        .then(" WHERE id = ")
        .bind(topic.space_id)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// The topic's readers and those of its space's lists hear of it; who may read it has changed.
fn tell_changed(tx: &mut Tx, topic: &TopicGround, member: i64) {
    tx.index_with_inside(Kind::Topic, topic.id);
    tx.append(Stream::topic(topic.id), NewEvent::new("topic.changed", topic.id, Some(member)));
    tx.append(Stream::space(topic.space_id), NewEvent::new("topic.changed", topic.id, Some(member)));
    tx.after(After::TopicAccess(topic.id));
}

async fn remove_post(tx: &mut Tx, post: &PostGround) -> Result<()> {
    let standing = post.standing();
    standing.change(post.author_id)?;
    if post.deleted {
        return Ok(());
    }
    let member = standing.member;
    Sql::new("UPDATE post SET deleted_at = ")
        .bind(tx.now())
        .then(", deleted_by = ")
        .bind(member)
        .then(" WHERE id = ")
        .bind(post.id)
        .run(tx.conn())
        .await?;
    if post.reply_count == 0 {
        vanished(tx, post.parent_id).await?;
    }
    // That it was accepted stays in its row: restored, it is an answer again.
    count_post(tx, post, -1).await?;
    tx.index(Kind::Post, post.id);
    tx.append(Stream::topic(post.topic.id), NewEvent::new("post.deleted", post.id, Some(member)));
    Ok(())
}

async fn bring_back_post(tx: &mut Tx, post: &PostGround) -> Result<()> {
    post.standing().moderate()?;
    if !post.deleted {
        return Ok(());
    }
    if post.purged {
        return Err(AppError::Conflict("Its text was purged and cannot come back.".into()));
    }
    Sql::new("UPDATE post SET deleted_at = NULL, deleted_by = NULL WHERE id = ").bind(post.id).run(tx.conn()).await?;
    if post.reply_count == 0 {
        appeared(tx, post.parent_id).await?;
    }
    count_post(tx, post, 1).await?;
    let member = post.standing().member;
    tx.index(Kind::Post, post.id);
    tx.append(Stream::topic(post.topic.id), NewEvent::new("post.edited", post.id, Some(member)));
    Ok(())
}

/// The counts of a topic follow its living replies, and so does the last one named in lists.
async fn count_post(tx: &Tx, post: &PostGround, by: i32) -> Result<()> {
    let answers = by * i32::from(post.accepted);
    Sql::new("UPDATE topic SET post_count = post_count + ")
        .bind(by)
        .then(", answer_count = answer_count + ")
        .bind(answers)
        .then(", rank = rank + ")
        .then(&rank_gain(by, answers))
        .then(" + ")
        .bind(by * RANK_ENDORSEMENT)
        .then(" * (SELECT q.endorsement_count FROM post q WHERE q.id = ")
        .bind(post.id)
        .then(") WHERE id = ")
        .bind(post.topic.id)
        .run(tx.conn())
        .await?;
    let last = |column: &str| {
        format!(
            "(SELECT q.{column} FROM post q WHERE q.topic_id = topic.id AND NOT q.is_first AND q.deleted_at IS NULL \
             ORDER BY q.created_at DESC, q.id DESC LIMIT 1)"
        )
    };
    Sql::new("UPDATE topic SET last_post_id = ")
        .then(&last("id"))
        .then(", last_author_id = ")
        .then(&last("author_id"))
        .then(", activity_at = COALESCE(")
        .then(&last("created_at"))
        .then(", created_at) WHERE id = ")
        .bind(post.topic.id)
        .run(tx.conn())
        .await?;
    Ok(())
}
