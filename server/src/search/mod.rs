//! The spine of search: what can be found, who may find it, and a log of what changed.
//!
//! Invariants: a mark of change is written in the transaction that changes the row
//! ([`Tx::index`](crate::store::Tx::index)), and a follower of the log misses none, however many
//! writers commit at once. Who may find a document is an [`Audience`] by ids; whether a viewer
//! belongs to it is read from rows when they ask ([`reach`]), so a right that is taken away counts
//! at once and no document has to be indexed again for it.

pub mod analysis;
pub mod config;
mod document;
pub mod follow;
mod lease;
pub mod log;
pub mod query;
mod reach;
pub mod requests;
mod service;
mod side;
pub mod snippet;
mod source;
mod stand_by;

pub use document::{Audience, Document, Kind, Passage, Term};
pub use log::Mark;
pub use reach::{Reach, reach};
pub use service::{Condition, Search, Status, Wishes};
pub use source::{Extent, Source, SourceAnswer, Within};
