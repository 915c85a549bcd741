//! Text: what members write, made safe to show. Pure: no database, no clock, no settings.
//!
//! Invariants:
//! - Whatever the input, [`render`] answers in bounded time and memory, never panics, and its HTML
//!   has passed the allow-list of [`sanitise`] last, so a fault in an earlier step cannot be
//!   markup in a page.
//! - The Markdown that is stored is the Markdown that was written; only the served HTML changes.
//! - Every string that comes from outside passes [`clean`] once, at the edge.

mod budget;
mod clean;
mod diff;
mod excerpt;
mod format;
mod from_html;
mod guard;
mod highlight;
mod html_source;
mod html_text;
mod linking;
mod markdown;
mod mentions;
mod outline;
mod plain;
mod reading;
mod sanitise;
mod table;
mod tags;
mod targets;

#[cfg(test)]
mod from_html_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod render_tests;

pub use clean::{TextFault, clean};
pub use diff::{DiffTime, DiffWords, diff_html, version_html};
pub use excerpt::excerpt;
pub use from_html::html_to_markdown;
pub use markdown::{Links, Rendered, Words, images, mention_candidates, quote, render, render_section};
pub use reading::reading;
pub use tags::{TAG_MAX, fold_tag, in_tag, is_tag};
