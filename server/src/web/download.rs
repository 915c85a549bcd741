//! Stored bytes as an answer: streamed, in ranges, known again by their `ETag`.
//!
//! Whoever calls has decided that the viewer may have them. Nothing in them ever runs: they are
//! sandboxed and of the type that the hub says.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE};
use actix_web::{HttpRequest, HttpResponse};

use super::error::{AppError, Result};
use crate::app::AppState;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Download<'a> {
    /// Where the store has it.
    pub key: &'a str,
    /// Bytes, as its row says.
    pub size: u64,
    /// A strong one, with its quotes.
    pub etag: String,
    pub media_type: &'a str,
    /// `Content-Disposition`.
    pub disposition: String,
    /// `Cache-Control`.
    pub cache: &'static str,
}

/// What of it an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The viewer has it.
    Nothing,
    Whole,
    /// A range that begins at this byte.
    From(u64),
}

/// 200 with all of it, 206 with the range that was asked for, or 304. Errors: 404 if the bytes
/// are gone, 416 for a range after the end, 503 if the store is away.
pub async fn serve(state: &AppState, req: &HttpRequest, what: &Download<'_>) -> Result<(HttpResponse, Sent)> {
    let said = |name: HeaderName| req.headers().get(name).and_then(|value| value.to_str().ok());
    if said(IF_NONE_MATCH).is_some_and(|known| known.contains(&what.etag) || known.trim() == "*") {
        let answer = HttpResponse::NotModified()
            .insert_header((ETAG, what.etag.clone()))
            .insert_header(("Cache-Control", what.cache))
            .finish();
        return Ok((answer, Sent::Nothing));
    }
    let fresh = said(IF_RANGE).is_none_or(|known| known.trim() == what.etag);
    let range = match said(RANGE).filter(|_| fresh) {
        Some(text) => range_of(text, what.size)?,
        None => None,
    };
    let sent = range.as_ref().map_or(Sent::Whole, |range| Sent::From(range.start));
    let found = state.blobs.read(what.key, range.clone()).await?;
    let length = found.range.end.saturating_sub(found.range.start);
    let mut answer = match range {
        None => HttpResponse::Ok(),
        Some(_) => {
            let last = found.range.end.saturating_sub(1);
            let shown = format!("bytes {}-{last}/{}", found.range.start, found.size);
            let mut answer = HttpResponse::PartialContent();
            answer.insert_header(("Content-Range", shown));
            answer
        }
    };
    let answer = answer
        .content_type(what.media_type)
        .insert_header(("Accept-Ranges", "bytes"))
        // Ranges are of the bytes as they are kept.
        .insert_header(("Content-Encoding", "identity"))
        .insert_header(("Content-Disposition", what.disposition.clone()))
        .insert_header(("Content-Security-Policy", "sandbox; default-src 'none'"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header((ETAG, what.etag.clone()))
        .insert_header(("Cache-Control", what.cache))
        .body(SizedStream::new(length, found.bytes));
    Ok((answer, sent))
}

/// One range of bytes (RFC 9110, 14.1.2). Several ranges, other units and what cannot be read
/// mean all of it; a range that begins after the end is 416.
fn range_of(text: &str, size: u64) -> Result<Option<Range<u64>>> {
    let Some(spec) = text.trim().strip_prefix("bytes=").map(str::trim) else { return Ok(None) };
    let Some((first, last)) = spec.split_once('-') else { return Ok(None) };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u64>().ok() } else { None }
    };
    let range = match (first, last) {
        ("", last) => match number(last) {
            Some(count) => size.saturating_sub(count)..if count == 0 { 0 } else { size },
            None => return Ok(None),
        },
        (first, "") => match number(first) {
            Some(first) => first..size,
            None => return Ok(None),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
            _ => return Ok(None),
        },
    };
    if range.start >= range.end { Err(AppError::NotInRange(size)) } else { Ok(Some(range)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let all = None;
        for (text, range) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=10-19", Some(10..20)),
            ("bytes=90-", Some(90..100)),
            ("bytes=90-5000", Some(90..100)),
            ("bytes=-30", Some(70..100)),
            ("bytes=-5000", Some(0..100)),
            ("bytes=0-1,5-6", all.clone()),
            ("bytes=9-3", all.clone()),
            ("bytes=+1-3", all.clone()),
            ("bytes=a-b", all.clone()),
            ("bytes=99999999999999999999999-", all.clone()),
            ("bytes=-", all.clone()),
            ("bytes=", all.clone()),
            ("items=0-1", all),
        ] {
            assert_eq!(range_of(text, 100).ok(), Some(range), "{text}");
        }
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999999999999-"] {
            assert!(matches!(range_of(text, 100), Err(AppError::NotInRange(100))), "{text}");
        }
        assert!(range_of("bytes=0-", 0).is_err() && range_of("bytes=-5", 0).is_err());
    }
}
