//! The ordered event log: what happened where, in commit order, without holes.
//!
//! Invariant: in one stream seqs are 1, 2, 3, …; the head row is locked by the append, last in
//! the transaction, so seq order is commit order. The log holds references, never texts.

mod append;
mod heads;
mod items;
mod log;
mod order;
mod reach;
mod relay;
mod retention;
pub mod rights;

use std::fmt;
use std::str::FromStr;

pub use append::{Committed, Live, NewEvent, append_all};
pub use heads::Heads;
pub use items::{Filler, Item, write_events};
pub use log::{Head, head as log_head, heads_of, since};
pub use reach::Reach;
pub use relay::{PAGE, Relay, Withdraw};
pub use retention::trim;

use crate::store::Id;

/// What a stream belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamKind {
    Room,
    Topic,
    Space,
    CaseStudy,
    /// What readers of a playbook hear of: what is published in it, and who stands behind it or uses it.
    Playbook,
    Member,
    /// Changes that every page shows: names, roles, settings. Nobody can subscribe to it.
    Hub,
    /// Who lost or got which right, for the nodes alone: what they keep in memory falls with it.
    Rights,
}

/// Whose rules say who may read a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    Space(i64),
    /// A member's own, or those of a direct conversation.
    NoSpace,
    /// That of any space may matter.
    #[default]
    AnySpace,
}

impl Within {
    /// Whether a change of this space (0: of anything) may concern it.
    #[must_use]
    pub const fn concerns(self, space: i64) -> bool {
        match self {
            Self::Space(of) => of == space || space == 0,
            Self::NoSpace => space == 0,
            Self::AnySpace => true,
        }
    }
}

/// The name of one stream: `topic:ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream {
    pub kind: StreamKind,
    pub id: i64,
}

impl Stream {
    pub const HUB: Self = Self { kind: StreamKind::Hub, id: 0 };
    pub const RIGHTS: Self = Self { kind: StreamKind::Rights, id: 0 };

    #[must_use]
    pub const fn room(id: i64) -> Self {
        Self { kind: StreamKind::Room, id }
    }

    #[must_use]
    pub const fn topic(id: i64) -> Self {
        Self { kind: StreamKind::Topic, id }
    }

    #[must_use]
    pub const fn space(id: i64) -> Self {
        Self { kind: StreamKind::Space, id }
    }

    #[must_use]
    pub const fn case_study(id: i64) -> Self {
        Self { kind: StreamKind::CaseStudy, id }
    }

    #[must_use]
    pub const fn playbook(id: i64) -> Self {
        Self { kind: StreamKind::Playbook, id }
    }

    #[must_use]
    pub const fn member(id: i64) -> Self {
        Self { kind: StreamKind::Member, id }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StreamKind::Room => "room",
            StreamKind::Topic => "topic",
            StreamKind::Space => "space",
            StreamKind::CaseStudy => "case_study",
            StreamKind::Playbook => "playbook",
            StreamKind::Member => "member",
            StreamKind::Hub => "hub",
            StreamKind::Rights => "rights",
        };
        write!(f, "{kind}:{}", Id(self.id))
    }
}

impl FromStr for Stream {
    type Err = crate::store::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once(':').ok_or(crate::store::NotAnId)?;
        let kind = match kind {
            "room" => StreamKind::Room,
            "topic" => StreamKind::Topic,
            "space" => StreamKind::Space,
            "case_study" => StreamKind::CaseStudy,
            "playbook" => StreamKind::Playbook,
            "member" => StreamKind::Member,
            "hub" => StreamKind::Hub,
            "rights" => StreamKind::Rights,
            _ => return Err(crate::store::NotAnId),
        };
        Ok(Self { kind, id: id.parse::<Id>()?.0 })
    }
}
