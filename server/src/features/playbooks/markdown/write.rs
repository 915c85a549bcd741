//! Writing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::people::{Person, written};
use super::{marked, marker};
use crate::entities::kinds::{PartKey, PlaybookVisibility};
use crate::features::playbooks::measures::{Measure, shown};
use crate::features::playbooks::parts::{PartContent, Shape, shape, title};
use crate::features::playbooks::terms::Terms;

/// A study to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyOut {
    pub title: String,
    pub slug: String,
    pub authors: Vec<Person>,
    pub credited: Vec<Person>,
    /// What the member is called whom the part `owner` names; may be empty.
    pub owner_name: String,
    /// The word of its state, and the day of what is published.
    pub state: String,
    pub published: Option<String>,
    /// Its playbook is not for everybody.
    pub restricted: bool,
    /// Where it was first published, if that is elsewhere.
    pub source: Option<String>,
    pub terms: Terms,
    pub parts: BTreeMap<PartKey, PartContent>,
}

/// A scenario to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioOut {
    pub title: String,
    pub description: String,
    pub steps: Vec<String>,
    /// Slugs of studies, in their order.
    pub studies: Vec<String>,
}

/// A playbook to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaybookOut {
    pub slug: String,
    pub title: String,
    pub pathway: String,
    pub summary: String,
    /// Who may read it: the word of its visibility.
    pub visibility: String,
    /// Slug of its space.
    pub space: Option<String>,
    pub introduction: String,
    pub checklist: Vec<String>,
    /// Where its cover lies beside the page, and what it shows.
    pub cover: Option<(String, String)>,
    pub scenarios: Vec<ScenarioOut>,
}

/// A text of the front matter: as JSON quotes it, with every character escaped that YAML might
/// take for a line break or not print.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' ' => out.push(' '),
            c if c.is_control() || (c.is_whitespace() && c != ' ') || is_odd(c) => {
                let _infallible = if u32::from(c) > 0xFFFF {
                    write!(out, "\\U{:08X}", u32::from(c))
                } else {
                    write!(out, "\\u{:04X}", u32::from(c))
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Marks of byte order and direction, private and unassigned characters.
fn is_odd(c: char) -> bool {
    matches!(u32::from(c), 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xE000..=0xF8FF
        | 0xFDD0..=0xFDEF | 0xFFF0..=0xFFFF | 0xE0000..=0x10FFFF)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

struct Front(String);

impl Front {
    fn new() -> Self {
        Self("---\n".to_owned())
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.line(name, &quoted(value));
        }
    }

    fn list(&mut self, name: &str, items: &[String]) {
        if !items.is_empty() {
            self.line(name, &list(items));
        }
    }

    fn people(&mut self, name: &str, people: &[Person]) {
        if !people.is_empty() {
            self.line(name, &written(people));
        }
    }

    fn line(&mut self, name: &str, value: &str) {
        let _infallible = writeln!(self.0, "{name}: {value}");
    }

    fn end(mut self) -> String {
        self.0.push_str("---\n");
        self.0
    }
}

/// A study as Markdown with front matter.
#[must_use]
pub fn study_markdown(study: &StudyOut) -> String {
    let mut front = Front::new();
    front.line("type", "case_study");
    front.text("title", &study.title);
    front.text("slug", &study.slug);
    front.people("authors", &study.authors);
    front.people("credited", &study.credited);
    if study.parts.contains_key(&PartKey::Owner) {
        front.text("owner_name", &study.owner_name);
    }
    front.text("state", &study.state);
    front.text("visibility", if study.restricted { PlaybookVisibility::Restricted.as_str() } else { "" });
    front.text("published", study.published.as_deref().unwrap_or_default());
    front.text("source", study.source.as_deref().unwrap_or_default());
    let boundary = boundary(study);
    front.text("boundary", &boundary);
    // Parts of one line stand in the front matter whole.
    for (key, part) in study.parts.iter().filter(|(key, _)| shape(**key) != Shape::Text) {
        front.text(key.as_str(), &part.body);
    }
    if !study.terms.is_empty() {
        front.line("terms", "");
        for (kind, labels) in &study.terms {
            front.line(&format!("  {kind}"), &list(labels));
        }
    }
    if study.parts.values().any(|part| !part.fields.is_empty()) {
        front.line("fields", "");
        for (key, part) in study.parts.iter().filter(|(_, part)| !part.fields.is_empty()) {
            front.line(&format!("  {key}"), "");
            for (name, value) in &part.fields {
                front.line(&format!("    {name}"), &quoted(value));
            }
        }
    }
    let measures = study.parts.get(&PartKey::Outcomes).map(|part| part.measures.as_slice()).unwrap_or_default();
    if !measures.is_empty() {
        front.line("measures", "");
        measures.iter().for_each(|measure| write_measure(&mut front, measure));
    }
    let mut out = front.end();
    for (key, part) in study.parts.iter().filter(|(key, part)| shape(**key) == Shape::Text && !part.is_empty()) {
        let _infallible = write!(out, "\n{}\n## {}\n", marker(&boundary, key.as_str()), title(*key));
        if !part.body.is_empty() {
            let _infallible = write!(out, "\n{}\n", part.body);
        }
    }
    out
}

fn write_measure(front: &mut Front, measure: &Measure) {
    front.line("  - name", &quoted(&measure.name));
    let texts = [
        ("unit", &measure.unit),
        ("period", &measure.period),
        ("method", &measure.method),
        ("source", &measure.source),
    ];
    for (name, value) in texts {
        front.text(&format!("    {name}"), value);
    }
    for (name, value) in [("before", measure.before), ("after", measure.after)] {
        if let Some(value) = value {
            front.line(&format!("    {name}"), &shown(value));
        }
    }
    if let Some(n) = measure.n {
        front.line("    n", &n.to_string());
    }
}

/// A word that no line of the texts has between the signs of a marker; empty if none is needed.
fn boundary(study: &StudyOut) -> String {
    let lines = || study.parts.values().flat_map(|part| part.body.lines());
    let mut boundary = String::new();
    let mut number = 0_u32;
    while lines().any(|line| marked(&boundary, line).is_some()) {
        number += 1;
        boundary = format!("b{number}");
    }
    boundary
}

/// A playbook as Markdown with front matter; its studies are files of their own.
#[must_use]
pub fn playbook_markdown(playbook: &PlaybookOut) -> String {
    let mut front = Front::new();
    front.line("type", "playbook");
    front.text("title", &playbook.title);
    front.text("slug", &playbook.slug);
    front.text("pathway", &playbook.pathway);
    front.text("summary", &playbook.summary);
    front.text("visibility", &playbook.visibility);
    front.text("space", playbook.space.as_deref().unwrap_or_default());
    front.list("checklist", &playbook.checklist);
    if let Some((path, words)) = &playbook.cover {
        front.text("cover", path);
        front.text("cover_alt", words);
    }
    if !playbook.scenarios.is_empty() {
        front.line("scenarios", "");
        for scenario in &playbook.scenarios {
            front.line("  - title", &quoted(&scenario.title));
            front.text("    description", &scenario.description);
            front.list("    steps", &scenario.steps);
            front.list("    studies", &scenario.studies);
        }
    }
    let mut out = front.end();
    if !playbook.introduction.is_empty() {
        let _infallible = write!(out, "\n{}\n", playbook.introduction);
    }
    out
}
