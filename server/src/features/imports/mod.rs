//! Loading what other programs exported.
//!
//! Invariant: an import adds nothing twice. It works beside a running hub: it writes rows and
//! events in short transactions, and running servers notice by the heads of the streams.

mod ahead;
mod authors;
pub mod documents;
pub mod markdown;
mod refs;
mod report;
pub mod slack;
mod source;
mod space;
pub mod stackexchange;
mod texts;
mod unclaimed;

pub use report::Report;

use std::path::{Path, PathBuf};

use crate::app::AppState;

/// What `praxis import` was asked to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Asked {
    /// Whose export it is.
    #[arg(value_enum)]
    pub format: Format,
    /// Where it is.
    pub path: PathBuf,
    /// Space to fill; made, open, if it is missing. The folder's name if not said. Of Markdown: whose
    /// readers a restricted playbook has.
    #[arg(long, value_name = "SLUG")]
    pub space: Option<String>,
    /// Playbook to fill. The folder's name if not said.
    #[arg(long, value_name = "SLUG")]
    pub playbook: Option<String>,
    /// Owner of what has no author; the first administrator if not said.
    #[arg(long = "as", value_name = "HANDLE")]
    pub owner: Option<String>,
    /// Host of the site that a Stack Exchange dump comes from, for links back.
    #[arg(long, value_name = "HOST")]
    pub site: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Stackexchange,
    Slack,
    Documents,
    Markdown,
    Praxis,
}

/// Runs an import; errors are one line.
pub async fn run(state: &AppState, asked: &Asked) -> Result<Report, String> {
    let space = || named(asked.space.as_ref(), "--space", &asked.path);
    match asked.format {
        Format::Stackexchange => {
            let options = stackexchange::Options {
                folder: asked.path.clone(),
                space: space()?,
                owner: asked.owner.clone(),
                site: asked.site.clone(),
                quiet: false,
            };
            stackexchange::import(state, &options).await
        }
        Format::Slack => {
            let (folder, owner) = (asked.path.clone(), asked.owner.clone());
            slack::import(state, &slack::Options { folder, space: space()?, owner, quiet: false }).await
        }
        Format::Documents => {
            let (folder, owner) = (asked.path.clone(), asked.owner.clone());
            documents::import(state, &documents::Options { folder, space: space()?, owner, quiet: false }).await
        }
        Format::Markdown => {
            let options = markdown::Options {
                folder: asked.path.clone(),
                playbook: named(asked.playbook.as_ref(), "--playbook", &asked.path)?,
                space: asked.space.clone(),
                owner: asked.owner.clone(),
                quiet: false,
            };
            markdown::import(state, &options).await
        }
        format => Err(not_built(format)),
    }
}

/// The address that was said, or the folder's name as one.
fn named(said: Option<&String>, option: &str, path: &Path) -> Result<String, String> {
    if let Some(said) = said {
        return Ok(said.clone());
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(60).collect();
    if slug.len() < 2 {
        return Err(format!(
            "{option} is missing, and the folder's name makes no address; say one, such as {option} questions"
        ));
    }
    Ok(slug)
}

/// Whether a format can be read; asked before the hub is opened.
#[must_use]
pub const fn is_built(format: Format) -> bool {
    matches!(format, Format::Stackexchange | Format::Slack | Format::Documents | Format::Markdown)
}

/// The line for a format that cannot be read yet.
#[must_use]
pub fn not_built(format: Format) -> String {
    use clap::ValueEnum as _;
    let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    format!("import {name}: this format cannot be read here; stackexchange, slack, documents and markdown can")
}
