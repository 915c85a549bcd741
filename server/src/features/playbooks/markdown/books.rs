//! Reading a playbook's own page.

use serde_json::Value;

use super::read::{is_restricted, split, take, text, texts, trimmed};
use super::write::ScenarioOut;

/// A playbook as it was read.
#[derive(Clone, Debug, Default)]
pub struct PlaybookIn {
    pub title: String,
    pub slug: Option<String>,
    pub pathway: String,
    pub summary: String,
    /// It is not for everybody; a word that is not understood says so, too.
    pub restricted: bool,
    /// Slug of the space that it was read like.
    pub space: Option<String>,
    pub introduction: String,
    pub checklist: Vec<String>,
    /// Where its cover lies beside the page.
    pub cover: Option<String>,
    /// What the cover shows.
    pub cover_alt: String,
    pub scenarios: Vec<ScenarioOut>,
}

/// Reads a playbook's own page; `None` if it is a page of another kind.
pub fn read_playbook(source: &str) -> Result<Option<PlaybookIn>, String> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let (mut front, body) = split(&source)?;
    if take(&mut front, &["type"]).is_none_or(|value| text(&value) != "playbook") {
        return Ok(None);
    }
    let mut get = |name: &str| take(&mut front, &[name]);
    let mut playbook = PlaybookIn {
        title: get("title").map(|value| text(&value)).unwrap_or_default(),
        slug: get("slug").map(|value| text(&value)).filter(|slug| !slug.is_empty()),
        pathway: get("pathway").map(|value| text(&value)).unwrap_or_default(),
        summary: get("summary").map(|value| text(&value)).unwrap_or_default(),
        restricted: get("visibility").is_some_and(|value| is_restricted(&value)),
        space: get("space").map(|value| text(&value)).filter(|slug| !slug.is_empty()),
        introduction: trimmed(body).to_owned(),
        checklist: get("checklist").map(|value| texts(&value)).unwrap_or_default(),
        cover: get("cover").map(|value| text(&value)).filter(|path| !path.is_empty()),
        cover_alt: get("cover_alt").map(|value| text(&value)).unwrap_or_default(),
        scenarios: Vec::new(),
    };
    if let Some(Value::Array(scenarios)) = get("scenarios") {
        for scenario in scenarios {
            let field = |name: &str| scenario.get(name).cloned().unwrap_or_default();
            playbook.scenarios.push(ScenarioOut {
                title: text(&field("title")),
                description: text(&field("description")),
                steps: texts(&field("steps")),
                studies: texts(&field("studies")),
            });
        }
    }
    Ok(Some(playbook))
}
