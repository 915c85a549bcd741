//! What a question is sent as: every word by its stem, put right where nobody wrote it so, left out
//! where nothing has it. Whether a word is there is asked with the viewer's filter.

use std::collections::{BTreeMap, HashSet};

use levenshtein_automata::{Distance, LevenshteinAutomatonBuilder};
use meilisearch_sdk::search::MatchingStrategies;

use super::added::Words;
use super::ask::{One, Shape};
use super::entry::{quoted, sent};
use super::index::MeiliIndex;
use super::settings::{FOUND_BY, NAMES, PHRASES, SPELLING, WORDS};
use crate::ports::search::{Ask, EngineResult};
use crate::search::analysis::{Language, stem};
use crate::search::config;
use crate::search::query::{Query, Word};
use crate::search::snippet::Marks;

/// Meilisearch reads no more words of a question than this.
const MOST_WORDS: usize = 10;
/// Of a longer question so many words are added up.
const MOST_ADDED: usize = 16;
/// Words that a synonym may be of.
const LONGEST_SPAN: usize = 3;
/// Documents that are looked at for a word that may be meant.
const LOOKED_AT: usize = 20;

/// A question as it is sent.
#[derive(Clone, Debug)]
pub struct Meaning {
    pub text: String,
    pub on: &'static [&'static str],
    /// Of several words: each alone, to be added up.
    pub words: Option<Words>,
    pub marks: Marks,
    pub did_you_mean: Option<String>,
    /// No document can have it.
    pub hopeless: bool,
}

impl Meaning {
    fn new(on: &'static [&'static str]) -> Self {
        Self { text: String::new(), on, words: None, marks: Marks::default(), did_you_mean: None, hopeless: false }
    }
}

/// A word on its way.
struct Term {
    /// Its place among the words of the question.
    at: usize,
    text: String,
    /// It is known to be there, or need not be.
    known: bool,
    /// Documents with it.
    count: u64,
    /// It may be a beginning.
    open: bool,
    /// It is there only together with a neighbour.
    joined: bool,
}

/// What a question stands for, for whoever this filter is of.
pub async fn meaning(index: &MeiliIndex, ask: &Ask, who: &str) -> EngineResult<Meaning> {
    let query = &*ask.query;
    if ask.names_only {
        return Ok(names(query));
    }
    let all_little = query.phrases.is_empty() && query.words.iter().all(|word| query.is_stop(&word.word));
    // Nothing but phrases and little words is of whole words.
    let whole = all_little || query.words.is_empty();
    let mut meaning = Meaning::new(if whole && !query.is_empty() { &[WORDS, PHRASES] } else { &FOUND_BY });
    let mut terms: Vec<Term> = Vec::new();
    for (at, word) in query.words.iter().enumerate() {
        if all_little || !query.is_stop(&word.word) {
            terms.push(term(query, at, word, all_little, &mut meaning.marks));
        }
    }
    let looked = Looked { index, query, who, on: meaning.on };
    looked.count(&mut terms).await?;
    let spans = if all_little { Vec::new() } else { looked.find_spans(&mut terms).await? };
    let corrections = looked.put_right(&mut terms, all_little, &mut meaning.marks).await?;
    let asked = terms.len();
    terms.retain(|term| term.known);
    meaning.hopeless = asked > 0 && terms.is_empty() && query.phrases.is_empty();
    if !corrections.is_empty() {
        meaning.did_you_mean = Some(query.corrected(&corrections));
    }
    mark_synonyms(query, &mut meaning.marks);
    let strict = strict(query, &mut meaning.marks);
    if terms.len() >= config::ranking().matching.few && !all_little {
        rarest(&mut terms, MOST_ADDED);
        let word = |term: Term| (if term.open { term.text } else { format!("{} ", term.text) }, term.count);
        let alone = terms.into_iter().filter(|term| !term.joined).map(word);
        meaning.words = Some(Words { strict, each: alone.chain(spans).collect() });
        return Ok(meaning);
    }
    rarest(&mut terms, MOST_WORDS.saturating_sub(query.phrases.len()));
    meaning.text = text(strict, terms);
    Ok(meaning)
}

/// For suggestions: titles and labels with all of the words, the last of which may be a beginning.
fn names(query: &Query) -> Meaning {
    let mut meaning = Meaning::new(&[NAMES]);
    for word in &query.words {
        let parts = if word.pairs.is_empty() { std::slice::from_ref(&word.word) } else { word.pairs.as_slice() };
        meaning.marks.words.extend(parts.iter().cloned());
        meaning.marks.prefix = parts.last().cloned();
        let parts: Vec<String> = parts.iter().map(|part| sent(part)).collect();
        if !meaning.text.is_empty() {
            meaning.text.push(' ');
        }
        meaning.text.push_str(&parts.join(" "));
    }
    meaning
}

fn stem_of(word: &str, query: &Query) -> String {
    // Texts are indexed by the English rules, French ones by the French as well.
    stem(word, query.language.unwrap_or(Language::English)).into_owned()
}

fn term(query: &Query, at: usize, word: &Word, all_little: bool, marks: &mut Marks) -> Term {
    let open = query.open_end && at + 1 == query.words.len();
    if let [first, rest @ ..] = word.pairs.as_slice() {
        marks.words.extend(word.pairs.iter().cloned());
        let alone = rest.is_empty() && first.chars().count() == 1;
        let pairs: Vec<String> = word.pairs.iter().map(|pair| sent(pair)).collect();
        // A single letter stands for the pairs that begin with it.
        let text = if alone { sent(first) } else { format!("\"{}\"", pairs.join(" ")) };
        if alone {
            marks.prefix = Some(first.clone());
        }
        return Term { at, text, known: true, count: 0, open: alone, joined: false };
    }
    marks.words.insert(word.word.clone());
    if all_little {
        return Term { at, text: word.word.clone(), known: false, count: 0, open, joined: false };
    }
    if open && word.word.chars().count() >= 2 {
        marks.prefix = Some(word.word.clone());
    }
    let text = stem_of(&word.word, query);
    marks.stems.insert(text.clone());
    Term { at, text, known: false, count: 0, open, joined: false }
}

/// Keeps the words that say most, in their order.
fn rarest(terms: &mut Vec<Term>, most: usize) {
    if terms.len() <= most {
        return;
    }
    let mut counts: Vec<(u64, usize)> = terms.iter().map(|term| (term.count, term.at)).collect();
    counts.sort_unstable();
    let kept: HashSet<usize> = counts.into_iter().take(most).map(|(_, at)| at).collect();
    terms.retain(|term| kept.contains(&term.at));
}

/// What every document has to lack or have. First in what is sent, as words beyond the most are not
/// read; ends with a space if there is something.
fn strict(query: &Query, marks: &mut Marks) -> String {
    let phrase = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let mut parts: Vec<String> = Vec::new();
    for word in &query.without {
        parts.push(format!("-{}", sent(word)));
        let stem = stem_of(word, query);
        if stem != *word {
            parts.push(format!("-{}", sent(&stem)));
        }
    }
    parts.extend(query.without_phrases.iter().map(|words| format!("-\"{}\"", phrase(words))));
    for words in &query.phrases {
        marks.words.extend(words.iter().cloned());
        parts.push(format!("\"{}\"", phrase(words)));
    }
    parts.iter().map(|part| format!("{part} ")).collect()
}

fn text(strict: String, terms: Vec<Term>) -> String {
    // A beginning has to be the last.
    let (open, closed): (Vec<Term>, Vec<Term>) = terms.into_iter().partition(|term| term.open);
    let ends_open = !open.is_empty();
    let words: Vec<String> = closed.into_iter().chain(open).map(|term| term.text).collect();
    let mut text = strict + &words.join(" ");
    if !ends_open {
        text.push(' ');
    }
    text
}

fn mark_synonyms(query: &Query, marks: &mut Marks) {
    let known = config::synonyms();
    let stems: Vec<String> = query.words.iter().map(|word| stem(&word.word, Language::English).into_owned()).collect();
    for from in 0..stems.len() {
        for count in 1..=known.longest.min(stems.len() - from) {
            for other in stems.get(from..from + count).and_then(|span| known.of.get(span)).into_iter().flatten() {
                marks.words.extend(other.iter().cloned());
            }
        }
    }
}

/// Looking whether words are there, for one viewer.
struct Looked<'a> {
    index: &'a MeiliIndex,
    query: &'a Query,
    who: &'a str,
    on: &'static [&'static str],
}

impl Looked<'_> {
    fn one(&self, text: String, on: &'static [&'static str], shape: Shape) -> One {
        One { text, filter: self.who.to_owned(), on, strategy: MatchingStrategies::ALL, shape }
    }

    /// In how many visible documents each word is.
    async fn count(&self, terms: &mut [Term]) -> EngineResult<()> {
        let mut open: Vec<&mut Term> = terms.iter_mut().filter(|term| !term.known).collect();
        let asks = open.iter().map(|term| {
            let text = if term.open { term.text.clone() } else { format!("{} ", term.text) };
            self.one(text, self.on, Shape::Count(Vec::new()))
        });
        let counts = self.index.many(&asks.collect::<Vec<_>>()).await?;
        for (term, count) in open.iter_mut().zip(counts) {
            term.count = count.total();
            term.known = term.count > 0;
        }
        Ok(())
    }

    /// Words that nothing visible has: together with their neighbours they may be something that is
    /// there, or one letter or two from it. Says which were put right.
    async fn put_right(
        &self,
        terms: &mut [Term],
        all_little: bool,
        marks: &mut Marks,
    ) -> EngineResult<Vec<(usize, String)>> {
        let mut corrections = Vec::new();
        if all_little || terms.iter().all(|term| term.known) {
            return Ok(corrections);
        }
        let typos = config::ranking().typos;
        let meant = |term: &&mut Term| {
            let word = self.query.words.get(term.at).map_or("", |word| word.word.as_str());
            !term.known && word.chars().count() >= typos.one_from && !word.chars().all(char::is_numeric)
        };
        let mut unknown: Vec<&mut Term> = terms.iter_mut().filter(meant).collect();
        let word_of = |term: &Term| self.query.words.get(term.at).map_or("", |word| word.word.as_str());
        let asks: Vec<One> = unknown
            .iter()
            .map(|term| self.one(format!("{} ", word_of(term)), &[SPELLING], Shape::Spelling(LOOKED_AT)))
            .collect();
        let found = self.index.many(&asks).await?;
        for (term, found) in unknown.iter_mut().zip(found) {
            let word = word_of(term);
            let faults = if word.chars().count() >= typos.two_from { 2 } else { 1 };
            let spelled = found.spelled();
            let Some(other) = nearest(word, &spelled, faults) else { continue };
            term.count = spelled.get(&other).copied().unwrap_or(1);
            term.text = stem_of(&other, self.query);
            (term.known, term.open) = (true, false);
            marks.stems.insert(term.text.clone());
            marks.words.insert(other.clone());
            corrections.push((term.at, other));
        }
        Ok(corrections)
    }

    /// Words one behind the other of which one at least is unknown, that are there as one, or by what
    /// they mean together.
    async fn find_spans(&self, terms: &mut [Term]) -> EngineResult<Vec<(String, u64)>> {
        let mut spans = Vec::new();
        for from in 0..terms.len() {
            for count in 2..=LONGEST_SPAN {
                let Some(span) = terms.get(from..from + count) else { break };
                let follow = span.windows(2).all(|pair| matches!(pair, [a, b] if a.at + 1 == b.at));
                if follow && span.iter().any(|term| !term.known) && span.iter().all(|term| !term.text.starts_with('"'))
                {
                    let text: Vec<&str> = span.iter().map(|term| term.text.as_str()).collect();
                    spans.push((from, count, format!("{} ", text.join(" "))));
                }
            }
        }
        let asks = spans.iter().map(|(.., text)| self.one(text.clone(), self.on, Shape::Count(Vec::new())));
        let counts = self.index.many(&asks.collect::<Vec<_>>()).await?;
        let mut there = Vec::new();
        for ((from, count, text), found) in spans.into_iter().zip(counts) {
            if found.total() > 0 {
                for term in terms.iter_mut().skip(from).take(count).filter(|term| !term.known) {
                    (term.known, term.joined) = (true, true);
                }
                there.push((text, found.total()));
            }
        }
        Ok(there)
    }
}

/// The word with the fewest faults, of those the one that is found most often.
fn nearest(word: &str, found: &BTreeMap<String, u64>, faults: u8) -> Option<String> {
    let dfa = LevenshteinAutomatonBuilder::new(faults, true).build_dfa(word);
    let near = found.iter().filter_map(|(other, count)| match dfa.eval(other.as_str()) {
        Distance::Exact(distance) if distance > 0 => Some((distance, std::cmp::Reverse(*count), other)),
        _ => None,
    });
    near.min().map(|(.., other)| other.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse;

    #[test]
    fn the_nearest_word_is_meant() {
        let found = BTreeMap::from([("pneumonia".to_owned(), 1), ("pneumonic".to_owned(), 9)]);
        assert_eq!(nearest("pnuemonia", &found, 2).as_deref(), Some("pneumonia"));
        assert_eq!(nearest("vien", &BTreeMap::from([("vane".to_owned(), 1)]), 1), None);
    }

    #[test]
    fn what_is_left_out_comes_first_and_a_beginning_last() {
        let query = parse("screens \"deep vein\" -practitioners retin").unwrap();
        let mut marks = Marks::default();
        let terms = query.words.iter().enumerate().map(|(at, word)| term(&query, at, word, false, &mut marks));
        let terms = terms.collect();
        assert_eq!(
            text(strict(&query, &mut Marks::default()), terms),
            "-practitioners -practition \"ǂdeep ǂvein\" screen retin"
        );
        assert_eq!(marks.prefix.as_deref(), Some("retin"));
        assert_eq!(names(&parse("Ada Lov").unwrap()).text, "ada lov");
    }
}
