//! What the forum's forms hold between being sent and being accepted.

use crate::web::error::{AppError, FieldError, Finding, Result};
use crate::web::form::Form;
use crate::web::frame::Frame;

/// A field and what is wrong with it, in words for a person.
#[derive(Clone, Debug)]
pub struct Fault {
    pub field: String,
    pub message: String,
}

impl Fault {
    fn of(f: &Frame, error: &FieldError) -> Self {
        let field = error.field.as_ref();
        let known = matches!(field, "title" | "body" | "tags" | "kind");
        let message = match (field, error.message.as_str()) {
            ("title", "is needed") => f.t("forum.fault.title_empty").to_owned(),
            ("body", "is needed") => f.t("forum.fault.body_empty").to_owned(),
            (_, message) => {
                f.with1(&format!("forum.fault.{}", if known { field } else { "other" }), "message", message)
            }
        };
        Self { field: if known { field.to_owned() } else { String::new() }, message }
    }
}

/// A form with a text, as typed and as answered.
#[derive(Clone, Debug, Default)]
pub struct TextForm {
    pub action: String,
    pub back: String,
    pub draft: String,
    pub version: Option<i32>,
    pub kind: String,
    pub title: String,
    pub body: String,
    pub tags: String,
    pub preview: String,
    pub faults: Vec<Fault>,
    pub findings: Vec<Finding>,
    /// Title and text that somebody else saved meanwhile.
    pub other: Option<(String, String)>,
}

impl TextForm {
    /// Every typed character.
    #[must_use]
    pub fn typed(form: &Form) -> Self {
        Self {
            version: form.some("version").and_then(|version| version.parse().ok()),
            kind: form.get("kind").to_owned(),
            title: form.get("title").to_owned(),
            body: form.get("body").replace("\r\n", "\n"),
            tags: form.get("tags").to_owned(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }

    /// Whether this kind is chosen.
    #[must_use]
    pub fn kind_is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Tags as typed: separated by blanks or commas.
    #[must_use]
    pub fn tag_list(&self) -> Vec<String> {
        self.tags.split([' ', ',', '\t', '\n']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }
}

/// Faults and findings to show with the form again; other errors pass on.
pub fn refused(f: &Frame, error: AppError) -> Result<(Vec<Fault>, Vec<Finding>)> {
    match error {
        AppError::Invalid(errors) => Ok((errors.iter().map(|error| Fault::of(f, error)).collect(), Vec::new())),
        AppError::Confirm(findings) => Ok((Vec::new(), findings)),
        other => Err(other),
    }
}
