//! A file a feature.

mod accounts;
mod forum;
mod forum_lists;
mod forum_tree;
mod forum_pages;
mod house;
mod imports;
mod people;
mod space_pages;
mod spaces;
