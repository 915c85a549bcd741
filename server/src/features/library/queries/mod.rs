//! Every SELECT of the library. What a viewer may see starts from the spaces they may read.

mod collections;
mod lists;
mod one;
mod pages;
mod reports;
mod rows;

pub use collections::{collection, collections, collections_with, my_collections, new_collection};
pub use lists::{Filter, Sort, due_for, list, terms};
pub use one::{Seen, find, has_endorsed, seen_version, version, versions, view, view_in};
pub use pages::{Shown, page_texts, shown_pages};
pub use reports::{open_reports, reports};
pub use rows::rows_by_ids;
