//! What goes in and out: views made of rows, the same for pages, API and events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::RoomKind;
use crate::features::forum::model::{AuthorView, ReactionView};
use crate::store::Id;

/// Characters of a room's name.
pub const NAME: usize = 200;
/// Characters of a room's purpose.
pub const PURPOSE: usize = 255;
/// Characters of a message.
pub const MESSAGE: usize = 8000;
/// People of a group conversation, with whoever opens it.
pub const GROUP: usize = 20;

/// A room as its readers see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomView {
    pub id: Id,
    pub kind: RoomKind,
    /// Slug of its space; null for a direct conversation.
    pub space: Option<String>,
    /// Null for a direct conversation.
    pub slug: Option<String>,
    /// Of a direct conversation: the names of the others.
    pub name: String,
    pub purpose: String,
    pub private: bool,
    pub archived: bool,
    pub message_count: i64,
    /// Those let into a private room, or the people of a direct conversation; null for an open room.
    pub members: Option<Vec<RoomPerson>>,
    /// RFC 3339.
    pub created_at: String,
    pub last_message_at: Option<String>,
    /// `room:ID`
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    /// The viewer's own: null where they do not follow the room.
    pub mine: Option<MyRoom>,
    /// Version of its editable fields, for `If-Match`.
    pub version: i32,
}

/// Somebody in a room.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomPerson {
    pub handle: String,
    pub display_name: String,
    #[serde(skip)]
    pub id: i64,
    #[serde(skip)]
    pub avatar: Option<String>,
}

/// What a room is to one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyRoom {
    /// The newest seq they have read.
    pub read_seq: i64,
    pub unread: i64,
    pub mentions: i32,
    pub muted: bool,
    pub favourite: bool,
}

/// A message. Of a deleted one `body` and `body_html` are empty.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageView {
    pub id: Id,
    /// `room` of the message, by id.
    pub room: Id,
    /// That of its `message.posted`, so there are gaps.
    pub seq: i64,
    pub author: AuthorView,
    pub body: String,
    pub body_html: String,
    pub client_id: String,
    /// The message it answers; its thread hangs on that one, or on the one that one answers.
    pub reply_to: Option<Id>,
    pub thread: Option<Id>,
    /// Messages of the thread that hangs on it.
    pub reply_count: i32,
    /// RFC 3339.
    pub last_reply_at: Option<String>,
    pub created_at: String,
    pub edited_at: Option<String>,
    pub deleted: bool,
    pub pinned: bool,
    pub reactions: Vec<ReactionView>,
    /// Version of its text, for `If-Match`.
    pub version: i32,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub edited: Option<i64>,
    #[serde(skip)]
    pub number: i64,
    #[serde(skip)]
    pub revision_count: i32,
}

/// A room in the sidebar and in lists of rooms.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomRow {
    pub id: Id,
    pub kind: RoomKind,
    pub space: Option<String>,
    pub space_name: Option<String>,
    pub slug: Option<String>,
    /// Of a direct conversation: the names of the others.
    pub name: String,
    pub purpose: String,
    pub archived: bool,
    /// RFC 3339.
    pub last_message_at: Option<String>,
    /// `room:ID`
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    pub private: bool,
    /// Null where the viewer does not follow it.
    pub mine: Option<MyRoom>,
}

impl RoomRow {
    /// Its page.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.space.as_deref(), self.slug.as_deref(), self.id)
    }
}

impl RoomView {
    /// Its page.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.space.as_deref(), self.slug.as_deref(), self.id)
    }
}

/// The page of a room.
#[must_use]
pub fn path(space: Option<&str>, slug: Option<&str>, id: Id) -> String {
    match space.zip(slug) {
        Some((space, slug)) => format!("/s/{space}/chat/{slug}"),
        None => format!("/direct/{id}"),
    }
}

/// A part of a room's messages, ascending by `seq`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessagesPage {
    pub items: Vec<MessageView>,
    /// Goes on in the direction of this page: back, or forth after `after`; null at the end.
    pub next_cursor: Option<String>,
    /// Head of the room's stream, read before the messages.
    pub head: i64,
    pub epoch: String,
    /// Whether there are older ones.
    pub more_before: bool,
    /// Whether there are newer ones.
    pub more_after: bool,
}

/// One saved state of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageRevision {
    /// 1 is the original.
    pub number: i32,
    pub body: String,
    /// Handle of who saved it.
    pub editor: String,
    /// RFC 3339.
    pub created_at: String,
}

impl RoomPerson {
    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}
