//! What members put to posts: reactions, endorsements, accepted answers, bookmarks. Each says so
//! once however often it is asked.

use serde_json::json;

use super::ground::{self, PostGround};
use crate::app::AppState;
use crate::features::forum::model::ReactionView;
use crate::features::forum::policy::{MOST_EMOJI, RANK_ENDORSEMENT, RANK_REACTION, parse_emoji, rank_gain};
use crate::search::Kind;
use crate::store::Sql;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Puts an emoji to a post (`on`), or takes it back.
pub async fn set_reaction(state: &AppState, me: &Me, post: i64, emoji: &str, on: bool) -> Result<()> {
    let (member, emoji) = (me.id, parse_emoji(emoji)?);
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?.living()?;
            post.standing().write()?;
            let changed = if on {
                Sql::new("INSERT INTO reaction (post_id, emoji, member_id, created_at) VALUES (")
                    .bind(post.id)
                    .then(", ")
                    .bind(emoji.clone())
                    .then(", ")
                    .bind(member)
                    .then(", ")
                    .bind(tx.now())
                    .then(") ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM reaction WHERE post_id = ")
                    .bind(post.id)
                    .then(" AND emoji = ")
                    .bind(emoji.clone())
                    .then(" AND member_id = ")
                    .bind(member)
            };
            if changed.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            count_reactions(tx, post.id).await?;
            // What happens to the opening text counts for its topic.
            if post.is_first {
                add_rank(tx, &post, if on { RANK_REACTION } else { -RANK_REACTION }).await?;
            }
            let handle = &post.topic.actor.author.handle;
            let kind = if on { "reaction.added" } else { "reaction.removed" };
            let event = NewEvent::new(kind, post.id, Some(member)).with(json!({"emoji": emoji, "handle": handle}));
            tx.append(Stream::topic(post.topic.id), event);
            Ok(())
        })
        .await
}

/// Writes the counts that are shown under a post: emoji in the order of their first use.
async fn count_reactions(tx: &Tx, post: i64) -> Result<()> {
    let rows = Sql::new("SELECT emoji, count(*) AS uses FROM reaction WHERE post_id = ")
        .bind(post)
        .then(" GROUP BY emoji ORDER BY min(created_at), emoji")
        .all(tx.conn())
        .await?;
    if rows.len() > MOST_EMOJI {
        return Err(AppError::Conflict("This post has all the different emoji that one can have.".into()));
    }
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        counts.push(ReactionView { emoji: row.try_get("", "emoji")?, count: row.try_get("", "uses")? });
    }
    Sql::new("UPDATE post SET reactions = ")
        .bind(serde_json::to_string(&counts)?)
        .then(" WHERE id = ")
        .bind(post)
        .run(tx.conn())
        .await?;
    Ok(())
}

async fn add_rank(tx: &Tx, post: &PostGround, by: i32) -> Result<()> {
    Sql::new("UPDATE topic SET rank = rank + ")
        .bind(by)
        .then(" WHERE id = ")
        .bind(post.topic.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Endorses a post with what the member is (`on`), or takes it back. Not one's own.
pub async fn set_endorsement(state: &AppState, me: &Me, post: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?.living()?;
            post.standing().write()?;
            if on && post.author_id == member {
                return Err(AppError::Forbidden("Nobody endorses what they wrote themselves.".into()));
            }
            let changed = if on {
                Sql::new("INSERT INTO endorsement (post_id, member_id, created_at) VALUES (")
                    .bind(post.id)
                    .then(", ")
                    .bind(member)
                    .then(", ")
                    .bind(tx.now())
                    .then(") ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM endorsement WHERE post_id = ")
                    .bind(post.id)
                    .then(" AND member_id = ")
                    .bind(member)
            };
            if changed.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            Sql::new("UPDATE post SET endorsement_count = endorsement_count + ")
                .bind(if on { 1 } else { -1 })
                .then(" WHERE id = ")
                .bind(post.id)
                .run(tx.conn())
                .await?;
            add_rank(tx, &post, if on { RANK_ENDORSEMENT } else { -RANK_ENDORSEMENT }).await?;
            if post.is_first {
                tx.index(Kind::Topic, post.topic.id)
            } else {
                tx.index(Kind::Post, post.id)
            }
            let kind = if on { "endorsement.added" } else { "endorsement.removed" };
            let event =
                NewEvent::new(kind, post.id, Some(member)).with(json!({"handle": post.topic.actor.author.handle}));
            tx.append(Stream::topic(post.topic.id), event);
            Ok(())
        })
        .await
}

/// Accepts a reply as an answer (`on`), or no longer: whoever asked, or a moderator.
pub async fn set_answer(state: &AppState, me: &Me, post: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?.living()?;
            if post.standing().change(post.topic.author_id).is_err() {
                post.standing().write()?;
                return Err(AppError::Forbidden("Only who asked or a moderator can do this.".into()));
            }
            if post.is_first && on {
                return Err(AppError::Conflict("The opening text is not an answer to itself.".into()));
            }
            if post.accepted == on {
                return Ok(());
            }
            Sql::new("UPDATE post SET answer_at = ")
                .bind(on.then(|| tx.now()))
                .then(", answer_by = ")
                .bind(on.then_some(member))
                .then(" WHERE id = ")
                .bind(post.id)
                .run(tx.conn())
                .await?;
            let by = if on { 1 } else { -1 };
            Sql::new("UPDATE topic SET answer_count = answer_count + ")
                .bind(by)
                .then(", rank = rank + ")
                .then(&rank_gain(0, by))
                .then(" WHERE id = ")
                .bind(post.topic.id)
                .run(tx.conn())
                .await?;
            tx.index(Kind::Post, post.id);
            let kind = if on { "answer.accepted" } else { "answer.removed" };
            tx.append(Stream::topic(post.topic.id), NewEvent::new(kind, post.id, Some(member)));
            Ok(())
        })
        .await
}

/// Keeps a post for later (`on`), or no longer. It is the member's own affair: no event.
pub async fn set_bookmark(state: &AppState, me: &Me, post: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?;
            let sql = if on {
                Sql::new("INSERT INTO bookmark (member_id, post_id, created_at) VALUES (")
                    .bind(member)
                    .then(", ")
                    .bind(post.id)
                    .then(", ")
                    .bind(tx.now())
                    .then(") ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM bookmark WHERE member_id = ").bind(member).then(" AND post_id = ").bind(post.id)
            };
            sql.run(tx.conn()).await?;
            Ok(())
        })
        .await
}
