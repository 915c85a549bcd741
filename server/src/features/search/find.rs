//! Finding: from a checked question to what is shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Asked;
use crate::app::AppState;
use crate::ports::clock::rfc3339;
use crate::ports::search::{Ask, Facets, Found, Hit, Place, place};
use crate::search::snippet::{Marks, marked, snippet};
use crate::search::{Document, Kind, Reach};
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

/// A place in a list of hits as a cursor.
pub fn encode(place: Place) -> String {
    let Place { key, kind, id, version, now } = place;
    URL_SAFE_NO_PAD.encode(format!("{key}.{}.{id}.{version}.{now}", kind.number()))
}

/// The place that a cursor names.
pub fn decode(text: &str) -> Result<Option<Place>> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || AppError::field("cursor", "is not one of this list");
    let bytes = (text.len() <= 200).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten().ok_or_else(wrong)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
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
    after: Option<Place>,
) -> Result<ResultsView> {
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
    let next_cursor = next.map(|last| encode(place(last, asked.sort, found.version, now)));
    let items = shown(state, &reach, &found.hits, &found.marks).await?;
    let facets = facets(state, &reach, member, &found.facets).await?;
    let Found { total, did_you_mean, .. } = found;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(ResultsView { items, facets, total, took_ms, did_you_mean, next_cursor })
}

/// Hits as the rows are now, for this viewer.
pub async fn shown(state: &AppState, reach: &Reach, hits: &[Hit], marks: &Marks) -> Result<Vec<ItemView>> {
    let db = state.store.read();
    let mut documents: HashMap<(Kind, i64), Document> = HashMap::new();
    for source in crate::features::search_sources() {
        let kind = source.kind();
        let ids: Vec<i64> = hits.iter().filter(|hit| hit.kind == kind).map(|hit| hit.id).collect();
        if !ids.is_empty() {
            let read = source.documents(db, &ids).await?.into_iter().filter(|of| reach.sees(&of.audience));
            documents.extend(read.map(|of| ((kind, of.id), of)));
        }
    }
    let authors = authors(state, documents.values().filter_map(|of| of.author).collect()).await?;
    let spaces = state.spaces.snapshot(state).await?;
    let mut items = Vec::with_capacity(hits.len());
    for hit in hits {
        let Some(of) = documents.get(&(hit.kind, hit.id)) else { continue };
        let passage = snippet(&of.passages, marks);
        // An open playbook may stand in a space that is not there for everybody.
        let space = of.space.filter(|id| reach.knows(*id)).and_then(|id| spaces.by_id(id));
        let url = match &passage.anchor {
            Some(anchor) if passage.found > 0 && !of.url.contains('#') => format!("{}#{anchor}", of.url),
            _ => of.url.clone(),
        };
        let title_html = marked(&of.title, marks);
        let shows_why = [&title_html, &passage.html].iter().any(|html| html.contains("<mark>"));
        let why = |text: &str| Some(marked(text, marks)).filter(|html| html.contains("<mark>"));
        let mut labels_html: Vec<String> =
            of.tags.iter().filter_map(|tag| why(&format!("#{tag}"))).take(LABELS).collect();
        if labels_html.is_empty() && !shows_why {
            labels_html.extend(of.labels.iter().find_map(|label| why(label)));
        }
        items.push(ItemView {
            kind: hit.kind,
            id: Id(hit.id),
            labels_html,
            title_html,
            title: of.title.clone(),
            snippet_html: passage.html,
            url,
            space: space.map(|space| space.slug.clone()),
            space_name: space.map(|space| space.name.clone()),
            author: of.author.and_then(|author| authors.get(&author).cloned()),
            created_at: rfc3339(of.created_at),
            created: of.created_at,
            accepted: of.accepted,
            score: hit.score,
        });
    }
    Ok(items)
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
    Ok(FacetsView {
        kind: of.kinds.iter().map(|(kind, count)| (kind.as_str().to_owned(), *count)).collect(),
        space: of.spaces.iter().filter_map(|(id, count)| Some((slug(id)?, *count))).collect(),
        tag: of.tags.iter().cloned().collect(),
        author: of.authors.iter().filter_map(|(id, n)| Some((handles.get(id)?.handle.clone(), *n))).collect(),
    })
}
