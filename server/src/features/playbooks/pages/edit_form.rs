//! A part of a case study in its form: as it is saved, as somebody typed it, and what is wrong
//! with it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::Value;

use super::talk::Talk;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::actions::{PartInput, PartSave};
use crate::features::playbooks::measures::{Measure, MeasureInput};
use crate::features::playbooks::model::{PartDraftView, PartView};
use crate::features::playbooks::parts::{self, FieldShape, Shape};
use crate::web::error::{AppError, Finding, Result};
use crate::web::form::Form;
use crate::web::frame::Frame;

/// A named field in its form.
pub struct EditField {
    pub name: &'static str,
    pub title: String,
    pub hint: String,
    pub shape: &'static str,
    pub value: String,
}

/// A measure in its form, as typed.
#[derive(Clone, Debug, Default)]
pub struct EditMeasure {
    /// Its place, or nothing for the one that scripts copy.
    pub at: String,
    pub name: String,
    pub before: String,
    pub after: String,
    pub unit: String,
    pub n: String,
    pub period: String,
    pub method: String,
    pub source: String,
    /// What is wrong with it: names of its fields, each with the id of what is said of it.
    pub wrong: Vec<(String, String)>,
}

/// Names of a measure's fields in a form, `m.` before each.
const MEASURE: [&str; 8] = ["name", "before", "after", "unit", "n", "period", "method", "source"];

impl EditMeasure {
    fn fields(&self) -> [&String; 8] {
        [&self.name, &self.before, &self.after, &self.unit, &self.n, &self.period, &self.method, &self.source]
    }

    /// The id of what is said of a field that is wrong.
    pub fn wrong(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|(name, _)| name == field).map(|(_, error)| error.as_str())
    }

    pub fn of(measure: &Measure) -> Self {
        let number = |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
        Self {
            at: String::new(),
            name: measure.name.clone(),
            before: number(measure.before),
            after: number(measure.after),
            unit: measure.unit.clone(),
            n: measure.n.map(|n| n.to_string()).unwrap_or_default(),
            period: measure.period.clone(),
            method: measure.method.clone(),
            source: measure.source.clone(),
            wrong: Vec::new(),
        }
    }

    fn of_draft(value: &Value) -> Self {
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self {
            at: String::new(),
            name: text("name"),
            before: text("before"),
            after: text("after"),
            unit: text("unit"),
            n: text("n"),
            period: text("period"),
            method: text("method"),
            source: text("source"),
            wrong: Vec::new(),
        }
    }

    fn input(&self) -> MeasureInput {
        let number = |text: &str| if text.trim().is_empty() { Value::Null } else { Value::String(text.to_owned()) };
        MeasureInput {
            name: self.name.clone(),
            unit: self.unit.clone(),
            before: number(&self.before),
            after: number(&self.after),
            period: Some(self.period.clone()),
            n: number(&self.n),
            method: Some(self.method.clone()),
            source: Some(self.source.clone()),
        }
    }

    fn is_empty(&self) -> bool {
        self.fields().iter().all(|field| field.trim().is_empty())
    }
}

/// What somebody else saved meanwhile.
pub struct Other {
    pub by: String,
    pub diff: String,
    pub body: String,
}

/// A part in its form.
pub struct EditPart {
    pub address: String,
    pub key: &'static str,
    pub title: String,
    pub guide: String,
    pub required: bool,
    pub written: bool,
    pub shape: &'static str,
    pub rows: usize,
    pub most: usize,
    pub body: String,
    /// What stands there, as its writer has seen it: what saving asks for.
    pub version: i32,
    /// The version that the text was begun on, which a draft keeps.
    pub base: i32,
    pub fields: Vec<EditField>,
    pub measured: bool,
    pub measures: Vec<EditMeasure>,
    /// What is shown was typed and never saved.
    pub draft: bool,
    /// When that was kept, in milliseconds.
    pub drafted: i64,
    pub faults: Vec<String>,
    /// The id of what is said of the text itself, if it is wrong.
    pub body_error: String,
    pub findings: Vec<Finding>,
    pub other: Option<Other>,
    pub saved_by: String,
    /// It was saved just now, without scripts.
    pub saved: bool,
    pub talk: Option<Talk>,
}

/// What is in the form of a part.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub body: String,
    pub fields: BTreeMap<String, String>,
    pub measures: Vec<EditMeasure>,
    pub version: i32,
    pub base: i32,
}

impl Typed {
    pub fn saved(part: &PartView) -> Self {
        Self {
            body: part.body.clone(),
            fields: part.fields.clone(),
            measures: part.measures.iter().map(EditMeasure::of).collect(),
            version: part.version,
            base: part.version,
        }
    }

    pub fn draft(draft: &PartDraftView) -> Self {
        Self {
            body: draft.body.clone(),
            fields: draft.fields.clone(),
            measures: draft.measures.iter().map(EditMeasure::of_draft).collect(),
            version: draft.base_version,
            base: draft.base_version,
        }
    }

    pub fn of(key: PartKey, form: &Form) -> Self {
        let field = |name: &'static str| (name.to_owned(), form.get(&format!("field.{name}")).replace("\r\n", "\n"));
        let names = MEASURE.map(|name| format!("m.{name}"));
        let columns: Vec<Vec<&str>> = names.iter().map(|name| form.all(name).collect()).collect();
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        let at = |column: usize, row: usize| {
            columns.get(column).and_then(|of| of.get(row)).map(|text| (*text).to_owned()).unwrap_or_default()
        };
        let measure = |row: usize| EditMeasure {
            at: String::new(),
            name: at(0, row),
            before: at(1, row),
            after: at(2, row),
            unit: at(3, row),
            n: at(4, row),
            period: at(5, row),
            method: at(6, row),
            source: at(7, row),
            wrong: Vec::new(),
        };
        let number = |name: &str| form.some(name).and_then(|number| number.parse::<i32>().ok());
        let version = number("version").unwrap_or(0);
        Self {
            body: form.get("body").replace("\r\n", "\n"),
            fields: parts::fields(key).iter().map(|of| field(of.name)).collect(),
            measures: (0..rows).map(measure).filter(|measure| !measure.is_empty()).collect(),
            version,
            base: number("base").unwrap_or(version),
        }
    }

    pub fn save(&self, confirmed: bool) -> PartSave {
        let input = PartInput {
            body: self.body.clone(),
            fields: self.fields.clone(),
            measures: self.measures.iter().map(EditMeasure::input).collect(),
        };
        PartSave { input, note: String::new(), confirmed, base: Some(self.base) }
    }

    /// Whether the measures, as typed, are those that are saved: all of them and no other.
    pub fn measures_are(&self, saved: &[Measure]) -> bool {
        let inputs: Vec<MeasureInput> =
            self.measures.iter().filter(|measure| !measure.is_empty()).map(EditMeasure::input).collect();
        crate::features::playbooks::measures::parse(&inputs).is_ok_and(|typed| typed == saved)
    }

    /// As a part, to be compared with the one that is saved; measures that are none are left out.
    pub fn as_part(&self, key: PartKey) -> PartView {
        let inputs: Vec<MeasureInput> = self.measures.iter().map(EditMeasure::input).collect();
        let fields = self.fields.iter().filter(|(_, text)| !text.trim().is_empty());
        PartView {
            body: self.body.trim().to_owned(),
            fields: fields.map(|(name, text)| (name.clone(), text.trim().to_owned())).collect(),
            measures: crate::features::playbooks::measures::parse(&inputs).unwrap_or_default(),
            ..PartView::blank(key)
        }
    }
}

const fn shape_word(shape: Shape) -> &'static str {
    match shape {
        Shape::Line => "line",
        Shape::Text => "text",
        Shape::Member => "member",
        Shape::Day => "day",
    }
}

impl EditPart {
    pub fn new(f: &Frame, address: &str, saved: &PartView, typed: Typed) -> Self {
        let key = saved.key;
        let fields = parts::fields(key).iter().map(|field| EditField {
            name: field.name,
            title: parts::field_title(field.name),
            hint: if key == PartKey::Team { String::new() } else { f.of("playbooks.field_hint", field.name) },
            shape: match field.shape {
                FieldShape::Line => "line",
                FieldShape::Text => "text",
                FieldShape::Level => "level",
            },
            value: typed.fields.get(field.name).cloned().unwrap_or_default(),
        });
        let measured = key == PartKey::Outcomes;
        let mut measures = typed.measures;
        if measured && measures.is_empty() {
            measures.push(EditMeasure::default());
        }
        for (at, measure) in measures.iter_mut().enumerate() {
            measure.at = at.to_string();
        }
        Self {
            address: address.to_owned(),
            key: key.as_str(),
            title: parts::title(key),
            guide: f.of("playbooks.part_help", key.as_str()),
            required: parts::is_required(key),
            written: !saved.is_empty(),
            shape: shape_word(parts::shape(key)),
            rows: typed.body.len().div_ceil(80).clamp(4, 18),
            most: parts::most(key),
            body: typed.body,
            version: typed.version,
            base: typed.base,
            fields: fields.collect(),
            measured,
            measures,
            draft: false,
            drafted: 0,
            faults: Vec::new(),
            body_error: String::new(),
            findings: Vec::new(),
            other: None,
            saved_by: String::new(),
            saved: false,
            talk: None,
        }
    }

    pub fn blame(&mut self, f: &Frame, error: AppError) -> Result<StatusCode> {
        let status = error.status();
        match error {
            AppError::Invalid(faults) => {
                for (at, fault) in faults.iter().enumerate() {
                    let said = error_id(self.key, at);
                    if let Some((row, name)) = measure_place(&fault.field)
                        && let Some(measure) = self.measures.get_mut(row)
                    {
                        measure.wrong.push((name.to_owned(), said));
                    } else if self.body_error.is_empty() {
                        self.body_error = said;
                    }
                }
                self.faults = faults.iter().map(|fault| told(f, &fault.field, &fault.message)).collect();
            }
            AppError::Confirm(findings) => self.findings = findings,
            AppError::Conflict(detail) => {
                self.body_error = error_id(self.key, 0);
                self.faults = vec![detail.into_owned()];
            }
            other => return Err(other),
        }
        Ok(status)
    }
}

/// The id of a fault of a part, as its form gives them.
fn error_id(key: &str, at: usize) -> String {
    if at == 0 { format!("{key}-error") } else { format!("{key}-error-{}", at + 1) }
}

/// `measures[2].before` is the third measure's value before.
fn measure_place(field: &str) -> Option<(usize, &str)> {
    let (row, name) = field.strip_prefix("measures[")?.split_once("].")?;
    Some((row.parse().ok()?, name))
}

/// A fault in words.
fn told(f: &Frame, field: &str, message: &str) -> String {
    if let Some((row, name)) = measure_place(field) {
        let place = (row + 1).to_string();
        let name = match name {
            "before" => f.t("playbooks.plot.before").to_owned(),
            "after" => f.t("playbooks.plot.after").to_owned(),
            name => f.of("playbooks.measure", name),
        };
        return f.with("playbooks.edit_study.measure_fault", &[("at", &place), ("name", &name), ("message", message)]);
    }
    let name = field.strip_prefix("fields.").unwrap_or(field);
    if matches!(name, "body" | "") {
        return f.with1("playbooks.edit_study.text_fault", "message", message);
    }
    let known = PartKey::parse(name).map_or_else(|| parts::field_title(name), parts::title);
    let known = if known.starts_with("playbooks.") { name.to_owned() } else { known };
    format!("{known}: {message}")
}
