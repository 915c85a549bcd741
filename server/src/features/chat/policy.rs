//! Who may do what in a room. Pure.

use crate::entities::kinds::{HubRole, MemberState, RoomKind, SpaceRole, Visibility};
use crate::features::spaces::Access;
use crate::features::spaces::policy::{by_role, not_archived};
use crate::web::error::{AppError, Result};

/// A message may carry so many different emoji.
pub const MOST_EMOJI: usize = 24;
/// A room may have so many pinned messages.
pub const MOST_PINS: i64 = 100;
/// A topic may be made of so many messages.
pub const MOST_QUOTED: usize = 50;

/// What is known of a room, its space and the member who acts or looks.
#[derive(Clone, Debug)]
pub struct Standing {
    pub member: i64,
    pub hub_role: HubRole,
    pub state: MemberState,
    pub kind: RoomKind,
    /// They were let into the private room, are one of a direct conversation's people, or follow
    /// the open room.
    pub inside: bool,
    /// Role in the room's space.
    pub role: Option<SpaceRole>,
    /// Of the room's space.
    pub visibility: Option<Visibility>,
    pub space_archived: bool,
    pub archived: bool,
    /// They made the room.
    pub made: bool,
    /// It is a conversation of two, of whom one has blocked the other.
    pub blocked: bool,
}

impl Standing {
    /// How far they get. An administrator has no more rights in a private room than its people
    /// gave them, and none in a conversation of others.
    #[must_use]
    pub const fn access(&self) -> Access {
        if matches!(self.state, MemberState::Suspended) {
            return Access::Hidden;
        }
        match (self.kind, self.visibility) {
            (RoomKind::Direct, _) if self.inside => Access::Write,
            (RoomKind::Private, _) if !self.inside => Access::Hidden,
            (RoomKind::Direct, _) | (_, None) => Access::Hidden,
            (_, Some(visibility)) => match by_role(self.hub_role, self.role, visibility) {
                Access::Door => Access::Hidden,
                access => access,
            },
        }
    }

    /// 404 unless the room exists for them.
    pub fn read(&self) -> Result<()> {
        self.access().read()
    }

    /// Writing in the room, be it a message, a reaction, a pin or a sign of typing: 404 where nothing
    /// is seen, 403 else.
    pub fn write(&self) -> Result<()> {
        self.read()?;
        if self.access() < Access::Write {
            return Err(AppError::Forbidden("Join this space to write in it.".into()));
        }
        not_archived(self.space_archived)?;
        if self.archived {
            return Err(AppError::Forbidden("This room is archived: it can be read, not written.".into()));
        }
        if self.blocked {
            return Err(AppError::Forbidden("You cannot write to each other.".into()));
        }
        Ok(())
    }

    #[must_use]
    pub fn moderates(&self) -> bool {
        self.access() >= Access::Moderate
    }

    /// Taking away what somebody wrote: its author, or a moderator.
    pub fn remove(&self, author: i64) -> Result<()> {
        self.read()?;
        if self.member == author || self.moderates() {
            not_archived(self.space_archived)
        } else {
            Err(AppError::Forbidden("Only its author or a moderator can do this.".into()))
        }
    }

    /// Changing the room itself or who is in it: whoever made it, or a moderator who is in it.
    pub fn arrange(&self) -> Result<()> {
        self.read()?;
        if self.kind == RoomKind::Direct {
            return Err(AppError::Forbidden("A direct conversation belongs to its people as it is.".into()));
        }
        let theirs = self.made && self.access() >= Access::Write;
        if !theirs && !self.moderates() {
            return Err(AppError::Forbidden("Only who made this room or a moderator can do this.".into()));
        }
        not_archived(self.space_archived)
    }

    /// Opening a private room to its space, for whoever may arrange it: what others wrote for few
    /// becomes readable for many, so that is for a moderator who is in it.
    pub fn open_up(&self, others_wrote: bool) -> Result<()> {
        if others_wrote && !self.moderates() {
            let why = "Others have written in this room: only a moderator who is in it can open it.";
            return Err(AppError::Forbidden(why.into()));
        }
        Ok(())
    }

    /// Moderating: 403 for others, 404 where nothing is seen.
    pub fn moderate(&self) -> Result<()> {
        self.read()?;
        self.access().moderate()?;
        not_archived(self.space_archived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(kind: RoomKind, inside: bool) -> Standing {
        Standing {
            member: 1,
            hub_role: HubRole::Administrator,
            state: MemberState::Active,
            kind,
            inside,
            role: None,
            visibility: (kind != RoomKind::Direct).then_some(Visibility::Open),
            space_archived: false,
            archived: false,
            made: false,
            blocked: false,
        }
    }

    #[test]
    fn nobody_enters_uninvited() {
        assert!(standing(RoomKind::Open, false).write().is_ok());
        assert!(standing(RoomKind::Private, false).read().is_err());
        assert!(standing(RoomKind::Private, true).moderate().is_ok());
        assert!(standing(RoomKind::Direct, false).read().is_err());
        assert!(standing(RoomKind::Direct, true).write().is_ok());
        assert!(standing(RoomKind::Direct, true).moderate().is_err());
    }

    #[test]
    fn what_others_wrote_is_not_opened_by_who_made_the_room() {
        let theirs = Standing { made: true, hub_role: HubRole::Member, ..standing(RoomKind::Private, true) };
        assert!(theirs.arrange().is_ok() && theirs.open_up(false).is_ok());
        assert!(theirs.open_up(true).is_err());
        assert!(Standing { role: Some(SpaceRole::Moderator), ..theirs }.open_up(true).is_ok());
    }

    #[test]
    fn who_is_blocked_reads_and_takes_back_what_they_wrote() {
        let pair = Standing { blocked: true, ..standing(RoomKind::Direct, true) };
        assert!(pair.write().is_err());
        assert!(pair.read().is_ok() && pair.remove(1).is_ok());
        assert!(pair.remove(2).is_err());
    }

    #[test]
    fn what_is_archived_or_over_is_not_written() {
        let room = standing(RoomKind::Open, true);
        assert!(Standing { archived: true, ..room.clone() }.write().is_err());
        assert!(Standing { space_archived: true, ..room.clone() }.write().is_err());
        assert!(Standing { state: MemberState::Suspended, ..room.clone() }.read().is_err());
        let door = Standing { visibility: Some(Visibility::Private), hub_role: HubRole::Member, ..room };
        assert!(door.read().is_err(), "a follower who left a private space");
    }
}
