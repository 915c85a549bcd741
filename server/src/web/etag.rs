//! `ETag` and `If-Match`: the version of an object's editable fields.

use actix_web::HttpRequest;
use actix_web::http::header::IF_MATCH;

use super::error::{AppError, Result};

/// The entity tag of a version.
#[must_use]
pub fn of_version(version: i32) -> String {
    format!("\"v{version}\"")
}

/// Versions that one header may name.
const MOST: usize = 8;

/// The versions a client says it has; `None` without `If-Match` or with `*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfMatch(Option<[Option<i32>; MOST]>);

impl IfMatch {
    /// Reads the header, a list of tags. One that no object here could have is stale, and so is a weak
    /// one, which matches nothing (RFC 9110, 13.1.1).
    pub fn of(req: &HttpRequest) -> Result<Self> {
        let mut known = [None; MOST];
        let mut tags = 0;
        for header in req.headers().get_all(IF_MATCH) {
            let text = header.to_str().map_err(|_| AppError::Stale)?;
            for tag in text.split(',').map(str::trim) {
                if tag == "*" {
                    return Ok(Self(None));
                }
                let number = tag.strip_prefix("\"v").and_then(|rest| rest.strip_suffix('"'));
                let place = known.get_mut(tags).ok_or(AppError::Stale)?;
                *place = number.and_then(|number| number.parse().ok());
                tags += 1;
            }
        }
        if tags > 0 && known.iter().all(Option::is_none) {
            return Err(AppError::Stale);
        }
        Ok(Self((tags > 0).then_some(known)))
    }

    /// For a page's hidden field.
    #[must_use]
    pub fn version(version: Option<i32>) -> Self {
        Self(version.map(|version| {
            let mut known = [None; MOST];
            known[0] = Some(version);
            known
        }))
    }

    /// A version that was asked for, if any was.
    #[must_use]
    pub fn asked(self) -> Option<i32> {
        self.0.and_then(|known| known.into_iter().flatten().next())
    }

    /// 412 if the object is at another version.
    pub fn check(self, current: i32) -> Result<()> {
        match self.0 {
            Some(known) if !known.contains(&Some(current)) => Err(AppError::Stale),
            _ => Ok(()),
        }
    }
}
