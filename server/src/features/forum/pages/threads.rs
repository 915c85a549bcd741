//! What a page of a topic shows, the same for everybody who may read it; kept in memory.
//!
//! Invariants: the heads are read before the rows, and an entry is good only while both heads
//! stand still. Every place in a thread is found through an index, whatever the topic's size.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use moka::sync::Cache;
use sea_orm::ConnectionTrait;

use super::cards::DEEPEST;
use crate::app::AppState;
use crate::features::forum::model::{AuthorView, PostView, TopicView};
use crate::features::forum::queries::{self, From, Order, PostsPage, Seen};
use crate::store::Id;
use crate::store::Sql;
use crate::streams::Stream;
use crate::web::error::{AppError, Result};
use crate::web::pagination::DEFAULT_LIMIT;
use crate::web::viewer::Viewer;

/// Kept parts of topics. A page of 30 posts weighs some 100 kB at most usually.
const MOST: u64 = 256;
/// Replies shown below the accepted answers, all together.
const BELOW_ANSWERS: i64 = 60;
/// A linked post is shown with so many before it.
const LEAD: usize = 3;

/// Which part of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    pub topic: i64,
    pub time: bool,
    pub from: Spot,
    /// Only what hangs on this post.
    pub root: Option<i64>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spot {
    #[default]
    Start,
    After(i64),
    Before(i64),
    At(i64),
}

impl Spot {
    const fn place(self) -> From {
        match self {
            Self::Start => From::Start,
            Self::After(id) => From::After(id),
            Self::Before(id) => From::Before(id),
            Self::At(id) => From::At(id),
        }
    }
}

/// A part of a topic as read.
#[derive(Debug)]
pub struct Thread {
    pub heads: [(Stream, i64); 2],
    pub topic: TopicView,
    /// What stands under the accepted answers, where these are shown first.
    pub below: Vec<PostView>,
    pub answers_first: bool,
    pub root: Option<PostView>,
    pub page: PostsPage,
}

impl Thread {
    /// Ids that stand above the thread, with the accepted answers.
    #[must_use]
    pub fn above(&self) -> HashSet<Id> {
        let answers = self.topic.answers.iter().filter(|_| self.answers_first).map(|post| post.id);
        answers.chain(self.below.iter().map(|post| post.id)).collect()
    }

    /// Every post shown.
    pub fn posts(&self) -> impl Iterator<Item = &PostView> {
        self.topic
            .opening
            .as_deref()
            .into_iter()
            .chain(self.topic.answers.iter())
            .chain(&self.below)
            .chain(self.root.as_ref())
            .chain(&self.page.items)
    }

    /// Display names by handle, of those who wrote here.
    #[must_use]
    pub fn names(&self) -> HashMap<&str, &str> {
        self.posts().map(|post| (post.author.handle.as_str(), post.author.display_name.as_str())).collect()
    }

    /// Those who wrote on this page, each once, in the order of the page.
    #[must_use]
    pub fn people(&self, most: usize) -> Vec<&AuthorView> {
        let mut seen = HashSet::new();
        self.posts()
            .filter(|post| !post.deleted && !post.hidden && !post.purged)
            .map(|post| &post.author)
            .filter(|author| seen.insert(author.id))
            .take(most)
            .collect()
    }
}

/// Parts of topics, kept while their heads stand still.
#[derive(Clone, Debug)]
pub struct Threads {
    parts: Cache<Part, Arc<Thread>>,
}

impl Default for Threads {
    fn default() -> Self {
        Self { parts: Cache::new(MOST) }
    }
}

impl Threads {
    /// A part of a topic that the viewer may see, and what they may do there; 404 else.
    pub async fn read(&self, state: &AppState, viewer: &Viewer, part: Part) -> Result<(Arc<Thread>, Seen)> {
        if let Some(kept) = self.parts.get(&part)
            && kept.heads.iter().all(|(stream, head)| state.heads.get(*stream) == Some(*head))
        {
            // Who may see it is asked anew each time.
            let seen = queries::find_topic(state, viewer, part.topic).await?;
            return Ok((kept, seen));
        }
        let db = state.store.read();
        let hub = (Stream::HUB, state.heads.current(db, Stream::HUB).await?);
        let (topic, seen) = queries::topic_view(state, viewer, part.topic).await?;
        let own = (Stream::topic(part.topic), topic.head);
        let root = match part.root {
            Some(id) => Some(
                queries::posts_by_ids(db, &[id])
                    .await?
                    .pop()
                    .filter(|post| post.topic_id.0 == part.topic && !post.is_first)
                    .ok_or(AppError::NotFound)?,
            ),
            None => None,
        };
        let answers_first = part.from == Spot::Start && root.is_none() && !topic.answers.is_empty();
        let below = if answers_first && !part.time { below(db, &topic).await? } else { Vec::new() };
        let page = if part.time {
            queries::posts_page(state, part.topic, Order::Time, part.from.place(), DEFAULT_LIMIT).await?
        } else {
            tree(db, part, root.as_ref()).await?
        };
        let thread = Arc::new(Thread { heads: [own, hub], topic, below, answers_first, root, page });
        self.parts.insert(part, Arc::clone(&thread));
        Ok((thread, seen))
    }
}

/// The replies to accepted answers, in the order of the tree.
async fn below(db: &impl ConnectionTrait, topic: &TopicView) -> Result<Vec<PostView>> {
    let rows = Sql::new(
        "SELECT id FROM post WHERE (deleted_at IS NULL OR reply_count > 0) AND (answer_at IS NULL OR deleted_at IS NOT NULL) AND parent_id IN ",
    )
    .list(topic.answers.iter().map(|post| post.id.0))
    .then(" ORDER BY tree_pos")
    .limit(BELOW_ANSWERS)
    .all(db)
    .await?;
    let ids = rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect::<Result<Vec<i64>>>()?;
    in_tree_order(db, &ids).await
}

async fn in_tree_order(db: &impl ConnectionTrait, ids: &[i64]) -> Result<Vec<PostView>> {
    let mut posts = queries::posts_by_ids(db, ids).await?;
    posts.sort_by_key(|post| (post.tree_pos, post.id));
    Ok(posts)
}

/// The limits of a part in the tree.
#[derive(Clone, Copy, Debug)]
struct Range {
    topic: i64,
    /// Exclusive on both sides.
    above: Option<i64>,
    end: Option<i64>,
    deepest: i32,
}

impl Range {
    /// Ids and places in this range; the caller adds its own condition and order.
    fn select(self) -> Sql {
        let mut sql = Sql::new("SELECT id, tree_pos FROM post WHERE topic_id = ")
            .bind(self.topic)
            .then(" AND NOT is_first AND (deleted_at IS NULL OR reply_count > 0) AND depth <= ")
            .bind(self.deepest);
        if let Some(above) = self.above {
            sql = sql.then(" AND tree_pos > ").bind(above);
        }
        if let Some(end) = self.end {
            sql = sql.then(" AND tree_pos < ").bind(end);
        }
        sql
    }
}

/// A page of the tree, as deep as a page shows it.
async fn tree(db: &impl ConnectionTrait, part: Part, root: Option<&PostView>) -> Result<PostsPage> {
    let limit = usize::try_from(DEFAULT_LIMIT).unwrap_or(30);
    let mut range = Range { topic: part.topic, above: None, end: None, deepest: DEEPEST };
    if let Some(root) = root {
        let end = Sql::new("SELECT min(tree_pos) AS tree_pos FROM post WHERE topic_id = ")
            .bind(part.topic)
            .then(" AND tree_pos > ")
            .bind(root.tree_pos)
            .then(" AND depth <= ")
            .bind(root.depth)
            .one(db)
            .await?;
        range.above = Some(root.tree_pos);
        range.end = end.map(|row| row.try_get::<Option<i64>>("", "tree_pos")).transpose()?.flatten();
        range.deepest = root.depth.saturating_add(DEEPEST);
    }
    let (sql, back) = match part.from {
        Spot::Start => (range.select(), false),
        Spot::After(id) => (range.select().then(" AND tree_pos > ").bind(place(db, part.topic, id).await?), false),
        Spot::Before(id) => (range.select().then(" AND tree_pos < ").bind(place(db, part.topic, id).await?), true),
        Spot::At(id) => match lead(db, range, place(db, part.topic, id).await?).await? {
            Some(at) => (range.select().then(" AND tree_pos >= ").bind(at), false),
            None => (range.select(), false),
        },
    };
    let sql = sql.then(if back { " ORDER BY tree_pos DESC" } else { " ORDER BY tree_pos" });
    let rows = sql.limit(limit + 1).all(db).await?;
    let mut ids = rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect::<Result<Vec<i64>>>()?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    let items = in_tree_order(db, &ids).await?;
    let (first, last) = (items.first().map(|post| post.id), items.last().map(|post| post.id));
    let (before, after) = match part.from {
        Spot::Start => (None, last.filter(|_| more)),
        Spot::After(_) | Spot::At(_) => (first, last.filter(|_| more)),
        Spot::Before(_) => (first.filter(|_| more), last),
    };
    Ok(PostsPage { items, before, after })
}

async fn place(db: &impl ConnectionTrait, topic: i64, post: i64) -> Result<i64> {
    let row = Sql::new("SELECT tree_pos FROM post WHERE id = ")
        .bind(post)
        .then(" AND topic_id = ")
        .bind(topic)
        .one(db)
        .await?;
    Ok(row.ok_or(AppError::NotFound)?.try_get("", "tree_pos")?)
}

/// The place a few posts before another; `None` where the thread begins there.
async fn lead(db: &impl ConnectionTrait, range: Range, at: i64) -> Result<Option<i64>> {
    let most = i64::try_from(LEAD + 2).unwrap_or(5);
    let rows =
        range.select().then(" AND tree_pos <= ").bind(at).then(" ORDER BY tree_pos DESC").limit(most).all(db).await?;
    if rows.len() < LEAD + 2 {
        return Ok(None);
    }
    rows.get(LEAD).map(|row| Ok(row.try_get("", "tree_pos")?)).transpose()
}

/// Where a post is shown: the topic's own page, a later page, or that of its branch.
pub async fn part_of(state: &AppState, viewer: &Viewer, post: &PostView) -> Result<Part> {
    let part = Part { topic: post.topic_id.0, time: false, from: Spot::Start, root: None };
    if post.is_first {
        return Ok(part);
    }
    let (start, _) = state.pages.threads.read(state, viewer, part).await?;
    if start.posts().any(|shown| shown.id == post.id) {
        return Ok(part);
    }
    if post.depth > DEEPEST {
        return Ok(Part { root: post.parent_id.map(|id| id.0), from: Spot::At(post.id.0), ..part });
    }
    Ok(Part { from: Spot::At(post.id.0), ..part })
}
