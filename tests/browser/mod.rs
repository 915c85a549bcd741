//! What people see: headless Chromium against a running hub.

mod axe;
mod driver;
mod journey;
mod writing;

pub use driver::{Browser, Driver};
