//! Scoring: BM25 over weighted fields (BM25F, Robertson and Zaragoza 2009, section 3.5), a word of
//! the question at a time, over what the asker may see and nothing else.
//!
//! A word's ways count as one term: their frequencies, weighted by field and way and put right for
//! the field's length, are added up before they saturate. How rare a word is and how many documents
//! there are is counted over what is visible, so a score tells nothing of the rest.

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::Postings as _;
use tantivy::query::{EnableScoring, PhraseQuery, Query as _};
use tantivy::schema::{Field, IndexRecordOption, Schema};
use tantivy::{DocSet as _, SegmentReader, TERMINATED, Term};

use super::meaning::{Concept, Meaning, Way};
use super::schema::Fields;
use super::visible::Visible;
use crate::ports::search::{EngineResult, Tuning};
use crate::search::config;

/// Documents of one segment with the weighted frequency of one word of the question.
type Column = Vec<(u32, f32)>;

/// The documents of one segment that answer, with their scores, ascending by document.
pub type Scored = Vec<(u32, f32)>;

/// What scoring looks at.
pub struct Scoring<'a> {
    pub segments: &'a [SegmentReader],
    pub visible: &'a [Arc<Visible>],
    pub fields: &'a Fields,
    pub schema: &'a Schema,
    pub tuning: &'a Tuning,
}

impl Scoring<'_> {
    /// Every document that answers, a list a segment.
    pub fn score(&self, meaning: &Meaning) -> EngineResult<Vec<Scored>> {
        let averages = self.averages();
        let mut columns: Vec<Vec<Column>> = Vec::with_capacity(self.segments.len());
        for (segment, visible) in self.segments.iter().zip(self.visible) {
            columns.push(self.columns(segment, visible, meaning, &averages)?);
        }
        let documents: u64 = self.visible.iter().map(|visible| visible.count()).sum();
        let (mut rarity, mut loose, mut weight) = (Vec::with_capacity(meaning.concepts.len()), 0, 0.0f32);
        for (at, concept) in meaning.concepts.iter().enumerate() {
            let having: usize = columns.iter().filter_map(|of| of.get(at)).map(Vec::len).sum();
            let rare = idf(documents, having as u64);
            rarity.push(rare);
            if !concept.required {
                loose += 1;
                // A word that nothing has says nothing of what was found.
                weight += if having > 0 { rare } else { 0.0 };
            }
        }
        let needed = self.needed(loose, weight);
        let mut scored = self.combine(meaning, &columns, &rarity, needed)?;
        if loose > 1 && scored.iter().all(Vec::is_empty) {
            // Nothing has that much of what was asked: better some than nothing.
            scored = self.combine(meaning, &columns, &rarity, self.needed(1, 0.0))?;
        }
        Ok(scored)
    }

    /// What a document needs of so many loose words: of few words two, of many those that make up
    /// a share of the rarity of all.
    fn needed(&self, words: usize, weight: f32) -> Needed {
        let matching = self.tuning.ranking.matching;
        match words {
            0 => Needed { words: 0, weight: 0.0 },
            1 => Needed { words: 1, weight: 0.0 },
            _ if words <= matching.few => Needed { words: 2, weight: 0.0 },
            _ => Needed { words: 1, weight: weight * matching.share },
        }
    }

    fn weighted(&self) -> [(Field, config::Field); 3] {
        let of = self.tuning.ranking.fields;
        let [title, labels, body] = self.fields.scored();
        [(title, of.title), (labels, of.labels), (body, of.body)]
    }

    /// The average length of each field in what is visible.
    fn averages(&self) -> [f32; 3] {
        let documents: u64 = self.visible.iter().map(|visible| visible.count()).sum();
        let mut tokens = [0u64; 3];
        for visible in self.visible {
            for (sum, length) in tokens.iter_mut().zip(visible.lengths()) {
                *sum += length;
            }
        }
        tokens.map(|tokens| (tokens as f32 / documents.max(1) as f32).max(1.0))
    }

    fn columns(
        &self,
        segment: &SegmentReader,
        visible: &Visible,
        meaning: &Meaning,
        averages: &[f32; 3],
    ) -> EngineResult<Vec<Column>> {
        let norms = self.norms(segment, averages)?;
        let mut gathered = Gathered { frequencies: vec![0.0; segment.max_doc() as usize], touched: Vec::new() };
        let mut columns = Vec::with_capacity(meaning.concepts.len());
        for concept in &meaning.concepts {
            self.gather(segment, visible, concept, &norms, &mut gathered)?;
            columns.push(gathered.take());
        }
        Ok(columns)
    }

    fn norms(&self, segment: &SegmentReader, averages: &[f32; 3]) -> EngineResult<Vec<Norms>> {
        self.weighted()
            .iter()
            .zip(averages)
            .map(|((field, of), average)| {
                let mut parts = [1.0; 256];
                for (id, part) in (0u8..=255).zip(&mut parts) {
                    let length = FieldNormReader::id_to_fieldnorm(id) as f32;
                    *part = of.weight / (1.0 - of.length + of.length * length / average);
                }
                let reader = segment.get_fieldnorms_reader(*field)?;
                Ok(Norms { field: *field, reader, parts })
            })
            .collect()
    }

    fn gather(
        &self,
        segment: &SegmentReader,
        visible: &Visible,
        concept: &Concept,
        norms: &[Norms],
        gathered: &mut Gathered,
    ) -> EngineResult<()> {
        for (way, weight) in &concept.ways {
            match way {
                Way::Stem(stem) => {
                    for norm in norms {
                        each(segment, norm.field, stem, |doc, frequency| {
                            if visible.has(doc) {
                                gathered.add(doc, weight * norm.part(doc) * frequency as f32);
                            }
                        })?;
                    }
                }
                Way::Whole(word) => {
                    let body = norms.last();
                    each(segment, self.fields.words, word, |doc, frequency| {
                        if visible.has(doc) {
                            gathered.add(doc, weight * body.map_or(1.0, |norm| norm.part(doc)) * frequency as f32);
                        }
                    })?;
                }
                Way::Name(word) => each(segment, self.fields.names, word, |doc, _| {
                    if visible.has(doc) {
                        gathered.add(doc, weight * norms.first().map_or(1.0, |norm| norm.part(doc)));
                    }
                })?,
                Way::Title(word) => each(segment, self.fields.title, word, |doc, _| {
                    gathered.raise(doc, weight * norms.first().map_or(1.0, |norm| norm.part(doc)));
                })?,
                Way::Phrase(words) => {
                    let body = norms.last();
                    self.phrase(segment, words, &mut |doc| {
                        if visible.has(doc) {
                            gathered.add(doc, weight * body.map_or(1.0, |norm| norm.part(doc)));
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    fn phrase(&self, segment: &SegmentReader, words: &[String], visit: &mut dyn FnMut(u32)) -> EngineResult<()> {
        if let [one] = words {
            return each(segment, self.fields.words, one, |doc, _| visit(doc));
        }
        if words.is_empty() {
            return Ok(());
        }
        let terms = words.iter().map(|word| Term::from_field_text(self.fields.words, word)).collect();
        let weight = PhraseQuery::new(terms).weight(EnableScoring::disabled_from_schema(self.schema))?;
        let mut found = weight.scorer(segment, 1.0)?;
        let mut doc = found.doc();
        while doc != TERMINATED {
            visit(doc);
            doc = found.advance();
        }
        Ok(())
    }

    /// The documents that have enough of the words, without those that are left out.
    fn combine(
        &self,
        meaning: &Meaning,
        columns: &[Vec<Column>],
        rarity: &[f32],
        needed: Needed,
    ) -> EngineResult<Vec<Scored>> {
        let k1 = self.tuning.ranking.k1;
        let required = meaning.concepts.iter().filter(|concept| concept.required).count();
        let mut all = Vec::with_capacity(columns.len());
        for (segment, columns) in self.segments.iter().zip(columns) {
            let size = segment.max_doc() as usize;
            let mut tallies = vec![Tally::default(); size];
            for ((column, rarity), concept) in columns.iter().zip(rarity).zip(&meaning.concepts) {
                for (doc, frequency) in column {
                    if let Some(tally) = tallies.get_mut(*doc as usize) {
                        tally.score += rarity * frequency * (k1 + 1.0) / (frequency + k1);
                        if concept.required {
                            tally.required += 1;
                        } else {
                            tally.words += 1;
                            tally.weight += rarity;
                        }
                    }
                }
            }
            self.leave_out(segment, meaning, &mut tallies)?;
            let enough = |(doc, tally): (u32, &Tally)| {
                let good = tally.score > 0.0
                    && usize::from(tally.words) >= needed.words
                    && tally.weight >= needed.weight
                    && usize::from(tally.required) >= required;
                good.then_some((doc, tally.score))
            };
            all.push((0u32..).zip(&tallies).filter_map(enough).collect());
        }
        Ok(all)
    }

    fn leave_out(&self, segment: &SegmentReader, meaning: &Meaning, tallies: &mut [Tally]) -> EngineResult<()> {
        for way in &meaning.without {
            let mut drop = |doc: u32| {
                if let Some(tally) = tallies.get_mut(doc as usize) {
                    tally.score = 0.0;
                }
            };
            match way {
                Way::Stem(stem) => {
                    for (field, _) in self.weighted() {
                        each(segment, field, stem, |doc, _| drop(doc))?;
                    }
                }
                Way::Whole(word) => each(segment, self.fields.words, word, |doc, _| drop(doc))?,
                Way::Name(word) => each(segment, self.fields.names, word, |doc, _| drop(doc))?,
                Way::Title(word) => each(segment, self.fields.title, word, |doc, _| drop(doc))?,
                Way::Phrase(words) => self.phrase(segment, words, &mut drop)?,
            }
        }
        Ok(())
    }
}

/// The documents of one segment that have a word of the question, while they are gathered.
struct Gathered {
    /// By document.
    frequencies: Vec<f32>,
    touched: Vec<u32>,
}

impl Gathered {
    fn add(&mut self, doc: u32, frequency: f32) {
        if let Some(slot) = self.frequencies.get_mut(doc as usize) {
            if *slot == 0.0 {
                self.touched.push(doc);
            }
            *slot += frequency;
        }
    }

    /// Adds to what is there already.
    fn raise(&mut self, doc: u32, frequency: f32) {
        if let Some(slot) = self.frequencies.get_mut(doc as usize).filter(|slot| **slot > 0.0) {
            *slot += frequency;
        }
    }

    fn take(&mut self) -> Column {
        let take = |doc: u32| (doc, self.frequencies.get_mut(doc as usize).map_or(0.0, std::mem::take));
        self.touched.drain(..).map(take).collect()
    }
}

struct Norms {
    field: Field,
    reader: FieldNormReader,
    parts: [f32; 256],
}

impl Norms {
    fn part(&self, doc: u32) -> f32 {
        self.parts.get(usize::from(self.reader.fieldnorm_id(doc))).copied().unwrap_or(1.0)
    }
}

/// What a document needs of the loose words.
#[derive(Clone, Copy)]
struct Needed {
    words: usize,
    /// Rarity of the words it has, added up.
    weight: f32,
}

/// What a document has of the words.
#[derive(Clone, Copy, Default)]
struct Tally {
    score: f32,
    /// Rarity of the loose words it has, added up.
    weight: f32,
    words: u8,
    required: u8,
}

fn idf(documents: u64, having: u64) -> f32 {
    let (documents, having) = (documents.max(having) as f32, having as f32);
    (1.0 + (documents - having + 0.5) / (having + 0.5)).ln()
}

/// Every document of a segment with a term, and how often.
fn each(segment: &SegmentReader, field: Field, word: &str, mut visit: impl FnMut(u32, u32)) -> EngineResult<()> {
    let reader = segment.inverted_index(field)?;
    let Some(info) = reader.get_term_info(&Term::from_field_text(field, word))? else { return Ok(()) };
    let mut postings = reader.read_postings_from_terminfo(&info, IndexRecordOption::WithFreqs)?;
    let mut doc = postings.doc();
    while doc != TERMINATED {
        visit(doc, postings.term_freq());
        doc = postings.advance();
    }
    Ok(())
}
