//! Those whom the front matter names: handles, and what they are called where nobody has these.

use serde_json::Value;

use super::read::{PageIn, list, text};
use super::write::quoted;
use crate::entities::kinds::PartKey;

/// Somebody who is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// A handle; of pages of others a handle or a name.
    pub handle: String,
    /// Empty if it is not said.
    pub name: String,
}

impl Person {
    /// The words for people to read.
    #[must_use]
    pub fn called(&self) -> &str {
        if self.name.trim().is_empty() { self.handle.trim() } else { self.name.trim() }
    }
}

impl PageIn {
    /// Whom its part `owner` names.
    #[must_use]
    pub fn owner(&self) -> Option<Person> {
        let handle = self.parts.get(&PartKey::Owner)?.body.trim().to_owned();
        (!handle.is_empty()).then(|| Person { handle, name: self.owner_name.clone() })
    }
}

/// People as maps of `handle` and `name` or as texts; a text beside no other is split at its commas.
pub(super) fn read(value: &Value) -> Vec<Person> {
    match value {
        Value::Array(items) => items.iter().map(one).filter(|person| !person.handle.trim().is_empty()).collect(),
        Value::Object(_) => vec![one(value)],
        other => list(other).into_iter().map(plain).collect(),
    }
}

fn plain(handle: String) -> Person {
    Person { handle, name: String::new() }
}

fn one(value: &Value) -> Person {
    match value {
        Value::Object(map) if map.contains_key("handle") && map.keys().all(|key| key == "handle" || key == "name") => {
            let word = |name: &str| map.get(name).map(text).unwrap_or_default();
            Person { handle: word("handle"), name: word("name") }
        }
        other => plain(text(other)),
    }
}

/// People on one line.
pub(super) fn written(people: &[Person]) -> String {
    let people: Vec<String> = people
        .iter()
        .map(|person| {
            if person.name.is_empty() {
                quoted(&person.handle)
            } else {
                format!("{{handle: {}, name: {}}}", quoted(&person.handle), quoted(&person.name))
            }
        })
        .collect();
    format!("[{}]", people.join(", "))
}
