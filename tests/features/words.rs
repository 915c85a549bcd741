//! The catalogue and the code agree: no key is missing, none is left over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use praxis_server::web::words::english;

fn server() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server")
}

fn sources(folder: &Path, endings: &[&str], found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, endings, found);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one)) {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// Texts in double quotes that could be keys of the catalogue, or the beginnings of keys.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    // What follows a place to be filled is not known here.
    text.split(['"', '\'', '`']).map(|part| part.split('{').next().unwrap_or_default()).filter(|part| {
        !part.is_empty()
            && part.len() < 100
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte))
    })
}

/// The first argument of every call of this method, where it is a literal.
fn calls<'a>(text: &'a str, method: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for open in [format!(".{method}(\""), format!(".{method}(\n")] {
        for (at, _) in text.match_indices(&open) {
            let rest = text[at + open.len()..].trim_start().trim_start_matches('"');
            found.push(rest.split('"').next().unwrap());
        }
    }
    found
}

#[test]
fn every_key_that_is_asked_for_is_there_and_none_is_left_over() {
    let keys: BTreeSet<&str> = english().keys().collect();
    let features: BTreeSet<&str> = keys.iter().map(|key| key.split('.').next().unwrap()).collect();
    let is_key =
        |text: &str| text.split('.').next().is_some_and(|first| features.contains(first)) && text.contains('.');
    let mut files = Vec::new();
    sources(&server().join("src"), &["rs", "html", "txt"], &mut files);
    let mut used = BTreeSet::new();
    let mut open = BTreeSet::new();
    let mut missing = BTreeSet::new();
    for (path, text) in &files {
        for method in ["t", "with", "with1"] {
            for key in calls(text, method).into_iter().filter(|key| is_key(key) && !keys.contains(key)) {
                missing.insert(format!("{key} in {}", path.display()));
            }
        }
        for key in calls(text, "n").into_iter().filter(|key| is_key(key)) {
            for form in ["one", "other"] {
                if !keys.contains(format!("{key}.{form}").as_str()) {
                    missing.insert(format!("{key}.{form} in {}", path.display()));
                }
            }
        }
        for prefix in calls(text, "of").into_iter().filter(|prefix| is_key(prefix)) {
            if !keys.iter().any(|key| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))) {
                missing.insert(format!("{prefix}.… in {}", path.display()));
            }
        }
        for literal in literals(text).filter(|literal| is_key(literal)) {
            match literal.strip_suffix('.') {
                Some(prefix) => open.insert(prefix.to_owned()),
                None => used.insert(literal.to_owned()),
            };
        }
    }
    assert_eq!(missing, BTreeSet::new(), "keys that the catalogue does not have");
    // `of` and `n` ask for what lies below a literal.
    let is_used = |key: &str| {
        let mut at = key;
        loop {
            if used.contains(at) || open.contains(at) {
                return true;
            }
            match at.rsplit_once('.') {
                Some((above, _)) => at = above,
                None => return false,
            }
        }
    };
    let mut scripts = Vec::new();
    sources(&server().join("assets"), &["js"], &mut scripts);
    // The names of tools are their keys too, so any name counts, not only texts in quotes.
    let spoken: BTreeSet<&str> =
        scripts.iter().flat_map(|(_, text)| text.split(|one: char| !one.is_ascii_alphanumeric())).collect();
    let left: Vec<&&str> = keys
        .iter()
        .filter(|key| match key.strip_prefix("frame.script.") {
            Some(word) => !spoken.contains(word.trim_end_matches(".one").trim_end_matches(".other")),
            None => !is_used(key),
        })
        .collect();
    assert_eq!(left, Vec::<&&str>::new(), "keys that nothing asks for");
}

#[test]
fn scripts_ask_only_for_words_that_the_page_carries() {
    let words: serde_json::Value = serde_json::from_str(english().script()).unwrap();
    let mut scripts = Vec::new();
    sources(&server().join("assets"), &["js"], &mut scripts);
    for (path, text) in &scripts {
        for part in text.split("word('").skip(1) {
            // Only calls: `word('x'` after something that is no part of a name.
            let key = part.split('\'').next().unwrap();
            if key.starts_with(char::is_alphabetic) {
                let known = words.get(key).is_some() || words.get(format!("{key}.other")).is_some();
                assert!(known, "{key} in {}", path.display());
            }
        }
    }
}

#[test]
fn texts_are_whole() {
    let words = english();
    for key in words.keys() {
        let text = words.t(key);
        // A mail may end without a last line.
        assert!(!text.is_empty() || key.starts_with("mail."), "{key} is empty");
        assert_eq!(text.trim(), text, "{key}");
        assert!(!text.contains('!'), "{key} shouts: '{text}'");
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{key}: '{text}'");
        if let Some(one) = key.strip_suffix(".one") {
            assert_ne!(words.t(&format!("{one}.other")), format!("{one}.other"), "{key} has no other form");
        }
    }
}
