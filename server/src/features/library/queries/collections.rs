//! Collections of a space, and one with its resources in their order.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, QueryResult};

use super::rows::{resource, select, with_terms};
use crate::app::AppState;
use crate::features::forum::{AUTHOR, author};
use crate::features::library::model::{CollectionLink, CollectionView, ResourceRow};
use crate::features::library::policy::MOST_ITEMS;
use crate::features::spaces::{Access, SpaceInfo};
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Me, Viewer};

fn select_collections() -> Sql {
    Sql::new(
        "SELECT c.id, c.space_id, c.author_id, c.title, c.introduction, c.introduction_html, c.created_at, \
         c.updated_at, c.version, s.slug AS s_slug, s.name AS s_name, (SELECT count(*) FROM collection_item i \
         JOIN resource r ON r.id = i.resource_id WHERE i.collection_id = c.id AND r.deleted_at IS NULL \
         AND r.hidden_at IS NULL AND r.purged_at IS NULL) AS items, ",
    )
    .then(AUTHOR)
    .then(" FROM collection c JOIN space s ON s.id = c.space_id JOIN member a ON a.id = c.author_id")
}

fn view(row: &QueryResult) -> Result<CollectionView> {
    let created: i64 = row.try_get("", "created_at")?;
    Ok(CollectionView {
        id: Id(row.try_get("", "id")?),
        space: row.try_get("s_", "slug")?,
        space_name: row.try_get("s_", "name")?,
        title: row.try_get("", "title")?,
        introduction: row.try_get("", "introduction")?,
        introduction_html: row.try_get("", "introduction_html")?,
        author: author(row)?,
        created_at: rfc3339(created),
        updated_at: rfc3339(row.try_get("", "updated_at")?),
        resource_count: row.try_get("", "items")?,
        resources: None,
        version: row.try_get("", "version")?,
        created,
        space_id: row.try_get("", "space_id")?,
        author_id: row.try_get("", "author_id")?,
    })
}

/// The collections of a space that the viewer was shown, the newest first.
pub async fn collections(state: &AppState, space: i64, page: &PageQuery) -> Result<Page<CollectionView>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let mut sql = select_collections().then(" WHERE c.deleted_at IS NULL AND c.space_id = ").bind(space);
    if let Some(place) = after {
        sql = sql.then(" AND (c.created_at, c.id) < (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY c.created_at DESC, c.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let rows = rows.iter().map(view).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(rows, limit, |of| Place { key: of.created, id: of.id.0 }))
}

/// A collection if it exists for the viewer, with its resources in their order; 404 else.
pub async fn collection(
    state: &AppState,
    viewer: &Viewer,
    id: i64,
) -> Result<(CollectionView, Arc<SpaceInfo>, Access)> {
    let db = state.store.read();
    let sql = select_collections().then(" WHERE c.deleted_at IS NULL AND c.id = ").bind(id);
    let mut found = view(&sql.one(db).await?.ok_or(AppError::NotFound)?)?;
    let (space, access) = state.spaces.find_by_id(state, viewer, found.space_id).await?;
    access.read()?;
    found.resources = Some(items(state, id).await?);
    Ok((found, space, access))
}

/// A collection inside the action that has just made it, with nothing in it yet.
pub async fn new_collection(db: &impl ConnectionTrait, id: i64) -> Result<CollectionView> {
    let row = select_collections().then(" WHERE c.id = ").bind(id).one(db).await?.ok_or(AppError::NotFound)?;
    Ok(CollectionView { resources: Some(Vec::new()), ..view(&row)? })
}

async fn items(state: &AppState, id: i64) -> Result<Vec<ResourceRow>> {
    let (db, now) = (state.store.read(), state.clock.now());
    let rows = select()
        .then(" JOIN collection_item i ON i.resource_id = r.id WHERE r.deleted_at IS NULL AND r.hidden_at IS NULL ")
        .then("AND r.purged_at IS NULL AND i.collection_id = ")
        .bind(id)
        .then(" ORDER BY i.place, r.id")
        .limit(MOST_ITEMS)
        .all(db)
        .await?;
    let rows = rows.iter().map(|row| resource(row, now)).collect::<Result<Vec<_>>>()?;
    with_terms(db, rows).await
}

/// The ids of the collections that a resource is in.
pub async fn collections_with(state: &AppState, resource: i64) -> Result<Vec<i64>> {
    let rows = Sql::new("SELECT collection_id FROM collection_item WHERE resource_id = ")
        .bind(resource)
        .then(" LIMIT 500")
        .all(state.store.read())
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "collection_id")?)).collect()
}

/// The collections of a space that somebody may change: their own, or all of those who moderate.
pub async fn my_collections(state: &AppState, me: &Me, space: i64, access: Access) -> Result<Vec<CollectionLink>> {
    let mut sql = Sql::new("SELECT id, title FROM collection WHERE deleted_at IS NULL AND space_id = ").bind(space);
    if access < Access::Moderate {
        sql = sql.then(" AND author_id = ").bind(me.id);
    }
    let rows = sql.then(" ORDER BY title, id LIMIT 100").all(state.store.read()).await?;
    rows.iter()
        .map(|row| Ok(CollectionLink { id: Id(row.try_get("", "id")?), title: row.try_get("", "title")? }))
        .collect()
}
