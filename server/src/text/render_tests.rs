//! What a member writes and what others see.

use std::collections::HashSet;

use super::{Links, Rendered, Words, mention_candidates, quote, render, render_section};

fn rendered(source: &str) -> Rendered {
    rendered_by(render, source)
}

fn rendered_by(render: fn(&str, &Links<'_>) -> Rendered, source: &str) -> Rendered {
    let members = HashSet::from(["anna".to_owned(), "bob-x".to_owned()]);
    let words = Words { table: "Table", done: "done", not_done: "to do" };
    render(source, &Links { members: &members, origin: "https://hub.org", hard_breaks: false, words })
}

#[track_caller]
fn check(source: &str, html: &str) {
    assert_eq!(rendered(source).html.trim_end(), html, "{source}");
}

#[test]
fn mentions_and_tags() {
    let text = rendered("Hi @Anna, @nobody and @bob-x- about #Falls.\n\n> @carl said\n\n`@dora` a@eve.org [@anna](/x)");
    assert_eq!(text.mentions, ["anna", "nobody", "bob-x"]);
    assert_eq!(text.tags, ["falls"]);
    assert!(text.html.contains("<a class=\"mention\" href=\"/people/anna\">@Anna</a>, @nobody"), "{}", text.html);
    assert!(
        text.html
            .contains("href=\"/people/bob-x\">@bob-x</a>- about <a class=\"tag\" href=\"/tags/falls\">#Falls</a>.")
    );
    assert_eq!(mention_candidates("@Anna- > @carl\n\n> @Dora"), ["anna-", "anna", "carl", "dora"]);
    check(
        "\\@anna \\#x a\\_@anna **@anna**",
        "<p>@anna #x a_@anna <strong><a class=\"mention\" href=\"/people/anna\">@anna</a></strong></p>",
    );
    check("# x #y", "<h3>x <a class=\"tag\" href=\"/tags/y\">#y</a></h3>");
    assert_eq!(rendered(&(0..99).map(|n| format!("@aa{n} ")).collect::<String>()).mentions.len(), 50);
}

#[test]
fn links() {
    const REL: &str = "rel=\"nofollow ugc noopener\"";
    check("https://x.org/a_b", &format!("<p><a href=\"https://x.org/a_b\" {REL}>https://x.org/a_b</a></p>"));
    check("[x](https://hub.org/t/1) [y](/t/2#p)", "<p><a href=\"/t/1\">x</a> <a href=\"/t/2#p\">y</a></p>");
    check("[x](javascript:alert) [y](//evil.org) [z](page)", "<p>x y z</p>");
    check("<mailto:a@b.org>", "<p><a href=\"mailto:a@b.org\">mailto:a@b.org</a></p>");
    check(
        "[x](https://y.org \"a \\\"b\")",
        &format!("<p><a href=\"https://y.org\" {REL} title=\"a &quot;b\">x</a></p>"),
    );
}

#[test]
fn images() {
    const REL: &str = "rel=\"nofollow ugc noopener\"";
    check("![a *b*](/api/v1/files/f1)", "<p><img src=\"/api/v1/files/f1\" alt=\"a b\" loading=\"lazy\"></p>");
    check(
        "![a](https://x.org/p.png)",
        &format!("<p><a class=\"remote-image\" href=\"https://x.org/p.png\" {REL}>a</a></p>"),
    );
    check(
        "![](https://x.org/p)",
        &format!("<p><a class=\"remote-image\" href=\"https://x.org/p\" {REL}>https://x.org/p</a></p>"),
    );
    check(
        "[![a](https://x.org/p)](https://y.org)",
        &format!("<p><a class=\"remote-image\" href=\"https://y.org\" {REL}>a</a></p>"),
    );
    check(
        "![a](data:image/png;base64,x) ![b](/api/v1/files/../me)",
        "<p>a <a class=\"remote-image\" href=\"/api/v1/files/../me\">b</a></p>",
    );
}

#[test]
fn raw_html_is_shown() {
    check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
    check("a <img src=x onerror=y> b", "<p>a &lt;img src=x onerror=y&gt; b</p>");
    check("<div>\n*x*\n</div>", "<p>&lt;div&gt;<br>\n*x*<br>\n&lt;/div&gt;</p>");
    check("<sub><sup>1</sup> [x](/y)</sub> <sub>", "<p><sub><sup>1</sup> <a href=\"/y\">x</a></sub> &lt;sub&gt;</p>");
    check(
        "H<sub>2</sub>O <kbd>Esc</kbd> <sup>open a<br/>b",
        "<p>H<sub>2</sub>O <kbd>Esc</kbd> &lt;sup&gt;open a<br>b</p>",
    );
}

#[test]
fn the_headings_of_a_section_leave_no_level_out() {
    for (source, html) in [
        ("### a\n\nx\n\n#### b", "<h3>a</h3>\n<p>x</p>\n<h4>b</h4>"),
        ("# a\n## b\n###### c", "<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>"),
        ("## a\n#### b\n### c\n## d", "<h3>a</h3>\n<h4>b</h4>\n<h4>c</h4>\n<h3>d</h3>"),
        ("#### a\n## b\n### c", "<h3>a</h3>\n<h3>b</h3>\n<h4>c</h4>"),
        ("# a\n## b\n### c\n#### d\n##### e", "<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>\n<h6>d</h6>\n<h6>e</h6>"),
        ("x", "<p>x</p>"),
    ] {
        assert_eq!(rendered_by(render_section, source).html.trim_end(), html, "{source}");
    }
    let text = rendered_by(render_section, "### @anna on #falls");
    assert_eq!((text.mentions.as_slice(), text.tags.as_slice()), (&["anna".to_owned()][..], &["falls".to_owned()][..]));
}

#[test]
fn blocks() {
    check("# a\n## b\n###### c", "<h3>a</h3>\n<h4>b</h4>\n<h6>c</h6>");
    check(
        "~~x~~ $a_b_c$ US$5 $$x*y*z$$",
        "<p><del>x</del> <span class=\"math\">$a_b_c$</span> US$5 <span class=\"math math-display\">$$x*y*z$$</span></p>",
    );
    let tasks = rendered("- [x] a\n- [ ] b").html;
    assert!(
        tasks.contains(
            "<li class=\"task\"><input type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"done\"> a</li>"
        ),
        "{tasks}"
    );
    let table = rendered("| Drug | Dose |\n|:--|--:|\n| a @anna | 5 |\n\n| Drug | Dose |\n|--|--|").html;
    assert!(
        table.contains("<div class=\"table-wrap\" role=\"group\" tabindex=\"0\" aria-label=\"Table: Drug, Dose\">"),
        "{table}"
    );
    assert!(
        table.contains("Table: Drug, Dose (2)") && table.contains("align=\"right\"") && table.contains("/people/anna")
    );
    let code = rendered("```rust,ignore\nfn main() {} // <b>\n```\n\n    plain");
    assert!(code.has_code && !code.html.contains("<b>"));
    assert!(
        code.html.starts_with(
            "<pre class=\"code\" tabindex=\"0\"><code class=\"language-rust\"><span class=\"hl-storage\">fn"
        ),
        "{}",
        code.html
    );
    assert!(code.html.ends_with("<code>plain\n</code></pre>\n"), "{}", code.html);
}

#[test]
fn quotes_can_be_answered() {
    assert_eq!(quote("anna", "a\n\n- b  \n"), "> @anna:\n>\n> a\n>\n> - b\n\n");
    let text = rendered(&(quote("anna", "```\nx\n```") + "yes"));
    assert!(text.mentions.is_empty() && text.html.contains("</blockquote>\n<p>yes</p>"), "{}", text.html);
}
