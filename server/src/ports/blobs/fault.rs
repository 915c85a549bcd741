//! What a store's errors mean: to a client, and to the operator at the start.

use std::error::Error as _;
use std::io;

use object_store::Error;

use crate::web::error::AppError;

/// Seconds after which a client may try again.
const AWAY: u64 = 10;
/// A full disk is not mended as fast.
const FULL: u64 = 60;

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound { .. } => Self::NotFound,
            Error::InvalidPath { .. } | Error::NotImplemented { .. } | Error::NotSupported { .. } => {
                Self::Internal(Box::new(error))
            }
            _ if is_full(&error) => {
                tracing::error!(error = %chain(&error), "the file store is full");
                Self::Unavailable(FULL)
            }
            _ => {
                tracing::error!(error = %chain(&error), "the file store failed");
                Self::Unavailable(AWAY)
            }
        }
    }
}

/// Whether there is no room left.
fn is_full(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<io::Error>()
            && matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        next = cause.source();
    }
    // What a bucket answers (RFC 4918: 507).
    error.to_string().contains("507 Insufficient Storage")
}

/// Whether only the object is missing, and not the bucket.
pub(super) fn is_key_alone(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && !chain(error).contains("NoSuchBucket")
}

/// An error with its causes, as one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text.replace(['\n', '\r'], " ")
}

/// The line for the operator when the proof at the start fails.
pub(super) fn explain(error: &Error) -> String {
    let cause = chain(error);
    let short: String = cause.chars().take(300).collect();
    let refused = ["AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "403 Forbidden", "401 Unauthorized"];
    match error {
        _ if cause.contains("NoSuchBucket") || matches!(error, Error::NotFound { .. }) => {
            "PRAXIS_STORAGE_URL: there is no such bucket; make it first, or correct its name".to_owned()
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => key_refused(),
        _ if refused.iter().any(|word| cause.contains(word)) => key_refused(),
        _ if is_full(error) => "PRAXIS_STORAGE_URL: the store is full; make room first".to_owned(),
        _ => format!("PRAXIS_STORAGE_URL: the store cannot be written ({short}); check the address and AWS_ENDPOINT"),
    }
}

fn key_refused() -> String {
    "PRAXIS_STORAGE_URL: the store refuses the key; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and \
     what that key may do in the bucket"
        .to_owned()
}

pub(super) fn no_answer() -> String {
    "PRAXIS_STORAGE_URL: the store does not answer; check AWS_ENDPOINT and the network".to_owned()
}
