//! `/api/openapi.json`: OpenAPI 3.1, generated from the handlers and merged feature by feature.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, PathItem, Ref, ResponseBuilder};

#[derive(OpenApi)]
#[openapi(
    info(title = "Praxis", description = "The API of a hub for communities of practice.", license(name = "MIT OR Apache-2.0")),
    components(schemas(super::error::Problem, super::error::FieldError, super::error::Finding)),
    servers((url = "/api/v1"))
)]
struct Root;

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
    let mut document = Root::openapi();
    document.merge(crate::realtime::Api::openapi());
    for part in crate::features::openapi() {
        document.merge(part);
    }
    if let Some(components) = document.components.as_mut() {
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(super::viewer::SESSION_COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(add_common);
    }
    document
});

/// What every operation may answer, whatever it does.
const COMMON: [(&str, &str); 2] = [
    ("429", "Too many requests; `Retry-After` says when to come back"),
    ("503", "A part of the hub is away for a moment; `Retry-After` says when to come back"),
];

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    all.into_iter().filter_map(Option::as_mut)
}

fn add_common(operation: &mut Operation) {
    for (status, description) in COMMON {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description(description);
            response.content("application/problem+json", problem).build().into()
        });
    }
}

/// The whole document.
#[must_use]
pub fn document() -> &'static utoipa::openapi::OpenApi {
    &DOCUMENT
}

/// `GET /api/openapi.json`
pub async fn serve() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
