//! The library: what a community wants to find again. Files, links and notes, with versions,
//! endorsements and collections.
//!
//! Invariants: what a viewer may not see is 404; what a resource is made of is in its versions,
//! which never change; a file is known by its content, kept once, and served only when it is safe
//! to. Reads are in `queries`, writes in `actions`; changes are events of the space's stream.

pub mod actions;
mod api;
mod events;
mod extract;
pub mod files;
mod glimpses;
mod jobs;
pub mod model;
mod pages;
pub mod policy;
pub mod queries;
mod reviews;
mod search;
mod sweep;

pub use api::openapi;
pub use events::resource_data;
pub use extract::{MOST_ALL, run as extract};
pub use glimpses::glimpses;
pub use jobs::{DELETE, EXTRACT, SCAN, requeue_waiting, run as run_job, waiting};
pub use reviews::tell_reviews;
pub use search::Resources;
pub use sweep::remove_orphans;

use crate::web::routes::Routes;

pub fn configure_api(cfg: &mut Routes) {
    api::configure(cfg);
}

pub fn configure_pages(cfg: &mut Routes) {
    pages::configure(cfg);
}
