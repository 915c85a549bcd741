//! Narrowing a playbook down: what its address asks for, and the terms at the side with the addresses
//! that add them and take them away.

use crate::entities::kinds::TermKind;
use crate::features::playbooks::model::TermCount;
use crate::features::playbooks::queries::{Filter, Sort};
use crate::features::playbooks::terms::fold;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::pagination::PageQuery;

/// Terms of one kind that the side shows before it is asked for all.
const MOST_TERMS: usize = 12;
/// Kinds that are open when the page comes.
const OPEN: usize = 3;
/// Terms that a filter takes.
const MOST_CHOSEN: usize = 12;

pub type Asked = Vec<(String, String)>;

pub fn asked<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

/// The address of a list with other words in its query.
pub fn address(path: &str, words: &[(String, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    words.iter().for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// What a reader narrows a playbook down to.
pub struct Narrowed {
    scenario: Option<i64>,
    pub terms: Vec<(TermKind, String)>,
    all: bool,
    /// A kind of which all terms are shown.
    more: Option<TermKind>,
    words: Asked,
}

impl Narrowed {
    pub fn of(query: &[(String, String)]) -> Result<Self> {
        let scenario = match asked(query, "scenario") {
            Some(id) => Some(id.parse::<Id>().map_err(|_| AppError::NotFound)?.0),
            None => None,
        };
        let terms: Vec<(TermKind, String)> = query
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .filter_map(|(name, value)| Some((TermKind::parse(name)?, value.chars().take(100).collect())))
            .take(MOST_CHOSEN)
            .collect();
        let mut words: Asked = terms.iter().map(|(kind, term)| (kind.as_str().to_owned(), term.clone())).collect();
        if let Some(id) = scenario {
            words.push(("scenario".to_owned(), Id(id).to_string()));
        }
        let more = asked(query, "more").and_then(TermKind::parse);
        Ok(Self { scenario, terms, all: asked(query, "all").is_some(), more, words })
    }

    /// The words keep how a list is sorted.
    pub fn sorted(mut self, word: &str) -> Self {
        if word != "new" {
            self.words.push(("sort".to_owned(), word.to_owned()));
        }
        self.all = true;
        self
    }

    pub fn words(&self) -> Asked {
        self.words.clone()
    }

    pub fn is_flat(&self) -> bool {
        self.all || self.scenario.is_some() || !self.terms.is_empty()
    }

    pub fn filter(&self, playbook: Option<i64>) -> Filter {
        let mut terms: Vec<(TermKind, Vec<String>)> = Vec::new();
        for (kind, term) in &self.terms {
            match terms.iter_mut().find(|(known, _)| known == kind) {
                Some((_, of)) => of.push(term.clone()),
                None => terms.push((*kind, vec![term.clone()])),
            }
        }
        Filter { playbook, scenario: self.scenario, terms, sort: Sort::New, ..Filter::default() }
    }

    fn has(&self, kind: TermKind, term: &str) -> bool {
        self.terms.iter().any(|(known, chosen)| *known == kind && fold(chosen) == fold(term))
    }

    /// The words of the query without a term.
    pub fn without(&self, kind: TermKind, term: &str) -> Asked {
        let is = |(name, value): &&(String, String)| !(name == kind.as_str() && fold(value) == fold(term));
        self.words.iter().filter(is).cloned().collect()
    }
}

/// A term to filter by.
pub struct Term {
    pub label: String,
    pub count: i64,
    pub href: String,
    pub current: bool,
}

/// The terms of one kind.
pub struct Facet {
    pub kind: &'static str,
    pub open: bool,
    pub terms: Vec<Term>,
    /// How many there are and where all of them are shown, if these are not all.
    pub all: Option<(i64, String)>,
}

/// Who takes the last filter away sees all studies and not the scenarios again.
pub fn with_all(mut words: Asked) -> Asked {
    if words.is_empty() {
        words.push(("all".to_owned(), "1".to_owned()));
    }
    words
}

pub fn pager(
    place: &str,
    narrowed: &Narrowed,
    wanted: &PageQuery,
    next: Option<String>,
) -> (Option<String>, Option<String>) {
    let words = if narrowed.is_flat() { with_all(narrowed.words.clone()) } else { Asked::new() };
    let first = wanted.cursor.is_some().then(|| address(place, &words));
    let next = next.map(|cursor| {
        let mut words = words.clone();
        words.push(("cursor".to_owned(), cursor));
        address(place, &words)
    });
    (first, next)
}

/// The terms at the side: chosen ones lead to the list without them.
pub fn facets(counts: &[TermCount], narrowed: &Narrowed, place: &str) -> Vec<Facet> {
    let mut facets = Vec::new();
    for kind in TermKind::ALL {
        let terms: Vec<Term> = counts
            .iter()
            .filter(|of| of.kind == *kind)
            .enumerate()
            // What is chosen is always there to be taken away.
            .filter(|(at, of)| *at < MOST_TERMS || narrowed.more == Some(*kind) || narrowed.has(*kind, &of.term))
            .map(|(_, of)| of)
            .map(|of| {
                let current = narrowed.has(*kind, &of.term);
                let words = if current {
                    with_all(narrowed.without(*kind, &of.term))
                } else {
                    let mut words = narrowed.words.clone();
                    words.push((kind.as_str().to_owned(), of.term.clone()));
                    words
                };
                Term { label: of.term.clone(), count: of.count, href: address(place, &words), current }
            })
            .collect();
        if !terms.is_empty() {
            let open = facets.len() < OPEN || narrowed.more == Some(*kind) || terms.iter().any(|term| term.current);
            let count = counts.iter().filter(|of| of.kind == *kind).count();
            let all = (count > terms.len()).then(|| {
                let mut words =
                    if narrowed.is_flat() { with_all(narrowed.words.clone()) } else { narrowed.words.clone() };
                words.push(("more".to_owned(), kind.as_str().to_owned()));
                (i64::try_from(count).unwrap_or(i64::MAX), format!("{}#filters", address(place, &words)))
            });
            facets.push(Facet { kind: kind.as_str(), open, terms, all });
        }
    }
    facets
}
