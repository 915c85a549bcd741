//! Giving bytes out: whole or a range, never as something that a browser would run.

use actix_web::{HttpRequest, HttpResponse};

use super::types::is_inline;
use crate::app::AppState;
use crate::features::library::model::FileView;
use crate::features::people::disposition;
use crate::web::download::{self, Download, Sent};
use crate::web::error::Result;

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
    let what = Download {
        key,
        size: u64::try_from(file.size).unwrap_or(0),
        etag: format!("\"{}\"", file.sha256),
        media_type: shown_type(&file.media_type),
        disposition: disposition(how(&file.media_type), &file.name),
        // Asked for again each time: who may read it can change.
        cache: "private, no-cache",
    };
    let (answer, sent) = download::serve(state, req, &what).await?;
    let counts = match sent {
        Sent::Whole => Counts::Yes,
        Sent::From(0) => Counts::First,
        Sent::From(_) | Sent::Nothing => Counts::No,
    };
    Ok((answer, counts))
}

const fn how_word(inline: bool) -> &'static str {
    if inline { "inline" } else { "attachment" }
}

fn how(media_type: &str) -> &'static str {
    how_word(is_inline(media_type))
}

/// Texts say how they are written; what a browser would run is called plain bytes.
fn shown_type(media_type: &str) -> &str {
    match media_type {
        "text/html" | "image/svg+xml" | "application/xml" => "application/octet-stream",
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_shown_in_place() {
        for kind in ["text/html", "image/svg+xml", "application/pdf", "application/xml", "text/plain"] {
            assert_eq!(how(kind), "attachment", "{kind}");
        }
        assert_eq!(how("image/png"), "inline");
        assert_eq!(shown_type("image/svg+xml"), "application/octet-stream");
    }
}
