//! Slack's own markup, as Markdown.
//!
//! Slack marks people, rooms and links with `<…>`, escapes `&`, `<` and `>` and nothing else, and
//! has one star for bold. What Markdown would read as markup and Slack did not is escaped.

use std::collections::HashMap;

/// Emphasis inside emphasis; deeper is shown as written.
const DEEPEST: u8 = 6;

/// People and rooms by their Slack ids.
#[derive(Debug, Default)]
pub struct Names {
    pub people: HashMap<String, String>,
    /// Name and page.
    pub rooms: HashMap<String, (String, String)>,
}

/// A letter as written, or a piece that is Markdown already.
#[derive(Clone, Debug)]
enum Piece {
    Letter(char),
    Done(String),
}

/// A message's text.
#[must_use]
pub fn to_markdown(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    // Between fences code and words take turns; an odd fence is no fence.
    let parts: Vec<&str> = text.split("```").collect();
    let whole = parts.len() - usize::from(parts.len().is_multiple_of(2));
    let mut words = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 && at < whole {
            put_words(&mut out, &std::mem::take(&mut words), names);
            put_code(&mut out, part);
        } else {
            if at >= whole {
                words.push_str("```");
            }
            words.push_str(part);
        }
    }
    put_words(&mut out, &words, names);
    out.trim().to_owned()
}

fn put_code(out: &mut String, code: &str) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str("```\n");
    out.push_str(plain(code).trim_matches('\n'));
    out.push_str("\n```\n");
}

fn put_words(out: &mut String, text: &str, names: &Names) {
    let mut quoted = false;
    for (at, line) in text.split('\n').enumerate() {
        let quote = line.starts_with("&gt;");
        if at > 0 {
            // Without an empty line what follows a quote would still be quoted.
            out.push_str(if quoted && !quote { "\n\n" } else { "\n" });
        }
        quoted = quote;
        put_line(out, line, names);
    }
}

fn put_line(out: &mut String, line: &str, names: &Names) {
    let line = line.trim_end();
    let (quote, rest) = match line.strip_prefix("&gt;") {
        Some(rest) => ("> ", rest.trim_start_matches("&gt;").trim_start()),
        None => ("", line),
    };
    // Four spaces would begin a code block.
    let rest = rest.trim_start();
    out.push_str(quote);
    let rule = rest.len() > 1 && rest.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '|' | ':' | ' '));
    if rule || rest.starts_with('#') {
        out.push('\\');
    }
    out.push_str(&emphasised(&pieces(rest, names), 0));
}

/// Marks, code and emoji of a line become pieces.
fn pieces(line: &str, names: &Names) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let found = match first {
            '<' => between(rest, '<', '>').map(|(inner, length)| (mark(inner, names), length)),
            '`' => between(rest, '`', '`').map(|(inner, length)| (format!("`{}`", plain(inner)), length)),
            ':' => emoji_at(rest),
            '&' => entity(rest).map(|(text, length)| (text.to_owned(), length)),
            _ => None,
        };
        match found {
            Some((done, length)) => {
                pieces.push(Piece::Done(done));
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                pieces.push(Piece::Letter(first));
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    pieces
}

/// What stands between two letters at the beginning, if anything does, and the length of all.
fn between(text: &str, open: char, close: char) -> Option<(&str, usize)> {
    let inner = text.strip_prefix(open)?;
    let end = inner.find(close)?;
    (end > 0).then(|| (inner.get(..end).unwrap_or_default(), end + 2))
}

fn entity(text: &str) -> Option<(&'static str, usize)> {
    // `&lt;` and `&amp;` mean the same in Markdown, so they stay.
    [("&lt;", "&lt;"), ("&gt;", ">"), ("&amp;", "&amp;")]
        .into_iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, text)| (text, name.len()))
}

/// What somebody is called whom the export does not name.
#[must_use]
pub fn former(id: &str) -> String {
    format!("Former member {id}")
}

/// `<@U1|name>`, `<#C1|name>`, `<!here>`, `<https://…|words>`.
fn mark(inner: &str, names: &Names) -> String {
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.trim().is_empty())),
        None => (inner, None),
    };
    if let Some(id) = target.strip_prefix('@') {
        // Whom the export does not name is called as the author of what they wrote.
        let name = names.people.get(id).cloned().or_else(|| label.map(str::to_owned));
        return format!("@{}", escaped(&plain(&name.unwrap_or_else(|| former(id)))));
    }
    if let Some(id) = target.strip_prefix('#') {
        return match names.rooms.get(id) {
            Some((name, page)) => format!("[#{}]({page})", escaped(name)),
            None => format!("#{}", escaped(&plain(label.unwrap_or(id)))),
        };
    }
    if let Some(command) = target.strip_prefix('!') {
        let word = command.split('^').next().unwrap_or_default();
        let said = label.map_or_else(|| format!("@{word}"), str::to_owned);
        return escaped(&plain(&said));
    }
    let address = plain(target);
    let web = address.starts_with("http://") || address.starts_with("https://");
    let told = label.map(plain).filter(|label| *label != address);
    match told {
        _ if !web => escaped(&told.unwrap_or_else(|| address.trim_start_matches("mailto:").to_owned())),
        Some(label) => format!("[{}](<{}>)", escaped(&label), address.replace(['<', '>', '\n', '\\'], "")),
        None => format!("<{}>", address.replace(['<', '>', '\n', ' '], "")),
    }
}

/// The emoji that a text begins with, as `:name:` or `:name::skin-tone-3:`.
fn emoji_at(text: &str) -> Option<(String, usize)> {
    let (name, mut length) = between(text, ':', ':')?;
    if name.len() > 60 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'\'')) {
        return None;
    }
    let mut full = name.to_owned();
    if let Some((tone, more)) = text.get(length..).and_then(|rest| between(rest, ':', ':'))
        && tone.starts_with("skin-tone-")
    {
        full = format!("{name}::{tone}");
        length += more;
    }
    emoji(&full).map(|emoji| (emoji, length))
}

/// An emoji by Slack's name for it; `None` for a picture of the workspace's own.
#[must_use]
pub fn emoji(name: &str) -> Option<String> {
    use emojis::SkinTone::{Dark, Light, Medium, MediumDark, MediumLight};
    let (name, tone) = match name.split_once("::skin-tone-") {
        Some((name, tone)) => (name, tone),
        None => (name, ""),
    };
    if let Some(country) = name.strip_prefix("flag-").filter(|country| country.len() == 2) {
        let letter = |byte: u8| char::from_u32(0x1f1e6 + u32::from(byte.to_ascii_lowercase().checked_sub(b'a')?));
        return country.bytes().map(letter).collect::<Option<String>>().filter(|flag| emojis::get(flag).is_some());
    }
    // Names that Slack has and GitHub has not.
    let known = match name {
        "simple_smile" => "slightly_smiling_face",
        "thinking_face" => "thinking",
        "robot_face" => "robot",
        "frame_with_picture" => "framed_picture",
        "face_with_rolling_eyes" => "roll_eyes",
        "hugging_face" => "hugs",
        "the_horns" => "metal",
        "face_with_raised_eyebrow" => "raised_eyebrow",
        "rolling_on_the_floor_laughing" => "rofl",
        other => other,
    };
    let found = emojis::get_by_shortcode(known).or_else(|| emojis::get_by_shortcode(&known.replace('-', "_")))?;
    let tone = match tone {
        "2" => Some(Light),
        "3" => Some(MediumLight),
        "4" => Some(Medium),
        "5" => Some(MediumDark),
        "6" => Some(Dark),
        _ => None,
    };
    Some(tone.and_then(|tone| found.with_skin_tone(tone)).unwrap_or(found).to_string())
}

/// Stars, underscores and tildes around words.
fn emphasised(pieces: &[Piece], depth: u8) -> String {
    let mut out = String::with_capacity(pieces.len() + 8);
    // Marks that nothing closes on this line: not looked for again.
    let mut open_for_ever: Vec<char> = Vec::new();
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        let letter = match piece {
            Piece::Done(text) => {
                out.push_str(text);
                at += 1;
                continue;
            }
            Piece::Letter(letter) => *letter,
        };
        let wrap = match letter {
            '*' => "**",
            '_' => "_",
            '~' => "~~",
            other => {
                put_escaped(&mut out, other);
                at += 1;
                continue;
            }
        };
        let before = at.checked_sub(1).and_then(|before| pieces.get(before));
        let opens = !before.is_some_and(is_word) && pieces.get(at + 1).is_some_and(|next| !is_space(next));
        let end = if opens && depth < DEEPEST && !open_for_ever.contains(&letter) {
            closing(pieces, at, letter)
        } else {
            None
        };
        match end {
            Some(end) => {
                let inner = emphasised(pieces.get(at + 1..end).unwrap_or_default(), depth + 1);
                out.push_str(wrap);
                out.push_str(&inner);
                out.push_str(wrap);
                at = end + 1;
            }
            None => {
                if opens {
                    open_for_ever.push(letter);
                }
                out.push('\\');
                out.push(letter);
                at += 1;
            }
        }
    }
    out
}

/// Where the emphasis that begins at `at` ends.
fn closing(pieces: &[Piece], at: usize, letter: char) -> Option<usize> {
    (at + 2..pieces.len()).find(|end| {
        let is_mark = matches!(pieces.get(*end), Some(Piece::Letter(c)) if *c == letter);
        is_mark
            && pieces.get(end - 1).is_some_and(|before| !is_space(before))
            && !pieces.get(end + 1).is_some_and(is_word)
    })
}

fn is_space(piece: &Piece) -> bool {
    matches!(piece, Piece::Letter(c) if c.is_whitespace())
}

fn is_word(piece: &Piece) -> bool {
    matches!(piece, Piece::Letter(c) if c.is_alphanumeric())
}

/// Slack's three entities as letters.
#[must_use]
pub fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Plain words as Markdown that shows them.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '_' | '~' => out.extend(['\\', letter]),
            '\n' | '\r' => out.push(' '),
            letter => put_escaped(&mut out, letter),
        }
    }
    out
}

fn put_escaped(out: &mut String, letter: char) {
    match letter {
        '[' | ']' | '\\' | '`' => out.extend(['\\', letter]),
        '<' => out.push_str("&lt;"),
        letter => out.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, emoji, to_markdown};

    fn names() -> Names {
        Names {
            people: [("U1".to_owned(), "Ada_L".to_owned())].into(),
            rooms: [("C1".to_owned(), ("news".to_owned(), "/s/bakers/chat/news".to_owned()))].into(),
        }
    }

    #[test]
    fn marks() {
        for (slack, markdown) in [
            ("hello <@U1>, <@U9|Bo> and <@U8>", "hello @Ada\\_L, @Bo and @Former member U8"),
            ("see <#C1|old> and <#C2|gone>", "see [#news](/s/bakers/chat/news) and #gone"),
            ("<!here> <!subteam^S1|@bakers> <!date^1^{date}|today>", "@here @bakers today"),
            ("<https://a.example/x_y?a=1&amp;b=2>", "<https://a.example/x_y?a=1&b=2>"),
            ("<https://a.example|the [best] page>", "[the \\[best\\] page](<https://a.example>)"),
            ("<javascript:alert(1)|click> <mailto:a@b.example|a@b.example>", "click a@b.example"),
            ("<unclosed", "&lt;unclosed"),
        ] {
            assert_eq!(to_markdown(slack, &names()), markdown, "{slack}");
        }
    }

    #[test]
    fn emphasis() {
        for (slack, markdown) in [
            ("*bold* _it_ ~gone~ `a*b*`", "**bold** _it_ ~~gone~~ `a*b*`"),
            ("*bold _and it_*", "**bold _and it_**"),
            ("2 * 3 * 4, snake_case_name, a*b*c", "2 \\* 3 \\* 4, snake\\_case\\_name, a\\*b\\*c"),
            ("*open and never closed", "\\*open and never closed"),
            ("*<https://a.example|link>*", "**[link](<https://a.example>)**"),
            ("if a &lt; b &amp;&amp; c &gt; d", "if a &lt; b &amp;&amp; c > d"),
            ("&gt; said so\nwell", "> said so\n\nwell"),
            ("# no heading\n---\n    no code", "\\# no heading\n\\---\nno code"),
            ("look:```if (a &lt; b) {\n  *x*\n}```done", "look:\n```\nif (a < b) {\n  *x*\n}\n```\ndone"),
            ("an odd ``` fence", "an odd \\`\\`\\` fence"),
        ] {
            assert_eq!(to_markdown(slack, &names()), markdown, "{slack}");
        }
    }

    #[test]
    fn emoji_by_name() {
        assert_eq!(emoji("+1").as_deref(), Some("👍"));
        assert_eq!(emoji("clap::skin-tone-3").as_deref(), Some("👏🏼"));
        assert_eq!(emoji("flag-no").as_deref(), Some("🇳🇴"));
        assert_eq!(emoji("our_logo"), None);
        assert_eq!(to_markdown("well :tada: at 10:30:45 :our_logo:", &names()), "well 🎉 at 10:30:45 :our\\_logo:");
    }
}
