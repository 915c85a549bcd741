//! Editing topics and posts, with the history of what they said.

use super::ground::{self, PostGround, TopicGround};
use super::tags::{clear_tags, count_tags, set_tags};
use super::texts::{Written, adopt_files, written};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::policy::parse_tags;
use crate::features::forum::queries::tags_of;
use crate::search::Kind;
use crate::store::Sql;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, BODY, SUMMARY, TITLE, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::viewer::Me;

/// What of a topic becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TopicChange {
    pub title: Option<String>,
    pub body: Option<String>,
    pub kind: Option<TopicKind>,
    pub tags: Option<Vec<String>>,
    /// Why, for the history.
    pub note: String,
    pub confirmed: bool,
}

/// What of a post becomes new.
#[derive(Clone, Debug, Default)]
pub struct PostChange {
    pub body: String,
    /// Why, for the history.
    pub note: String,
    pub confirmed: bool,
}

/// What is to be stored, checked and rendered.
#[derive(Default)]
struct Wanted {
    title: Option<String>,
    written: Option<Written>,
    kind: Option<TopicKind>,
    tags: Option<Vec<String>>,
    note: String,
}

/// Changes a topic: its author or a moderator. What is already so changes nothing.
pub async fn edit_topic(state: &AppState, me: &Me, topic: i64, change: &TopicChange, if_match: IfMatch) -> Result<()> {
    let mut texts = vec![Text::line("note", &change.note, SUMMARY)];
    texts.extend(change.title.as_deref().map(|title| Text::line("title", title, TITLE).required()));
    texts.extend(change.body.as_deref().map(|body| Text::body("body", body, BODY).required()));
    let checked = checks::check(&texts, change.confirmed)?;
    let wanted = Wanted {
        title: change.title.as_ref().map(|_| checked.get("title").to_owned()),
        written: match change.body {
            Some(_) => Some(written(state, space_of_topic(state, topic).await?, checked.get("body")).await?),
            None => None,
        },
        kind: change.kind,
        tags: change.tags.as_deref().map(parse_tags).transpose()?,
        note: checked.get("note").to_owned(),
    };
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let topic = ground::topic(tx, member, topic).await?;
            let first = topic.first_post_id;
            let opening = ground::post(tx, member, first).await?;
            if_match.check(topic.version)?;
            save(tx, &opening, &wanted).await
        })
        .await
}

/// Changes the text of a post: its author or a moderator.
pub async fn edit_post(state: &AppState, me: &Me, post: i64, change: &PostChange, if_match: IfMatch) -> Result<()> {
    let texts = [Text::body("body", &change.body, BODY).required(), Text::line("note", &change.note, SUMMARY)];
    let checked = checks::check(&texts, change.confirmed)?;
    let wanted = Wanted {
        written: Some(written(state, space_of_post(state, post).await?, checked.get("body")).await?),
        note: checked.get("note").to_owned(),
        ..Wanted::default()
    };
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let post = ground::post(tx, member, post).await?;
            if_match.check(post.version)?;
            save(tx, &post, &wanted).await
        })
        .await
}

async fn space_of_topic(state: &AppState, topic: i64) -> Result<i64> {
    let row = Sql::new("SELECT space_id FROM topic WHERE id = ").bind(topic).one(state.store.read()).await?;
    row.map_or(Err(AppError::NotFound), |row| Ok(row.try_get("", "space_id")?))
}

async fn space_of_post(state: &AppState, post: i64) -> Result<i64> {
    let row = Sql::new("SELECT t.space_id FROM post p JOIN topic t ON t.id = p.topic_id WHERE p.id = ")
        .bind(post)
        .one(state.store.read())
        .await?;
    row.map_or(Err(AppError::NotFound), |row| Ok(row.try_get("", "space_id")?))
}

async fn save(tx: &mut Tx, post: &PostGround, wanted: &Wanted) -> Result<()> {
    let post = post.clone().living()?;
    let (topic, member) = (post.topic.clone(), post.standing().member);
    post.standing().change(post.author_id)?;
    let old_tags = if post.is_first { tags_of(tx.conn(), &[topic.id]).await?.remove(&topic.id) } else { None };
    let old_tags = old_tags.unwrap_or_default();
    let new_tags = wanted.tags.as_ref().map(|tags| {
        let mut tags = tags.clone();
        tags.sort();
        tags
    });
    let body = wanted.written.as_ref().filter(|new| new.body != post.body);
    let title = wanted.title.as_ref().filter(|new| **new != topic.title);
    let kind = wanted.kind.filter(|new| *new != topic.kind);
    let tags = new_tags.filter(|new| *new != old_tags);
    if body.is_none() && title.is_none() && kind.is_none() && tags.is_none() {
        return Ok(());
    }
    if body.is_some() || title.is_some() || tags.is_some() {
        let after = Saved {
            title: post.is_first.then(|| title.unwrap_or(&topic.title).clone()),
            tags: post.is_first.then(|| tags.as_ref().unwrap_or(&old_tags).join(" ")),
            body: body.map_or(&post.body, |new| &new.body).clone(),
        };
        remember(tx, &post, &old_tags, after, &wanted.note).await?;
    }
    if post.is_first {
        tx.index(Kind::Topic, topic.id)
    } else {
        tx.index(Kind::Post, post.id)
    }
    // The title is the topic's: whoever is at the text meanwhile has not lost their place.
    if let Some(body) = body {
        write_post(tx, &post, body).await?;
    }
    if post.is_first {
        write_topic(tx, &topic, title, kind).await?;
        if let Some(tags) = &tags {
            clear_tags(tx, topic.id).await?;
            set_tags(tx, topic.id, tags).await?;
            let gone: Vec<String> = old_tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
            let come: Vec<String> = tags.iter().filter(|tag| !old_tags.contains(tag)).cloned().collect();
            count_tags(tx, topic.space_id, &gone, -1).await?;
            count_tags(tx, topic.space_id, &come, 1).await?;
        }
    }
    if let Some(body) = body {
        adopt_files(tx, member, post.id, &body.rendered.html).await?;
        tx.append(Stream::topic(topic.id), NewEvent::new("post.edited", post.id, Some(member)));
    }
    if title.is_some() || kind.is_some() || tags.is_some() {
        tx.append(Stream::topic(topic.id), NewEvent::new("topic.changed", topic.id, Some(member)));
    }
    Ok(())
}

/// One state of a post for its history.
struct Saved {
    title: Option<String>,
    tags: Option<String>,
    body: String,
}

/// Adds a state to the history; the first edit also saves what was there before.
async fn remember(tx: &Tx, post: &PostGround, old_tags: &[String], after: Saved, note: &str) -> Result<()> {
    let mut sql =
        Sql::new("INSERT INTO post_revision (post_id, number, title, tags, body, editor_id, note, created_at) VALUES ");
    let mut number = post.revision_count;
    if number == 0 {
        number = 1;
        let before = Saved {
            title: post.is_first.then(|| post.topic.title.clone()),
            tags: post.is_first.then(|| old_tags.join(" ")),
            body: post.body.clone(),
        };
        sql = state_of(sql, post.id, number, before, post.author_id, "", post.created_at).then(", ");
    }
    number += 1;
    state_of(sql, post.id, number, after, post.standing().member, note, tx.now()).run(tx.conn()).await?;
    Sql::new("UPDATE post SET revision_count = ")
        .bind(number)
        .then(" WHERE id = ")
        .bind(post.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

fn state_of(sql: Sql, post: i64, number: i32, saved: Saved, editor: i64, note: &str, at: i64) -> Sql {
    sql.then("(")
        .bind(post)
        .then(", ")
        .bind(number)
        .then(", ")
        .bind(saved.title)
        .then(", ")
        .bind(saved.tags)
        .then(", ")
        .bind(saved.body)
        .then(", ")
        .bind(editor)
        .then(", ")
        .bind(note)
        .then(", ")
        .bind(at)
        .then(")")
}

async fn write_post(tx: &Tx, post: &PostGround, body: &Written) -> Result<()> {
    Sql::new("UPDATE post SET version = version + 1, edited_at = ")
        .bind(tx.now())
        .then(", body = ")
        .bind(body.body.clone())
        .then(", body_html = ")
        .bind(body.rendered.html.clone())
        .then(" WHERE id = ")
        .bind(post.id)
        .run(tx.conn())
        .await?;
    Ok(())
}

async fn write_topic(tx: &Tx, topic: &TopicGround, title: Option<&String>, kind: Option<TopicKind>) -> Result<()> {
    let mut sql = Sql::new("UPDATE topic SET version = version + 1");
    if let Some(title) = title {
        sql = sql.then(", title = ").bind(title.clone());
    }
    if let Some(kind) = kind {
        sql = sql.then(", kind = ").bind(kind.as_str());
    }
    sql.then(" WHERE id = ").bind(topic.id).run(tx.conn()).await?;
    Ok(())
}
