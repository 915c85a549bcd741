//! Collections: making, changing, and what is in them in which order.

use std::collections::HashSet;

use actix_web::HttpResponse;
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::fields::rendered;
use super::ground;
use crate::app::AppState;
use crate::entities::collection;
use crate::features::library::policy::MOST_ITEMS;
use crate::features::library::queries::new_collection;
use crate::store::{Id, Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{BODY, TITLE, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// A collection to be made.
#[derive(Clone, Debug, Default)]
pub struct NewCollection {
    pub title: String,
    /// Markdown.
    pub introduction: String,
    pub confirmed: bool,
}

/// What of a collection becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct CollectionChange {
    pub title: Option<String>,
    pub introduction: Option<String>,
    /// Its resources in their order; those that are left out are no longer in it.
    pub resources: Option<Vec<i64>>,
    pub confirmed: bool,
}

/// A collection, checked and rendered.
struct Ready {
    title: String,
    introduction: (String, String),
}

async fn ready(state: &AppState, space: i64, new: &NewCollection) -> Result<Ready> {
    let texts =
        [Text::line("title", &new.title, TITLE).required(), Text::body("introduction", &new.introduction, BODY)];
    let checked = check(&texts, new.confirmed)?;
    let introduction = rendered(state, space, checked.get("introduction")).await?;
    Ok(Ready { title: checked.get("title").to_owned(), introduction })
}

/// Makes a collection in a space; its id.
pub async fn create_collection(state: &AppState, me: &Me, space: i64, new: &NewCollection) -> Result<i64> {
    let (member, ready) = (me.id, ready(state, space, new).await?);
    state.store.write(async move |tx| insert(tx, member, space, &ready).await).await
}

/// The same for a request that may come again.
pub async fn create_collection_once(
    state: &AppState,
    me: &Me,
    space: i64,
    new: &NewCollection,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, ready) = (me.id, ready(state, space, new).await?);
    write_once(state, member, once, async move |tx| {
        let id = insert(tx, member, space, &ready).await?;
        let view = new_collection(tx.conn(), id).await?;
        Ok(Answer::created(format!("/api/v1/collections/{}", Id(id)), &view, Some(id))?.with_etag(of_version(1)))
    })
    .await
}

async fn insert(tx: &mut Tx, member: i64, space: i64, of: &Ready) -> Result<i64> {
    ground::space(tx, member, space).await?.write()?;
    let id = tx.id();
    let row = collection::ActiveModel {
        id: Set(id),
        space_id: Set(space),
        author_id: Set(member),
        title: Set(of.title.clone()),
        introduction: Set(of.introduction.0.clone()),
        introduction_html: Set(of.introduction.1.clone()),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        deleted_at: Set(None),
        version: Set(1),
    };
    collection::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    tell(tx, space, id, member);
    Ok(id)
}

fn tell(tx: &mut Tx, space: i64, id: i64, member: i64) {
    tx.append(Stream::space(space), NewEvent::new("collection.changed", id, Some(member)));
}

/// Changes a collection: who made it or a moderator.
pub async fn edit_collection(
    state: &AppState,
    me: &Me,
    id: i64,
    change: &CollectionChange,
    if_match: IfMatch,
) -> Result<()> {
    let mut texts = Vec::new();
    texts.extend(change.title.as_deref().map(|text| Text::line("title", text, TITLE).required()));
    texts.extend(change.introduction.as_deref().map(|text| Text::body("introduction", text, BODY)));
    let checked = check(&texts, change.confirmed)?;
    if change.resources.as_ref().is_some_and(|resources| resources.len() > MOST_ITEMS) {
        return Err(AppError::field("resources", format!("has {MOST_ITEMS} resources at most")));
    }
    let row = Sql::new("SELECT space_id FROM collection WHERE id = ").bind(id).one(state.store.read()).await?;
    let space: i64 = row.ok_or(AppError::NotFound)?.try_get("", "space_id")?;
    let title = change.title.as_ref().map(|_| checked.get("title").to_owned());
    let introduction = match change.introduction {
        Some(_) => Some(rendered(state, space, checked.get("introduction")).await?),
        None => None,
    };
    let (member, resources) = (me.id, change.resources.clone());
    state
        .store
        .write(async move |tx| {
            let ground = ground::collection(tx, member, id).await?;
            ground.standing.change(ground.author_id)?;
            if_match.check(ground.version)?;
            let mut sql = Sql::new("UPDATE collection SET version = version + 1, updated_at = ").bind(tx.now());
            if let Some(title) = &title {
                sql = sql.then(", title = ").bind(title.clone());
            }
            if let Some((text, html)) = &introduction {
                sql = sql.then(", introduction = ").bind(text.clone());
                sql = sql.then(", introduction_html = ").bind(html.clone());
            }
            sql.then(" WHERE id = ").bind(id).run(tx.conn()).await?;
            if let Some(resources) = &resources {
                set_items(tx, &ground, resources).await?;
            }
            tell(tx, ground.space_id, id, member);
            Ok(())
        })
        .await
}

async fn set_items(tx: &Tx, ground: &ground::CollectionGround, resources: &[i64]) -> Result<()> {
    let mut wanted: Vec<i64> = Vec::with_capacity(resources.len());
    for id in resources {
        if !wanted.contains(id) {
            wanted.push(*id);
        }
    }
    let rows = Sql::new("SELECT count(*) AS found FROM resource WHERE purged_at IS NULL AND space_id = ")
        .bind(ground.space_id)
        .then(" AND id IN ")
        .list(wanted.iter().copied())
        .one(tx.conn())
        .await?;
    let found: i64 = rows.map_or(Ok(0), |row| row.try_get("", "found"))?;
    if found != i64::try_from(wanted.len()).unwrap_or(i64::MAX) {
        return Err(AppError::field("resources", "are resources of the same space"));
    }
    let unseen = unseen(tx, ground.id, &wanted).await?;
    let mut taken = Sql::new("DELETE FROM collection_item WHERE collection_id = ").bind(ground.id);
    if !unseen.is_empty() {
        taken = taken.then(" AND resource_id NOT IN ").list(unseen.iter().map(|(id, _)| *id));
    }
    taken.run(tx.conn()).await?;
    let kept: HashSet<i32> = unseen.iter().map(|(_, place)| *place).collect();
    let places = (1i32..).filter(|place| !kept.contains(place));
    let rows: Vec<[sea_orm::Value; 3]> =
        places.zip(&wanted).map(|(place, id)| [ground.id.into(), (*id).into(), place.into()]).collect();
    crate::store::insert_rows(
        tx.conn(),
        "INSERT INTO collection_item (collection_id, resource_id, place) VALUES ",
        rows,
    )
    .await
}

/// What is in a collection and not shown in it now, as it is hidden or deleted, with its places: whoever
/// orders what they see decides nothing about it, and it may come back.
async fn unseen(tx: &Tx, collection: i64, wanted: &[i64]) -> Result<Vec<(i64, i32)>> {
    let rows =
        Sql::new("SELECT i.resource_id, i.place FROM collection_item i JOIN resource r ON r.id = i.resource_id ")
            .then("WHERE (r.deleted_at IS NOT NULL OR r.hidden_at IS NOT NULL) AND i.collection_id = ")
            .bind(collection)
            .all(tx.conn())
            .await?;
    let all = rows.iter().map(|row| Ok((row.try_get("", "resource_id")?, row.try_get("", "place")?)));
    let all = all.collect::<Result<Vec<(i64, i32)>>>()?;
    Ok(all.into_iter().filter(|(id, _)| !wanted.contains(id)).collect())
}

/// Puts a resource at the end of a collection (`on`), or takes it out.
pub async fn set_collected(state: &AppState, me: &Me, collection: i64, resource: i64, on: bool) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let ground = ground::collection(tx, member, collection).await?;
            ground.standing.change(ground.author_id)?;
            let of = ground::resource(tx, member, resource).await?;
            if of.space_id != ground.space_id {
                return Err(AppError::NotFound);
            }
            let changed = if on {
                of.living()?;
                let count = Sql::new("SELECT count(*) AS found FROM collection_item WHERE collection_id = ")
                    .bind(collection)
                    .one(tx.conn())
                    .await?;
                let count: i64 = count.map_or(Ok(0), |row| row.try_get("", "found"))?;
                if count >= i64::try_from(MOST_ITEMS).unwrap_or(i64::MAX) {
                    return Err(AppError::Conflict("This collection has all the resources that one can have.".into()));
                }
                Sql::new("INSERT INTO collection_item (collection_id, resource_id, place) SELECT ")
                    .bind(collection)
                    .then(", ")
                    .bind(resource)
                    .then(", COALESCE(max(place), 0) + 1 FROM collection_item WHERE collection_id = ")
                    .bind(collection)
                    .then(" ON CONFLICT DO NOTHING")
            } else {
                Sql::new("DELETE FROM collection_item WHERE collection_id = ")
                    .bind(collection)
                    .then(" AND resource_id = ")
                    .bind(resource)
            };
            if changed.run(tx.conn()).await?.rows_affected() == 0 {
                return Ok(());
            }
            Sql::new("UPDATE collection SET version = version + 1, updated_at = ")
                .bind(tx.now())
                .then(" WHERE id = ")
                .bind(collection)
                .run(tx.conn())
                .await?;
            tell(tx, ground.space_id, collection, member);
            super::tell(tx, "resource.changed", ground.space_id, resource, member);
            Ok(())
        })
        .await
}

/// Deletes a collection, not what is in it: who made it or a moderator.
pub async fn delete_collection(state: &AppState, me: &Me, id: i64, if_match: IfMatch) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let ground = ground::collection(tx, member, id).await?;
            ground.standing.change(ground.author_id)?;
            if_match.check(ground.version)?;
            Sql::new("UPDATE collection SET deleted_at = ")
                .bind(tx.now())
                .then(" WHERE id = ")
                .bind(id)
                .run(tx.conn())
                .await?;
            tell(tx, ground.space_id, id, member);
            Ok(())
        })
        .await
}
