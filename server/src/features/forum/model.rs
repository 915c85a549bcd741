//! What the forum's readers get: views made of rows, the same for pages, API and events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::{Discipline, HubRole, TopicKind};
use crate::store::Id;

/// A member as shown beside what they wrote.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuthorView {
    pub handle: String,
    pub display_name: String,
    pub headline: String,
    pub discipline: Discipline,
    pub organisation: String,
    pub role: HubRole,
    /// Version of the avatar, for its address.
    #[serde(skip)]
    pub avatar: Option<String>,
    #[serde(skip)]
    pub id: i64,
}

impl AuthorView {
    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// One emoji under a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReactionView {
    pub emoji: String,
    pub count: i64,
}

/// Who puts what they are behind a post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EndorsementView {
    pub handle: String,
    pub display_name: String,
    pub headline: String,
    pub discipline: Discipline,
    pub role: HubRole,
    /// RFC 3339.
    pub created_at: String,
}

/// Where an imported post comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    pub url: Option<String>,
    pub author: Option<String>,
    /// Votes it had there.
    pub score: i32,
}

/// A post. A deleted or hidden one has empty `body` and `body_html`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostView {
    pub id: Id,
    pub topic_id: Id,
    pub parent_id: Option<Id>,
    pub depth: i32,
    pub author: AuthorView,
    pub body: String,
    pub body_html: String,
    /// RFC 3339.
    pub created_at: String,
    pub edited_at: Option<String>,
    pub deleted: bool,
    pub hidden: bool,
    pub reactions: Vec<ReactionView>,
    pub endorsements: Vec<EndorsementView>,
    pub is_answer: bool,
    /// Handle of who accepted it.
    pub answer_by: Option<String>,
    pub reply_count: i32,
    pub source: Option<SourceView>,
    /// Version of its editable fields, for `If-Match`.
    pub version: i32,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub edited: Option<i64>,
    #[serde(skip)]
    pub tree_pos: i64,
    #[serde(skip)]
    pub purged: bool,
    /// The opening text of its topic.
    #[serde(skip)]
    pub is_first: bool,
    /// How many saved states it has; 0 if it was never edited.
    #[serde(skip)]
    pub revision_count: i32,
}

/// What the viewer has done with a post; apart from `PostView`, which is the same for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub reactions: Vec<String>,
    pub endorsed: bool,
    pub bookmarked: bool,
}

/// A topic in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TopicRow {
    pub id: Id,
    /// Slug of its space.
    pub space: String,
    pub space_name: String,
    pub kind: TopicKind,
    pub title: String,
    pub tags: Vec<String>,
    pub author: AuthorView,
    pub post_count: i32,
    pub answer_count: i32,
    pub score: i32,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339: the newest post or the opening.
    pub activity_at: String,
    pub pinned: bool,
    pub closed: bool,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub activity: i64,
    #[serde(skip)]
    pub rank: i32,
    #[serde(skip)]
    pub space_id: i64,
    /// Who wrote the newest reply: handle and name; the author if there is none.
    #[serde(skip)]
    pub last_handle: String,
    #[serde(skip)]
    pub last_name: String,
    /// Shown to moderators alone.
    #[serde(skip)]
    pub deleted: bool,
    #[serde(skip)]
    pub hidden: bool,
    /// Whether there is something the viewer has not read; false for visitors.
    #[serde(skip)]
    pub unread: bool,
}

/// A topic with its opening text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TopicView {
    #[serde(flatten)]
    pub row: TopicRow,
    pub body: String,
    pub body_html: String,
    pub first_post_id: Id,
    pub answer_ids: Vec<Id>,
    /// `topic:ID`
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    pub edited_at: Option<String>,
    /// Version of title, body, kind and tags, for `If-Match`.
    pub version: i32,
    #[serde(skip)]
    pub opening: Option<Box<PostView>>,
    /// The accepted answers, in the order of their acceptance.
    #[serde(skip)]
    pub answers: Vec<PostView>,
    #[serde(skip)]
    pub space_id: i64,
    /// How far the viewer had read, if ever: a seq of the topic's stream.
    #[serde(skip)]
    pub read_seq: Option<i64>,
}

/// One saved state of a post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevisionView {
    /// 1 is the original.
    pub number: i32,
    /// With the opening text of a topic.
    pub title: Option<String>,
    pub tags: Option<Vec<String>>,
    pub body: String,
    /// Handle of who saved it.
    pub editor: String,
    pub editor_name: String,
    pub note: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub at: i64,
}

/// A post kept for later, with where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BookmarkView {
    pub post: PostView,
    /// Slug of the space.
    pub space: String,
    pub topic_title: String,
    /// When it was kept, RFC 3339.
    pub bookmarked_at: String,
    #[serde(skip)]
    pub at: i64,
}

/// A tag with the number of topics the viewer may see under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TagView {
    pub name: String,
    pub count: i64,
}
