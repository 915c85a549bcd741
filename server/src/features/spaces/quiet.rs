//! Members asked in by their mail address.

use std::collections::HashSet;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::membership::tell_member;
use crate::entities::kinds::SpaceRole;
use crate::entities::{space_invite, space_member};
use crate::store::Tx;
use crate::web::error::Result;

/// Asks members into spaces because somebody wrote to their addresses. Whoever belongs to a space
/// already, or has been asked, is left as they are. The members see it, moderators do not: they
/// asked an address, and do not learn whose it is.
pub async fn invite_quietly(tx: &mut Tx, members: &[i64], spaces: &[i64], by: i64) -> Result<()> {
    if members.is_empty() || spaces.is_empty() {
        return Ok(());
    }
    let inside: Vec<(i64, i64)> = space_member::Entity::find()
        .select_only()
        .column(space_member::Column::SpaceId)
        .column(space_member::Column::MemberId)
        .filter(space_member::Column::SpaceId.is_in(spaces.iter().copied()))
        .filter(space_member::Column::MemberId.is_in(members.iter().copied()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let inside: HashSet<(i64, i64)> = inside.into_iter().collect();
    let mut rows = Vec::new();
    for space in spaces {
        for member in members.iter().filter(|member| !inside.contains(&(*space, **member))) {
            rows.push(space_invite::ActiveModel {
                space_id: Set(*space),
                member_id: Set(*member),
                role: Set(SpaceRole::Member),
                invited_by: Set(by),
                created_at: Set(tx.now()),
                quiet: Set(true),
            });
            tell_member(tx, *space, *member, Some(by));
        }
    }
    for chunk in rows.chunks(500) {
        space_invite::Entity::insert_many(chunk.to_vec())
            .on_conflict(
                OnConflict::columns([space_invite::Column::SpaceId, space_invite::Column::MemberId])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}
