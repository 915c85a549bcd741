//! What the embedded index holds of a document: terms and numbers, no text.
//!
//! Words reach the index as lines, `word` or `word`, a tab and its place, which [`Lines`] takes apart:
//! tantivy would hand tokens from thread to thread as JSON, which takes longer than to index them.

use std::borrow::Cow;
use std::fmt::Write as _;

use tantivy::schema::{Field, IndexRecordOption, NumericOptions, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token as IndexToken, TokenStream, Tokenizer};
use tantivy::{TantivyDocument, Term};

use crate::ports::search::{MOST_TEXT, Tuning, boost, cut, terms};
use crate::search::analysis::{Language, Shape, Token, is_stop_word, language, stem, tokens};
use crate::search::{Document, Kind};

/// Positions between two passages, so that no phrase runs from one into the next.
const GAP: usize = 20;

/// What an index calls its tokenizer. The name is kept in it: with another one it would have to be built again.
pub const TOKENIZER: &str = "raw";

/// The fields.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// `kind:id`, for replacing.
    pub key: Field,
    /// Stems.
    pub title: Field,
    pub labels: Field,
    pub body: Field,
    /// Whole words of title, labels and text with their places: phrases, beginnings, typos.
    pub words: Field,
    /// Whole words of title and labels: suggestions.
    pub names: Field,
    pub kind: Field,
    pub id: Field,
    pub space: Field,
    pub room: Field,
    pub author: Field,
    pub created: Field,
    pub boost: Field,
    pub tags: Field,
    pub terms: Field,
    pub audience: Field,
}

impl Fields {
    /// The fields of stems, in the order in which scoring looks at them.
    #[must_use]
    pub const fn scored(&self) -> [Field; 3] {
        [self.title, self.labels, self.body]
    }
}

#[must_use]
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |option: IndexRecordOption, norms: bool| {
        let indexing =
            TextFieldIndexing::default().set_tokenizer(TOKENIZER).set_index_option(option).set_fieldnorms(norms);
        TextOptions::default().set_indexing_options(indexing)
    };
    let number = || NumericOptions::default().set_fast();
    let column = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        key: builder.add_text_field("key", STRING),
        title: builder.add_text_field("title", text(IndexRecordOption::WithFreqs, true)),
        labels: builder.add_text_field("labels", text(IndexRecordOption::WithFreqs, true)),
        body: builder.add_text_field("body", text(IndexRecordOption::WithFreqs, true)),
        words: builder.add_text_field("words", text(IndexRecordOption::WithFreqsAndPositions, false)),
        names: builder.add_text_field("names", text(IndexRecordOption::Basic, false)),
        kind: builder.add_u64_field("kind", number()),
        id: builder.add_i64_field("id", number()),
        space: builder.add_i64_field("space", number()),
        room: builder.add_i64_field("room", number()),
        author: builder.add_i64_field("author", number()),
        created: builder.add_i64_field("created", number()),
        boost: builder.add_f64_field("boost", number()),
        tags: builder.add_text_field("tags", column()),
        terms: builder.add_text_field("terms", column()),
        audience: builder.add_text_field("audience", column()),
    };
    (builder.build(), fields)
}

/// The term that a document is replaced by.
#[must_use]
pub fn key_term(fields: &Fields, kind: Kind, id: i64) -> Term {
    Term::from_field_text(fields.key, &format!("{kind}:{id}"))
}

/// A document for the index.
#[must_use]
pub fn entry(fields: &Fields, of: &Document, tuning: &Tuning) -> TantivyDocument {
    let mut entry = TantivyDocument::default();
    entry.add_text(fields.key, format!("{}:{}", of.kind, of.id));
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
    let stems = Stems { language: spoken, tuning };
    add(&mut entry, fields.title, stems.of(&title));
    add(&mut entry, fields.labels, stems.of(labels.iter().flatten()));
    add(&mut entry, fields.body, stems.of(passages.iter().flatten()));
    let mut words = String::new();
    let mut at = 0;
    for part in std::iter::once(&title).chain(&labels).chain(&passages) {
        let mut part: Vec<&Token> = part.iter().collect();
        part.sort_by_key(|token| token.position);
        let end = part.last().map_or(0, |token| token.position + 1);
        for token in part {
            line(&mut words, &token.word, Some(at + token.position));
        }
        at += end + GAP;
    }
    add(&mut entry, fields.words, words);
    let mut names = String::new();
    for token in std::iter::once(&title).chain(&labels).flatten() {
        line(&mut names, &token.word, None);
    }
    add(&mut entry, fields.names, names);
    entry.add_u64(fields.kind, of.kind.number());
    entry.add_i64(fields.id, of.id);
    for (field, value) in [(fields.space, of.space), (fields.room, of.room), (fields.author, of.author)] {
        if let Some(value) = value {
            entry.add_i64(field, value);
        }
    }
    for author in &of.co_authors {
        entry.add_i64(fields.author, *author);
    }
    entry.add_i64(fields.created, of.created_at);
    entry.add_f64(fields.boost, f64::from(boost(of, &tuning.ranking)));
    for tag in &of.tags {
        entry.add_text(fields.tags, tag);
    }
    for term in &of.terms {
        entry.add_text(fields.terms, terms::asked(term.kind, &term.word));
        entry.add_text(fields.terms, terms::counted(term));
    }
    for audience in &of.audience {
        entry.add_text(fields.audience, audience.to_string());
    }
    entry
}

struct Stems<'a> {
    language: Language,
    tuning: &'a Tuning,
}

impl Stems<'_> {
    fn of<'a>(&self, tokens: impl IntoIterator<Item = &'a Token>) -> String {
        let mut lines = String::new();
        for token in tokens {
            let little = token.shape == Shape::Word && is_stop_word(&token.word, self.language);
            // Parts of one letter and single digits of identifiers say nothing alone.
            let scrap = token.shape == Shape::Part && token.word.len() < 2;
            if scrap || little && self.tuning.stop_words {
                continue;
            }
            let stemmed = self.tuning.stemming && token.shape != Shape::Pair;
            let word = if stemmed { stem(&token.word, self.language) } else { Cow::Borrowed(token.word.as_str()) };
            line(&mut lines, &word, None);
        }
        lines
    }
}

/// One more word of a field, with its place where the field keeps places. A word has no tab and no end of a line.
fn line(lines: &mut String, word: &str, place: Option<usize>) {
    if word.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push_str(word);
    if let Some(place) = place {
        let _never = write!(lines, "\t{place}");
    }
}

fn add(entry: &mut TantivyDocument, field: Field, lines: String) {
    if !lines.is_empty() {
        entry.add_text(field, lines);
    }
}

/// The tokenizer of lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    token: IndexToken,
}

impl Tokenizer for Lines {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        Words { token: &mut self.token, lines: text.split('\n') }
    }
}

/// The words of a field.
#[derive(Debug)]
pub struct Words<'a> {
    token: &'a mut IndexToken,
    lines: std::str::Split<'a, char>,
}

impl TokenStream for Words<'_> {
    fn advance(&mut self) -> bool {
        let Some(line) = self.lines.next() else { return false };
        let (word, place) = line.split_once('\t').unwrap_or((line, ""));
        self.token.text.clear();
        self.token.text.push_str(word);
        self.token.position = place.parse().unwrap_or(0);
        true
    }

    fn token(&self) -> &IndexToken {
        self.token
    }

    fn token_mut(&mut self) -> &mut IndexToken {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_as_they_were_written() {
        let mut lines = String::new();
        line(&mut lines, "health", Some(3));
        line(&mut lines, "\u{635}\u{644}\u{649} \u{627}", Some(40));
        line(&mut lines, "message:12", None);
        let mut tokenizer = Lines::default();
        let mut words = tokenizer.token_stream(&lines);
        let mut read = Vec::new();
        while words.advance() {
            read.push((words.token().text.clone(), words.token().position));
        }
        let wanted = [("health", 3), ("\u{635}\u{644}\u{649} \u{627}", 40), ("message:12", 0)];
        assert_eq!(read, wanted.map(|(word, place)| (word.to_owned(), place)));
    }
}
