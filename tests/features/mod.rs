//! A file a feature.

mod accounts;
mod demo;
mod forum;
mod forum_lists;
mod forum_tree;
mod house;
mod imports;
mod people;
mod spaces;
