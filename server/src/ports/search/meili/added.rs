//! Questions of several words. By Meilisearch's own rules a document needs the rarest word first and
//! the others in turn; a sentence would find little. So each word is asked for alone, and they are
//! added up here by how rare they are for this viewer, as the embedded index does.

use std::cmp::Ordering;
use std::collections::HashMap;

use meilisearch_sdk::search::MatchingStrategies;

use super::ask::{One, Row, Shape, ranked as most_frequent};
use super::entry::{coded_tag, plain_tag};
use super::filter::{Filter, audience};
use super::index::MeiliIndex;
use super::settings::FOUND_BY;
use super::weighed::{WEIGHED, Weighed, bit};
use crate::ports::clock::DAY;
use crate::ports::search::{Ask, EngineResult, Facets, Found, Hit, Sort};
use crate::search::{Kind, config};

/// Documents that are looked at for one word, the best first; counts end there too.
const MOST_ROWS: usize = 1000;
/// Values of a facet that are counted out.
const MOST_VALUES: usize = 20;

/// A question as the words of it.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What every document has to have or lack, sent with each word.
    pub strict: String,
    /// Each with how many visible documents have it, 0 if that was not asked.
    pub each: Vec<(String, u64)>,
}

struct Candidate {
    row: Row,
    hit: Hit,
    /// Rarity of the words it has, added up.
    weight: f32,
    /// Which words it has.
    has: u64,
}

impl MeiliIndex {
    /// Answers by the words of a question, added up.
    pub(super) async fn added_up(&self, ask: &Ask, words: &Words) -> EngineResult<Found> {
        let who = audience(&ask.reach);
        let one = |text: String, filter: String, shape: Shape| One {
            text,
            filter,
            on: &FOUND_BY,
            strategy: MatchingStrategies::ALL,
            shape,
        };
        let filter = Filter::of(ask).always();
        let mut asks = vec![one(String::new(), who.clone(), Shape::Count(Vec::new()))];
        asks.extend(
            words
                .each
                .iter()
                .map(|(word, _)| one(format!("{}{word}", words.strict), filter.clone(), Shape::Rows(MOST_ROWS))),
        );
        let mut answers = self.many(&asks).await?.into_iter();
        let documents = answers.next().map_or(0, |answer| answer.total());
        let (mut found, mut all): (HashMap<(Kind, i64), Candidate>, f32) = (HashMap::new(), 0.0);
        let mut rarities = Vec::with_capacity(words.each.len());
        for (at, ((word, count), answer)) in words.each.iter().zip(answers).enumerate() {
            let rows: Vec<(Hit, Row)> = answer.rows().collect();
            let rarity = idf(documents, if *count > 0 { *count } else { rows.len() as u64 });
            rarities.push((word.trim(), rarity));
            all += rarity;
            for (hit, row) in rows {
                let score = rarity * hit.score;
                let candidate = found.entry((hit.kind, hit.id)).or_insert_with(|| Candidate {
                    row,
                    hit: Hit { score: 0.0, ..hit },
                    weight: 0.0,
                    has: 0,
                });
                candidate.hit.score += score;
                candidate.weight += rarity;
                candidate.has |= bit(at);
            }
        }
        let needed = all * config::ranking().matching.share;
        let mut collected = collect(ask, found.into_values().filter(|of| of.weight >= needed).collect());
        if ask.sort == Sort::Relevance {
            self.put_in_order(&who, &rarities, &mut collected.ranked).await?;
        }
        Ok(collected.page(ask))
    }

    /// Puts the best in order by how often they have the words.
    async fn put_in_order(&self, who: &str, words: &[(&str, f32)], ranked: &mut [Ranked]) -> EngineResult<()> {
        let best = ranked.len().min(WEIGHED);
        let Some(best) = ranked.get_mut(..best).filter(|best| best.len() > 1) else { return Ok(()) };
        let weighed = |of: &Ranked| Weighed { document: (of.hit.kind, of.hit.id), has: of.has, score: 0.0 };
        let mut scores: Vec<Weighed> = best.iter().map(weighed).collect();
        self.weigh(who, words, &mut scores).await?;
        for (of, weighed) in best.iter_mut().zip(scores) {
            of.hit.score = weighed.score * of.boost;
        }
        best.sort_by(|a, b| before(&a.hit, &b.hit, Sort::Relevance));
        Ok(())
    }
}

/// A document that passed all filters.
struct Ranked {
    hit: Hit,
    has: u64,
    /// What its score is multiplied by.
    boost: f32,
}

/// What a question found, in order, and its facets.
struct Collected {
    ranked: Vec<Ranked>,
    facets: Facets,
}

impl Collected {
    /// The page that is asked for.
    fn page(self, ask: &Ask) -> Found {
        let now = ask.after.map_or(ask.now, |after| after.now);
        let total = self.ranked.len() as u64;
        let offset = ask.after.map_or(0, |after| after.version);
        let mut rest = self.ranked.into_iter().map(|of| of.hit).skip(usize::try_from(offset).unwrap_or(usize::MAX));
        let page: Vec<Hit> = rest.by_ref().take(ask.limit).collect();
        Found {
            more: rest.next().is_some(),
            version: offset + page.iter().filter(|hit| hit.created_at <= now).count() as u64,
            hits: page,
            total,
            facets: self.facets,
            ..Found::default()
        }
    }
}

fn idf(documents: u64, having: u64) -> f32 {
    let (documents, having) = (documents.max(having) as f32, having as f32);
    (1.0 + (documents - having + 0.5) / (having + 0.5)).ln()
}

/// 1 for what is new, half for what is `recent_days` old, and so on.
fn freshness(age: i64) -> f32 {
    let days = age.max(0) as f32 / DAY as f32;
    (-days / config::ranking().boosts.recent_days * std::f32::consts::LN_2).exp()
}

/// Filters and counts.
fn collect(ask: &Ask, found: Vec<Candidate>) -> Collected {
    let filters = &ask.filters;
    let now = ask.after.map_or(ask.now, |after| after.now);
    let id = |id: i64| Some(id.to_string());
    let (space, author) = (filters.space.and_then(id), filters.author.and_then(id));
    let tag = filters.tag.as_ref().map(|tag| coded_tag(tag));
    let (mut kinds, mut spaces, mut tags, mut authors) =
        (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
    let mut ranked = Vec::new();
    for Candidate { row, mut hit, has, .. } in found {
        let of_kind = filters.kinds.is_empty() || filters.kinds.contains(&hit.kind);
        let of_space = space.is_none() || space == row.space;
        let of_tag = tag.as_ref().is_none_or(|tag| row.tags.contains(tag));
        let of_author = author.as_ref().is_none_or(|author| row.author.contains(author));
        if of_space && of_tag && of_author {
            *kinds.entry(hit.kind).or_insert(0) += 1;
        }
        if let Some(space) = row.space.as_ref().filter(|_| of_kind && of_tag && of_author) {
            *spaces.entry(space.clone()).or_insert(0) += 1;
        }
        for author in row.author.iter().filter(|_| of_kind && of_space && of_tag) {
            *authors.entry(author.clone()).or_insert(0) += 1;
        }
        for tag in row.tags.iter().filter(|_| of_kind && of_space && of_author) {
            *tags.entry(plain_tag(tag)).or_insert(0) += 1;
        }
        if of_kind && of_space && of_tag && of_author {
            let recent = config::ranking().boosts.recent * freshness(now - hit.created_at);
            let boost = row.boost + recent;
            hit.score *= boost;
            ranked.push(Ranked { hit, has, boost });
        }
    }
    ranked.sort_by(|a, b| before(&a.hit, &b.hit, ask.sort));
    let ids = |counts: HashMap<String, u64>| {
        top(counts.into_iter().filter_map(|(id, n)| Some((id.parse::<i64>().ok()?, n))).collect())
    };
    let facets = if ask.facets {
        Facets {
            kinds: top(kinds.into_iter().collect()),
            spaces: ids(spaces),
            tags: top(tags.into_iter().collect()),
            authors: ids(authors),
        }
    } else {
        Facets::default()
    };
    Collected { ranked, facets }
}

fn before(a: &Hit, b: &Hit, sort: Sort) -> Ordering {
    let first = match sort {
        Sort::Relevance => b.score.total_cmp(&a.score),
        Sort::New => b.created_at.cmp(&a.created_at),
    };
    first.then_with(|| a.kind.cmp(&b.kind)).then_with(|| b.id.cmp(&a.id))
}

fn top<K: Ord>(counts: Vec<(K, u64)>) -> Vec<(K, u64)> {
    let mut counts = most_frequent(counts);
    counts.truncate(MOST_VALUES);
    counts
}
