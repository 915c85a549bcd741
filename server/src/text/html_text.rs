//! Words of foreign HTML, marked where Markdown would take them for markup and the converter does
//! not see it: formulas, sums of money, entities written as text, tags, bare URLs.

use super::targets::{Target, target};

/// Stands for a backslash that the converter must not double; a private character, taken out of
/// the input first.
pub(super) const ESCAPE: char = '\u{e0f0}';
const MATH_MAX: usize = 2_000;

/// Text of HTML (entities as they are) with what Markdown would misread marked.
pub(super) fn protect(text: &str, in_link: bool, out: &mut String) {
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        let mut taken = c.len_utf8();
        match c {
            ESCAPE => {}
            '$' => {
                if let Some((formula, class, length)) = formula(rest) {
                    let formula = formula.replace(['\n', '\r'], " ");
                    out.extend(["<span class=\"math ", class, "\">", &formula, "</span>"]);
                    taken = length;
                } else {
                    out.extend([ESCAPE, '$']);
                }
            }
            // `&amp;lt;` is the text `&lt;`, which Markdown would decode again.
            '&' if names_entity(tail) => out.extend([ESCAPE, '&']),
            '#' if tail.starts_with(|c: char| c.is_ascii_alphanumeric()) && before != Some('&') => {
                out.extend([ESCAPE, '#']);
            }
            '~' if before != Some('/') => out.extend([ESCAPE, '~']),
            'h' if !in_link && before.is_none_or(|c: char| !c.is_alphanumeric()) => match bare_url(rest) {
                Some(url) => {
                    out.extend(["<a href=\"", &url.replace('"', "%22"), "\">", url, "</a>"]);
                    taken = url.len();
                }
                None => out.push(c),
            },
            c => out.push(c),
        }
        before = Some(c);
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// A MathJax formula at the front: what is between the signs, its class and its whole length.
fn formula(rest: &str) -> Option<(&str, &'static str, usize)> {
    let (sign, class) = if rest.starts_with("$$") { ("$$", "math-display") } else { ("$", "math-inline") };
    let inner = rest.get(sign.len()..)?;
    let (inner, after) = inner.split_once(sign)?;
    let blank = |c: char| c.is_whitespace();
    if inner.trim().is_empty() || inner.len() > MATH_MAX || inner.contains("\n\n") {
        return None;
    }
    // Sums of money: `$5 and $10`.
    let money = inner.starts_with(blank) || inner.ends_with(blank) || after.starts_with(|c: char| c.is_ascii_digit());
    if sign == "$" && (money || inner.ends_with('\\')) {
        return None;
    }
    Some((inner, class, inner.len() + 2 * sign.len()))
}

/// `1)` at the front, and what follows the number.
pub(super) fn numbered(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, after) = text.split_at_checked(end)?;
    ((1..=9).contains(&end) && after.starts_with(')')).then_some((number, after))
}

fn names_entity(tail: &str) -> bool {
    let Some(name) = tail.strip_prefix("amp;") else {
        return false;
    };
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(name.len());
    (2..=31).contains(&end) && name.get(end..).is_some_and(|after| after.starts_with(';'))
}

fn bare_url(rest: &str) -> Option<&str> {
    let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    let url = rest.get(..end)?.split("&lt;").next()?.split("&gt;").next()?;
    let mut url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
    if url.ends_with(')') && !url.contains('(') {
        url = url.trim_end_matches(')');
    }
    let host = url.split_once("://")?.1;
    let known = matches!(target(url, ""), Some(Target::External(_)));
    (known && host.starts_with(|c: char| c.is_alphanumeric())).then_some(url)
}
