//! What an archive says of itself. See `docs/ARCHIVE.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The name of the format, and its version: raised when an older program could not read it.
pub const FORMAT: &str = "praxis-archive";
pub const VERSION: u32 = 1;

/// Entries of an archive, in this order; parts of tables come in the order of foreign keys.
pub const HEAD: &str = "praxis.json";
pub const DATABASE: &str = "praxis.db";
pub const TABLES: &str = "tables/";
pub const BLOBS: &str = "blobs/";
pub const BLOB_LISTS: &str = "blob-lists/";
pub const MANIFEST: &str = "manifest.json";
pub const SUM: &str = "manifest.json.sha256";

/// A part of a table is ended at this size, bytes; a reader takes twice as much as a row may add.
pub const PART: usize = 4 << 20;
pub const MOST_PART: u64 = 64 << 20;
/// Head and manifest.
pub const MOST_HEAD: u64 = 1 << 20;
pub const MOST_MANIFEST: u64 = 64 << 20;
/// Files named in one list.
pub const LISTED: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The embedded database as a file.
    Backup,
    /// Tables as JSON lines.
    Export,
}

/// The first entry: enough to refuse what this program cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub format: String,
    pub version: u32,
    pub kind: Kind,
    /// The program that made it.
    pub praxis: String,
    /// RFC 3339.
    pub made_at: String,
    /// Steps of the schema that its database had, oldest first.
    pub schema: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Lines.
    #[serde(default)]
    pub rows: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub rows: u64,
    pub columns: Vec<String>,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    pub count: u64,
    pub bytes: u64,
    pub lists: Vec<Part>,
}

/// The last entry but one: everything that came before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(flatten)]
    pub head: Head,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Part>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Table>,
    pub files: Files,
    /// Tables, and rows of tables, that were not taken, with the reason.
    pub left_out: BTreeMap<String, String>,
}

/// A line of a list of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub key: String,
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// The last entry, as `sha256sum` would print it.
#[must_use]
pub fn sum_of(sha256: &str) -> String {
    format!("{sha256}  {MANIFEST}\n")
}

#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The name of a numbered part.
#[must_use]
pub fn numbered(folder: &str, number: usize) -> String {
    format!("{folder}{number:06}.jsonl")
}

/// Whether a key may become an object: a path of plain words that leads nowhere else.
#[must_use]
pub fn is_key(key: &str) -> bool {
    key.len() <= 200
        && key.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'='))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in ["file/AbC-12_x", "hub/logo-1.png", "a", "library/ab/cd"] {
            assert!(is_key(good), "{good}");
        }
        let long = "a".repeat(201);
        for wrong in ["", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a/.b", "a\\b", "a b", "a#1", "é", &long] {
            assert!(!is_key(wrong), "{wrong}");
        }
    }
}
