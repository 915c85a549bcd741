//! The forum by JSON.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

#[derive(OpenApi)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(super) fn configure(_cfg: &mut ServiceConfig) {}
