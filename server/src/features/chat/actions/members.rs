//! Who is in a private room.

use crate::app::AppState;
use crate::entities::kinds::{MemberState, RoomKind, SpaceRole, Visibility};
use crate::features::chat::ground::{self, RoomGround};
use crate::features::spaces::policy::{by_role, not_archived};
use crate::store::{After, Id, Sql, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::viewer::Me;

/// Lets somebody into a private room: who made it, or a moderator who is in it.
pub async fn add_person(state: &AppState, me: &Me, room: i64, handle: &str) -> Result<()> {
    let (member, handle) = (me.id, handle.to_lowercase());
    state
        .store
        .write(async move |tx| {
            let of = private(tx, member, room).await?;
            of.standing.arrange()?;
            let them = person(tx, &of, &handle).await?;
            if !them.reads {
                return Err(AppError::Conflict("Only members of the space can be let into its rooms.".into()));
            }
            if super::reading::marker(tx, them.id, room).await? {
                tell(tx, room, them.id, member);
            }
            Ok(())
        })
        .await
}

/// Takes somebody out of a private room; anybody may go by themselves.
pub async fn remove_person(state: &AppState, me: &Me, room: i64, handle: &str) -> Result<()> {
    let (member, handle, mine) = (me.id, handle.to_lowercase(), me.handle == handle.to_lowercase());
    state
        .store
        .write(async move |tx| {
            let of = private(tx, member, room).await?;
            if mine {
                not_archived(of.standing.space_archived)?;
            } else {
                of.standing.arrange()?;
            }
            let them = person(tx, &of, &handle).await?;
            let gone = Sql::new("DELETE FROM room_member WHERE room_id = ")
                .bind(room)
                .then(" AND member_id = ")
                .bind(them.id)
                .run(tx.conn())
                .await?;
            if gone.rows_affected() > 0 {
                tell(tx, room, them.id, member);
            }
            Ok(())
        })
        .await
}

/// What somebody may see has changed: their sockets are asked anew before anything else reaches
/// them, and so are their other devices on other nodes.
fn tell(tx: &mut Tx, room: i64, person: i64, by: i64) {
    tx.after(After::Access(person));
    tx.after(After::Follows(person));
    let event = NewEvent::new("membership.changed", person, Some(by)).with(serde_json::json!({ "room": Id(room) }));
    tx.append(Stream::member(person), event);
}

async fn private(tx: &Tx, member: i64, room: i64) -> Result<RoomGround> {
    let of = ground::locked(tx, member, room).await?;
    match of.standing.kind {
        RoomKind::Private => Ok(of),
        RoomKind::Open => Err(AppError::Conflict("This room is open to everybody in its space.".into())),
        RoomKind::Direct => Err(AppError::Conflict("A direct conversation keeps its people.".into())),
    }
}

struct Person {
    id: i64,
    /// Whether they may read the room's space.
    reads: bool,
}

async fn person(tx: &Tx, of: &RoomGround, handle: &str) -> Result<Person> {
    if handle.len() > 64 || handle.contains('\0') {
        return Err(AppError::NotFound);
    }
    let row = Sql::new("SELECT m.id, m.state, m.hub_role, s.visibility, sm.role FROM member m JOIN space s ON s.id = ")
        .bind(of.space_id)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id WHERE m.handle = ")
        .bind(handle)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    let active = row.try_get::<MemberState>("", "state")? == MemberState::Active;
    let role = row.try_get::<Option<SpaceRole>>("", "role")?;
    let access = by_role(row.try_get("", "hub_role")?, role, row.try_get::<Visibility>("", "visibility")?);
    Ok(Person { id: row.try_get("", "id")?, reads: active && access.read().is_ok() })
}

/// A member leaves a space: they leave its private rooms and follow none of its others. Called
/// inside the transaction that takes them out.
pub async fn forget_space(tx: &mut Tx, member: i64, space: i64) -> Result<()> {
    Sql::new("DELETE FROM room_member WHERE member_id = ")
        .bind(member)
        .then(" AND room_id IN (SELECT id FROM room WHERE space_id = ")
        .bind(space)
        .then(")")
        .run(tx.conn())
        .await?;
    tx.after(After::Follows(member));
    Ok(())
}
