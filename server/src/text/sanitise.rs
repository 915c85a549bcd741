//! The last step of every text: an allow-list of what the formatter writes, and nothing else.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::targets::{EXTERNAL_REL, is_own_file, target};

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(allow_list);

/// HTML that is safe inside any element of a page. Linear in its input for the bounded depth that
/// the formatter writes.
pub(super) fn sanitise(html: &str) -> String {
    ALLOWED.clean(html).to_string()
}

fn allow_list() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "code",
            "del",
            "div",
            "em",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "img",
            "input",
            "kbd",
            "li",
            "ol",
            "p",
            "pre",
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["class", "href", "rel", "title"])),
            ("code", HashSet::from(["class"])),
            ("div", HashSet::from(["aria-label", "class", "role", "tabindex"])),
            ("img", HashSet::from(["alt", "loading", "src", "title"])),
            ("input", HashSet::from(["aria-label", "checked", "disabled", "type"])),
            ("li", HashSet::from(["class"])),
            ("ol", HashSet::from(["start"])),
            ("pre", HashSet::from(["class", "tabindex"])),
            ("span", HashSet::from(["class"])),
            ("td", HashSet::from(["align"])),
            ("th", HashSet::from(["align", "scope"])),
        ]))
        // Whatever an input says, it is a checkbox that nobody can press.
        .set_tag_attribute_values(HashMap::from([("input", HashMap::from([("disabled", ""), ("type", "checkbox")]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .attribute_filter(filter);
    builder
}

fn filter<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let keep = match (element, attribute) {
        (_, "class") => return classes(element, value),
        ("a", "href") => target(value, "").is_some(),
        ("a", "rel") => value == EXTERNAL_REL,
        ("img", "src") => is_own_file(value),
        ("img", "loading") => value == "lazy",
        (_, "tabindex") => value == "0",
        (_, "role") => value == "group",
        (_, "scope") => value == "col",
        (_, "align") => matches!(value, "left" | "center" | "right"),
        (_, "start") => value.len() < 10 && value.bytes().all(|b| b.is_ascii_digit()),
        _ => true,
    };
    keep.then_some(Cow::Borrowed(value))
}

fn classes<'v>(element: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let known = value.split(' ').all(|class| match element {
        "a" => matches!(class, "mention" | "tag" | "remote-image"),
        "code" => class.starts_with("language-"),
        "div" => class == "table-wrap",
        "li" => class == "task",
        "pre" => class == "code",
        "span" => class.starts_with("hl-") || matches!(class, "math" | "math-display"),
        _ => false,
    });
    known.then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    #[test]
    fn nothing_active_passes() {
        for (html, safe) in [
            ("<script>alert(1)</script>x", "x"),
            ("<img src=x onerror=alert(1)>", "<img>"),
            ("<img src=\"https://evil.org/pixel\">", "<img>"),
            ("<a href=\"javascript:x\" onclick=y target=_blank>z</a>", "<a>z</a>"),
            ("<a href=\"//evil.org\" rel=\"opener\">z</a>", "<a>z</a>"),
            ("<p style=\"color:red\" id=x class=nav>y</p>", "<p>y</p>"),
            ("<h1>x</h1><svg><a xlink:href=\"javascript:x\">y</a></svg>", "x"),
            ("<div role=alert class=\"table-wrap modal\">x</div>", "<div>x</div>"),
            ("<!-- x -->y<base href=z><iframe src=a></iframe>", "y"),
        ] {
            assert_eq!(sanitise(html), safe, "{html}");
        }
        let input = sanitise("<input type=text name=q onfocus=x>");
        assert!(input.contains("type=\"checkbox\"") && input.contains("disabled") && !input.contains("name"));
    }
}
