//! Replying: the hub's hot path. Nine statements at most, none of them growing with the topic.

use actix_web::HttpResponse;
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::ground::{self, TopicGround};
use super::texts::{Written, adopt_files, written};
use super::visibility::appeared;
use crate::app::AppState;
use crate::entities::post;
use crate::features::forum::model::PostView;
use crate::features::forum::notify::Notify;
use crate::features::forum::{policy, tree};
use crate::ports::clock::rfc3339;
use crate::search::Kind;
use crate::store::Sql;
use crate::store::{Id, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, BODY, Text};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// What a reply is made of.
#[derive(Clone, Debug, Default)]
pub struct NewReply {
    pub body: String,
    pub parent_id: Option<i64>,
    pub confirmed: bool,
}

/// Adds a reply to a topic.
pub async fn reply(state: &AppState, me: &Me, topic: i64, new: &NewReply) -> Result<PostView> {
    let (member, parent) = (me.id, new.parent_id);
    let written = prepare(state, topic, new).await?;
    state.store.write(async move |tx| insert(tx, member, topic, parent, &written).await).await
}

/// The same for a request that may come again.
pub async fn reply_once(
    state: &AppState,
    me: &Me,
    topic: i64,
    new: &NewReply,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, parent) = (me.id, new.parent_id);
    let written = prepare(state, topic, new).await?;
    write_once(state, member, once, async move |tx| {
        let view = insert(tx, member, topic, parent, &written).await?;
        let answer = Answer::created(format!("/api/v1/posts/{}", view.id), &view, Some(view.id.0))?;
        Ok(answer.with_etag(crate::web::etag::of_version(view.version)))
    })
    .await
}

async fn prepare(state: &AppState, topic: i64, new: &NewReply) -> Result<Written> {
    let checked = checks::check(&[Text::body("body", &new.body, BODY).required()], new.confirmed)?;
    let body = checked.get("body");
    // Only a text that may mention somebody needs to know the space.
    let space = if body.contains('@') { space_of(state, topic).await? } else { 0 };
    written(state, space, body).await
}

async fn space_of(state: &AppState, topic: i64) -> Result<i64> {
    let row = Sql::new("SELECT space_id FROM topic WHERE id = ").bind(topic).one(state.store.read()).await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("", "space_id")?))
}

/// The post a reply hangs on.
struct Parent {
    id: i64,
    depth: i32,
    tree_pos: i64,
    author_id: i64,
    /// A stub comes back to sight when something hangs on it again.
    gone: bool,
}

async fn insert(tx: &mut Tx, member: i64, topic: i64, parent: Option<i64>, written: &Written) -> Result<PostView> {
    let ground = ground::topic(tx, member, topic).await?.living()?;
    ground.standing().write()?;
    if ground.closed {
        return Err(AppError::Forbidden("This topic is closed.".into()));
    }
    // A reply to the opening text stands at the top.
    let parent = match parent.filter(|id| *id != ground.first_post_id) {
        Some(id) => Some(find_parent(tx, topic, id).await?),
        None => None,
    };
    let tree_pos = find_place(tx, topic, parent.as_ref()).await?;
    let (id, now) = (tx.id(), tx.now());
    let depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
    let row = post::ActiveModel {
        id: Set(id),
        topic_id: Set(topic),
        parent_id: Set(parent.as_ref().map(|parent| parent.id)),
        author_id: Set(member),
        is_first: Set(false),
        depth: Set(depth),
        tree_pos: Set(tree_pos),
        body: Set(written.body.clone()),
        body_html: Set(written.rendered.html.clone()),
        created_at: Set(now),
        ..super::blank_post()
    };
    post::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    tx.index(Kind::Post, id);
    Sql::new("UPDATE topic SET post_count = post_count + 1, rank = rank + ")
        .then(&policy::rank_gain(1, 0))
        .then(", activity_at = ")
        .bind(now)
        .then(", last_post_id = ")
        .bind(id)
        .then(", last_author_id = ")
        .bind(member)
        .then(" WHERE id = ")
        .bind(topic)
        .run(tx.conn())
        .await?;
    if let Some(parent) = &parent {
        count_child(tx, parent).await?;
    }
    adopt_files(tx, member, id, &written.rendered.html).await?;
    let others = ground.author_id != member || parent.as_ref().is_some_and(|parent| parent.author_id != member);
    if others || !written.rendered.mentions.is_empty() {
        tx.enqueue("forum.notify", &Notify { post: id, mentions: written.rendered.mentions.clone() }).await?;
    }
    let view = view(&ground, id, parent.as_ref().map(|parent| parent.id), depth, tree_pos, now, written);
    let mut event = NewEvent::new("post.created", id, Some(member));
    event.live = Some(serde_json::to_value(&view)?);
    tx.append(Stream::topic(topic), event);
    Ok(view)
}

async fn find_parent(tx: &Tx, topic: i64, id: i64) -> Result<Parent> {
    let row = Sql::new("SELECT depth, tree_pos, author_id, deleted_at, reply_count FROM post WHERE id = ")
        .bind(id)
        .then(" AND topic_id = ")
        .bind(topic)
        .one(tx.conn())
        .await?
        .ok_or_else(|| AppError::field("parent_id", "is a post of this topic"))?;
    let deleted = row.try_get::<Option<i64>>("", "deleted_at")?.is_some();
    Ok(Parent {
        id,
        depth: row.try_get("", "depth")?,
        tree_pos: row.try_get("", "tree_pos")?,
        author_id: row.try_get("", "author_id")?,
        gone: deleted && row.try_get::<i32>("", "reply_count")? == 0,
    })
}

async fn count_child(tx: &Tx, parent: &Parent) -> Result<()> {
    if parent.gone {
        return appeared(tx, Some(parent.id)).await;
    }
    Sql::new("UPDATE post SET reply_count = reply_count + 1 WHERE id = ").bind(parent.id).run(tx.conn()).await?;
    Ok(())
}

/// The new post's place in the tree; numbers the topic anew where there is no room.
async fn find_place(tx: &Tx, topic: i64, parent: Option<&Parent>) -> Result<i64> {
    let Some(parent) = parent else {
        let last =
            Sql::new("SELECT tree_pos FROM post WHERE topic_id = ").bind(topic).then(" ORDER BY tree_pos DESC LIMIT 1");
        let last = last.one(tx.conn()).await?.map_or(Ok(0), |row| row.try_get::<i64>("", "tree_pos"))?;
        return tree::between(last, None).ok_or_else(|| AppError::Forbidden("This topic is full.".into()));
    };
    let (before, after) = neighbours(tx, topic, parent.tree_pos, parent.depth).await?;
    if let Some(place) = tree::between(before, after) {
        return Ok(place);
    }
    renumber(tx, topic).await?;
    let row = Sql::new("SELECT tree_pos FROM post WHERE id = ").bind(parent.id).one(tx.conn()).await?;
    let at = row.ok_or(AppError::NotFound)?.try_get("", "tree_pos")?;
    let (before, after) = neighbours(tx, topic, at, parent.depth).await?;
    tree::between(before, after).ok_or_else(|| AppError::internal("no room in a renumbered topic"))
}

/// The last place of a post's subtree, and the place of the post behind it.
async fn neighbours(tx: &Tx, topic: i64, at: i64, depth: i32) -> Result<(i64, Option<i64>)> {
    let row = Sql::new("SELECT n.place AS after, (SELECT q.tree_pos FROM post q WHERE q.topic_id = ")
        .bind(topic)
        .then(" AND q.tree_pos < COALESCE(n.place, 9223372036854775807) ORDER BY q.tree_pos DESC LIMIT 1) AS before")
        .then(" FROM (SELECT (SELECT tree_pos FROM post WHERE topic_id = ")
        .bind(topic)
        .then(" AND tree_pos > ")
        .bind(at)
        .then(" AND depth <= ")
        .bind(depth)
        .then(" ORDER BY tree_pos LIMIT 1) AS place) n")
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    Ok((row.try_get::<Option<i64>>("", "before")?.unwrap_or(at), row.try_get("", "after")?))
}

/// Gives every post of a topic its full distance again; the opening text stays at 0.
async fn renumber(tx: &Tx, topic: i64) -> Result<()> {
    Sql::new("UPDATE post SET tree_pos = n.place FROM (SELECT id, (row_number() OVER (ORDER BY tree_pos) - 1) * ")
        .bind(tree::GAP)
        .then(" AS place FROM post WHERE topic_id = ")
        .bind(topic)
        .then(") n WHERE post.id = n.id AND post.topic_id = ")
        .bind(topic)
        .run(tx.conn())
        .await?;
    Ok(())
}

fn view(
    ground: &TopicGround,
    id: i64,
    parent: Option<i64>,
    depth: i32,
    tree_pos: i64,
    now: i64,
    written: &Written,
) -> PostView {
    PostView {
        parent_id: parent.map(Id),
        depth,
        tree_pos,
        ..super::new_post_view(id, ground.id, &ground.actor.author, now, rfc3339(now), written)
    }
}
