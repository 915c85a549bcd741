//! What stands above and beside every page of a space, for its partials `_space_head.html` and
//! `_space_aside.html`.

use sea_orm::EntityTrait;

use super::SpaceInfo;
use super::inside;
use super::model::SpaceMemberView;
use super::policy::Access;
use super::queries;
use crate::app::AppState;
use crate::entities::kinds::{HubRole, SpaceRole, Visibility};
use crate::entities::space;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// The head of a space's pages as one viewer sees it. Templates call it `head`.
#[derive(Clone, Debug)]
pub struct SpaceHead {
    pub slug: String,
    pub name: String,
    pub description: String,
    pub visibility: Visibility,
    pub archived: bool,
    pub created_at: i64,
    pub member_count: i32,
    pub topic_count: i32,
    /// Sanitised; empty if nothing is pinned.
    pub pinned_html: String,
    pub version: i32,
    pub access: Access,
    pub role: Option<SpaceRole>,
    /// The viewer has been asked in.
    pub invited: bool,
    /// The viewer has asked to join.
    pub requested: bool,
    /// People who wait for an answer; 0 for those who may not give it.
    pub waiting: i64,
    /// Who runs the space, owners first; empty for visitors, who see no people.
    pub runs: Vec<SpaceMemberView>,
    /// Newest members; empty for visitors.
    pub newest: Vec<SpaceMemberView>,
    /// The tags used most.
    pub tags: Vec<String>,
    /// `topics`, `library`, `rooms`, `members` or `settings`.
    pub tab: &'static str,
    pub signed_in: bool,
    administrator: bool,
}

/// The head with people and tags beside it: 2 queries for visitors, 4 for members.
pub async fn head(state: &AppState, viewer: &Viewer, space: &SpaceInfo, access: Access) -> Result<SpaceHead> {
    let mut head = outline(state, viewer, space, access).await?;
    let db = state.store.read();
    if head.signed_in {
        (head.runs, head.newest) = queries::people(db, space.id).await?;
    }
    head.tags = queries::tags(db, space.id).await?;
    Ok(head)
}

/// The head alone: one query.
pub async fn outline(state: &AppState, viewer: &Viewer, space: &SpaceInfo, access: Access) -> Result<SpaceHead> {
    let db = state.store.read();
    let (row, standing) = match viewer.member() {
        None => (space::Entity::find_by_id(space.id).one(db).await?.ok_or(AppError::NotFound)?, None),
        Some(me) => {
            let inside = inside::whatever(db, me.id, &space.slug).await?;
            (inside.space.clone(), Some(inside))
        }
    };
    let of = standing.as_ref();
    Ok(SpaceHead {
        slug: row.slug,
        name: row.name,
        description: row.description,
        visibility: row.visibility,
        archived: row.archived_at.is_some(),
        created_at: row.created_at,
        member_count: row.member_count,
        topic_count: row.topic_count,
        pinned_html: row.pinned_html,
        version: row.version,
        access,
        role: of.and_then(|of| of.role),
        invited: of.is_some_and(|of| of.invited.is_some()),
        requested: of.is_some_and(|of| of.asked),
        waiting: of.filter(|_| access >= Access::Moderate).map_or(0, |of| of.waiting),
        runs: Vec::new(),
        newest: Vec::new(),
        tags: Vec::new(),
        tab: "topics",
        signed_in: of.is_some(),
        administrator: of.is_some_and(|of| of.hub_role == HubRole::Administrator),
    })
}

impl SpaceHead {
    /// The head of another tab.
    #[must_use]
    pub const fn at(mut self, tab: &'static str) -> Self {
        self.tab = tab;
        self
    }

    /// The day it was made.
    #[must_use]
    pub fn since(&self) -> String {
        crate::web::frame::date(self.created_at)
    }

    /// Joining works at once.
    #[must_use]
    pub fn may_join(&self) -> bool {
        let open = matches!(self.visibility, Visibility::Open | Visibility::Restricted);
        self.signed_in && self.role.is_none() && !self.archived && (open || self.invited || self.administrator)
    }

    /// An administrator would come in without being let in, which owners are shown.
    #[must_use]
    pub fn enters_as_administrator(&self) -> bool {
        self.administrator && self.access == Access::Door && !self.invited
    }

    #[must_use]
    pub const fn may_leave(&self) -> bool {
        self.role.is_some()
    }

    #[must_use]
    pub fn may_write(&self) -> bool {
        self.signed_in && self.access >= Access::Write && !self.archived
    }

    #[must_use]
    pub fn may_moderate(&self) -> bool {
        self.access >= Access::Moderate
    }

    #[must_use]
    pub fn may_manage(&self) -> bool {
        self.access >= Access::Own
    }
}
