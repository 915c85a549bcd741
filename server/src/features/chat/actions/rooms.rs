//! Making and changing rooms.

use actix_web::HttpResponse;

use super::reading::marker;
use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::ground;
use crate::features::chat::model::{NAME, PURPOSE};
use crate::features::chat::queries::{room_in, view_in};
use crate::features::spaces;
use crate::search::Kind;
use crate::store::{After, Id, Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::checks::{self, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// What a room is made of.
#[derive(Clone, Debug, Default)]
pub struct NewRoom {
    pub slug: String,
    pub name: String,
    pub purpose: String,
    pub private: bool,
    pub confirmed: bool,
}

/// What of a room becomes new; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct RoomChange {
    pub name: Option<String>,
    pub purpose: Option<String>,
    pub archived: Option<bool>,
    /// Another address; the old one leads nowhere.
    pub slug: Option<String>,
    /// Only for those who are let in: those who follow it stay. Opening it is for a moderator who is
    /// in it, once others have written there.
    pub private: Option<bool>,
    pub confirmed: bool,
}

const TAKEN: &str = "This space has a room at that address already.";

/// Makes a room in a space and its maker follow it; its id. Whoever writes there may.
pub async fn create_room(state: &AppState, me: &Me, space: i64, new: &NewRoom) -> Result<i64> {
    let (member, checked) = (me.id, check(new)?);
    state.store.write(async move |tx| insert(tx, member, space, &checked).await).await
}

/// The same for a request that may come again.
pub async fn create_room_once(
    state: &AppState,
    me: &Me,
    space: i64,
    new: &NewRoom,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, checked, epoch) = (me.id, check(new)?, state.epoch.clone());
    write_once(state, member, once, async move |tx| {
        let id = insert(tx, member, space, &checked).await?;
        let view = view_in(tx.conn(), &epoch, &room_in(tx.conn(), member, id).await?).await?;
        Ok(Answer::created(format!("/api/v1/rooms/{}", Id(id)), &view, None)?.with_etag(of_version(view.version)))
    })
    .await
}

fn check(new: &NewRoom) -> Result<NewRoom> {
    let texts = [Text::line("name", &new.name, NAME).required(), Text::line("purpose", &new.purpose, PURPOSE)];
    let checked = checks::check(&texts, new.confirmed)?;
    Ok(NewRoom {
        slug: spaces::model::slug(&new.slug)?,
        name: checked.get("name").to_owned(),
        purpose: checked.get("purpose").to_owned(),
        ..*new
    })
}

async fn insert(tx: &mut Tx, member: i64, space: i64, new: &NewRoom) -> Result<i64> {
    ground::lock_space(tx, space, member).await?;
    spaces::access_in(tx.conn(), member, space).await?.write()?;
    let (id, now) = (tx.id(), tx.now());
    let kind = if new.private { RoomKind::Private } else { RoomKind::Open };
    let made = Sql::new(
        "INSERT INTO room (id, space_id, kind, slug, name, purpose, message_count, created_by, created_at, version) \
         VALUES ",
    )
    .rows([[
        id.into(),
        space.into(),
        kind.as_str().into(),
        new.slug.clone().into(),
        new.name.clone().into(),
        new.purpose.clone().into(),
        0i64.into(),
        member.into(),
        now.into(),
        1i32.into(),
    ]])
    .then(" ON CONFLICT DO NOTHING")
    .run(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        return Err(AppError::Conflict(TAKEN.into()));
    }
    marker(tx, member, id).await?;
    tx.index(Kind::Room, id);
    tx.after(After::Follows(member));
    if !new.private {
        tx.append(Stream::space(space), NewEvent::new("room.created", id, Some(member)));
    }
    Ok(id)
}

/// 409 if a room of the space stands at this address.
async fn free_address(tx: &Tx, space: i64, slug: &str) -> Result<()> {
    let taken = Sql::new("SELECT 1 FROM room WHERE space_id = ").bind(space).then(" AND slug = ").bind(slug.to_owned());
    match taken.one(tx.conn()).await? {
        Some(_) => Err(AppError::Conflict(TAKEN.into())),
        None => Ok(()),
    }
}

/// Whether anybody but this member ever wrote in a room, also what is deleted by now.
async fn others_wrote(tx: &Tx, room: i64, member: i64) -> Result<bool> {
    let theirs = Sql::new("SELECT 1 FROM message WHERE room_id = ").bind(room).then(" AND author_id <> ").bind(member);
    Ok(theirs.then(" LIMIT 1").one(tx.conn()).await?.is_some())
}

/// Changes a room: who made it, or a moderator. What is already so changes nothing.
pub async fn change_room(state: &AppState, me: &Me, room: i64, change: &RoomChange, if_match: IfMatch) -> Result<()> {
    let mut texts = Vec::new();
    texts.extend(change.name.as_deref().map(|name| Text::line("name", name, NAME).required()));
    texts.extend(change.purpose.as_deref().map(|purpose| Text::line("purpose", purpose, PURPOSE)));
    let checked = checks::check(&texts, change.confirmed)?;
    let name = change.name.as_ref().map(|_| checked.get("name").to_owned());
    let purpose = change.purpose.as_ref().map(|_| checked.get("purpose").to_owned());
    let slug = change.slug.as_deref().map(spaces::model::slug).transpose()?;
    let (member, archived, private) = (me.id, change.archived, change.private);
    state
        .store
        .write(async move |tx| {
            let of = ground::locked(tx, member, room).await?;
            of.standing.arrange()?;
            if_match.check(of.version)?;
            let name = name.as_ref().filter(|new| **new != of.name);
            let purpose = purpose.as_ref().filter(|new| **new != of.purpose);
            let archived = archived.filter(|new| *new != of.standing.archived);
            let slug = slug.as_ref().filter(|new| Some(*new) != of.slug.as_ref());
            let private = private.filter(|new| *new != (of.standing.kind == RoomKind::Private));
            if private == Some(false) {
                of.standing.open_up(others_wrote(tx, room, member).await?)?;
            }
            if name.is_none() && purpose.is_none() && archived.is_none() && slug.is_none() && private.is_none() {
                return Ok(());
            }
            let Some(space) = of.space_id.or((slug.is_none() && private.is_none()).then_some(0)) else {
                return Err(AppError::Conflict("A direct conversation is in no space.".into()));
            };
            let mut sql = Sql::new("UPDATE room SET version = version + 1");
            if let Some(name) = name {
                sql = sql.then(", name = ").bind(name.clone());
            }
            if let Some(purpose) = purpose {
                sql = sql.then(", purpose = ").bind(purpose.clone());
            }
            if let Some(archived) = archived {
                sql = sql.then(", archived_at = ").bind(archived.then(|| tx.now()));
            }
            if let Some(slug) = slug {
                free_address(tx, space, slug).await?;
                sql = sql.then(", slug = ").bind(slug.clone());
            }
            if let Some(private) = private {
                let kind = if private { RoomKind::Private } else { RoomKind::Open };
                sql = sql.then(", kind = ").bind(kind.as_str());
                // Whoever reads it and is not let in is sent away at once.
                tx.after(After::SpaceAccess(space));
            }
            sql.then(" WHERE id = ").bind(room).run(tx.conn()).await?;
            if slug.is_some() || private.is_some() {
                tx.index_with_inside(Kind::Room, room);
            } else {
                tx.index(Kind::Room, room);
            }
            tx.append(Stream::room(room), NewEvent::new("room.changed", room, Some(member)));
            // Who reads the space hears of open rooms alone, of one that opens as of a new one.
            if private == Some(false) {
                tx.append(Stream::space(space), NewEvent::new("room.created", room, Some(member)));
            } else if of.standing.kind == RoomKind::Open && private.is_none() && space != 0 {
                tx.append(Stream::space(space), NewEvent::new("room.changed", room, Some(member)));
            }
            Ok(())
        })
        .await
}
