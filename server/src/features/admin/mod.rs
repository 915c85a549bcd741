//! Admin.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

#[derive(OpenApi)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(_cfg: &mut ServiceConfig) {}

pub fn configure_pages(_cfg: &mut ServiceConfig) {}
