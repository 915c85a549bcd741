//! Search by JSON.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::asked::SearchQuery;
use super::find::{ResultsView, find, seal};
use super::suggest::{SuggestQuery, SuggestionsView, suggest};
use crate::app::AppState;
use crate::search::{Reach, reach};
use crate::web::error::{Problem, Result};
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

/// What the viewer may find, from the rows.
pub(super) async fn reach_of(state: &AppState, viewer: &Viewer) -> Result<Arc<Reach>> {
    let member = viewer.member().map(|me| me.id);
    Ok(Arc::new(reach(state.store.read(), member).await?))
}

/// Search everything one may see
#[utoipa::path(get, path = "/search", tag = "search", params(SearchQuery, PageQuery),
    responses((status = 200, body = ResultsView), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn search(
    state: web::Data<AppState>,
    viewer: Viewer,
    asked: web::Query<SearchQuery>,
    at: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let reach = reach_of(&state, &viewer).await?;
    let limit = usize::try_from(at.limit()?).unwrap_or(0);
    let seal = seal(&state, viewer.member().map(|me| me.id), &asked);
    let cursor = at.cursor.as_deref().unwrap_or_default();
    let checked = asked.check(&state, &reach).await?;
    let results = if asked.is_empty() {
        ResultsView {
            items: Vec::new(),
            facets: super::find::FacetsView::default(),
            total: 0,
            took_ms: 0,
            did_you_mean: None,
            next_cursor: None,
        }
    } else {
        find(&state, reach, viewer.member().is_some(), &checked, limit, cursor, &seal).await?
    };
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(results))
}

/// What is called so, as one types
#[utoipa::path(get, path = "/search/suggest", tag = "search", params(SuggestQuery),
    responses((status = 200, body = SuggestionsView), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn suggestions(
    state: web::Data<AppState>,
    viewer: Viewer,
    asked: web::Query<SuggestQuery>,
) -> Result<HttpResponse> {
    let reach = reach_of(&state, &viewer).await?;
    let found = suggest(&state, reach, &asked).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(found))
}
