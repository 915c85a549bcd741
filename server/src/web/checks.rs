//! The one gate for texts: every action that saves a text takes it as `Checked`.
//!
//! Here texts are normalised and measured, and here guards look at them: a guard returns
//! findings, the write is answered with `confirm`, and the same write with `confirmed: true`
//! goes through.

use std::collections::HashMap;

use super::error::{AppError, FieldError, Finding, Result};
use crate::text;

/// Limits of the contract, in characters.
pub const TITLE: usize = 200;
pub const SUMMARY: usize = 255;
pub const MESSAGE: usize = 8_000;
pub const BODY: usize = 60_000;

/// One text of an input.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    field: &'static str,
    text: &'a str,
    most: usize,
    line: bool,
    required: bool,
}

impl<'a> Text<'a> {
    /// A text of one line.
    #[must_use]
    pub const fn line(field: &'static str, text: &'a str, most: usize) -> Self {
        Self { field, text, most, line: true, required: false }
    }

    /// A text of many lines.
    #[must_use]
    pub const fn body(field: &'static str, text: &'a str, most: usize) -> Self {
        Self { field, text, most, line: false, required: false }
    }

    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// Texts that passed, by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    texts: HashMap<&'static str, String>,
}

impl Checked {
    /// A text by its field; empty if it was not among those checked.
    #[must_use]
    pub fn get(&self, field: &str) -> &str {
        self.texts.get(field).map_or("", String::as_str)
    }
}

/// Looks at a text before it is saved.
type Guard = fn(&Text<'_>) -> Vec<Finding>;

/// Guards in force. The guard against patient data registers here.
const GUARDS: &[Guard] = &[];

/// Checks the texts of one write together, so that an author hears of every fault at once.
pub fn check(texts: &[Text<'_>], confirmed: bool) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut faults = Vec::new();
    for of in texts {
        match text::clean(of.text, of.most, of.line) {
            Ok(clean) if of.required && clean.is_empty() => {
                faults.push(FieldError { field: of.field.into(), message: "is needed".into() });
            }
            Ok(clean) => {
                checked.texts.insert(of.field, clean);
            }
            Err(fault) => faults.push(FieldError { field: of.field.into(), message: fault.to_string() }),
        }
    }
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    if !confirmed {
        let findings: Vec<Finding> =
            texts.iter().flat_map(|of| GUARDS.iter().flat_map(move |guard| guard(of))).collect();
        if !findings.is_empty() {
            return Err(AppError::Confirm(findings));
        }
    }
    Ok(checked)
}
