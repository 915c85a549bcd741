//! Whether an invitation still stands: nobody comes in by the word of one who could not give it now.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::policy::{self, Access};
use crate::entities::kinds::{HubRole, MemberState, SpaceRole, Visibility};
use crate::entities::{member, space, space_invite, space_member};
use crate::store::Tx;
use crate::web::error::Result;

/// Whether a sender with this role in a space may ask others in, to have the role `wanted` there.
#[must_use]
pub fn may_ask_in(sender: &member::Model, role: Option<SpaceRole>, visibility: Visibility, wanted: SpaceRole) -> bool {
    if sender.state != MemberState::Active {
        return false;
    }
    let access = policy::by_role(sender.hub_role, role, visibility);
    if wanted > SpaceRole::Member {
        return access >= Access::Own;
    }
    let general = matches!(sender.hub_role, HubRole::Facilitator | HubRole::Administrator);
    access >= Access::Moderate || (general && access >= Access::Read)
}

/// The spaces that somebody belongs to, with their role.
pub async fn roles_of(db: &impl ConnectionTrait, member: i64) -> Result<Vec<(i64, SpaceRole)>> {
    let rows = space_member::Entity::find()
        .select_only()
        .column(space_member::Column::SpaceId)
        .column(space_member::Column::Role)
        .filter(space_member::Column::MemberId.eq(member))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows)
}

/// Those of some spaces that a sender may still ask others into.
pub async fn still_given(db: &impl ConnectionTrait, sender: &member::Model, spaces: &[i64]) -> Result<Vec<i64>> {
    if spaces.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, Visibility)> = space::Entity::find()
        .select_only()
        .column(space::Column::Id)
        .column(space::Column::Visibility)
        .filter(space::Column::Id.is_in(spaces.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let roles = roles_of(db, sender.id).await?;
    let role = |id: i64| roles.iter().find(|(space, _)| *space == id).map(|(_, role)| *role);
    let may = |(id, visibility): &(i64, Visibility)| may_ask_in(sender, role(*id), *visibility, SpaceRole::Member);
    Ok(rows.iter().filter(|row| may(row)).map(|(id, _)| *id).collect())
}

/// Whether whoever asked a member into a space could do it now.
pub(super) async fn stands(db: &impl ConnectionTrait, space: &space::Model, of: i64) -> Result<bool> {
    let Some(row) = space_invite::Entity::find_by_id((space.id, of)).one(db).await? else { return Ok(false) };
    let Some(sender) = member::Entity::find_by_id(row.invited_by).one(db).await? else { return Ok(false) };
    let role = space_member::Entity::find_by_id((space.id, sender.id)).one(db).await?.map(|row| row.role);
    Ok(may_ask_in(&sender, role, space.visibility, row.role))
}

/// Takes back whom a sender has asked in and who has not come yet.
pub async fn take_back_all(tx: &Tx, sender: i64) -> Result<()> {
    space_invite::Entity::delete_many().filter(space_invite::Column::InvitedBy.eq(sender)).exec(tx.conn()).await?;
    Ok(())
}
