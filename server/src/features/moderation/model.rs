//! What reporters and moderators send and get.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entities::kinds::{ReportReason, ReportState};
use crate::entities::{member, report};
use crate::ports::clock::rfc3339;
use crate::store::Id;

/// A report as sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewFlag {
    pub reason: ReportReason,
    /// What the moderators should know.
    #[serde(default)]
    pub note: String,
    /// Keeps a note in which something was found.
    #[serde(default)]
    pub confirmed: bool,
}

/// Why something is done; shown in the log.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Reason {
    #[serde(default)]
    pub reason: String,
}

/// A report as its reporter gets it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlagView {
    pub id: Id,
    /// One of this, `message_id` and `case_study_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_study_id: Option<Id>,
    pub reason: ReportReason,
    pub note: String,
    pub state: ReportState,
    /// RFC 3339.
    pub created_at: String,
}

impl FlagView {
    #[must_use]
    pub fn of(row: &report::Model) -> Self {
        Self {
            id: Id(row.id),
            post_id: row.post_id.map(Id),
            message_id: row.message_id.map(Id),
            case_study_id: row.study_id.map(Id),
            reason: row.reason,
            note: row.note.clone(),
            state: row.state,
            created_at: rfc3339(row.created_at),
        }
    }
}

/// Somebody's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonView {
    pub handle: String,
    pub display_name: String,
}

impl PersonView {
    #[must_use]
    pub fn of(row: &member::Model) -> Self {
        Self { handle: row.handle.clone(), display_name: row.display_name.clone() }
    }
}

/// The message that a report is about. Those who settle the report see it, whether they see its
/// room or not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportedMessage {
    pub id: Id,
    /// Empty for a direct conversation.
    pub room_name: String,
    /// It was said in a direct conversation.
    pub direct: bool,
    /// Whoever moderates its space can open its room.
    #[serde(skip)]
    pub open: bool,
    pub author: PersonView,
    /// The beginning of its text; empty if it was deleted.
    pub excerpt: String,
    pub deleted: bool,
}

/// The post that a report is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportedPost {
    pub id: Id,
    pub topic_id: Id,
    /// Empty if it was purged.
    pub topic_title: String,
    pub author: PersonView,
    /// The beginning of its text; empty if it was purged.
    pub excerpt: String,
    pub hidden: bool,
    pub deleted: bool,
    pub purged: bool,
}

/// The case study that a report is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportedStudy {
    pub slug: String,
    pub title: String,
    /// Who made it.
    pub author: PersonView,
    /// The beginning of what readers get; empty for its reporter once it is hidden.
    pub excerpt: String,
    pub hidden: bool,
    pub retired: bool,
}

/// A report as moderators get it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportView {
    pub id: Id,
    /// Slug of the space; null for a message of a direct conversation, and for a case study whose
    /// playbook has no space.
    pub space: Option<String>,
    pub space_name: Option<String>,
    /// One of this, `message` and `case_study`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<ReportedPost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<ReportedMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_study: Option<ReportedStudy>,
    /// Path of its page, which not everybody who sees the report may see.
    pub url: String,
    pub reporter: PersonView,
    pub reason: ReportReason,
    pub note: String,
    pub state: ReportState,
    /// RFC 3339.
    pub created_at: String,
    pub handled_by: Option<PersonView>,
    /// RFC 3339.
    pub handled_at: Option<String>,
    /// What was said when it was settled.
    pub outcome: Option<String>,
    #[serde(skip)]
    pub created: i64,
}

/// One line of the log of acts, for pages.
#[derive(Clone, Debug)]
pub struct ActRow {
    pub actor: PersonView,
    /// Key of the catalogue under `moderation.act`.
    pub action: String,
    pub subject_kind: String,
    /// Where the subject can be looked at, if it can be.
    pub url: Option<String>,
    /// How the subject is called: a handle, a space's name, an id.
    pub subject: String,
    pub space: Option<String>,
    pub reason: String,
    pub at: i64,
}
