//! `/search`: what was asked, what was found, and how to narrow it. Works without scripts.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api::reach_of;
use super::asked::SearchQuery;
use super::find::{ItemView, ResultsView, find, seal};
use super::saved::{self, NewSaved, SavedChange, SavedView};
use crate::app::AppState;
use crate::entities::kinds::TermKind;
use crate::features::playbooks::terms::fold;
use crate::search::{Kind, Reach};
use crate::store::{Id, Sql};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// Results on one page.
const SHOWN: usize = 20;

/// A way to narrow what was found, or to widen it again.
struct Choice {
    name: String,
    href: String,
    count: u64,
    chosen: bool,
}

/// The terms of one kind that case studies among the results are filed under.
struct Filed {
    kind: &'static str,
    choices: Vec<Choice>,
}

/// One result.
struct Line {
    of: ItemView,
    icon: &'static str,
    kind: String,
}

#[derive(Template)]
#[template(path = "search/templates/search.html")]
struct SearchPage {
    f: Frame,
    asked: SearchQuery,
    faults: Vec<FieldError>,
    /// Something was asked and could be answered.
    answered: bool,
    total: i64,
    lines: Vec<Line>,
    tabs: Vec<Choice>,
    spaces: Vec<Choice>,
    tags: Vec<Choice>,
    authors: Vec<Choice>,
    terms: Vec<Filed>,
    /// The question as it may have been meant, and its address.
    meant: Option<(String, String)>,
    by_new: bool,
    sorts: [(String, String); 2],
    next: Option<String>,
    /// Of the room that is searched.
    room: Option<String>,
    saved: Vec<SavedView>,
    /// The address of the search, to keep it.
    address: String,
    kept: bool,
    /// The index is being built.
    building: bool,
    filtered: bool,
}

/// `GET /search`
pub async fn search(
    state: web::Data<AppState>,
    req: HttpRequest,
    viewer: Viewer,
    asked: web::Query<SearchQuery>,
    at: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let asked = asked.into_inner();
    let f = Frame::new(&state, &req, &viewer).await?;
    let reach = reach_of(&state, &viewer).await?;
    let (mut faults, mut results) = (Vec::new(), None);
    if !asked.is_empty() {
        match answer(&state, &reach, &viewer, &asked, &at).await {
            Ok(found) => results = Some(found),
            Err(AppError::Invalid(wrong)) => faults = wrong,
            Err(error) => return Err(error),
        }
    }
    let saved = match viewer.member() {
        Some(me) => saved::of_member(state.store.read(), me.id).await?,
        None => Vec::new(),
    };
    let room = room_name(&state, &reach, &asked.room).await?;
    let building = state.search.status().condition != crate::search::Condition::Good;
    let template = shown(&state, f, asked, faults, results, saved, room, building).await?;
    let status = if template.faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with_status(&template.f, &template, status)
}

async fn answer(
    state: &AppState,
    reach: &Arc<Reach>,
    viewer: &Viewer,
    asked: &SearchQuery,
    at: &PageQuery,
) -> Result<ResultsView> {
    let seal = seal(state, viewer.member().map(|me| me.id), asked);
    let checked = asked.check(state, reach).await?;
    let cursor = at.cursor.as_deref().unwrap_or_default();
    find(state, Arc::clone(reach), viewer.member().is_some(), &checked, SHOWN, cursor, &seal).await
}

/// The name of the room that is searched, if the viewer may read it.
async fn room_name(state: &AppState, reach: &Reach, id: &str) -> Result<Option<String>> {
    let Ok(id) = id.parse::<Id>() else { return Ok(None) };
    let row = Sql::new("SELECT name, space_id, kind FROM room WHERE id = ").bind(id.0).one(state.store.read()).await?;
    let Some(row) = row else { return Ok(None) };
    let open = row.try_get::<String>("", "kind")? == "open";
    let space: Option<i64> = row.try_get("", "space_id")?;
    let seen = match (open, space) {
        (true, Some(space)) => reach.sees(&[crate::search::Audience::MembersReading(space)]),
        _ => reach.sees(&[crate::search::Audience::Room(id.0)]),
    };
    let name: String = row.try_get("", "name")?;
    Ok(seen.then_some(name))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one page, gathered in one place")]
async fn shown(
    state: &AppState,
    f: Frame,
    asked: SearchQuery,
    faults: Vec<FieldError>,
    results: Option<ResultsView>,
    saved: Vec<SavedView>,
    room: Option<String>,
    building: bool,
) -> Result<SearchPage> {
    let answered = results.is_some();
    let address = asked.address();
    let kept = saved.iter().any(|one| one.query == address);
    let spaces = state.spaces.snapshot(state).await?;
    let name_of = |slug: &str| {
        let found = spaces.all().iter().find(|space| space.slug == slug);
        found.map_or_else(|| slug.to_owned(), |space| space.name.clone())
    };
    let results = results.unwrap_or_else(|| ResultsView {
        items: Vec::new(),
        facets: super::find::FacetsView::default(),
        total: 0,
        took_ms: 0,
        did_you_mean: None,
        next_cursor: None,
    });
    let href = |change: &dyn Fn(&mut SearchQuery)| {
        let mut other = asked.clone();
        change(&mut other);
        format!("/search?{}", other.address())
    };
    let all: u64 = results.facets.kind.values().sum();
    let mut tabs = vec![Choice {
        name: f.t("search.kinds.all").to_owned(),
        href: href(&|of| of.kind.clear()),
        count: all,
        chosen: asked.kind.is_empty(),
    }];
    for kind in Kind::ALL {
        let count = results.facets.kind.get(kind.as_str()).copied().unwrap_or(0);
        let chosen = asked.kind == kind.as_str();
        if count > 0 || chosen {
            let href = href(&|of| kind.as_str().clone_into(&mut of.kind));
            tabs.push(Choice { name: f.of("search.kinds", kind.as_str()), href, count, chosen });
        }
    }
    // Chosen once more, a filter is taken away.
    let choices = |counts: &std::collections::BTreeMap<String, u64>,
                   now: &str,
                   set: &dyn Fn(&mut SearchQuery, &str),
                   name: &dyn Fn(&str) -> String| {
        let mut choices: Vec<Choice> = counts
            .iter()
            .map(|(value, count)| {
                let chosen = value == now;
                let href = href(&|of| set(of, if chosen { "" } else { value }));
                Choice { name: name(value), href, count: *count, chosen }
            })
            .collect();
        choices.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        choices.truncate(10);
        choices
    };
    let tagged = |value: &str| format!("#{value}");
    let handled = |value: &str| format!("@{value}");
    let by_slug = |of: &mut SearchQuery, value: &str| value.clone_into(&mut of.space);
    let by_tag = |of: &mut SearchQuery, value: &str| value.clone_into(&mut of.tag);
    let by_handle = |of: &mut SearchQuery, value: &str| value.clone_into(&mut of.author);
    let filed = |kind: TermKind| {
        let counts = results.facets.terms(kind);
        let asked = fold(asked.term(kind));
        let now = counts.keys().find(|label| fold(label) == asked).map_or("", |label| label.as_str());
        let by_term = |of: &mut SearchQuery, value: &str| value.clone_into(of.term_mut(kind));
        Filed { kind: kind.as_str(), choices: choices(counts, now, &by_term, &str::to_owned) }
    };
    let terms = TermKind::ALL.iter().map(|kind| filed(*kind)).filter(|of| !of.choices.is_empty()).collect();
    // The tags of case studies are their terms, which stand under headings of their own.
    let only_studies = asked.kind == Kind::CaseStudy.as_str() && asked.tag.is_empty();
    let tags = if only_studies { Vec::new() } else { choices(&results.facets.tag, &asked.tag, &by_tag, &tagged) };
    Ok(SearchPage {
        answered,
        total: i64::try_from(results.total).unwrap_or(i64::MAX),
        spaces: choices(&results.facets.space, &asked.space, &by_slug, &name_of),
        tags,
        authors: choices(&results.facets.author, &asked.author, &by_handle, &handled),
        terms,
        meant: results.did_you_mean.map(|meant| {
            let href = href(&|of| meant.clone_into(&mut of.q));
            (meant, href)
        }),
        by_new: asked.sort == "new",
        sorts: [href(&|of| of.sort.clear()), href(&|of| "new".clone_into(&mut of.sort))]
            .into_iter()
            .zip(["relevance", "new"])
            .map(|(href, word)| (href, f.of("search.sort", word)))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_default(),
        next: results.next_cursor.map(|cursor| format!("/search?{}&cursor={cursor}", asked.address())),
        lines: results.items.into_iter().map(|of| line(&f, of)).collect(),
        tabs,
        room,
        saved,
        kept,
        building,
        filtered: asked.pairs().iter().any(|(name, value)| !matches!(*name, "q" | "sort") && !value.is_empty()),
        address,
        faults,
        asked,
        f,
    })
}

fn line(f: &Frame, of: ItemView) -> Line {
    let icon = match of.kind {
        Kind::Topic => "discussion",
        Kind::Post => "reply",
        Kind::Message | Kind::Room => "rooms",
        Kind::Playbook | Kind::CaseStudy => "study",
        Kind::Resource => "clip",
        Kind::Member => "user",
        Kind::Space => "spaces",
    };
    let kind = f.of("search.kind", of.kind.as_str());
    Line { of, icon, kind }
}

/// `POST /search/saved`
pub async fn save(state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let new = NewSaved {
        name: sent.get("name").to_owned(),
        query: sent.get("query").to_owned(),
        notify: sent.ticked("notify"),
    };
    let (ready, asked) = new.ready()?;
    let reach = reach_of(&state, &Viewer::Member(Arc::clone(&me.0))).await?;
    asked.check(&state, &reach).await?;
    let member = me.id;
    state.store.write(async move |tx| saved::keep(tx, member, &ready).await).await?;
    Ok(see_other(&format!("/search?{}", asked.address())))
}

/// `POST /search/saved/{id}`: its notices, or the end of it.
pub async fn change(state: web::Data<AppState>, me: Member, id: web::Path<String>, sent: Form) -> Result<HttpResponse> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let (member, act) = (me.id, sent.get("act").to_owned());
    let change = SavedChange { name: None, notify: Some(act == "notify") };
    state
        .store
        .write(async move |tx| match act.as_str() {
            "delete" => saved::forget(tx, member, id.0).await,
            _ => saved::change(tx, member, id.0, &change).await.map(drop),
        })
        .await?;
    Ok(see_other(sent.some("next").unwrap_or("/search")))
}
