//! How the index is set up, from `search-config/`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use meilisearch_sdk::settings::{
    FacetSortValue, FacetingSettings, MinWordSizeForTypos, PaginationSetting, Settings, TypoToleranceSettings,
};

use super::entry::{query_stems, sent};
use super::filter::FACETS;
use crate::search::analysis::{Shape, tokens};
use crate::search::config;

/// Stems of titles and labels, in the order of their weights; then those of the text, then whole words.
pub const NAMES: &str = "names";
pub const WORDS: &str = "words";
/// Whole words as phrases are asked for, of letters that stand in no other attribute: Meilisearch takes
/// a pair of neighbours for the phrase wherever they stand, also where it is not to look.
pub const PHRASES: &str = "phrases";
/// Every word once, for faults in typing; nothing else is compared with tolerance.
pub const SPELLING: &str = "spelling";
/// What a question is looked for in.
pub const FOUND_BY: [&str; 5] = ["title", "labels", "body", WORDS, PHRASES];
/// Values of a facet that are counted out; a term is two of them.
const MOST_VALUES: usize = 40;
/// Pages and counts end here; far beyond any hub.
const MOST_HITS: usize = 100_000_000;
/// A question is given up after this.
const CUTOFF_MS: u64 = 5000;

/// Everything that is set.
#[must_use]
pub fn settings() -> Settings {
    let ranking = config::ranking();
    let mut weighted = [
        ("title", ranking.fields.title.weight),
        ("labels", ranking.fields.labels.weight),
        ("body", ranking.fields.body.weight),
    ];
    weighted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let searchable: Vec<&str> =
        weighted.iter().map(|(name, _)| *name).chain([WORDS, PHRASES, NAMES, SPELLING]).collect();
    let exact: Vec<String> = searchable.iter().filter(|name| **name != SPELLING).map(|&name| name.into()).collect();
    let letters = |count: usize| Some(u8::try_from(count).unwrap_or(u8::MAX));
    Settings::new()
        .with_searchable_attributes(searchable)
        .with_filterable_attributes(["key", "audience", "room", "created"].into_iter().chain(FACETS))
        .with_sortable_attributes(["created"])
        // What is sorted by time is sorted by nothing else.
        .with_ranking_rules([
            "sort",
            "words",
            "typo",
            "proximity",
            "attribute",
            "exactness",
            "boost:desc",
            "created:desc",
        ])
        .with_synonyms(synonyms())
        // Little words are left out before they are sent, by the language of the text.
        .with_stop_words(Vec::<String>::new())
        .with_typo_tolerance(TypoToleranceSettings {
            enabled: Some(true),
            disable_on_attributes: Some(exact),
            disable_on_words: Some(Vec::new()),
            min_word_size_for_typos: Some(MinWordSizeForTypos {
                one_typo: letters(ranking.typos.one_from),
                two_typos: letters(ranking.typos.two_from),
            }),
            disable_on_numbers: None,
        })
        .with_faceting(FacetingSettings {
            max_values_per_facet: MOST_VALUES,
            sort_facet_values_by: Some(BTreeMap::from([("*".to_owned(), FacetSortValue::Count)])),
        })
        .with_pagination(PaginationSetting { max_total_hits: MOST_HITS })
        .with_search_cutoff(CUTOFF_MS)
}

/// Terms as they are asked for, each with the others of its group as they stand in the index.
fn synonyms() -> HashMap<String, Vec<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in &config::synonyms().groups {
        for one in group {
            let asked = query_stems(one);
            let cut: Vec<String> = words(one);
            // What little words are left out of could be anything.
            if asked.is_empty() || (asked.len() == 1 && cut.len() > 1) {
                continue;
            }
            let others = group.iter().filter(|other| *other != one);
            let known = all.entry(asked.join(" ")).or_default();
            for other in others {
                known.insert(words(other).join(" "));
                let stems = query_stems(other);
                if stems.len() == words(other).len() {
                    known.insert(stems.join(" "));
                }
            }
        }
    }
    all.into_iter().map(|(term, others)| (term, others.into_iter().collect())).collect()
}

fn words(term: &str) -> Vec<String> {
    tokens(term)
        .iter()
        .filter(|token| matches!(token.shape, Shape::Word | Shape::Pair))
        .map(|of| sent(&of.word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_meet_what_is_indexed() {
        let all = synonyms();
        let gp = &all["gp"];
        assert!(gp.contains(&"general practitioner".to_owned()), "{gp:?}");
        assert!(all["general practition"].contains(&"gp".to_owned()));
        assert!(!all.contains_key("e"), "a&e is not e");
    }

    #[test]
    fn only_spelling_is_tolerant() {
        let set = settings();
        let exact = set.typo_tolerance.unwrap().disable_on_attributes.unwrap();
        assert_eq!(set.searchable_attributes.unwrap().len(), exact.len() + 1);
        assert!(!exact.contains(&SPELLING.to_owned()));
    }
}
