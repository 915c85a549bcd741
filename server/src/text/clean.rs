//! The one normaliser for every string from outside: form fields, JSON, imports.

use std::fmt;

/// Why a string was refused. `Display` is English and for logs; interfaces word it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// NUL or another control character; its code point.
    Control { code: u32 },
    /// Both in characters.
    TooLong { length: usize, limit: usize },
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control { code } => write!(f, "contains the control character U+{code:04X}"),
            Self::TooLong { length, limit } => write!(f, "is {length} characters long, at most {limit} are allowed"),
        }
    }
}

impl std::error::Error for TextFault {}

/// `\r\n` and `\r` become `\n`; empty space around goes, but not the indentation of a first line,
/// which means code in Markdown. In a single line, white space of any kind becomes one space and
/// characters that turn the writing direction of what follows are dropped: in a name they could
/// make a page read wrong. Empty is allowed.
///
/// # Errors
/// [`TextFault::Control`] for control characters other than `\n`, `\r` and `\t`,
/// [`TextFault::TooLong`] when the result has more than `max_chars` characters.
pub fn clean(input: &str, max_chars: usize, single_line: bool) -> Result<String, TextFault> {
    if let Some(c) = input.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextFault::Control { code: u32::from(c) });
    }
    let text = if single_line { one_line(input) } else { many_lines(input) };
    // Bytes first: only a text that might be too long is counted.
    if text.len() > max_chars {
        let length = text.chars().count();
        if length > max_chars {
            return Err(TextFault::TooLong { length, limit: max_chars });
        }
    }
    Ok(text)
}

fn one_line(input: &str) -> String {
    let mut line = String::with_capacity(input.len());
    for c in input.chars().filter(|c| !turns_direction(*c)) {
        if !c.is_whitespace() {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.trim_matches(is_blank).to_owned()
}

fn many_lines(input: &str) -> String {
    let text = input.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end_matches(is_blank);
    let start = text.find(|c| !is_blank(c)).unwrap_or(text.len());
    let line = text.get(..start).and_then(|blank| blank.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(line..).unwrap_or_default().trim_start_matches('\u{feff}').to_owned()
}

/// White space, and what looks like nothing: a title of zero-width spaces is empty.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        assert_eq!(clean("  a\r\nb\rc\n ", 10, false).as_deref(), Ok("  a\nb\nc"));
        assert_eq!(clean("\n\n    code\n", 10, false).as_deref(), Ok("    code"));
        assert_eq!(clean("\u{feff}x", 10, false).as_deref(), Ok("x"));
        assert_eq!(clean(" a \n\t b\u{2028}c ", 10, true).as_deref(), Ok("a b c"));
        assert_eq!(clean("a\u{202e}b\u{2066}c", 3, true).as_deref(), Ok("abc"));
        assert_eq!(clean("a\u{202e}b", 3, false).as_deref(), Ok("a\u{202e}b"));
        assert_eq!(clean(" \u{200b} ", 3, true).as_deref(), Ok(""));
        assert_eq!(clean(" \n\n ", 3, false).as_deref(), Ok(""));
    }

    #[test]
    fn refuses() {
        assert_eq!(clean("a\0", 5, false), Err(TextFault::Control { code: 0 }));
        assert_eq!(clean("a\u{9b}", 5, true), Err(TextFault::Control { code: 0x9b }));
        assert_eq!(clean("ééé", 3, true).as_deref(), Ok("ééé"));
        let fault = clean("éééé", 3, true);
        assert_eq!(fault, Err(TextFault::TooLong { length: 4, limit: 3 }));
        assert_eq!(fault.map_err(|f| f.to_string()), Err("is 4 characters long, at most 3 are allowed".to_owned()));
    }
}
