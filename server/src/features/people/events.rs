//! The events of `member:` streams: what concerns one member alone.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};

use crate::entities::kinds::SpaceRole;
use crate::entities::{space, space_member};
use crate::store::Id;
use crate::streams::Committed;
use crate::web::error::Result;

/// Data of the events, from the rows as they now are. `membership.changed` names its space by
/// `{"space": id}` and tells the role in it now, null for none.
pub async fn fill_events(db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    let mut ids: Vec<i64> = events.iter().filter_map(space_of).collect();
    ids.sort_unstable();
    ids.dedup();
    let Some(member) = events.first().map(|event| event.stream.id).filter(|_| !ids.is_empty()) else {
        return Ok(events.iter().map(elsewhere).collect());
    };
    let slugs: Vec<(i64, String)> = space::Entity::find()
        .select_only()
        .column(space::Column::Id)
        .column(space::Column::Slug)
        .filter(space::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let slugs: HashMap<i64, String> = slugs.into_iter().collect();
    let roles: HashMap<i64, SpaceRole> = space_member::Entity::find()
        .filter(space_member::Column::MemberId.eq(member))
        .filter(space_member::Column::SpaceId.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.space_id, row.role))
        .collect();
    Ok(events
        .iter()
        .map(|event| match space_of(event) {
            Some(space) => json!({ "space": slugs.get(&space), "role": roles.get(&space) }),
            None => elsewhere(event),
        })
        .collect())
}

/// What is about no space: a room that somebody was let into or taken out of, by `{"room": id}`.
fn elsewhere(event: &Committed) -> Value {
    match event.extra.as_ref().and_then(|extra| extra.get("room")) {
        Some(room) => json!({ "room": room }),
        None => json!({}),
    }
}

/// The space of a `membership.changed`; its id as a number or as text.
fn space_of(event: &Committed) -> Option<i64> {
    if event.kind != "membership.changed" {
        return None;
    }
    let space = event.extra.as_ref()?.get("space")?;
    space.as_i64().or_else(|| space.as_str()?.parse::<Id>().ok().map(|id| id.0))
}
