//! The message catalogue: every word of the interface, by key.
//!
//! One folder a language (`server/words/en/`), one file a feature. A text may hold `{name}`
//! places. `key.one` and `key.other` are the forms for counts.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One language's words.
#[derive(Debug)]
pub struct Words {
    texts: HashMap<String, String>,
    script: String,
}

macro_rules! catalogue {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../words/en/", $file, ".toml")))),+]
    };
}

const ENGLISH: &[(&str, &str)] = catalogue!(
    "frame",
    "accounts",
    "people",
    "spaces",
    "forum",
    "moderation",
    "admin",
    "errors",
    "mail",
    "demo",
    "chat",
    "notices",
    "library",
    "search",
    "playbooks"
);

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut texts = HashMap::new();
    for (file, text) in ENGLISH {
        match toml::from_str::<toml::Table>(text) {
            Ok(table) => flatten(&mut texts, file, &table),
            Err(error) => tracing::error!(file, %error, "a file of the message catalogue cannot be read"),
        }
    }
    let script: std::collections::BTreeMap<&str, &str> =
        texts.iter().filter_map(|(key, text)| Some((key.strip_prefix("frame.script.")?, text.as_str()))).collect();
    let script = serde_json::to_string(&script).unwrap_or_default();
    Words { texts, script }
});

fn flatten(texts: &mut HashMap<String, String>, prefix: &str, table: &toml::Table) {
    for (key, value) in table {
        let name = format!("{prefix}.{key}");
        match value {
            toml::Value::String(text) => {
                texts.insert(name, text.clone());
            }
            toml::Value::Table(inner) => flatten(texts, &name, inner),
            _ => tracing::error!(name, "a message is a text"),
        }
    }
}

/// The English catalogue.
#[must_use]
pub fn english() -> &'static Words {
    &WORDS
}

impl Words {
    /// The text of a key; a missing key shows itself, and a test finds it.
    #[must_use]
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key whose last part is not known to the templates, such as a kind.
    #[must_use]
    pub fn of(&self, prefix: &str, word: &str) -> String {
        let key = format!("{prefix}.{word}");
        self.texts.get(&key).cloned().unwrap_or(key)
    }

    /// A text with its places filled: `with("forum.by", &[("name", "Ada")])`.
    #[must_use]
    pub fn with(&self, key: &str, places: &[(&str, &str)]) -> String {
        let mut text = self.t(key).to_owned();
        for (name, value) in places {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// The form for a count, with `{n}` filled.
    #[must_use]
    pub fn n(&self, key: &str, count: impl Into<i64>) -> String {
        let count = count.into();
        let form = if count == 1 { "one" } else { "other" };
        self.of(key, form).replace("{n}", &grouped(count))
    }

    /// The words under `frame.script`, as a JSON object for the scripts of the page.
    #[must_use]
    pub fn script(&self) -> &str {
        &self.script
    }

    /// Every key, for tests.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }
}

/// A count with groups of three: 12,345.
#[must_use]
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if count < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
