//! Measures: what was counted before and after, in one unit.
//!
//! Pure. A number may come as a number or as a text such as `12.5 min`; a unit in such a text has
//! to be the measure's, so that before and after can be compared.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::text::clean;
use crate::web::checks::SUMMARY;
use crate::web::error::{AppError, FieldError, Result};

/// A study may have so many.
pub const MOST: usize = 40;
/// No measure of anything is farther from zero.
const FARTHEST: f64 = 1e15;
const MOST_CASES: i64 = 1_000_000_000_000;
const NAME: usize = 200;
const UNIT: usize = 40;

/// What was measured before and after. At least one of the two is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Measure {
    pub name: String,
    /// Of before and after, such as `min` or `%`; empty for bare counts.
    #[serde(default)]
    pub unit: String,
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// Over which time, such as `March to June 2026`.
    #[serde(default)]
    pub period: String,
    /// How many cases.
    pub n: Option<i64>,
    /// How it was measured.
    #[serde(default)]
    pub method: String,
    /// Where the figures come from: a name or an address.
    #[serde(default)]
    pub source: String,
}

impl Measure {
    /// How much after differs from before, as a share of before; `None` where that says nothing.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        if before.abs() < f64::EPSILON { None } else { Some((after - before) / before.abs()) }
    }
}

/// A measure as it comes in: numbers as numbers or as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub struct MeasureInput {
    /// At most 200 characters.
    #[serde(default)]
    pub name: String,
    /// At most 40 characters.
    #[serde(default)]
    pub unit: String,
    /// A number.
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub before: Value,
    /// A number, in the same unit.
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub after: Value,
    #[serde(default)]
    pub period: Option<String>,
    /// A whole number.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub n: Value,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub source: Option<String>,
}

/// Checks measures; every fault at once, each with its place: `measures[2].before`.
pub fn parse(given: &[MeasureInput]) -> Result<Vec<Measure>> {
    if given.len() > MOST {
        return Err(AppError::field("measures", format!("has {MOST} measures at most")));
    }
    let mut faults = Vec::new();
    let measures = given.iter().enumerate().map(|(at, input)| one(at, input, &mut faults)).collect();
    if faults.is_empty() { Ok(measures) } else { Err(AppError::Invalid(faults)) }
}

fn one(at: usize, input: &MeasureInput, faults: &mut Vec<FieldError>) -> Measure {
    let mut blame = |field: &str, message: String| {
        faults.push(FieldError { field: format!("measures[{at}].{field}").into(), message });
    };
    let mut line = |field: &str, text: &str, most: usize| {
        clean(text, most, true).unwrap_or_else(|fault| {
            blame(field, fault.to_string());
            String::new()
        })
    };
    let mut measure = Measure {
        name: line("name", &input.name, NAME),
        unit: line("unit", &input.unit, UNIT),
        period: line("period", input.period.as_deref().unwrap_or_default(), NAME),
        method: line("method", input.method.as_deref().unwrap_or_default(), SUMMARY),
        source: line("source", input.source.as_deref().unwrap_or_default(), SUMMARY),
        ..Measure::default()
    };
    if measure.name.is_empty() {
        blame("name", "is needed".into());
    }
    let mut read = |field: &'static str, value: &Value| match quantity(value) {
        Ok(found) => found,
        Err(message) => {
            blame(field, message);
            None
        }
    };
    let before = read("before", &input.before);
    let after = read("after", &input.after);
    for (field, found) in [("before", &before), ("after", &after)] {
        let Some((_, Some(unit))) = found else { continue };
        if measure.unit.is_empty() {
            measure.unit.clone_from(unit);
        } else if measure.unit != *unit {
            blame(field, format!("is in {unit}, the measure in {}: give both in one unit", measure.unit));
        }
    }
    if is_blank(&input.before) && is_blank(&input.after) {
        blame("after", "is needed, or before: a number".into());
    }
    measure.before = before.map(|(number, _)| number);
    measure.after = after.map(|(number, _)| number);
    match cases(&input.n) {
        Ok(n) => measure.n = n,
        Err(message) => blame("n", message),
    }
    measure
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A number with the unit that stood beside it; `None` if nothing was given.
fn quantity(value: &Value) -> Result<Option<(f64, Option<String>)>, String> {
    let (number, unit) = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => (number.as_f64(), None),
        Value::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let end = text
                .char_indices()
                .find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || (*at == 0 && matches!(c, '-' | '+'))))
                .map_or(text.len(), |(at, _)| at);
            let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
            let unit = unit.trim();
            let odd =
                unit.starts_with([',', '\'', '-', '+']) || unit.chars().any(|c| c.is_ascii_digit() || c.is_control());
            let number = if odd || unit.chars().count() > UNIT { None } else { digits.parse::<f64>().ok() };
            (number, (!unit.is_empty()).then(|| unit.to_owned()))
        }
        _ => (None, None),
    };
    match number {
        Some(number) if number.is_finite() && number.abs() <= FARTHEST => Ok(Some((number, unit))),
        Some(_) => Err("is too far from zero to be a measure".into()),
        None => Err("is a number, such as 12.5".into()),
    }
}

/// How many cases were counted.
fn cases(value: &Value) -> Result<Option<i64>, String> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().replace(',', "").parse().ok(),
        _ => None,
    };
    number.filter(|n| (1..=MOST_CASES).contains(n)).map(Some).ok_or_else(|| "is a whole number from 1".into())
}

/// A number as it is written: no more digits than it has.
#[must_use]
pub fn shown(number: f64) -> String {
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(value: Value) -> MeasureInput {
        serde_json::from_value(value).unwrap()
    }

    fn faults(value: Value) -> Vec<String> {
        match parse(&[input(value)]) {
            Err(AppError::Invalid(faults)) => faults.into_iter().map(|fault| fault.field.into_owned()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_come_as_numbers_or_texts_in_one_unit() {
        let read = parse(&[input(json!({"name": "Wait", "before": "90 min", "after": 30, "n": "1,204"}))]).unwrap();
        let [measure] = read.as_slice() else { panic!() };
        assert_eq!(
            (measure.unit.as_str(), measure.before, measure.after, measure.n),
            ("min", Some(90.0), Some(30.0), Some(1204))
        );
        assert!((measure.change().unwrap() + 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(parse(&[input(json!({"name": "x", "unit": "%", "after": "-0.5"}))]).unwrap()[0].after, Some(-0.5));
    }

    #[test]
    fn what_is_no_measure_is_told_by_its_place() {
        assert_eq!(faults(json!({"name": "x", "before": "many", "after": 2})), ["measures[0].before"]);
        assert_eq!(faults(json!({"name": "x", "before": "90 min", "after": "2 h"})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "unit": "h", "before": "90 min", "after": 2})), ["measures[0].before"]);
        assert_eq!(faults(json!({"name": "", "before": 1, "after": 2})), ["measures[0].name"]);
        assert_eq!(faults(json!({"name": "x"})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "before": "", "after": " "})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "after": 1e40})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "after": "1,5"})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "after": [1]})), ["measures[0].after"]);
        assert_eq!(faults(json!({"name": "x", "after": 1, "n": 0})), ["measures[0].n"]);
        assert_eq!(faults(json!({"name": "x", "after": 1, "n": 1.5})), ["measures[0].n"]);
        assert!(parse(&vec![input(json!({"name": "x", "after": 1})); MOST + 1]).is_err());
    }
}
