//! Purging: a text leaves every row it is in, for good.
//!
//! Invariant: after the commit no row, no stored answer and no queued mail holds the text of a
//! purged post; jobs remove the bytes of its files and what the database's log has of it. Events
//! hold references only, so a replay finds the stub.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::policy::Ground;
use super::record::{Act, record};
use super::reports;
use crate::app::AppState;
use crate::entities::kinds::MailState;
use crate::entities::{idempotent_answer, mail, post, post_revision, tag, topic, topic_tag};
use crate::features::{forum, people};
use crate::search::Kind;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// The kind of the job that gives back the pages of a purged text.
pub const FORGET: &str = "moderation.forget";

/// Purges a post; an opening takes its topic's title and tags with it. Doing it twice changes nothing.
pub async fn purge_post(tx: &mut Tx, actor: i64, id: i64, reason: &str) -> Result<Ground> {
    let (ground, post) = Ground::of_post(tx, actor, id).await?;
    ground.access.moderate()?;
    if post.purged_at.is_some() {
        return Ok(ground);
    }
    empty_post(tx, &post).await?;
    post_revision::Entity::delete_many().filter(post_revision::Column::PostId.eq(id)).exec(tx.conn()).await?;
    if post.is_first {
        empty_topic(tx, &ground.topic).await?;
    }
    forget_copies(tx, &post).await?;
    people::purge_files_of_post(tx, id).await?;
    reports::settle_all(tx, actor, reports::About::Post(id), reason).await?;
    let space = Some(ground.space.id);
    record(tx, Act { space, actor, action: "purge", subject_kind: "post", subject: id, reason }).await?;
    if post.is_first {
        tx.index_with_inside(Kind::Topic, ground.topic.id)
    } else {
        tx.index(Kind::Post, id)
    }
    announce(tx, actor, &ground, &post);
    tx.enqueue(FORGET, &()).await?;
    Ok(ground)
}

/// The row stays, not deleted but empty: its stub is shown for ever, and every count stands.
async fn empty_post(tx: &Tx, post: &post::Model) -> Result<()> {
    post::Entity::update_many()
        .col_expr(post::Column::Body, Expr::value(""))
        .col_expr(post::Column::BodyHtml, Expr::value(""))
        .col_expr(post::Column::SourceUrl, Expr::value(Option::<String>::None))
        .col_expr(post::Column::SourceAuthor, Expr::value(Option::<String>::None))
        .col_expr(post::Column::PurgedAt, Expr::value(Some(tx.now())))
        .col_expr(post::Column::AnswerAt, Expr::value(Option::<i64>::None))
        .col_expr(post::Column::AnswerBy, Expr::value(Option::<i64>::None))
        .col_expr(post::Column::RevisionCount, Expr::value(0))
        // Who is editing it right now gets 412 instead of bringing it back.
        .col_expr(post::Column::Version, Expr::value(post.version + 1))
        .filter(post::Column::Id.eq(post.id))
        .exec(tx.conn())
        .await?;
    if post.answer_at.is_some() && post.deleted_at.is_none() {
        topic::Entity::update_many()
            .col_expr(topic::Column::AnswerCount, Expr::col(topic::Column::AnswerCount).sub(1))
            .col_expr(
                topic::Column::Rank,
                Expr::col(topic::Column::Rank).add(Expr::cust(forum::policy::rank_gain(0, -1))),
            )
            .filter(topic::Column::Id.eq(post.topic_id))
            .exec(tx.conn())
            .await?;
    }
    Ok(())
}

/// A topic without its title and tags; pages and lists call it by a neutral word.
async fn empty_topic(tx: &Tx, of: &topic::Model) -> Result<()> {
    topic::Entity::update_many()
        .col_expr(topic::Column::Title, Expr::value(""))
        .col_expr(topic::Column::Version, Expr::value(of.version + 1))
        .filter(topic::Column::Id.eq(of.id))
        .exec(tx.conn())
        .await?;
    let tags: Vec<String> = topic_tag::Entity::find()
        .select_only()
        .column(topic_tag::Column::Tag)
        .filter(topic_tag::Column::TopicId.eq(of.id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    topic_tag::Entity::delete_many().filter(topic_tag::Column::TopicId.eq(of.id)).exec(tx.conn()).await?;
    if of.deleted_at.is_none() && of.hidden_at.is_none() {
        tag::Entity::update_many()
            .col_expr(tag::Column::TopicCount, Expr::col(tag::Column::TopicCount).sub(1))
            .filter(tag::Column::SpaceId.eq(of.space_id))
            .filter(tag::Column::Name.is_in(tags))
            .exec(tx.conn())
            .await?;
    }
    // A tag is a word its author chose: one that nothing carries any more is gone too.
    tag::Entity::delete_many()
        .filter(tag::Column::SpaceId.eq(of.space_id))
        .filter(tag::Column::TopicCount.lte(0))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Stored answers and mails that repeat the text. A mail that has gone cannot be called back, its
/// copy here can be emptied.
async fn forget_copies(tx: &Tx, of: &post::Model) -> Result<()> {
    let mut subjects = vec![of.id];
    let mut mails = Condition::any().add(mail::Column::SubjectId.eq(of.id));
    if of.is_first {
        subjects.push(of.topic_id);
        // Mails about replies name the topic by its title.
        let posts = Query::select()
            .column(post::Column::Id)
            .from(post::Entity)
            .and_where(Expr::col(post::Column::TopicId).eq(of.topic_id))
            .to_owned();
        mails = mails.add(mail::Column::SubjectId.in_subquery(posts)).add(mail::Column::SubjectId.eq(of.topic_id));
    }
    idempotent_answer::Entity::delete_many()
        .filter(idempotent_answer::Column::SubjectId.is_in(subjects))
        .exec(tx.conn())
        .await?;
    mail::Entity::delete_many()
        .filter(mails.clone())
        .filter(mail::Column::State.is_in([MailState::Queued, MailState::Held, MailState::Failed]))
        .exec(tx.conn())
        .await?;
    mail::Entity::update_many()
        .col_expr(mail::Column::Subject, Expr::value(""))
        .col_expr(mail::Column::Text, Expr::value(""))
        .col_expr(mail::Column::Html, Expr::value(""))
        .filter(mails)
        .exec(tx.conn())
        .await?;
    Ok(())
}

fn announce(tx: &mut Tx, actor: i64, ground: &Ground, post: &post::Model) {
    let stream = Stream::topic(ground.topic.id);
    if post.answer_at.is_some() && post.deleted_at.is_none() {
        tx.append(stream, NewEvent::new("answer.removed", post.id, Some(actor)));
    }
    tx.append(stream, NewEvent::new("post.deleted", post.id, Some(actor)));
    if post.is_first {
        tx.append(stream, NewEvent::new("topic.changed", ground.topic.id, Some(actor)));
        tx.append(Stream::space(ground.space.id), NewEvent::new("topic.changed", ground.topic.id, Some(actor)));
    }
}

/// Takes what was purged out of SQLite's write-ahead log, where it would lie until it is written
/// over. While somebody reads this cannot end, and is tried again.
pub async fn forget(state: &AppState) -> Result<()> {
    if state.store.flush_log().await? { Ok(()) } else { Err(AppError::internal("the log of the database is in use")) }
}
