//! Plain text, Markdown and HTML.

use std::io::Write;

use super::{Out, Reason};
use crate::features::library::files::utf16;
use crate::text::html_to_markdown;

/// Bytes of HTML that are read; pages on the web are rarely longer than one.
const MOST_HTML: usize = 8 << 20;

/// A text in its encoding: UTF-8, UTF-16 with its mark, else Windows' Latin.
pub(super) fn decoded(bytes: &[u8]) -> String {
    if let Some(units) = utf16(bytes) {
        return String::from_utf16_lossy(&units);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| latin(*byte)).collect(),
    }
}

/// Windows-1252: Latin-1 with signs in place of rare control characters.
fn latin(byte: u8) -> char {
    const SIGNS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => SIGNS.get(usize::from(byte - 0x80)).copied().unwrap_or(' '),
        _ => char::from(byte),
    }
}

pub(super) fn plain<W: Write>(bytes: &[u8], out: &mut Out<W>) -> Result<(), Reason> {
    out.parts(&decoded(bytes))
}

pub(super) fn html<W: Write>(bytes: &[u8], out: &mut Out<W>) -> Result<(), Reason> {
    let text = decoded(bytes.get(..bytes.len().min(MOST_HTML)).unwrap_or_default());
    out.parts(&html_to_markdown(&text, None))?;
    if bytes.len() > MOST_HTML { Err(Reason::Large) } else { Ok(()) }
}
