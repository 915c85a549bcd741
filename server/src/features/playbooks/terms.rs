//! What case studies are filed under: words of eight kinds, each shown as it was first written
//! and compared without case.

use std::collections::BTreeMap;

use crate::entities::kinds::TermKind;
use crate::text::clean;
use crate::web::error::{AppError, FieldError, Result};

/// Terms of one kind that a study may have.
pub const MOST: usize = 12;
const LENGTH: usize = 80;

/// Terms by kind, as shown.
pub type Terms = BTreeMap<TermKind, Vec<String>>;

/// How a term is compared.
#[must_use]
pub fn fold(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Checks terms: each once, in the order given. Kinds that were given empty are there and empty,
/// so that a change can take all terms of a kind away.
pub fn parse(given: &BTreeMap<String, Vec<String>>) -> Result<Terms> {
    let (mut terms, mut faults) = (Terms::new(), Vec::new());
    let mut blame = |kind: &str, message: String| {
        let kind: String = kind.chars().take(40).collect();
        faults.push(FieldError { field: format!("terms.{kind}").into(), message });
    };
    for (word, labels) in given.iter().take(TermKind::ALL.len() * 4) {
        let Some(kind) = TermKind::parse(word) else {
            let known: Vec<&str> = TermKind::ALL.iter().map(|kind| kind.as_str()).collect();
            blame(word, format!("is none of {}", known.join(", ")));
            continue;
        };
        let of = terms.entry(kind).or_default();
        for label in labels.iter().take(MOST * 4) {
            match clean(label, LENGTH, true) {
                Ok(label) if label.is_empty() || of.iter().any(|known| fold(known) == fold(&label)) => {}
                Ok(label) => of.push(label),
                Err(fault) => blame(word, fault.to_string()),
            }
        }
        if of.len() > MOST || labels.len() > MOST * 4 {
            blame(word, format!("has {MOST} terms at most"));
        }
    }
    if faults.is_empty() { Ok(terms) } else { Err(AppError::Invalid(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: &str, labels: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(kind.to_owned(), labels.iter().map(|label| (*label).to_owned()).collect())])
    }

    #[test]
    fn terms_are_told_apart_without_case() {
        let terms = parse(&given("technology", &["U-Net", " u-net ", "", "ONNX"])).unwrap();
        assert_eq!(terms[&TermKind::Technology], ["U-Net", "ONNX"]);
    }

    #[test]
    fn unknown_kinds_and_too_many_are_refused() {
        assert!(parse(&given("colour", &["red"])).is_err());
        let many: Vec<String> = (0..13).map(|n| format!("t{n}")).collect();
        assert!(parse(&given("stage", &many.iter().map(String::as_str).collect::<Vec<_>>())).is_err());
        assert!(parse(&given("stage", &["x".repeat(81).as_str()])).is_err());
    }
}
