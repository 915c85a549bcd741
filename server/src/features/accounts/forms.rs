//! What account pages show of a form: the values typed, and what is wrong with them.

use crate::web::error::FieldError;
use crate::web::form::Form;
use crate::web::words::english;

/// A form on its page.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    values: Vec<(&'static str, String)>,
    pub faults: Vec<FieldError>,
}

impl Shown {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A form with what was typed; passwords are never written into a page.
    #[must_use]
    pub fn typed(form: &Form, fields: &[&'static str], faults: Vec<FieldError>) -> Self {
        Self { values: fields.iter().map(|field| (*field, form.get(field).to_owned())).collect(), faults }
    }

    #[must_use]
    pub fn with(mut self, field: &'static str, value: &str) -> Self {
        self.values.push((field, value.to_owned()));
        self
    }

    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value.as_str())
    }

    /// What is wrong with a field; empty if nothing is.
    #[must_use]
    pub fn fault(&self, field: &str) -> &str {
        self.faults.iter().find(|fault| fault.field == field).map_or("", |fault| fault.message.as_str())
    }

    #[must_use]
    pub fn is_wrong(&self, field: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == field)
    }

    #[must_use]
    pub fn ticked(&self, field: &str) -> bool {
        !self.value(field).is_empty()
    }
}

/// A fault of a page's form, in the catalogue's words.
#[must_use]
pub fn fault(field: &'static str, key: &'static str) -> FieldError {
    FieldError { field: field.into(), message: english().t(key).to_owned() }
}
