//! What readers of the library get: views made of rows, the same for pages, API and events.

use serde::Serialize;
use utoipa::ToSchema;

use crate::entities::kinds::{ReportReason, ReportState, ResourceForm, ResourceKind, ScanState, Stage, TextState};
use crate::features::forum::model::{AuthorView, EndorsementView};
use crate::store::Id;

/// The file of a version.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    pub name: String,
    /// By its content, whatever its name says.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// What the virus scanner says; content is served when it is `off` or `clean`. `unscannable`: it
    /// does not take the file, which stays held.
    pub scan: ScanState,
    /// How far its text was taken out.
    pub text: TextState,
    /// Why its text is missing or not whole: `encrypted`, `damaged`, `slow`, `large`, `memory` or `empty`.
    pub text_reason: Option<String>,
    /// Pages, slides or sheets whose text is known.
    pub pages: i32,
    /// What the scanner found, or why it does not take it.
    #[serde(skip)]
    pub finding: String,
}

impl FileView {
    /// Whether its bytes may be given out.
    #[must_use]
    pub const fn is_served(&self) -> bool {
        matches!(self.scan, ScanState::Off | ScanState::Clean)
    }

    /// Whether a page shows it in place.
    #[must_use]
    pub fn is_image(&self) -> bool {
        super::files::is_inline(&self.media_type)
    }
}

/// One state of what a resource is made of: `file`, `url` or `body` by its form.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// From 1.
    pub number: i32,
    /// What changed, in its author's words.
    pub note: String,
    pub author: AuthorView,
    /// RFC 3339.
    pub created_at: String,
    pub file: Option<FileView>,
    pub url: Option<String>,
    /// Markdown.
    pub body: Option<String>,
    pub body_html: Option<String>,
    /// The version it was made from again.
    pub restored_from: Option<i32>,
    /// Path of what it is made of.
    pub content_url: String,
    #[serde(skip)]
    pub created: i64,
}

/// A resource in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResourceRow {
    pub id: Id,
    /// Slug of its space.
    pub space: String,
    pub space_name: String,
    pub form: ResourceForm,
    pub kind: ResourceKind,
    pub stage: Option<Stage>,
    pub title: String,
    pub summary: String,
    pub topics: Vec<String>,
    pub tags: Vec<String>,
    /// Who wrote it, as it says itself.
    pub authors: Vec<String>,
    pub organisation: String,
    /// Who shared it, and answers for it here.
    pub author: AuthorView,
    /// Name, media type and bytes of its file.
    pub file_name: Option<String>,
    pub media_type: Option<String>,
    pub size: Option<i64>,
    /// Where a link leads.
    pub url: Option<String>,
    /// Year, month and day.
    pub published_on: Option<String>,
    pub review_due: Option<String>,
    /// Its review is due.
    pub stale: bool,
    pub version_count: i32,
    pub download_count: i64,
    pub endorsement_count: i32,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub updated: i64,
    #[serde(skip)]
    pub due: Option<i64>,
    #[serde(skip)]
    pub space_id: i64,
    #[serde(skip)]
    pub deleted: bool,
    #[serde(skip)]
    pub hidden: bool,
    #[serde(skip)]
    pub purged: bool,
}

impl ResourceRow {
    /// Whether readers see it.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        !self.deleted && !self.hidden && !self.purged
    }

    /// The name of its icon.
    #[must_use]
    pub const fn icon(&self) -> &'static str {
        match self.form {
            ResourceForm::File => "file",
            ResourceForm::Link => "link",
            ResourceForm::Note => "note",
        }
    }

    /// Its size for people.
    #[must_use]
    pub fn size_text(&self) -> String {
        self.size.map(size_text).unwrap_or_default()
    }

    /// The site a link leads to.
    #[must_use]
    pub fn host(&self) -> String {
        self.url.as_deref().map(host_of).unwrap_or_default()
    }
}

/// Bytes for people: `3.4 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a size for people to read")]
pub fn size_text(bytes: i64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// The host of an address.
#[must_use]
pub fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// A topic that belongs to a resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TopicLink {
    pub id: Id,
    pub title: String,
    /// Slug of its space.
    pub space: String,
    pub post_count: i32,
}

/// A collection that a resource is in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionLink {
    pub id: Id,
    pub title: String,
}

/// A resource with all its fields.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResourceView {
    #[serde(flatten)]
    pub row: ResourceRow,
    /// Markdown.
    pub description: String,
    pub description_html: String,
    pub licence: String,
    pub source: String,
    /// The newest version; null if it was purged.
    pub current: Option<VersionView>,
    /// Where it is talked about, if the viewer may read that.
    pub topic: Option<TopicLink>,
    pub endorsements: Vec<EndorsementView>,
    pub collections: Vec<CollectionLink>,
    /// Path of its page.
    pub page_url: String,
    /// Path of what it is made of.
    pub content_url: String,
    /// Stream of its space, which tells of changes.
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    /// Version of its editable fields, for `If-Match`.
    pub version: i32,
}

/// The text of one page, slide or sheet of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PageText {
    /// From 1.
    pub number: i32,
    /// Name of the sheet or title of the slide; may be empty.
    pub label: String,
    /// A table: rows parted by line feeds, cells by tabs.
    pub table: bool,
    pub text: String,
}

/// A collection with its resources.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionView {
    pub id: Id,
    /// Slug of its space.
    pub space: String,
    pub space_name: String,
    pub title: String,
    /// Markdown.
    pub introduction: String,
    pub introduction_html: String,
    pub author: AuthorView,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
    /// How many resources of it can be read.
    pub resource_count: i64,
    /// In their order; not in lists of collections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<ResourceRow>>,
    /// Version of its editable fields, for `If-Match`.
    pub version: i32,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub space_id: i64,
    #[serde(skip)]
    pub author_id: i64,
}

/// A report of a resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResourceReportView {
    pub id: Id,
    pub resource_id: Id,
    /// Empty if it was purged.
    pub title: String,
    /// Slug of the space.
    pub space: String,
    pub space_name: String,
    /// Path of the resource's page.
    pub url: String,
    pub author: AuthorView,
    /// Who reported it: handle and name.
    pub reporter: String,
    pub reporter_name: String,
    pub reason: ReportReason,
    pub note: String,
    pub state: ReportState,
    pub hidden: bool,
    pub deleted: bool,
    /// RFC 3339.
    pub created_at: String,
    /// Handle of who settled it.
    pub handled_by: Option<String>,
    /// What was said when it was settled.
    pub outcome: Option<String>,
    #[serde(skip)]
    pub created: i64,
}

/// A topic or tag with how many resources the viewer may see under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermCount {
    pub term: String,
    pub count: i64,
}
