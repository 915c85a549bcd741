//! Forms of pages: url-encoded, within limits, with the CSRF field checked before anything else.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::Bytes;

use super::error::{AppError, Result};

/// A form may have this many bytes: 60,000 characters, percent-encoded, and some.
pub const MOST: usize = 1 << 20;
/// Forty measures of a case study have eight fields each.
const MOST_FIELDS: usize = 400;

/// The fields of a form, in their order. A field may come several times.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// A field's text, empty if absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }

    /// A field's text without blanks around it; `None` if absent or empty.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

impl From<&super::multipart::Upload> for Form {
    fn from(upload: &super::multipart::Upload) -> Self {
        Self { fields: upload.fields().to_vec() }
    }
}

/// A form with or without a file, however it was sent. The file may have `most` bytes.
pub async fn with_file(
    req: &HttpRequest,
    payload: web::Payload,
    file_field: &str,
    most: usize,
) -> Result<(Form, Option<(String, Bytes)>)> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok((Form::from_request(req, &mut payload.into_inner()).await?, None));
    }
    let upload = super::multipart::read(req, payload, file_field, most).await?;
    let form = Form::from(&upload);
    super::typed::remember(req, &form.fields);
    super::csrf::require(req, form.some(super::csrf::FIELD)).await?;
    Ok((form, upload.file))
}

/// The fields of a url-encoded body.
#[must_use]
pub fn fields(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body)
        .take(MOST_FIELDS)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

impl FromRequest for Form {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let body = super::json::read(payload, MOST).await?;
            let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
                return Err(AppError::UnsupportedType("Send the form as application/x-www-form-urlencoded.".into()));
            }
            let form = Self { fields: fields(&body) };
            super::typed::remember(&req, &form.fields);
            super::csrf::require(&req, form.some(super::csrf::FIELD)).await?;
            Ok(form)
        })
    }
}
