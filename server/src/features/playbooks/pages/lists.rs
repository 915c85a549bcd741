//! Playbooks to choose from, and one playbook: its scenarios, or its studies narrowed down.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{Person, Row};
use super::narrowing::{Asked, Facet, Narrowed, address, asked, facets, pager, with_all};
use crate::app::AppState;
use crate::entities::kinds::PlaybookVisibility;
use crate::features::forum::kept;
use crate::features::playbooks::model::{PlaybookPerson, PlaybookRow, ScenarioView};
use crate::features::playbooks::queries;
use crate::store::Id;
use crate::streams::Stream;
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

/// A playbook to choose.
pub struct Card {
    pub slug: String,
    pub title: String,
    pub pathway: String,
    pub summary: String,
    pub cover: Option<(String, String)>,
    pub studies: i32,
    pub restricted: bool,
}

impl Card {
    #[must_use]
    pub fn of(row: &PlaybookRow) -> Self {
        Self {
            slug: row.slug.clone(),
            title: row.title.clone(),
            pathway: row.pathway.clone(),
            summary: row.summary.clone(),
            cover: row.cover_url.clone().map(|url| (url, row.cover_alt.clone())),
            studies: row.study_count,
            restricted: row.visibility == PlaybookVisibility::Restricted,
        }
    }
}

#[derive(Template)]
#[template(path = "playbooks/templates/playbooks.html")]
struct BooksPage<'a> {
    f: &'a Frame,
    cards: Vec<Card>,
    /// Pathways of the playbooks on this page.
    pathways: Vec<String>,
    pathway: String,
    may_make: bool,
    next: Option<String>,
}

/// The newest playbooks that a viewer may read, for other pages.
pub async fn some_books(state: &AppState, viewer: &Viewer, few: usize) -> Result<Vec<Card>> {
    let few = PageQuery { limit: Some(few.to_string()), cursor: None };
    let found = queries::list_playbooks(state, viewer, None, None, false, &few).await?;
    Ok(found.items.iter().map(Card::of).collect())
}

/// `GET /playbooks`
pub async fn books(
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
    let pathway = asked(&query, "pathway").unwrap_or_default().to_owned();
    let wanted = PageQuery { limit: None, cursor: asked(&query, "cursor").map(str::to_owned) };
    let chosen = Some(pathway.as_str()).filter(|pathway| !pathway.is_empty());
    let found = queries::list_playbooks(&state, &viewer, None, chosen, false, &wanted).await?;
    let mut pathways: Vec<String> = found.items.iter().map(|row| row.pathway.clone()).collect();
    pathways.retain(|name| !name.is_empty());
    pathways.sort_by_key(|name| name.to_lowercase());
    pathways.dedup_by_key(|name| name.to_lowercase());
    let frame = Frame::new(&state, &req, &viewer).await?;
    let next = found.next_cursor.clone().map(|cursor| {
        let mut words = vec![("cursor".to_owned(), cursor)];
        if !pathway.is_empty() {
            words.push(("pathway".to_owned(), pathway.clone()));
        }
        address("/playbooks", &words)
    });
    let may_make = match viewer.member() {
        Some(me) => super::manage::may_make(&state, me).await?,
        None => false,
    };
    let cards = found.items.iter().map(Card::of).collect();
    let content = BooksPage { f: &frame, cards, pathways, pathway, may_make, next };
    kept::keep_list(&state, &req, &frame, kept_at, changes, &content).await
}

/// A scenario with its first studies.
struct Scenario {
    id: Id,
    title: String,
    description: String,
    steps: Vec<String>,
    rows: Vec<Row>,
    total: i64,
    more: i64,
}

impl Scenario {
    fn of(f: &Frame, view: &ScenarioView) -> Self {
        let rows: Vec<Row> = view.studies.iter().map(|row| Row::of(f, row)).collect();
        Self {
            id: view.id,
            title: view.title.clone(),
            description: view.description_html.clone(),
            steps: view.steps_html.clone(),
            total: view.study_count,
            more: view.study_count - i64::try_from(rows.len()).unwrap_or(i64::MAX),
            rows,
        }
    }
}

/// A playbook on its page.
#[expect(clippy::struct_excessive_bools, reason = "what it is and what the viewer may do with it")]
struct Shown {
    /// What its readers are told by.
    stream: String,
    head: i64,
    epoch: String,
    slug: String,
    address: String,
    title: String,
    summary: String,
    pathway: String,
    intro: String,
    cover: Option<(String, String)>,
    studies: i32,
    scenario_count: i64,
    restricted: bool,
    archived: bool,
    space: Option<(String, String)>,
    export: String,
    write: bool,
    own: bool,
    review: bool,
    waiting: i64,
    /// Who looks after it, each as an owner or a reviewer.
    owners: Vec<(Person, &'static str)>,
    /// Kind, term, and the address without it.
    filters: Vec<(&'static str, String, String)>,
    facets: Vec<Facet>,
    /// Studies in a row instead of scenarios.
    flat: bool,
    scenarios: Vec<Scenario>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "playbooks/templates/playbook.html")]
struct BookPage<'a> {
    f: &'a Frame,
    p: Shown,
}

/// `GET /playbooks/{slug}`
pub async fn book(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<Asked>,
) -> Result<HttpResponse> {
    let kept_at = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, kept_at.as_deref()) {
        return Ok(page);
    }
    let narrowed = Narrowed::of(&query)?;
    let wanted = PageQuery { limit: None, cursor: asked(&query, "cursor").map(str::to_owned) };
    let address_of = |slug: &str| format!("/playbooks/{slug}");
    if narrowed.is_flat() {
        let heads = queries::playbook_heads(state.store.read(), &state, &path).await?;
        let of = queries::find_playbook(&state, &viewer, &path).await?;
        let people = queries::people_of(state.store.read(), of.id).await?;
        let filter = narrowed.filter(Some(of.id));
        let found = queries::list_studies(&state, &viewer, &filter, &wanted).await?;
        let counts = queries::term_counts(&state, &viewer, &filter).await?;
        let frame = Frame::new(&state, &req, &viewer).await?;
        let place = address_of(&of.row.slug);
        let mut shown = base(&frame, &state, &viewer, &of.row, &people).await?;
        (shown.own, shown.review) = (of.standing.owns(), of.standing.reviews());
        let stream = Stream::playbook(of.id);
        shown.head = heads.iter().find(|(of, _)| *of == stream).map_or(0, |(_, head)| *head);
        (shown.stream, shown.epoch) = (stream.to_string(), state.epoch.to_string());
        shown.flat = true;
        shown.rows = found.items.iter().map(|row| Row::of(&frame, row)).collect();
        (shown.first, shown.next) = pager(&place, &narrowed, &wanted, found.next_cursor);
        shown.facets = facets(&counts, &narrowed, &place);
        shown.filters = narrowed
            .terms
            .iter()
            .map(|(kind, term)| {
                (kind.as_str(), term.clone(), address(&place, &with_all(narrowed.without(*kind, term))))
            })
            .collect();
        return answer(&req, &state, &frame, kept_at, heads, shown);
    }
    let (view, shelf) = queries::playbook_and_shelf(&state, &viewer, &path).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let place = address_of(&view.row.slug);
    let mut shown = base(&frame, &state, &viewer, &view.row, &view.people).await?;
    shown.intro.clone_from(&view.introduction_html);
    (shown.own, shown.review, shown.waiting) = (view.may_edit, view.may_review, view.waiting);
    shown.scenario_count = i64::try_from(shelf.scenarios.len()).unwrap_or(i64::MAX);
    shown.scenarios = shelf.scenarios.iter().map(|of| Scenario::of(&frame, of)).collect();
    shown.facets = facets(&shelf.counts, &narrowed, &place);
    if shelf.scenarios.is_empty() && view.row.study_count > 0 {
        let filter = narrowed.filter(Some(view.row.id.0));
        let found = queries::list_studies(&state, &viewer, &filter, &wanted).await?;
        shown.flat = true;
        shown.rows = found.items.iter().map(|row| Row::of(&frame, row)).collect();
        (shown.first, shown.next) = pager(&place, &narrowed, &wanted, found.next_cursor);
    }
    (shown.stream, shown.head, shown.epoch) = (view.stream, view.head, view.epoch);
    answer(&req, &state, &frame, kept_at, view.heads, shown)
}

/// The page, kept if it is a visitor's.
fn answer(
    req: &HttpRequest,
    state: &AppState,
    frame: &Frame,
    kept_at: Option<String>,
    heads: Vec<(Stream, i64)>,
    shown: Shown,
) -> Result<HttpResponse> {
    let content = BookPage { f: frame, p: shown };
    match kept_at {
        Some(address) => kept::keep(state, req, frame, address, heads, &content),
        None => page(frame, &content),
    }
}

async fn base(
    f: &Frame,
    state: &AppState,
    viewer: &Viewer,
    row: &PlaybookRow,
    people: &[PlaybookPerson],
) -> Result<Shown> {
    let space = match &row.space {
        Some(slug) => {
            let (space, _) = state.spaces.find(state, viewer, slug).await?;
            Some((format!("/s/{slug}"), space.name.clone()))
        }
        None => None,
    };
    Ok(Shown {
        stream: String::new(),
        head: 0,
        epoch: String::new(),
        slug: row.slug.clone(),
        address: format!("/playbooks/{}", row.slug),
        title: row.title.clone(),
        summary: row.summary.clone(),
        pathway: row.pathway.clone(),
        intro: String::new(),
        cover: row.cover_url.clone().map(|url| (url, row.cover_alt.clone())),
        studies: row.study_count,
        scenario_count: 0,
        restricted: row.visibility == PlaybookVisibility::Restricted,
        archived: row.archived,
        space,
        export: format!("/api/v1/playbooks/{}/export", row.slug),
        write: viewer.member().is_some() && !row.archived,
        own: false,
        review: false,
        waiting: 0,
        owners: people.iter().map(|of| (Person::of(f, &of.person), of.playbook_role.as_str())).collect(),
        filters: Vec::new(),
        facets: Vec::new(),
        flat: false,
        scenarios: Vec::new(),
        rows: Vec::new(),
        first: None,
        next: None,
    })
}
