//! The forum: topics of five kinds and replies in threads.

pub mod model;
mod page_cache;

pub use page_cache::PageCache;

use actix_web::web::ServiceConfig;
use sea_orm::DatabaseConnection;
use serde_json::Value;
use utoipa::OpenApi;

use crate::app::AppState;
use crate::entities::job;
use crate::streams::Committed;
use crate::web::error::{AppError, Result};

#[derive(OpenApi)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(_cfg: &mut ServiceConfig) {}

pub fn configure_pages(_cfg: &mut ServiceConfig) {}

/// Whether a member may read a topic's stream.
pub async fn may_subscribe(_state: &AppState, _member: i64, _topic: i64) -> Result<()> {
    Err(AppError::NotFound)
}

/// Data of the events of `topic:` streams.
pub async fn fill_events(_db: &DatabaseConnection, events: Vec<Committed>) -> Result<Vec<Value>> {
    Ok(events.iter().map(|_| Value::Null).collect())
}

pub async fn run_job(_state: &AppState, job: &job::Model) -> Result<()> {
    Err(AppError::internal(format!("no such job: {}", job.kind)))
}
