//! `search-config/`, as it is in the binary: the engine is set up from it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Kind;
use super::analysis::{Language, fold, stem};

/// How much a field counts.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Field {
    pub weight: f32,
    /// How much of a long text is held against it, 0 to 1 (`b` of BM25).
    pub length: f32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Fields {
    pub title: Field,
    pub labels: Field,
    pub body: Field,
}

/// Parts that a score gains.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Boosts {
    pub accepted: f32,
    /// Times the natural logarithm of one more than the endorsements.
    pub endorsed: f32,
    /// What is new gains this, what is `recent_days` old half of it.
    pub recent: f32,
    pub recent_days: f32,
}

/// What a word counts that is not the one asked for.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Weights {
    pub synonym: f32,
    pub typo: f32,
    pub prefix: f32,
    pub compound: f32,
}

/// From how many letters on a word may have a fault.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Typos {
    pub one_from: usize,
    pub two_from: usize,
}

/// How much of a question a document needs; more of it is better in any case.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Matching {
    /// Of up to so many words, little ones not counted, two.
    pub few: usize,
    /// Of more those that make up this share of the rarity of all.
    pub share: f32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Bounds {
    pub query_chars: usize,
    pub query_words: usize,
    /// Words that one asked for may stand for.
    pub expansions: usize,
}

/// How documents are ranked.
#[derive(Clone, Debug, Deserialize)]
pub struct Ranking {
    /// How fast more of the same word counts less (`k1` of BM25).
    pub k1: f32,
    pub fields: Fields,
    pub boosts: Boosts,
    pub weights: Weights,
    pub typos: Typos,
    pub matching: Matching,
    pub facets: Vec<String>,
    pub limits: Bounds,
}

#[derive(Debug, Deserialize)]
struct KindWeight {
    kind: Kind,
    weight: f32,
}

#[derive(Debug, Deserialize)]
struct StopLists {
    en: Vec<String>,
    fr: Vec<String>,
}

/// Words that say nothing by themselves.
#[derive(Debug)]
pub struct StopWords {
    pub english: HashSet<String>,
    pub french: HashSet<String>,
}

/// Words that mean the same: by the stems of one term, the folded words of the others.
#[derive(Debug)]
pub struct Synonyms {
    pub of: HashMap<Vec<String>, Vec<Vec<String>>>,
    /// Words of the longest.
    pub longest: usize,
    /// As they are written, a group a line.
    pub groups: Vec<Vec<String>>,
}

const KINDS: &str = include_str!("../../../search-config/kinds.json");
const RANKING: &str = include_str!("../../../search-config/ranking.json");
const STOP_WORDS: &str = include_str!("../../../search-config/stop-words.json");
const SYNONYMS: &str = include_str!("../../../search-config/synonyms.json");

#[expect(clippy::panic, reason = "a file of the binary itself, read by a test")]
fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("search-config/{name}: {error}"))
}

/// The ranking as shipped.
#[must_use]
pub fn ranking() -> &'static Ranking {
    static READ: LazyLock<Ranking> = LazyLock::new(|| read("ranking.json", RANKING));
    &READ
}

/// What a kind's score is multiplied by.
#[must_use]
pub fn kind_weight(kind: Kind) -> f32 {
    static READ: LazyLock<HashMap<Kind, f32>> = LazyLock::new(|| {
        let kinds: Vec<KindWeight> = read("kinds.json", KINDS);
        kinds.into_iter().map(|of| (of.kind, of.weight)).collect()
    });
    READ.get(&kind).copied().unwrap_or(1.0)
}

#[must_use]
pub fn stop_words() -> &'static StopWords {
    static READ: LazyLock<StopWords> = LazyLock::new(|| {
        let lists: StopLists = read("stop-words.json", STOP_WORDS);
        StopWords { english: lists.en.into_iter().collect(), french: lists.fr.into_iter().collect() }
    });
    &READ
}

#[must_use]
pub fn synonyms() -> &'static Synonyms {
    static READ: LazyLock<Synonyms> = LazyLock::new(|| {
        let groups: Vec<Vec<String>> = read("synonyms.json", SYNONYMS);
        let mut of: HashMap<Vec<String>, Vec<Vec<String>>> = HashMap::new();
        let mut longest = 0;
        for group in &groups {
            let words: Vec<Vec<String>> = group.iter().map(|term| words_of(term)).collect();
            longest = words.iter().map(Vec::len).max().unwrap_or(0).max(longest);
            for one in &words {
                let others = words.iter().filter(|other| *other != one).cloned();
                let stems = one.iter().map(|word| stem(word, Language::English).into_owned()).collect();
                of.entry(stems).or_default().extend(others);
            }
        }
        Synonyms { of, longest, groups }
    });
    &READ
}

/// The words of a term, cut as a text is.
fn words_of(term: &str) -> Vec<String> {
    term.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(fold).collect()
}

/// Changes when anything does that an index is made of: an index of another build is built again.
#[must_use]
pub fn fingerprint() -> String {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    // Weights, synonyms and typos count when asked, not when indexed.
    hash.update(STOP_WORDS);
    hash.update(Kind::ALL.map(Kind::as_str).join(" "));
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_good() {
        assert!(ranking().k1 > 0.0);
        assert!(Kind::ALL.iter().all(|kind| kind_weight(*kind) > 0.0));
        assert!(stop_words().english.contains("the") && stop_words().french.contains("les"));
        let gp = &synonyms().of[&vec!["gp".to_owned()]];
        assert!(gp.contains(&vec!["general".to_owned(), "practitioner".to_owned()]));
    }
}
