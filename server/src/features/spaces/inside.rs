//! Who stands where in a space, from rows: for actions, which decide inside their transaction.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select};

use super::inviting;
use super::policy::{self, Access};
use crate::entities::kinds::{HubRole, MemberState, SpaceRole};
use crate::entities::{member, space, space_invite, space_member, space_request};
use crate::web::error::{AppError, Result};

/// A space and how far one member gets into it.
#[derive(Clone, Debug)]
pub struct InSpace {
    pub space: space::Model,
    /// Their role, if they belong to it.
    pub role: Option<SpaceRole>,
    /// The role they would have: somebody asked them in.
    pub invited: Option<SpaceRole>,
    /// Whether their wish to join is open.
    pub asked: bool,
    /// How many people wait for an answer; for those who may give it.
    pub waiting: i64,
    pub hub_role: HubRole,
    pub access: Access,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    space: space::Model,
    viewer_role: Option<SpaceRole>,
    viewer_invited: Option<SpaceRole>,
    viewer_asked: i64,
    waiting: i64,
    viewer_hub_role: Option<HubRole>,
}

impl InSpace {
    /// Writing as a member of it; 404 where nothing is seen, 403 where it may not be.
    pub fn write(&self) -> Result<()> {
        self.access.read()?;
        if self.access < Access::Write {
            return Err(AppError::Forbidden("Join this space to write in it.".into()));
        }
        self.not_archived()
    }

    /// 403 if nothing may change in here.
    pub fn not_archived(&self) -> Result<()> {
        policy::not_archived(self.space.archived_at.is_some())
    }

    /// Whether its owners hear of it when this administrator comes in without being let in.
    #[must_use]
    pub fn enters_as_administrator(&self) -> bool {
        self.hub_role == HubRole::Administrator && self.invited.is_none() && self.access == Access::Door
    }
}

/// A space by id as one member has it now, in one query; 404 if it does not exist for them.
pub async fn access_in(db: &impl ConnectionTrait, member: i64, space: i64) -> Result<InSpace> {
    one(db, space::Entity::find_by_id(space), member).await?.seen()
}

/// The same by slug.
pub async fn access_by_slug(db: &impl ConnectionTrait, member: i64, slug: &str) -> Result<InSpace> {
    one(db, by_slug(slug), member).await?.seen()
}

/// The same with the space's row locked to the commit, so that memberships change one by one.
/// Hidden spaces are given too where the member is invited: they may answer.
pub(super) async fn locked(db: &impl ConnectionTrait, member: i64, slug: &str) -> Result<InSpace> {
    // The lock first, in a statement of its own: the next one sees what the last holder wrote.
    let id: Option<i64> =
        by_slug(slug).select_only().column(space::Column::Id).lock_exclusive().into_tuple().one(db).await?;
    let found = one(db, space::Entity::find_by_id(id.ok_or(AppError::NotFound)?), member).await?;
    if found.invited.is_some() { Ok(found) } else { found.seen() }
}

/// A space for one member whether they may see it or not.
pub(super) async fn whatever(db: &impl ConnectionTrait, member: i64, slug: &str) -> Result<InSpace> {
    one(db, by_slug(slug), member).await
}

impl InSpace {
    fn seen(self) -> Result<Self> {
        if self.access == Access::Hidden { Err(AppError::NotFound) } else { Ok(self) }
    }
}

fn by_slug(slug: &str) -> Select<space::Entity> {
    space::Entity::find().filter(space::Column::Slug.eq(slug.to_lowercase()))
}

async fn one(db: &impl ConnectionTrait, find: Select<space::Entity>, of: i64) -> Result<InSpace> {
    let row = find
        .expr_as(role_of(of), "viewer_role")
        .expr_as(invitation_of(of), "viewer_invited")
        .expr_as(requests(Some(of)), "viewer_asked")
        .expr_as(requests(None), "waiting")
        .expr_as(hub_role_of(of), "viewer_hub_role")
        .into_model::<Row>()
        .one(db)
        .await?
        .ok_or(AppError::NotFound)?;
    let hub_role = row.viewer_hub_role.ok_or(AppError::Unauthenticated)?;
    let access = policy::by_role(hub_role, row.viewer_role, row.space.visibility);
    let invited = match row.viewer_invited {
        // Nobody stands at the door by the word of one who could not give it now.
        Some(role) if inviting::stands(db, &row.space, of).await? => Some(role),
        _ => None,
    };
    Ok(InSpace {
        space: row.space,
        role: row.viewer_role,
        invited,
        asked: row.viewer_asked > 0,
        waiting: row.waiting,
        hub_role,
        access,
    })
}

fn role_of(of: i64) -> SelectStatement {
    Query::select()
        .column(space_member::Column::Role)
        .from(space_member::Entity)
        .and_where(
            Expr::col((space_member::Entity, space_member::Column::SpaceId)).equals((space::Entity, space::Column::Id)),
        )
        .and_where(Expr::col((space_member::Entity, space_member::Column::MemberId)).eq(of))
        .to_owned()
}

fn invitation_of(of: i64) -> SelectStatement {
    Query::select()
        .column(space_invite::Column::Role)
        .from(space_invite::Entity)
        .and_where(
            Expr::col((space_invite::Entity, space_invite::Column::SpaceId)).equals((space::Entity, space::Column::Id)),
        )
        .and_where(Expr::col((space_invite::Entity, space_invite::Column::MemberId)).eq(of))
        .to_owned()
}

/// How many wishes to join are open, of one member or of all.
fn requests(of: Option<i64>) -> SelectStatement {
    let mut count = Query::select()
        .expr(Func::count(Expr::col((space_request::Entity, space_request::Column::Id))))
        .from(space_request::Entity)
        .and_where(
            Expr::col((space_request::Entity, space_request::Column::SpaceId))
                .equals((space::Entity, space::Column::Id)),
        )
        .and_where(Expr::col((space_request::Entity, space_request::Column::State)).eq("open"))
        .to_owned();
    if let Some(of) = of {
        count.and_where(Expr::col((space_request::Entity, space_request::Column::MemberId)).eq(of));
    }
    count
}

fn hub_role_of(of: i64) -> SelectStatement {
    Query::select()
        .column(member::Column::HubRole)
        .from(member::Entity)
        .and_where(Expr::col((member::Entity, member::Column::Id)).eq(of))
        .and_where(Expr::col((member::Entity, member::Column::State)).eq(MemberState::Active.as_str()))
        .to_owned()
}
