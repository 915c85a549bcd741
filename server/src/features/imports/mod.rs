//! Loading what other programs exported.
//!
//! Invariant: an import adds nothing twice. It works beside a running hub: it writes rows and
//! events in short transactions, and running servers notice by the heads of the streams.

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

use std::path::PathBuf;

use crate::app::AppState;

/// What `praxis import` was asked to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Asked {
    /// Whose export it is.
    #[arg(value_enum)]
    pub format: Format,
    /// Where it is.
    pub path: PathBuf,
    /// Space to fill; made, open, if it is missing.
    #[arg(long, value_name = "SLUG")]
    pub space: Option<String>,
    /// Playbook to fill.
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
    let space = || asked.space.clone().ok_or("--space is missing; say which space to fill, such as --space questions");
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
                playbook: asked
                    .playbook
                    .clone()
                    .ok_or("--playbook is missing; say which playbook to fill, such as --playbook heart-failure")?,
                owner: asked.owner.clone(),
                quiet: false,
            };
            markdown::import(state, &options).await
        }
        format => Err(not_built(format)),
    }
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
