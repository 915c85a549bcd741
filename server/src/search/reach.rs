//! What a viewer may find, from the rows as they are at the moment of asking.

use std::collections::{BTreeSet, HashSet};

use sea_orm::DatabaseConnection;

use super::Audience;
use crate::entities::kinds::{HubRole, MemberState, RoomKind, SpaceRole, Visibility};
use crate::features::spaces::Access;
use crate::features::spaces::policy::by_role;
use crate::store::Sql;
use crate::web::error::Result;

/// The audiences that a viewer belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    audiences: BTreeSet<Audience>,
    /// The spaces whose content they may read.
    spaces: HashSet<i64>,
}

impl Reach {
    #[must_use]
    pub fn sees(&self, audience: &[Audience]) -> bool {
        audience.iter().any(|one| self.audiences.contains(one))
    }

    /// Whether they may read what is in a space.
    #[must_use]
    pub fn reads(&self, space: i64) -> bool {
        self.spaces.contains(&space)
    }

    /// Whether they may know that a space is there.
    #[must_use]
    pub fn knows(&self, space: i64) -> bool {
        self.audiences.contains(&Audience::Door(space))
    }

    #[must_use]
    pub const fn audiences(&self) -> &BTreeSet<Audience> {
        &self.audiences
    }

    fn add_space(&mut self, space: i64, access: Access, member: bool) {
        if access >= Access::Door {
            self.audiences.insert(Audience::Door(space));
        }
        if access >= Access::Read {
            self.spaces.insert(space);
            self.audiences.insert(Audience::Readers(space));
            if member {
                self.audiences.insert(Audience::MembersReading(space));
            }
        }
        if access >= Access::Moderate {
            self.audiences.insert(Audience::Moderators(space));
        }
    }
}

/// What a member (`None`: a visitor) may find. Two statements.
pub async fn reach(db: &DatabaseConnection, member: Option<i64>) -> Result<Reach> {
    let mut reach = Reach::default();
    reach.audiences.insert(Audience::Everybody);
    let Some(me) = member else {
        for row in Sql::new("SELECT id FROM space WHERE visibility = 'open'").all(db).await? {
            reach.add_space(row.try_get("", "id")?, Access::Read, false);
        }
        return Ok(reach);
    };
    let rows = Sql::new(
        "SELECT s.id, s.visibility, m.hub_role, m.state, sm.role FROM member m LEFT JOIN space s ON 1 = 1 \
         LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id WHERE m.id = ",
    )
    .bind(me)
    .all(db)
    .await?;
    let Some(first) = rows.first() else { return Ok(reach) };
    if first.try_get::<MemberState>("", "state")? == MemberState::Suspended {
        return Ok(Reach::default());
    }
    reach.audiences.extend([Audience::Members, Audience::Only(me)]);
    for row in &rows {
        let Some(space) = row.try_get::<Option<i64>>("", "id")? else { continue };
        let access = by_role(
            row.try_get::<HubRole>("", "hub_role")?,
            row.try_get::<Option<SpaceRole>>("", "role")?,
            row.try_get::<Visibility>("", "visibility")?,
        );
        reach.add_space(space, access, true);
    }
    let rooms = Sql::new(
        "SELECT r.id, r.kind, r.space_id FROM room_member rm JOIN room r ON r.id = rm.room_id \
         WHERE r.kind <> 'open' AND rm.member_id = ",
    );
    for row in rooms.bind(me).all(db).await? {
        let direct = row.try_get::<RoomKind>("", "kind")? == RoomKind::Direct;
        let space = row.try_get::<Option<i64>>("", "space_id")?;
        // The people of a private room lose it with its space.
        if direct || space.is_some_and(|space| reach.spaces.contains(&space)) {
            reach.audiences.insert(Audience::Room(row.try_get("", "id")?));
        }
    }
    Ok(reach)
}
