//! What the spine and other features ask of chat.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::ground;
use super::queries;
use crate::app::AppState;
use crate::entities::kinds::{Availability, MemberState};
use crate::features::notices::model::{EXCERPT, Glimpse};
use crate::store::Sql;
use crate::streams::Within;
use crate::text::excerpt;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Whether a member may read a room's stream now.
pub async fn may_subscribe(state: &AppState, member: i64, room: i64) -> Result<Within> {
    let row = ground::select(member).then("r.id = ").bind(room).one(state.store.read()).await?;
    let room = ground::room(&row.ok_or(AppError::NotFound)?)?;
    room.standing.read()?;
    Ok(room.space_id.map_or(Within::NoSpace, Within::Space))
}

/// Who types, for others: handle and name of a member who may write in the room.
pub async fn typist(state: &AppState, member: i64, room: i64) -> Result<Value> {
    let row = Sql::new("SELECT ")
        .then(ground::ROOM)
        .then(", v.handle AS v_handle, v.display_name AS v_display_name FROM room r JOIN member v ON v.id = ")
        .bind(member)
        .then(ground::AROUND)
        .then(" WHERE r.id = ")
        .bind(room)
        .one(state.store.read())
        .await?
        .ok_or(AppError::NotFound)?;
    ground::room(&row)?.standing.write()?;
    let (handle, name): (String, String) = (row.try_get("v_", "handle")?, row.try_get("v_", "display_name")?);
    Ok(json!({ "handle": handle, "display_name": name }))
}

/// Members as presence shows them, by id: the handle, and handle, name and availability.
pub async fn people_shown(state: &AppState, members: &[i64]) -> Result<HashMap<i64, (String, Value)>> {
    let mut shown = HashMap::with_capacity(members.len());
    for batch in members.chunks(1000) {
        let rows = Sql::new("SELECT id, handle, display_name, availability, state FROM member WHERE id IN ")
            .list(batch.iter().copied())
            .all(state.store.read())
            .await?;
        for row in rows {
            if row.try_get::<MemberState>("", "state")? != MemberState::Active {
                continue;
            }
            let (handle, name): (String, String) = (row.try_get("", "handle")?, row.try_get("", "display_name")?);
            let availability = row.try_get::<Availability>("", "availability")?;
            let value = json!({ "handle": handle, "display_name": name, "availability": availability });
            shown.insert(row.try_get("", "id")?, (handle, value));
        }
    }
    Ok(shown)
}

/// 404 unless a member may read the files of a message: it is there, and they read its room.
pub async fn shows_files(state: &AppState, me: &Me, message: i64) -> Result<()> {
    let (view, _) = queries::find_message(state, me, message).await?;
    if view.deleted { Err(AppError::NotFound) } else { Ok(()) }
}

/// Where messages are and how they begin, for a member who may read them now.
pub async fn glimpses(db: &impl ConnectionTrait, viewer: i64, messages: &[i64]) -> Result<HashMap<i64, Glimpse>> {
    let mut glimpses = HashMap::new();
    for batch in messages.chunks(500) {
        let rows = Sql::new("SELECT ")
            .then(ground::ROOM)
            .then(", m.id AS m_id, m.seq AS m_seq, m.body AS m_body FROM message m JOIN room r ON r.id = m.room_id ")
            .then("JOIN member v ON v.id = ")
            .bind(viewer)
            .then(ground::AROUND)
            .then(" WHERE m.deleted_at IS NULL AND m.id IN ")
            .list(batch.iter().copied())
            .all(db)
            .await?;
        for row in &rows {
            let room = ground::room(row)?;
            if room.standing.read().is_err() {
                continue;
            }
            let (id, seq, body): (i64, i64, String) =
                (row.try_get("m_", "id")?, row.try_get("m_", "seq")?, row.try_get("m_", "body")?);
            let path = super::model::path(room.space.as_deref(), room.slug.as_deref(), crate::store::Id(room.id));
            let seen = Glimpse { url: format!("{path}?at={seq}"), title: room.name, excerpt: excerpt(&body, EXCERPT) };
            glimpses.insert(id, seen);
        }
    }
    Ok(glimpses)
}
