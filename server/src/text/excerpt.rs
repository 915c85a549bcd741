//! Plain words of a text, for lists, notifications and meta descriptions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use comrak::Arena;
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{Node, NodeValue};

use super::guard::cut;
use super::markdown::{options, parse};

/// The first `max_chars` characters of Markdown (or of HTML) without markup, one line, cut at a
/// word and ended with `…` if there was more. Code blocks are left out unless nothing else is there.
/// Not escaped: a template does that.
#[must_use]
pub fn excerpt(html_or_md: &str, max_chars: usize) -> String {
    // Markup may be longer than its words, but a list needs no exact answer for a text of links.
    let source = cut(html_or_md, max_chars.saturating_mul(16).saturating_add(4_000));
    let words = catch_unwind(AssertUnwindSafe(|| {
        let arena = Arena::new();
        let root = parse(&arena, source, &options(false))?;
        let words = words(root, false, max_chars);
        Some(if words.is_empty() { self::words(root, true, max_chars) } else { words })
    }));
    let mut words = words.ok().flatten().unwrap_or_default();
    if source.len() < html_or_md.len() && words.chars().count() <= max_chars {
        words.push_str(" …");
        return shorten(words.trim(), max_chars);
    }
    shorten(&words, max_chars)
}

/// Words parted by single spaces, a little more than `max_chars` of them.
fn words(root: Node<'_>, with_code: bool, max_chars: usize) -> String {
    let mut text = Words { out: String::new() };
    for edge in root.traverse() {
        let NodeEdge::Start(node) = edge else {
            if let NodeEdge::End(node) = edge
                && node.data().value.block()
            {
                text.space();
            }
            continue;
        };
        match node.data().value {
            NodeValue::Text(ref literal) => text.push(literal),
            NodeValue::Code(ref code) => text.push(&code.literal),
            NodeValue::Math(ref math) => text.push(&math.literal),
            NodeValue::CodeBlock(ref block) if with_code => text.push(&block.literal),
            NodeValue::HtmlBlock(ref block) => text.push(&without_tags(&block.literal)),
            NodeValue::HtmlInline(ref tag) if tag.starts_with("<br") => text.space(),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.space(),
            _ => {}
        }
        if text.out.len() > max_chars.saturating_mul(4).saturating_add(100) {
            break;
        }
    }
    text.out.trim_end().to_owned()
}

struct Words {
    out: String,
}

impl Words {
    fn push(&mut self, literal: &str) {
        for c in literal.chars() {
            if c.is_whitespace() { self.space() } else { self.out.push(c) }
        }
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }
}

fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

fn shorten(words: &str, max_chars: usize) -> String {
    if words.chars().nth(max_chars).is_none() {
        return words.to_owned();
    }
    // One character is the ellipsis.
    let kept = max_chars.saturating_sub(1);
    let mut short: String = words.chars().take(kept).collect();
    let cuts_word = words.chars().nth(kept).is_some_and(|c| !c.is_whitespace());
    if cuts_word && let Some(space) = short.rfind(' ') {
        short.truncate(space);
    }
    let kept = short.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '…'));
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn words_without_markup() {
        let text = "# Falls\n\nA **bold** [link](http://x) and `code`, ![alt](y).\n\n```\nlet x;\n```\n- one\n- two";
        assert_eq!(excerpt(text, 200), "Falls A bold link and code, alt. one two");
        assert_eq!(excerpt("```\nlet x;\n```", 20), "let x;");
        assert_eq!(excerpt("<p>Some <b>old</b> HTML</p>", 50), "Some old HTML");
        assert_eq!(excerpt("a<br>b &amp; \\*c\\*", 50), "a b & *c*");
        assert_eq!(excerpt("| a | b |\n|-|-|\n| 1 | 2 |", 50), "a b 1 2");
        assert_eq!(excerpt("", 10), "");
    }

    #[test]
    fn cut_at_a_word() {
        assert_eq!(excerpt("one two three", 13), "one two three");
        assert_eq!(excerpt("one two three", 12), "one two…");
        assert_eq!(excerpt("one two, three", 9), "one two…");
        assert_eq!(excerpt("onetwothree", 5), "onet…");
        assert_eq!(excerpt("ééé ééé", 4), "ééé…");
        assert_eq!(excerpt("x", 0), "…");
        let long = excerpt(&"word ".repeat(10_000), 100);
        assert!(long.chars().count() <= 100 && long.ends_with("word…"), "{long}");
    }
}
