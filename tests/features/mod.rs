//! A file a feature.

mod accounts;
mod accounts_recovery;
mod admin;
mod forum;
mod forum_lists;
mod forum_pages;
mod forum_tree;
mod forum_pages;
mod house;
mod imports;
mod moderation;
mod people;
mod space_pages;
mod openapi_fuzz;
mod pages;
mod permissions;
mod spaces;
mod program;
mod schema;
mod words;
