//! What people see: headless Chromium against a running hub.

mod axe;
mod chat;
mod driver;
mod journey;
mod playbooks;
mod writing;

pub use driver::{Browser, Driver};
