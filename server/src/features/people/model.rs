//! What readers get of a member: views made of rows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::{Discipline, HubRole};
use crate::entities::member;
use crate::ports::clock::rfc3339;
use crate::store::Id;

/// A link of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// What it is called; the host if empty.
    #[serde(default)]
    pub label: String,
    /// `http` or `https`.
    pub url: String,
}

/// A member as other members see them in lists.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemberView {
    pub id: Id,
    pub handle: String,
    pub display_name: String,
    pub headline: String,
    pub discipline: Discipline,
    pub organisation: String,
    pub role: HubRole,
    /// Tags others may ask them about.
    pub expertise: Vec<String>,
    /// Path of their picture.
    pub avatar_url: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub avatar: Option<String>,
}

impl MemberView {
    /// From a row and its expertise tags.
    #[must_use]
    pub fn of(row: &member::Model, expertise: Vec<String>) -> Self {
        Self {
            id: Id(row.id),
            handle: row.handle.clone(),
            display_name: row.display_name.clone(),
            headline: row.headline.clone(),
            discipline: row.discipline,
            organisation: row.organisation.clone(),
            role: row.hub_role,
            expertise,
            avatar_url: format!("/people/{}/avatar?v={}", row.handle, row.avatar.as_deref().unwrap_or("0")),
            created_at: rfc3339(row.created_at),
            avatar: row.avatar.clone(),
        }
    }

    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// A member's profile as other members see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileView {
    #[serde(flatten)]
    pub member: MemberView,
    /// Markdown.
    pub about: String,
    /// Sanitised.
    pub about_html: String,
    pub links: Vec<LinkView>,
    /// Such as `Europe/London`; empty if not said.
    pub time_zone: String,
}

impl ProfileView {
    #[must_use]
    pub fn of(row: &member::Model, expertise: Vec<String>) -> Self {
        Self {
            member: MemberView::of(row, expertise),
            about: row.about.clone(),
            about_html: row.about_html.clone(),
            links: links_of(row),
            time_zone: row.time_zone.clone(),
        }
    }
}

/// One's own profile, with what only oneself sees.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeView {
    #[serde(flatten)]
    pub profile: ProfileView,
    pub email: Option<String>,
    pub email_verified: bool,
    /// Whether mail for replies and mentions is sent.
    pub mail_on: bool,
    /// Version of the profile, for `If-Match`.
    pub version: i32,
}

impl MeView {
    #[must_use]
    pub fn of(row: &member::Model, expertise: Vec<String>) -> Self {
        Self {
            profile: ProfileView::of(row, expertise),
            email: row.email.clone(),
            email_verified: row.email_verified_at.is_some(),
            mail_on: row.mail_on,
            version: row.version,
        }
    }
}

/// The links of a row.
#[must_use]
pub fn links_of(row: &member::Model) -> Vec<LinkView> {
    serde_json::from_str(&row.links).unwrap_or_default()
}
