//! Notices of one member, with what they may read of them now.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::model::{Actor, Glimpse, NoticeView};
use crate::app::AppState;
use crate::entities::kinds::NoticeKind;
use crate::features::{chat, forum, library, playbooks, search};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Me;

const COLUMNS: &str = "SELECT n.id, n.kind, n.subject_id, n.room_id, n.topic_id, n.resource_id, n.study_id, \
     n.created_at, n.read_at, a.handle, \
    a.display_name, a.avatar FROM notice n JOIN member a ON a.id = n.actor_id WHERE n.member_id = ";

/// A member's notices, the newest first; three statements.
pub async fn list(state: &AppState, me: &Me, page: &PageQuery) -> Result<Page<NoticeView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = Sql::new(COLUMNS).bind(me.id);
    if let Some(place) = after {
        sql = sql.then(" AND n.id < ").bind(place.id);
    }
    let sql = sql.then(" ORDER BY n.id DESC").limit(limit + 1);
    let items = views(state.store.read(), me.id, sql).await?;
    Ok(Page::cut(items, limit, |notice| Place { key: 0, id: notice.id.0 }))
}

/// The newest unread notices of a member that are about posts or reviews; four statements.
pub async fn waiting_in_topics(state: &AppState, me: &Me, limit: i64) -> Result<Vec<NoticeView>> {
    let sql = Sql::new(COLUMNS)
        .bind(me.id)
        .then(" AND n.read_at IS NULL AND (n.topic_id IS NOT NULL OR n.kind = 'review') ORDER BY n.id DESC")
        .limit(limit);
    views(state.store.read(), me.id, sql).await
}

/// Some notices of a member, by id.
pub(super) async fn by_ids(db: &impl ConnectionTrait, member: i64, ids: &[i64]) -> Result<HashMap<i64, NoticeView>> {
    let sql = Sql::new(COLUMNS).bind(member).then(" AND n.id IN ").list(ids.iter().copied());
    Ok(views(db, member, sql).await?.into_iter().map(|notice| (notice.id.0, notice)).collect())
}

/// How many notices a member has not read.
pub async fn unread(db: &impl ConnectionTrait, member: i64) -> Result<i64> {
    let row = Sql::new("SELECT count(*) AS unread FROM notice WHERE read_at IS NULL AND member_id = ")
        .bind(member)
        .one(db)
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("", "unread")?))
}

async fn views(db: &impl ConnectionTrait, member: i64, sql: Sql) -> Result<Vec<NoticeView>> {
    let rows = sql.all(db).await?;
    let (mut messages, mut posts, mut resources) = (Vec::new(), Vec::new(), Vec::new());
    let (mut searches, mut studies) = (Vec::new(), Vec::new());
    for row in &rows {
        let subject: i64 = row.try_get("", "subject_id")?;
        if let Some(told) = of_study(row)? {
            studies.push(told);
            continue;
        }
        if row.try_get::<NoticeKind>("", "kind")? == NoticeKind::Search {
            searches.push(subject);
        } else if row.try_get::<Option<i64>>("", "room_id")?.is_some() {
            messages.push(subject);
        } else if row.try_get::<Option<i64>>("", "resource_id")?.is_some() {
            resources.push(subject);
        } else {
            posts.push(subject);
        }
    }
    let messages = chat::glimpses(db, member, &messages).await?;
    let posts = forum::glimpses(db, member, &posts).await?;
    let resources = library::glimpses(db, member, &resources).await?;
    let searches = search::glimpses(db, member, &searches).await?;
    let studies = playbooks::glimpses(db, member, &studies).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let subject: i64 = row.try_get("", "subject_id")?;
        let room: Option<i64> = row.try_get("", "room_id")?;
        let kind = row.try_get::<NoticeKind>("", "kind")?;
        let resource: Option<i64> = row.try_get("", "resource_id")?;
        let told = of_study(row)?;
        let seen = match (kind, room, resource) {
            _ if told.is_some() => told.as_ref().and_then(|told| studies.get(told)),
            (NoticeKind::Search, ..) => searches.get(&subject),
            (_, Some(_), _) => messages.get(&subject),
            (_, None, Some(_)) => resources.get(&subject),
            (_, None, None) => posts.get(&subject),
        };
        let seen = seen.cloned().unwrap_or_else(|| Glimpse { url: "/notices".to_owned(), ..Glimpse::default() });
        let created: i64 = row.try_get("", "created_at")?;
        views.push(NoticeView {
            id: Id(row.try_get("", "id")?),
            kind,
            actor: Actor {
                handle: row.try_get("", "handle")?,
                display_name: row.try_get("", "display_name")?,
                avatar: row.try_get("", "avatar")?,
            },
            room: room.map(Id),
            topic: row.try_get::<Option<i64>>("", "topic_id")?.map(Id),
            resource: resource.map(Id),
            study: row.try_get::<Option<i64>>("", "study_id")?.map(Id),
            url: seen.url,
            title: seen.title,
            excerpt: seen.excerpt,
            created_at: rfc3339(created),
            read: row.try_get::<Option<i64>>("", "read_at")?.is_some(),
            created,
        });
    }
    Ok(views)
}

/// What a notice tells of a case study, if it is one of those.
fn of_study(row: &sea_orm::QueryResult) -> Result<Option<playbooks::Told>> {
    let study: Option<i64> = row.try_get("", "study_id")?;
    let of = |study| Ok((row.try_get::<NoticeKind>("", "kind")?, row.try_get("", "subject_id")?, study));
    study.map(of).transpose()
}
