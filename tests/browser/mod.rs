//! What people see: headless Chromium against a running hub.

mod driver;
mod smoke;

pub use driver::{Browser, Driver};
