//! Prepares foreign HTML for the converter, which knows nothing of formulas, loses code that is not
//! in its favourite form, and recurses. Works on the source, since the converter keeps its tree
//! closed: a scanner of tags and text, forgiving as browsers are.

use super::html_text::{ESCAPE, numbered, protect};

/// Of elements inside each other. The converter recurses, and a browser's own rules are quadratic.
const MAX_DEPTH: usize = 60;

/// The same document, so that the converter gets it right: code in `<pre><code class=language-…>`
/// without inner tags, formulas in the span it leaves alone, bare URLs as links, no scripts, no
/// comments, bounded depth.
pub(super) fn prepare(html: &str) -> String {
    let mut scan =
        Scan { out: String::with_capacity(html.len() + html.len() / 8), line_start: true, ..Scan::default() };
    let mut rest = html;
    while !rest.is_empty() {
        let text_end = rest.find('<').unwrap_or(rest.len());
        let (text, markup) = rest.split_at_checked(text_end).unwrap_or((rest, ""));
        scan.text(text);
        rest = scan.markup(markup);
    }
    scan.finish()
}

#[derive(Default)]
struct Scan {
    out: String,
    in_pre: bool,
    in_code: bool,
    in_link: bool,
    /// The next text begins a line.
    line_start: bool,
    depth: usize,
    tables: usize,
    /// No `>` is left, so no `<` begins a tag.
    no_more_tags: bool,
    /// From a `<!-- language: lang-py -->` before its block.
    language: Option<String>,
}

impl Scan {
    fn text(&mut self, text: &str) {
        if self.in_pre || self.in_code {
            self.out.extend(text.chars().filter(|c| *c != ESCAPE));
            return;
        }
        let mut text = text;
        if self.line_start {
            text = text.trim_start();
            if let Some((number, after)) = numbered(text) {
                // The converter knows `1.` only.
                self.out.extend([number, ESCAPE.encode_utf8(&mut [0; 4])]);
                text = after;
            } else if matches!(text.trim_end(), "-" | "+" | "--" | "---") {
                self.out.push(ESCAPE);
            }
            self.line_start = text.is_empty();
        }
        protect(text, self.in_link, &mut self.out);
    }

    /// Takes one tag or comment off the front of `markup` and returns what follows it.
    fn markup<'h>(&mut self, markup: &'h str) -> &'h str {
        let Some(inner) = markup.strip_prefix('<') else {
            return markup;
        };
        if let Some(comment) = inner.strip_prefix("!--") {
            let (comment, rest) = comment.split_once("-->").unwrap_or((comment, ""));
            if let Some(language) = comment.trim().strip_prefix("language:") {
                self.language = language_of(language);
            }
            return rest;
        }
        let named = inner.strip_prefix('/').unwrap_or(inner).starts_with(|c: char| c.is_ascii_alphabetic());
        let end = if named && !self.no_more_tags { tag_end(inner) } else { None };
        self.no_more_tags |= named && end.is_none();
        let Some((tag, rest)) = end.and_then(|end| Some((inner.get(..end)?, inner.get(end + 1..)?))) else {
            self.out.push_str("&lt;");
            return inner;
        };
        self.tag(tag, rest)
    }

    fn tag<'h>(&mut self, tag: &str, rest: &'h str) -> &'h str {
        let closing = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let name: String =
            name.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" | "template" | "noscript" | "iframe" | "object" | "svg" | "math" | "title" => {
                return if closing { rest } else { after_end_of(&name, rest) };
            }
            "pre" => self.pre(closing, tag),
            "br" if self.in_pre => self.out.push('\n'),
            // Inside code there are only letters.
            "code" if self.in_pre => {
                if let Some(language) = (!closing).then(|| language_of(tag)).flatten() {
                    self.set_language(&language);
                }
            }
            _ if self.in_pre => {}
            "code" | "tt" | "samp" => {
                if closing == self.in_code {
                    self.in_code = !closing;
                    self.out.push_str(if closing { "</code>" } else { "<code>" });
                }
            }
            _ if self.in_code && !is_block(&name) => {}
            _ => {
                self.end_code();
                self.line_start |= name == "br" || is_block(&name);
                if name == "a" {
                    self.in_link = !closing;
                }
                self.nested(&name, closing, tag);
            }
        }
        rest
    }

    fn pre(&mut self, closing: bool, tag: &str) {
        self.end_code();
        if closing {
            if self.in_pre {
                self.out.push_str("</code></pre>");
            }
        } else if !self.in_pre {
            let language = language_of(tag).or(self.language.take());
            self.out.push_str("<pre><code>");
            if let Some(language) = language {
                self.set_language(&language);
            }
        }
        self.in_pre = !closing;
    }

    /// Known only from the inner `<code class>`, when `<pre><code>` is written already.
    fn set_language(&mut self, language: &str) {
        if self.out.ends_with("<pre><code>") {
            self.out.truncate(self.out.len() - 1);
            self.out.extend([" class=\"language-", language, "\">"]);
        }
    }

    fn nested(&mut self, name: &str, closing: bool, tag: &str) {
        // A table within a cell is layout: Markdown has none, its words stay.
        self.tables += usize::from(name == "table" && !closing);
        let inner = self.tables > 1 && is_table(name);
        self.tables = self.tables.saturating_sub(usize::from(name == "table" && closing));
        if inner {
            self.out.push(' ');
            return;
        }
        // These close themselves when the next begins, so they do not nest, or have no end at all.
        let counts = !matches!(
            name,
            "p" | "li"
                | "dt"
                | "dd"
                | "tr"
                | "td"
                | "th"
                | "thead"
                | "tbody"
                | "tfoot"
                | "br"
                | "hr"
                | "img"
                | "input"
                | "col"
                | "meta"
                | "link"
                | "wbr"
                | "area"
                | "base"
                | "embed"
                | "source"
                | "track"
                | "option"
        );
        if counts && closing {
            self.depth = self.depth.saturating_sub(1);
        }
        if !counts || self.depth < MAX_DEPTH {
            self.out.extend(["<", tag, ">"]);
        }
        if counts && !closing {
            self.depth += 1;
        }
    }

    fn end_code(&mut self) {
        if std::mem::take(&mut self.in_code) {
            self.out.push_str("</code>");
        }
    }

    fn finish(mut self) -> String {
        self.end_code();
        if self.in_pre {
            self.out.push_str("</code></pre>");
        }
        self.out
    }
}

/// The `>` that ends a tag, not one inside a quoted attribute.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, b) in tag.bytes().enumerate() {
        match (b, quote) {
            (b'>', None) => return Some(at),
            (b'"' | b'\'', None) => quote = Some(b),
            (b, Some(open)) if b == open => quote = None,
            _ => {}
        }
    }
    // A quote that never ends: the first `>` it is.
    tag.find('>')
}

fn after_end_of<'h>(name: &str, rest: &'h str) -> &'h str {
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|tail| tail.find("</")).map(|at| from + at + 2) {
        let tail = rest.get(at..).unwrap_or_default();
        if tail.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return tail.split_once('>').map_or("", |(_, after)| after);
        }
        from = at;
    }
    ""
}

/// `lang-py` or `language-py`, in a tag or a comment.
fn language_of(tag: &str) -> Option<String> {
    let start = ["language-", "lang-"].iter().find_map(|sign| tag.split_once(sign))?.1;
    let name: String = start.chars().take_while(|c| c.is_ascii_alphanumeric() || "+#_".contains(*c)).collect();
    (!name.is_empty() && name.len() <= 20 && name != "none").then(|| name.to_ascii_lowercase())
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "ul"
            | "ol"
            | "li"
            | "blockquote"
            | "table"
            | "tr"
            | "td"
            | "th"
            | "hr"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "dl"
            | "dt"
            | "dd"
            | "section"
            | "article"
    )
}

fn is_table(name: &str) -> bool {
    matches!(name, "table" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" | "caption" | "col" | "colgroup")
}
