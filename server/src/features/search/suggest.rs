//! Suggestions as one types: what is called so.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asked::SearchQuery;
use super::find::documents_of;
use crate::app::AppState;
use crate::ports::search::{Ask, Sort};
use crate::search::{Extent, Kind, Reach};
use crate::store::Id;
use crate::web::error::Result;

/// What is offered at once.
const MOST: usize = 8;

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuggestQuery {
    /// What has been typed so far.
    #[serde(default)]
    pub q: String,
    /// Kinds with commas between; every kind if absent.
    #[serde(default)]
    pub kind: String,
}

/// Something that is called so.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestionView {
    pub kind: Kind,
    pub id: Id,
    pub title: String,
    pub url: String,
    /// The slug of its space.
    pub space: Option<String>,
    /// The name of its space.
    pub space_name: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestionsView {
    /// 8 at most.
    pub items: Vec<SuggestionView>,
}

/// What a viewer may see whose title or label has words that begin so.
pub async fn suggest(state: &AppState, reach: Arc<Reach>, asked: &SuggestQuery) -> Result<SuggestionsView> {
    let of = SearchQuery { q: asked.q.clone(), kind: asked.kind.clone(), ..SearchQuery::default() };
    let asked = of.check(state, &reach).await?;
    if asked.query.words.is_empty() {
        return Ok(SuggestionsView { items: Vec::new() });
    }
    let ask = Ask {
        query: asked.query,
        filters: asked.filters,
        sort: Sort::Relevance,
        limit: MOST,
        after: None,
        reach: Arc::clone(&reach),
        now: state.clock.now(),
        names_only: true,
        facets: false,
    };
    let found = state.search.ask(ask).await?;
    let mut documents = documents_of(state, &reach, &found.hits, Extent::Head).await?;
    let spaces = state.spaces.snapshot(state).await?;
    let items = found.hits.iter().filter_map(|hit| {
        let of = documents.remove(&(hit.kind, hit.id))?;
        let space = of.space.and_then(|id| spaces.by_id(id)).filter(|space| reach.knows(space.id));
        Some(SuggestionView {
            kind: hit.kind,
            id: Id(hit.id),
            title: of.title,
            url: of.url,
            space: space.map(|space| space.slug.clone()),
            space_name: space.map(|space| space.name.clone()),
        })
    });
    Ok(SuggestionsView { items: items.collect() })
}
