//! What the import of other communities' posts must keep.

use super::html_to_markdown;

fn check(html: &str, markdown: &str) {
    assert_eq!(html_to_markdown(html, Some("https://ai.stackexchange.com/q/1")), markdown, "{html}");
}

#[test]
fn code() {
    check(
        "<pre class=\"lang-py prettyprint-override\"><code>a &lt; b\n  c_d*\n</code></pre>",
        "```py\na < b\n  c_d*\n```",
    );
    check("<!-- language: lang-js -->\n<pre><code>x\n</code></pre>", "```js\nx\n```");
    check("<pre>plain\n <b>x</b></pre>", "```\nplain\n x\n```");
    check("<pre><code>a\n```\nb</code></pre>", "````\na\n```\nb\n````");
    check("<p>use <code>a_b*c</code> and <code>``</code></p>", "use `a_b*c` and ``` `` ```");
    check("<ul><li>one <pre><code>x\n</code></pre></li></ul>", "- one\n\n  ```\n  x\n  ```");
    check("<p><code>unclosed</p><p>next</p>", "`unclosed`\n\nnext");
}

#[test]
fn links_and_images() {
    check("<a href=\"/q/2\">my_x</a>", "[my\\_x](https://ai.stackexchange.com/q/2)");
    check("<a href=\"http://x.org/a_b_c\">http://x.org/a_b_c</a>", "<http://x.org/a_b_c>");
    check("see http://x.org/a_b_(c). ok", "see <http://x.org/a_b_(c)>. ok");
    check("<a href=\"javascript:x\">y</a>", "y");
    check("<a href=\"http://x.org/(a)\">y</a>", "[y](http://x.org/\\(a\\))");
    check(
        "<a href=\"http://i.org/a.png\"><img src=\"http://i.org/a.png\" alt=\"enter image description here\"></a>",
        "[![](http://i.org/a.png)](http://i.org/a.png)",
    );
    check("<img src=\"//i.org/a b.png\" alt=\"a [b]\">", "![a \\[b\\]](https://i.org/a%20b.png)");
}

#[test]
fn formulas_and_money() {
    check("<p>$$\\sum_i x_i * y &lt; 1$$</p>", "$$\\sum_i x_i * y < 1$$");
    check("<p>so $a_1$ and $b_2$ are</p>", "so $a_1$ and $b_2$ are");
    check("<p>from $5 to $10</p>", "from \\$5 to \\$10");
    check("<p><code>$x_1$</code></p>", "`$x_1$`");
}

#[test]
fn signs_that_are_not_markup() {
    check(
        "<p>a * b _c_ &amp;lt; #tag C# ~~x~~ 2 &lt; 3 &lt;b&gt;</p>",
        "a \\* b \\_c\\_ \\&lt; \\#tag C# \\~\\~x\\~\\~ 2 < 3 \\<b>",
    );
    check("<p>1. not a list</p><p># not a head</p>", "1\\. not a list\n\n\\# not a head");
    check("x &amp; y &#39;z&#39; \u{e0f0}", "x & y 'z'");
    check("<p>H<sub>2</sub>O, press <kbd>Esc</kbd>, <s>no</s></p>", "H<sub>2</sub>O, press <kbd>Esc</kbd>, ~~no~~");
}

#[test]
fn tables_and_breaks() {
    check(
        "<table><tr><td>a<table><tr><td>b</td><td>c</td></tr></table></td><td>d</td></tr></table>",
        "| a b c | d |\n| --- | --- |",
    );
    check("<p>a<br>\n1) b<br/><br/>\n2. c<br></p><p>1) d</p>", "a\\\n1\\) b\n\n2\\. c\n\n1\\) d");
    check("<p><em>a<br><br></em>b</p><p>-</p>", "*a*\n\nb\n\n\\-");
    check("<ul><li>a<br>b<br><br>c</li></ul>", "- a\\\n  b\n\n  c");
    check(
        "<table><caption>T</caption><thead><tr><th>a</th><th>b|c</th></tr></thead><tbody><tr><td>1<br>2</td><td><p>3</p></td></tr></tbody></table>",
        "T\n\n| a | b\\|c |\n| --- | --- |\n| 1 2 | 3 |",
    );
    check("<p>a<br>b</p><blockquote><p>q</p><ol start=\"3\"><li>x</li></ol></blockquote>", "a\\\nb\n\n> q\n> \n> 3. x");
}

#[test]
fn broken_html() {
    for html in
        ["<", "<a", "<a href=\"", "</", "<!--", "<pre><code>", "<table><td>", "<ol></ol>", "<p><<<>>>", "&#0;&#xD800;"]
    {
        let _ = html_to_markdown(html, None);
    }
    for tag in ["div", "b", "ul><li", "blockquote", "table><tr><td", "a href=x", "x-y", "font color=red"] {
        let start = std::time::Instant::now();
        let _ = html_to_markdown(&format!("<{tag}>x").repeat(20_000), None);
        assert!(start.elapsed().as_secs() < 10, "{tag}: {:?}", start.elapsed());
    }
}
