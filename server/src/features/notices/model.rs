//! What a member gets of their notices.

use serde::Serialize;
use utoipa::ToSchema;

use crate::entities::kinds::NoticeKind;
use crate::store::Id;

/// Who did it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Actor {
    pub handle: String,
    pub display_name: String,
    #[serde(skip)]
    pub avatar: Option<String>,
}

impl Actor {
    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// Where something was written, for one who may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glimpse {
    pub url: String,
    /// Of the topic, or the room's name; empty for a direct conversation.
    pub title: String,
    /// Its beginning, without markup.
    pub excerpt: String,
}

/// Characters of an excerpt.
pub const EXCERPT: usize = 160;

/// A notice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoticeView {
    pub id: Id,
    pub kind: NoticeKind,
    pub actor: Actor,
    /// The room of the message, by id; null for a post.
    pub room: Option<Id>,
    /// The topic of the post, by id; null for a message.
    pub topic: Option<Id>,
    /// The case study that it is about, by id; null for others.
    pub study: Option<Id>,
    /// Where it is: a path of this hub.
    pub url: String,
    /// Title of the topic or case study, or name of the room; empty for a direct conversation, and where it can
    /// no longer be read.
    pub title: String,
    /// How the text begins; empty if it can no longer be read.
    pub excerpt: String,
    /// RFC 3339.
    pub created_at: String,
    pub read: bool,
    #[serde(skip)]
    pub created: i64,
}
