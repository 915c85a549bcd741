//! Headers every answer has, and the request id that logs and error pages share.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, ResponseError as _, web};

use crate::app::AppState;
use crate::app::secrets::random_token;
use crate::store::{ANSWER_WITHIN, in_time};

/// Nothing inline, nothing from elsewhere.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";

/// One request's name in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Set on requests that came as HEAD, which are routed as GET.
#[derive(Clone, Copy, Debug)]
struct OnlyHead;

/// Whether only the headers were asked for.
#[must_use]
pub fn only_head(req: &HttpRequest) -> bool {
    req.extensions().get::<OnlyHead>().is_some()
}

/// The name of this request, for error pages.
#[must_use]
pub fn request_id(req: &HttpRequest) -> String {
    req.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// The template of a request's address, such as `/reset/{token}`, for what outlives the request.
#[must_use]
pub fn route_of(req: &HttpRequest) -> String {
    req.match_pattern().unwrap_or_else(|| "unmatched".to_owned())
}

/// The one middleware of the hub's own: names the request, lets the guards look at it, has it
/// answered, dresses errors, measures, and sets the security headers.
///
/// No clone of the request may be alive while it is routed, so all of it works on references.
pub async fn around(req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let id: String = random_token().chars().take(12).collect();
    req.extensions_mut().insert(RequestId(id.clone()));
    let started = Instant::now();
    let method = req.method().clone();
    let path = req.path().to_owned();
    let state = req.app_data::<web::Data<AppState>>().cloned();
    let count_queries = state.as_ref().is_some_and(|state| state.config.count_queries);
    let (response, queries) =
        if count_queries { super::metrics::counting(answer(req, next)).await } else { (answer(req, next).await, 0) };
    let mut response = response?;
    if count_queries && let Ok(value) = HeaderValue::from_str(&queries.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-queries"), value);
    }
    let took = started.elapsed();
    let status = response.status().as_u16();
    // Never the path, which may be a link that lets somebody in.
    let route = route_of(response.request());
    if let Some(state) = &state {
        state.metrics.observe(&method, &route, status, took);
    }
    // That a node is about to stop is what it was told to be.
    let leaves = route == "/readyz" && state.as_ref().is_some_and(|state| state.leaving.has_begun());
    if status >= 500 && !leaves {
        tracing::error!(request = %id, %method, route, status, ms = took.as_millis(), "request");
    } else {
        tracing::debug!(request = %id, %method, route, status, ms = took.as_millis(), "request");
    }
    let https = state.as_ref().is_some_and(|state| state.is_https());
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    };
    set("content-security-policy", POLICY);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("x-frame-options", "DENY");
    set("x-request-id", &id);
    if https {
        set("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    if path.starts_with("/api/") {
        set("cache-control", "no-store");
    }
    Ok(response)
}

/// Around the compression, which adds to `Vary` whatever stands there: each name once, in one line.
pub async fn vary_once<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(req).await?;
    let headers = response.headers_mut();
    let mut names: Vec<String> = Vec::new();
    for value in headers.get_all(VARY).filter_map(|value| value.to_str().ok()) {
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_owned());
            }
        }
    }
    if !names.is_empty()
        && let Ok(value) = HeaderValue::from_str(&names.join(", "))
    {
        headers.insert(VARY, value);
    }
    Ok(response)
}

async fn answer(mut req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let options = *req.method() == Method::OPTIONS;
    // HEAD is GET all the way; the connection itself leaves the body out.
    if *req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
        req.extensions_mut().insert(OnlyHead);
    }
    let allowed = match super::rate_limit::guard(req.request()).await {
        Ok(()) => match readable(req.request()) {
            // It may look up who asks.
            Ok(()) => in_time(ANSWER_WITHIN, super::csrf::guard(req.request())).await,
            refused => refused,
        },
        refused => refused,
    };
    let allowed = match allowed {
        Ok(()) => super::typed::keep(&mut req).await,
        refused => refused,
    };
    let response = match allowed {
        Ok(()) => methods(next.call(req).await?, options),
        Err(error) => req.into_response(error.error_response()),
    };
    Ok(super::error_page::dress(response).await)
}

/// What a known address says of its methods: 405 to a wrong one, 204 to OPTIONS, each with `Allow`.
fn methods(mut response: ServiceResponse, options: bool) -> ServiceResponse {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let of = |response: &ServiceResponse| {
        let allow = response.headers().get(ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut names: Vec<&str> = allow.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        HeaderValue::from_str(&names.join(", "))
    };
    if let Ok(allow) = of(&response) {
        response.headers_mut().insert(ALLOW, allow);
    }
    if options {
        *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// No name here has a NUL in it, and PostgreSQL takes none in a text: nothing that lies behind
/// has to think of it.
fn readable(req: &HttpRequest) -> super::error::Result<()> {
    if req.uri().path_and_query().is_some_and(|address| address.as_str().contains("%00")) {
        return Err(super::error::AppError::BadRequest("An address has no NUL character in it.".into()));
    }
    Ok(())
}
