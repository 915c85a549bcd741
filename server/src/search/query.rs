//! What somebody asked, taken apart. Pure.
//!
//! `"words in quotes"` stand together, `-word` and `-"a phrase"` are left out, everything else is a
//! word. Nothing is an operator by accident: a quote that does not end, a sign alone and every
//! expression of another language are read as the words in them.

use std::collections::HashSet;
use std::fmt;

use super::analysis::{Language, Shape, is_stop_word, tokens};
use super::config;

/// A loose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub word: String,
    /// Where it stands in [`Query::text`], bytes.
    pub start: usize,
    pub end: usize,
    /// Pairs of letters of a script without spaces, which stand together.
    pub pairs: Vec<String>,
}

/// Several words that are written as one with this: `well-being`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub word: String,
    /// The first of its words.
    pub from: usize,
    pub count: usize,
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// As it was asked, without control characters.
    pub text: String,
    pub words: Vec<Word>,
    pub joined: Vec<Joined>,
    pub phrases: Vec<Vec<String>>,
    pub without: Vec<String>,
    pub without_phrases: Vec<Vec<String>>,
    /// The last word may not be at its end: it stands for words that begin with it too.
    pub open_end: bool,
    /// `None`: could be either.
    pub language: Option<Language>,
}

/// Why a question cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooLong(usize),
    TooManyWords(usize),
    /// There is no word in it.
    NoWord,
    /// It only says what is not wanted.
    OnlyWithout,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "has {limit} characters at most"),
            Self::TooManyWords(limit) => write!(f, "has {limit} words at most"),
            Self::NoWord => f.write_str("has no word in it: write at least one letter or digit"),
            Self::OnlyWithout => f.write_str("says only what to leave out: write a word to look for as well"),
        }
    }
}

/// Takes a question apart. An empty one is a question without words, and no fault.
pub fn parse(text: &str) -> Result<Query, Fault> {
    let limits = config::ranking().limits;
    if text.chars().count() > limits.query_chars {
        return Err(Fault::TooLong(limits.query_chars));
    }
    let blank = text.trim().is_empty();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut query = Query { text: text.clone(), ..Query::default() };
    let mut rest = 0;
    let mut loose = String::with_capacity(text.len());
    while let Some(piece) = text.get(rest..).filter(|piece| !piece.is_empty()) {
        let before = text.get(..rest).and_then(|before| before.chars().next_back());
        let starts = before.is_none_or(|c| c.is_whitespace() || c == '(');
        let minus = starts && piece.starts_with('-');
        let body = if minus { piece.get(1..).unwrap_or_default() } else { piece };
        let taken = if let Some((inside, length)) = quoted(body) {
            let words = plain_words(inside);
            match (minus, words.len()) {
                (_, 0) => {}
                (true, 1) => query.without.extend(words),
                (true, _) => query.without_phrases.push(words),
                (false, _) => query.phrases.push(words),
            }
            length + usize::from(minus)
        } else if minus && body.starts_with(char::is_alphanumeric) {
            let length = body.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(body.len());
            let words = plain_words(body.get(..length).unwrap_or_default());
            match words.len() {
                0 => {}
                1 => query.without.extend(words),
                _ => query.without_phrases.push(words),
            }
            length + 1
        } else {
            let c = piece.chars().next().unwrap_or(' ');
            loose.push(c);
            rest += c.len_utf8();
            continue;
        };
        // What was taken leaves a gap as long, so that places stay those of the text.
        loose.extend(std::iter::repeat_n(' ', taken));
        rest += taken;
    }
    take_words(&loose, &mut query);
    query.open_end = text.chars().next_back().is_some_and(char::is_alphanumeric)
        && query.words.last().is_some_and(|last| last.end == text.len());
    let count = query.words.len() + query.phrases.iter().map(Vec::len).sum::<usize>() + query.without.len();
    if count > limits.query_words {
        return Err(Fault::TooManyWords(limits.query_words));
    }
    if query.words.is_empty() && query.phrases.is_empty() && !blank {
        let without = !query.without.is_empty() || !query.without_phrases.is_empty();
        return Err(if without { Fault::OnlyWithout } else { Fault::NoWord });
    }
    Ok(query)
}

/// The inside of a quoted piece at the beginning, and its length with the quotes.
fn quoted(piece: &str) -> Option<(&str, usize)> {
    let open = piece.chars().next()?;
    let close = match open {
        '"' => '"',
        '“' | '„' => '”',
        '«' => '»',
        _ => return None,
    };
    let inside = piece.get(open.len_utf8()..)?;
    let end = inside.find(close)?;
    Some((inside.get(..end)?, open.len_utf8() + end + close.len_utf8()))
}

/// The whole words of a piece.
fn plain_words(piece: &str) -> Vec<String> {
    tokens(piece)
        .into_iter()
        .filter(|token| matches!(token.shape, Shape::Word | Shape::Pair))
        .map(|token| token.word)
        .collect()
}

fn take_words(loose: &str, query: &mut Query) {
    let all = tokens(loose);
    let (mut english, mut french) = (0, 0);
    // Position of a token to place of its word.
    let mut places: Vec<(usize, usize)> = Vec::new();
    for token in &all {
        match token.shape {
            Shape::Word => {
                english += usize::from(is_stop_word(&token.word, Language::English));
                french += usize::from(is_stop_word(&token.word, Language::French));
                places.push((token.position, query.words.len()));
                query.words.push(Word {
                    word: token.word.clone(),
                    start: token.start,
                    end: token.end,
                    pairs: Vec::new(),
                });
            }
            Shape::Pair => {
                let follows = query.words.last_mut().filter(|last| !last.pairs.is_empty() && last.end > token.start);
                if let Some(last) = follows {
                    last.end = token.end;
                    last.pairs.push(token.word.clone());
                    last.word.extend(token.word.chars().last());
                } else {
                    query.words.push(Word {
                        word: token.word.clone(),
                        start: token.start,
                        end: token.end,
                        pairs: vec![token.word.clone()],
                    });
                }
            }
            Shape::Joined => {
                let from = places.iter().find(|(position, _)| *position == token.position).map(|(_, place)| *place);
                if let Some(from) = from {
                    let count = query.words.iter().skip(from).filter(|word| word.end <= token.end).count();
                    query.joined.push(Joined { word: token.word.clone(), from, count });
                }
            }
            Shape::Part => {}
        }
    }
    query.language = match (english, french) {
        (english, french) if english > french => Some(Language::English),
        (english, french) if french > english => Some(Language::French),
        _ => None,
    };
}

impl Query {
    /// Nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty()
    }

    /// The question with some of its words, by their places, put right.
    #[must_use]
    pub fn corrected(&self, corrections: &[(usize, String)]) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        let mut done = HashSet::new();
        for (place, word) in corrections {
            let Some(wrong) = self.words.get(*place).filter(|_| done.insert(*place)) else { continue };
            text.push_str(self.text.get(at..wrong.start).unwrap_or_default());
            text.push_str(word);
            at = wrong.end;
        }
        text.push_str(self.text.get(at..).unwrap_or_default());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether a loose word says nothing by itself.
    #[must_use]
    pub fn is_stop(&self, word: &str) -> bool {
        match self.language {
            Some(language) => is_stop_word(word, language),
            // One letter is as often a name.
            None => is_stop_word(word, Language::English) && is_stop_word(word, Language::French),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(query: &Query) -> Vec<&str> {
        query.words.iter().map(|word| word.word.as_str()).collect()
    }

    #[test]
    fn words_phrases_and_what_is_left_out() {
        let query = parse("chest \"deep vein thrombosis\" -ultrasound -\"second opinion\" x-ray").unwrap();
        assert_eq!(words(&query), ["chest", "x", "ray"]);
        assert_eq!(query.phrases, [["deep", "vein", "thrombosis"]]);
        assert_eq!(query.without, ["ultrasound"]);
        assert_eq!(query.without_phrases, [["second", "opinion"]]);
        assert_eq!(query.joined, [Joined { word: "xray".into(), from: 1, count: 2 }]);
        assert!(query.open_end);
        assert!(!parse("chest ").unwrap().open_end);
    }

    #[test]
    fn nothing_is_an_operator_by_accident() {
        assert_eq!(words(&parse("\"never ends").unwrap()), ["never", "ends"]);
        assert_eq!(words(&parse("follow-up - and").unwrap()), ["follow", "up", "and"]);
        assert_eq!(words(&parse("(a+)+$ OR title:x*").unwrap()), ["a", "or", "title", "x"]);
        assert_eq!(words(&parse("a\u{0}b\u{1b}[31m").unwrap()), ["a", "b", "31m"]);
        assert_eq!(parse("\" - -- \"\" ***"), Err(Fault::NoWord));
        assert_eq!(parse("\u{1}\u{1b}"), Err(Fault::NoWord));
        assert_eq!(parse("-x"), Err(Fault::OnlyWithout));
        assert_eq!(parse(&"x".repeat(10_000)), Err(Fault::TooLong(500)));
        assert_eq!(parse(&"x ".repeat(100)), Err(Fault::TooManyWords(40)));
        assert!(parse(" ").unwrap().is_empty());
    }

    #[test]
    fn scripts_without_spaces_stand_together() {
        let query = parse("人工智能 model").unwrap();
        assert_eq!(query.words[0].word, "人工智能");
        assert_eq!(query.words[0].pairs, ["人工", "工智", "智能"]);
        assert_eq!(query.words[1].word, "model");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_taken_apart(text in "\\PC{0,300}") {
            if let Ok(query) = parse(&text) {
                for word in &query.words {
                    prop_assert!(query.text.get(word.start..word.end).is_some());
                }
            }
        }
    }
}
