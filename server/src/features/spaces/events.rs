//! The events of `space:` streams (contract, section 3), filled from the rows as they now are.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef};
use serde_json::{Value, json};

use super::inside::access_in;
use super::model::SpaceView;
use super::policy::Access;
use crate::app::AppState;
use crate::entities::{member, space, topic};
use crate::store::Id;
use crate::streams::Committed;
use crate::web::error::{AppError, Result};

/// Whether a member may read a space's stream now, from the rows.
pub async fn may_subscribe(state: &AppState, member: i64, space: i64) -> Result<()> {
    match access_in(state.store.read(), member, space).await {
        Ok(inside) => inside.access.read(),
        // Somebody who is no member any more sees nothing.
        Err(AppError::Unauthenticated) => Err(AppError::NotFound),
        Err(error) => Err(error),
    }
}

/// Data of the events of one space's stream.
pub async fn fill_events(db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    let of_kind = |wanted: &str| -> HashSet<i64> {
        events.iter().filter(|event| event.kind.starts_with(wanted)).map(|event| event.subject).collect()
    };
    let people = people(db, of_kind("member.")).await?;
    let topics = topics(db, of_kind("topic.")).await?;
    let spaces = spaces(db, of_kind("space.")).await?;
    let rooms: Vec<i64> = of_kind("room.").into_iter().collect();
    let rooms = crate::features::chat::room_data(db, &rooms).await?;
    let resources: Vec<i64> = of_kind("resource.").into_iter().collect();
    let resources = crate::features::library::resource_data(db, &resources).await?;
    let data = events.iter().map(|event| {
        let known = match event.kind.split('.').next() {
            Some("member") => people.get(&event.subject),
            Some("topic") => topics.get(&event.subject),
            Some("space") => spaces.get(&event.subject),
            // It may have become private since it was made.
            Some("room") => rooms.get(&event.subject).filter(|room| room["private"] == false),
            Some("resource") => resources.get(&event.subject),
            _ => None,
        };
        known.cloned().unwrap_or_else(|| json!({ "id": Id(event.subject) }))
    });
    Ok(data.collect())
}

async fn people(db: &DatabaseConnection, ids: HashSet<i64>) -> Result<HashMap<i64, Value>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String, String)> = member::Entity::find()
        .select_only()
        .columns([member::Column::Id, member::Column::Handle, member::Column::DisplayName])
        .filter(member::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, handle, name)| (id, json!({ "handle": handle, "display_name": name }))).collect())
}

async fn topics(db: &DatabaseConnection, ids: HashSet<i64>) -> Result<HashMap<i64, Value>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let author: RelationDef =
        topic::Entity::belongs_to(member::Entity).from(topic::Column::AuthorId).to(member::Column::Id).into();
    let rows = topic::Entity::find()
        .join(JoinType::InnerJoin, author)
        .select_also(member::Entity)
        .filter(topic::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let views = rows.into_iter().filter_map(|(row, author)| {
        let author = author?;
        let gone = row.deleted_at.is_some() || row.hidden_at.is_some();
        let view = json!({
            "id": Id(row.id),
            "title": if gone { "" } else { row.title.as_str() },
            "kind": row.kind,
            "author": { "handle": author.handle, "display_name": author.display_name },
        });
        Some((row.id, view))
    });
    Ok(views.collect())
}

async fn spaces(db: &DatabaseConnection, ids: HashSet<i64>) -> Result<HashMap<i64, Value>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = space::Entity::find().filter(space::Column::Id.is_in(ids)).all(db).await?;
    let mut views = HashMap::new();
    for row in rows {
        let mut view = serde_json::to_value(SpaceView::of(&row, None, Access::Read, None, false))?;
        if let Some(view) = view.as_object_mut() {
            // The same for every reader.
            view.remove("role");
        }
        views.insert(row.id, view);
    }
    Ok(views)
}
