//! The one place that decides whether an error is a page or problem+json.

use std::time::Duration;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::error::{AppError, Problem};
use super::frame::Frame;
use super::headers::request_id;
use super::viewer::{Viewer, identify};
use crate::app::AppState;
use crate::store::in_time;

/// How long it may take to find out for whom a page of an error is.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    f: &'a Frame,
    problem: &'a Problem,
    request_id: &'a str,
    /// What was typed into the form that is refused.
    typed: &'a [(&'static str, String)],
    /// Where that form is.
    back: &'a str,
    /// Key of the catalogue under `errors`: what happened and what to do.
    key: &'static str,
}

/// Turns errors into pages for browsers, and every other error into problem+json.
pub async fn dress(response: ServiceResponse) -> ServiceResponse {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let known = response.response().extensions().get::<Problem>().cloned();
    if known.is_none() && is_finished(&response) {
        // A form with its errors, already a page; or the state of the hub's parts.
        return response;
    }
    let (request, old) = response.into_parts();
    let foreign = known.is_none();
    let problem = known.unwrap_or_else(|| from_status(status).problem());
    let html = wants_html(&request);
    if !html && !foreign {
        return ServiceResponse::new(request, old);
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut new = if html {
        match render(&request, &problem).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(%error, "an error page could not be made");
                HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(problem.detail.clone())
            }
        }
    } else {
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        HttpResponse::build(status).content_type("application/problem+json").body(body)
    };
    for name in [RETRY_AFTER, ALLOW] {
        if let Some(value) = old.headers().get(&name) {
            new.headers_mut().insert(name, value.clone());
        }
    }
    ServiceResponse::new(request, new)
}

/// Whether an answer of ours says all there is to say; what the framework makes is plain text.
fn is_finished(response: &ServiceResponse) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/json"))
}

fn wants_html(req: &HttpRequest) -> bool {
    // What watches a hub takes any type and must not be led to a page that answers 200.
    let for_programs = req.path().starts_with("/api/") || matches!(req.path(), "/healthz" | "/readyz" | "/metrics");
    // A script of a page shows the problem's detail itself.
    let script = req.headers().get("X-Requested-With").is_some_and(|value| value.as_bytes() == b"fetch");
    !script
        && !for_programs
        && req
            .headers()
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("text/html") || value.contains("*/*"))
}

/// Errors that actix itself makes, in our own words.
fn from_status(status: StatusCode) -> AppError {
    match status {
        StatusCode::NOT_FOUND => AppError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => AppError::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => AppError::TooLarge("The body is too large.".into()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => AppError::UnsupportedType("This type is not taken here.".into()),
        StatusCode::SERVICE_UNAVAILABLE => AppError::Unavailable(2),
        status if status.is_client_error() => AppError::BadRequest("The request cannot be read.".into()),
        _ => AppError::internal("a fault of the framework"),
    }
}

async fn render(req: &HttpRequest, problem: &Problem) -> Result<HttpResponse, AppError> {
    let state = req.app_data::<web::Data<AppState>>().ok_or_else(|| AppError::internal("no state"))?;
    // The page must come even where the database does not answer.
    let known = in_time(KNOWN_WITHIN, async {
        let viewer = identify(req).await.unwrap_or(Viewer::Anonymous);
        Frame::new(state, req, &viewer).await
    });
    let frame = match known.await {
        Ok(frame) => frame,
        Err(_) => Frame::bare(state, req),
    }
    .plain();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::UNAUTHORIZED && req.method() == actix_web::http::Method::GET {
        let back: String = url::form_urlencoded::byte_serialize(frame.here.as_bytes()).collect();
        return Ok(super::frame::see_other(&format!("/login?next={back}")));
    }
    let key = match problem.status {
        401 => "sign_in",
        403 => "forbidden",
        404 if frame.signed_in() => "not_found_signed_in",
        404 => "not_found",
        405 => "method",
        409 => "conflict",
        412 => "stale",
        413 => "too_large",
        429 => "too_many",
        503 => "unavailable",
        400..=499 => "bad_request",
        _ => "internal",
    };
    let (typed, back) = (super::typed::of(req), super::typed::back(req, state));
    let page = ErrorPage { f: &frame, problem, request_id: &request_id(req), typed: &typed.0, back: &back, key };
    super::frame::page_with_status(&frame, &page, status)
}
