//! `ETag` and `If-Match`: the version of an object's editable fields.

use actix_web::HttpRequest;
use actix_web::http::header::IF_MATCH;

use super::error::{AppError, Result};

/// The entity tag of a version.
#[must_use]
pub fn of_version(version: i32) -> String {
    format!("\"v{version}\"")
}

/// The version a client says it has; `None` without `If-Match` or with `*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfMatch(Option<i32>);

impl IfMatch {
    /// Reads the header; a tag that no object here could have is stale.
    pub fn of(req: &HttpRequest) -> Result<Self> {
        let Some(header) = req.headers().get(IF_MATCH) else { return Ok(Self(None)) };
        let text = header.to_str().map_err(|_| AppError::Stale)?.trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text
            .strip_prefix("\"v")
            .and_then(|rest| rest.strip_suffix('"'))
            .and_then(|number| number.parse().ok())
            .ok_or(AppError::Stale)?;
        Ok(Self(Some(version)))
    }

    /// For a page's hidden field.
    #[must_use]
    pub const fn version(version: Option<i32>) -> Self {
        Self(version)
    }

    /// The version that was asked for, if one was.
    #[must_use]
    pub const fn asked(self) -> Option<i32> {
        self.0
    }

    /// 412 if the object is at another version.
    pub const fn check(self, current: i32) -> Result<()> {
        match self.0 {
            Some(version) if version != current => Err(AppError::Stale),
            _ => Ok(()),
        }
    }
}
