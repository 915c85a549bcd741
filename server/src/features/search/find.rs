//! Finding: from a checked question to what is shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, SearchQuery};
use crate::app::AppState;
use crate::entities::kinds::TermKind;
use crate::ports::clock::rfc3339;
use crate::ports::search::{Ask, Facets, Hit, Place, place};
use crate::search::snippet::{Marks, Snippet, marked, snippet};
use crate::search::{Document, Extent, Kind, Reach};
use crate::store::{Id, Sql};
use crate::web::error::{AppError, Result};

/// Tags and labels shown with one hit.
const LABELS: usize = 3;

/// Who wrote something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ByView {
    pub handle: String,
    pub display_name: String,
}

/// Something found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ItemView {
    pub kind: Kind,
    pub id: Id,
    /// Of a reply its topic's, of a message its room's.
    pub title: String,
    /// The best passage: escaped text with `<mark>` around what was asked for, and nothing else.
    pub snippet_html: String,
    /// Leads to the hit itself: a post, a message in its room, a page of a file.
    pub url: String,
    /// The slug of its space.
    pub space: Option<String>,
    pub author: Option<ByView>,
    /// RFC 3339.
    pub created_at: String,
    /// Larger is better; only comparable within one answer.
    pub score: f32,
    /// The name of its space.
    pub space_name: Option<String>,
    #[serde(skip)]
    pub title_html: String,
    /// Tags and labels that have what was asked for, marked; where nothing else shows why it was found.
    #[serde(skip)]
    pub labels_html: Vec<String>,
    #[serde(skip)]
    pub created: i64,
    #[serde(skip)]
    pub accepted: bool,
}

/// Counts of everything found, each as if its own filter were not set.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FacetsView {
    pub kind: BTreeMap<String, u64>,
    /// By slug; the 20 with the most.
    pub space: BTreeMap<String, u64>,
    /// The 20 with the most.
    pub tag: BTreeMap<String, u64>,
    /// By handle; the 20 with the most. Empty for visitors.
    pub author: BTreeMap<String, u64>,
    /// What case studies are filed under, here and in the other kinds of terms: the 20 with the most.
    pub pathway: BTreeMap<String, u64>,
    pub setting: BTreeMap<String, u64>,
    pub technique: BTreeMap<String, u64>,
    pub data_type: BTreeMap<String, u64>,
    pub stage: BTreeMap<String, u64>,
    pub country: BTreeMap<String, u64>,
    pub organisation: BTreeMap<String, u64>,
    pub technology: BTreeMap<String, u64>,
}

impl FacetsView {
    /// The counts of the terms of a kind.
    pub const fn terms(&self, kind: TermKind) -> &BTreeMap<String, u64> {
        match kind {
            TermKind::Pathway => &self.pathway,
            TermKind::Setting => &self.setting,
            TermKind::Technique => &self.technique,
            TermKind::DataType => &self.data_type,
            TermKind::Stage => &self.stage,
            TermKind::Country => &self.country,
            TermKind::Organisation => &self.organisation,
            TermKind::Technology => &self.technology,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResultsView {
    pub items: Vec<ItemView>,
    pub facets: FacetsView,
    pub total: u64,
    pub took_ms: u64,
    /// The question as it may have been meant.
    pub did_you_mean: Option<String>,
    pub next_cursor: Option<String>,
}

/// What binds a cursor to the question it is from and to who asked it: nobody asks an old state of
/// the index anything else.
pub(super) fn seal(state: &AppState, member: Option<i64>, asked: &SearchQuery) -> String {
    let token = state.secrets.token(&format!("search cursor {} {}", member.unwrap_or(0), asked.address()));
    token.chars().take(20).collect()
}

/// A place in a list of hits as a cursor.
fn encode(place: Place, seal: &str) -> String {
    let Place { key, kind, id, version, now } = place;
    URL_SAFE_NO_PAD.encode(format!("{key}.{}.{id}.{version}.{now}.{seal}", kind.number()))
}

/// The place that a cursor names; only one of the same question.
fn decode(text: &str, seal: &str) -> Result<Option<Place>> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || AppError::field("cursor", "is not one of this list");
    let bytes = (text.len() <= 200).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten().ok_or_else(wrong)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (text, sealed) = text.rsplit_once('.').ok_or_else(wrong)?;
    if !crate::app::secrets::same(sealed, seal) {
        return Err(wrong());
    }
    let mut parts = text.split('.');
    let mut part = || parts.next().and_then(|part| part.parse::<i64>().ok()).ok_or_else(wrong);
    let (key, kind, id, version, now) = (part()?, part()?, part()?, part()?, part()?);
    let kind = u64::try_from(kind).ok().and_then(Kind::from_number).ok_or_else(wrong)?;
    Ok(Some(Place { key, kind, id, version: u64::try_from(version).map_err(|_| wrong())?, now }))
}

/// A page of what a viewer finds.
pub async fn find(
    state: &AppState,
    reach: Arc<Reach>,
    member: bool,
    asked: &Asked,
    limit: usize,
    cursor: &str,
    seal: &str,
) -> Result<ResultsView> {
    let after = decode(cursor, seal)?;
    let (started, now) = (Instant::now(), state.clock.now());
    let ask = Ask {
        query: Arc::clone(&asked.query),
        filters: asked.filters.clone(),
        sort: asked.sort,
        limit,
        after,
        reach: Arc::clone(&reach),
        now,
        names_only: false,
        facets: true,
    };
    let found = state.search.ask(ask).await?;
    let now = after.map_or(now, |after| after.now);
    let next = found.hits.last().filter(|_| found.more);
    let next_cursor = next.map(|last| encode(place(last, asked.sort, found.version, now), seal));
    let items = shown(state, &reach, found.hits, found.marks).await?;
    let facets = facets(state, &reach, member, &found.facets).await?;
    let (total, did_you_mean) = (found.total, found.did_you_mean);
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(ResultsView { items, facets, total, took_ms, did_you_mean, next_cursor })
}

/// What hits are now, by the rows, for this viewer; what is gone or not theirs to see is left out.
pub(super) async fn documents_of(
    state: &AppState,
    reach: &Reach,
    hits: &[Hit],
    extent: Extent<'_>,
) -> Result<HashMap<(Kind, i64), Document>> {
    let db = state.store.read();
    let mut documents: HashMap<(Kind, i64), Document> = HashMap::new();
    for source in crate::features::search_sources() {
        let kind = source.kind();
        let ids: Vec<i64> = hits.iter().filter(|hit| hit.kind == kind).map(|hit| hit.id).collect();
        if !ids.is_empty() {
            let read = source.documents(db, &ids, extent).await?.into_iter().filter(|of| reach.sees(&of.audience));
            documents.extend(read.map(|of| ((kind, of.id), of)));
        }
    }
    Ok(documents)
}

/// A hit with what is marked in it.
struct Marked {
    hit: Hit,
    of: Document,
    passage: Snippet,
    title_html: String,
    labels_html: Vec<String>,
}

impl Marked {
    /// Looks through the texts: not for a thread that serves others.
    fn new(hit: Hit, of: Document, marks: &Marks) -> Self {
        let passage = snippet(&of.passages, marks);
        let title_html = marked(&of.title, marks);
        let shows_why = [&title_html, &passage.html].iter().any(|html| html.contains("<mark>"));
        let why = |text: &str| Some(marked(text, marks)).filter(|html| html.contains("<mark>"));
        let mut labels_html: Vec<String> =
            of.tags.iter().filter_map(|tag| why(&format!("#{tag}"))).take(LABELS).collect();
        if labels_html.is_empty() && !shows_why {
            labels_html.extend(of.labels.iter().find_map(|label| why(label)));
        }
        Self { hit, of, passage, title_html, labels_html }
    }
}

/// Hits as they are shown.
async fn shown(state: &AppState, reach: &Reach, hits: Vec<Hit>, marks: Marks) -> Result<Vec<ItemView>> {
    let roots = marks.roots();
    let mut documents = documents_of(state, reach, &hits, Extent::Best(&roots)).await?;
    let authors = authors(state, documents.values().filter_map(|of| of.author).collect()).await?;
    let spaces = state.spaces.snapshot(state).await?;
    let looked_through = tokio::task::spawn_blocking(move || {
        let found = hits.into_iter().filter_map(|hit| Some((hit, documents.remove(&(hit.kind, hit.id))?)));
        found.map(|(hit, of)| Marked::new(hit, of, &marks)).collect::<Vec<_>>()
    });
    let looked_through = looked_through.await.map_err(|error| AppError::Internal(Box::new(error)))?;
    let items = looked_through.into_iter().map(|Marked { hit, of, passage, title_html, labels_html }| {
        // What is open to everybody may stand in a space that is there for its people alone.
        let space = of.space.and_then(|id| spaces.by_id(id)).filter(|space| reach.knows(space.id));
        let url = match &passage.anchor {
            Some(anchor) if passage.found > 0 && !of.url.contains('#') => format!("{}{anchor}", of.url),
            _ => of.url,
        };
        ItemView {
            kind: hit.kind,
            id: Id(hit.id),
            labels_html,
            title_html,
            title: of.title,
            snippet_html: passage.html,
            url,
            space: space.map(|space| space.slug.clone()),
            space_name: space.map(|space| space.name.clone()),
            author: of.author.and_then(|author| authors.get(&author).cloned()),
            created_at: rfc3339(of.created_at),
            created: of.created_at,
            accepted: of.accepted,
            score: hit.score,
        }
    });
    Ok(items.collect())
}

async fn authors(state: &AppState, mut ids: Vec<i64>) -> Result<HashMap<i64, ByView>> {
    ids.sort_unstable();
    ids.dedup();
    let mut authors = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(authors);
    }
    let rows = Sql::new("SELECT id, handle, display_name FROM member WHERE id IN ").list(ids);
    for row in rows.all(state.store.read()).await? {
        let by = ByView { handle: row.try_get("", "handle")?, display_name: row.try_get("", "display_name")? };
        authors.insert(row.try_get("", "id")?, by);
    }
    Ok(authors)
}

async fn facets(state: &AppState, reach: &Reach, member: bool, of: &Facets) -> Result<FacetsView> {
    let spaces = state.spaces.snapshot(state).await?;
    let slug = |id: &i64| spaces.by_id(*id).filter(|space| reach.knows(space.id)).map(|space| space.slug.clone());
    // Visitors see no directory.
    let handles =
        if member { authors(state, of.authors.iter().map(|(id, _)| *id).collect()).await? } else { HashMap::new() };
    let terms = |kind: TermKind| of.terms.get(&kind).into_iter().flatten().cloned().collect();
    Ok(FacetsView {
        kind: of.kinds.iter().map(|(kind, count)| (kind.as_str().to_owned(), *count)).collect(),
        space: of.spaces.iter().filter_map(|(id, count)| Some((slug(id)?, *count))).collect(),
        tag: of.tags.iter().cloned().collect(),
        author: of.authors.iter().filter_map(|(id, n)| Some((handles.get(id)?.handle.clone(), *n))).collect(),
        pathway: terms(TermKind::Pathway),
        setting: terms(TermKind::Setting),
        technique: terms(TermKind::Technique),
        data_type: terms(TermKind::DataType),
        stage: terms(TermKind::Stage),
        country: terms(TermKind::Country),
        organisation: terms(TermKind::Organisation),
        technology: terms(TermKind::Technology),
    })
}
