//! What each word of a question stands for in the index: its stems, synonyms, beginnings, words one
//! or two letters away, words it is joined with or part of. Only words that the asker may see.

use super::words::Vocabulary;
use crate::ports::search::{Ask, EngineResult, Tuning};
use crate::search::analysis::{Language, stem};
use crate::search::config;
use crate::search::query::{Query, Word};
use crate::search::snippet::Marks;

/// One way in which a document has what a word stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// A term of the stems.
    Stem(String),
    /// A term of the whole words.
    Whole(String),
    /// Whole words one behind the other.
    Phrase(Vec<String>),
    /// A term of the words of titles and labels.
    Name(String),
    /// A term of the stems of titles alone: raises what is found in another way, and finds nothing itself.
    Title(String),
}

/// A word of the question.
#[derive(Clone, Debug, Default)]
pub struct Concept {
    pub ways: Vec<(Way, f32)>,
    /// Every document found has it.
    pub required: bool,
}

impl Concept {
    fn add(&mut self, way: Way, weight: f32) {
        match self.ways.iter_mut().find(|(other, _)| *other == way) {
            Some((_, known)) => *known = known.max(weight),
            None => self.ways.push((way, weight)),
        }
    }
}

/// The whole question.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    pub concepts: Vec<Concept>,
    /// Documents with one of these are left out.
    pub without: Vec<Way>,
    pub marks: Marks,
    pub did_you_mean: Option<String>,
}

/// Counted far enough to tell a common word from a rare one.
const FAR: u64 = 200;

/// Words of one question that nobody wrote, for which the whole dictionary is looked through.
const MOST_ASTRAY: usize = 6;

/// What somebody asked stands for.
pub fn meaning(ask: &Ask, words: Vocabulary<'_>, names: Vocabulary<'_>, tuning: &Tuning) -> EngineResult<Meaning> {
    let query = &*ask.query;
    let mut meaning = Meaning::default();
    if ask.names_only {
        return name_meaning(query, names, tuning);
    }
    // A question of nothing but little words is about them.
    let all_little = query.phrases.is_empty() && query.words.iter().all(|word| query.is_stop(&word.word));
    let mut places: Vec<Option<usize>> = Vec::with_capacity(query.words.len());
    let mut corrections: Vec<(usize, String)> = Vec::new();
    let mut astray = MOST_ASTRAY;
    for (at, word) in query.words.iter().enumerate() {
        if tuning.stop_words && !all_little && query.is_stop(&word.word) {
            places.push(None);
            continue;
        }
        places.push(Some(meaning.concepts.len()));
        let open = query.open_end && at + 1 == query.words.len();
        let one = One { word, query, open, all_little };
        let (concept, correction) = one.concept(words, tuning, &mut meaning.marks, &mut astray)?;
        corrections.extend(correction.map(|correction| (at, correction)));
        meaning.concepts.push(concept);
    }
    if tuning.compounds {
        joined(query, &places, words, tuning, &mut meaning)?;
    }
    if tuning.synonyms {
        synonyms(query, &places, tuning, &mut meaning);
    }
    for phrase in &query.phrases {
        meaning.marks.words.extend(phrase.iter().cloned());
        let way = match phrase.as_slice() {
            [one] => Way::Whole(one.clone()),
            _ => Way::Phrase(phrase.clone()),
        };
        meaning.concepts.push(Concept { ways: vec![(way, 1.0)], required: true });
    }
    for word in &query.without {
        meaning.without.push(Way::Whole(word.clone()));
        meaning.without.extend(stems(word, query.language, tuning).into_iter().map(Way::Stem));
    }
    meaning.without.extend(query.without_phrases.iter().cloned().map(Way::Phrase));
    if !corrections.is_empty() {
        meaning.did_you_mean = Some(query.corrected(&corrections));
    }
    Ok(meaning)
}

struct One<'a> {
    word: &'a Word,
    query: &'a Query,
    /// Stands for words that begin with it too.
    open: bool,
    all_little: bool,
}

impl One<'_> {
    fn concept(
        &self,
        words: Vocabulary<'_>,
        tuning: &Tuning,
        marks: &mut Marks,
        astray: &mut usize,
    ) -> EngineResult<(Concept, Option<String>)> {
        let (word, weights) = (self.word.word.as_str(), tuning.ranking.weights);
        let mut concept = Concept::default();
        if !self.word.pairs.is_empty() {
            marks.words.extend(self.word.pairs.iter().cloned());
            match self.word.pairs.as_slice() {
                // A single letter: the pairs that begin with it.
                [one] if one.chars().count() == 1 => {
                    for (pair, _) in most(words.beginning_with(one, FAR)?, tuning) {
                        marks.words.insert(pair.clone());
                        concept.add(Way::Whole(pair), 1.0);
                    }
                    concept.add(Way::Whole(one.clone()), 1.0);
                }
                [one] => concept.add(Way::Whole(one.clone()), 1.0),
                pairs => concept.add(Way::Phrase(pairs.to_vec()), 1.0),
            }
            return Ok((concept, None));
        }
        marks.words.insert(word.to_owned());
        if self.all_little {
            concept.add(Way::Whole(word.to_owned()), 1.0);
            return Ok((concept, None));
        }
        for stem in stems(word, self.query.language, tuning) {
            marks.stems.insert(stem.clone());
            concept.add(Way::Stem(stem), 1.0);
        }
        let mut known = words.count(word, FAR)?;
        if known == 0 && tuning.stemming {
            // Another form of it may be there.
            let root = stem(word, Language::English);
            known = words
                .beginning_with(&root, FAR)?
                .iter()
                .filter(|(other, _)| stem(other, Language::English) == root)
                .map(|(_, count)| *count)
                .sum();
        }
        if self.open && tuning.prefixes && word.chars().count() >= 2 {
            marks.prefix = Some(word.to_owned());
            // What is a word already is more likely meant than a longer one.
            let weight = if known > 0 { weights.prefix * 0.3 } else { weights.prefix };
            for (longer, count) in most(words.beginning_with(word, FAR)?, tuning) {
                known = known.max(count);
                for stem in stems(&longer, self.query.language, tuning) {
                    concept.add(Way::Stem(stem), weight);
                }
            }
        }
        if known > 0 || *astray == 0 {
            return Ok((concept, None));
        }
        *astray -= 1;
        let correction = self.astray(words, tuning, &mut concept, marks)?;
        Ok((concept, correction))
    }

    /// Nobody wrote this word where the asker may read: words close to it, or with it inside.
    fn astray(
        &self,
        words: Vocabulary<'_>,
        tuning: &Tuning,
        concept: &mut Concept,
        marks: &mut Marks,
    ) -> EngineResult<Option<String>> {
        let (word, weights, typos) = (self.word.word.as_str(), tuning.ranking.weights, tuning.ranking.typos);
        let letters = word.chars().count();
        let mut correction = None;
        if tuning.compounds && letters >= 4 && word.chars().all(char::is_alphanumeric) {
            for (longer, _) in most(words.around(word, FAR)?, tuning) {
                marks.words.insert(longer.clone());
                concept.add(Way::Whole(longer), weights.compound);
            }
            if let Some(parts) = halves(word, words)? {
                marks.words.extend(parts.iter().cloned());
                concept.add(Way::Phrase(parts), weights.compound);
            }
        }
        let found = concept.ways.iter().any(|(way, _)| !matches!(way, Way::Stem(_)));
        if tuning.typos && !found && letters >= typos.one_from && !word.chars().all(char::is_numeric) {
            let faults = if letters >= typos.two_from { 2 } else { 1 };
            let mut close = words.like(word, faults, FAR)?;
            close.sort_by(|a, b| (a.2, std::cmp::Reverse(a.1), &a.0).cmp(&(b.2, std::cmp::Reverse(b.1), &b.0)));
            // A word that is two letters away is not meant where one is that is nearer.
            let nearest = close.first().map_or(0, |(.., distance)| *distance);
            close.retain(|(.., distance)| *distance == nearest);
            close.truncate(tuning.ranking.limits.expansions / 2);
            correction = close.first().map(|(other, ..)| other.clone());
            for (other, _, distance) in close {
                let weight = weights.typo / f32::from(distance.max(1));
                marks.words.insert(other.clone());
                for stem in stems(&other, self.query.language, tuning) {
                    concept.add(Way::Stem(stem), weight);
                }
            }
        }
        Ok(correction)
    }
}

/// A word as two that are both there: `healthcare`.
fn halves(word: &str, words: Vocabulary<'_>) -> EngineResult<Option<Vec<String>>> {
    let mut best: Option<(u64, Vec<String>)> = None;
    for (at, _) in word.char_indices().skip(3) {
        let (Some(first), Some(second)) = (word.get(..at), word.get(at..)) else { continue };
        if second.chars().count() < 3 {
            break;
        }
        let both = words.count(first, FAR)?.min(words.count(second, FAR)?);
        if both > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((both, vec![first.to_owned(), second.to_owned()]));
        }
    }
    Ok(best.map(|(_, parts)| parts))
}

/// The terms a word is found by, by the language of the question.
fn stems(word: &str, language: Option<Language>, tuning: &Tuning) -> Vec<String> {
    if !tuning.stemming {
        return vec![word.to_owned()];
    }
    let mut stems = Vec::with_capacity(2);
    if language != Some(Language::French) {
        stems.push(stem(word, Language::English).into_owned());
    }
    if language != Some(Language::English) {
        let french = stem(word, Language::French).into_owned();
        if !stems.contains(&french) {
            stems.push(french);
        }
    }
    stems
}

/// The most common of some words.
fn most(counts: super::words::Counts, tuning: &Tuning) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| (std::cmp::Reverse(a.1), &a.0).cmp(&(std::cmp::Reverse(b.1), &b.0)));
    counts.truncate(tuning.ranking.limits.expansions);
    counts
}

/// `well-being` is `wellbeing`, and `health care` is `healthcare`, if that is a word here.
fn joined(
    query: &Query,
    places: &[Option<usize>],
    words: Vocabulary<'_>,
    tuning: &Tuning,
    meaning: &mut Meaning,
) -> EngineResult<()> {
    let weight = tuning.ranking.weights.compound;
    let mut spans: Vec<(usize, usize, String)> =
        query.joined.iter().map(|joined| (joined.from, joined.count, joined.word.clone())).collect();
    for (at, pair) in query.words.windows(2).enumerate() {
        if let [first, second] = pair
            && first.pairs.is_empty()
            && second.pairs.is_empty()
        {
            spans.push((at, 2, format!("{}{}", first.word, second.word)));
        }
    }
    for (from, count, word) in spans {
        if words.count(&word, 1)? == 0 {
            continue;
        }
        meaning.marks.words.insert(word.clone());
        for place in places.iter().skip(from).take(count).flatten() {
            if let Some(concept) = meaning.concepts.get_mut(*place) {
                concept.add(Way::Whole(word.clone()), weight);
            }
        }
    }
    Ok(())
}

fn synonyms(query: &Query, places: &[Option<usize>], tuning: &Tuning, meaning: &mut Meaning) {
    let known = config::synonyms();
    let stemmed: Vec<String> =
        query.words.iter().map(|word| stem(&word.word, Language::English).into_owned()).collect();
    for from in 0..stemmed.len() {
        for count in 1..=known.longest.min(stemmed.len() - from) {
            let Some(others) = stemmed.get(from..from + count).and_then(|span| known.of.get(span)) else { continue };
            for other in others {
                meaning.marks.words.extend(other.iter().cloned());
                let ways: Vec<Way> = match other.as_slice() {
                    [one] => stems(one, query.language, tuning).into_iter().map(Way::Stem).collect(),
                    _ => vec![Way::Phrase(other.clone())],
                };
                for place in places.iter().skip(from).take(count).flatten() {
                    if let Some(concept) = meaning.concepts.get_mut(*place) {
                        ways.iter().for_each(|way| concept.add(way.clone(), tuning.ranking.weights.synonym));
                    }
                }
            }
        }
    }
}

/// How much a word of a title or label counts in a suggestion beside a word of a title.
const LABELLED: f32 = 0.3;

/// For suggestions: every word may be a beginning of a word of a title or label. A title counts for more.
fn name_meaning(query: &Query, names: Vocabulary<'_>, tuning: &Tuning) -> EngineResult<Meaning> {
    let mut meaning = Meaning::default();
    for word in &query.words {
        let mut concept = Concept { required: true, ..Concept::default() };
        let mut titles: Vec<(Way, f32)> = Vec::new();
        let asked = if word.pairs.is_empty() { std::slice::from_ref(&word.word) } else { word.pairs.as_slice() };
        for asked in asked {
            concept.add(Way::Name(asked.clone()), LABELLED);
            let title = |word: &str| stems(word, query.language, tuning).into_iter().map(Way::Title);
            titles.extend(title(asked).map(|title| (title, 1.0)));
            for (longer, _) in most(names.beginning_with(asked, FAR)?, tuning) {
                meaning.marks.words.insert(longer.clone());
                titles.extend(title(&longer).map(|title| (title, 0.8)));
                concept.add(Way::Name(longer), 0.8 * LABELLED);
            }
        }
        titles.into_iter().for_each(|(title, weight)| concept.add(title, weight));
        meaning.concepts.push(concept);
    }
    Ok(meaning)
}
