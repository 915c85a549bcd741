//! What a file is, by its content. A name only tells apart what the bytes cannot: kinds of text.

use crate::web::error::{AppError, Result};

/// Bytes at the beginning that are looked at.
pub const HEAD: usize = 64 << 10;
/// Bytes at the end that are looked at: there an archive lists its files.
pub const TAIL: usize = 64 << 10;

const MB: usize = 1 << 20;

pub const PDF: &str = "application/pdf";
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
pub const ODT: &str = "application/vnd.oasis.opendocument.text";
pub const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
pub const ODP: &str = "application/vnd.oasis.opendocument.presentation";
pub const HTML: &str = "text/html";
pub const MARKDOWN: &str = "text/markdown";
pub const CSV: &str = "text/csv";
pub const TSV: &str = "text/tab-separated-values";
pub const PLAIN: &str = "text/plain";
pub const JSON: &str = "application/json";
const SVG: &str = "image/svg+xml";
const XML: &str = "application/xml";
const ZIP: &str = "application/zip";
const BYTES: &str = "application/octet-stream";

/// What a file of a type may weigh, bytes.
#[must_use]
pub fn limit_of(media_type: &str) -> usize {
    match media_type.split('/').next() {
        Some("image" | "text") => 25 * MB,
        Some("video" | "audio") => 500 * MB,
        _ if media_type == ZIP || media_type == BYTES => 250 * MB,
        _ => 100 * MB,
    }
}

/// Whether a browser may show it in place: pictures without any way to run something.
#[must_use]
pub fn is_inline(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// How the text of a type is taken out, if it is.
#[must_use]
pub fn extraction_of(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        PDF => "pdf",
        DOCX => "docx",
        PPTX => "pptx",
        XLSX | ODS => "sheet",
        ODT | ODP => "odf",
        HTML => "html",
        MARKDOWN | PLAIN | JSON => "text",
        CSV => "csv",
        TSV => "tsv",
        _ => return None,
    })
}

/// The type of a file by how it begins; 415 for programs.
pub fn sniff(name: &str, head: &[u8]) -> Result<&'static str> {
    if is_program(head) {
        return Err(AppError::UnsupportedType("Programs are not taken; send a document, data or an archive.".into()));
    }
    // A PDF may have some bytes before its mark.
    let start = head.get(..head.len().min(1024)).unwrap_or_default();
    if start.windows(5).any(|part| part == b"%PDF-") {
        return Ok(PDF);
    }
    if let Some(text) = text_of(head) {
        return Ok(kind_of_text(name, &text));
    }
    Ok(infer::get(head).map_or(BYTES, |kind| known(kind.mime_type())))
}

/// The same once the end is known: what an archive holds says what it is.
#[must_use]
pub fn settle(media_type: &'static str, head: &[u8], tail: &[u8]) -> &'static str {
    if !head.starts_with(b"PK\x03\x04") {
        return media_type;
    }
    // OpenDocument says first what it is (part 3 of the format, 3.3).
    for kind in [ODT, ODS, ODP] {
        let said = format!("mimetype{kind}");
        if head.get(30..30 + said.len()).is_some_and(|part| part == said.as_bytes()) {
            return kind;
        }
    }
    let holds = |name: &[u8]| [tail, head].iter().any(|part| part.windows(name.len()).any(|at| at == name));
    if !holds(b"[Content_Types].xml") {
        return media_type;
    }
    for (name, kind) in
        [(b"word/document.xml".as_slice(), DOCX), (b"xl/workbook.", XLSX), (b"ppt/presentation.xml", PPTX)]
    {
        if holds(name) {
            return kind;
        }
    }
    ZIP
}

fn is_program(head: &[u8]) -> bool {
    use infer::app;
    // Two letters are no program yet: a table may well begin with the column MZ.
    (app::is_exe(head) && text_of(head).is_none())
        || head.starts_with(b"\x7fELF")
        || app::is_mach(head)
        || app::is_java(head)
        || app::is_dex(head)
        || app::is_wasm(head)
}

/// Types that are kept by their name; everything else is only bytes.
fn known(mime: &'static str) -> &'static str {
    match mime {
        "application/epub+zip" => "application/epub+zip",
        "application/x-ole-storage" => "application/msword",
        _ if mime.starts_with("image/") || mime.starts_with("video/") || mime.starts_with("audio/") => mime,
        _ if mime.starts_with("application/vnd.openxmlformats-") || mime.starts_with("application/vnd.oasis.") => ZIP,
        "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint" | "application/rtf" => mime,
        ZIP
        | "application/gzip"
        | "application/x-7z-compressed"
        | "application/x-tar"
        | "application/x-bzip2"
        | "application/x-xz"
        | "application/vnd.rar"
        | "application/zstd" => mime,
        _ => BYTES,
    }
}

/// The beginning as text, if it is text: UTF-8, UTF-16 with its mark, or an old code page.
fn text_of(head: &[u8]) -> Option<String> {
    if let Some(units) = utf16(head) {
        return String::from_utf16(&units).ok();
    }
    if head.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c | 0x1b)) {
        return None;
    }
    match std::str::from_utf8(head) {
        Ok(text) => Some(text.to_owned()),
        // Cut inside a character.
        Err(error) if error.error_len().is_none() => {
            Some(String::from_utf8_lossy(head.get(..error.valid_up_to()).unwrap_or_default()).into_owned())
        }
        // An old code page has few letters beyond ASCII; something packed has half of its bytes there.
        Err(_) if head.iter().filter(|byte| !byte.is_ascii()).count() * 5 < head.len() => {
            Some(head.iter().map(|byte| char::from(*byte)).collect())
        }
        Err(_) => None,
    }
}

/// The units of UTF-16 with its mark, either way round.
#[must_use]
pub fn utf16(bytes: &[u8]) -> Option<Vec<u16>> {
    let big = bytes.starts_with(&[0xfe, 0xff]);
    if !big && !bytes.starts_with(&[0xff, 0xfe]) {
        return None;
    }
    let unit = |pair: &[u8]| match *pair {
        [a, b] if big => u16::from_be_bytes([a, b]),
        [a, b] => u16::from_le_bytes([a, b]),
        _ => 0,
    };
    Some(bytes.get(2..)?.chunks_exact(2).map(unit).collect())
}

fn kind_of_text(name: &str, text: &str) -> &'static str {
    let start: String =
        text.trim_start_matches('\u{feff}').trim_start().chars().take(2000).collect::<String>().to_lowercase();
    if start.starts_with('<') {
        if ["<!doctype html", "<html", "<head", "<body", "<script"].iter().any(|tag| start.contains(tag)) {
            return HTML;
        }
        if start.contains("<svg") {
            return SVG;
        }
        if start.starts_with("<?xml") {
            return XML;
        }
    }
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("md" | "mdx" | "markdown") => MARKDOWN,
        Some("csv") => CSV,
        Some("tsv" | "tab") => TSV,
        Some("htm" | "html" | "xhtml") => HTML,
        Some("json" | "geojson" | "ipynb") => JSON,
        Some("rtf") if start.starts_with("{\\rtf") => "application/rtf",
        _ => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Option<&'static str> {
        sniff(name, bytes).ok().map(|kind| settle(kind, bytes, bytes))
    }

    #[test]
    fn content_decides_and_names_only_tell_texts_apart() {
        assert_eq!(of("x.txt", b"%PDF-1.7\n\x00\x01"), Some(PDF));
        assert_eq!(of("x.pdf", b"\nsome bytes first %PDF-1.4"), Some(PDF));
        assert_eq!(of("report.pdf", b"Just words."), Some(PLAIN));
        assert_eq!(of("x.docx", b"Just words."), Some(PLAIN));
        assert_eq!(of("x.txt", b"  <!DOCTYPE html><p>"), Some(HTML));
        assert_eq!(of("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>"), Some(SVG).map(|_| HTML));
        assert_eq!(of("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Some(SVG));
        assert_eq!(of("a.csv", b"a,b\n1,2"), Some(CSV));
        assert_eq!(of("a.md", b"# A"), Some(MARKDOWN));
        assert_eq!(of("a.csv", b"\x89PNG\r\n\x1a\n\0\0"), Some("image/png"));
        assert_eq!(of("a.csv", b"na\xefve,caf\xe9 and more words\n"), Some(CSV), "an old code page");
        assert_eq!(of("a.txt", b"\xff\xfea\0b\0"), Some(PLAIN));
        assert_eq!(of("a", b"\x00\x01\x02\x03"), Some(BYTES));
    }

    #[test]
    fn programs_are_not_taken() {
        assert_eq!(of("x.pdf", b"MZ\x90\0\x03"), None);
        assert_eq!(of("x.csv", b"MZ,Count\n100.1,3\n"), Some(CSV));
        assert_eq!(of("x.txt", b"\x7fELF\x02\x01\x01\0"), None);
        assert_eq!(
            of("x.txt", b"\x7fELF\x02\x01\x01\0 and the rest of it, which has to be long enough to be looked at"),
            None
        );
    }

    #[test]
    fn archives_are_what_they_hold() {
        let mut odt = b"PK\x03\x04\x14\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0".to_vec();
        odt.extend_from_slice(b"mimetypeapplication/vnd.oasis.opendocument.text");
        assert_eq!(of("x.zip", &odt), Some(ODT));
        let mut docx = b"PK\x03\x04\x14\0\0\x08".to_vec();
        docx.extend_from_slice(b"....[Content_Types].xml....word/document.xml");
        assert_eq!(of("x.xlsx", &docx), Some(DOCX));
        assert_eq!(of("x.docx", b"PK\x03\x04\x14\0\0\x08 nothing of an office"), Some(ZIP));
    }

    #[test]
    fn only_pictures_are_shown_in_place() {
        assert!(
            is_inline("image/png")
                && !is_inline(SVG)
                && !is_inline(HTML)
                && !is_inline(PDF)
                && !is_inline("text/plain")
        );
    }
}
