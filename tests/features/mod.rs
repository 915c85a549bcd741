//! A file a feature.

mod accounts;
mod forum;
mod forum_lists;
mod forum_tree;
mod house;
mod imports;
mod people;
mod spaces;
mod program;
mod schema;
mod words;
