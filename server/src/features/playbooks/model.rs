//! What readers and writers of playbooks get: views made of rows, the same for pages, API and
//! events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::measures::Measure;
use super::parts::Completeness;
use super::terms::Terms;
use crate::entities::kinds::{
    AdoptionStatus, Discipline, PartKey, PlaybookRole, PlaybookVisibility, StudyAct, StudySource, StudyState, TermKind,
};
use crate::features::forum::model::AuthorView;
use crate::store::Id;

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
    /// Owners and reviewers, with what they are.
    #[serde(skip)]
    pub people: Vec<PlaybookPerson>,
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

/// A case study in a list. `title`, `summary`, `terms` and `figure` are those of the copy that
/// the list is of: the published one, but for one's own and for reviews.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyRow {
    pub id: Id,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub state: StudyState,
    pub playbook: Option<PlaybookRef>,
    pub authors: Vec<NameView>,
    pub terms: Terms,
    /// The first measure.
    pub figure: Option<Measure>,
    pub endorsement_count: i32,
    pub adoption_count: i32,
    /// Number of the published revision; 0 before the first.
    pub revision: i32,
    /// RFC 3339: of the published revision.
    pub published_at: Option<String>,
    pub first_published_at: Option<String>,
    pub updated_at: String,
    /// A day: `2027-01-31`.
    pub review_due: Option<String>,
    /// The review is due and has not happened.
    pub overdue: bool,
    /// Path of its page.
    pub url: String,
    #[serde(skip)]
    pub published: Option<i64>,
    #[serde(skip)]
    pub first_published: Option<i64>,
    #[serde(skip)]
    pub updated: i64,
    #[serde(skip)]
    pub due: Option<i64>,
    #[serde(skip)]
    pub submitted: Option<i64>,
    #[serde(skip)]
    pub open_comments: i32,
}

/// One part of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    pub key: PartKey,
    /// Markdown, or one line.
    pub body: String,
    pub body_html: String,
    /// Named fields, those with something in them.
    pub fields: BTreeMap<String, String>,
    pub fields_html: BTreeMap<String, String>,
    /// Of `outcomes`.
    pub measures: Vec<Measure>,
    /// 0 while nothing was ever written.
    pub version: i32,
    /// For `If-Match`.
    pub etag: String,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// Handle of who saved it last.
    pub updated_by: Option<String>,
}

impl PartView {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty() && self.fields.is_empty() && self.measures.is_empty()
    }
}

/// Where a study comes from, for those who may open that.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    pub kind: StudySource,
    /// A path of this hub, or an address elsewhere.
    pub url: Option<String>,
    /// Title of the topic or name of the room.
    pub title: String,
}

/// The topic in which a study is discussed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DiscussionView {
    pub topic_id: Id,
    /// Slug of the space.
    pub space: String,
    pub post_count: i32,
    pub url: String,
}

/// A member who stands behind a study.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyEndorsementView {
    pub handle: String,
    pub display_name: String,
    pub discipline: Discipline,
    pub role: String,
    pub organisation: String,
    /// Why.
    pub reason: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub avatar: Option<String>,
}

impl StudyEndorsementView {
    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }
}

/// A site and how far it has come with a study.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdoptionView {
    pub id: Id,
    pub study: StudyRef,
    pub organisation: String,
    /// Where in it; may be empty.
    pub site: String,
    pub status: AdoptionStatus,
    pub why: String,
    /// Whom to ask; shown to members.
    pub contact: String,
    /// Who says so.
    pub handle: String,
    pub display_name: String,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
    #[serde(skip)]
    pub updated: i64,
    #[serde(skip)]
    pub organisation_key: String,
}

/// A study by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StudyRef {
    pub slug: String,
    pub title: String,
}

/// An organisation in the register, with what it uses.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrganisationView {
    pub organisation: String,
    /// Adoptions by status.
    pub considering: i64,
    pub piloting: i64,
    pub live: i64,
    pub stopped: i64,
    #[serde(skip)]
    pub key: String,
}

/// What the viewer may do with a study.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "it is a list of answers for clients")]
pub struct StudyRights {
    /// Write its parts, terms and authors.
    pub edit: bool,
    pub submit: bool,
    /// Take a submission back.
    pub withdraw: bool,
    /// Publish or return what was submitted.
    pub review: bool,
    pub retire: bool,
    /// Comment on its parts.
    pub comment: bool,
    /// Endorse, adopt, follow.
    pub respond: bool,
}

/// What the viewer has done with a study.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct StudyMarks {
    pub following: bool,
    pub endorsed: bool,
    pub adopted: bool,
}

/// Which copy of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    /// What readers get.
    Published,
    /// What its authors write and its reviewers judge.
    Working,
}

/// A case study whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyView {
    #[serde(flatten)]
    pub row: StudyRow,
    pub copy: Copy,
    /// By key, in the order of the page; those with something in them, and in the working copy
    /// also those that were emptied.
    pub parts: BTreeMap<PartKey, PartView>,
    /// Those of `outcomes`.
    pub measures: Vec<Measure>,
    pub completeness: Completeness,
    pub credited: Vec<NameView>,
    /// Who keeps it true.
    pub owner: Option<NameView>,
    pub scenarios: Vec<ScenarioRef>,
    pub source: Option<SourceView>,
    pub discussion: Option<DiscussionView>,
    /// The first of them, the newest first; all by `/case-studies/{slug}/endorsements`.
    pub endorsements: Vec<StudyEndorsementView>,
    /// The first of them; all by `/case-studies/{slug}/adoptions`.
    pub adoptions: Vec<AdoptionView>,
    pub may: StudyRights,
    pub mine: StudyMarks,
    /// Threads of comments that are not resolved; 0 for readers.
    pub open_comments: i32,
    /// `case_study:ID`
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    /// Version of the whole working copy, for `If-Match`.
    pub version: i32,
    #[serde(skip)]
    pub authors_full: Vec<AuthorView>,
    #[serde(skip)]
    pub checklist: Vec<String>,
    /// The viewer reads as an author or a reviewer.
    #[serde(skip)]
    pub inside: bool,
}

/// What a revision holds, as stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RevisionContent {
    pub title: String,
    pub parts: BTreeMap<PartKey, PartView>,
    pub terms: Terms,
}

/// A published revision in the history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyRevisionView {
    /// From 1.
    pub number: i32,
    pub title: String,
    /// What the reviewer said of it.
    pub note: String,
    /// Handle of who published it.
    pub published_by: String,
    pub published_by_name: String,
    /// RFC 3339.
    pub published_at: String,
    #[serde(skip)]
    pub at: i64,
}

/// A revision with what it said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyRevisionFull {
    #[serde(flatten)]
    pub revision: StudyRevisionView,
    pub parts: BTreeMap<PartKey, PartView>,
    pub terms: Terms,
}

/// How a part differs between two revisions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartDiff {
    /// Null for the title and the terms.
    pub key: Option<PartKey>,
    pub heading: String,
    /// Rows with `ins` and `del`.
    pub diff_html: String,
}

/// One saved state of a part.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartRevisionView {
    pub version: i32,
    pub body: String,
    pub fields: BTreeMap<String, String>,
    pub measures: Vec<Measure>,
    pub editor: String,
    pub editor_name: String,
    pub note: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(skip)]
    pub at: i64,
}

/// What a member is writing in a part and has not saved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartDraftView {
    pub key: PartKey,
    pub body: String,
    pub fields: BTreeMap<String, String>,
    /// As typed: not checked.
    #[schema(value_type = Vec<Object>)]
    pub measures: Vec<serde_json::Value>,
    /// The version of the part that the writing began from.
    pub base_version: i32,
    /// The part has been saved by somebody since.
    pub behind: bool,
    /// RFC 3339.
    pub updated_at: String,
    #[serde(skip)]
    pub updated: i64,
}

/// A comment on a part. A deleted one that has replies has empty texts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommentView {
    pub id: Id,
    pub part: PartKey,
    /// The comment that opened the thread; null for that one.
    pub parent_id: Option<Id>,
    pub author: AuthorView,
    /// The passage that it is about; may be empty.
    pub quote: String,
    pub body: String,
    pub body_html: String,
    /// RFC 3339.
    pub created_at: String,
    pub edited_at: Option<String>,
    pub deleted: bool,
    /// Of the thread, at its first comment.
    pub resolved: bool,
    /// Handle of who resolved it.
    pub resolved_by: Option<String>,
    pub reply_count: i32,
    pub version: i32,
    #[serde(skip)]
    pub created: i64,
}

/// One line of a study's log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActView {
    pub id: Id,
    pub kind: StudyAct,
    pub actor: NameView,
    pub note: String,
    /// What the reviewer ticked.
    pub checklist: Vec<String>,
    /// The revision that it made.
    pub revision: Option<i32>,
    /// RFC 3339.
    pub at: String,
    #[serde(skip)]
    pub time: i64,
}

/// A term with the number of published studies under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TermCount {
    pub kind: TermKind,
    pub term: String,
    pub count: i64,
}
