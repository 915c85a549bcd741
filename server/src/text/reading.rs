//! The words of served HTML, for search: what a reader sees, without markup.

/// Elements after which a word ends.
const BLOCKS: [&str; 20] = [
    "p",
    "br",
    "li",
    "ul",
    "ol",
    "td",
    "th",
    "tr",
    "table",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "div",
    "img",
];

/// Plain text of sanitised HTML, as [`render`](super::render) makes it; a line a block.
#[must_use]
pub fn reading(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        if after.starts_with('<') {
            let end = after.find('>').map_or(after.len(), |end| end + 1);
            let tag = after.get(1..end).unwrap_or_default().trim_start_matches('/');
            let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
            if BLOCKS.contains(&name.to_ascii_lowercase().as_str()) && !text.ends_with('\n') {
                text.push('\n');
            }
            rest = after.get(end..).unwrap_or_default();
        } else {
            let end = after.find(';').filter(|end| *end <= 8);
            let (sign, taken) = end.and_then(|end| Some((sign(after.get(1..end)?)?, end + 1))).unwrap_or(('&', 1));
            text.push(sign);
            rest = after.get(taken..).unwrap_or_default();
        }
    }
    text.push_str(rest);
    text.trim().to_owned()
}

fn sign(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::reading;

    #[test]
    fn what_a_reader_sees() {
        let html = "<h2>Falls</h2><p>A <b>b</b>old w<em>or</em>d &amp; 5 &lt; 6&#39;s.<br>next</p><pre><code>x &gt; y</code></pre>";
        assert_eq!(reading(html), "Falls\nA bold word & 5 < 6's.\nnext\nx > y");
        assert_eq!(reading("a & b; <"), "a & b;");
        assert_eq!(reading("&bogus; &#xZZ;"), "&bogus; &#xZZ;");
        assert_eq!(reading(""), "");
    }
}
