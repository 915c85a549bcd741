//! Who may do what in a space. Pure.

use super::SpaceInfo;
use crate::entities::kinds::{HubRole, SpaceRole, Visibility};
use crate::web::error::{AppError, Result};
use crate::web::viewer::{Me, Viewer};

/// How far somebody gets into a space; ordered, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It does not exist.
    Hidden,
    /// Name and description are seen, nothing inside.
    Door,
    /// Everything is read, nothing written.
    Read,
    /// A member's rights: read and write.
    Write,
    /// Moderates.
    Moderate,
    /// Runs the space.
    Own,
}

/// What a viewer may do in a space, whatever its archive state.
#[must_use]
pub fn access(viewer: &Viewer, space: &SpaceInfo) -> Access {
    viewer.member().map_or_else(
        || if space.visibility == Visibility::Open { Access::Read } else { Access::Hidden },
        |me| of_member(me, space),
    )
}

/// The same for a member.
#[must_use]
pub fn of_member(me: &Me, space: &SpaceInfo) -> Access {
    by_role(me.hub_role, me.spaces.get(&space.id).copied(), space.visibility)
}

/// The same from the bare facts; for actions, which read them in their transaction.
#[must_use]
pub const fn by_role(hub_role: HubRole, role: Option<SpaceRole>, visibility: Visibility) -> Access {
    let administrator = matches!(hub_role, HubRole::Administrator);
    match (role, visibility) {
        (Some(SpaceRole::Owner), _) => Access::Own,
        // An administrator has an owner's rights where they may be without being let in, and
        // where they have joined, which is logged.
        (Some(_), _) | (None, Visibility::Open | Visibility::Restricted) if administrator => Access::Own,
        (Some(SpaceRole::Moderator), _) => Access::Moderate,
        (Some(SpaceRole::Member), _) | (None, Visibility::Open) => Access::Write,
        (None, Visibility::Restricted) => Access::Read,
        (None, Visibility::Private) => Access::Door,
        (None, Visibility::Confidential) if administrator => Access::Door,
        (None, Visibility::Confidential) => Access::Hidden,
    }
}

impl Access {
    /// Reading, or 404.
    pub fn read(self) -> Result<()> {
        if self >= Self::Read { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Writing in a space that is not archived; 404 where nothing is seen, 403 else, 401 for visitors.
    pub fn write(self, viewer: &Viewer, space: &SpaceInfo) -> Result<()> {
        self.read()?;
        viewer.require()?;
        if self < Self::Write {
            return Err(AppError::Forbidden("Join this space to write in it.".into()));
        }
        not_archived(space.archived)
    }

    /// Moderating, or 403.
    pub fn moderate(self) -> Result<()> {
        self.read()?;
        if self >= Self::Moderate {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only moderators of this space can do this.".into()))
        }
    }

    /// Running the space, or 403.
    pub fn own(self) -> Result<()> {
        self.read()?;
        if self >= Self::Own {
            Ok(())
        } else {
            Err(AppError::Forbidden("Only owners of this space can do this.".into()))
        }
    }
}

/// 403 for writes into an archived space.
pub fn not_archived(archived: bool) -> Result<()> {
    if archived {
        Err(AppError::Forbidden("This space is archived: it can be read, not written.".into()))
    } else {
        Ok(())
    }
}
