//! What a study said before and what is said about it: revisions, saved states, drafts, comments
//! and the log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NameView, PartView};
use crate::entities::kinds::{PartKey, StudyAct, TermKind};
use crate::features::forum::model::AuthorView;
use crate::features::playbooks::measures::Measure;
use crate::features::playbooks::terms::Terms;
use crate::store::Id;

/// What a revision holds, as stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RevisionContent {
    pub title: String,
    pub parts: BTreeMap<PartKey, PartView>,
    pub terms: Terms,
    /// Who wrote it and who is thanked, a line each, to be compared; kept in rows of their own.
    #[serde(skip)]
    pub people: String,
}

/// A published revision in the history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyRevisionView {
    /// From 1.
    pub number: i32,
    pub title: String,
    /// Who wrote it by then; empty if that is not known.
    pub authors: Vec<NameView>,
    /// Who was thanked.
    pub credited: Vec<NameView>,
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
    #[serde(skip)]
    pub resolved_by_name: Option<String>,
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
