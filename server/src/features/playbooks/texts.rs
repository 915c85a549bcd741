//! From what was written to what is stored: Markdown is rendered before the transaction.

use std::collections::{BTreeMap, HashSet};

use super::measures::{self, MeasureInput};
use super::parts::{FieldShape, PartContent, Shape, fields, most, shape};
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::store::Sql;
use crate::text::{self, Links};
use crate::web::checks::{self, BODY, TITLE, Text};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::words::english;

/// Figures that one text may show.
pub const MOST_FIGURES: usize = 50;

/// A part as it comes in.
#[derive(Clone, Debug, Default)]
pub struct PartInput {
    pub body: String,
    pub fields: BTreeMap<String, String>,
    pub measures: Vec<MeasureInput>,
}

/// A part, checked and rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub content: PartContent,
    pub html: String,
    pub fields_html: BTreeMap<String, String>,
    /// Of `review_due`: the end of the day.
    pub due: Option<i64>,
}

impl Written {
    /// All HTML of a part, to look for uploads in.
    pub fn all_html(&self) -> String {
        let mut all = self.html.clone();
        for html in self.fields_html.values() {
            all.push_str(html);
        }
        all
    }
}

/// Checks a part: its text, its fields, its measures and its figures; every fault at once.
/// `strict` asks for alternative texts of figures.
pub(super) fn check_part(key: PartKey, input: &PartInput, confirmed: bool, strict: bool) -> Result<PartContent> {
    let mut faults = Vec::new();
    let mut content = PartContent::default();
    let body = match shape(key) {
        Shape::Text => Text::body("body", &input.body, most(key)),
        Shape::Line | Shape::Member | Shape::Day => Text::line("body", &input.body, most(key)),
    };
    match checks::check(&[body], confirmed) {
        Ok(checked) => checked.get("body").clone_into(&mut content.body),
        Err(AppError::Invalid(found)) => faults.extend(found),
        Err(other) => return Err(other),
    }
    check_fields(key, input, confirmed, strict, &mut content, &mut faults)?;
    if key == PartKey::Outcomes {
        match measures::parse(&input.measures) {
            Ok(measures) => content.measures = measures,
            Err(AppError::Invalid(found)) => faults.extend(found),
            Err(other) => return Err(other),
        }
    } else if !input.measures.is_empty() {
        faults.push(FieldError { field: "measures".into(), message: "belongs to the part outcomes alone".into() });
    }
    if strict && shape(key) == Shape::Text {
        figures(&content.body, "body".into(), &mut faults);
    }
    if faults.is_empty() { Ok(content) } else { Err(AppError::Invalid(faults)) }
}

fn check_fields(
    key: PartKey,
    input: &PartInput,
    confirmed: bool,
    strict: bool,
    content: &mut PartContent,
    faults: &mut Vec<FieldError>,
) -> Result<()> {
    let known = fields(key);
    for (name, value) in input.fields.iter().take(100) {
        let place = || -> std::borrow::Cow<'static, str> {
            format!("fields.{}", name.chars().take(40).collect::<String>()).into()
        };
        let Some(field) = known.iter().find(|field| field.name == name) else {
            faults.push(FieldError { field: place(), message: "is no field of this part".into() });
            continue;
        };
        let text = match field.shape {
            FieldShape::Text => Text::body("field", value, BODY),
            FieldShape::Line | FieldShape::Level => Text::line("field", value, TITLE),
        };
        match checks::check(&[text], confirmed) {
            Ok(checked) => {
                let clean = checked.get("field");
                let level = clean.parse::<u8>().is_ok_and(|level| (1..=9).contains(&level));
                if field.shape == FieldShape::Level && !clean.is_empty() && !level {
                    faults.push(FieldError { field: place(), message: "is a whole number from 1 to 9".into() });
                } else if !clean.is_empty() {
                    if strict && field.shape == FieldShape::Text {
                        figures(clean, place(), faults);
                    }
                    content.fields.insert(field.name.to_owned(), clean.to_owned());
                }
            }
            Err(AppError::Invalid(found)) => {
                faults.extend(found.into_iter().map(|fault| FieldError { field: place(), ..fault }));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// The same of other texts that readers get: introductions, descriptions, steps.
pub(super) fn check_figures(field: &'static str, body: &str) -> Result<()> {
    let mut faults = Vec::new();
    figures(body, field.into(), &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(AppError::Invalid(faults)) }
}

/// Complains of figures without alternative text, and of too many.
fn figures(body: &str, field: std::borrow::Cow<'static, str>, faults: &mut Vec<FieldError>) {
    if !body.contains("![") {
        return;
    }
    let found = text::images(body);
    if found.len() > MOST_FIGURES {
        faults.push(FieldError { field, message: format!("shows {MOST_FIGURES} figures at most") });
        return;
    }
    let mute: Vec<String> = found
        .iter()
        .zip(1..)
        .filter(|((_, alternative), _)| alternative.trim().is_empty())
        .map(|(_, number)| number.to_string())
        .collect();
    if !mute.is_empty() {
        faults.push(FieldError {
            field,
            message: format!(
                "has a figure without alternative text (number {}): write what it shows between the brackets, as in ![A chart of waiting times](…)",
                mute.join(", ")
            ),
        });
    }
}

/// Renders checked parts. Members who are named become links; this asks the database once.
pub(super) async fn render_parts(
    state: &AppState,
    parts: Vec<(PartKey, PartContent)>,
) -> Result<Vec<(PartKey, Written)>> {
    let mut handles = HashSet::new();
    for (_, content) in &parts {
        for body in std::iter::once(&content.body).chain(content.fields.values()) {
            handles.extend(text::mention_candidates(body));
        }
    }
    let members = known(state, handles).await?;
    let origin = state.origin();
    Ok(parts
        .into_iter()
        .map(|(key, content)| {
            let written = render(origin, key, content, &members);
            (key, written)
        })
        .collect())
}

/// Renders one checked part with the members who are known. Slow only for long texts.
pub(super) fn render(origin: &str, key: PartKey, content: PartContent, members: &HashSet<String>) -> Written {
    // Its heading is the part's title.
    let section = |body: &str| text::render_section(body, &links(origin, members)).html;
    let mut written = Written {
        html: if shape(key) == Shape::Text { section(&content.body) } else { String::new() },
        ..Written::default()
    };
    for field in fields(key) {
        if let (FieldShape::Text, Some(value)) = (field.shape, content.fields.get(field.name)) {
            written.fields_html.insert(field.name.to_owned(), section(value));
        }
    }
    if key == PartKey::ReviewDue {
        written.due = end_of_day(&content.body);
    }
    written.content = content;
    written
}

/// Other Markdown of playbooks: introductions, descriptions, steps, comments.
pub(super) async fn render_texts<const N: usize>(state: &AppState, texts: [&str; N]) -> Result<[String; N]> {
    let handles: HashSet<String> = texts.iter().flat_map(|body| text::mention_candidates(body)).collect();
    let members = known(state, handles).await?;
    let origin = state.origin();
    Ok(texts.map(|body| markdown(origin, body, &members)))
}

/// The same for a list.
pub(super) async fn render_list(state: &AppState, texts: &[String]) -> Result<Vec<String>> {
    let handles: HashSet<String> = texts.iter().flat_map(|body| text::mention_candidates(body)).collect();
    let members = known(state, handles).await?;
    let origin = state.origin();
    Ok(texts.iter().map(|body| markdown(origin, body, &members)).collect())
}

pub(super) fn markdown(origin: &str, body: &str, members: &HashSet<String>) -> String {
    text::render(body, &links(origin, members)).html
}

fn links<'a>(origin: &'a str, members: &'a HashSet<String>) -> Links<'a> {
    let words = english();
    Links {
        members,
        origin,
        hard_breaks: false,
        words: text::Words {
            table: words.t("forum.table"),
            done: words.t("forum.task_done"),
            not_done: words.t("forum.task_open"),
        },
    }
}

async fn known(state: &AppState, handles: HashSet<String>) -> Result<HashSet<String>> {
    if handles.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = Sql::new("SELECT m.handle FROM member m WHERE m.state = 'active' AND m.handle IN ")
        .list(handles.into_iter().take(400))
        .all(state.store.read())
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "handle")?)).collect()
}

/// The last microsecond of a day in UTC: `2027-01-31`.
pub(super) fn end_of_day(day: &str) -> Option<i64> {
    let shape = day.len() == 10
        && day.bytes().enumerate().all(
            |(at, byte)| {
                if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
            },
        );
    if !shape {
        return None;
    }
    crate::ports::clock::parse_rfc3339(&format!("{day}T23:59:59.999999Z"))
}
