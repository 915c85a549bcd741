//! Case studies and playbooks as Markdown with front matter: written so that they can be read
//! again unchanged, and read from what others have written by their headings.
//!
//! Pure. The front matter is YAML whose texts are quoted as JSON quotes them. Parts that we have
//! written are told apart by marker lines; pages of others by headings (see `headings`).

mod books;
mod headings;
mod mdx;
mod people;
mod read;
mod write;

pub use books::{PlaybookIn, read_playbook};
pub use mdx::plain_markdown;
pub use people::Person;
pub use read::{PageIn, PartIn, read_page};
pub use write::{PlaybookOut, ScenarioOut, StudyOut, playbook_markdown, study_markdown};

/// What the line before a part looks like; `boundary` is empty unless a text holds such a line.
fn marker(boundary: &str, key: &str) -> String {
    if boundary.is_empty() { format!("<!-- part: {key} -->") } else { format!("<!-- part {boundary}: {key} -->") }
}

/// The key of a marker line.
fn marked<'a>(boundary: &str, line: &'a str) -> Option<&'a str> {
    let inner = line.trim_end().strip_prefix("<!-- part")?.strip_suffix(" -->")?;
    let inner = if boundary.is_empty() { inner } else { inner.strip_prefix(' ')?.strip_prefix(boundary)? };
    inner.strip_prefix(": ")
}

#[cfg(test)]
mod tests;
