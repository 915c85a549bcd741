//! The short way for what most messages are: one line of words without any markup.
//!
//! Invariant: what this renders, the whole way renders to the same bytes; a property test holds
//! them together. Whatever might mean something is not plain.

/// Longer texts go the whole way.
const MOST: usize = 1000;

/// Whether a text is one paragraph of plain words. It begins with a letter, so that it is no list,
/// quotation or heading, and holds no sign that could begin a link, a mention or markup.
pub(super) fn is_plain(source: &str) -> bool {
    let mut chars = source.chars();
    source.len() <= MOST
        && chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| {
            c.is_alphanumeric() || matches!(c, ' ' | ',' | '.' | '?' | '!' | ';' | '(' | ')' | '-' | '\'' | '%' | '+')
        })
        && !source.ends_with(' ')
        && !has_address(source)
}

/// `www.` begins a link.
fn has_address(source: &str) -> bool {
    source.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"www."))
}

/// Nothing in a plain text needs escaping.
pub(super) fn html(source: &str) -> String {
    let mut html = String::with_capacity(source.len() + 8);
    html.push_str("<p>");
    html.push_str(source);
    html.push_str("</p>\n");
    html
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::markdown::render_marked;
    use super::super::{Links, Words, render};
    use super::is_plain;

    fn both(source: &str, hard_breaks: bool) -> (super::super::Rendered, super::super::Rendered) {
        let members = HashSet::new();
        let words = Words { table: "Table", done: "done", not_done: "to do" };
        let links = Links { members: &members, origin: "https://hub.org", hard_breaks, words };
        (render(source, &links), render_marked(source, &links))
    }

    proptest! {
        #[test]
        fn the_short_way_and_the_whole_way_are_one(source in "[a-zA-Zéß漢]{1,3}[a-zA-Z0-9éß漢 ,.?!;()'%+:/_*<&@#~$-]{0,40}") {
            let (short, whole) = both(&source, true);
            prop_assert_eq!(short, whole);
        }

        #[test]
        fn plain_texts_are_the_same(source in "[A-Za-zéß]([a-z0-9éß ,.?!;()'%+wW-]{0,60}[a-z.!?])?", hard in any::<bool>()) {
            prop_assert!(is_plain(&source) || source.to_lowercase().contains("www."));
            let (short, whole) = both(&source, hard);
            prop_assert_eq!(short, whole);
        }
    }

    #[test]
    fn what_may_mean_something_is_not_plain() {
        for text in [
            "",
            " a",
            "a ",
            "1. a",
            "- a",
            "# a",
            "> a",
            "a@b.org",
            "http://x.org",
            "see www.x.org",
            "a *b*",
            "a_b_",
            "a\nb",
            "`a`",
            "~~a~~",
            "a &amp; b",
            "a <b>",
            "a | b",
            "$a$",
            "\u{a0}a",
            "a\u{a0}b",
            "a \\ b",
            "[a]",
        ] {
            assert!(!is_plain(text), "{text}");
        }
        for text in
            ["Hello", "Shall we meet at 9, or later?", "It's 100% done (I think)!", "déjà vu", "a  b", "so - yes"]
        {
            assert!(is_plain(text), "{text}");
        }
    }
}
