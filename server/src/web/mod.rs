//! The spine of HTTP: who asks, what they may send, what errors look like, what frames a page.

pub mod assets;
pub mod checks;
pub mod comparing;
pub mod csrf;
pub mod download;
pub mod error;
pub mod error_page;
pub mod etag;
pub mod form;
pub mod frame;
pub mod headers;
pub mod idempotency;
mod in_time;
pub mod json;
pub mod metrics;
pub mod multipart;
pub mod openapi;
pub mod openapi_page;
pub mod pace;
pub mod pagination;
pub mod rate_limit;
pub mod routes;
pub mod sessions;
pub mod typed;
pub mod viewer;
pub mod well_known;
pub mod words;
