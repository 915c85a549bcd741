//! Rows of the tables `post` and `topic_tag`, made of rows of the dump.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::dump::Written;
use super::members::Author;
use crate::entities::{post, space};
use crate::features::imports::texts::Ready;
use crate::store::Tx;
use crate::web::error::Result;

/// A question, answer or comment with all that was found out about it.
#[derive(Clone, Debug)]
pub struct Prepared<T> {
    pub row: T,
    pub text: Ready,
    pub author: Author,
}

/// Where a post stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub id: i64,
    pub topic: i64,
    pub parent: Option<i64>,
    pub first: bool,
    /// When and by whom it was accepted.
    pub accepted: Option<(i64, i64)>,
}

/// The place of a reply until its topic is put in order: by time, before all that is in order.
pub const fn unplaced(created: i64) -> i64 {
    i64::MIN + 1 + if created > 0 { created } else { 0 }
}

/// A row of `post`.
pub fn row(at: Standing, of: &Written, text: &Ready, author: &Author, url: Option<String>) -> post::ActiveModel {
    post::ActiveModel {
        id: Set(at.id),
        topic_id: Set(at.topic),
        parent_id: Set(at.parent),
        author_id: Set(author.id),
        is_first: Set(at.first),
        depth: Set(i32::from(at.parent.is_some())),
        tree_pos: Set(if at.first { 0 } else { unplaced(of.created) }),
        body: Set(text.body.clone()),
        body_html: Set(text.html.clone()),
        score: Set(of.score),
        created_at: Set(of.created),
        edited_at: Set(of.edited),
        answer_at: Set(at.accepted.map(|(when, _)| when)),
        answer_by: Set(at.accepted.map(|(_, who)| who)),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        purged_at: Set(None),
        reactions: Set("[]".into()),
        endorsement_count: Set(0),
        reply_count: Set(0),
        revision_count: Set(0),
        source_url: Set(url),
        source_author: Set(Some(author.name.to_string())),
        version: Set(1),
    }
}

/// Begins a batch by writing: on SQLite a transaction that reads first may find, when it writes,
/// that a running server was quicker, and has to start again. Adds to the count of topics.
pub async fn count_topics(tx: &Tx, space: i64, new: usize) -> Result<()> {
    let new = i32::try_from(new).unwrap_or(0);
    space::Entity::update_many()
        .col_expr(space::Column::TopicCount, Expr::col(space::Column::TopicCount).add(new))
        .filter(space::Column::Id.eq(space))
        .exec(tx.conn())
        .await?;
    Ok(())
}
