//! What chat's forms hold between being sent and being accepted.

use actix_web::http::StatusCode;

use crate::web::error::{AppError, FieldError, Finding};
use crate::web::form::Form;
use crate::web::words::english;

/// A form on its page.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    values: Vec<(&'static str, String)>,
    pub faults: Vec<FieldError>,
    pub findings: Vec<Finding>,
}

impl Shown {
    /// What was typed, to the letter.
    #[must_use]
    pub fn typed(form: &Form, fields: &[&'static str]) -> Self {
        let values = fields.iter().map(|field| (*field, form.get(field).replace("\r\n", "\n"))).collect();
        Self { values, ..Self::default() }
    }

    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.values.retain(|(name, _)| *name != field);
        self.values.push((field, value.into()));
        self
    }

    /// Takes an error that the form can show and says its status; any other error goes on.
    pub fn refuse(&mut self, error: AppError) -> Result<StatusCode, AppError> {
        let status = error.status();
        match error {
            AppError::Invalid(faults) => self.faults = faults,
            AppError::Confirm(findings) => self.findings = findings,
            other => return Err(other),
        }
        Ok(status)
    }

    /// A fault in the catalogue's words.
    pub fn fault(&mut self, field: &'static str, key: &str, places: &[(&str, &str)]) {
        self.faults.push(FieldError { field: field.into(), message: english().with(key, places) });
    }

    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value.as_str())
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
}
