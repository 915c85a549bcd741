//! Joining, asking, inviting, leaving, roles. The space's row is locked first, so that counts add
//! up and a space never loses its last owner.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::inside::{InSpace, locked};
use super::model::{Standing, StandingState};
use super::policy::Access;
use crate::entities::kinds::{MemberState, SpaceRole, Visibility};
use crate::entities::{member, moderation_act, space, space_invite, space_member, space_request};
use crate::store::{After, Id, Tx};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

/// Action of `moderation_act` for an administrator who came in without being let in.
pub(super) const ENTERED: &str = "space.entered";

/// Comes in, or asks to.
pub async fn join_space(tx: &mut Tx, me: &Person, slug: &str, message: &str) -> Result<Standing> {
    let inside = locked(tx.conn(), me.id, slug).await?;
    if inside.role.is_some() {
        return Ok(me.standing(&inside, StandingState::Member, inside.role));
    }
    inside.not_archived()?;
    if let Some(role) = inside.invited {
        add(tx, &inside.space, me.id, role, me.id).await?;
        return Ok(me.standing(&inside, StandingState::Member, Some(role)));
    }
    let entering = inside.enters_as_administrator();
    let open = matches!(inside.space.visibility, Visibility::Open | Visibility::Restricted);
    if open || entering {
        add(tx, &inside.space, me.id, SpaceRole::Member, me.id).await?;
        if entering {
            log_entry(tx, inside.space.id, me.id).await?;
        }
        return Ok(me.standing(&inside, StandingState::Member, Some(SpaceRole::Member)));
    }
    if inside.space.visibility == Visibility::Confidential {
        return Err(AppError::NotFound);
    }
    if pending(tx, inside.space.id, me.id).await?.is_none() {
        let row = space_request::ActiveModel {
            id: Set(tx.id()),
            space_id: Set(inside.space.id),
            member_id: Set(me.id),
            message: Set(message.to_owned()),
            state: Set("open".to_owned()),
            created_at: Set(tx.now()),
            decided_by: Set(None),
            decided_at: Set(None),
        };
        space_request::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    }
    Ok(me.standing(&inside, StandingState::Requested, None))
}

/// Goes, or takes back what was asked.
pub async fn leave_space(tx: &mut Tx, me: &Person, slug: &str) -> Result<Standing> {
    let inside = locked(tx.conn(), me.id, slug).await?;
    if let Some(role) = inside.role {
        keep_an_owner(tx, inside.space.id, role).await?;
        take_out(tx, inside.space.id, me.id, me.id).await?;
    } else {
        if inside.access == Access::Hidden {
            return Err(AppError::NotFound);
        }
        decide(tx, inside.space.id, me.id, "withdrawn", me.id).await?;
    }
    Ok(me.standing(&inside, StandingState::None, None))
}

/// Says no to an invitation; without one the space does not exist, or nothing happens.
pub async fn decline_invite(tx: &mut Tx, me: &Person, slug: &str) -> Result<Standing> {
    let inside = locked(tx.conn(), me.id, slug).await?;
    space_invite::Entity::delete_by_id((inside.space.id, me.id)).exec(tx.conn()).await?;
    tell_member(tx, inside.space.id, me.id, Some(me.id));
    let state = if inside.role.is_some() { StandingState::Member } else { StandingState::None };
    Ok(me.standing(&inside, state, inside.role))
}

/// Gives somebody a role: changes a member's, accepts a request, or invites.
pub async fn set_role(tx: &mut Tx, me: &Person, slug: &str, handle: &str, role: SpaceRole) -> Result<Standing> {
    give(tx, me, slug, handle, role, false).await
}

/// Asks somebody in; whoever belongs to the space keeps the role they have.
pub async fn invite_member(tx: &mut Tx, me: &Person, slug: &str, handle: &str) -> Result<Standing> {
    give(tx, me, slug, handle, SpaceRole::Member, true).await
}

async fn give(tx: &mut Tx, me: &Person, slug: &str, handle: &str, role: SpaceRole, keep: bool) -> Result<Standing> {
    let inside = moderated(tx, me, slug).await?;
    let them = person(tx, handle).await?;
    let current = space_member::Entity::find_by_id((inside.space.id, them.id)).one(tx.conn()).await?;
    if let Some(current) = current {
        if keep || current.role == role {
            return Ok(them.standing(&inside, StandingState::Member, Some(current.role)));
        }
        inside.access.own()?;
        if role < SpaceRole::Owner {
            keep_an_owner(tx, inside.space.id, current.role).await?;
        }
        space_member::Entity::update_many()
            .col_expr(space_member::Column::Role, Expr::value(role.as_str()))
            .filter(space_member::Column::SpaceId.eq(inside.space.id))
            .filter(space_member::Column::MemberId.eq(them.id))
            .exec(tx.conn())
            .await?;
        tell_member(tx, inside.space.id, them.id, Some(me.id));
        // Who runs a space is on its pages.
        tx.append(Stream::space(inside.space.id), NewEvent::new("space.changed", inside.space.id, Some(me.id)));
        return Ok(them.standing(&inside, StandingState::Member, Some(role)));
    }
    if role > SpaceRole::Member {
        inside.access.own()?;
    }
    inside.not_archived()?;
    if pending(tx, inside.space.id, them.id).await?.is_some() {
        add(tx, &inside.space, them.id, role, me.id).await?;
        return Ok(them.standing(&inside, StandingState::Member, Some(role)));
    }
    invite(tx, inside.space.id, them.id, role, me.id).await?;
    Ok(them.standing(&inside, StandingState::Invited, Some(role)))
}

/// Takes somebody out, or takes an invitation back.
pub async fn remove_member(tx: &mut Tx, me: &Person, slug: &str, handle: &str) -> Result<()> {
    if handle.to_lowercase() == me.handle {
        let inside = locked(tx.conn(), me.id, slug).await?;
        let role = inside.role.ok_or(AppError::NotFound)?;
        keep_an_owner(tx, inside.space.id, role).await?;
        return take_out(tx, inside.space.id, me.id, me.id).await;
    }
    let inside = moderated(tx, me, slug).await?;
    let them = person(tx, handle).await?;
    let Some(current) = space_member::Entity::find_by_id((inside.space.id, them.id)).one(tx.conn()).await? else {
        let gone = space_invite::Entity::delete_many()
            .filter(space_invite::Column::SpaceId.eq(inside.space.id))
            .filter(space_invite::Column::MemberId.eq(them.id))
            // Who asked an address does not learn here whose it is.
            .filter(space_invite::Column::Quiet.eq(false))
            .exec(tx.conn())
            .await?;
        tell_member(tx, inside.space.id, them.id, Some(me.id));
        return if gone.rows_affected > 0 { Ok(()) } else { Err(AppError::NotFound) };
    };
    if current.role > SpaceRole::Member {
        inside.access.own()?;
    }
    keep_an_owner(tx, inside.space.id, current.role).await?;
    take_out(tx, inside.space.id, them.id, me.id).await
}

/// Answers somebody who asked to join.
pub async fn answer_request(tx: &mut Tx, me: &Person, slug: &str, request: i64, accept: bool) -> Result<Standing> {
    let inside = moderated(tx, me, slug).await?;
    let row = space_request::Entity::find_by_id(request).one(tx.conn()).await?;
    let row = row.filter(|row| row.space_id == inside.space.id).ok_or(AppError::NotFound)?;
    let them = member::Entity::find_by_id(row.member_id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let them = Person { id: them.id, handle: them.handle };
    let wanted = if accept { "accepted" } else { "declined" };
    if row.state != "open" {
        // Two moderators may answer at once; the same answer twice is one.
        if row.state != wanted {
            return Err(AppError::Conflict("This request has been answered.".into()));
        }
    } else if accept {
        inside.not_archived()?;
        add(tx, &inside.space, them.id, SpaceRole::Member, me.id).await?;
    } else {
        decide(tx, inside.space.id, them.id, "declined", me.id).await?;
        tell_member(tx, inside.space.id, them.id, Some(me.id));
    }
    let (state, role) =
        if accept { (StandingState::Member, Some(SpaceRole::Member)) } else { (StandingState::None, None) };
    Ok(them.standing(&inside, state, role))
}

/// A member as actions name them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub handle: String,
}

impl Person {
    #[must_use]
    pub fn of(me: &crate::web::viewer::Me) -> Self {
        Self { id: me.id, handle: me.handle.clone() }
    }

    fn standing(&self, inside: &InSpace, state: StandingState, role: Option<SpaceRole>) -> Standing {
        Standing { space: inside.space.slug.clone(), handle: self.handle.clone(), state, role }
    }
}

async fn moderated(tx: &Tx, me: &Person, slug: &str) -> Result<InSpace> {
    let inside = locked(tx.conn(), me.id, slug).await?;
    inside.access.moderate()?;
    Ok(inside)
}

async fn person(tx: &Tx, handle: &str) -> Result<Person> {
    let row = member::Entity::find()
        .filter(member::Column::Handle.eq(handle.to_lowercase()))
        .filter(member::Column::State.eq(MemberState::Active))
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(Person { id: row.id, handle: row.handle })
}

async fn pending(tx: &Tx, space: i64, member: i64) -> Result<Option<space_request::Model>> {
    let row = space_request::Entity::find()
        .filter(space_request::Column::SpaceId.eq(space))
        .filter(space_request::Column::MemberId.eq(member))
        .filter(space_request::Column::State.eq("open"))
        .one(tx.conn())
        .await?;
    Ok(row)
}

async fn decide(tx: &Tx, space: i64, member: i64, state: &str, by: i64) -> Result<()> {
    space_request::Entity::update_many()
        .col_expr(space_request::Column::State, Expr::value(state))
        .col_expr(space_request::Column::DecidedBy, Expr::value(by))
        .col_expr(space_request::Column::DecidedAt, Expr::value(tx.now()))
        .filter(space_request::Column::SpaceId.eq(space))
        .filter(space_request::Column::MemberId.eq(member))
        .filter(space_request::Column::State.eq("open"))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// 409 if this role is the last owner's.
async fn keep_an_owner(tx: &Tx, space: i64, role: SpaceRole) -> Result<()> {
    if role < SpaceRole::Owner {
        return Ok(());
    }
    let owners = space_member::Entity::find()
        .filter(space_member::Column::SpaceId.eq(space))
        .filter(space_member::Column::Role.eq(SpaceRole::Owner))
        .count(tx.conn())
        .await?;
    if owners > 1 {
        Ok(())
    } else {
        Err(AppError::Conflict("A space keeps at least one owner; make somebody else owner first.".into()))
    }
}

/// Lets somebody in, whatever they waited for. The caller has checked that they may.
async fn add(tx: &mut Tx, space: &space::Model, member: i64, role: SpaceRole, by: i64) -> Result<()> {
    let row = space_member::ActiveModel {
        space_id: Set(space.id),
        member_id: Set(member),
        role: Set(role),
        joined_at: Set(tx.now()),
    };
    let added = space_member::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([space_member::Column::SpaceId, space_member::Column::MemberId])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    space_invite::Entity::delete_by_id((space.id, member)).exec(tx.conn()).await?;
    decide(tx, space.id, member, "accepted", by).await?;
    if added == 0 {
        return Ok(());
    }
    count(tx, space.id, 1).await?;
    tell_joined(tx, space.id, member, Some(by));
    Ok(())
}

/// Puts a member into spaces that came with an invitation to the hub; `by` asked them.
/// Spaces that are gone or archived meanwhile are passed over.
pub async fn add_invited(tx: &mut Tx, member: i64, spaces: &[i64], by: i64) -> Result<()> {
    use sea_orm::QueryOrder as _;
    use sea_orm::QuerySelect as _;
    let rows = space::Entity::find()
        .filter(space::Column::Id.is_in(spaces.iter().copied()))
        .filter(space::Column::ArchivedAt.is_null())
        .order_by_asc(space::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    for row in rows {
        add(tx, &row, member, SpaceRole::Member, by).await?;
    }
    Ok(())
}

async fn take_out(tx: &mut Tx, space: i64, member: i64, by: i64) -> Result<()> {
    space_member::Entity::delete_by_id((space, member)).exec(tx.conn()).await?;
    crate::features::chat::actions::forget_space(tx, member, space).await?;
    count(tx, space, -1).await?;
    tx.append(Stream::space(space), NewEvent::new("member.left", member, Some(by)));
    tell_member(tx, space, member, Some(by));
    Ok(())
}

async fn count(tx: &Tx, space: i64, by: i32) -> Result<()> {
    space::Entity::update_many()
        .col_expr(space::Column::MemberCount, Expr::col(space::Column::MemberCount).add(by))
        .filter(space::Column::Id.eq(space))
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn invite(tx: &mut Tx, space: i64, member: i64, role: SpaceRole, by: i64) -> Result<()> {
    let row = space_invite::ActiveModel {
        space_id: Set(space),
        member_id: Set(member),
        role: Set(role),
        invited_by: Set(by),
        created_at: Set(tx.now()),
        quiet: Set(false),
    };
    space_invite::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([space_invite::Column::SpaceId, space_invite::Column::MemberId])
                .update_columns([
                    space_invite::Column::Role,
                    space_invite::Column::InvitedBy,
                    space_invite::Column::Quiet,
                ])
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    tell_member(tx, space, member, Some(by));
    Ok(())
}

async fn log_entry(tx: &Tx, space: i64, by: i64) -> Result<()> {
    let row = moderation_act::ActiveModel {
        id: Set(tx.id()),
        space_id: Set(Some(space)),
        actor_id: Set(by),
        action: Set(ENTERED.to_owned()),
        subject_kind: Set("space".to_owned()),
        subject_id: Set(space),
        reason: Set(String::new()),
        created_at: Set(tx.now()),
    };
    moderation_act::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// Somebody belongs to a space from now on.
pub(super) fn tell_joined(tx: &mut Tx, space: i64, member: i64, by: Option<i64>) {
    tx.append(Stream::space(space), NewEvent::new("member.joined", member, by));
    tell_member(tx, space, member, by);
}

/// What somebody may see has changed.
pub(super) fn tell_member(tx: &mut Tx, space: i64, member: i64, by: Option<i64>) {
    let event = NewEvent::new("membership.changed", member, by).with(json!({ "space": Id(space) }));
    tx.append(Stream::member(member), event);
    tx.after(After::Access(member));
}
