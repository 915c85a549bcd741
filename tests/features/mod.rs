//! A file a feature.

mod accounts;
mod accounts_recovery;
mod admin;
pub mod chat;
mod chat_pages;
mod demo;
mod forum;
mod forum_lists;
mod forum_pages;
mod forum_tree;
mod house;
mod imports;
mod imports_slack;
mod mail;
mod methods;
mod moderation;
mod openapi_fuzz;
mod pages;
mod people;
mod permissions;
mod program;
mod registration;
mod schema;
mod space_pages;
mod spaces;
mod unused;
mod words;
