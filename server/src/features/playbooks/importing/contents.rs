//! What the parts of a study hold that is read from a page: checked, and each text where there is
//! room for it.

use std::collections::BTreeMap;

use crate::entities::kinds::PartKey;
use crate::features::playbooks::markdown::PartIn;
use crate::features::playbooks::measures::{self, MeasureInput};
use crate::features::playbooks::parts::{FieldShape, PartContent, Shape, field_title, fields, most, shape, title};
use crate::features::playbooks::pictures;
use crate::features::playbooks::texts::end_of_day;
use crate::text::clean;
use crate::web::checks::{BODY, TITLE};
use crate::web::error::{AppError, Result};

/// Room for fewer characters takes no piece of a longer text.
const CRUMB: usize = 1_000;

pub(super) fn line(text: &str, most: usize) -> String {
    let plain = text.replace(char::is_control, " ");
    let clean = clean(&plain, usize::MAX, true).unwrap_or_default();
    clean.chars().take(most).collect::<String>().trim().to_owned()
}

/// A text of several lines as it is kept, whatever its length.
pub(super) fn kept(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    clean(&plain, usize::MAX, false).unwrap_or_default()
}

/// What of a text fits into so many characters, and the rest: parted between paragraphs if one ends
/// in the second half, else between lines, words or letters.
fn parted(text: &str, most: usize) -> (&str, &str) {
    let Some((end, _)) = text.char_indices().nth(most) else { return (text, "") };
    let head = text.get(..end).unwrap_or_default();
    let gap = ["\n\n", "\n", " "].iter().find_map(|sign| head.rfind(*sign).filter(|at| *at > end / 2));
    let (head, rest) = text.split_at_checked(gap.unwrap_or(end)).unwrap_or((text, ""));
    (head, rest.strip_prefix(' ').unwrap_or(rest).trim_start_matches('\n'))
}

/// Where the rest of a text goes whose part has no room: to "find out more", then to the other texts
/// in the order of the page.
fn elsewhere(key: PartKey) -> impl Iterator<Item = PartKey> {
    let texts = PartKey::ALL.iter().copied().filter(|other| shape(*other) == Shape::Text);
    let others = texts.filter(|other| *other != PartKey::FindOutMore);
    std::iter::once(PartKey::FindOutMore).chain(others).filter(move |other| *other != key)
}

/// Adds a text of a part where there is room for it, and tells where that is another part.
fn put(
    parts: &mut BTreeMap<PartKey, PartContent>,
    key: PartKey,
    places: impl Iterator<Item = PartKey>,
    text: &str,
    remarks: &mut Vec<String>,
) -> Result<()> {
    let mut rest = text;
    for place in places {
        if rest.is_empty() {
            break;
        }
        let room = match parts.get(&place).map_or(0, |content| content.body.chars().count()) {
            0 => BODY,
            held => BODY.saturating_sub(held + 2),
        };
        if room < CRUMB && rest.chars().count() > room {
            continue;
        }
        let (now, later) = parted(rest, room);
        let content = parts.entry(place).or_default();
        if !content.body.is_empty() {
            content.body.push_str("\n\n");
        }
        content.body.push_str(now);
        if place != key {
            remarks.push(format!("{key} is longer than {BODY} characters: more of it is in {place}"));
        }
        rest = later;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(AppError::field(
        "page",
        format!("has more text than a case study has room for, {BODY} characters a part: divide it"),
    ))
}

/// What the parts hold. What is too long for one goes on in others; 422 if all are full.
pub(super) fn contents(
    given: BTreeMap<PartKey, PartIn>,
    owner: &str,
    left: Vec<(PartKey, String)>,
    remarks: &mut Vec<String>,
) -> Result<Vec<(PartKey, PartContent)>> {
    let mut parts: BTreeMap<PartKey, PartContent> = BTreeMap::new();
    let mut beside: Vec<(PartKey, String)> = Vec::new();
    let mut over: Vec<(PartKey, String)> = Vec::new();
    for (key, part) in given {
        let mut content = PartContent::default();
        match shape(key) {
            Shape::Text => {
                let text = described(&kept(&part.body));
                let (now, later) = parted(&text, BODY);
                now.clone_into(&mut content.body);
                if !later.is_empty() {
                    over.push((key, later.to_owned()));
                }
            }
            Shape::Line => {
                let whole = line(&part.body, usize::MAX);
                content.body = line(&whole, most(key));
                if whole.chars().count() > most(key) {
                    remarks.push(format!("{key} was longer than {} characters; the whole is in \"scope\"", most(key)));
                    beside.push((PartKey::Scope, whole));
                }
            }
            Shape::Member => {
                owner.clone_into(&mut content.body);
                if content.body.is_empty() && !part.body.trim().is_empty() {
                    beside.push((PartKey::Team, format!("{}: {}", title(key), line(&part.body, usize::MAX))));
                }
            }
            Shape::Day => {
                let day = line(&part.body, usize::MAX);
                if end_of_day(&day).is_some() {
                    content.body = day;
                } else if !day.is_empty() {
                    remarks.push(format!("{key} is no day; it is in \"scope\": {}", line(&day, 40)));
                    beside.push((PartKey::Scope, format!("{}: {day}", title(key))));
                }
            }
        }
        take_fields(key, &part.fields, &mut content, &mut beside, remarks);
        for measure in &part.measures {
            match measures::parse(std::slice::from_ref(measure)) {
                Ok(read) if content.measures.len() < measures::MOST => content.measures.extend(read),
                Ok(_) => {
                    remarks.push(format!(
                        "it has more than {} measures; in words in \"outcomes\": {}",
                        measures::MOST,
                        line(&measure.name, 80)
                    ));
                    beside.push((PartKey::Outcomes, told(measure)));
                }
                Err(_) => {
                    let name = line(&measure.name, 80);
                    remarks.push(format!("a measure that cannot be read is in words in \"outcomes\": {name}"));
                    beside.push((PartKey::Outcomes, told(measure)));
                }
            }
        }
        if !content.is_empty() {
            parts.insert(key, content);
        }
    }
    for (key, text) in beside.into_iter().chain(left) {
        let text = kept(&text);
        if !parts.get(&key).is_some_and(|content| content.body.contains(&text)) {
            put(&mut parts, key, std::iter::once(key).chain(elsewhere(key)), &text, remarks)?;
        }
    }
    for (key, text) in over {
        put(&mut parts, key, elsewhere(key), &text, remarks)?;
    }
    Ok(parts.into_iter().collect())
}

/// The fields of a part; what fits none of them goes into its text.
fn take_fields(
    key: PartKey,
    given: &BTreeMap<String, String>,
    content: &mut PartContent,
    beside: &mut Vec<(PartKey, String)>,
    remarks: &mut Vec<String>,
) {
    let text = if shape(key) == Shape::Text { key } else { PartKey::WhatWeDid };
    for (name, value) in given {
        let short = line(name, 40);
        let Some(field) = fields(key).iter().find(|field| field.name == name) else {
            remarks.push(format!("{key} has no field {short}; it is in the text of {text}"));
            beside.push((text, format!("{short}: {}", kept(value))));
            continue;
        };
        let whole = line(value, usize::MAX);
        let level = whole.parse::<u8>().is_ok_and(|level| (1..=9).contains(&level));
        match field.shape {
            _ if whole.is_empty() => {}
            FieldShape::Level if !level => {
                remarks.push(format!("{name} is no whole number from 1 to 9; it is in the text of {text}"));
                beside.push((text, format!("{}: {whole}", field_title(name))));
            }
            FieldShape::Line if whole.chars().count() > TITLE => {
                remarks.push(format!("{name} was longer than {TITLE} characters; it is in the text of {text}"));
                beside.push((text, format!("{}: {whole}", field_title(name))));
            }
            FieldShape::Text => {
                let value = described(&kept(value));
                let (now, later) = parted(&value, BODY);
                content.fields.insert(field.name.to_owned(), now.to_owned());
                if !later.is_empty() {
                    remarks
                        .push(format!("{name} is longer than {BODY} characters: more of it is in the text of {text}"));
                    beside.push((text, format!("{}: {later}", field_title(name))));
                }
            }
            FieldShape::Line | FieldShape::Level => {
                content.fields.insert(field.name.to_owned(), whole);
            }
        }
    }
}

/// A measure that cannot be read as one, in words.
fn told(measure: &MeasureInput) -> String {
    let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut words =
        vec![format!("{}: {} → {} {}", measure.name, value(&measure.before), value(&measure.after), measure.unit)];
    if !measure.n.is_null() {
        words.push(format!("n = {}", value(&measure.n)));
    }
    let more = [&measure.period, &measure.method, &measure.source];
    words.extend(more.into_iter().flatten().filter(|word| !word.trim().is_empty()).cloned());
    words.join("; ")
}

/// Figures without alternative text get that of their file's name.
pub(super) fn described(body: &str) -> String {
    pictures::described(body, |address| {
        let file = address.rsplit('/').next().unwrap_or(address);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace(['-', '_'], " ")
    })
}
