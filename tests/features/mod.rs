//! A file a feature.

mod accounts;
mod accounts_recovery;
mod forum;
mod forum_lists;
mod forum_tree;
mod house;
mod imports;
mod openapi_fuzz;
mod people;
mod permissions;
mod program;
mod schema;
mod space_pages;
mod spaces;
mod words;
