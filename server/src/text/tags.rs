//! What a tag is: letters and digits of any script, with `_`, `+`, `.` and `-` between them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a tag.
pub const TAG_MAX: usize = 40;

/// A tag as it is kept and compared: small letters, composed (NFC), so that `Été` is one tag
/// however a keyboard writes it.
#[must_use]
pub fn fold_tag(word: &str) -> String {
    word.to_lowercase().nfc().collect()
}

/// Whether a folded word could be a tag.
#[must_use]
pub fn is_tag(word: &str) -> bool {
    word.chars().count() <= TAG_MAX && word.starts_with(char::is_alphanumeric) && word.chars().all(in_tag)
}

/// Whether a tag may hold this character. Marks belong to letters: without them words of many
/// scripts break in the middle.
#[must_use]
pub fn in_tag(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '_' | '+' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_any_script() {
        for word in ["été", "ünï", "безопасность", "हिन्दी", "日本語", "c++", "v1.2", "2fa"]
        {
            assert!(is_tag(&fold_tag(word)), "{word}");
        }
        for word in ["", "-a", "a b", "a#b", "a/b", "\u{301}a", "a\u{202e}b", "🔥"] {
            assert!(!is_tag(word), "{word}");
        }
        assert!(is_tag(&"é".repeat(40)) && !is_tag(&"é".repeat(41)));
        assert_eq!(fold_tag("E\u{301}TE\u{301}"), "été");
    }
}
