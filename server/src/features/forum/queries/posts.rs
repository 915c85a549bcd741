//! Reading posts: a page of a topic in either order, one post, answers, all in fixed numbers of
//! statements.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::rows::{AUTHOR, POST, POST_FROM, author, post};
use super::topics::{Seen, find_topic};
use crate::app::AppState;
use crate::features::forum::model::{EndorsementView, PostView};
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// A linked post is shown with so many before it.
const LEAD: u64 = 3;

/// The two views of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Tree,
    Time,
    /// The highest score first; the earliest of equals.
    Score,
}

impl Order {
    /// `tree`, `time`, `score`, or absent.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("" | "tree") => Ok(Self::Tree),
            Some("time") => Ok(Self::Time),
            Some("score") => Ok(Self::Score),
            Some(_) => Err(AppError::field("order", "is tree, time or score")),
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Time => "time",
            Self::Score => "score",
        }
    }
}

/// Where a page of posts begins or ends. Places are posts, so that they survive renumbering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    #[default]
    Start,
    /// The page behind this post.
    After(i64),
    /// The page in front of this post.
    Before(i64),
    /// The page that shows this post near its top.
    At(i64),
    /// The last page.
    End,
}

/// A page of a topic's replies.
#[derive(Clone, Debug, Default)]
pub struct PostsPage {
    pub items: Vec<PostView>,
    /// The first post of this page if there are posts before it: `From::Before` of it is the page before.
    pub before: Option<Id>,
    /// The last post of this page if there are posts behind it.
    pub after: Option<Id>,
}

/// Posts that some select tells, with their endorsements.
pub(super) async fn load(db: &impl ConnectionTrait, rest: Sql) -> Result<Vec<PostView>> {
    let rows = rest.all(db).await?;
    let (mut posts, mut endorsed) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        let (view, endorsements) = post(row)?;
        if endorsements > 0 {
            endorsed.push(view.id.0);
        }
        posts.push(view);
    }
    if !endorsed.is_empty() {
        let mut of = endorsements(db, &endorsed).await?;
        for view in &mut posts {
            view.endorsements = of.remove(&view.id.0).unwrap_or_default();
        }
    }
    Ok(posts)
}

/// The beginning of every select of posts.
pub(super) fn select() -> Sql {
    Sql::new("SELECT ").then(POST).then(", ").then(AUTHOR).then(POST_FROM)
}

/// Who endorsed these posts, experts first, then the earliest.
async fn endorsements(db: &impl ConnectionTrait, posts: &[i64]) -> Result<HashMap<i64, Vec<EndorsementView>>> {
    let rows = Sql::new("SELECT e.post_id, e.created_at, ")
        .then(AUTHOR)
        .then(" FROM endorsement e JOIN member a ON a.id = e.member_id WHERE e.post_id IN ")
        .list(posts.iter().copied())
        .then(" ORDER BY CASE WHEN a.hub_role = 'expert' THEN 0 ELSE 1 END, e.created_at, e.member_id")
        .all(db)
        .await?;
    let mut of: HashMap<i64, Vec<EndorsementView>> = HashMap::new();
    for row in &rows {
        let by = author(row)?;
        of.entry(row.try_get("", "post_id")?).or_default().push(EndorsementView {
            handle: by.handle,
            display_name: by.display_name,
            headline: by.headline,
            discipline: by.discipline,
            role: by.role,
            created_at: rfc3339(row.try_get("", "created_at")?),
        });
    }
    Ok(of)
}

/// Posts by id, in no order; whether somebody may see them is the caller's to know.
pub(in crate::features::forum) async fn posts_by_ids(db: &impl ConnectionTrait, ids: &[i64]) -> Result<Vec<PostView>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load(db, select().then(" WHERE p.id IN ").list(ids.iter().copied())).await
}

/// The opening text and the accepted answers of a topic, the opening first.
pub(super) async fn opening_and_answers(db: &impl ConnectionTrait, topic: i64, first: i64) -> Result<Vec<PostView>> {
    // By id, so that a long topic is not walked for its few answers.
    let found = select()
        .then(" WHERE p.id IN (SELECT CAST(")
        .bind(first)
        .then(" AS BIGINT) UNION ALL SELECT id FROM post WHERE answer_at IS NOT NULL AND deleted_at IS NULL AND topic_id = ")
        .bind(topic)
        .then(") ORDER BY p.is_first DESC, p.answer_at, p.id");
    load(db, found).await
}

/// A page of a topic's replies. The topic must be one that the viewer was shown by a finder.
pub async fn posts_page(state: &AppState, topic: i64, order: Order, from: From, limit: u64) -> Result<PostsPage> {
    let db = state.store.read();
    let (back, from_place) = match from {
        From::Start => (false, None),
        From::End => (true, None),
        From::After(id) => (false, Some((place(db, topic, id).await?, false))),
        From::Before(id) => (true, Some((place(db, topic, id).await?, false))),
        From::At(id) => (false, Some((lead(db, topic, order, place(db, topic, id).await?).await?, true))),
    };
    let mut sql = visible(topic);
    if let Some((at, inclusive)) = from_place {
        let sign = match (back, inclusive) {
            (true, _) => " < ",
            (false, true) => " >= ",
            (false, false) => " > ",
        };
        sql = match order {
            Order::Tree => sql.then(" AND p.tree_pos").then(sign).bind(at.tree_pos),
            Order::Time => sql
                .then(" AND (p.created_at, p.id)")
                .then(sign)
                .then("(")
                .bind(at.created_at)
                .then(", ")
                .bind(at.id)
                .then(")"),
            // Scores fall: their negatives rise, as all else does.
            Order::Score => sql
                .then(" AND (-p.score, p.created_at, p.id)")
                .then(sign)
                .then("(")
                .bind(at.score.saturating_neg())
                .then(", ")
                .bind(at.created_at)
                .then(", ")
                .bind(at.id)
                .then(")"),
        };
    }
    sql = match (order, back) {
        (Order::Tree, false) => sql.then(" ORDER BY p.tree_pos"),
        (Order::Tree, true) => sql.then(" ORDER BY p.tree_pos DESC"),
        (Order::Time, false) => sql.then(" ORDER BY p.created_at, p.id"),
        (Order::Time, true) => sql.then(" ORDER BY p.created_at DESC, p.id DESC"),
        (Order::Score, false) => sql.then(" ORDER BY -p.score, p.created_at, p.id"),
        (Order::Score, true) => sql.then(" ORDER BY -p.score DESC, p.created_at DESC, p.id DESC"),
    };
    let sql = sql.limit(limit + 1);
    let mut items = load(db, sql).await?;
    let more = items.len() as u64 > limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if back {
        items.reverse();
    }
    let (first, last) = (items.first().map(|post| post.id), items.last().map(|post| post.id));
    // Going forward from a post there is something before the page, and the other way round.
    let (before, after) = match from {
        From::Start => (None, last.filter(|_| more)),
        From::End => (first.filter(|_| more), None),
        From::After(_) | From::At(_) => (first, last.filter(|_| more)),
        From::Before(_) => (first.filter(|_| more), last),
    };
    Ok(PostsPage { items, before, after })
}

/// Where a post stands in both orders.
#[derive(Clone, Copy, Debug)]
struct Spot {
    tree_pos: i64,
    score: i32,
    created_at: i64,
    id: i64,
}

async fn place(db: &impl ConnectionTrait, topic: i64, post: i64) -> Result<Spot> {
    let row = Sql::new("SELECT tree_pos, score, created_at FROM post WHERE id = ")
        .bind(post)
        .then(" AND topic_id = ")
        .bind(topic)
        .one(db)
        .await?
        .ok_or_else(|| AppError::field("cursor", "is not one of this list"))?;
    Ok(Spot {
        tree_pos: row.try_get("", "tree_pos")?,
        score: row.try_get("", "score")?,
        created_at: row.try_get("", "created_at")?,
        id: post,
    })
}

/// A few posts before a place, so that a linked post is seen in its surroundings.
async fn lead(db: &impl ConnectionTrait, topic: i64, order: Order, at: Spot) -> Result<Spot> {
    let sql = Sql::new("SELECT id, tree_pos, score, created_at FROM post p WHERE topic_id = ")
        .bind(topic)
        .then(" AND NOT is_first");
    let sql = match order {
        // Who is led to a post in this order sees it first.
        Order::Score => return Ok(at),
        Order::Tree => sql.then(" AND tree_pos <= ").bind(at.tree_pos).then(" ORDER BY tree_pos DESC"),
        Order::Time => sql
            .then(" AND (created_at, id) <= (")
            .bind(at.created_at)
            .then(", ")
            .bind(at.id)
            .then(") ORDER BY created_at DESC, id DESC"),
    };
    let rows = sql.limit(LEAD + 1).all(db).await?;
    let Some(row) = rows.last() else { return Ok(at) };
    Ok(Spot {
        tree_pos: row.try_get("", "tree_pos")?,
        score: row.try_get("", "score")?,
        created_at: row.try_get("", "created_at")?,
        id: row.try_get("", "id")?,
    })
}

/// Replies that are shown: what is deleted stays as a stub while something hangs on it.
fn visible(topic: i64) -> Sql {
    select()
        .then(" WHERE p.topic_id = ")
        .bind(topic)
        .then(" AND NOT p.is_first AND (p.deleted_at IS NULL OR p.reply_count > 0)")
}

/// A post that the viewer may see, with its topic; 404 else.
pub async fn find_post(state: &AppState, viewer: &Viewer, id: i64) -> Result<(PostView, Seen)> {
    let post = posts_by_ids(state.store.read(), &[id]).await?.pop().ok_or(AppError::NotFound)?;
    let topic = find_topic(state, viewer, post.topic_id.0).await?;
    if post.deleted && post.reply_count == 0 && !post.is_first && !topic.moderates() {
        return Err(AppError::NotFound);
    }
    Ok((post, topic))
}
