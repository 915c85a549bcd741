//! Case studies of all playbooks, narrowed down by the same words as one playbook's.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::Row;
use super::narrowing::{Asked, Facet, Narrowed, address, asked, facets, pager, with_all};
use crate::app::AppState;
use crate::features::forum::kept;
use crate::features::playbooks::queries::{self, Sort};
use crate::web::error::Result;
use crate::web::frame::Frame;
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

const PLACE: &str = "/case-studies/browse";

#[derive(Template)]
#[template(path = "playbooks/templates/browse.html")]
struct BrowsePage<'a> {
    f: &'a Frame,
    /// Kind, term, and the address without it.
    filters: Vec<(&'static str, String, String)>,
    facets: Vec<Facet>,
    /// A word, its address, and whether it is chosen.
    sorts: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

/// `GET /case-studies/browse`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<Asked>,
) -> Result<HttpResponse> {
    let kept_at = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, kept_at.as_deref()) {
        return Ok(page);
    }
    let changes = state.heads.changes();
    let sort = asked(&query, "sort").unwrap_or("new").to_owned();
    let narrowed = Narrowed::of(&query)?.sorted(&sort);
    let mut filter = narrowed.filter(None);
    filter.sort = Sort::parse(Some(&sort))?;
    let wanted = PageQuery { limit: None, cursor: asked(&query, "cursor").map(str::to_owned) };
    let found = queries::list_studies(&state, &viewer, &filter, &wanted).await?;
    let counts = queries::term_counts(&state, &viewer, &filter).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let (first, next) = pager(PLACE, &narrowed, &wanted, found.next_cursor);
    let filters = narrowed
        .terms
        .iter()
        .map(|(kind, term)| (kind.as_str(), term.clone(), address(PLACE, &with_all(narrowed.without(*kind, term)))));
    let sorts = ["new", "endorsed", "adopted"].map(|word| {
        let mut words = narrowed.words();
        words.retain(|(name, _)| name != "sort");
        words.push(("sort".to_owned(), word.to_owned()));
        (word, address(PLACE, &words), word == sort)
    });
    let content = BrowsePage {
        f: &frame,
        filters: filters.collect(),
        facets: facets(&counts, &narrowed, PLACE),
        sorts: sorts.into(),
        rows: found.items.iter().map(|row| Row::of(&frame, row)).collect(),
        first,
        next,
    };
    kept::keep_list(&state, &req, &frame, kept_at, changes, &content).await
}
