//! Opening a topic.

use actix_web::HttpResponse;
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::ground::{self, Actor};
use super::tags::{count_tags, set_tags};
use super::texts::{Written, adopt_files, written};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::entities::{post, topic};
use crate::features::forum::model::{TopicRow, TopicView};
use crate::features::forum::notify::Notify;
use crate::features::forum::policy::parse_tags;
use crate::ports::clock::rfc3339;
use crate::search::Kind;
use crate::store::Sql;
use crate::store::{Id, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, BODY, TITLE, Text};
use crate::web::error::Result;
use crate::web::etag::of_version;
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// What a topic is made of.
#[derive(Clone, Debug)]
pub struct NewTopic {
    pub title: String,
    pub body: String,
    pub kind: TopicKind,
    pub tags: Vec<String>,
    pub confirmed: bool,
}

/// Checked and rendered.
#[derive(Debug)]
pub struct PreparedTopic {
    pub title: String,
    kind: TopicKind,
    tags: Vec<String>,
    written: Written,
    epoch: String,
}

/// Opens a topic in a space.
pub async fn create_topic(state: &AppState, me: &Me, space: i64, new: &NewTopic) -> Result<TopicView> {
    let member = me.id;
    let prepared = prepare_topic(state, space, new).await?;
    state.store.write(async move |tx| insert_topic(tx, member, space, &prepared).await).await
}

/// The same for a request that may come again.
pub async fn create_topic_once(
    state: &AppState,
    me: &Me,
    space: i64,
    new: &NewTopic,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let member = me.id;
    let prepared = prepare_topic(state, space, new).await?;
    write_once(state, member, once, async move |tx| {
        let view = insert_topic(tx, member, space, &prepared).await?;
        let answer = Answer::created(format!("/api/v1/topics/{}", view.row.id), &view, Some(view.first_post_id.0))?;
        Ok(answer.with_etag(of_version(view.version)))
    })
    .await
}

/// Checks and renders a topic, before its transaction.
pub async fn prepare_topic(state: &AppState, space: i64, new: &NewTopic) -> Result<PreparedTopic> {
    let texts = [Text::line("title", &new.title, TITLE).required(), Text::body("body", &new.body, BODY).required()];
    let checked = checks::check(&texts, new.confirmed)?;
    Ok(PreparedTopic {
        title: checked.get("title").to_owned(),
        kind: new.kind,
        tags: parse_tags(&new.tags)?,
        written: written(state, space, checked.get("body")).await?,
        epoch: state.epoch.to_string(),
    })
}

/// Opens a topic inside a transaction.
pub async fn insert_topic(tx: &mut Tx, member: i64, space: i64, new: &PreparedTopic) -> Result<TopicView> {
    let actor = ground::space(tx, member, space).await?;
    actor.standing.write()?;
    let (id, first, now) = (tx.id(), tx.id(), tx.now());
    let row = topic::ActiveModel {
        id: Set(id),
        space_id: Set(space),
        author_id: Set(member),
        kind: Set(new.kind),
        title: Set(new.title.clone()),
        first_post_id: Set(first),
        post_count: Set(0),
        answer_count: Set(0),
        score: Set(0),
        rank: Set(0),
        created_at: Set(now),
        activity_at: Set(now),
        last_post_id: Set(None),
        last_author_id: Set(None),
        pinned_at: Set(None),
        closed_at: Set(None),
        closed_by: Set(None),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        version: Set(1),
    };
    topic::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    let opening = post::ActiveModel {
        id: Set(first),
        topic_id: Set(id),
        parent_id: Set(None),
        author_id: Set(member),
        is_first: Set(true),
        depth: Set(0),
        tree_pos: Set(0),
        body: Set(new.written.body.clone()),
        body_html: Set(new.written.rendered.html.clone()),
        created_at: Set(now),
        ..super::blank_post()
    };
    post::Entity::insert(opening).exec_without_returning(tx.conn()).await?;
    set_tags(tx, id, &new.tags).await?;
    count_tags(tx, space, &new.tags, 1).await?;
    Sql::new("UPDATE space SET topic_count = topic_count + 1 WHERE id = ").bind(space).run(tx.conn()).await?;
    adopt_files(tx, member, first, &new.written.rendered.html).await?;
    if !new.written.rendered.mentions.is_empty() {
        tx.enqueue("forum.notify", &Notify { post: first, mentions: new.written.rendered.mentions.clone() }).await?;
    }
    tx.index(Kind::Topic, id);
    tx.append(Stream::space(space), NewEvent::new("topic.created", id, Some(member)));
    Ok(view(&actor, id, first, space, now, new))
}

fn view(actor: &Actor, id: i64, first: i64, space: i64, now: i64, new: &PreparedTopic) -> TopicView {
    let at = rfc3339(now);
    let mut opening = super::new_post_view(first, id, &actor.author, now, at.clone(), &new.written);
    opening.is_first = true;
    let mut tags = new.tags.clone();
    tags.sort();
    TopicView {
        row: TopicRow {
            id: Id(id),
            space: actor.space_slug.clone(),
            space_name: actor.space_name.clone(),
            kind: new.kind,
            title: new.title.clone(),
            tags,
            author: actor.author.clone(),
            post_count: 0,
            answer_count: 0,
            score: 0,
            created_at: at.clone(),
            activity_at: at,
            pinned: false,
            closed: false,
            created: now,
            activity: now,
            rank: 0,
            space_id: space,
            last_handle: actor.author.handle.clone(),
            last_name: actor.author.display_name.clone(),
            deleted: false,
            hidden: false,
            unread: false,
        },
        body: opening.body.clone(),
        body_html: opening.body_html.clone(),
        first_post_id: Id(first),
        answer_ids: Vec::new(),
        stream: Stream::topic(id).to_string(),
        head: 0,
        epoch: new.epoch.clone(),
        edited_at: None,
        version: 1,
        opening: Some(Box::new(opening)),
        answers: Vec::new(),
        space_id: space,
        read_seq: None,
    }
}
