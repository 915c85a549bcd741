//! A file a feature.

mod accounts;
mod accounts_recovery;
mod forum;
mod forum_lists;
mod forum_pages;
mod forum_tree;
mod house;
mod imports;
mod people;
mod space_pages;
mod spaces;
