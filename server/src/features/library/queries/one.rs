//! Reading one resource with its versions.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, QueryResult};

use super::rows::{resource, select, select_versions, version as version_of, with_terms};
use crate::app::AppState;
use crate::entities::kinds::{Discipline, HubRole};
use crate::features::forum;
use crate::features::forum::model::EndorsementView;
use crate::features::library::model::{CollectionLink, ResourceRow, ResourceView, TopicLink, VersionView};
use crate::features::moderation::tends;
use crate::features::spaces::{Access, SpaceInfo};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::streams::{Stream, log_head};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Me, Viewer};

/// Endorsers and collections named with a resource.
const NAMED: i64 = 50;

/// A resource as one viewer may see it, and how far they get in its space.
#[derive(Clone, Debug)]
pub struct Seen {
    pub row: ResourceRow,
    pub space: Arc<SpaceInfo>,
    pub access: Access,
    pub version: i32,
    pub version_id: i64,
    pub topic_id: Option<i64>,
    pub description: String,
    description_html: String,
    licence: String,
    source: String,
}

impl Seen {
    #[must_use]
    pub fn moderates(&self) -> bool {
        self.access >= Access::Moderate
    }
}

/// The resource if it exists for the viewer, without its terms; 404 else. A deleted one exists for
/// moderators alone, a hidden one for whoever hides and shows there.
pub async fn find(state: &AppState, viewer: &Viewer, id: i64) -> Result<Seen> {
    let sql = select().then(" WHERE r.id = ").bind(id);
    let row = sql.one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    let space_id: i64 = row.try_get("", "space_id")?;
    let (space, access) = state.spaces.find_by_id(state, viewer, space_id).await?;
    access.read()?;
    let seen = seen_of(&row, space, access, state.clock.now())?;
    let hides = |me: &Me| tends(me.hub_role, access, seen.space.visibility);
    let hidden = seen.row.hidden && !seen.row.deleted && !seen.row.purged;
    let exists = seen.row.is_shown() || access >= Access::Moderate || (hidden && viewer.member().is_some_and(hides));
    if !exists {
        return Err(AppError::NotFound);
    }
    Ok(seen)
}

fn seen_of(row: &QueryResult, space: Arc<SpaceInfo>, access: Access, now: i64) -> Result<Seen> {
    Ok(Seen {
        row: resource(row, now)?,
        space,
        access,
        version: row.try_get("", "version")?,
        version_id: row.try_get("", "version_id")?,
        topic_id: row.try_get("", "topic_id")?,
        description: row.try_get("", "description")?,
        description_html: row.try_get("", "description_html")?,
        licence: row.try_get("", "licence")?,
        source: row.try_get("", "source")?,
    })
}

/// A resource with all its fields. The head is read before the rows.
pub async fn view(state: &AppState, viewer: &Viewer, id: i64) -> Result<(ResourceView, Seen)> {
    let db = state.store.read();
    let space = Sql::new("SELECT space_id FROM resource WHERE id = ").bind(id).one(db).await?;
    let space = space.ok_or(AppError::NotFound)?.try_get("", "space_id")?;
    let head = state.heads.current(db, Stream::space(space)).await?;
    let seen = find(state, viewer, id).await?;
    let mut view = assemble(db, &seen, head, &state.epoch).await?;
    if let Some(topic) = seen.topic_id {
        view.topic = match forum::queries::find_topic(state, viewer, topic).await {
            Ok(topic) => Some(TopicLink {
                id: topic.row.id,
                title: topic.row.title,
                space: topic.row.space,
                post_count: topic.row.post_count,
            }),
            Err(AppError::NotFound) => None,
            Err(error) => return Err(error),
        };
    }
    Ok((view, seen))
}

/// The same inside an action that has just written it: without the topic, which its author knows.
pub async fn view_in(
    db: &impl ConnectionTrait,
    space: &Arc<SpaceInfo>,
    id: i64,
    now: i64,
    epoch: &str,
) -> Result<ResourceView> {
    let row = select().then(" WHERE r.id = ").bind(id).one(db).await?.ok_or(AppError::NotFound)?;
    let head = log_head(db, Stream::space(space.id)).await?.head;
    let seen = seen_of(&row, Arc::clone(space), Access::Write, now)?;
    assemble(db, &seen, head, epoch).await
}

async fn assemble(db: &impl ConnectionTrait, seen: &Seen, head: i64, epoch: &str) -> Result<ResourceView> {
    let id = seen.row.id;
    let current = select_versions().then(" WHERE v.id = ").bind(seen.version_id).one(db).await?;
    let row = with_terms(db, vec![seen.row.clone()]).await?.pop().unwrap_or_else(|| seen.row.clone());
    Ok(ResourceView {
        endorsements: if row.endorsement_count > 0 { endorsements(db, id.0).await? } else { Vec::new() },
        collections: collections_of(db, id.0).await?,
        description: seen.description.clone(),
        description_html: seen.description_html.clone(),
        licence: seen.licence.clone(),
        source: seen.source.clone(),
        current: current.as_ref().map(version_of).transpose()?,
        topic: None,
        page_url: format!("/resources/{id}"),
        content_url: format!("/api/v1/resources/{id}/content"),
        stream: Stream::space(row.space_id).to_string(),
        head,
        epoch: epoch.to_owned(),
        version: seen.version,
        row,
    })
}

async fn endorsements(db: &impl ConnectionTrait, id: i64) -> Result<Vec<EndorsementView>> {
    let rows = Sql::new(
        "SELECT m.handle, m.display_name, m.headline, m.discipline, m.hub_role, e.created_at \
         FROM resource_endorsement e JOIN member m ON m.id = e.member_id WHERE e.resource_id = ",
    )
    .bind(id)
    .then(" ORDER BY e.created_at, e.member_id")
    .limit(NAMED)
    .all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(EndorsementView {
                handle: row.try_get("", "handle")?,
                display_name: row.try_get("", "display_name")?,
                headline: row.try_get("", "headline")?,
                discipline: row.try_get::<Discipline>("", "discipline")?,
                role: row.try_get::<HubRole>("", "hub_role")?,
                created_at: rfc3339(row.try_get("", "created_at")?),
            })
        })
        .collect()
}

/// Whether a member has endorsed a resource.
pub async fn has_endorsed(state: &AppState, member: i64, id: i64) -> Result<bool> {
    let sql = Sql::new("SELECT 1 AS one FROM resource_endorsement WHERE resource_id = ").bind(id);
    Ok(sql.then(" AND member_id = ").bind(member).one(state.store.read()).await?.is_some())
}

async fn collections_of(db: &impl ConnectionTrait, id: i64) -> Result<Vec<CollectionLink>> {
    let rows = Sql::new(
        "SELECT c.id, c.title FROM collection_item i JOIN collection c ON c.id = i.collection_id \
         WHERE c.deleted_at IS NULL AND i.resource_id = ",
    )
    .bind(id)
    .then(" ORDER BY c.title, c.id")
    .limit(NAMED)
    .all(db)
    .await?;
    rows.iter()
        .map(|row| Ok(CollectionLink { id: Id(row.try_get("", "id")?), title: row.try_get("", "title")? }))
        .collect()
}

/// The versions of a resource the viewer may see, the newest first.
pub async fn versions(
    state: &AppState,
    viewer: &Viewer,
    id: i64,
    page: &PageQuery,
) -> Result<(Page<VersionView>, Seen)> {
    let (limit, after) = (page.limit()?, page.after()?);
    let seen = find(state, viewer, id).await?;
    let mut sql = select_versions().then(" WHERE v.resource_id = ").bind(id);
    if let Some(place) = after {
        sql = sql.then(" AND v.number < ").bind(i32::try_from(place.id).unwrap_or(0));
    }
    let sql = sql.then(" ORDER BY v.number DESC").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let rows = rows.iter().map(version_of).collect::<Result<Vec<_>>>()?;
    Ok((Page::cut(rows, limit, |of| Place { key: 0, id: i64::from(of.number) }), seen))
}

/// A version of a resource that its viewer was shown, by number; the newest if none is said.
pub async fn version(state: &AppState, seen: &Seen, number: Option<i32>) -> Result<VersionView> {
    let sql = match number {
        None => select_versions().then(" WHERE v.id = ").bind(seen.version_id),
        Some(number) => {
            select_versions().then(" WHERE v.resource_id = ").bind(seen.row.id.0).then(" AND v.number = ").bind(number)
        }
    };
    let row = sql.one(state.store.read()).await?.ok_or(AppError::NotFound)?;
    version_of(&row)
}

/// A version with its resource, both as the viewer may see them.
pub async fn seen_version(
    state: &AppState,
    viewer: &Viewer,
    id: i64,
    number: Option<i32>,
) -> Result<(VersionView, Seen)> {
    let seen = find(state, viewer, id).await?;
    Ok((version(state, &seen, number).await?, seen))
}
