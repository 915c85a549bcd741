//! The best passage of a text for what was asked, with its words marked. Pure.

use std::collections::{HashMap, HashSet};

use super::Passage;
use super::analysis::{Language, Shape, Token, stem, tokens};

/// Characters of a passage that is shown.
const LENGTH: usize = 260;
/// Bytes of a text that are looked through with care; more is looked over only for a passage.
const CAREFUL: usize = 120_000;

/// What is marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Folded words as they stand in texts.
    pub words: HashSet<String>,
    pub stems: HashSet<String>,
    /// The beginning of a word that is still being typed.
    pub prefix: Option<String>,
}

impl Marks {
    fn hits(&self, token: &Token) -> bool {
        self.words.contains(&token.word)
            || self.prefix.as_ref().is_some_and(|prefix| token.word.starts_with(prefix.as_str()))
            || self.stems.contains(stem(&token.word, Language::English).as_ref())
            || self.stems.contains(stem(&token.word, Language::French).as_ref())
    }

    /// Beginnings of the words that are looked for, folded.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        let mut roots: Vec<String> =
            self.stems.iter().chain(&self.words).chain(self.prefix.as_ref()).cloned().collect();
        roots.sort_unstable();
        roots.dedup();
        // A short word is inside many others; it only decides where there is nothing else.
        if roots.iter().any(|root| root.len() > 2) {
            roots.retain(|root| root.len() > 2);
        }
        roots
    }

    /// What a word is counted as: two forms of one word are one.
    fn key(token: &Token) -> String {
        stem(&token.word, Language::English).into_owned()
    }
}

/// A passage to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// Escaped; `<mark>` and nothing else.
    pub html: String,
    /// What leads to the passage it is from.
    pub anchor: Option<String>,
    /// How many different words it has of those asked for.
    pub found: usize,
}

/// The best passage.
#[must_use]
pub fn snippet(passages: &[Passage], marks: &Marks) -> Snippet {
    let chosen = if passages.len() > 1 { best_passage(passages, marks) } else { passages.first() };
    let Some(passage) = chosen else { return Snippet::default() };
    let text = cut(&passage.text, CAREFUL.max(LENGTH));
    let found: Vec<(Token, bool)> = tokens(text)
        .into_iter()
        .filter(|token| token.shape != Shape::Joined || marks.words.contains(&token.word))
        .map(|token| {
            let hits = marks.hits(&token);
            (token, hits)
        })
        .collect();
    let hits: Vec<&Token> = found.iter().filter(|(_, hits)| *hits).map(|(token, _)| token).collect();
    let (from, found) = best_window(&hits);
    let start = start_of(text, from);
    let end = end_of(text, start);
    let mut html = String::new();
    if start > 0 {
        html.push('…');
    }
    let mut at = start;
    for token in &hits {
        if token.start < at || token.end > end {
            continue;
        }
        escape(text.get(at..token.start).unwrap_or_default(), &mut html);
        html.push_str("<mark>");
        escape(text.get(token.start..token.end).unwrap_or_default(), &mut html);
        html.push_str("</mark>");
        at = token.end;
    }
    escape(text.get(at..end).unwrap_or_default(), &mut html);
    if end < passage.text.len() {
        html.push('…');
    }
    Snippet { html: html.trim_matches([' ', '·']).to_owned(), anchor: passage.anchor.clone(), found }
}

/// The title with its words marked, escaped.
#[must_use]
pub fn marked(text: &str, marks: &Marks) -> String {
    let mut html = String::new();
    let mut at = 0;
    for token in tokens(text) {
        if token.start < at || token.shape == Shape::Joined || !marks.hits(&token) {
            continue;
        }
        escape(text.get(at..token.start).unwrap_or_default(), &mut html);
        html.push_str("<mark>");
        escape(text.get(token.start..token.end).unwrap_or_default(), &mut html);
        html.push_str("</mark>");
        at = token.end;
    }
    escape(text.get(at..).unwrap_or_default(), &mut html);
    html
}

/// The passage with the most different words asked for, the first of equals. A quick look: words
/// are compared by their beginnings.
fn best_passage<'a>(passages: &'a [Passage], marks: &Marks) -> Option<&'a Passage> {
    let roots = marks.roots();
    let mut best: Option<(usize, usize, &Passage)> = None;
    for passage in passages {
        let text = super::analysis::fold(&passage.text);
        let (mut different, mut all) = (0, 0);
        for root in &roots {
            let count = text.matches(root.as_str()).take(20).count();
            different += usize::from(count > 0);
            all += count;
        }
        if best.is_none_or(|(most, more, _)| (different, all) > (most, more)) {
            best = Some((different, all, passage));
        }
    }
    best.map(|(.., passage)| passage)
}

/// Where the window with the most different words begins, and how many it has.
fn best_window(hits: &[&Token]) -> (usize, usize) {
    let keys: Vec<String> = hits.iter().map(|token| Marks::key(token)).collect();
    let (mut best, mut at, mut first) = ((0, 0), 0, 0);
    let mut inside: HashMap<&str, usize> = HashMap::new();
    for (last, token) in hits.iter().enumerate() {
        if let Some(key) = keys.get(last) {
            *inside.entry(key).or_insert(0) += 1;
        }
        while let (Some(begin), Some(key)) = (hits.get(first), keys.get(first)) {
            if token.end - begin.start <= LENGTH * 3 / 4 {
                break;
            }
            if let Some(count) = inside.get_mut(key.as_str()) {
                *count -= 1;
                if *count == 0 {
                    inside.remove(key.as_str());
                }
            }
            first += 1;
        }
        let here = (inside.len(), last + 1 - first.min(last));
        if here > best {
            best = here;
            at = hits.get(first).map_or(0, |token| token.start);
        }
    }
    (at, best.0)
}

/// A little before a place, at the beginning of a word or sentence.
fn start_of(text: &str, at: usize) -> usize {
    let back = floor(text, at.saturating_sub(LENGTH / 4));
    if back < 40 {
        return 0;
    }
    let lead = text.get(back..at).unwrap_or_default();
    let sentence = lead.rfind(['.', '!', '?', '\n']).map(|place| back + place + 1);
    let word = lead.find(char::is_whitespace).map(|place| back + place);
    let from = sentence.or(word).unwrap_or(back);
    let skip = text.get(from..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    (from + skip).min(text.len())
}

fn end_of(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let Some((cut, _)) = rest.char_indices().nth(LENGTH) else { return text.len() };
    let kept = rest.get(..cut).unwrap_or_default();
    start + kept.rfind(char::is_whitespace).filter(|place| *place > LENGTH / 2).unwrap_or(cut)
}

fn floor(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { text.get(..floor(text, most)).unwrap_or_default() }
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            // Lines follow each other in one: a dot where no sign parts them.
            '\n' | '\r' | '\t' | ' ' if html.ends_with(' ') => {
                if c == '\n' && ends_open(html.trim_end()) {
                    html.push_str("· ");
                }
            }
            '\n' if ends_open(html) => html.push_str(" · "),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
}

/// Ends in a word and not in a sign.
fn ends_open(html: &str) -> bool {
    html.ends_with("</mark>") || html.ends_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marks(stems: &[&str]) -> Marks {
        Marks { stems: stems.iter().map(|stem| (*stem).to_owned()).collect(), ..Marks::default() }
    }

    #[test]
    fn the_best_passage_is_shown() {
        let text = format!("{} Screening for sepsis <script>. {}", "filler words ".repeat(60), "more ".repeat(80));
        let shown = snippet(&[Passage::new(text)], &marks(&["screen", "sepsi"]));
        assert!(
            shown.html.contains("<mark>Screening</mark> for <mark>sepsis</mark> &lt;script&gt;."),
            "{}",
            shown.html
        );
        assert!(shown.html.starts_with('…') && shown.html.ends_with('…'));
        assert_eq!(shown.found, 2);
        let pages = [
            Passage { text: "nothing".into(), anchor: Some("#page-1".into()) },
            Passage { text: "of sepsis".into(), anchor: Some("#page-2".into()) },
        ];
        assert_eq!(snippet(&pages, &marks(&["sepsi"])).anchor.as_deref(), Some("#page-2"));
    }

    #[test]
    fn without_a_hit_the_text_begins() {
        assert_eq!(snippet(&[Passage::new("A & b")], &Marks::default()).html, "A &amp; b");
        assert_eq!(snippet(&[], &Marks::default()).html, "");
        let list = "It says:\n\n  - what it is\n  who may   ask\n\nand more.\n";
        assert_eq!(
            snippet(&[Passage::new(list)], &Marks::default()).html,
            "It says: - what it is · who may ask · and more."
        );
        assert_eq!(
            marked("AI & you", &Marks { words: ["ai".to_owned()].into(), ..Marks::default() }),
            "<mark>AI</mark> &amp; you"
        );
    }

    proptest! {
        #[test]
        fn nothing_but_mark_is_markup(text in "\\PC{0,900}", stem in "[a-z]{1,3}") {
            let html = snippet(&[Passage::new(text)], &marks(&[&stem])).html;
            let bare = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!bare.contains('<') && !bare.contains('>'));
            prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
        }
    }
}
