//! Whom to tell of a new post: who was answered, who opened the topic, who was mentioned.
//!
//! Invariant: nobody hears of a post that they could not open; the rows at the time of the job
//! decide.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::entities::kinds::{HubRole, NoticeKind, SpaceRole, Visibility};
use crate::features::accounts::mail;
use crate::features::notices::{self, NewNotice};
use crate::features::spaces::Access;
use crate::features::spaces::policy::by_role;
use crate::store::Id;
use crate::store::Sql;
use crate::text::excerpt;
use crate::web::error::Result;

/// Characters of a post that its mail quotes.
const QUOTED: usize = 400;

/// The job `forum.notify`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notify {
    pub post: i64,
    /// Handles as written.
    pub mentions: Vec<String>,
}

/// What the mails say.
struct News {
    author_id: i64,
    author: String,
    body: String,
    topic: i64,
    title: String,
    space_id: i64,
    slug: String,
    visibility: Visibility,
    asked_by: i64,
    answered: Option<i64>,
}

/// Queues the mails of one post: one a member, for a mention rather than for a reply.
pub(super) async fn run(state: &AppState, notify: Notify) -> Result<()> {
    let Some(news) = news(state, notify.post).await? else { return Ok(()) };
    let mut mentioned = Vec::new();
    let mut replied = Vec::new();
    for (id, handle) in readers(state, &news, &notify.mentions).await? {
        if notify.mentions.contains(&handle) {
            mentioned.push(id);
        } else {
            replied.push(id);
        }
    }
    if mentioned.is_empty() && replied.is_empty() {
        return Ok(());
    }
    let post = Id(notify.post);
    let path = format!("/s/{}/t/{}?at={post}#post-{post}", news.slug, Id(news.topic));
    let places = [("name", news.author.as_str()), ("title", news.title.as_str())];
    let mut reply = mail::told(state, "reply", &places, &path).await?;
    let mut mention = mail::told(state, "mention", &places, &path).await?;
    reply.quote = excerpt(&news.body, QUOTED);
    mention.quote.clone_from(&reply.quote);
    let (owned, about) = (state.clone(), notify.post);
    let notices = notices_of(&news, notify.post, &mentioned, &replied);
    state
        .store
        .write(async move |tx| {
            notices::tell(tx, &notices).await?;
            mail::notify(&owned, tx, "mention", &mentioned, Some(about), &mention).await?;
            mail::notify(&owned, tx, "reply", &replied, Some(about), &reply).await
        })
        .await
}

fn notices_of(news: &News, post: i64, mentioned: &[i64], replied: &[i64]) -> Vec<NewNotice> {
    let notice = |member: &i64, kind| NewNotice {
        member: *member,
        kind,
        actor: news.author_id,
        subject: post,
        room: None,
        topic: Some(news.topic),
        study: None,
    };
    let mentions = mentioned.iter().map(|member| notice(member, NoticeKind::Mention));
    mentions.chain(replied.iter().map(|member| notice(member, NoticeKind::Reply))).collect()
}

/// The post with what surrounds it; `None` if it is no longer there to be read.
async fn news(state: &AppState, post: i64) -> Result<Option<News>> {
    let row = Sql::new(
        "SELECT p.author_id, p.body, p.topic_id, a.display_name, t.title, t.space_id, t.author_id AS asked_by, \
         s.slug, s.visibility, q.author_id AS answered FROM post p JOIN member a ON a.id = p.author_id \
         JOIN topic t ON t.id = p.topic_id JOIN space s ON s.id = t.space_id LEFT JOIN post q ON q.id = p.parent_id \
         WHERE p.deleted_at IS NULL AND p.hidden_at IS NULL AND t.deleted_at IS NULL AND t.hidden_at IS NULL AND p.id = ",
    )
    .bind(post)
    .one(state.store.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(News {
        author_id: row.try_get("", "author_id")?,
        author: row.try_get("", "display_name")?,
        body: row.try_get("", "body")?,
        topic: row.try_get("", "topic_id")?,
        title: row.try_get("", "title")?,
        space_id: row.try_get("", "space_id")?,
        slug: row.try_get("", "slug")?,
        visibility: row.try_get::<Visibility>("", "visibility")?,
        asked_by: row.try_get("", "asked_by")?,
        answered: row.try_get("", "answered")?,
    }))
}

/// Those concerned who may read the space, without the author of the post.
async fn readers(state: &AppState, news: &News, mentions: &[String]) -> Result<HashMap<i64, String>> {
    let concerned: Vec<i64> = std::iter::once(news.asked_by).chain(news.answered).collect();
    let rows = Sql::new("SELECT m.id, m.handle, m.hub_role, sm.role FROM member m LEFT JOIN space_member sm ON sm.member_id = m.id AND sm.space_id = ")
        .bind(news.space_id)
        .then(" WHERE m.id <> ")
        .bind(news.author_id)
        .then(" AND NOT EXISTS (SELECT 1 FROM member_block b WHERE b.member_id = m.id AND b.blocked_id = ")
        .bind(news.author_id)
        .then(") AND (m.id IN ")
        .list(concerned)
        .then(" OR m.handle IN ")
        .list(mentions.iter().cloned())
        .then(")")
        .all(state.store.read())
        .await?;
    let mut readers = HashMap::new();
    for row in rows {
        let (hub, role) = (row.try_get::<HubRole>("", "hub_role")?, row.try_get::<Option<SpaceRole>>("", "role")?);
        if by_role(hub, role, news.visibility) >= Access::Read {
            readers.insert(row.try_get("", "id")?, row.try_get("", "handle")?);
        }
    }
    Ok(readers)
}
