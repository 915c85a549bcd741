//! What the embedded index holds of a document: terms and numbers, no text.

use tantivy::schema::{Field, IndexRecordOption, NumericOptions, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token as IndexToken};
use tantivy::{TantivyDocument, Term};

use crate::ports::search::{MOST_TEXT, Tuning, boost, cut, terms};
use crate::search::analysis::{Language, Shape, Token, is_stop_word, language, stem, tokens};
use crate::search::{Document, Kind};

/// Positions between two passages, so that no phrase runs from one into the next.
const GAP: usize = 20;

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
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(option).set_fieldnorms(norms);
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
    add(&mut entry, fields.labels, labels.iter().flat_map(|label| stems.of(label)).collect());
    add(&mut entry, fields.body, passages.iter().flat_map(|passage| stems.of(passage)).collect());
    let mut words = Vec::new();
    let mut at = 0;
    for part in std::iter::once(&title).chain(&labels).chain(&passages) {
        let mut part: Vec<&Token> = part.iter().collect();
        part.sort_by_key(|token| token.position);
        let end = part.last().map_or(0, |token| token.position + 1);
        words.extend(part.iter().map(|token| index_token(&token.word, at + token.position)));
        at += end + GAP;
    }
    add(&mut entry, fields.words, words);
    let names = std::iter::once(&title).chain(&labels).flatten().map(|token| index_token(&token.word, 0)).collect();
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
    fn of(&self, tokens: &[Token]) -> Vec<IndexToken> {
        tokens
            .iter()
            .filter(|token| {
                let little = token.shape == Shape::Word && is_stop_word(&token.word, self.language);
                // Parts of one letter and single digits of identifiers say nothing alone.
                let scrap = token.shape == Shape::Part && token.word.len() < 2;
                !(scrap || little && self.tuning.stop_words)
            })
            .map(|token| {
                if self.tuning.stemming && token.shape != Shape::Pair {
                    index_token(&stem(&token.word, self.language), token.position)
                } else {
                    index_token(&token.word, token.position)
                }
            })
            .collect()
    }
}

fn index_token(word: &str, position: usize) -> IndexToken {
    IndexToken { offset_from: 0, offset_to: 0, position, text: word.to_owned(), position_length: 1 }
}

fn add(entry: &mut TantivyDocument, field: Field, tokens: Vec<IndexToken>) {
    if !tokens.is_empty() {
        entry.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
    }
}
