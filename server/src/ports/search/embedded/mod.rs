//! The embedded engine: Tantivy's terms, postings and columns, and a ranking of our own over them.

mod collect;
mod generation;
mod home;
mod meaning;
mod schema;
mod scoring;
mod terms;
mod visible;
mod words;

pub use generation::{Generation, Shared};
pub use home::Home;
