//! Finds `@handle` and `#tag` in a run of plain text. Pure scanning: whether a member exists is
//! decided by the caller, and code, links and addresses never come here.

use super::tags::{TAG_MAX, in_tag};

const HANDLE_MAX: usize = 30;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The word as written, with its `@`.
    Mention(&'a str),
    /// The word as written, with its `#`.
    Tag(&'a str),
}

/// Splits `text`; `before` is the character in front of it, if any. Joined again, the pieces are
/// the text. Empty when there is nothing to link, which is almost always.
pub(super) fn pieces(text: &str, before: Option<char>) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut done = 0;
    for (at, sign) in text.match_indices(['@', '#']) {
        let (Some(head), Some(tail)) = (text.get(..at), text.get(at + 1..)) else {
            continue;
        };
        if at < done || !opens(head.chars().next_back().or(before)) {
            continue;
        }
        let word = if sign == "@" { handle_in(tail) } else { tag_in(tail) };
        let end = at + 1 + word.len();
        let Some(written) = text.get(at..end).filter(|_| !word.is_empty()) else {
            continue;
        };
        if let Some(plain) = text.get(done..at).filter(|plain| !plain.is_empty()) {
            found.push(Piece::Text(plain));
        }
        found.push(if sign == "@" { Piece::Mention(written) } else { Piece::Tag(written) });
        done = end;
    }
    if !found.is_empty()
        && let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty())
    {
        found.push(Piece::Text(rest));
    }
    found
}

/// The handles a written mention may mean, likeliest first: `@anna-` is Anna before a dash unless
/// somebody is called `anna-`. Lower case, without the sign.
pub(super) fn handles(written: &str) -> impl Iterator<Item = String> {
    let whole = written.trim_start_matches('@').to_ascii_lowercase();
    let trimmed = whole.trim_end_matches(['-', '_']).to_owned();
    let second = (trimmed.len() >= 2 && trimmed != whole).then_some(trimmed);
    std::iter::once(whole).chain(second)
}

/// A sign inside a word is an e-mail address, a fragment of a URL or `C#`.
fn opens(before: Option<char>) -> bool {
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/' | '@' | '#' | '&' | '+' | '\\'))
}

/// `[a-z0-9][a-z0-9_-]{1,29}`, or empty.
fn handle_in(tail: &str) -> &str {
    let word = run(tail, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let rest = tail.get(word.len()..).unwrap_or_default();
    let fits = (2..=HANDLE_MAX).contains(&word.len()) && word.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits && !continues(rest) { word } else { "" }
}

/// A tag with a letter, or empty. A full stop or dash at its end belongs to the sentence.
fn tag_in(tail: &str) -> &str {
    let end = tail.find(|c| !in_tag(c)).unwrap_or(tail.len());
    let (word, rest) = tail.split_at_checked(end).unwrap_or_default();
    let tag = word.trim_end_matches(['.', '-', '_']);
    let fits = (1..=TAG_MAX).contains(&tag.chars().count())
        && tag.starts_with(char::is_alphanumeric)
        && tag.contains(char::is_alphabetic);
    if fits && !continues(rest) { tag } else { "" }
}

/// Does the word go on with something it may not hold, as in `@annaé`, `@anna@host` or `@a.b`?
fn continues(rest: &str) -> bool {
    let mut next = rest.chars();
    match next.next() {
        Some('@' | '#') => true,
        Some('.') => next.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    }
}

fn run(text: &str, keep: impl Fn(u8) -> bool) -> &str {
    let end = text.bytes().position(|b| !keep(b)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let signs = pieces(text, None).into_iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Mention(word) | Piece::Tag(word) => Some(word),
        });
        signs.collect()
    }

    #[test]
    fn words_and_their_borders() {
        assert_eq!(found("@anna, (@bob-x) and @Zoë @Carl."), ["@anna", "@bob-x", "@Carl"]);
        assert_eq!(found("a@b anna@host @anna@host @a @_x @anna.smith x/@anna @@anna"), Vec::<&str>::new());
        assert_eq!(found("#falls #c++ #v1.2. (#a-b) #x"), ["#falls", "#c++", "#v1.2", "#a-b", "#x"]);
        assert_eq!(found("#santé, #ÜNÏ-x. #日本語 #हिन्दी"), ["#santé", "#ÜNÏ-x", "#日本語", "#हिन्दी"]);
        assert_eq!(found("#1 #12 C# a#b ##x /#x &#x"), Vec::<&str>::new());
        assert_eq!(found(&format!("@{} @{}", "a".repeat(30), "a".repeat(31))).len(), 1);
        assert_eq!(found(&format!("#{} #{}", "a".repeat(40), "a".repeat(41))).len(), 1);
        assert_eq!(pieces("x @anna", Some('y')), [Piece::Text("x "), Piece::Mention("@anna")]);
        assert!(pieces("@anna", Some('y')).is_empty());
    }

    #[test]
    fn a_dash_after_a_name() {
        assert_eq!(handles("@Anna-").collect::<Vec<_>>(), ["anna-", "anna"]);
        assert_eq!(handles("@anna").collect::<Vec<_>>(), ["anna"]);
    }
}
