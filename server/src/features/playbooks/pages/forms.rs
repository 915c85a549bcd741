//! What the forms of playbooks hold between being sent and being accepted.

use actix_web::http::StatusCode;

use crate::web::error::{AppError, FieldError, Finding};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::Frame;

/// A form on its page.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    values: Vec<(String, String)>,
    pub faults: Vec<FieldError>,
    pub findings: Vec<Finding>,
    /// A folded form is shown open.
    pub open: bool,
    /// Somebody saved another version since the form was opened: the words that say so.
    pub overtaken: &'static str,
    /// Stands before the ids of its fields where a page has several forms.
    prefix: &'static str,
    /// Its note is for the reviewers, from its authors.
    for_reviewers: bool,
}

impl Sheet {
    /// Whose note is for the reviewers: words of its own.
    #[must_use]
    pub fn for_reviewers(mut self) -> Self {
        self.for_reviewers = true;
        self
    }

    /// On a page with other forms.
    #[must_use]
    pub fn prefixed(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// The id of a field on its page.
    #[must_use]
    pub fn id(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    /// What was typed, to the letter.
    #[must_use]
    pub fn typed(form: &Form, fields: &[&str]) -> Self {
        let values = fields.iter().map(|field| ((*field).to_owned(), form.get(field).replace("\r\n", "\n"))).collect();
        Self { values, ..Self::default() }
    }

    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<String>) -> Self {
        self.values.retain(|(name, _)| name != field);
        self.values.push((field.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.values.retain(|(name, _)| name != field);
        self
    }

    /// Somebody else was quicker: what was typed stays, and `words` say what saving again does.
    #[must_use]
    pub fn stale(mut self, words: &'static str) -> Self {
        (self.overtaken, self.open) = (words, true);
        self
    }

    /// Takes an error that the form can show and says its status; any other error goes on.
    pub fn refuse(&mut self, error: AppError) -> Result<StatusCode, AppError> {
        let status = error.status();
        match error {
            AppError::Invalid(faults) => self.faults = faults,
            AppError::Confirm(findings) => self.findings = findings,
            // What does not fit what is there now is told above the form, which keeps its texts.
            AppError::Conflict(detail) => {
                self.faults = vec![FieldError { field: "".into(), message: detail.into_owned() }];
            }
            other => return Err(other),
        }
        self.open = true;
        Ok(status)
    }

    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn ticked(&self, field: &str) -> bool {
        !self.value(field).is_empty()
    }

    /// Whether the form has this field.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.values.iter().any(|(name, _)| name == field)
    }

    /// What is wrong with a field; empty if nothing is.
    #[must_use]
    pub fn said(&self, field: &str) -> &str {
        self.faults.iter().find(|fault| fault.field == field).map_or("", |fault| fault.message.as_str())
    }

    #[must_use]
    pub fn is_wrong(&self, field: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == field)
    }

    #[must_use]
    pub fn label(&self, f: &Frame, field: &str) -> String {
        match field.strip_prefix("terms.") {
            Some(kind) => f.of("playbooks.term_kind", kind),
            None if self.for_reviewers && field == "note" => f.of("playbooks.submit.label", field),
            None => f.of("playbooks.label", field),
        }
    }

    /// What stands behind the name of a field that may stay empty.
    #[must_use]
    pub fn optional<'a>(&self, f: &'a Frame, field: &str) -> &'a str {
        // Who uses something need not say more; who has stopped says why.
        f.t(if field == "why" && self.has("status") { "playbooks.adopt.why_needed" } else { "forum.form.optional" })
    }

    #[must_use]
    pub fn hint(&self, f: &Frame, field: &str) -> String {
        if self.for_reviewers && field == "note" {
            return f.of("playbooks.submit.hint", field);
        }
        f.of("playbooks.hint", field)
    }
}

/// The version that a form was opened with. One that says none was opened with no version that is there.
#[must_use]
pub fn version_of(form: &Form) -> IfMatch {
    IfMatch::version(Some(form.some("version").and_then(|version| version.parse().ok()).unwrap_or(0)))
}

/// A handle that was typed and is nobody's: a fault of its field, where an address would be a page
/// that is not there.
pub fn nobody(error: AppError) -> AppError {
    match error {
        AppError::NotFound => AppError::field("handle", "is the handle of no member here"),
        other => other,
    }
}

/// Lines with something in them.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
