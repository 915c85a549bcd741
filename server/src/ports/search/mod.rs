//! The search engine: an index in this process, made of Tantivy, or one that all nodes share in
//! Meilisearch.
//!
//! Either answers an [`Ask`] with ids and counts, never text: what is shown comes from the rows. It
//! computes everything over what the asker may see.

pub mod embedded;
mod engine;
pub mod meili;
mod progress;
pub mod terms;

use std::sync::Arc;

use crate::entities::kinds::TermKind;
use crate::search::config::Ranking;
use crate::search::query::Query;
use crate::search::snippet::Marks;
use crate::search::{Document, Kind, Reach, config};

pub use engine::{Home, Index};
pub use progress::Progress;

/// Switches for what a setting contributes; a hub runs with all of them on.
#[derive(Clone, Debug)]
pub struct Tuning {
    pub ranking: Ranking,
    pub stemming: bool,
    pub stop_words: bool,
    pub synonyms: bool,
    pub typos: bool,
    pub prefixes: bool,
    pub compounds: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            ranking: config::ranking().clone(),
            stemming: true,
            stop_words: true,
            synonyms: true,
            typos: true,
            prefixes: true,
            compounds: true,
        }
    }
}

/// Which documents are asked for, beside the words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// Empty: every kind.
    pub kinds: Vec<Kind>,
    pub space: Option<i64>,
    pub room: Option<i64>,
    pub tag: Option<String>,
    /// Case studies that are filed under all of these, each as it is compared.
    pub terms: Vec<(TermKind, String)>,
    pub author: Option<i64>,
    /// Microseconds, inclusive.
    pub from: Option<i64>,
    /// Microseconds, exclusive.
    pub to: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Relevance,
    New,
}

/// A place in a list of hits: what it is sorted by, then the hit; and when it was made, as scores
/// are only comparable within one state of the index and one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The score's bits, or microseconds.
    pub key: i64,
    pub kind: Kind,
    pub id: i64,
    /// [`Found::version`] of the answer it is from.
    pub version: u64,
    /// [`Ask::now`] of the question.
    pub now: i64,
}

/// What a hit is sorted by; scores are positive, so that their bits are in their order.
#[must_use]
pub fn key(hit: &Hit, sort: Sort) -> i64 {
    match sort {
        Sort::Relevance => i64::from(hit.score.max(0.0).to_bits()),
        Sort::New => hit.created_at,
    }
}

/// The place of a hit of an answer.
#[must_use]
pub fn place(hit: &Hit, sort: Sort, version: u64, now: i64) -> Place {
    Place { key: key(hit, sort), kind: hit.kind, id: hit.id, version, now }
}

/// A question to an engine.
#[derive(Clone, Debug)]
pub struct Ask {
    pub query: Arc<Query>,
    pub filters: Filters,
    pub sort: Sort,
    pub limit: usize,
    /// Goes on behind this hit.
    pub after: Option<Place>,
    pub reach: Arc<Reach>,
    /// Microseconds; what is recent.
    pub now: i64,
    /// Only titles and labels, every word of which may be a beginning: for suggestions.
    pub names_only: bool,
    /// Whether counts are wanted.
    pub facets: bool,
}

/// Something found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub kind: Kind,
    pub id: i64,
    /// Larger is better; only comparable within one answer.
    pub score: f32,
    pub created_at: i64,
}

/// Counts over everything found; each as if its own filter were not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    pub kinds: Vec<(Kind, u64)>,
    pub spaces: Vec<(i64, u64)>,
    pub tags: Vec<(String, u64)>,
    pub authors: Vec<(i64, u64)>,
    pub terms: terms::ByKind,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub more: bool,
    /// What the next page is asked by: the state of the index, or how many hits were before.
    pub version: u64,
    pub total: u64,
    pub facets: Facets,
    /// What to mark in the texts.
    pub marks: Marks,
    /// The question as it may have been meant.
    pub did_you_mean: Option<String>,
}

/// One change for an index: a document as it is now, or that it is gone.
#[derive(Clone, Debug)]
pub enum Change {
    Put(Box<Document>),
    Remove(Kind, i64),
}

/// Bytes of text of one document that are indexed.
const MOST_TEXT: usize = 2_000_000;

/// A text up to so many bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut at = most.min(text.len());
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or_default()
}

/// What a document gains for itself, before it is known when it is asked for.
fn boost(of: &Document, ranking: &Ranking) -> f32 {
    let boosts = ranking.boosts;
    let accepted = if of.accepted { boosts.accepted } else { 0.0 };
    let endorsements = f32::from(u16::try_from(of.endorsements.max(0)).unwrap_or(u16::MAX));
    1.0 + accepted + boosts.endorsed * endorsements.ln_1p()
}

/// The engine cannot answer or take changes now.
#[derive(Debug)]
pub struct EngineError(pub String);

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the search engine: {}", self.0)
    }
}

impl std::error::Error for EngineError {}

impl From<tantivy::TantivyError> for EngineError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for EngineError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

pub type EngineResult<T> = Result<T, EngineError>;
