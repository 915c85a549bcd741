//! The vocabulary of the index as one viewer may see it: a word is only there if a document has it
//! that they may see.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, SegmentReader, Term};
use tantivy_fst::{Automaton, Regex};

use super::visible::Visible;
use crate::ports::search::{EngineError, EngineResult};

/// Words of a dictionary that are looked at for one asked for.
const MOST_LOOKED_AT: usize = 4000;

/// Words and in how many documents the viewer may see they are.
pub type Counts = BTreeMap<String, u64>;

/// The vocabulary of a field.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    pub segments: &'a [SegmentReader],
    pub visible: &'a [Arc<Visible>],
    pub field: Field,
}

struct Dfa(DFA);

impl Automaton for Dfa {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

static ONE: LazyLock<LevenshteinAutomatonBuilder> = LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
static TWO: LazyLock<LevenshteinAutomatonBuilder> = LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

impl Vocabulary<'_> {
    /// In how many visible documents a word is, counted up to `most`.
    pub fn count(&self, word: &str, most: u64) -> EngineResult<u64> {
        let term = Term::from_field_text(self.field, word);
        let mut count = 0;
        for (segment, visible) in self.segments.iter().zip(self.visible) {
            let reader = segment.inverted_index(self.field)?;
            if let Some(info) = reader.get_term_info(&term)? {
                count += seen(&reader, &info, visible, most - count)?;
            }
            if count >= most {
                break;
            }
        }
        Ok(count)
    }

    /// Visible words that begin so.
    pub fn beginning_with(&self, prefix: &str, most: u64) -> EngineResult<Counts> {
        let mut counts = Counts::new();
        for (segment, visible) in self.segments.iter().zip(self.visible) {
            let reader = segment.inverted_index(self.field)?;
            let mut words = reader.terms().range().ge(prefix.as_bytes()).into_stream()?;
            let mut looked_at = 0;
            while words.advance() {
                if !words.key().starts_with(prefix.as_bytes()) || looked_at == MOST_LOOKED_AT {
                    break;
                }
                looked_at += 1;
                note(&mut counts, words.key(), seen(&reader, words.value(), visible, most)?);
            }
        }
        Ok(counts)
    }

    /// Visible words that differ in so many letters at most (1 or 2), with how many.
    pub fn like(&self, word: &str, faults: u8, most: u64) -> EngineResult<Vec<(String, u64, u8)>> {
        let builder = if faults > 1 { &*TWO } else { &*ONE };
        let dfa = Dfa(builder.build_dfa(word));
        let counts = self.matching(&dfa, most)?;
        Ok(counts
            .into_iter()
            .filter(|(other, _)| other != word)
            .map(|(other, count)| {
                let distance = match dfa.0.eval(other.as_str()) {
                    Distance::Exact(distance) | Distance::AtLeast(distance) => distance,
                };
                (other, count, distance)
            })
            .collect())
    }

    /// Visible words with this one inside; letters and digits only.
    pub fn around(&self, word: &str, most: u64) -> EngineResult<Counts> {
        let pattern = format!(".*{word}.*");
        let regex = Regex::new(&pattern).map_err(|error| EngineError(error.to_string()))?;
        self.matching(&regex, most)
    }

    fn matching<A>(&self, automaton: &A, most: u64) -> EngineResult<Counts>
    where
        A: Automaton,
        A::State: Clone,
    {
        let mut counts = Counts::new();
        for (segment, visible) in self.segments.iter().zip(self.visible) {
            let reader = segment.inverted_index(self.field)?;
            let mut words = reader.terms().search(automaton).into_stream()?;
            let mut looked_at = 0;
            while words.advance() && looked_at < MOST_LOOKED_AT {
                looked_at += 1;
                note(&mut counts, words.key(), seen(&reader, words.value(), visible, most)?);
            }
        }
        Ok(counts)
    }
}

fn note(counts: &mut Counts, word: &[u8], count: u64) {
    if count > 0
        && let Ok(word) = std::str::from_utf8(word)
    {
        *counts.entry(word.to_owned()).or_insert(0) += count;
    }
}

/// In how many visible documents of a segment a word is, counted up to `most`.
fn seen(
    reader: &InvertedIndexReader,
    info: &tantivy::postings::TermInfo,
    visible: &Visible,
    most: u64,
) -> EngineResult<u64> {
    let mut postings = reader.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    let mut count = 0;
    loop {
        let docs = postings.docs();
        if docs.is_empty() {
            return Ok(count);
        }
        count += docs.iter().filter(|doc| visible.has(**doc)).count() as u64;
        if count >= most {
            return Ok(most);
        }
        postings.advance();
    }
}
