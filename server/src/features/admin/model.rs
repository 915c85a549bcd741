//! What administrators send and get.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::{HubRole, JobState, MemberState};
use crate::entities::{job, member};
use crate::features::hub::HubSettings;
use crate::ports::clock::rfc3339;
use crate::store::Id;

/// The hub's settings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SettingsView {
    pub name: String,
    /// Address of the logo.
    pub logo: Option<String>,
    /// Greets visitors on the home page; Markdown.
    pub welcome: String,
    pub welcome_html: String,
    /// Whether every member may make spaces, or only facilitators and administrators.
    pub members_make_spaces: bool,
}

impl SettingsView {
    #[must_use]
    pub fn of(settings: &HubSettings) -> Self {
        Self {
            name: settings.name.to_string(),
            logo: settings.logo.as_deref().map(str::to_owned),
            welcome: settings.welcome.to_string(),
            welcome_html: settings.welcome_html.to_string(),
            members_make_spaces: settings.members_make_spaces,
        }
    }
}

/// What becomes new; absent fields stay.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SettingsChange {
    pub name: Option<String>,
    pub welcome: Option<String>,
    pub members_make_spaces: Option<bool>,
    /// Keeps texts in which something was found.
    #[serde(default)]
    pub confirmed: bool,
}

/// A member as administrators see them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminMemberView {
    pub handle: String,
    pub display_name: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub role: HubRole,
    pub state: MemberState,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub seen_at: Option<String>,
    #[serde(skip)]
    pub avatar: Option<String>,
    #[serde(skip)]
    pub seen: Option<i64>,
}

impl AdminMemberView {
    #[must_use]
    pub fn of(row: member::Model) -> Self {
        Self {
            handle: row.handle,
            display_name: row.display_name,
            email: row.email,
            email_verified: row.email_verified_at.is_some(),
            role: row.hub_role,
            state: row.state,
            created_at: rfc3339(row.created_at),
            seen_at: row.seen_at.map(rfc3339),
            avatar: row.avatar,
            seen: row.seen_at,
        }
    }

    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// What becomes new of a member.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct MemberChange {
    pub role: HubRole,
}

/// A job: its kind and how it fares, never what it carries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobView {
    pub id: Id,
    pub kind: String,
    pub state: JobState,
    pub attempts: i32,
    pub last_error: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339: when it is tried next.
    pub run_at: String,
    /// RFC 3339: when it was given up.
    pub finished_at: Option<String>,
    #[serde(skip)]
    pub at: i64,
}

impl JobView {
    #[must_use]
    pub fn of(row: job::Model) -> Self {
        Self {
            id: Id(row.id),
            kind: row.kind,
            state: row.state,
            attempts: row.attempts,
            last_error: row.last_error,
            created_at: rfc3339(row.created_at),
            run_at: rfc3339(row.run_at),
            finished_at: row.finished_at.map(rfc3339),
            at: row.finished_at.unwrap_or(row.run_at),
        }
    }
}
