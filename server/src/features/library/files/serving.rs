//! Giving bytes out: whole or a range, never as something that a browser would run.

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, ContentEncoding, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use actix_web::{HttpRequest, HttpResponse};

use super::types::is_inline;
use crate::app::AppState;
use crate::features::library::model::FileView;
use crate::features::people::disposition;
use crate::web::error::{AppError, Result};

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// From the first to the last byte, both included.
    Range(u64, u64),
    /// Beyond its end.
    None,
}

/// Whether an answer is one more download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    Yes,
    /// If it is the first such beginning of its viewer.
    First,
    /// The viewer has it, or it is a later part of one.
    No,
}

/// Bytes of a file that its viewer may have. `key`: where they are.
pub async fn serve(req: &HttpRequest, state: &AppState, file: &FileView, key: &str) -> Result<(HttpResponse, Counts)> {
    let etag = format!("\"{}\"", file.sha256);
    // Asked for again each time: who may read it can change.
    let cache = ("Cache-Control", "private, no-cache");
    let header =
        |name| req.headers().get(name).and_then(|value: &actix_web::http::header::HeaderValue| value.to_str().ok());
    if header(IF_NONE_MATCH).is_some_and(|known| known == "*" || known.contains(&etag)) {
        return Ok((HttpResponse::NotModified().insert_header((ETAG, etag)).insert_header(cache).finish(), Counts::No));
    }
    let size = u64::try_from(file.size).unwrap_or(0);
    // A range of something else is of no use: then the whole.
    let same = header(IF_RANGE).is_none_or(|of| of == etag);
    let part = if same { part_of(header(RANGE), size) } else { Part::Whole };
    let (status, from, last) = match part {
        Part::Whole => (StatusCode::OK, 0, size.saturating_sub(1)),
        Part::Range(from, last) => (StatusCode::PARTIAL_CONTENT, from, last),
        Part::None => return Err(AppError::NotInRange(size)),
    };
    let mut response = HttpResponse::build(status);
    response
        .content_type(shown_type(&file.media_type))
        .insert_header((CONTENT_DISPOSITION, disposition(how(&file.media_type), &file.name)))
        .insert_header(("Content-Security-Policy", "sandbox; default-src 'none'"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header((ETAG, etag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        // Ranges are of the bytes as they are.
        .insert_header(ContentEncoding::Identity)
        .insert_header(cache);
    if status == StatusCode::PARTIAL_CONTENT {
        response.insert_header((CONTENT_RANGE, format!("bytes {from}-{last}/{size}")));
    }
    let reading = state.blobs.read(key, Some(from..last + 1)).await?;
    let counts = match part {
        Part::Whole => Counts::Yes,
        Part::Range(0, _) => Counts::First,
        Part::Range(..) | Part::None => Counts::No,
    };
    Ok((response.body(SizedStream::new(last + 1 - from, reading.bytes)), counts))
}

const fn how_word(inline: bool) -> &'static str {
    if inline { "inline" } else { "attachment" }
}

fn how(media_type: &str) -> &'static str {
    how_word(is_inline(media_type))
}

/// Texts say how they are written; what a browser would run is called plain bytes.
fn shown_type(media_type: &str) -> String {
    match media_type {
        "text/html" | "image/svg+xml" | "application/xml" => "application/octet-stream".to_owned(),
        _ => media_type.to_owned(),
    }
}

/// One range of bytes (RFC 9110, section 14.1.2); several, and what is no range, mean the whole.
fn part_of(header: Option<&str>, size: u64) -> Part {
    let Some(asked) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Part::Whole };
    if asked.contains(',') {
        return Part::Whole;
    }
    let Some((from, last)) = asked.trim().split_once('-') else { return Part::Whole };
    let number =
        |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    match (from.is_empty(), last.is_empty()) {
        (true, true) => Part::Whole,
        (true, false) => match number(last) {
            None => Part::Whole,
            Some(0) => Part::None,
            Some(_) if size == 0 => Part::None,
            Some(count) => Part::Range(size.saturating_sub(count), size - 1),
        },
        (false, _) => {
            let end = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match (number(from), end) {
                (Some(from), Some(last)) if from > last => Part::Whole,
                (Some(from), Some(_)) if from >= size => Part::None,
                (Some(from), Some(last)) => Part::Range(from, last.min(size - 1)),
                _ => Part::Whole,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, part) in [
            (None, Part::Whole),
            (Some("bytes=0-"), Part::Range(0, 9)),
            (Some("bytes=2-4"), Part::Range(2, 4)),
            (Some("bytes=5-99"), Part::Range(5, 9)),
            (Some("bytes=-3"), Part::Range(7, 9)),
            (Some("bytes=-99"), Part::Range(0, 9)),
            (Some("bytes=10-"), Part::None),
            (Some("bytes=-0"), Part::None),
            (Some("bytes=4-2"), Part::Whole),
            (Some("bytes=0-1,3-4"), Part::Whole),
            (Some("bytes=a-b"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("lines=0-1"), Part::Whole),
            (Some("bytes=99999999999999999999999-"), Part::Whole),
        ] {
            assert_eq!(part_of(header, 10), part, "{header:?}");
        }
        assert_eq!(part_of(Some("bytes=-5"), 0), Part::None);
    }

    #[test]
    fn nothing_that_runs_is_shown_in_place() {
        for kind in ["text/html", "image/svg+xml", "application/pdf", "application/xml", "text/plain"] {
            assert_eq!(how(kind), "attachment", "{kind}");
        }
        assert_eq!(how("image/png"), "inline");
        assert_eq!(shown_type("image/svg+xml"), "application/octet-stream");
    }
}
