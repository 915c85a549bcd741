//! Reading.

use std::collections::BTreeMap;

use serde_json::Value;

use super::headings::{Fences, heading_of, is_frame, part_of};
use super::marked;
use super::mdx::plain_markdown;
use super::people::{self, Person};
use crate::entities::kinds::{PartKey, PlaybookVisibility, TermKind};
use crate::features::playbooks::measures::MeasureInput;
use crate::features::playbooks::parts::{Shape, shape, title};

/// A page as it was read: nothing in it is checked.
#[derive(Clone, Debug, Default)]
pub struct PageIn {
    pub title: String,
    pub slug: Option<String>,
    pub authors: Vec<Person>,
    pub credited: Vec<Person>,
    /// What the member is called whose handle is the text of the part `owner`.
    pub owner_name: String,
    /// The day of its publication, if a hub says it.
    pub published: Option<String>,
    /// Who published it and where, if it says so.
    pub source: Option<String>,
    pub state: Option<String>,
    pub terms: BTreeMap<String, Vec<String>>,
    pub parts: BTreeMap<PartKey, PartIn>,
    /// It says of itself that it is a case study.
    pub is_study: bool,
    /// A hub has written it.
    pub ours: bool,
    /// It was not for everybody there.
    pub restricted: bool,
    /// Headings that stand for no part: what is below them is in `what_we_did`.
    pub unmatched: Vec<String>,
    /// What stands in the front matter and has no place of its own, with its name: it goes into
    /// `what_we_did`.
    pub unknown: Vec<String>,
}

/// A part as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartIn {
    pub body: String,
    pub fields: BTreeMap<String, String>,
    pub measures: Vec<MeasureInput>,
}

pub(super) type Map = serde_json::Map<String, Value>;

/// Front matter and what follows it; an error says why the front matter cannot be read.
pub(super) fn split(source: &str) -> Result<(Map, &str), String> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let Some(rest) = source.strip_prefix("---\n") else { return Ok((Map::new(), source)) };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" || line.trim_end() == "..." {
            let front = rest.get(..at).unwrap_or_default();
            let body = rest.get(at + line.len()..).unwrap_or_default();
            if front.trim().is_empty() {
                return Ok((Map::new(), body));
            }
            let value: Value = serde_saphyr::from_str(front).map_err(|error| {
                let reason = error.to_string();
                format!("its front matter cannot be read ({})", reason.lines().next().unwrap_or_default())
            })?;
            return match value {
                Value::Object(map) => Ok((map, body)),
                Value::Null => Ok((Map::new(), body)),
                _ => Err("its front matter is no list of names and values".into()),
            };
        }
        at += line.len();
    }
    Ok((Map::new(), source))
}

/// A value as one text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value as a list of texts: one that is a text is split at its commas.
pub(super) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).filter(|text| !text.trim().is_empty()).collect(),
        Value::Null => Vec::new(),
        other => text(other).split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect(),
    }
}

/// The same, but a text is one item.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Null => Vec::new(),
        other => vec![text(other)],
    }
}

/// Whether a word of visibility keeps anybody out; one that is not understood does.
pub(super) fn is_restricted(value: &Value) -> bool {
    let word = text(value).trim().to_lowercase();
    !word.is_empty() && word != PlaybookVisibility::Open.as_str()
}

pub(super) fn take(map: &mut Map, names: &[&str]) -> Option<Value> {
    let key = map.keys().find(|key| names.contains(&key.to_lowercase().replace([' ', '-'], "_").as_str()))?.clone();
    map.remove(&key)
}

/// Reads a page: one that we have written by its markers, one of others by its headings. `name`
/// is its file's, for what has no title.
pub fn read_page(source: &str, name: &str) -> Result<PageIn, String> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let (mut front, body) = split(&source)?;
    let ours = front.get("type").is_some_and(|value| text(value) == "case_study");
    let mut page = PageIn { is_study: ours, ours, ..PageIn::default() };
    let mut boundary = String::new();
    if ours {
        // Said of the page and not of what it tells.
        take(&mut front, &["type"]);
        page.published = take(&mut front, &["published"]).map(|value| text(&value));
        page.restricted = take(&mut front, &["visibility"]).is_some_and(|value| is_restricted(&value));
        page.owner_name = take(&mut front, &["owner_name"]).map(|value| text(&value)).unwrap_or_default();
        boundary = take(&mut front, &["boundary"]).map(|value| text(&value)).unwrap_or_default();
    }
    read_front(&mut front, &mut page);
    if body.lines().any(|line| marked(&boundary, line).is_some_and(|key| PartKey::parse(key).is_some())) {
        by_markers(body, &boundary, &mut page);
    } else {
        let (markdown, tags) = if ours { (body.to_owned(), Vec::new()) } else { plain_markdown(body) };
        if !tags.is_empty() {
            page.terms.entry(TermKind::Technique.as_str().to_owned()).or_default().extend(tags);
        }
        by_headings(&markdown, &mut page);
    }
    if page.title.trim().is_empty() {
        page.title = name.replace(['-', '_'], " ");
    }
    Ok(page)
}

fn read_front(front: &mut Map, page: &mut PageIn) {
    page.title = take(front, &["title", "name"]).map(|value| text(&value)).unwrap_or_default();
    page.slug = take(front, &["slug"]).map(|value| text(&value)).filter(|slug| !slug.is_empty());
    page.authors = take(front, &["authors", "author"]).map(|value| people::read(&value)).unwrap_or_default();
    page.credited =
        take(front, &["credited", "credits", "contributors"]).map(|value| people::read(&value)).unwrap_or_default();
    page.source = take(front, &["source", "url", "canonical_url"]).map(|value| text(&value));
    if let Some(state) = take(front, &["state", "status"]) {
        // Of somebody else's page it may mean anything: its word is kept, too.
        if !page.is_study {
            page.unknown.push(named("status", &state));
        }
        page.state = Some(text(&state));
    }
    if let Some(category) = take(front, &["category", "categories"]) {
        let words: String = text(&category).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        if words.contains("casestud") {
            page.is_study = true;
        } else {
            page.unknown.push(named("category", &category));
        }
    }
    let tags = take(front, &["tags", "keywords"]).map(|value| list(&value)).unwrap_or_default();
    if !tags.is_empty() {
        page.terms.entry(TermKind::Technique.as_str().to_owned()).or_default().extend(tags);
    }
    match take(front, &["terms"]) {
        Some(Value::Object(terms)) => {
            for (kind, labels) in terms {
                page.terms.entry(kind).or_default().extend(texts(&labels));
            }
        }
        Some(other) => page.unknown.push(named("terms", &other)),
        None => {}
    }
    for kind in TermKind::ALL {
        if let Some(labels) = take(front, &[kind.as_str()]) {
            page.terms.entry(kind.as_str().to_owned()).or_default().extend(list(&labels));
        }
    }
    match take(front, &["fields"]) {
        Some(Value::Object(fields)) => {
            for (key, values) in fields {
                match (PartKey::parse(&key), values) {
                    (Some(key), Value::Object(values)) => {
                        let part = page.parts.entry(key).or_default();
                        part.fields.extend(values.iter().map(|(name, value)| (name.clone(), text(value))));
                    }
                    (_, other) => page.unknown.push(named(&key, &other)),
                }
            }
        }
        Some(other) => page.unknown.push(named("fields", &other)),
        None => {}
    }
    match take(front, &["measures"]) {
        Some(Value::Array(measures)) => measures.iter().for_each(|given| read_measure(given, page)),
        Some(other) => page.unknown.push(named("measures", &other)),
        None => {}
    }
    for key in PartKey::ALL {
        if let Some(value) = take(front, &[key.as_str()]) {
            page.parts.entry(*key).or_default().body = text(&value);
        }
    }
    if let Some(value) = take(front, &["description", "excerpt"]) {
        let summary = page.parts.entry(PartKey::Summary).or_default();
        if summary.body.is_empty() {
            summary.body = text(&value);
        } else {
            page.unknown.push(named("description", &value));
        }
    }
    // What says nothing here is named, so that nobody misses it.
    page.unknown.extend(front.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| named(name, value)));
}

/// A value with its name, in words.
fn named(name: &str, value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let inside: Vec<String> = map.iter().map(|(name, value)| named(name, value)).collect();
            format!("{name} ({})", inside.join("; "))
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let inside: Vec<String> = items.iter().map(|item| named("", item)).collect();
            format!("{name}: {}", inside.join(", "))
        }
        other => format!("{name}: {}", text(other)),
    }
}

/// A measure, whose words may have been written as numbers; what is none, and what else it says, is
/// kept in words.
fn read_measure(given: &Value, page: &mut PageIn) {
    let Value::Object(given) = given else {
        page.unknown.push(named("measures", given));
        return;
    };
    let mut given = given.clone();
    let mut word = |name: &str| given.remove(name).map(|value| text(&value)).unwrap_or_default();
    let (name, unit) = (word("name"), word("unit"));
    let (period, method, source) = (word("period"), word("method"), word("source"));
    let mut number = |name: &str| given.remove(name).unwrap_or_default();
    let (before, after, n) = (number("before"), number("after"), number("n"));
    if !given.is_empty() {
        page.unknown.push(named(&format!("measure {name}"), &Value::Object(given)));
    }
    let (period, method, source) = (Some(period), Some(method), Some(source));
    let measure = MeasureInput { name, unit, before, after, period, n, method, source };
    page.parts.entry(PartKey::Outcomes).or_default().measures.push(measure);
}

/// Parts that were told apart by our own lines.
fn by_markers(body: &str, boundary: &str, page: &mut PageIn) {
    let mut now: Option<PartKey> = None;
    let mut lines: Vec<&str> = Vec::new();
    let mut close = |now: Option<PartKey>, lines: &mut Vec<&str>| {
        if let Some(key) = now {
            let head = format!("## {}", title(key));
            let first = lines.iter().position(|line| !line.trim().is_empty());
            let skip = first.filter(|at| lines.get(*at).is_some_and(|line| line.trim_end() == head));
            let text = lines.get(skip.map_or(0, |at| at + 1)..).unwrap_or_default().join("\n");
            add(page, key, &text);
        }
        lines.clear();
    };
    for line in body.lines() {
        match marked(boundary, line).and_then(PartKey::parse) {
            Some(key) => {
                close(now, &mut lines);
                now = Some(key);
            }
            None => lines.push(line),
        }
    }
    close(now, &mut lines);
}

/// Empty lines around a text go; the indentation of its first line means something.
pub(super) fn trimmed(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.lines().take_while(|line| line.trim().is_empty()).map(|line| line.len() + 1).sum::<usize>();
    text.get(start..).unwrap_or_default()
}

fn add(page: &mut PageIn, key: PartKey, text: &str) {
    let text = trimmed(text);
    if text.is_empty() {
        return;
    }
    let part = page.parts.entry(key).or_default();
    if !part.body.is_empty() {
        part.body.push_str("\n\n");
    }
    part.body.push_str(text);
}

/// Parts of somebody else's page. A heading that names a part begins it, whatever its level; one
/// below it belongs to it; any other leads to `what_we_did`, with its words.
fn by_headings(body: &str, page: &mut PageIn) {
    let mut fences = Fences::default();
    let (mut now, mut level): (Option<PartKey>, usize) = (None, 0);
    let mut text = String::new();
    let mut flush = |now: Option<PartKey>, text: &mut String| {
        let key = now.filter(|key| shape(*key) == Shape::Text).unwrap_or(PartKey::WhatWeDid);
        add(page, key, text);
        text.clear();
    };
    let mut unmatched = Vec::new();
    for line in body.lines() {
        let heading = if fences.inside(line) { None } else { heading_of(line) };
        let Some((depth, words)) = heading else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        if let Some(key) = part_of(words) {
            flush(now, &mut text);
            (now, level) = (Some(key), depth);
            // Words that say more than the name of the part stay: two things in one.
            if super::headings::plain(words) != super::headings::plain(&title(key)) && words.contains(" and ") {
                text.push_str(&format!("*{words}*\n\n"));
            }
            continue;
        }
        if now.is_some() && depth > level && level < 7 {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        flush(now, &mut text);
        (now, level) = (None, 0);
        if !is_frame(words) && !words.is_empty() {
            unmatched.push(words.to_owned());
            text.push_str(line);
            text.push('\n');
        }
    }
    flush(now, &mut text);
    page.unmatched = unmatched;
}
