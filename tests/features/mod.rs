//! A file a feature.

mod accounts;
mod accounts_recovery;
mod forum;
mod forum_lists;
mod forum_tree;
mod house;
mod imports;
mod people;
mod space_pages;
mod spaces;
mod program;
mod schema;
mod words;
