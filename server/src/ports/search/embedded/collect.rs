//! From scored documents to an answer: filters, counts, the best page.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tantivy::SegmentReader;
use tantivy::columnar::{Column, StrColumn};

use super::generation::Generation;
use super::meaning::meaning;
use super::scoring::{Scored, Scoring};
use super::terms::{Lacks, Terms};
use super::visible::Visible;
use super::words::Vocabulary;
use crate::ports::clock::DAY;
use crate::ports::search::terms::Counts;
use crate::ports::search::{Ask, EngineResult, Facets, Filters, Found, Hit, Sort, Tuning, key};
use crate::search::{Kind, config};

/// Tags, and terms of one kind, that are counted out by name.
const MOST_TAGS: usize = 20;

impl Generation {
    /// Answers a question. Takes processor time: not for a thread that serves others.
    pub fn search(&self, ask: &Ask) -> EngineResult<Found> {
        let searcher = self.searcher_of(ask.after.map(|after| after.version));
        let segments = searcher.segment_readers();
        let visible = self.visibles.of(segments, &ask.reach, self.fields.scored())?;
        let vocabulary = |field| Vocabulary { segments, visible: &visible, field };
        let (words, names) = (vocabulary(self.fields.words), vocabulary(self.fields.names));
        let meaning = meaning(ask, words, names, &self.tuning)?;
        let scored = if ask.query.is_empty() {
            everything(&visible)
        } else {
            let scoring = Scoring {
                segments,
                visible: &visible,
                fields: &self.fields,
                schema: searcher.schema(),
                tuning: &self.tuning,
            };
            scoring.score(&meaning)?
        };
        let mut collected = Collected::new(ask);
        for (segment, scored) in segments.iter().zip(&scored) {
            collected.take(segment, scored, &self.tuning)?;
        }
        let mut found = collected.answer();
        found.marks = meaning.marks;
        found.did_you_mean = meaning.did_you_mean;
        found.version = searcher.generation().generation_id();
        if found.more {
            self.keep(searcher);
        }
        Ok(found)
    }
}

/// Without words everything that is visible is found alike.
fn everything(visible: &[Arc<Visible>]) -> Vec<Scored> {
    visible.iter().map(|visible| visible.docs().map(|doc| (doc, 1.0)).collect()).collect()
}

/// What a document has beside its words, by column.
struct Columns {
    kind: Column<u64>,
    id: Column<i64>,
    space: Column<i64>,
    room: Column<i64>,
    author: Column<i64>,
    created: Column<i64>,
    boost: Column<f64>,
    tags: Option<StrColumn>,
}

impl Columns {
    fn of(segment: &SegmentReader) -> EngineResult<Self> {
        let fast = segment.fast_fields();
        // A segment in which no document has a value has no column of it.
        let some = |name: &str| -> EngineResult<Column<i64>> {
            let column = fast.column_opt::<i64>(name)?;
            Ok(column.unwrap_or_else(|| Column::build_empty_column(segment.max_doc())))
        };
        Ok(Self {
            kind: fast.u64("kind")?,
            id: fast.i64("id")?,
            space: some("space")?,
            room: some("room")?,
            author: some("author")?,
            created: fast.i64("created")?,
            boost: fast.f64("boost")?,
            tags: fast.str("tags")?,
        })
    }

    /// What a score of this segment is multiplied by at most, beside the weight of a kind.
    fn most(&self, tuning: &Tuning) -> f32 {
        (self.boost.max_value() as f32).max(1.0) + tuning.ranking.boosts.recent.max(0.0)
    }
}

/// Which filters a document passes: all, or all but one.
#[derive(Clone, Copy)]
struct Passes {
    kind: bool,
    space: bool,
    tag: bool,
    author: bool,
    terms: bool,
}

struct Collected<'a> {
    ask: &'a Ask,
    best: BinaryHeap<Worst>,
    total: u64,
    behind: u64,
    /// By the number of the kind.
    kinds: [u64; Kind::ALL.len()],
    weights: [f32; Kind::ALL.len()],
    // Keyed by ids of rows, which nobody chooses: a hash that is quick will do.
    spaces: FxHashMap<i64, u64>,
    authors: FxHashMap<i64, u64>,
    tags: HashMap<String, u64>,
    terms: Counts,
}

impl<'a> Collected<'a> {
    fn new(ask: &'a Ask) -> Self {
        Self {
            ask,
            best: BinaryHeap::with_capacity(ask.limit + 2),
            total: 0,
            behind: 0,
            kinds: [0; Kind::ALL.len()],
            weights: Kind::ALL.map(config::kind_weight),
            spaces: FxHashMap::default(),
            authors: FxHashMap::default(),
            tags: HashMap::new(),
            terms: Counts::default(),
        }
    }

    fn take(&mut self, segment: &SegmentReader, scored: &Scored, tuning: &Tuning) -> EngineResult<()> {
        let columns = Columns::of(segment)?;
        let filters = &self.ask.filters;
        let now = self.ask.after.map_or(self.ask.now, |after| after.now);
        let wanted_tag = match (&filters.tag, &columns.tags) {
            (Some(tag), Some(column)) => column.dictionary().term_ord(tag.as_bytes())?,
            _ => None,
        };
        let mut terms = Terms::of(segment, filters)?;
        let mut tag_counts = vec![0u64; columns.tags.as_ref().map_or(0, |column| column.num_terms())];
        let most = columns.most(tuning);
        for (doc, score) in scored {
            let Some(number) = columns.kind.first(*doc) else { continue };
            let Some(kind) = Kind::from_number(number) else { continue };
            let created = || columns.created.first(*doc).unwrap_or(0);
            if filters.room.is_some() && columns.room.first(*doc) != filters.room
                || filters.from.is_some_and(|from| created() < from)
                || filters.to.is_some_and(|to| created() >= to)
            {
                continue;
            }
            let space = columns.space.first(*doc);
            let wrote = |author: i64| columns.author.values_for_doc(*doc).any(|of| of == author);
            let tagged =
                |tag: u64| columns.tags.as_ref().is_some_and(|column| column.term_ords(*doc).any(|of| of == tag));
            let lacks = terms.lacks(*doc);
            let passes = Passes {
                kind: filters.kinds.is_empty() || filters.kinds.contains(&kind),
                space: filters.space.is_none() || filters.space == space,
                tag: filters.tag.is_none() || wanted_tag.is_some_and(tagged),
                author: filters.author.is_none_or(wrote),
                terms: lacks == Lacks::Nothing,
            };
            if self.ask.facets {
                let at = usize::try_from(number).unwrap_or(usize::MAX);
                self.count(passes, at, space, columns.author.values_for_doc(*doc));
                if passes.kind && passes.space && passes.tag && passes.author {
                    terms.count(*doc, lacks);
                }
                if passes.kind
                    && passes.space
                    && passes.author
                    && passes.terms
                    && let Some(column) = &columns.tags
                {
                    for tag in column.term_ords(*doc) {
                        if let Some(count) = usize::try_from(tag).ok().and_then(|tag| tag_counts.get_mut(tag)) {
                            *count += 1;
                        }
                    }
                }
            }
            if !(passes.kind && passes.space && passes.tag && passes.author && passes.terms) {
                continue;
            }
            self.total += 1;
            let weight = usize::try_from(number).ok().and_then(|at| self.weights.get(at)).copied();
            let score = score * weight.unwrap_or(1.0);
            if self.is_beyond(score * most) {
                self.behind += 1;
                continue;
            }
            let Some(id) = columns.id.first(*doc) else { continue };
            let created = created();
            let boost = columns.boost.first(*doc).unwrap_or(1.0) as f32;
            let recent = tuning.ranking.boosts.recent * freshness(now - created, tuning);
            self.offer(Hit { kind, id, score: score * (boost + recent), created_at: created });
        }
        terms.add_to(&mut self.terms)?;
        if let Some(column) = &columns.tags {
            let mut name = String::new();
            for (at, count) in (0u64..).zip(&tag_counts).filter(|(_, count)| **count > 0) {
                if column.ord_to_str(at, &mut name)? {
                    *self.tags.entry(name.clone()).or_insert(0) += count;
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, passes: Passes, kind: usize, space: Option<i64>, authors: impl Iterator<Item = i64>) {
        if let Some(count) = self.kinds.get_mut(kind)
            && passes.space
            && passes.tag
            && passes.author
            && passes.terms
        {
            *count += 1;
        }
        if let Some(space) = space.filter(|_| passes.kind && passes.tag && passes.author && passes.terms) {
            *self.spaces.entry(space).or_insert(0) += 1;
        }
        for author in authors.filter(|_| passes.kind && passes.tag && passes.space && passes.terms) {
            *self.authors.entry(author).or_insert(0) += 1;
        }
    }

    /// Whether a score is too low for the page, so that nothing more of the document need be read.
    fn is_beyond(&self, score: f32) -> bool {
        self.ask.sort == Sort::Relevance
            && self.ask.after.is_none()
            && self.best.len() == self.ask.limit
            && self.best.peek().is_some_and(|last| score < last.hit.score)
    }

    fn offer(&mut self, hit: Hit) {
        let worst = Worst { hit, key: key(&hit, self.ask.sort) };
        if let Some(after) = &self.ask.after
            && order((worst.key, hit.kind, hit.id), (after.key, after.kind, after.id)) != Ordering::Greater
        {
            return;
        }
        self.behind += 1;
        if self.best.len() < self.ask.limit {
            self.best.push(worst);
        } else if self.best.peek().is_some_and(|last| worst < *last) {
            self.best.pop();
            self.best.push(worst);
        }
    }

    fn answer(self) -> Found {
        let hits: Vec<Hit> = self.best.into_sorted_vec().into_iter().map(|one| one.hit).collect();
        Found {
            more: self.behind > hits.len() as u64,
            hits,
            total: self.total,
            facets: Facets {
                kinds: ranked(Kind::ALL.into_iter().zip(self.kinds).filter(|(_, count)| *count > 0), usize::MAX),
                spaces: ranked(self.spaces, MOST_TAGS),
                tags: ranked(self.tags, MOST_TAGS),
                authors: ranked(self.authors, MOST_TAGS),
                terms: self.terms.most(MOST_TAGS),
            },
            ..Found::default()
        }
    }
}

/// The most frequent first.
fn ranked<K: Ord>(counts: impl IntoIterator<Item = (K, u64)>, most: usize) -> Vec<(K, u64)> {
    let mut counts: Vec<(K, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(most);
    counts
}

/// 1 for what is new, half for what is `recent_days` old, and so on.
fn freshness(age: i64, tuning: &Tuning) -> f32 {
    let days = age.max(0) as f32 / DAY as f32;
    (-days / tuning.ranking.boosts.recent_days * std::f32::consts::LN_2).exp()
}

/// Larger keys first, then by kind, then the newer id first.
fn order(a: (i64, Kind, i64), b: (i64, Kind, i64)) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)).then_with(|| b.2.cmp(&a.2))
}

/// A hit in a heap whose top is the last of the page.
struct Worst {
    hit: Hit,
    key: i64,
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        order((self.key, self.hit.kind, self.hit.id), (other.key, other.hit.kind, other.hit.id))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worst {}

impl Filters {
    /// Nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
