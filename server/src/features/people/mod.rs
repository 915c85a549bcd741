//! People: profiles, the directory, avatars, uploaded files.

mod words;

pub use words::index_words;

use actix_web::web::ServiceConfig;
use sea_orm::DatabaseConnection;
use serde_json::Value;
use utoipa::OpenApi;

use crate::streams::Committed;
use crate::web::error::Result;

#[derive(OpenApi)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(_cfg: &mut ServiceConfig) {}

pub fn configure_pages(_cfg: &mut ServiceConfig) {}

/// Data of the events of `member:` streams.
pub async fn fill_events(_db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    Ok(events.iter().map(|_| Value::Null).collect())
}
