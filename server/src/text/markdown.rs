//! Markdown to HTML: parse, find mentions and tags in the tree, format, sanitise.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use comrak::html::format_document_with_formatter;
use comrak::nodes::{Node, NodeValue};
use comrak::options::Plugins;
use comrak::{Arena, Options, try_parse_document};

use super::budget::Deadline;
use super::format::{Page, escaped, write_node};
use super::linking::{link_words, linkable, note};
use super::mentions::{Piece, handles, pieces};
use super::{guard, outline, sanitise};

/// Far above what 60,000 characters need (some tens of milliseconds): for what nobody foresaw.
const PARSE_TIME: Duration = Duration::from_secs(1);

/// What a text is rendered against.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// Handles (lower case) that exist and the reader may know of; only these become links.
    pub members: &'a HashSet<String>,
    /// The hub's public origin without a trailing slash; links to it count as its own. May be empty.
    pub origin: &'a str,
    /// A single newline is a line break, as people expect in a chat.
    pub hard_breaks: bool,
    pub words: Words<'a>,
}

/// Words from the message catalogue that rendered texts carry for assistive technology.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Begins the name of a scrollable table, as in "Table: Drug, Dose".
    pub table: &'a str,
    /// Names the box of a finished task.
    pub done: &'a str,
    /// Names the box of an unfinished task.
    pub not_done: &'a str,
}

/// A text, ready to serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Sanitised; safe as the content of any block element.
    pub html: String,
    /// Lower-case handles written outside code, links and quotes, known or not, in order, at most
    /// 50: whom to notify. Quoting a text does not call its people again.
    pub mentions: Vec<String>,
    /// Lower-case tags in order, at most 50.
    pub tags: Vec<String>,
    /// Holds a code block.
    pub has_code: bool,
}

/// CommonMark with tables, task lists, strikethrough, autolinks, `@handle`, `#tag` and formulas
/// left alone. Never fails: what cannot be parsed in time is shown as it was written.
#[must_use]
pub fn render(source: &str, links: &Links<'_>) -> Rendered {
    if super::plain::is_plain(source) {
        return Rendered { html: super::plain::html(source), ..Rendered::default() };
    }
    render_marked(source, links)
}

/// The same for a text below a heading of its own: its highest headings come right below that, and
/// no level is left out between them.
#[must_use]
pub fn render_section(source: &str, links: &Links<'_>) -> Rendered {
    if super::plain::is_plain(source) { render(source, links) } else { marked(source, links, true) }
}

/// The whole way, for any text.
pub(super) fn render_marked(source: &str, links: &Links<'_>) -> Rendered {
    marked(source, links, false)
}

fn marked(source: &str, links: &Links<'_>, section: bool) -> Rendered {
    let source = guard::bound(source);
    // The parser and the grammars are other people's code on hostile input.
    let tried = catch_unwind(AssertUnwindSafe(|| try_render(&source, links, section)));
    tried.ok().flatten().unwrap_or_else(|| Rendered {
        html: sanitise::sanitise(&format!("<p>{}</p>", escaped(&source).replace('\n', "<br>"))),
        ..Rendered::default()
    })
}

fn try_render(source: &str, links: &Links<'_>, section: bool) -> Option<Rendered> {
    let arena = Arena::new();
    let options = options(links.hard_breaks);
    let root = parse(&arena, source, &options)?;
    if section {
        outline::settle(root);
    }
    let mut rendered = Rendered::default();
    for text in linkable(root) {
        link_words(&arena, &text, links, &mut rendered);
    }
    let mut html = String::with_capacity(source.len() * 2);
    let page =
        format_document_with_formatter(root, &options, &mut html, &Plugins::default(), write_node, Page::new(links))
            .ok()?;
    rendered.has_code = page.has_code;
    rendered.html = sanitise::sanitise(&html);
    Some(rendered)
}

/// Handles that [`render`] would ask `members` for, lower case, at most 50, quotes included: look
/// these up first.
#[must_use]
pub fn mention_candidates(source: &str) -> Vec<String> {
    if !source.contains('@') {
        return Vec::new();
    }
    let source = guard::bound(source);
    let found = catch_unwind(AssertUnwindSafe(|| {
        let arena = Arena::new();
        let root = parse(&arena, &source, &options(false))?;
        let mut found = Vec::new();
        for text in linkable(root) {
            let data = text.node.data();
            let NodeValue::Text(ref literal) = data.value else {
                continue;
            };
            for piece in pieces(literal, text.before) {
                if let Piece::Mention(written) = piece {
                    handles(written).for_each(|handle| note(&mut found, handle));
                }
            }
        }
        Some(found)
    }));
    found.ok().flatten().unwrap_or_default()
}

/// The images of a text in their order: address and alternative text; at most 1,000.
#[must_use]
pub fn images(source: &str) -> Vec<(String, String)> {
    if !source.contains("![") {
        return Vec::new();
    }
    let source = guard::bound(source);
    let found = catch_unwind(AssertUnwindSafe(|| {
        let arena = Arena::new();
        let root = parse(&arena, &source, &options(false))?;
        let mut found = Vec::new();
        for node in root.descendants() {
            let NodeValue::Image(ref link) = node.data().value else { continue };
            let mut alternative = String::new();
            for inside in node.descendants() {
                match &inside.data().value {
                    NodeValue::Text(text) => alternative.push_str(text),
                    NodeValue::Code(code) => alternative.push_str(&code.literal),
                    _ => {}
                }
            }
            found.push((link.url.clone(), alternative));
            if found.len() >= 1_000 {
                break;
            }
        }
        Some(found)
    }));
    found.ok().flatten().unwrap_or_default()
}

/// `markdown` as a quotation that names its author, ready to be answered below.
#[must_use]
pub fn quote(author_handle: &str, markdown: &str) -> String {
    let mut quoted = format!("> @{author_handle}:\n>\n");
    for line in markdown.trim_end().lines() {
        quoted.push_str(if line.trim().is_empty() { ">" } else { "> " });
        quoted.push_str(line.trim_end());
        quoted.push('\n');
    }
    quoted.push('\n');
    quoted
}

pub(super) fn options(hard_breaks: bool) -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.math_dollars = true;
    // `\@anna` and `\#tag` stay plain words: their sign is a node of its own.
    options.parse.escaped_char_spans = true;
    options.render.hardbreaks = hard_breaks;
    options
}

/// `None` when it took too long.
pub(super) fn parse<'a>(arena: &'a Arena<'a>, source: &str, options: &Options<'_>) -> Option<Node<'a>> {
    let deadline = Deadline::after(PARSE_TIME);
    try_parse_document(arena, source, options, &|| deadline.passed()).ok()
}
