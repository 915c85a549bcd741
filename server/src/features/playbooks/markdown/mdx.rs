//! MDX to Markdown: components become the text that they show, so that nothing is lost.
//!
//! What stands in code blocks and code spans is left alone. Scripts and styles have no text.

use std::fmt::Write as _;

use super::headings::Fences;

/// A component or an HTML element.
#[derive(Debug, Default)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    closes: bool,
    /// `<br/>`
    alone: bool,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.trim().is_empty())
    }
}

/// Markdown of a page, and the tags of its `Tags` components.
#[must_use]
pub fn plain_markdown(source: &str) -> (String, Vec<String>) {
    let (mut out, mut tags) = (String::with_capacity(source.len()), Vec::new());
    let mut fences = Fences::default();
    let mut rest = source;
    let mut closings: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        // Line by line for fences, sign by sign for tags: a tag may reach over lines.
        if out.is_empty() || out.ends_with('\n') {
            let line = rest.lines().next().unwrap_or_default();
            if fences.inside(line) {
                let end = line.len() + usize::from(rest.len() > line.len());
                out.push_str(rest.get(..end).unwrap_or(rest));
                rest = rest.get(end..).unwrap_or_default();
                continue;
            }
            if closings.is_empty()
                && (line.starts_with("import ") || line.starts_with("export "))
                && line.contains(['\'', '"', '{'])
            {
                rest = rest.get(line.len()..).unwrap_or_default().trim_start_matches('\n');
                continue;
            }
        }
        let stop = rest.find(['<', '`', '\n']).unwrap_or(rest.len());
        out.push_str(rest.get(..stop).unwrap_or(rest));
        rest = rest.get(stop..).unwrap_or_default();
        if rest.starts_with('`') {
            let code = code_span(rest);
            out.push_str(rest.get(..code).unwrap_or(rest));
            rest = rest.get(code..).unwrap_or_default();
        } else if rest.starts_with('\n') {
            out.push('\n');
            rest = rest.get(1..).unwrap_or_default();
        } else if let Some((tag, length)) = tag_at(rest) {
            rest = rest.get(length..).unwrap_or_default();
            rest = show(&tag, rest, &mut out, &mut tags, &mut closings);
        } else if let Some(sign) = rest.chars().next() {
            out.push(sign);
            rest = rest.get(sign.len_utf8()..).unwrap_or_default();
        }
    }
    (tidy(&out), tags)
}

/// Bytes of a code span, or of its signs if it does not end in its paragraph.
fn code_span(text: &str) -> usize {
    let signs = text.bytes().take_while(|byte| *byte == b'`').count();
    let fence = "`".repeat(signs);
    let paragraph = text.find("\n\n").unwrap_or(text.len());
    let inner = text.get(signs..paragraph).unwrap_or_default();
    let mut from = 0;
    while let Some(at) = inner.get(from..).and_then(|part| part.find(&fence)) {
        let start = from + at;
        let run = inner.get(start..).unwrap_or_default().bytes().take_while(|byte| *byte == b'`').count();
        if run == signs {
            return signs + start + signs;
        }
        from = start + run;
    }
    signs
}

/// The tag that a text begins with, and its bytes.
fn tag_at(text: &str) -> Option<(Tag, usize)> {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut tag = Tag::default();
    if bytes.get(at) == Some(&b'/') {
        tag.closes = true;
        at += 1;
    }
    let name = text.get(at..)?;
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')).count();
    let name = name.get(..length)?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    name.clone_into(&mut tag.name);
    at += length;
    // `<https://…>` and `<a@b.c>` are links of Markdown.
    if !matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'>' | b'/')) {
        return None;
    }
    loop {
        at += text.get(at..)?.bytes().take_while(u8::is_ascii_whitespace).count();
        match bytes.get(at)? {
            b'>' => return Some((tag, at + 1)),
            b'/' if bytes.get(at + 1) == Some(&b'>') => {
                tag.alone = true;
                return Some((tag, at + 2));
            }
            b'/' => at += 1,
            _ => at += attribute(text.get(at..)?, &mut tag)?,
        }
    }
}

/// Reads one attribute; its bytes.
fn attribute(text: &str, tag: &mut Tag) -> Option<usize> {
    let length =
        text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_')).count();
    if length == 0 {
        return None;
    }
    let name = text.get(..length)?.to_owned();
    let mut at = length;
    at += text.get(at..)?.bytes().take_while(u8::is_ascii_whitespace).count();
    if text.as_bytes().get(at) != Some(&b'=') {
        tag.attributes.push((name, String::new()));
        return Some(length);
    }
    at += 1;
    at += text.get(at..)?.bytes().take_while(u8::is_ascii_whitespace).count();
    let value = text.get(at..)?;
    let (value, bytes) = match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let inner = value.get(1..)?;
            let end = inner.find(quote)?;
            (inner.get(..end)?.to_owned(), end + 2)
        }
        '{' => {
            let end = braces(value)?;
            (value.get(1..end)?.trim().to_owned(), end + 1)
        }
        _ => {
            let end = value.find(|c: char| c.is_whitespace() || c == '>')?;
            (value.get(..end)?.to_owned(), end)
        }
    };
    tag.attributes.push((name, value));
    Some(at + bytes)
}

/// Where the brace that a text begins with is closed; quotes and template texts are skipped.
fn braces(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_u32, None);
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The texts of a JavaScript list or text: `['a','b']`, `` `a` ``.
fn texts(value: &str) -> Vec<String> {
    let (mut found, mut now, mut quote) = (Vec::new(), String::new(), None);
    for c in value.chars() {
        match quote {
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => {}
            Some(open) if c == open => {
                found.push(std::mem::take(&mut now));
                quote = None;
            }
            Some(_) => now.push(c),
        }
    }
    found
}

/// A value as text: that of a template or quotation, else as it stands.
fn text_of(value: &str) -> String {
    let found = texts(value);
    if value.starts_with(['"', '\'', '`', '[']) && !found.is_empty() { found.join(", ") } else { value.to_owned() }
}

/// Attributes that are seen, in the order in which they are told.
const HEADS: [&str; 3] = ["title", "name", "label"];
const TEXTS: [&str; 8] = ["role", "subtitle", "summary", "description", "text", "bio", "caption", "content"];

/// Puts what a tag shows; what is left of the source.
fn show<'a>(
    tag: &Tag,
    rest: &'a str,
    out: &mut String,
    tags: &mut Vec<String>,
    closings: &mut Vec<(String, String)>,
) -> &'a str {
    let name = tag.name.to_ascii_lowercase();
    if tag.closes {
        if let Some(place) = closings.iter().rposition(|(open, _)| *open == name) {
            let after: Vec<(String, String)> = closings.split_off(place);
            if let Some((_, closing)) = after.first() {
                out.push_str(closing);
            }
        }
        return rest;
    }
    let closing = match name.as_str() {
        "br" => {
            // In a row of a table a line break would end the row.
            let row = out.rsplit('\n').next().is_some_and(|line| line.contains('|'));
            out.push_str(if row { " " } else { "\n" });
            return rest;
        }
        "script" | "style" if !tag.alone => {
            let end = format!("</{name}>");
            let lower = rest.to_ascii_lowercase();
            return lower.find(&end).and_then(|at| rest.get(at + end.len()..)).unwrap_or_default();
        }
        "hr" => {
            out.push_str("\n\n---\n\n");
            return rest;
        }
        "tags" => {
            for (_, value) in tag.attributes.iter().filter(|(name, _)| name == "tags") {
                tags.extend(texts(value));
            }
            String::new()
        }
        "a" => match tag.get("href") {
            Some(address) => {
                out.push('[');
                format!("]({})", address.replace(' ', "%20").replace(')', "%29"))
            }
            None => String::new(),
        },
        "img" => {
            let _infallible =
                write!(out, "![{}]({})", tag.get("alt").unwrap_or_default(), tag.get("src").unwrap_or_default());
            return rest;
        }
        "strong" | "b" => wrap(out, "**"),
        "em" | "i" => wrap(out, "*"),
        "figcaption" | "caption" => {
            out.push_str("\n\n");
            "\n\n".to_owned()
        }
        "p" | "div" | "figure" | "section" | "center" => {
            out.push_str("\n\n");
            "\n\n".to_owned()
        }
        "sup" | "sub" | "span" | "u" | "small" => String::new(),
        _ => {
            out.push_str("\n\n");
            component(tag, out);
            "\n\n".to_owned()
        }
    };
    if tag.alone {
        out.push_str(&closing);
    } else {
        closings.push((name, closing));
    }
    rest
}

fn wrap(out: &mut String, sign: &str) -> String {
    out.push_str(sign);
    sign.to_owned()
}

/// What a component says by its attributes.
fn component(tag: &Tag, out: &mut String) {
    for head in HEADS.iter().filter_map(|name| tag.get(name)) {
        let _infallible = write!(out, "**{}**\n\n", text_of(head));
    }
    let image = tag.get("image").or_else(|| tag.get("src"));
    if let Some(image) = image {
        let alternative = tag.get("imageAlt").or_else(|| tag.get("alt")).unwrap_or_default();
        let _infallible = write!(out, "![{}]({image})\n\n", text_of(alternative));
    }
    for text in TEXTS.iter().filter_map(|name| tag.get(name)) {
        // A text of a component may hold elements itself.
        let (inner, _) = plain_markdown(&text_of(text));
        let unindented: Vec<&str> = inner.lines().map(str::trim).collect();
        let _infallible = write!(out, "{}\n\n", unindented.join("\n"));
    }
    if let Some(address) = tag.get("href").or_else(|| tag.get("url")) {
        let _infallible = write!(out, "<{address}>\n\n");
    }
}

/// No more than one empty line in a row, but in code.
fn tidy(text: &str) -> String {
    let (mut out, mut empty) = (String::with_capacity(text.len()), 0);
    let mut fences = Fences::default();
    for line in text.lines() {
        if !fences.inside(line) && line.trim().is_empty() {
            empty += 1;
            if empty > 1 {
                continue;
            }
            out.push('\n');
            continue;
        }
        empty = 0;
        out.push_str(line);
        out.push('\n');
    }
    out
}
