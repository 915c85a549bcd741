//! Questions of several words. By Meilisearch's own rules a document needs the rarest word first and
//! the others in turn; a sentence would find little. So each word is asked for alone, and they are
//! added up here by how rare they are for this viewer, as the embedded index does.

use std::cmp::Ordering;
use std::collections::HashMap;

use meilisearch_sdk::search::MatchingStrategies;

use super::ask::{MOST_VALUES, One, Row, Shape, ranked as most_frequent};
use super::entry::{plain_tag, read_term};
use super::filter::{FACETS, Filter, audience, term_facet};
use super::index::MeiliIndex;
use super::settings::FOUND_BY;
use super::weighed::{WEIGHED, Weighed, bit};
use crate::entities::kinds::TermKind;
use crate::ports::clock::DAY;
use crate::ports::search::terms::Counts;
use crate::ports::search::{Ask, EngineResult, Facets, Found, Hit, Sort};
use crate::search::{Kind, config};

/// Documents that are looked at for one word, the best first; counts end there too.
const MOST_ROWS: usize = 1000;

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
        let filter = Filter::of(ask);
        // A facet whose own filter is set is counted over what that filter leaves out, too.
        let own: Vec<&'static str> = FACETS.into_iter().filter(|name| ask.facets && filter.has(name)).collect();
        let filters: Vec<String> =
            std::iter::once(filter.all()).chain(own.iter().map(|name| filter.without(name))).collect();
        let mut asks = vec![one(String::new(), who.clone(), Shape::Count(Vec::new()))];
        for filter in &filters {
            let each = words.each.iter().map(|(word, _)| format!("{}{word}", words.strict));
            asks.extend(each.map(|text| one(text, filter.clone(), Shape::Rows(MOST_ROWS))));
        }
        let mut answers = self.many(&asks).await?.into_iter();
        let documents = answers.next().map_or(0, |answer| answer.total());
        let mut set = |_: &String| -> Vec<Vec<(Hit, Row)>> {
            answers.by_ref().take(words.each.len()).map(|answer| answer.rows().collect()).collect()
        };
        let sets: Vec<Vec<Vec<(Hit, Row)>>> = filters.iter().map(&mut set).collect();
        let rarities: Vec<f32> = (0..)
            .zip(&words.each)
            .map(|(at, (_, count))| {
                let rows = sets.iter().filter_map(|set| set.get(at)).map(Vec::len).max().unwrap_or(0);
                idf(documents, if *count > 0 { *count } else { rows as u64 })
            })
            .collect();
        let mut sets = sets.into_iter().map(|set| add_up(set, &rarities));
        let found = sets.next().unwrap_or_default();
        let mut collected = collect(ask, found, own.into_iter().zip(sets));
        if ask.sort == Sort::Relevance {
            let words: Vec<(&str, f32)> = words.each.iter().map(|(word, _)| word.trim()).zip(rarities).collect();
            self.put_in_order(&who, &words, &mut collected.ranked).await?;
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

/// A document with what ranks it.
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

/// The documents that have enough of the words, each with its rarity. `words`: what has each.
fn add_up(words: Vec<Vec<(Hit, Row)>>, rarities: &[f32]) -> Vec<Candidate> {
    let mut found: HashMap<(Kind, i64), Candidate> = HashMap::new();
    for (at, (rows, rarity)) in words.into_iter().zip(rarities).enumerate() {
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
    let needed = rarities.iter().sum::<f32>() * config::ranking().matching.share;
    found.into_values().filter(|of| of.weight >= needed).collect()
}

/// Ranks what was found, and counts it. `own`: what facets are counted over whose own filter is set.
fn collect(ask: &Ask, found: Vec<Candidate>, own: impl Iterator<Item = (&'static str, Vec<Candidate>)>) -> Collected {
    let now = ask.after.map_or(ask.now, |after| after.now);
    let mut facets = if ask.facets { count(&found) } else { Facets::default() };
    for (name, found) in own {
        let mut counted = count(&found);
        match name {
            "kind" => facets.kinds = counted.kinds,
            "space" => facets.spaces = counted.spaces,
            "tags" => facets.tags = counted.tags,
            "author" => facets.authors = counted.authors,
            _ => {
                for kind in TermKind::ALL.iter().filter(|kind| term_facet(**kind) == name) {
                    facets.terms.insert(*kind, counted.terms.remove(kind).unwrap_or_default());
                }
            }
        }
    }
    let boosted = |Candidate { row, mut hit, has, .. }: Candidate| {
        let boost = row.boost + config::ranking().boosts.recent * freshness(now - hit.created_at);
        hit.score *= boost;
        Ranked { hit, has, boost }
    };
    let mut ranked: Vec<Ranked> = found.into_iter().map(boosted).collect();
    ranked.sort_by(|a, b| before(&a.hit, &b.hit, ask.sort));
    Collected { ranked, facets }
}

/// How many of these there are of each kind, space, tag, author and term.
fn count(found: &[Candidate]) -> Facets {
    let (mut kinds, mut spaces, mut tags, mut authors) =
        (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
    let mut terms = Counts::default();
    for Candidate { row, hit, .. } in found {
        *kinds.entry(hit.kind).or_insert(0) += 1;
        if let Some(space) = row.space.as_ref().and_then(|space| space.parse::<i64>().ok()) {
            *spaces.entry(space).or_insert(0) += 1;
        }
        for author in row.author.iter().filter_map(|author| author.parse::<i64>().ok()) {
            *authors.entry(author).or_insert(0) += 1;
        }
        for tag in &row.tags {
            *tags.entry(plain_tag(tag)).or_insert(0) += 1;
        }
        for (kind, counted) in &row.terms {
            let Some(kind) = TermKind::parse(kind) else { continue };
            for (word, label) in counted.iter().filter_map(|counted| read_term(counted)) {
                terms.add(kind, &word, &label, 1);
            }
        }
    }
    let terms = terms.most(MOST_VALUES);
    Facets { kinds: top(kinds), spaces: top(spaces), tags: top(tags), authors: top(authors), terms }
}

fn before(a: &Hit, b: &Hit, sort: Sort) -> Ordering {
    let first = match sort {
        Sort::Relevance => b.score.total_cmp(&a.score),
        Sort::New => b.created_at.cmp(&a.created_at),
    };
    first.then_with(|| a.kind.cmp(&b.kind)).then_with(|| b.id.cmp(&a.id))
}

fn top<K: Ord>(counts: HashMap<K, u64>) -> Vec<(K, u64)> {
    most_frequent(counts.into_iter().collect())
}
