//! Terms of case studies in one segment: which of those asked for a document has, and how often each
//! stands in what was found.

use tantivy::SegmentReader;
use tantivy::columnar::StrColumn;

use crate::entities::kinds::TermKind;
use crate::ports::search::terms::{Counts, asked, read};
use crate::ports::search::{EngineResult, Filters};

/// What a document lacks of the terms that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacks {
    Nothing,
    /// The one at this place alone.
    One(usize),
    More,
}

/// The terms of a segment.
pub struct Terms {
    /// None if no document of the segment has a term.
    column: Option<StrColumn>,
    /// The kind of each that is asked for, and its number here if it is there.
    asked: Vec<(TermKind, Option<u64>)>,
    /// By number: how many documents have it that lack nothing.
    full: Vec<u64>,
    /// For each that is asked for the same of those that lack nothing but, perhaps, it.
    but_one: Vec<Vec<u64>>,
}

impl Terms {
    pub fn of(segment: &SegmentReader, filters: &Filters) -> EngineResult<Self> {
        let column = segment.fast_fields().str("terms")?;
        let mut numbers = Vec::with_capacity(filters.terms.len());
        for (kind, word) in &filters.terms {
            let number = match &column {
                Some(column) => column.dictionary().term_ord(asked(*kind, word).as_bytes())?,
                None => None,
            };
            numbers.push((*kind, number));
        }
        let size = column.as_ref().map_or(0, |column| column.num_terms());
        let but_one = vec![vec![0; size]; numbers.len()];
        Ok(Self { column, asked: numbers, full: vec![0; size], but_one })
    }

    /// What a document lacks.
    pub fn lacks(&self, doc: u32) -> Lacks {
        let has = |number: u64| self.column.as_ref().is_some_and(|column| column.term_ords(doc).any(|of| of == number));
        let mut lacks = Lacks::Nothing;
        for (at, (_, number)) in self.asked.iter().enumerate() {
            if number.is_some_and(has) {
                continue;
            }
            if lacks != Lacks::Nothing {
                return Lacks::More;
            }
            lacks = Lacks::One(at);
        }
        lacks
    }

    /// Counts a document that passes everything else.
    pub fn count(&mut self, doc: u32, lacks: Lacks) {
        let Self { column: Some(column), full, but_one, .. } = self else { return };
        for number in column.term_ords(doc) {
            match lacks {
                Lacks::Nothing => {
                    one_more(full, number);
                    for counts in but_one.iter_mut() {
                        one_more(counts, number);
                    }
                }
                Lacks::One(at) => {
                    if let Some(counts) = but_one.get_mut(at) {
                        one_more(counts, number);
                    }
                }
                Lacks::More => {}
            }
        }
    }

    /// Adds what was counted, each kind as if its own filter were not set.
    pub fn add_to(&self, totals: &mut Counts) -> EngineResult<()> {
        let Some(column) = &self.column else { return Ok(()) };
        let mut name = String::new();
        for (at, full) in self.full.iter().enumerate() {
            let met = *full > 0 || self.but_one.iter().any(|counts| counts.get(at).is_some_and(|count| *count > 0));
            if !met || !column.ord_to_str(at as u64, &mut name)? {
                continue;
            }
            let Some((kind, word, label)) = read(&name) else { continue };
            let own = self.asked.iter().position(|(asked, _)| *asked == kind);
            let count = own.and_then(|own| self.but_one.get(own)?.get(at)).unwrap_or(full);
            if *count > 0 {
                totals.add(kind, word, label, *count);
            }
        }
        Ok(())
    }
}

fn one_more(counts: &mut [u64], number: u64) {
    if let Some(count) = usize::try_from(number).ok().and_then(|at| counts.get_mut(at)) {
        *count += 1;
    }
}
