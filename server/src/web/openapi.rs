//! `/api/openapi.json`: OpenAPI 3.1, generated from the handlers and merged feature by feature.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

#[derive(OpenApi)]
#[openapi(
    info(title = "Praxis", description = "The API of a hub for communities of practice.", license(name = "MIT OR Apache-2.0")),
    components(schemas(super::error::Problem, super::error::FieldError, super::error::Finding)),
    servers((url = "/api/v1"))
)]
struct Root;

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
    let mut document = Root::openapi();
    for part in crate::features::openapi() {
        document.merge(part);
    }
    if let Some(components) = document.components.as_mut() {
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(super::viewer::SESSION_COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
    document
});

/// The whole document.
#[must_use]
pub fn document() -> &'static utoipa::openapi::OpenApi {
    &DOCUMENT
}

/// `GET /api/openapi.json`
pub async fn serve() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
