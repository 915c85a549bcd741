//! What a Markdown file says of itself: YAML between two lines of `---` at its beginning, as static
//! site generators write it. Names differ between them; each field has several.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::entities::kinds::{ResourceKind, Stage};
use crate::features::library::actions::Fields;
use crate::features::library::policy::{MOST_AUTHORS, MOST_TERMS, NAME, SOURCE, TOPIC, fold};
use crate::text::is_tag;
use crate::web::checks::{SUMMARY, TITLE};

use super::super::texts::fitting_line;

/// Bytes of front matter that are read.
const MOST: usize = 64 << 10;

/// A value of YAML, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Nothing(()),
}

impl Value {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Self::Whole(number) => Some(number.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Map(map) => map.get("name").and_then(Self::text),
            Self::List(_) | Self::Nothing(()) => None,
        }
    }

    /// Texts of a list, or of one text whose parts are parted by commas.
    fn texts(&self) -> Vec<String> {
        match self {
            Self::List(list) => list.iter().filter_map(Self::text).collect(),
            Self::Text(text) => {
                text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
            other => other.text().into_iter().collect(),
        }
    }
}

/// A Markdown file with its front matter.
#[derive(Debug, Default)]
pub struct Front<'a> {
    values: BTreeMap<String, Value>,
    body: &'a str,
}

impl<'a> Front<'a> {
    /// Takes a file apart. Front matter that is no YAML stays part of the text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let whole = Self { values: BTreeMap::new(), body: text };
        let Some(rest) = text.strip_prefix("---").and_then(|rest| rest.split_once('\n')).map(|(_, rest)| rest) else {
            return whole;
        };
        let Some((yaml, after)) = parts(rest) else { return whole };
        if yaml.len() > MOST {
            return whole;
        }
        match serde_saphyr::from_str::<BTreeMap<String, Value>>(yaml) {
            Ok(values) => {
                let values = values.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
                Self { values, body: after }
            }
            Err(_) => whole,
        }
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.values.get(*name).and_then(Value::text))
    }

    fn all(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter_map(|name| self.values.get(*name)).flat_map(Value::texts).collect()
    }

    /// The text, without what only a site generator understands at its beginning.
    #[must_use]
    pub fn body(&self) -> String {
        let mut lines = self.body.lines().skip_while(|line| {
            let line = line.trim();
            line.is_empty() || (line.starts_with("import ") && line.contains(" from "))
        });
        let mut body = String::with_capacity(self.body.len());
        for line in lines.by_ref() {
            // What no text may hold is left out.
            body.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
            body.push('\n');
        }
        body.truncate(body.trim_end().len());
        body
    }

    /// What describes the resource; `name`: its title if it says none.
    #[must_use]
    pub fn fields(&self, name: &str) -> Fields {
        let line = |text: Option<String>, most: usize| {
            text.map(|text| fitting_line(&text, most)).filter(|text| !text.is_empty())
        };
        let title = self.first(&["title", "name"]).or_else(|| heading(self.body));
        let word = |names: &[&str]| self.first(names).map(|word| word.to_lowercase().replace([' ', '-'], "_"));
        let (mut tags, mut topics): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for topic in self.all(&["topics", "categories", "category", "topic"]) {
            topics.push(fitting_line(&topic, TOPIC));
        }
        for tag in self.all(&["tags", "keywords", "tag"]) {
            // Tags of two words are topics here.
            let one = fold(&tag).replace(' ', "-");
            if is_tag(&one) { tags.push(one) } else { topics.push(fitting_line(&tag, TOPIC)) }
        }
        let unique = |list: Vec<String>, most: usize| {
            let mut kept: Vec<String> = Vec::new();
            for one in list {
                if !one.is_empty() && kept.len() < most && !kept.iter().any(|known| fold(known) == fold(&one)) {
                    kept.push(one);
                }
            }
            kept
        };
        let authors = self.all(&["authors", "author", "creator"]).iter().map(|name| fitting_line(name, NAME)).collect();
        Fields {
            title: Some(line(title, TITLE).unwrap_or_else(|| name.to_owned())),
            summary: line(self.first(&["summary", "description", "excerpt", "subtitle", "abstract"]), SUMMARY),
            kind: word(&["kind", "type"]).filter(|word| ResourceKind::parse(word).is_some()),
            stage: word(&["stage"]).filter(|word| Stage::parse(word).is_some()),
            topics: Some(unique(topics, MOST_TERMS)),
            tags: Some(unique(tags, MOST_TERMS)),
            authors: Some(unique(authors, MOST_AUTHORS)),
            organisation: line(self.first(&["organisation", "organization", "publisher"]), NAME),
            licence: line(self.first(&["licence", "license", "rights"]), NAME),
            source: line(self.first(&["source", "url", "permalink_url", "link", "canonical"]), SOURCE),
            published_on: self
                .first(&["published_on", "published", "date", "date_published"])
                .and_then(|text| day(&text)),
            review_due: self.first(&["review_due", "review_date", "review"]).and_then(|text| day(&text)),
            // What is public elsewhere is not asked about again, file by file.
            confirmed: true,
            ..Fields::default()
        }
    }
}

/// The YAML up to its closing line, and what follows.
fn parts(rest: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        let end = line.trim_end();
        if end == "---" || end == "..." {
            return Some((rest.get(..at)?, rest.get(at + line.len()..)?));
        }
        at += line.len();
    }
    None
}

/// The first heading of the highest level that says something.
fn heading(body: &str) -> Option<String> {
    body.lines()
        .filter_map(|line| line.strip_prefix("# "))
        .map(|text| crate::text::excerpt(text, TITLE))
        .find(|text| !text.trim().is_empty())
}

/// A day out of a date or time: `2024-03-05T10:00:00Z`, `2024-03-05`.
fn day(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    crate::features::library::policy::parse_day("published_on", day).ok().flatten().map(|_| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_read_by_its_many_names() {
        let front = Front::of(
            "---\nTitle: 'Process mapping'\ndescription: How a team draws what it does.\ntags:\n  - RAP Playbook\n  - python\n\
             author: [Ada Example, {name: Bea Example}]\ndate: 2024-03-05 10:00:00 +0000\nlicense: OGL v3\nkind: Guidance\nstage: adopt\n---\n\n# Other\n\nThe text.\n",
        );
        let fields = front.fields("file");
        assert_eq!(fields.title.as_deref(), Some("Process mapping"));
        assert_eq!(fields.summary.as_deref(), Some("How a team draws what it does."));
        assert_eq!(fields.tags, Some(vec!["rap-playbook".into(), "python".into()]));
        assert_eq!(fields.authors, Some(vec!["Ada Example".into(), "Bea Example".into()]));
        assert_eq!(fields.published_on.as_deref(), Some("2024-03-05"));
        assert_eq!(
            (fields.licence.as_deref(), fields.kind.as_deref(), fields.stage.as_deref()),
            (Some("OGL v3"), Some("guidance"), Some("adopt"))
        );
        assert_eq!(front.body(), "# Other\n\nThe text.");
    }

    #[test]
    fn what_is_none_stays_text() {
        for text in ["# A title\n\nText", "---\nno end", "---\n: : [\n---\nText", "--- a rule ---\nText"] {
            let front = Front::of(text);
            assert!(front.values.is_empty(), "{text}");
            assert!(front.body().contains(text.lines().last().unwrap()));
        }
        assert_eq!(Front::of("# A *title*\n").fields("x").title.as_deref(), Some("A title"));
        assert_eq!(Front::of("Text only").fields("x").title.as_deref(), Some("x"));
        assert_eq!(Front::of("import Box from './box'\n\nText").body(), "Text");
        // A bomb of references is bounded by the reader of YAML.
        let bomb = format!(
            "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e]\n---\n{}",
            "Text"
        );
        assert!(Front::of(&bomb).body().ends_with("Text"));
    }
}
