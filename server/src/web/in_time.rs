//! Around every handler: whoever asks is answered in time, whatever the database does.
//!
//! The database ends what takes too long by itself, and says so. Where its host is silent nothing
//! comes at all, and a request would hang until the network gives the connection up.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError as _};

use super::error::AppError;
use super::headers::route_of;
use crate::store::{ANSWER_WITHIN, note_lost};

/// A write reads first, then waits for its turn and its commit, which have a limit of their own.
pub(super) const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

/// How long a request may take; an upload takes as long as its sender does.
fn limit(req: &HttpRequest) -> Option<Duration> {
    if req.method().is_safe() {
        return Some(ANSWER_WITHIN);
    }
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (!kind.starts_with("multipart/")).then_some(WRITTEN_WITHIN)
}

/// Ends a request that takes too long with 503. What it had given to the writer goes on.
pub async fn around(req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let Some(limit) = limit(req.request()) else { return next.call(req).await };
    // It is routed already: nothing needs the request for itself from here on.
    let request = req.request().clone();
    if let Ok(answered) = tokio::time::timeout(limit, next.call(req)).await {
        return answered;
    }
    note_lost();
    tracing::error!(route = route_of(&request), seconds = limit.as_secs(), "a request was not answered in time");
    let refused = AppError::Unavailable(2).error_response();
    Ok(ServiceResponse::new(request, refused))
}
