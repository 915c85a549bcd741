//! Case studies: in a list, part by part, and whole with what stands around them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NameView, PlaybookRef, ScenarioRef};
use crate::entities::kinds::{AdoptionStatus, Discipline, PartKey, StudySource, StudyState};
use crate::features::forum::model::AuthorView;
use crate::features::playbooks::measures::Measure;
use crate::features::playbooks::parts::Completeness;
use crate::features::playbooks::terms::Terms;
use crate::store::Id;
use crate::streams::Stream;

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
    /// Is an owner of its playbook.
    #[serde(skip)]
    pub owns: bool,
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
    /// The account of its owner is not in use.
    pub owner_gone: bool,
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
    /// The viewer could judge it, whether it waits for that or not.
    #[serde(skip)]
    pub reviews: bool,
    /// Its playbook is not for everybody.
    #[serde(skip)]
    pub restricted: bool,
    /// The viewer reads as an author or a reviewer.
    #[serde(skip)]
    pub inside: bool,
    /// The stream of its playbook, which tells readers what is new, and its head.
    #[serde(skip)]
    pub reading: Option<(String, i64)>,
    /// Heads of what it was made from, read before it.
    #[serde(skip)]
    pub heads: Vec<(Stream, i64)>,
}
