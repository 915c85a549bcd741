//! Accounts: registering, signing in and out, sessions, tokens, mail, invitations, the first administrator.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};

#[derive(OpenApi)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(_cfg: &mut ServiceConfig) {}

pub fn configure_pages(_cfg: &mut ServiceConfig) {}

pub async fn prepare(_state: &AppState) -> Result<()> {
    Ok(())
}

pub async fn run_job(_state: &AppState, job: &job::Model) -> Result<()> {
    Err(AppError::internal(format!("no such job: {}", job.kind)))
}
