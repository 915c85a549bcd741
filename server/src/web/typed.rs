//! What somebody typed into a form that is refused: the error page gives it back.
//!
//! Only texts that others would read anyway, by name; never a password or a token.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, REFERER};
use actix_web::{HttpMessage as _, HttpRequest};

use super::error::{AppError, Result};
use super::frame::local_path;
use super::in_time::WRITTEN_WITHIN;
use super::viewer::identify;
use crate::app::AppState;
use crate::store::{ANSWER_WITHIN, in_time};

const FIELDS: [&str; 8] = ["title", "tags", "body", "note", "about", "description", "message", "welcome"];

/// The texts of a form: name and text, in the order above.
#[derive(Clone, Debug, Default)]
pub struct Typed(pub Vec<(&'static str, String)>);

/// Keeps the texts of a form beside its request.
pub fn remember(req: &HttpRequest, fields: &[(String, String)]) {
    let texts = FIELDS.into_iter().filter_map(|name| {
        let (_, text) = fields.iter().find(|(field, text)| field == name && !text.trim().is_empty())?;
        Some((name, text.clone()))
    });
    req.extensions_mut().insert(Typed(texts.collect()));
}

/// What was typed, if the request brought a form.
#[must_use]
pub fn of(req: &HttpRequest) -> Typed {
    req.extensions().get::<Typed>().cloned().unwrap_or_default()
}

/// Whoever is signed out is refused before a handler reads the form, so it is read here.
pub async fn keep(req: &mut ServiceRequest) -> Result<()> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = kind.starts_with("application/x-www-form-urlencoded");
    if *req.method() != Method::POST || !form || req.path().starts_with("/api/") {
        return Ok(());
    }
    // No handler's limit in time is around this yet.
    if in_time(ANSWER_WITHIN, identify(req.request())).await?.member().is_some() {
        return Ok(());
    }
    let slow = || AppError::BadRequest("The form comes too slowly.".into());
    let read = super::json::read(req.take_payload(), super::form::MOST);
    let body = tokio::time::timeout(WRITTEN_WITHIN, read).await.map_err(|_| slow())??;
    remember(req.request(), &super::form::fields(&body));
    let again = futures_util::stream::once(async move { Ok(body) });
    req.set_payload(Payload::Stream { payload: Box::pin(again) });
    Ok(())
}

/// The page the form was on, else the one it was sent to.
#[must_use]
pub fn back(req: &HttpRequest, state: &AppState) -> String {
    let from = req.headers().get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = from.strip_prefix(state.origin()).unwrap_or_else(|| req.path());
    local_path(path).to_owned()
}
