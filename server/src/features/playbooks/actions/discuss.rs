//! The topic in which a study is discussed: one a study, opened when it is published or when
//! somebody first wants to say something.

use actix_web::HttpResponse;
use sea_orm::ConnectionTrait;

use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::actions::{NewTopic, PreparedTopic, insert_topic, prepare_topic};
use crate::features::playbooks::ground;
use crate::features::playbooks::model::DiscussionView;
use crate::features::playbooks::queries::find_study;
use crate::features::spaces::{Access, access_by_slug};
use crate::store::{Id, Sql, Tx};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::{Me, Viewer};
use crate::web::words::english;

/// Opens the topic of a published study, in the space of its playbook or in a chosen one where
/// the member writes; one that is there already is given back.
pub async fn discuss(state: &AppState, me: &Me, slug: &str, space: Option<&str>) -> Result<DiscussionView> {
    let (member, slug, prepared) = (me.id, slug.to_owned(), prepare(state, me, slug, space).await?);
    state.store.write(async move |tx| open(tx, member, &slug, prepared.as_ref()).await).await
}

/// The same for a request that may come again.
pub async fn discuss_once(
    state: &AppState,
    me: &Me,
    slug: &str,
    space: Option<&str>,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, slug, prepared) = (me.id, slug.to_owned(), prepare(state, me, slug, space).await?);
    write_once(state, member, once, async move |tx| {
        let view = open(tx, member, &slug, prepared.as_ref()).await?;
        Answer::created(format!("/api/v1/topics/{}", view.topic_id), &view, None)
    })
    .await
}

type Prepared = (i64, PreparedTopic);

async fn prepare(state: &AppState, me: &Me, slug: &str, space: Option<&str>) -> Result<Option<Prepared>> {
    let viewer = Viewer::Member(std::sync::Arc::new(me.clone()));
    let seen = find_study(state, &viewer, slug).await?;
    let space = match space.filter(|space| !space.is_empty()) {
        Some(space) => {
            let found = state.spaces.find(state, &viewer, space).await;
            let (space, access) = found.map_err(|error| match error {
                AppError::NotFound => AppError::field("space", "is the address of a space that you can read"),
                other => other,
            })?;
            if access < Access::Read {
                return Err(AppError::field("space", "is the address of a space that you can read"));
            }
            space.id
        }
        None => match seen.space_id {
            Some(space) => space,
            // Perhaps it has one already.
            None => return Ok(None),
        },
    };
    // What is published: the topic may have other readers than the working copy.
    let topic = topic_of(state, space, &seen.row.slug, &seen.live_title, &seen.live_summary).await?;
    Ok(Some((space, topic)))
}

/// The opening text of a discussion.
pub(in crate::features::playbooks) async fn topic_of(
    state: &AppState,
    space: i64,
    slug: &str,
    title: &str,
    summary: &str,
) -> Result<PreparedTopic> {
    let words = english();
    let link = format!("[{}](/case-studies/{slug})", words.t("playbooks.discussion.link"));
    let text = words.with("playbooks.discussion.text", &[("link", &link)]);
    let quoted = if summary.is_empty() { String::new() } else { format!("> {summary}\n\n") };
    let title: String = words.with("playbooks.discussion.title", &[("title", title)]).chars().take(200).collect();
    let new = NewTopic {
        title,
        body: format!("{quoted}{text}"),
        kind: TopicKind::Discussion,
        tags: Vec::new(),
        confirmed: true,
    };
    prepare_topic(state, space, &new).await
}

async fn open(tx: &mut Tx, member: i64, slug: &str, prepared: Option<&Prepared>) -> Result<DiscussionView> {
    let study = ground::study(tx, member, slug).await?;
    study.standing.respond()?;
    if let Some(topic) = study.topic_id
        && let Some(known) = known(tx.conn(), member, topic).await?
    {
        return Ok(known);
    }
    let Some((space, topic)) = prepared else {
        return Err(AppError::field("space", "is needed: its playbook has none, where is it to be discussed?"));
    };
    attach(tx, member, study.id, *space, topic).await
}

/// Opens a topic and ties it to its study.
pub(in crate::features::playbooks) async fn attach(
    tx: &mut Tx,
    member: i64,
    study: i64,
    space: i64,
    topic: &PreparedTopic,
) -> Result<DiscussionView> {
    let view = insert_topic(tx, member, space, topic).await?;
    Sql::new("UPDATE case_study SET topic_id = ")
        .bind(view.row.id.0)
        .then(" WHERE id = ")
        .bind(study)
        .run(tx.conn())
        .await?;
    let home = Sql::new("SELECT playbook_id FROM case_study WHERE id = ").bind(study).one(tx.conn()).await?;
    let home = home.map_or(Ok(None), |row| row.try_get("", "playbook_id"))?;
    super::told::study_moved_in(tx, study, home, "study.discussed", member).await?;
    Ok(DiscussionView {
        topic_id: view.row.id,
        url: format!("/s/{}/t/{}", view.row.space, view.row.id),
        space: view.row.space,
        post_count: 0,
    })
}

/// The topic that a study has, if it is still there; 409 if it is where the member does not read.
async fn known(db: &impl ConnectionTrait, member: i64, topic: i64) -> Result<Option<DiscussionView>> {
    let row = Sql::new("SELECT t.post_count, s.slug FROM topic t JOIN space s ON s.id = t.space_id WHERE t.deleted_at IS NULL AND t.id = ")
        .bind(topic)
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let space: String = row.try_get("", "slug")?;
    let reads = match access_by_slug(db, member, &space).await {
        Ok(inside) => inside.access >= Access::Read,
        Err(AppError::NotFound) => false,
        Err(error) => return Err(error),
    };
    if !reads {
        return Err(AppError::Conflict("It is discussed already, where you do not read.".into()));
    }
    Ok(Some(DiscussionView {
        topic_id: Id(topic),
        url: format!("/s/{space}/t/{}", Id(topic)),
        space,
        post_count: row.try_get("", "post_count")?,
    }))
}
