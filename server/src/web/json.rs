//! JSON bodies: read within limits, with errors that name the field.

use std::future::Future;
use std::pin::{Pin, pin};

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::error::{AppError, FieldError, Result};
use super::idempotency::Once;
use super::pace::paced;

/// A JSON body may have this many bytes: a longest text may be written in escapes of twelve bytes a
/// character, and a case study has many parts.
pub const MOST: usize = 2 << 20;

/// A JSON body, and the `Idempotency-Key` that came with it.
#[derive(Debug)]
pub struct Json<T> {
    pub value: T,
    pub once: Option<Once>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            is_json(&req)?;
            let body = read(payload, MOST).await?;
            let value = parse(&body)?;
            Ok(Self { value, once: Once::of(&req, &body)? })
        })
    }
}

/// A JSON body that may be absent, and the `Idempotency-Key` that came with it.
#[derive(Debug)]
pub struct MaybeJson<T> {
    pub value: Option<T>,
    pub once: Option<Once>,
}

impl<T: DeserializeOwned + 'static> FromRequest for MaybeJson<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let body = read(payload, MOST).await?;
            let once = Once::of(&req, &body)?;
            if body.is_empty() {
                return Ok(Self { value: None, once });
            }
            is_json(&req)?;
            Ok(Self { value: Some(parse(&body)?), once })
        })
    }
}

fn is_json(req: &HttpRequest) -> Result<()> {
    let json = req
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .is_some_and(|value| value == "application/json" || value.ends_with("+json"));
    if json { Ok(()) } else { Err(AppError::UnsupportedType("Send application/json.".into())) }
}

/// Reads a body of at most `most` bytes.
pub async fn read(payload: Payload, most: usize) -> Result<Bytes> {
    let mut payload = pin!(paced(payload));
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| AppError::BadRequest("The body broke off, or came too slowly.".into()))?;
        if body.len() + chunk.len() > most {
            return Err(AppError::TooLarge(format!("The body may have {} kB at most.", most >> 10).into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if !inner.is_data() {
            return AppError::BadRequest("The body is not JSON.".into());
        }
        // serde says `missing field `x``: then the field is the one it names.
        let text = inner.to_string();
        let named = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
        let message = if named.is_some() { "is needed".to_owned() } else { "is not of the right type".to_owned() };
        let field = named.unwrap_or_else(|| if path == "." { "body".to_owned() } else { path });
        AppError::Invalid(vec![FieldError { field: field.into(), message }])
    })?;
    reader.end().map_err(|_| AppError::BadRequest("There is more after the JSON.".into()))?;
    Ok(value)
}
