//! A file a feature.

mod accounts;
mod forum;
mod forum_lists;
mod forum_tree;
mod house;
mod imports;
mod openapi_fuzz;
mod pages;
mod people;
mod permissions;
mod spaces;
mod program;
mod schema;
mod words;
