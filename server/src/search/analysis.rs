//! From text to words: the same for what is indexed, what is asked and what is marked in a passage.
//!
//! A run of letters and digits is a word; `CheXNet-v2` is `chexnet` and `v2`, the parts `che`, `x`,
//! `net`, `v` and `2` at the same places, and joined `chexnetv2`. Case, accents and the ways of
//! writing one Arabic letter make no difference. Chinese, Japanese and Thai, which part no words,
//! become pairs of letters.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::config;

/// Longer runs are cut: nobody asks for them, and they are data.
const LONGEST: usize = 40;
/// Words that are joined over a hyphen, a dot, a slash or an underscore.
const MOST_JOINED: usize = 4;

/// The languages whose words are reduced to stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole word.
    Word,
    /// A part of the word at the same position.
    Part,
    /// Several words joined, at the position of the first.
    Joined,
    /// A pair of letters of a script without spaces.
    Pair,
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Folded.
    pub word: String,
    pub position: usize,
    /// Where it is in the text, bytes.
    pub start: usize,
    pub end: usize,
    pub shape: Shape,
}

/// The tokens of a text, in order.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut position = 0;
    let mut chunk: Vec<(String, usize, usize, usize)> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if !is_letter(c) {
            // One sign between two words joins them; anything else parts them.
            let next = chars.peek().is_some_and(|(_, next)| is_letter(*next) && !is_dense(*next));
            if !(matches!(c, '-' | '_' | '.' | '/' | '\u{2010}' | '\u{2011}') && next) {
                join(&mut chunk, &mut tokens);
            }
            continue;
        }
        let mut end = start + c.len_utf8();
        let dense = is_dense(c);
        let (mut count, mut cut) = (1, None);
        while let Some((at, next)) = chars.peek().copied() {
            if !is_letter(next) || is_dense(next) != dense {
                break;
            }
            if count == LONGEST {
                cut = Some(at);
            }
            count += 1;
            end = at + next.len_utf8();
            chars.next();
        }
        let run = text.get(start..cut.unwrap_or(end)).unwrap_or_default();
        if dense {
            join(&mut chunk, &mut tokens);
            position = pairs(run, start, position, &mut tokens);
            continue;
        }
        let word = fold(run);
        if word.is_empty() {
            continue;
        }
        tokens.push(Token { word: word.clone(), position, start, end, shape: Shape::Word });
        parts(run, start, position, &mut tokens);
        chunk.push((word, position, start, end));
        position += 1;
    }
    join(&mut chunk, &mut tokens);
    tokens
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Letters of scripts that put no spaces between words.
#[must_use]
pub fn is_dense(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0x2FFF | 0x3040..=0x30FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

fn pairs(run: &str, start: usize, mut position: usize, tokens: &mut Vec<Token>) -> usize {
    let letters: Vec<(usize, char)> = run.char_indices().collect();
    let mut push = |from: usize, to: usize, position: usize| {
        let word = fold(run.get(from..to).unwrap_or_default());
        tokens.push(Token { word, position, start: start + from, end: start + to, shape: Shape::Pair });
    };
    if letters.len() < 2 {
        push(0, run.len(), position);
        return position + 1;
    }
    for pair in letters.windows(2) {
        if let [(from, _), (second, letter)] = pair {
            push(*from, second + letter.len_utf8(), position);
            position += 1;
        }
    }
    // A gap, so that no phrase runs over the end of a run.
    position + 1
}

/// Parts of `camelCase`, `HTMLParser` and `v2`; none for a plain word.
fn parts(run: &str, start: usize, position: usize, tokens: &mut Vec<Token>) {
    if run.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    let letters: Vec<(usize, char)> = run.char_indices().collect();
    let mut cuts = vec![0];
    for (at, window) in letters.windows(2).enumerate() {
        let [(_, before), (here, now)] = window else { continue };
        let rises = before.is_lowercase() && now.is_uppercase();
        let digits = before.is_numeric() != now.is_numeric() && !is_combining_mark(*now);
        // The last capital of several begins the next word: `HTML|Parser`.
        let next = letters.get(at + 2).map(|(_, next)| *next);
        let capital = before.is_uppercase() && now.is_uppercase() && next.is_some_and(char::is_lowercase);
        if rises || digits || capital {
            cuts.push(*here);
        }
    }
    if cuts.len() < 2 {
        return;
    }
    cuts.push(run.len());
    for pair in cuts.windows(2) {
        let [from, to] = pair else { continue };
        let word = fold(run.get(*from..*to).unwrap_or_default());
        tokens.push(Token { word, position, start: start + from, end: start + to, shape: Shape::Part });
    }
}

fn join(chunk: &mut Vec<(String, usize, usize, usize)>, tokens: &mut Vec<Token>) {
    if (2..=MOST_JOINED).contains(&chunk.len()) {
        let word: String = chunk.iter().map(|(word, ..)| word.as_str()).collect();
        if let (Some((_, position, start, _)), Some((.., end))) = (chunk.first(), chunk.last())
            && word.chars().count() <= LONGEST
        {
            tokens.push(Token { word, position: *position, start: *start, end: *end, shape: Shape::Joined });
        }
    }
    chunk.clear();
}

/// A word without case, accents and variants of one letter.
#[must_use]
pub fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfkd().filter(|c| !is_combining_mark(*c) && *c != '\u{640}').flat_map(char::to_lowercase).map(plain).collect()
}

/// Letters that are one to whoever asks.
const fn plain(c: char) -> char {
    match c {
        // Alef and its forms, yeh and alef maksura, teh marbuta, the Persian kaf and yeh.
        '\u{622}' | '\u{623}' | '\u{625}' | '\u{671}' => '\u{627}',
        '\u{649}' | '\u{6CC}' => '\u{64A}',
        '\u{629}' => '\u{647}',
        '\u{6A9}' => '\u{643}',
        // Digits of Arabic and Persian.
        '\u{660}'..='\u{669}' => digit(c, 0x660),
        '\u{6F0}'..='\u{6F9}' => digit(c, 0x6F0),
        'ß' => 's',
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ı' => 'i',
        c => c,
    }
}

const fn digit(c: char, zero: u32) -> char {
    match char::from_digit((c as u32).saturating_sub(zero), 10) {
        Some(digit) => digit,
        None => c,
    }
}

/// The stem of a folded word.
#[must_use]
pub fn stem(word: &str, language: Language) -> Cow<'_, str> {
    let algorithm = match language {
        Language::English => Algorithm::English,
        Language::French => Algorithm::French,
    };
    Stemmer::new(algorithm).stem(word)
}

/// Which of the two languages a text is in, by its little words; English unless French has more.
#[must_use]
pub fn language(tokens: &[Token]) -> Language {
    let words = config::stop_words();
    let (mut english, mut french) = (0, 0);
    for token in tokens.iter().filter(|token| token.shape == Shape::Word).take(400) {
        english += usize::from(words.english.contains(&token.word));
        french += usize::from(words.french.contains(&token.word));
    }
    if french > english { Language::French } else { Language::English }
}

/// Whether a folded word says nothing by itself in a language.
#[must_use]
pub fn is_stop_word(word: &str, language: Language) -> bool {
    let words = config::stop_words();
    match language {
        Language::English => words.english.contains(word),
        Language::French => words.french.contains(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn identifiers_in_whole_and_in_parts() {
        assert_eq!(words("CheXNet-v2"), ["chexnet", "che", "x", "net", "v2", "v", "2", "chexnetv2"]);
        assert_eq!(words("snake_case HTMLParser"), ["snake", "case", "snakecase", "htmlparser", "html", "parser"]);
        assert_eq!(words("plain words, no more."), ["plain", "words", "no", "more"]);
        assert_eq!(words("a - b"), ["a", "b"]);
    }

    #[test]
    fn one_word_however_it_is_written() {
        assert_eq!(words("Évaluation ÉVALUATION evaluation"), ["evaluation"; 3]);
        assert_eq!(words("الذكاء الإصطناعي"), words("الذَّكاء الاصطناعى"));
        assert_eq!(words("人工智能"), ["人工", "工智", "智能"]);
        assert_eq!(words("AI人"), ["ai", "人"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "Ünder the x-ray";
        for token in tokens(text) {
            assert!(text.get(token.start..token.end).is_some(), "{token:?}");
        }
        assert_eq!(tokens(&"x".repeat(5000)).first().map(|token| token.word.len()), Some(40));
    }

    #[test]
    fn stems_and_languages() {
        assert_eq!(stem("screenings", Language::English), "screen");
        assert_eq!(stem("evaluations", Language::French), stem("evaluation", Language::French));
        assert_eq!(language(&tokens("the screening of the patients")), Language::English);
        assert_eq!(language(&tokens("le dépistage des patients dans la région")), Language::French);
    }
}
