//! How often words stand in a document, and how long it is: what Meilisearch's own rules do not
//! count. The best of what was found is put in order by BM25F, as the embedded index scores.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use meilisearch_sdk::search::MatchingStrategies;

use super::ask::{One, Shape};
use super::entry::key;
use super::filter::any;
use super::index::MeiliIndex;
use super::settings::FOUND_BY;
use crate::ports::search::EngineResult;
use crate::search::{Kind, config};

/// Documents that are put in order so, the best first; those behind them stay as they are.
pub const WEIGHED: usize = 200;
/// Words of a document whose frequencies are kept, the most frequent first.
const MOST_WORDS: usize = 500;
/// Of a word that is kept nowhere: it stands once in the text.
const ONCE: [u32; 3] = [0, 0, 1];

/// Frequencies of words in a document's title, labels and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    lengths: [u32; 3],
    words: HashMap<String, [u32; 3]>,
}

impl Counts {
    /// Counts a word of a field: 0 the title, 1 labels, 2 the text. `long`: it makes the field longer.
    pub fn add(&mut self, field: usize, word: &str, long: bool) {
        if let Some(length) = self.lengths.get_mut(field) {
            *length += u32::from(long);
        }
        if let Some(count) = self.words.entry(word.to_owned()).or_default().get_mut(field) {
            *count += 1;
        }
    }

    /// As one line: three lengths, then each word that does not stand once in the text.
    #[must_use]
    pub fn line(&self) -> String {
        let told = self.words.iter().filter(|(_, counts)| **counts != ONCE);
        let mut told: Vec<(&String, &[u32; 3])> = told.collect();
        told.sort_unstable_by_key(|(word, counts)| (std::cmp::Reverse(counts.iter().sum::<u32>()), *word));
        let [title, labels, body] = self.lengths;
        let mut line = format!("{title} {labels} {body}");
        for (word, [title, labels, body]) in told.into_iter().take(MOST_WORDS) {
            let _written = write!(line, " {word} {title} {labels} {body}");
        }
        line
    }

    /// What a line says; `None` if it is none.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let three = |parts: &mut std::str::Split<'_, char>| -> Option<[u32; 3]> {
            Some([parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?])
        };
        let mut read = Self { lengths: three(&mut parts)?, words: HashMap::new() };
        while let Some(word) = parts.next() {
            read.words.insert(word.to_owned(), three(&mut parts)?);
        }
        Some(read)
    }

    /// How often it has a word, by the weights and lengths of its fields.
    fn frequency(&self, word: &str, averages: &[f32; 3]) -> f32 {
        let of = config::ranking().fields;
        let counts = self.words.get(word).unwrap_or(&ONCE);
        let fields = [of.title, of.labels, of.body].into_iter().zip(counts).zip(self.lengths).zip(averages);
        fields
            .map(|(((field, count), length), average)| {
                let long = 1.0 - field.length + field.length * length as f32 / average;
                field.weight * *count as f32 / long
            })
            .sum()
    }
}

/// A document that was found.
#[derive(Clone, Debug)]
pub struct Weighed {
    pub document: (Kind, i64),
    /// The words of the question that it has, by their places: each a bit.
    pub has: u64,
    pub score: f32,
}

impl MeiliIndex {
    /// Scores documents by how often they have the words, each with its rarity. What went meanwhile
    /// scores nothing.
    pub(super) async fn weigh(&self, who: &str, words: &[(&str, f32)], found: &mut [Weighed]) -> EngineResult<()> {
        let keys = found.iter().map(|of| key(of.document.0, of.document.1));
        let asked = One {
            text: String::new(),
            filter: format!("{who} AND {}", any("key", keys)),
            on: &FOUND_BY,
            strategy: MatchingStrategies::ALL,
            shape: Shape::Counts(found.len()),
        };
        let answers = self.many(&[asked]).await?;
        let rows = answers.into_iter().flat_map(super::ask::Answer::rows);
        let counts: BTreeMap<(Kind, i64), Counts> =
            rows.filter_map(|(hit, row)| Some(((hit.kind, hit.id), Counts::read(&row.counts)?))).collect();
        let averages = averages(counts.values());
        let k1 = config::ranking().k1;
        for of in found {
            let Some(counts) = counts.get(&of.document) else {
                of.score = 0.0;
                continue;
            };
            let has = words.iter().enumerate().filter(|(at, _)| of.has & bit(*at) != 0);
            of.score = has
                .map(|(_, (word, rarity))| {
                    let frequency = counts.frequency(word, &averages);
                    rarity * frequency * (k1 + 1.0) / (frequency + k1)
                })
                .sum();
        }
        Ok(())
    }
}

/// The place of a word as a bit; those beyond the last share none.
#[must_use]
pub fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

fn averages<'a>(all: impl Iterator<Item = &'a Counts>) -> [f32; 3] {
    let (mut sums, mut documents) = ([0u64; 3], 0u64);
    for counts in all {
        documents += 1;
        for (sum, length) in sums.iter_mut().zip(counts.lengths) {
            *sum += u64::from(length);
        }
    }
    sums.map(|sum| (sum as f32 / documents.max(1) as f32).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_counted() {
        let mut counts = Counts::default();
        for (field, word) in [(0, "alarm"), (1, "ward"), (2, "alarm"), (2, "alarm"), (2, "night")] {
            counts.add(field, word, true);
        }
        assert_eq!(counts.line(), "1 1 3 alarm 1 0 2 ward 0 1 0");
        let read = Counts::read(&counts.line()).unwrap();
        let averages = [1.0, 1.0, 3.0];
        for word in ["alarm", "ward", "night"] {
            assert!((read.frequency(word, &averages) - counts.frequency(word, &averages)).abs() < 1e-6, "{word}");
        }
        assert!(read.frequency("alarm", &averages) > read.frequency("ward", &averages));
        let long = [1.0, 1.0, 1.0];
        assert!(read.frequency("night", &long) < read.frequency("night", &averages), "longer than usual");
        for bad in ["", "1 2", "a b c", "1 1 1 word", "1 1 1 word 1 x 1"] {
            assert_eq!(Counts::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_beyond_the_last_bit_are_not_mixed_up() {
        assert_eq!((bit(0), bit(63), bit(64)), (1, 1 << 63, 0));
    }
}
