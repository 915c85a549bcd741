//! Asking: hits, counts and facets in one request.

use std::collections::{BTreeMap, HashMap};

use meilisearch_sdk::search::{MatchingStrategies, SearchQuery, SearchResults, Selectors};
use serde::Deserialize;

use super::entry::{plain_tag, read_term};
use super::filter::{FACETS, Filter, audience, term_facet};
use super::index::MeiliIndex;
use super::meaning::{Meaning, meaning};
use super::server::fault;
use super::settings::SPELLING;
use crate::entities::kinds::TermKind;
use crate::ports::search::terms::Counts;
use crate::ports::search::{Ask, EngineResult, Facets, Found, Hit, Sort};
use crate::search::Kind;

/// Around a word that was found by its spelling; nothing indexed has it.
const OPEN: &str = "\u{2}";
const CLOSE: &str = "\u{3}";

/// What a document is counted and ranked by.
const KEPT: [&str; 8] = ["kind", "id", "created", "boost", "space", "author", "tags", "terms"];
/// Values of a facet that are told.
pub const MOST_VALUES: usize = 20;

/// One question of a request.
#[derive(Clone, Debug)]
pub struct One {
    pub text: String,
    pub filter: String,
    pub on: &'static [&'static str],
    pub strategy: MatchingStrategies,
    pub shape: Shape,
}

/// What is wanted of it.
#[derive(Clone, Debug)]
pub enum Shape {
    Hits {
        offset: usize,
        limit: usize,
        new: bool,
    },
    /// The exact count, and of these facets.
    Count(Vec<&'static str>),
    /// The words of so many documents that are like this one.
    Spelling(usize),
    /// So many documents, with what they are counted by.
    Rows(usize),
    /// So many documents, with how often words stand in them.
    Counts(usize),
}

/// Entries that were written before there could be several authors have one, or none.
fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Several(Vec<String>),
        One(Option<String>),
    }
    Ok(match Given::deserialize(deserializer)? {
        Given::Several(authors) => authors,
        Given::One(author) => author.into_iter().collect(),
    })
}

/// A hit as it is sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    kind: String,
    id: String,
    created: i64,
    pub boost: f32,
    pub space: Option<String>,
    #[serde(deserialize_with = "one_or_more")]
    pub author: Vec<String>,
    pub tags: Vec<String>,
    /// By the word of their kind.
    pub terms: BTreeMap<String, Vec<String>>,
    pub counts: String,
}

/// An answer to one question.
#[derive(Debug)]
pub struct Answer(SearchResults<Row>);

impl Answer {
    pub fn total(&self) -> u64 {
        self.0.total_hits.unwrap_or(0) as u64
    }

    /// The hits with what else was asked of them.
    pub fn rows(self) -> impl Iterator<Item = (Hit, Row)> {
        self.0.hits.into_iter().filter_map(|of| Some((hit(&of.result, of.ranking_score)?, of.result)))
    }

    /// Words that are marked, and in how many of the documents looked at.
    pub fn spelled(&self) -> BTreeMap<String, u64> {
        let mut words = BTreeMap::new();
        for hit in &self.0.hits {
            let Some(text) = hit.formatted_result.as_ref().and_then(|of| of.get(SPELLING)?.as_str()) else { continue };
            for word in text.split([' ', '.']).filter(|word| word.contains(OPEN)) {
                *words.entry(word.chars().filter(|c| !c.is_control()).collect::<String>()).or_insert(0) += 1;
            }
        }
        words
    }

    fn facet(&mut self, name: &str) -> HashMap<String, usize> {
        self.0.facet_distribution.as_mut().and_then(|all| all.remove(name)).unwrap_or_default()
    }
}

impl MeiliIndex {
    /// Answers a question.
    pub async fn search(&self, ask: &Ask) -> EngineResult<Found> {
        // Who belongs nowhere sees nothing.
        if ask.reach.audiences().is_empty() {
            return Ok(Found::default());
        }
        let meaning = meaning(self, ask, &audience(&ask.reach)).await?;
        let nothing =
            Found { marks: meaning.marks.clone(), did_you_mean: meaning.did_you_mean.clone(), ..Found::default() };
        if meaning.hopeless {
            return Ok(nothing);
        }
        if let Some(words) = &meaning.words {
            let found = self.added_up(ask, words).await?;
            return Ok(Found { marks: nothing.marks, did_you_mean: nothing.did_you_mean, ..found });
        }
        let mut found = self.page(ask, &meaning, MatchingStrategies::ALL).await?;
        if found.total == 0 && !ask.names_only {
            // Nothing has all of it: better some than nothing.
            found = self.page(ask, &meaning, MatchingStrategies::FREQUENCY).await?;
        }
        Ok(Found { marks: nothing.marks, did_you_mean: nothing.did_you_mean, ..found })
    }

    async fn page(&self, ask: &Ask, meaning: &Meaning, strategy: MatchingStrategies) -> EngineResult<Found> {
        let filter = Filter::of(ask);
        let offset = ask.after.map_or(0, |after| after.version);
        let one = |filter: String, shape: Shape| One {
            text: meaning.text.clone(),
            filter,
            on: meaning.on,
            strategy: strategy.clone(),
            shape,
        };
        let hits = Shape::Hits {
            offset: usize::try_from(offset).unwrap_or(usize::MAX),
            limit: ask.limit + 1,
            new: ask.sort == Sort::New,
        };
        let wanted: Vec<&'static str> = FACETS.into_iter().filter(|_| ask.facets).collect();
        let (own, shared): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|name| filter.has(name));
        let mut asks = vec![one(filter.all(), hits), one(filter.all(), Shape::Count(shared.clone()))];
        asks.extend(own.iter().map(|name| one(filter.without(name), Shape::Count(vec![*name]))));
        let mut answers = self.many(&asks).await?.into_iter();
        let (Some(mut hits), Some(mut counted)) = (answers.next(), answers.next()) else { return Ok(Found::default()) };
        let mut facets: HashMap<&str, HashMap<String, usize>> =
            shared.into_iter().map(|name| (name, counted.facet(name))).collect();
        facets.extend(own.into_iter().zip(answers).map(|(name, mut answer)| (name, answer.facet(name))));
        let more = hits.0.hits.len() > ask.limit;
        hits.0.hits.truncate(ask.limit);
        let now = ask.after.map_or(ask.now, |after| after.now);
        let passed = hits.0.hits.iter().filter(|hit| hit.result.created <= now).count();
        Ok(Found {
            hits: hits.0.hits.iter().filter_map(|of| hit(&of.result, of.ranking_score)).collect(),
            more,
            version: offset + passed as u64,
            total: counted.total(),
            facets: read_facets(facets),
            ..Found::default()
        })
    }

    /// Answers to several questions, in their order.
    pub(super) async fn many(&self, asks: &[One]) -> EngineResult<Vec<Answer>> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let mut multi = self.server.client.multi_search();
        let cropped = [(SPELLING, None)];
        for one in asks {
            let mut query = SearchQuery::new(&self.index);
            query.with_query(&one.text).with_filter(&one.filter).with_matching_strategy(one.strategy.clone());
            query.with_attributes_to_search_on(one.on).with_attributes_to_retrieve(Selectors::Some(&[]));
            match &one.shape {
                Shape::Hits { offset, limit, new } => {
                    query.with_offset(*offset).with_limit(*limit).with_show_ranking_score(true);
                    query.with_attributes_to_retrieve(Selectors::Some(&["kind", "id", "created"]));
                    if *new {
                        query.with_sort(&["created:desc"]);
                    }
                }
                Shape::Rows(limit) => {
                    query.with_limit(*limit).with_show_ranking_score(true);
                    query.with_attributes_to_retrieve(Selectors::Some(&KEPT));
                }
                Shape::Counts(limit) => {
                    query.with_limit(*limit).with_attributes_to_retrieve(Selectors::Some(&["kind", "id", "counts"]));
                }
                Shape::Count(facets) => {
                    query.with_page(1).with_hits_per_page(0);
                    if !facets.is_empty() {
                        query.with_facets(Selectors::Some(facets));
                    }
                }
                Shape::Spelling(limit) => {
                    query.with_limit(*limit).with_attributes_to_highlight(Selectors::Some(&[SPELLING]));
                    query.with_highlight_pre_tag(OPEN).with_highlight_post_tag(CLOSE);
                    query.with_attributes_to_crop(Selectors::Some(&cropped)).with_crop_marker(" ");
                }
            }
            multi.with_search_query(query);
        }
        let answers = multi.execute::<Row>().await.map_err(fault)?;
        Ok(answers.results.into_iter().map(Answer).collect())
    }
}

fn hit(row: &Row, score: Option<f64>) -> Option<Hit> {
    let (kind, id) = (Kind::parse(&row.kind)?, row.id.parse().ok()?);
    Some(Hit { kind, id, score: score.unwrap_or(0.0) as f32, created_at: row.created })
}

fn read_facets(mut of: HashMap<&str, HashMap<String, usize>>) -> Facets {
    let mut take = |name: &str| of.remove(name).unwrap_or_default().into_iter().map(|(value, n)| (value, n as u64));
    let mut terms = Counts::default();
    for kind in TermKind::ALL {
        for (counted, count) in take(term_facet(*kind)) {
            if let Some((word, label)) = read_term(&counted) {
                terms.add(*kind, &word, &label, count);
            }
        }
    }
    let ids = |all: Vec<(String, u64)>| all.into_iter().filter_map(|(id, n)| Some((id.parse().ok()?, n))).collect();
    let (kinds, spaces): (Vec<_>, Vec<_>) = (take("kind").collect(), take("space").collect());
    let (tags, authors): (Vec<_>, Vec<_>) = (take("tags").collect(), take("author").collect());
    Facets {
        kinds: ranked(kinds.into_iter().filter_map(|(kind, n)| Some((Kind::parse(&kind)?, n))).collect()),
        spaces: ranked(ids(spaces)),
        tags: ranked(tags.into_iter().map(|(tag, n)| (plain_tag(&tag), n)).collect()),
        authors: ranked(ids(authors)),
        terms: terms.most(MOST_VALUES),
    }
}

/// The most frequent, the first first.
pub fn ranked<K: Ord>(mut counts: Vec<(K, u64)>) -> Vec<(K, u64)> {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(MOST_VALUES);
    counts
}
