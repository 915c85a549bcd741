//! One error for the whole program, and what a client sees of it.
//!
//! Internal texts go to the log with their chain of sources, never to a client. Whether a client
//! gets `application/problem+json` (RFC 9457) or a page is decided in `error_page`.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{Fault, fault, note_lost};

/// One field of an input and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Name of the field as sent.
    pub field: Cow<'static, str>,
    /// What is wrong and what would be right, for a person.
    pub message: String,
}

/// Something in a text that its author should look at before it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Field the finding is in.
    pub field: Cow<'static, str>,
    /// What was found, for a person.
    pub message: String,
    /// The passage, at most 80 characters.
    pub excerpt: String,
}

/// Why something was not done.
#[derive(Debug)]
pub enum AppError {
    /// 400: the request cannot be read.
    BadRequest(Cow<'static, str>),
    /// 401: sign in first.
    Unauthenticated,
    /// 403: may not.
    Forbidden(Cow<'static, str>),
    /// 404: is not there, or not for this viewer; the two look alike.
    NotFound,
    /// 405: not this method.
    MethodNotAllowed,
    /// 409: does not fit what is there now.
    Conflict(Cow<'static, str>),
    /// 409 with code `confirm`: the same write with `confirmed: true` goes through.
    Confirm(Vec<Finding>),
    /// 412: `If-Match` names another version.
    Stale,
    /// 413: too many bytes; the limit for a person.
    TooLarge(Cow<'static, str>),
    /// 415: not a type this route takes.
    UnsupportedType(Cow<'static, str>),
    /// 416: a range of bytes that begins after the end; the object's bytes.
    NotInRange(u64),
    /// 422: fields with errors.
    Invalid(Vec<FieldError>),
    /// 429: come back after so many seconds.
    TooMany(u64),
    /// 503: a part that is needed is away; come back after so many seconds.
    Unavailable(u64),
    /// 500: our fault; the text is for the log alone.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

pub type Result<T, E = AppError> = std::result::Result<T, E>;

impl AppError {
    /// One wrong field.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// An internal fault with a text of our own.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into().into())
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::Confirm(_) => StatusCode::CONFLICT,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotInRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What a client may read of it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let status = self.status();
        let (detail, errors, code, findings) = match self {
            Self::BadRequest(detail)
            | Self::Forbidden(detail)
            | Self::Conflict(detail)
            | Self::TooLarge(detail)
            | Self::UnsupportedType(detail) => (detail.to_string(), None, None, None),
            Self::Unauthenticated => ("Sign in first.".into(), None, None, None),
            Self::NotFound => ("Nothing is here, or it is not for you to see.".into(), None, None, None),
            Self::MethodNotAllowed => ("This address does not take that method.".into(), None, None, None),
            Self::Confirm(findings) => (
                "Look at these passages; send the same again with confirmed: true to keep them.".into(),
                None,
                Some("confirm"),
                Some(findings.clone()),
            ),
            Self::Stale => ("It has changed since you read it; read it again.".into(), None, None, None),
            Self::Invalid(errors) => {
                let fields: Vec<&str> = errors.iter().map(|e| e.field.as_ref()).collect();
                (format!("Please correct: {}.", fields.join(", ")), Some(errors.clone()), None, None)
            }
            Self::NotInRange(size) => (format!("It has {size} bytes; the range begins after them."), None, None, None),
            Self::TooMany(seconds) => (format!("Too many requests; come back in {seconds} s."), None, None, None),
            Self::Unavailable(seconds) => {
                (format!("A part of the hub is away; come back in {seconds} s."), None, None, None)
            }
            Self::Internal(_) => ("Something went wrong here. It has been logged.".into(), None, None, None),
        };
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            errors,
            code,
            findings,
        }
    }
}

/// RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    /// With 422: the fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
    /// `confirm`: the same write with `confirmed: true` goes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(source) => write!(f, "internal: {source}"),
            other => f.write_str(&other.problem().detail),
        }
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Internal(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl From<sea_orm::DbErr> for AppError {
    fn from(error: sea_orm::DbErr) -> Self {
        match fault(&error) {
            Fault::Lost => {
                note_lost();
                tracing::error!(%error, "the connection to the database is lost");
                Self::Unavailable(2)
            }
            Fault::Away | Fault::Late => {
                tracing::error!(%error, "the database does not serve us");
                Self::Unavailable(2)
            }
            // The writer looks into it, to run the transaction again.
            Fault::Collision | Fault::Ours => Self::Internal(Box::new(error)),
        }
    }
}

macro_rules! internal_from {
    ($($kind:ty),+ $(,)?) => {
        $(impl From<$kind> for AppError {
            fn from(error: $kind) -> Self { Self::Internal(Box::new(error)) }
        })+
    };
}
internal_from!(serde_json::Error, askama::Error, actix_web::error::BlockingError);

impl From<std::io::Error> for AppError {
    fn from(error: std::io::Error) -> Self {
        stored(Box::new(error))
    }
}

/// A fault of what stores files: a full disk passes, the rest is ours.
fn stored(error: Box<dyn std::error::Error + Send + Sync>) -> AppError {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(of) = cause {
        let kind = of.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(StorageFull | QuotaExceeded | ReadOnlyFilesystem)) {
            tracing::error!(%error, "there is no room for files");
            return AppError::Unavailable(60);
        }
        cause = of.source();
    }
    AppError::Internal(error)
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Internal(source) = self {
            // Another write stood in the way of a read: nothing is broken.
            let database = source.downcast_ref::<sea_orm::DbErr>();
            if let Some(error) = database.filter(|error| fault(error) == Fault::Collision) {
                tracing::warn!(%error, "the database was busy");
                return Self::Unavailable(1).error_response();
            }
            let mut chain = source.to_string();
            let mut next = source.source();
            while let Some(cause) = next {
                chain.push_str(": ");
                chain.push_str(&cause.to_string());
                next = cause.source();
            }
            tracing::error!(error = %chain, "internal error");
        }
        let problem = self.problem();
        let mut builder = HttpResponse::build(self.status());
        builder.content_type("application/problem+json");
        if let Self::TooMany(seconds) | Self::Unavailable(seconds) = self {
            builder.insert_header(("Retry-After", seconds.to_string()));
        }
        if let Self::NotInRange(size) = self {
            builder.insert_header(("Content-Range", format!("bytes */{size}")));
        }
        if matches!(self, Self::Unauthenticated) {
            builder.insert_header(("WWW-Authenticate", "Bearer"));
        }
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = builder.body(body);
        response.extensions_mut().insert(problem);
        response
    }
}
