//! From the tree of a text to HTML: what differs from the parser's own formatter, and why.
//!
//! - Headings go two levels down: a page has one `h1`, its sections own `h2`.
//! - An image from elsewhere would tell its host who reads what: it becomes a link.
//! - What can scroll (code, tables) can be reached by keyboard.
//! - Raw HTML is shown, not obeyed, except `<br>` and simple pairs (see [`super::markdown`]).

use std::fmt::{self, Write};

use comrak::html::{ChildRendering, Context, format_node_default};
use comrak::nodes::{Node, NodeCodeBlock, NodeLink, NodeMath, NodeTaskItem, NodeValue};

use super::highlight::Highlighter;
use super::markdown::Links;
use super::table;
use super::targets::{EXTERNAL_REL, Target, is_own_file, target};

/// Lists, quotes and emphasis inside each other; deeper ones lose their element, not their words.
/// Sanitising and browsers get slow, or overflow, on thousands.
const MAX_DEPTH: usize = 24;
const LANGUAGE_MAX: usize = 30;
const ALT_MAX: usize = 1_000;

type Step = Result<ChildRendering, fmt::Error>;

/// What the formatter carries through one document.
pub(super) struct Page<'a> {
    pub(super) links: &'a Links<'a>,
    pub(super) has_code: bool,
    pub(super) table_labels: Vec<String>,
    highlighter: Highlighter,
    depth: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(links: &'a Links<'a>) -> Self {
        Self { links, has_code: false, table_labels: Vec::new(), highlighter: Highlighter::new(), depth: 0 }
    }
}

pub(super) fn write_node(context: &mut Context<Page<'_>>, node: Node<'_>, entering: bool) -> Step {
    if too_deep(context, node, entering) {
        return Ok(ChildRendering::HTML);
    }
    match node.data().value {
        NodeValue::Heading(ref heading) => {
            let level = heading.level.saturating_add(2).min(6);
            if entering {
                context.cr()?;
                write!(context, "<h{level}>")?;
            } else {
                writeln!(context, "</h{level}>")?;
            }
            Ok(ChildRendering::HTML)
        }
        NodeValue::Link(ref link) => write_link(context, node, link, entering),
        NodeValue::Image(ref image) => write_image(context, node, image, entering),
        NodeValue::CodeBlock(ref block) => write_code(context, block, entering),
        NodeValue::Math(ref math) => write_math(context, math, entering),
        NodeValue::TaskItem(ref task) => write_task(context, node, task, entering),
        NodeValue::Table(_) => {
            if entering {
                table::open(context, node)?;
            }
            format_node_default(context, node, entering)?;
            if !entering {
                context.write_str("</div>\n")?;
            }
            Ok(ChildRendering::HTML)
        }
        NodeValue::HtmlBlock(ref block) => {
            if entering {
                context.cr()?;
                let shown = escaped(block.literal.trim_end()).replace('\n', "<br>\n");
                writeln!(context, "<p>{shown}</p>")?;
            }
            Ok(ChildRendering::HTML)
        }
        NodeValue::HtmlInline(ref literal) => {
            if entering {
                context.escape(literal)?;
            }
            Ok(ChildRendering::HTML)
        }
        _ => format_node_default(context, node, entering),
    }
}

fn too_deep(context: &mut Context<Page<'_>>, node: Node<'_>, entering: bool) -> bool {
    let depth = &mut context.user.depth;
    match node.data().value {
        NodeValue::BlockQuote | NodeValue::List(_) | NodeValue::Emph | NodeValue::Strong | NodeValue::Strikethrough => {
            if entering {
                *depth += 1;
                *depth > MAX_DEPTH
            } else {
                let deep = *depth > MAX_DEPTH;
                *depth = depth.saturating_sub(1);
                deep
            }
        }
        // An item goes where its list went.
        NodeValue::Item(_) | NodeValue::TaskItem(_) => *depth > MAX_DEPTH,
        _ => false,
    }
}

fn write_link(context: &mut Context<Page<'_>>, node: Node<'_>, link: &NodeLink, entering: bool) -> Step {
    let Some(to) = target(&link.url, context.user.links.origin) else {
        return Ok(ChildRendering::HTML);
    };
    if entering {
        let picture =
            |only: Node<'_>| only.next_sibling().is_none() && matches!(only.data().value, NodeValue::Image(_));
        open_link(context, &to, if node.first_child().is_some_and(picture) { "remote-image" } else { "" })?;
        if !link.title.is_empty() {
            context.write_str(" title=\"")?;
            context.escape(&link.title)?;
            context.write_str("\"")?;
        }
        context.write_str(">")?;
    } else {
        context.write_str("</a>")?;
    }
    Ok(ChildRendering::HTML)
}

/// Writes `<a …` without its `>`.
fn open_link(context: &mut Context<Page<'_>>, to: &Target<'_>, class: &str) -> fmt::Result {
    context.write_str("<a")?;
    if !class.is_empty() {
        write!(context, " class=\"{class}\"")?;
    }
    context.write_str(" href=\"")?;
    context.escape_href(to.url())?;
    context.write_str("\"")?;
    if matches!(to, Target::External(_)) {
        write!(context, " rel=\"{EXTERNAL_REL}\"")?;
    }
    Ok(())
}

fn write_image(context: &mut Context<Page<'_>>, node: Node<'_>, image: &NodeLink, entering: bool) -> Step {
    if !entering {
        return Ok(ChildRendering::HTML);
    }
    let alt = table::text_of(node, ALT_MAX);
    let to = target(&image.url, context.user.links.origin);
    let own = to.as_ref().map(Target::url).filter(|url| is_own_file(url));
    if let Some(url) = own {
        context.write_str("<img src=\"")?;
        context.escape_href(url)?;
        context.write_str("\" alt=\"")?;
        context.escape(&alt)?;
        context.write_str("\" loading=\"lazy\">")?;
        return Ok(ChildRendering::Skip);
    }
    let words = if alt.is_empty() { image.url.as_str() } else { alt.as_str() };
    // A link in a link is not HTML: the outer one keeps the words.
    let in_link = node.ancestors().skip(1).take(MAX_DEPTH).any(|up| matches!(up.data().value, NodeValue::Link(_)));
    match to {
        Some(to) if !in_link => {
            open_link(context, &to, "remote-image")?;
            context.write_str(">")?;
            context.escape(words)?;
            context.write_str("</a>")?;
        }
        _ => context.escape(words)?,
    }
    Ok(ChildRendering::Skip)
}

fn write_code(context: &mut Context<Page<'_>>, block: &NodeCodeBlock, entering: bool) -> Step {
    if !entering {
        return Ok(ChildRendering::HTML);
    }
    context.user.has_code = true;
    let language = block.info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{')).next().unwrap_or_default();
    let plain =
        language.len() <= LANGUAGE_MAX && language.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+#.-".contains(&b));
    let language = if plain { language } else { "" };
    let highlighted = context.user.highlighter.highlight(language, &block.literal);
    context.cr()?;
    context.write_str("<pre class=\"code\" tabindex=\"0\"><code")?;
    if !language.is_empty() {
        write!(context, " class=\"language-{}\"", language.to_ascii_lowercase())?;
    }
    context.write_str(">")?;
    match highlighted {
        Some(html) => context.write_str(&html)?,
        None => context.escape(&block.literal)?,
    }
    context.write_str("</code></pre>\n")?;
    Ok(ChildRendering::HTML)
}

/// Formulas are shown as they were written: knowing them only keeps `_` and `*` inside from being
/// emphasis. A false find (`US$`) reads the same.
fn write_math(context: &mut Context<Page<'_>>, math: &NodeMath, entering: bool) -> Step {
    if entering {
        let (class, sign) = if math.display_math { ("math math-display", "$$") } else { ("math", "$") };
        write!(context, "<span class=\"{class}\">{sign}")?;
        context.escape(&math.literal)?;
        write!(context, "{sign}</span>")?;
    }
    Ok(ChildRendering::HTML)
}

fn write_task(context: &mut Context<Page<'_>>, node: Node<'_>, task: &NodeTaskItem, entering: bool) -> Step {
    let in_list = node.parent().is_some_and(|parent| matches!(parent.data().value, NodeValue::List(_)));
    if !in_list {
        return Ok(ChildRendering::HTML);
    }
    if entering {
        let done = task.symbol.is_some();
        let words = context.user.links.words;
        context.cr()?;
        context.write_str("<li class=\"task\"><input type=\"checkbox\" disabled")?;
        context.write_str(if done { " checked aria-label=\"" } else { " aria-label=\"" })?;
        context.escape(if done { words.done } else { words.not_done })?;
        context.write_str("\"> ")?;
    } else {
        context.write_str("</li>\n")?;
    }
    Ok(ChildRendering::HTML)
}

/// Text as HTML, for element content and quoted attributes.
pub(super) fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
}

pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    escape(text, &mut html);
    html
}
