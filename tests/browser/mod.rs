//! What people see: headless Chromium against a running hub.

mod axe;
mod chat;
mod chat_acts;
mod chat_late;
mod chat_more;
mod chat_phone;
mod driver;
mod journey;
mod library;
mod nodes;
mod playbooks;
mod playbooks_editor;
mod search;
mod writing;

pub use driver::{Browser, Driver};
