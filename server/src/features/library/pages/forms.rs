//! What the library's forms hold between being sent and being accepted.

use crate::features::library::actions::Fields;
use crate::features::library::model::ResourceView;
use crate::web::error::{AppError, FieldError, Finding, Result};
use crate::web::frame::Frame;

/// A field and what is wrong with it, in words for a person.
#[derive(Clone, Debug)]
pub struct Fault {
    pub field: String,
    pub message: String,
}

/// Fields that have a place of their own in the forms.
const KNOWN: [&str; 17] = [
    "file",
    "url",
    "body",
    "title",
    "summary",
    "description",
    "kind",
    "stage",
    "topics",
    "tags",
    "authors",
    "organisation",
    "licence",
    "source",
    "published_on",
    "review_due",
    "note",
];

impl Fault {
    #[must_use]
    pub fn of(f: &Frame, error: &FieldError) -> Self {
        let field = error.field.as_ref();
        let known = KNOWN.contains(&field) || field == "introduction";
        let name = if known { f.of("library.field", field) } else { field.to_owned() };
        Self {
            field: if known { field.to_owned() } else { String::new() },
            message: format!("{name}: {}", error.message),
        }
    }
}

/// A form that describes a resource, as typed and as answered.
#[derive(Clone, Debug, Default)]
pub struct ResourceForm {
    /// `file`, `link` or `note`.
    pub form: String,
    pub url: String,
    pub body: String,
    pub title: String,
    pub summary: String,
    pub description: String,
    pub kind: String,
    pub stage: String,
    pub topics: String,
    pub tags: String,
    pub authors: String,
    pub organisation: String,
    pub licence: String,
    pub source: String,
    pub published_on: String,
    pub review_due: String,
    pub note: String,
    pub version: Option<i32>,
    pub faults: Vec<Fault>,
    pub findings: Vec<Finding>,
    /// Somebody else saved meanwhile.
    pub stale: bool,
}

impl ResourceForm {
    /// Every typed character, from a form's fields by name.
    #[must_use]
    pub fn typed<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name: &str| get(name).unwrap_or_default().replace("\r\n", "\n");
        Self {
            form: text("form"),
            url: text("url"),
            body: text("body"),
            title: text("title"),
            summary: text("summary"),
            description: text("description"),
            kind: text("kind"),
            stage: text("stage"),
            topics: text("topics"),
            tags: text("tags"),
            authors: text("authors"),
            organisation: text("organisation"),
            licence: text("licence"),
            source: text("source"),
            published_on: text("published_on"),
            review_due: text("review_due"),
            note: text("note"),
            version: get("version").and_then(|version| version.parse().ok()),
            ..Self::default()
        }
    }

    /// A resource as it is, to be changed.
    #[must_use]
    pub fn of(view: &ResourceView) -> Self {
        let row = &view.row;
        Self {
            form: row.form.as_str().to_owned(),
            title: row.title.clone(),
            summary: row.summary.clone(),
            description: view.description.clone(),
            kind: row.kind.as_str().to_owned(),
            stage: row.stage.map(|stage| stage.as_str().to_owned()).unwrap_or_default(),
            topics: row.topics.join(", "),
            tags: row.tags.join(" "),
            authors: row.authors.join("\n"),
            organisation: row.organisation.clone(),
            licence: view.licence.clone(),
            source: view.source.clone(),
            published_on: row.published_on.clone().unwrap_or_default(),
            review_due: row.review_due.clone().unwrap_or_default(),
            version: Some(view.version),
            ..Self::default()
        }
    }

    /// What is to be saved.
    #[must_use]
    pub fn fields(&self, confirmed: bool) -> Fields {
        let parts = |text: &str, at: &[char]| -> Vec<String> {
            text.split(at).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        Fields {
            title: Some(self.title.clone()),
            summary: Some(self.summary.clone()),
            description: Some(self.description.clone()),
            kind: Some(self.kind.clone()),
            stage: Some(self.stage.clone()),
            topics: Some(parts(&self.topics, &[',', ';', '\n'])),
            tags: Some(parts(&self.tags, &[' ', ',', '\t', '\n'])),
            authors: Some(parts(&self.authors, &['\n', ';'])),
            organisation: Some(self.organisation.clone()),
            licence: Some(self.licence.clone()),
            source: Some(self.source.clone()),
            published_on: Some(self.published_on.clone()),
            review_due: Some(self.review_due.clone()),
            topic: None,
            note: self.note.clone(),
            confirmed,
        }
    }

    #[must_use]
    pub fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }
}

/// Faults and findings to show with the form again; other errors pass on.
pub fn refused(f: &Frame, error: AppError) -> Result<(Vec<Fault>, Vec<Finding>)> {
    match error {
        AppError::Invalid(errors) => Ok((errors.iter().map(|error| Fault::of(f, error)).collect(), Vec::new())),
        AppError::Confirm(findings) => Ok((Vec::new(), findings)),
        AppError::TooLarge(message) | AppError::UnsupportedType(message) => {
            Ok((vec![Fault { field: "file".into(), message: message.into_owned() }], Vec::new()))
        }
        other => Err(other),
    }
}
