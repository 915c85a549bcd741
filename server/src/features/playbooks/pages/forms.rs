//! What the forms of playbooks hold between being sent and being accepted.

use actix_web::http::StatusCode;

use crate::web::error::{AppError, FieldError, Finding};
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
    /// Stands before the ids of its fields where a page has several forms.
    prefix: &'static str,
}

impl Sheet {
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
            None => f.of("playbooks.label", field),
        }
    }

    #[must_use]
    pub fn hint(&self, f: &Frame, field: &str) -> String {
        f.of("playbooks.hint", field)
    }
}

/// Words that were typed with commas or line breaks between them.
#[must_use]
pub fn listed(text: &str) -> Vec<String> {
    text.split([',', '\n', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Lines with something in them.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
