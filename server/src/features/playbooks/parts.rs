//! The parts of a case study: which there are, what each holds, and what publication asks for.
//!
//! Invariant: keys are stable. A part is a text; some have named fields beside it, `outcomes` has
//! measures. What a part asks for stands in the catalogue: `playbooks.part_title.KEY`,
//! `playbooks.part_help.KEY`, `playbooks.field_title.NAME`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::measures::Measure;
use crate::entities::kinds::PartKey;
use crate::web::checks::{BODY, SUMMARY, TITLE};
use crate::web::words::english;

/// What a part's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One line of plain text.
    Line,
    /// Markdown.
    Text,
    /// The handle of a member.
    Member,
    /// A day: `2027-01-31`.
    Day,
}

/// What a named field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldShape {
    Line,
    Text,
    /// A whole number from 1 to 9.
    Level,
}

/// A named field of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub shape: FieldShape,
}

const fn line(name: &'static str) -> Field {
    Field { name, shape: FieldShape::Line }
}

const fn text(name: &'static str) -> Field {
    Field { name, shape: FieldShape::Text }
}

const COSTS: [Field; 3] = [text("bought"), text("hidden"), text("running")];
const USE: [Field; 1] = [Field { name: "readiness_level", shape: FieldShape::Level }];
const SUPPLIER: [Field; 2] = [line("paid_by"), text("interest")];
/// By discipline, whose words these are.
const TEAM: [Field; 10] = [
    line("clinician"),
    line("nurse"),
    line("data_scientist"),
    line("engineer"),
    line("researcher"),
    line("manager"),
    line("information_governance"),
    line("patient_partner"),
    line("industry"),
    line("other"),
];

/// Parts that a study needs to be published.
pub const REQUIRED: [PartKey; 5] =
    [PartKey::Summary, PartKey::Challenge, PartKey::WhatWeDid, PartKey::Outcomes, PartKey::LessonsLearned];

#[must_use]
pub fn is_required(key: PartKey) -> bool {
    REQUIRED.contains(&key)
}

#[must_use]
pub const fn shape(key: PartKey) -> Shape {
    match key {
        PartKey::Summary | PartKey::Licence => Shape::Line,
        PartKey::Owner => Shape::Member,
        PartKey::ReviewDue => Shape::Day,
        _ => Shape::Text,
    }
}

/// Characters that a part's text may have.
#[must_use]
pub const fn most(key: PartKey) -> usize {
    match key {
        PartKey::Summary => SUMMARY,
        PartKey::Licence => TITLE,
        PartKey::Owner | PartKey::ReviewDue => 40,
        _ => BODY,
    }
}

/// The named fields of a part, in their order.
#[must_use]
pub const fn fields(key: PartKey) -> &'static [Field] {
    match key {
        PartKey::Costs => &COSTS,
        PartKey::IntendedUse => &USE,
        PartKey::Supplier => &SUPPLIER,
        PartKey::Team => &TEAM,
        _ => &[],
    }
}

/// The heading of a part.
#[must_use]
pub fn title(key: PartKey) -> String {
    english().of("playbooks.part_title", key.as_str())
}

/// The name of a field.
#[must_use]
pub fn field_title(name: &str) -> String {
    english().of("playbooks.field_title", name)
}

/// What a part holds, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartContent {
    #[serde(default)]
    pub body: String,
    /// By name; empty ones are left out.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Of `outcomes`.
    #[serde(default)]
    pub measures: Vec<Measure>,
}

impl PartContent {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty() && self.fields.is_empty() && self.measures.is_empty()
    }
}

/// A part as it is described to those who write one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartGuide {
    pub key: PartKey,
    pub title: String,
    /// One sentence: what to write here.
    pub guidance: String,
    pub required: bool,
    pub shape: Shape,
    /// Characters at most.
    pub max_length: usize,
    pub fields: Vec<FieldGuide>,
    /// Whether it holds measures beside its text.
    pub measures: bool,
}

/// A field as it is described to those who write one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldGuide {
    pub name: &'static str,
    pub title: String,
    pub shape: FieldShape,
}

/// A part with its words.
#[must_use]
pub fn guide(key: PartKey) -> PartGuide {
    PartGuide {
        key,
        title: title(key),
        guidance: english().of("playbooks.part_help", key.as_str()),
        required: is_required(key),
        shape: shape(key),
        max_length: most(key),
        fields: fields(key)
            .iter()
            .map(|field| FieldGuide { name: field.name, title: field_title(field.name), shape: field.shape })
            .collect(),
        measures: key == PartKey::Outcomes,
    }
}

/// All parts with their words, in the order of a study's page.
#[must_use]
pub fn guides() -> Vec<PartGuide> {
    PartKey::ALL.iter().map(|key| guide(*key)).collect()
}

/// How much of a study is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Completeness {
    /// Parts that have something in them.
    pub written: usize,
    /// Parts that there are.
    pub parts: usize,
    /// Parts that publication needs and that are empty.
    pub missing: Vec<PartKey>,
    /// The other empty parts.
    pub empty: Vec<PartKey>,
    /// Nothing is missing for publication.
    pub ready: bool,
}

/// Completeness from the parts that have something in them.
#[must_use]
pub fn completeness(has: impl Fn(PartKey) -> bool) -> Completeness {
    let (written, blank): (Vec<PartKey>, Vec<PartKey>) = PartKey::ALL.iter().partition(|key| has(**key));
    let (missing, empty): (Vec<PartKey>, Vec<PartKey>) = blank.into_iter().partition(|key| is_required(*key));
    Completeness { written: written.len(), parts: PartKey::ALL.len(), ready: missing.is_empty(), missing, empty }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::kinds::Discipline;

    #[test]
    fn a_team_has_a_field_for_every_discipline() {
        let names: Vec<&str> = TEAM.iter().map(|field| field.name).collect();
        let disciplines: Vec<&str> = Discipline::ALL.iter().map(|discipline| discipline.as_str()).collect();
        assert_eq!(names, disciplines);
    }

    #[test]
    fn an_empty_study_lacks_what_is_required_and_no_more() {
        let nothing = completeness(|_| false);
        assert_eq!((nothing.written, nothing.ready), (0, false));
        assert_eq!(nothing.missing, REQUIRED);
        let enough = completeness(is_required);
        assert!(enough.ready && enough.missing.is_empty());
        assert_eq!(enough.empty.len(), PartKey::ALL.len() - REQUIRED.len());
    }
}
