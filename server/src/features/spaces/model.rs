//! What comes in and what goes out: inputs that parse, views for pages, API and events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::Access;
use crate::entities::kinds::{Discipline, HubRole, SpaceRole, Visibility};
use crate::entities::{member, space};
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::streams::Stream;
use crate::web::error::{AppError, Result};

/// Characters of a space's name.
pub const NAME: usize = 200;
/// Characters of what somebody writes who asks to join.
pub const MESSAGE: usize = 255;

/// Checks the address of a new space: `[a-z0-9][a-z0-9_-]{1,59}`, whatever its case.
pub fn slug(text: &str) -> Result<String> {
    let text = text.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = (2..=60).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'-');
    if good {
        Ok(text)
    } else {
        Err(AppError::field("slug", "has 2 to 60 small letters, digits, - or _, and begins with a letter or a digit"))
    }
}

/// A space to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewSpace {
    /// Its address: `[a-z0-9][a-z0-9_-]{1,59}`.
    pub slug: String,
    /// At most 200 characters.
    pub name: String,
    /// At most 255 characters.
    #[serde(default)]
    pub description: String,
    /// Open if absent.
    #[serde(default = "open")]
    pub visibility: Visibility,
    /// The author has seen the findings of the check and keeps the text.
    #[serde(default)]
    pub confirmed: bool,
}

const fn open() -> Visibility {
    Visibility::Open
}

/// What of a space is to change; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SpaceChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub visibility: Option<Visibility>,
    /// Markdown that stands above the topics; empty for none.
    pub pinned_body: Option<String>,
    /// An archived space can be read, not written.
    pub archived: Option<bool>,
    #[serde(default)]
    pub confirmed: bool,
}

/// With a wish to join a private space.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct JoinWish {
    /// A line about oneself, at most 255 characters.
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub confirmed: bool,
}

/// A role to give.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct RoleChange {
    pub role: SpaceRole,
}

/// A space as somebody sees it. What lies inside is absent for those at the door.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpaceView {
    pub id: Id,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub visibility: Visibility,
    pub archived: bool,
    /// The viewer's role; null if they do not belong to it.
    pub role: Option<SpaceRole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_count: Option<i32>,
    /// Markdown that stands above the topics; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_html: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// `space:ID`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Version of the editable fields, for `If-Match`.
    #[serde(skip)]
    pub version: Option<i32>,
}

/// Where the stream of a space stands, with the hub's epoch.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub head: i64,
    pub epoch: &'a str,
}

impl SpaceView {
    /// A space from its row; at the door without what lies inside, in a list without its text.
    #[must_use]
    pub fn of(row: &space::Model, role: Option<SpaceRole>, access: Access, at: Option<At<'_>>, list: bool) -> Self {
        let inside = access >= Access::Read;
        Self {
            id: Id(row.id),
            slug: row.slug.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            visibility: row.visibility,
            archived: row.archived_at.is_some(),
            role,
            member_count: inside.then_some(row.member_count),
            topic_count: inside.then_some(row.topic_count),
            pinned_body: (inside && !list).then(|| row.pinned_body.clone()),
            pinned_html: (inside && !list).then(|| row.pinned_html.clone()),
            created_at: inside.then(|| rfc3339(row.created_at)),
            stream: inside.then(|| Stream::space(row.id).to_string()),
            head: at.filter(|_| inside).map(|at| at.head),
            epoch: at.filter(|_| inside).map(|at| at.epoch.to_owned()),
            version: inside.then_some(row.version),
        }
    }
}

impl SpaceView {
    /// Icon of the label that says who may read; empty for spaces that everybody may.
    #[must_use]
    pub const fn label_icon(&self) -> &'static str {
        match self.visibility {
            Visibility::Open => "",
            Visibility::Restricted => "eye",
            Visibility::Private => "lock",
            Visibility::Confidential => "eye-off",
        }
    }

    /// Whether a member of the hub joins without asking.
    #[must_use]
    pub const fn joins_at_once(&self) -> bool {
        matches!(self.visibility, Visibility::Open | Visibility::Restricted)
    }
}

/// How somebody stands to a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingState {
    Member,
    Requested,
    Invited,
    None,
}

/// The outcome of joining, leaving and inviting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Standing {
    /// Slug of the space.
    pub space: String,
    pub handle: String,
    pub state: StandingState,
    pub role: Option<SpaceRole>,
}

/// A person in a list of a space.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonView {
    pub handle: String,
    pub display_name: String,
    pub headline: String,
    pub discipline: Discipline,
    pub organisation: String,
    pub hub_role: HubRole,
    #[serde(skip)]
    pub avatar: Option<String>,
    #[serde(skip)]
    pub id: i64,
}

impl PersonView {
    #[must_use]
    pub fn of(row: member::Model) -> Self {
        Self {
            handle: row.handle,
            display_name: row.display_name,
            headline: row.headline,
            discipline: row.discipline,
            organisation: row.organisation,
            hub_role: row.hub_role,
            avatar: row.avatar,
            id: row.id,
        }
    }

    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// Somebody who belongs to a space.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpaceMemberView {
    #[serde(flatten)]
    pub person: PersonView,
    pub role: SpaceRole,
    /// RFC 3339.
    pub joined_at: String,
    #[serde(skip)]
    pub joined: i64,
}

/// Somebody asks to join.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RequestView {
    pub id: Id,
    pub member: PersonView,
    pub message: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub created: i64,
}

/// Somebody asked the viewer into a space.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InviteView {
    pub space: SpaceView,
    pub role: SpaceRole,
    pub invited_by: PersonView,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub created: i64,
}

/// An administrator came into a space without being let in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EntryView {
    pub member: PersonView,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub id: i64,
    #[serde(skip)]
    pub created: i64,
}
