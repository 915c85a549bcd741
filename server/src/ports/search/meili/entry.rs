//! What the index holds of a document: reduced words and numbers.
//!
//! Letters of scripts without spaces come in pairs, and how Meilisearch would cut them depends on how
//! it was built; so they are sent as words of plain letters.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::weighed::Counts;
use crate::entities::kinds::TermKind;
use crate::ports::search::{MOST_TEXT, boost, cut};
use crate::search::analysis::{Language, Shape, Token, is_dense, is_stop_word, language, stem, tokens};
use crate::search::{Document, Kind, Term, config};

/// Parts two texts: no phrase runs over it.
const GAP: &str = ". ";
/// Places that a gap takes.
const APART: usize = 8;
/// Meilisearch numbers the words of an attribute up to 65,535 and silently drops what is behind. So
/// many stand in their order, for phrases and for what stands close together; of the rest of a long
/// text each word stands once.
const IN_ORDER: usize = 50_000;
const MOST_PLACES: usize = 65_000;
/// How words of plain letters begin that stand for others, and those of phrases: with letters nobody
/// types, or the beginning of a word would be that of all of them.
const CODED: &str = "ǁ";
const QUOTED: &str = "ǂ";
/// Letters of a word that is sent in others; Meilisearch drops words of more than 250 bytes.
const MOST_CODED: usize = 48;

/// A document as it is sent.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub key: String,
    pub kind: Kind,
    /// Of text, as numbers there have 53 bits.
    pub id: String,
    pub title: String,
    pub labels: String,
    pub body: String,
    pub words: String,
    pub phrases: String,
    pub names: String,
    pub spelling: String,
    pub space: Option<String>,
    pub room: Option<String>,
    /// All who wrote it.
    pub author: Vec<String>,
    pub created: i64,
    pub boost: f32,
    pub tags: Vec<String>,
    /// By kind, each as it is asked for and as it is counted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<TermKind, Vec<String>>,
    /// How often words stand in it; searched by nothing.
    pub counts: String,
    pub audience: Vec<String>,
}

/// The key of a document.
#[must_use]
pub fn key(kind: Kind, id: i64) -> String {
    format!("{kind}-{id}")
}

impl Entry {
    #[must_use]
    pub fn of(of: &Document) -> Self {
        let mut left = MOST_TEXT;
        let passages: Vec<Vec<Token>> = of
            .passages
            .iter()
            .map(|passage| {
                let text = cut(&passage.text, left);
                left -= text.len();
                tokens(text)
            })
            .collect();
        let title = if of.title_is_borrowed { Vec::new() } else { tokens(&of.title) };
        let labels: Vec<Vec<Token>> = of.labels.iter().chain(&of.tags).map(|label| tokens(label)).collect();
        let spoken = language(passages.iter().max_by_key(|passage| passage.len()).unwrap_or(&title));
        let titles = std::slice::from_ref(&title);
        let all: Vec<&Vec<Token>> = titles.iter().chain(&labels).chain(&passages).collect();
        let names: Vec<&Vec<Token>> = titles.iter().chain(&labels).collect();
        Self {
            key: key(of.kind, of.id),
            kind: of.kind,
            id: of.id.to_string(),
            title: stems(titles, spoken),
            labels: stems(&labels, spoken),
            body: stems(&passages, spoken),
            words: whole(&all),
            phrases: quotable(&all),
            names: whole(&names),
            spelling: spelling(&all),
            space: of.space.map(|id| id.to_string()),
            room: of.room.map(|id| id.to_string()),
            author: of.author.iter().chain(&of.co_authors).map(ToString::to_string).collect(),
            created: of.created_at,
            boost: config::kind_weight(of.kind) * boost(of, config::ranking()),
            tags: of.tags.iter().map(|tag| coded_tag(tag)).collect(),
            terms: terms(&of.terms),
            counts: counts([titles, &labels, &passages], spoken).line(),
            audience: of.audience.iter().map(ToString::to_string).collect(),
        }
    }

    /// About how many bytes it is.
    #[must_use]
    pub fn size(&self) -> usize {
        500 + self.title.len()
            + self.labels.len()
            + self.body.len()
            + self.words.len()
            + self.phrases.len()
            + self.spelling.len()
            + self.counts.len()
    }
}

/// A tag as it stands in the index and in filters: nothing in it can end a filter.
#[must_use]
pub fn coded_tag(tag: &str) -> String {
    url::form_urlencoded::byte_serialize(tag.as_bytes()).collect()
}

/// A tag as people know it.
#[must_use]
pub fn plain_tag(coded: &str) -> String {
    let pairs = format!("t={coded}");
    url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, tag)| tag.into_owned()).unwrap_or_default()
}

/// Terms by kind: each coded as it is asked for, and once more with how it is shown.
fn terms(of: &[Term]) -> BTreeMap<TermKind, Vec<String>> {
    let mut terms: BTreeMap<TermKind, Vec<String>> = BTreeMap::new();
    for term in of {
        let word = coded_tag(&term.word);
        let counted = format!("{word}={}", coded_tag(&term.label));
        terms.entry(term.kind).or_default().extend([word, counted]);
    }
    terms
}

/// Word and label of what is counted; `None` for what is asked for.
#[must_use]
pub fn read_term(counted: &str) -> Option<(String, String)> {
    let (word, label) = counted.split_once('=')?;
    Some((plain_tag(word), plain_tag(label)))
}

/// A folded word as it is sent.
#[must_use]
pub fn sent(word: &str) -> String {
    if word.chars().any(is_dense) { coded(CODED, word) } else { word.to_owned() }
}

/// A folded word as it is sent within a phrase. Letters of two scripts would be cut apart.
#[must_use]
pub fn quoted(word: &str) -> String {
    if word.is_ascii() { format!("{QUOTED}{word}") } else { coded(QUOTED, word) }
}

fn coded(begin: &str, word: &str) -> String {
    let mut coded = String::from(begin);
    for c in word.chars().take(MOST_CODED) {
        // Five of sixteen letters for each.
        for digit in format!("{:05x}", u32::from(c)).chars() {
            let letter = digit.to_digit(16).and_then(|at| char::from_u32('a' as u32 + at));
            coded.push(letter.unwrap_or('z'));
        }
    }
    coded
}

/// The stems by which something asked in English, or in no language, is found, without little words.
#[must_use]
pub fn query_stems(text: &str) -> Vec<String> {
    let words = tokens(text).into_iter().filter(|token| matches!(token.shape, Shape::Word | Shape::Pair));
    words
        .filter(|token| !is_stop_word(&token.word, Language::English))
        .map(|token| stemmed(&token, Language::English))
        .collect()
}

fn stemmed(token: &Token, language: Language) -> String {
    if token.shape == Shape::Pair { sent(&token.word) } else { sent(&stem(&token.word, language)) }
}

const fn runs(token: &Token) -> bool {
    matches!(token.shape, Shape::Word | Shape::Pair)
}

/// An attribute in the making, no longer than what is kept of one.
#[derive(Default)]
struct Line {
    text: String,
    /// Places taken.
    at: usize,
    /// Words that stand in no order.
    others: BTreeSet<String>,
}

impl Line {
    /// The next word of a text.
    fn word(&mut self, word: String) {
        if self.at >= IN_ORDER {
            self.others.insert(word);
            return;
        }
        self.text.push_str(&word);
        self.text.push(' ');
        self.at += 1;
    }

    /// A word that may be anywhere.
    fn other(&mut self, word: String) {
        self.others.insert(word);
    }

    /// The end of a text.
    fn gap(&mut self) {
        if self.at < IN_ORDER {
            self.text.push_str(GAP);
            self.at += APART;
        }
    }

    fn end(mut self) -> String {
        let left = MOST_PLACES.saturating_sub(self.at + APART);
        if self.at >= IN_ORDER {
            let there: HashSet<&str> = self.text.split(' ').collect();
            self.others.retain(|other| !there.contains(other.as_str()));
            self.text.push_str(GAP);
        }
        // Where there is no room for gaps, words that are no phrase stand side by side.
        let between = if self.others.len() * APART <= left { GAP } else { " " };
        for other in self.others.iter().take(left) {
            self.text.push_str(other);
            self.text.push_str(between);
        }
        self.text
    }
}

/// Stems in the order of the text; then those of parts, and those of another language's rules: what
/// is asked may be in either.
fn stems(texts: &[Vec<Token>], spoken: Language) -> String {
    let mut line = Line::default();
    for text in texts {
        let little = |token: &Token| token.shape == Shape::Word && is_stop_word(&token.word, spoken);
        for token in text.iter().filter(|token| !little(token)) {
            let english = stemmed(token, Language::English);
            if spoken == Language::French {
                let french = stemmed(token, Language::French);
                if french != english {
                    line.other(french);
                }
            }
            if runs(token) {
                line.word(english);
            } else if token.word.chars().count() > 1 {
                line.other(english);
            }
        }
        line.gap();
    }
    line.end()
}

/// How often stems stand in the fields, by the rules of both languages.
fn counts(fields: [&[Vec<Token>]; 3], spoken: Language) -> Counts {
    let mut counts = Counts::default();
    for (field, texts) in fields.into_iter().enumerate() {
        let little = |token: &&Token| token.shape == Shape::Word && is_stop_word(&token.word, spoken);
        for token in texts.iter().flatten().filter(|token| !little(token)) {
            let english = stemmed(token, Language::English);
            counts.add(field, &english, runs(token));
            if spoken == Language::French {
                let french = stemmed(token, Language::French);
                if french != english {
                    counts.add(field, &french, false);
                }
            }
        }
    }
    counts
}

/// Whole words in the order of the text, then what they are joined to and made of.
fn whole(texts: &[&Vec<Token>]) -> String {
    let mut line = Line::default();
    for text in texts {
        for token in *text {
            if runs(token) {
                line.word(sent(&token.word));
            } else {
                line.other(token.word.clone());
            }
        }
        line.gap();
    }
    line.end()
}

/// Whole words in the order of the text, as phrases are asked for.
fn quotable(texts: &[&Vec<Token>]) -> String {
    let mut line = Line::default();
    for text in texts {
        text.iter().filter(|token| runs(token)).for_each(|token| line.word(quoted(&token.word)));
        line.gap();
    }
    line.end()
}

/// Every word once that may be written wrongly.
fn spelling(texts: &[&Vec<Token>]) -> String {
    let from = config::ranking().typos.one_from;
    let all = texts.iter().flat_map(|text| text.iter()).filter(|token| token.shape != Shape::Pair);
    let long = |word: &str| word.chars().count() >= from.saturating_sub(1) && !word.chars().all(char::is_numeric);
    let mut line = Line::default();
    for token in all.filter(|token| long(&token.word)) {
        line.other(token.word.clone());
    }
    line.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Audience, Passage};

    #[test]
    fn words_in_order_and_what_they_are_made_of() {
        let mut document = Document::new(Kind::Post, 7, "CheXNet-v2".into(), String::new(), 5);
        document.passages = vec![Passage::new("The screenings of 人工智能")];
        document.tags = vec!["a\" OR kind = \"x".into()];
        document.audience = vec![Audience::Readers(3)];
        document.terms = vec![Term { kind: TermKind::Setting, word: "a=\"b\"".into(), label: "A=\"B\"".into() }];
        let entry = Entry::of(&document);
        assert_eq!(entry.key, "post-7");
        assert!(entry.title.starts_with("chexnet v2 . "), "{}", entry.title);
        assert!(entry.words.contains("chexnetv2. "), "{}", entry.words);
        assert!(entry.phrases.starts_with("ǂchexnet ǂv2 . "), "{}", entry.phrases);
        assert!(entry.phrases.contains(&format!("ǂscreenings ǂof {} ", quoted("人工"))), "{}", entry.phrases);
        let pairs = [sent("人工"), sent("工智"), sent("智能")].join(" ");
        assert_eq!(entry.body, format!("screen {pairs} . "));
        assert!(sent("人工").starts_with(&sent("人")));
        assert!(entry.spelling.contains("screenings. ") && !entry.spelling.contains("of. "), "{}", entry.spelling);
        let tag = &entry.tags[0];
        assert!(!tag.contains(['"', '\'', '\\', ' ', '=']), "{tag}");
        assert_eq!(plain_tag(tag), document.tags[0]);
        assert_eq!(entry.audience, ["s3"]);
        let [asked, counted] = entry.terms[&TermKind::Setting].as_slice() else { panic!("{:?}", entry.terms) };
        assert!(!asked.contains(['"', '=']) && read_term(asked).is_none(), "{asked}");
        assert_eq!(read_term(counted), Some(("a=\"b\"".to_owned(), "A=\"B\"".to_owned())));
    }

    #[test]
    fn a_long_text_keeps_within_what_is_numbered() {
        let letters = ['b', 'd', 'f', 'g', 'k', 'm', 'p', 't'];
        let word =
            |number: usize| -> String { (0..5).map(|place| letters[number >> (3 * place) & 7]).chain(['x']).collect() };
        let page = |page: usize| (0..5000).map(|n| word(page * 300 + n) + " ").collect::<String>();
        let mut document = Document::new(Kind::Resource, 1, String::new(), String::new(), 0);
        document.passages = (0..40).map(|number| Passage::new(page(number))).collect();
        let entry = Entry::of(&document);
        let plain = |number: usize| word(number);
        let as_quoted = |number: usize| quoted(&word(number));
        let all: [(&String, &dyn Fn(usize) -> String); 4] =
            [(&entry.body, &plain), (&entry.words, &plain), (&entry.spelling, &plain), (&entry.phrases, &as_quoted)];
        for (text, word) in all {
            let places: usize = text.split(' ').map(|word| if word.ends_with('.') { APART } else { 1 }).sum();
            assert!(places <= MOST_PLACES + APART, "{places}");
            for number in [0, 7000, 16_699] {
                assert!(text.split([' ', '.']).any(|one| one == word(number)), "{number}");
            }
        }
        assert!(entry.body.starts_with(&format!("{} {} ", word(0), word(1))), "in its order");
    }

    #[test]
    fn french_is_found_by_the_rules_of_both() {
        let mut document = Document::new(Kind::Post, 1, String::new(), String::new(), 0);
        document.passages = vec![Passage::new("Le dépistage et les évaluations dans les hôpitaux.")];
        let body = Entry::of(&document).body;
        assert!(body.contains(&*stem("evaluations", Language::English)), "{body}");
        assert!(body.contains(&format!("{}. ", stem("hopitaux", Language::French))), "{body}");
    }
}
