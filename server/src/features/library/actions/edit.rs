//! Changing what describes a resource. What it is made of changes by a new version.

use super::create::Content;
use super::create::adopt;
use super::fields::{Fields, Ready, check_topic, ready, set_terms};
use super::versions::{self, NewVersionOf};
use super::{ground, tell};
use crate::app::AppState;
use crate::entities::kinds::{ResourceKind, Stage};
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::viewer::Me;
use std::sync::atomic::AtomicBool;

/// Changes a resource: who shared it or a moderator.
///
/// `content`: what it becomes by the way, as a new version; no file.
pub async fn edit(
    state: &AppState,
    me: &Me,
    id: i64,
    fields: &Fields,
    content: Option<&Content>,
    if_match: IfMatch,
) -> Result<()> {
    edit_as(state, me.id, id, fields, content, if_match).await
}

/// The same for a member by id.
pub async fn edit_as(
    state: &AppState,
    member: i64,
    id: i64,
    fields: &Fields,
    content: Option<&Content>,
    if_match: IfMatch,
) -> Result<()> {
    let space = space_of(state, id).await?;
    let ready = ready(state, space, fields, None).await?;
    let next = match content {
        None => None,
        Some(content) => {
            let new = NewVersionOf {
                resource: id,
                content: content.clone(),
                note: fields.note.clone(),
                confirmed: fields.confirmed,
                if_match: IfMatch::default(),
            };
            Some(versions::prepare(state, &new).await?)
        }
    };
    let described = *fields != Fields { note: fields.note.clone(), confirmed: fields.confirmed, ..Fields::default() };
    state
        .store
        .write(async move |tx| {
            let ground = ground::resource(tx, member, id).await?;
            ground.standing.change(ground.author_id)?;
            let ground = ground.living()?;
            if_match.check(ground.version)?;
            check_topic(tx, ground.space_id, ready.topic).await?;
            if described {
                save(tx, &ground, &ready).await?;
            }
            match &next {
                Some(next) => versions::add(tx, member, id, next, &AtomicBool::new(false)).await,
                None => Ok(()),
            }
        })
        .await
}

pub(super) async fn space_of(state: &AppState, id: i64) -> Result<i64> {
    let row = Sql::new("SELECT space_id FROM resource WHERE id = ").bind(id).one(state.store.read()).await?;
    row.map_or(Err(AppError::NotFound), |row| Ok(row.try_get("", "space_id")?))
}

async fn save(tx: &mut Tx, ground: &ground::Ground, ready: &Ready) -> Result<()> {
    let (member, id) = (ground.standing.member, ground.id);
    let mut sql = Sql::new("UPDATE resource SET version = version + 1, updated_at = ").bind(tx.now());
    for (column, text) in [
        ("title", &ready.title),
        ("summary", &ready.summary),
        ("organisation", &ready.organisation),
        ("licence", &ready.licence),
        ("source", &ready.source),
    ] {
        if let Some(text) = text {
            sql = sql.then(&format!(", {column} = ")).bind(text.clone());
        }
    }
    if let Some((description, html)) = &ready.description {
        sql = sql.then(", description = ").bind(description.clone()).then(", description_html = ").bind(html.clone());
    }
    if let Some(kind) = ready.kind {
        sql = sql.then(", kind = ").bind(ResourceKind::as_str(kind));
    }
    if let Some(stage) = ready.stage {
        sql = sql.then(", stage = ").bind(stage.map(Stage::as_str));
    }
    if let Some(authors) = &ready.authors {
        sql = sql.then(", authors = ").bind(serde_json::to_string(authors)?);
    }
    if let Some(day) = ready.published_on {
        sql = sql.then(", published_on = ").bind(day);
    }
    if let Some(topic) = ready.topic {
        sql = sql.then(", topic_id = ").bind(topic);
    }
    if let Some(due) = ready.review_due.filter(|due| *due != ground.review_due) {
        sql = sql.then(", review_told = ").bind(false).then(", review_due = ").bind(due);
        forget_reviews(tx, id).await?;
    }
    sql.then(" WHERE id = ").bind(id).run(tx.conn()).await?;
    for (vocabulary, terms) in [("topic", &ready.topics), ("tag", &ready.tags)] {
        if let Some(terms) = terms {
            set_terms(tx, id, vocabulary, terms).await?;
        }
    }
    adopt(tx, member, id, ready).await?;
    tell(tx, "resource.changed", ground.space_id, id, member);
    Ok(())
}

/// Notices of a review that is no longer due go, so that the next one is told again.
async fn forget_reviews(tx: &Tx, id: i64) -> Result<()> {
    Sql::new("DELETE FROM notice WHERE kind = 'review' AND subject_id = ").bind(id).run(tx.conn()).await?;
    Ok(())
}
