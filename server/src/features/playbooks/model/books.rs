//! Playbooks, their people and their scenarios.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StudyRow;
use crate::entities::kinds::{PlaybookRole, PlaybookVisibility};
use crate::features::forum::model::AuthorView;
use crate::store::Id;
use crate::streams::Stream;

/// A member by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameView {
    pub handle: String,
    pub display_name: String,
    #[serde(skip)]
    pub id: i64,
}

/// A playbook by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaybookRef {
    pub slug: String,
    pub title: String,
}

/// A playbook in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlaybookRow {
    pub id: Id,
    pub slug: String,
    pub title: String,
    /// Pathway or speciality; may be empty.
    pub pathway: String,
    pub summary: String,
    pub visibility: PlaybookVisibility,
    /// Slug of its space; null without one, or if the viewer may not know of it.
    pub space: Option<String>,
    /// Published case studies whose home it is.
    pub study_count: i32,
    /// Path of the cover, if there is one.
    pub cover_url: Option<String>,
    pub cover_alt: String,
    pub archived: bool,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub updated: i64,
    #[serde(skip)]
    pub space_id: Option<i64>,
    #[serde(skip)]
    pub version: i32,
}

/// Somebody who runs a playbook or reviews in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlaybookPerson {
    #[serde(flatten)]
    pub person: AuthorView,
    pub playbook_role: PlaybookRole,
}

/// A playbook with its scenarios.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlaybookView {
    #[serde(flatten)]
    pub row: PlaybookRow,
    /// Markdown.
    pub introduction: String,
    pub introduction_html: String,
    pub owners: Vec<NameView>,
    /// What reviewers go through before they publish.
    pub checklist: Vec<String>,
    pub scenarios: Vec<ScenarioView>,
    /// Owners change it, its scenarios and its people.
    pub may_edit: bool,
    /// Whether the viewer reviews studies here; not their own.
    pub may_review: bool,
    /// Studies that wait for a review; 0 for those who do not review.
    pub waiting: i64,
    /// `playbook:ID`: what readers are told of its studies, scenarios and texts.
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    /// Owners and reviewers, with what they are.
    #[serde(skip)]
    pub people: Vec<PlaybookPerson>,
    /// Heads of what it was made from, read before it.
    #[serde(skip)]
    pub heads: Vec<(Stream, i64)>,
}

/// What somebody needs to do, and the studies of those who did it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScenarioView {
    pub id: Id,
    pub title: String,
    /// Markdown.
    pub description: String,
    pub description_html: String,
    /// In order; Markdown each.
    pub steps: Vec<String>,
    pub steps_html: Vec<String>,
    /// From 0.
    pub position: i32,
    /// How many published studies stand in it that the viewer may read.
    pub study_count: i64,
    /// The first of them; all by `GET /case-studies?scenario=ID`.
    pub studies: Vec<StudyRow>,
    /// Version of its fields, for `If-Match`.
    pub version: i32,
}

/// A scenario by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScenarioRef {
    pub id: Id,
    pub title: String,
    /// Slug of its playbook.
    pub playbook: String,
}
