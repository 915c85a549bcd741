//! What is sent to share or change something: JSON, or a form with a file.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest as _, HttpRequest, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::features::library::actions::{Content, Fields};
use crate::features::library::files::{self, Form};
use crate::features::library::policy::split_list;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::idempotency::Once;
use crate::web::json::Json;

/// A resource, or what of it becomes new: what is absent stays, an empty text empties. What it is
/// made of is `url` or `body`, or a file in a form.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(super) struct ResourceBody {
    /// Address on the web, of a link.
    #[schema(max_length = 2000)]
    pub url: Option<String>,
    /// Markdown, of a note.
    #[schema(max_length = 60_000)]
    pub body: Option<String>,
    /// If absent: the name of the file, or the host of the address.
    #[schema(max_length = 200)]
    pub title: Option<String>,
    #[schema(max_length = 255)]
    pub summary: Option<String>,
    /// Markdown.
    #[schema(max_length = 60_000)]
    pub description: Option<String>,
    /// `guidance`, `report`, `case_study`, `dataset`, `code`, `template`, `video`, `slides`,
    /// `policy` or `other`, which it is if absent.
    pub kind: Option<String>,
    /// `understand`, `develop` or `adopt`.
    pub stage: Option<String>,
    #[schema(max_items = 8)]
    pub topics: Option<Vec<String>>,
    #[schema(max_items = 8)]
    pub tags: Option<Vec<String>>,
    #[schema(max_items = 30)]
    pub authors: Option<Vec<String>>,
    #[schema(max_length = 120)]
    pub organisation: Option<String>,
    #[schema(max_length = 120)]
    pub licence: Option<String>,
    #[schema(max_length = 500)]
    pub source: Option<String>,
    /// A day such as 2026-11-26.
    pub published_on: Option<String>,
    /// A day such as 2027-11-26.
    pub review_due: Option<String>,
    /// A topic of the same space.
    pub topic_id: Option<String>,
    /// What changed, for the history.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub note: String,
    /// Keeps passages that the check of texts has found.
    #[serde(default)]
    pub confirmed: bool,
}

/// The form of an upload: `file` with the fields of `ResourceBody`. Lists are repeated fields, or
/// one whose parts are parted by commas.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the form; `files::read` reads it")]
pub(super) struct ResourceForm {
    /// Documents to 100 MB, pictures and texts to 25 MB, recordings to 500 MB, archives and other
    /// data to 250 MB. No programs.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    title: Option<String>,
    summary: Option<String>,
    description: Option<String>,
    kind: Option<String>,
    stage: Option<String>,
    topics: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    authors: Option<Vec<String>>,
    organisation: Option<String>,
    licence: Option<String>,
    source: Option<String>,
    published_on: Option<String>,
    review_due: Option<String>,
    topic_id: Option<String>,
    note: Option<String>,
    confirmed: Option<String>,
}

impl ResourceBody {
    /// What describes the resource, and what it is made of if that is said.
    pub fn parts(self) -> Result<(Fields, Option<Content>)> {
        let content = match (self.url, self.body) {
            (Some(_), Some(_)) => {
                let fault =
                    |field: &'static str| FieldError { field: field.into(), message: "is one of url and body".into() };
                return Err(AppError::Invalid(vec![fault("url"), fault("body")]));
            }
            (Some(url), None) => Some(Content::Link(url)),
            (None, Some(body)) => Some(Content::Note(body)),
            (None, None) => None,
        };
        let fields = Fields {
            title: self.title,
            summary: self.summary,
            description: self.description,
            kind: self.kind,
            stage: self.stage,
            topics: self.topics,
            tags: self.tags,
            authors: self.authors,
            organisation: self.organisation,
            licence: self.licence,
            source: self.source,
            published_on: self.published_on,
            review_due: self.review_due,
            topic: self.topic_id,
            note: self.note,
            confirmed: self.confirmed,
        };
        Ok((fields, content))
    }
}

/// The same from the fields of a form.
pub(in crate::features::library) fn fields_of(form: &Form) -> Fields {
    let text = |name: &str| form.field(name).map(|text| text.replace("\r\n", "\n"));
    let list = |name: &str| {
        let values: Vec<String> = form.all(name).flat_map(split_list).collect();
        form.field(name).map(|_| values)
    };
    Fields {
        title: text("title"),
        summary: text("summary"),
        description: text("description"),
        kind: text("kind"),
        stage: text("stage"),
        topics: list("topics"),
        tags: list("tags"),
        authors: list("authors"),
        organisation: text("organisation"),
        licence: text("licence"),
        source: text("source"),
        published_on: text("published_on"),
        review_due: text("review_due"),
        topic: text("topic_id"),
        note: text("note").unwrap_or_default(),
        confirmed: form.field("confirmed").is_some_and(|value| !matches!(value, "" | "false" | "0")),
    }
}

/// What came with a request that shares something.
#[derive(Debug)]
pub(super) struct Sent {
    pub fields: Fields,
    pub content: Content,
    pub once: Option<Once>,
}

/// Reads a request that shares something: a form with a file, or JSON. `room`: bytes its sender
/// may still keep.
pub(super) async fn sent(req: &HttpRequest, payload: web::Payload, state: &AppState, room: i64) -> Result<Sent> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        let form = files::read(req, payload, state, room).await?;
        let Some(file) = form.file.clone() else { return Err(AppError::field("file", "is needed")) };
        let once = Once::of(req, &fingerprint(&form, &file.sha256));
        let once = match once {
            Ok(once) => once,
            Err(error) => {
                files::release(state, &file).await;
                return Err(error);
            }
        };
        return Ok(Sent { fields: fields_of(&form), content: Content::File(file), once });
    }
    let Json { value, once } = Json::<ResourceBody>::from_request(req, &mut payload.into_inner()).await?;
    let (fields, content) = value.parts()?;
    let content = content.ok_or_else(|| AppError::field("url", "is needed, or body, or a form with a file"))?;
    Ok(Sent { fields, content, once })
}

/// What makes two forms the same.
fn fingerprint(form: &Form, sha256: &str) -> Vec<u8> {
    let mut whole = sha256.as_bytes().to_vec();
    for part in form.fields.iter().flat_map(|(name, value)| [name, value]) {
        whole.push(0);
        whole.extend_from_slice(part.as_bytes());
    }
    if let Some(file) = &form.file {
        whole.push(0);
        whole.extend_from_slice(file.name.as_bytes());
    }
    whole
}
