//! HTML of other communities, as Markdown that reads and edits well here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ammonia::Url;
use htmd::element_handler::{HandlerResult, Handlers};
use htmd::options::{BulletListMarker, Options};
use htmd::{Element, HtmlToMarkdown};

use super::excerpt::excerpt;
use super::guard::cut;
use super::html_source::prepare;
use super::html_text::ESCAPE;

const MAX_BYTES: usize = 400_000;
/// Parts the cells of a row until the table is put together; refused in every input.
const CELL: char = '\u{e0f1}';
/// A line break, until it is known what follows it. White space, so that emphasis ends before it.
const BREAK: char = '\u{2028}';
/// What Stack Exchange writes where nobody described the picture.
const NO_ALT: &str = "enter image description here";

/// Markdown for [`super::render`]. Code blocks become fences with their language, formulas stay as
/// written, a picture stays `![alt](url)` (which is rendered as a link), `<kbd>`, `<sub>` and
/// `<sup>` stay themselves. Relative URLs are resolved against `base_url`. Never fails: HTML that
/// the converter cannot take gives its words.
#[must_use]
pub fn html_to_markdown(html: &str, base_url: Option<&str>) -> String {
    let prepared = prepare(&cut(html, MAX_BYTES).replace([CELL, BREAK, '\0'], ""));
    let base = base_url.and_then(|url| Url::parse(url).ok());
    let converted = catch_unwind(AssertUnwindSafe(|| converter(base).convert(&prepared)));
    match converted {
        Ok(Ok(markdown)) => breaks(&markdown).replace(ESCAPE, "\\"),
        _ => excerpt(html, MAX_BYTES),
    }
}

fn converter(base: Option<Url>) -> HtmlToMarkdown {
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    let image_base = base.clone();
    HtmlToMarkdown::builder()
        .options(options)
        .add_handler(vec!["a"], move |handlers: &dyn Handlers, element: Element<'_>| {
            link(handlers, &element, base.as_ref())
        })
        .add_handler(vec!["img"], move |_: &dyn Handlers, element: Element<'_>| image(&element, image_base.as_ref()))
        .add_handler(vec!["br"], |_: &dyn Handlers, _: Element<'_>| Some(format!("{BREAK}\n").into()))
        .add_handler(vec!["kbd", "sub", "sup"], |handlers: &dyn Handlers, element: Element<'_>| {
            let words = inline(handlers, &element);
            let tag = element.tag;
            (!words.trim().is_empty()).then(|| format!("<{tag}>{}</{tag}>", words.trim()).into())
        })
        .add_handler(vec!["del", "s", "strike"], |handlers: &dyn Handlers, element: Element<'_>| {
            let words = inline(handlers, &element);
            (!words.trim().is_empty()).then(|| format!("~~{}~~", words.trim()).into())
        })
        .add_handler(vec!["td", "th"], |handlers: &dyn Handlers, element: Element<'_>| {
            let words = inline(handlers, &element).replace(['|', CELL], "\\|");
            Some(format!(" {} {CELL}", words.trim()).into())
        })
        .add_handler(vec!["tr"], |handlers: &dyn Handlers, element: Element<'_>| {
            let cells = inline(handlers, &element);
            Some(format!("\n{CELL}{}\n", cells.trim_end()).into())
        })
        .add_handler(vec!["table"], |handlers: &dyn Handlers, element: Element<'_>| {
            Some(table(&handlers.walk_children(element.node).content).into())
        })
        .add_handler(vec!["thead", "tbody", "tfoot"], |handlers: &dyn Handlers, element: Element<'_>| {
            Some(handlers.walk_children(element.node))
        })
        .build()
}

/// Content on one line.
fn inline(handlers: &dyn Handlers, element: &Element<'_>) -> String {
    let content = handlers.walk_children(element.node).content;
    content.replace(BREAK, "").replace('\n', " ")
}

fn link(handlers: &dyn Handlers, element: &Element<'_>, base: Option<&Url>) -> Option<HandlerResult> {
    let words = inline(handlers, element);
    let Some(url) = attribute(element, "href").and_then(|href| resolve(&href, base)) else {
        return Some(words.into());
    };
    let written = words.trim();
    let plain = written.replace(['\\', ESCAPE], "");
    if written.is_empty() {
        return None;
    }
    // The address as its own words: shorter, and nothing in it is markup.
    if plain == url || format!("{plain}/") == url {
        return Some(format!("<{plain}>").into());
    }
    let url = url.replace('(', "\\(").replace(')', "\\)");
    let space = if words.ends_with(' ') { " " } else { "" };
    Some(format!("[{written}]({url}){space}").into())
}

fn image(element: &Element<'_>, base: Option<&Url>) -> Option<HandlerResult> {
    let url = attribute(element, "src").and_then(|src| resolve(&src, base))?;
    let alt = attribute(element, "alt").unwrap_or_default();
    let alt = if alt.trim() == NO_ALT { String::new() } else { plain_alt(&alt) };
    let url = url.replace('(', "\\(").replace(')', "\\)");
    Some(format!("![{}]({url})", alt.trim()).into())
}

fn plain_alt(alt: &str) -> String {
    let mut plain = String::with_capacity(alt.len());
    for c in alt.chars().filter(|c| *c != ESCAPE) {
        if matches!(c, '[' | ']' | '\\' | '`' | '*' | '_' | '<' | '&' | '$') {
            plain.push('\\');
        }
        plain.push(if c.is_whitespace() { ' ' } else { c });
    }
    plain
}

/// Absolute http(s) or mail address, percent-encoded, so without spaces; `None` for anything else.
fn resolve(href: &str, base: Option<&Url>) -> Option<String> {
    let url = match base {
        Some(base) => base.join(href.trim()).ok()?,
        None => Url::parse(href.trim()).ok()?,
    };
    matches!(url.scheme(), "http" | "https" | "mailto").then(|| url.to_string())
}

fn attribute(element: &Element<'_>, name: &str) -> Option<String> {
    let found = element.attrs.iter().find(|attribute| &*attribute.name.local == name);
    found.map(|attribute| attribute.value.to_string())
}

/// Rows come as lines that begin with the mark of a cell; the first is the head, as Markdown has no
/// tables without one. Anything else, as a caption, goes in front.
fn table(content: &str) -> String {
    let (mut rows, mut words) = (String::new(), String::new());
    for line in content.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with(CELL) {
            words.extend([line, "\n\n"]);
            continue;
        }
        let head = rows.is_empty();
        rows.extend([line, "\n"]);
        if head {
            let columns = line.matches(CELL).count().saturating_sub(1);
            rows.extend(["|", &" --- |".repeat(columns), "\n"]);
        }
    }
    format!("\n\n{words}{}\n", rows.replace(CELL, "|"))
}

/// A break within a paragraph is a backslash at the line's end (two spaces do not survive editors);
/// one at the paragraph's end is nothing, several are a new paragraph.
fn breaks(markdown: &str) -> String {
    if !markdown.contains(BREAK) {
        return markdown.to_owned();
    }
    let mut broken = String::with_capacity(markdown.len());
    let mut lines = markdown.lines().peekable();
    let mut after_blank = true;
    while let Some(line) = lines.next() {
        let words = line.trim_end_matches(' ').strip_suffix(BREAK).map(str::trim_end);
        let ends = lines.peek().is_none_or(|next| is_blank(next));
        match words {
            Some(prefix) if is_blank(prefix) => {
                if after_blank {
                    continue;
                }
                broken.push_str(prefix);
            }
            Some(words) => broken.extend([words, if ends || words.starts_with('#') { "" } else { "\\" }]),
            None => broken.push_str(line),
        }
        after_blank = words.is_some_and(is_blank);
        broken.push('\n');
    }
    broken.replace(BREAK, "").trim_end().to_owned()
}

/// Nothing but the marks of a quote and breaks.
fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || c == '>' || c == BREAK)
}
