//! Beginning a case study: from nothing, from a topic, from messages of a room; what is about the
//! whole of it; and one's own.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::Row;
use super::forms::{Sheet, lines, version_of};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, TermKind, Visibility};
use crate::features::chat;
use crate::features::forum;
use crate::features::playbooks::actions::{self, FromMessages, FromTopic, NewStudy, PartInput, StudyChange};
use crate::features::playbooks::queries::{self, Which};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// Playbooks to choose from.
const MOST_BOOKS: &str = "100";

/// What a study is made from, and the hidden fields that name it.
#[derive(Default)]
struct Made {
    kind: &'static str,
    title: String,
    href: String,
    fields: Vec<(&'static str, String)>,
}

/// A playbook to choose: slug and title.
type Choice = (String, String);

#[derive(Template)]
#[template(path = "playbooks/templates/begin.html")]
struct BeginPage<'a> {
    f: &'a Frame,
    made: Made,
    books: Vec<Choice>,
    form: Sheet,
}

/// The newest playbooks, and the one that is chosen already, whatever its age.
async fn choices(state: &AppState, viewer: &Viewer, chosen: Option<Choice>) -> Result<Vec<Choice>> {
    let most = PageQuery { limit: Some(MOST_BOOKS.into()), cursor: None };
    let found = queries::list_playbooks(state, viewer, None, None, false, &most).await?;
    let mut books: Vec<Choice> = found.items.into_iter().map(|row| (row.slug, row.title)).collect();
    if let Some(chosen) = chosen.filter(|(slug, _)| !books.iter().any(|(known, _)| known == slug)) {
        books.insert(0, chosen);
    }
    Ok(books)
}

/// A playbook that an address or a form names, if a new study may go into it.
async fn named_book(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Option<Choice>> {
    if slug.is_empty() {
        return Ok(None);
    }
    match queries::find_playbook(state, viewer, slug).await {
        Ok(of) if of.row.archived => Ok(None),
        Ok(of) => Ok(Some((of.row.slug, of.row.title))),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the address or the form names: a topic, or messages of a room.
struct Named {
    topic: Option<i64>,
    room: Option<i64>,
    messages: Vec<i64>,
}

impl Named {
    fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut from = Self { topic: None, room: None, messages: Vec::new() };
        for (name, value) in fields {
            let id = || value.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound);
            match name {
                "topic" if !value.is_empty() => from.topic = Some(id()?),
                "room" if !value.is_empty() => from.room = Some(id()?),
                "m" if from.messages.len() < chat::policy::MOST_QUOTED => from.messages.push(id()?),
                _ => {}
            }
        }
        Ok(from)
    }

    /// What it is, for those who may read it.
    async fn made(&self, state: &AppState, viewer: &Viewer) -> Result<Made> {
        if let Some(topic) = self.topic {
            let seen = forum::queries::find_topic(state, viewer, topic).await?;
            if seen.space.visibility == Visibility::Confidential {
                return Err(AppError::Forbidden("What is said in a confidential space stays in it.".into()));
            }
            return Ok(Made {
                kind: "topic",
                href: format!("/s/{}/t/{}", seen.space.slug, seen.row.id),
                title: seen.row.title.clone(),
                fields: vec![("topic", Id(topic).to_string())],
            });
        }
        let Some(room) = self.room else { return Ok(Made::default()) };
        let me = viewer.require()?;
        let found = chat::queries::find_room(state, me, room).await?;
        let place = found.ground.space.as_deref().zip(found.ground.slug.as_deref());
        let (space, slug) =
            place.ok_or_else(|| AppError::Forbidden("What is said in a private room stays in it.".into()))?;
        let mut fields = vec![("room", Id(room).to_string())];
        fields.extend(self.messages.iter().map(|id| ("m", Id(*id).to_string())));
        Ok(Made { kind: "messages", href: format!("/s/{space}/chat/{slug}"), title: found.ground.name.clone(), fields })
    }
}

/// `GET /case-studies/new?topic=ID`, `?room=ID&m=ID&m=ID`, `?playbook=SLUG`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    query: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let pairs = || query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let made = Named::of(pairs())?.made(&state, &viewer).await?;
    let book = pairs().find(|(name, _)| *name == "playbook").map_or("", |(_, value)| value);
    let title = if made.kind == "topic" { made.title.clone() } else { String::new() };
    let sheet = Sheet::default().with("title", title).with("summary", "").with("playbook", book);
    show(&req, &state, &viewer, made, sheet, StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    made: Made,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let chosen = named_book(state, viewer, form.value("playbook")).await?;
    let books = choices(state, viewer, chosen).await?;
    let frame = Frame::new(state, req, viewer).await?;
    page_with_status(&frame, &BeginPage { f: &frame, made, books, form }, status)
}

/// `POST /case-studies/new`
pub async fn begin(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    sent: Form,
) -> Result<HttpResponse> {
    let named = ["topic", "room", "m"].into_iter().flat_map(|name| sent.all(name).map(move |value| (name, value)));
    let from = Named::of(named)?;
    let made = from.made(&state, &viewer).await?;
    let mut form = Sheet::typed(&sent, &["title", "summary", "playbook"]);
    let playbook = sent.some("playbook").map(str::to_owned);
    let (title, summary) = (form.value("title").to_owned(), form.value("summary").to_owned());
    let confirmed = sent.ticked("confirmed");
    let done = match made.kind {
        "topic" => {
            let wish = FromTopic { topic: from.topic.unwrap_or(0), title: Some(title), playbook, confirmed };
            actions::start_from_topic(&state, &me, &wish).await
        }
        "messages" => {
            let (room, messages) = (from.room.unwrap_or(0), from.messages.clone());
            let wish = FromMessages { room, messages, title, playbook, confirmed };
            actions::start_from_messages(&state, &me, &wish).await
        }
        _ => {
            let summary = PartInput { body: summary, ..PartInput::default() };
            let new = NewStudy {
                title,
                playbook,
                parts: vec![(PartKey::Summary, summary)],
                confirmed,
                ..NewStudy::default()
            };
            actions::create_study(&state, &me, &new).await
        }
    };
    match done {
        Ok(view) => Ok(see_other(&format!("{}/edit", view.row.url))),
        Err(error) => {
            let status = form.refuse(error)?;
            show(&req, &state, &viewer, made, form, status).await
        }
    }
}

/// A study of one's own in its list.
struct Mine {
    row: Row,
    updated: i64,
    open_comments: i32,
}

#[derive(Template)]
#[template(path = "playbooks/templates/mine.html")]
struct MinePage<'a> {
    f: &'a Frame,
    rows: Vec<Mine>,
    next: Option<String>,
}

/// `GET /case-studies`: one's own.
pub async fn mine(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let found = queries::list_mine(&state, &me, None, &query).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let rows = found.items.iter().map(|of| Mine {
        row: Row { href: format!("{}/edit", of.url), ..Row::inside(&frame, of) },
        updated: of.updated,
        open_comments: of.open_comments,
    });
    let rows = rows.collect();
    let next = found.next_cursor.map(|cursor| format!("/case-studies?cursor={cursor}"));
    page(&frame, &MinePage { f: &frame, rows, next })
}

/// A scenario to stand in.
struct Place {
    id: String,
    title: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "playbooks/templates/about-study.html")]
struct AboutPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    books: Vec<Choice>,
    scenarios: Vec<Place>,
    kinds: &'static [TermKind],
    /// Version of the study that the form was filled from.
    version: String,
    form: Sheet,
}

/// `GET /case-studies/{slug}/edit/about`
pub async fn about(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let view = queries::study_view(&state, &viewer, &path, Which::Working).await?;
    let home = view.row.playbook.as_ref().map_or("", |of| of.slug.as_str());
    let mut form = Sheet::default().with("title", &view.row.title).with("playbook", home);
    for kind in TermKind::ALL {
        let terms = view.row.terms.get(kind).map(|of| of.join("\n")).unwrap_or_default();
        form = form.with(&format!("terms.{}", kind.as_str()), terms);
    }
    for scenario in &view.scenarios {
        form = form.with(&format!("scenario.{}", scenario.id), "1");
    }
    show_about(&req, &state, &viewer, &path, form, StatusCode::OK).await
}

async fn show_about(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_to_edit(state, viewer, slug).await?;
    let scenarios = match &view.row.playbook {
        Some(home) => match queries::playbook_view(state, viewer, &home.slug).await {
            Ok(book) => book.scenarios,
            // Whoever no longer reads its home can still choose another one.
            Err(AppError::NotFound) => Vec::new(),
            Err(error) => return Err(error),
        },
        None => Vec::new(),
    };
    let scenarios = scenarios.into_iter().map(|of| Place {
        chosen: form.ticked(&format!("scenario.{}", of.id)),
        id: of.id.to_string(),
        title: of.title,
    });
    let scenarios = scenarios.collect();
    let home = view.row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone()));
    let books = choices(state, viewer, home).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let content = AboutPage {
        version: if form.has("version") { form.value("version").to_owned() } else { view.version.to_string() },
        f: &frame,
        address: view.row.url.clone(),
        title: view.row.title.clone(),
        books,
        scenarios,
        kinds: TermKind::ALL,
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /case-studies/{slug}/edit/about`
pub async fn save_about(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let names: Vec<String> = TermKind::ALL.iter().map(|kind| format!("terms.{}", kind.as_str())).collect();
    let mut fields: Vec<&str> = vec!["title", "playbook", "version"];
    fields.extend(names.iter().map(String::as_str));
    let mut form = Sheet::typed(&sent, &fields);
    let mut scenarios = Vec::new();
    for id in sent.all("scenario") {
        scenarios.push(id.parse::<Id>().map_err(|_| AppError::NotFound)?.0);
        form = form.with(&format!("scenario.{id}"), "1");
    }
    let terms: BTreeMap<String, Vec<String>> = TermKind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), lines(form.value(&format!("terms.{}", kind.as_str())))))
        .collect();
    let now = queries::study_view(&state, &viewer, &path, Which::Working).await?;
    let home = now.row.playbook.as_ref().map(|of| of.slug.clone());
    let playbook = sent.some("playbook").map(str::to_owned);
    // Scenarios that were shown belong to the playbook that it had.
    let shown = match &home {
        Some(slug) => queries::find_playbook(&state, &viewer, slug).await.is_ok(),
        None => true,
    };
    let scenarios = (shown && playbook == home).then_some(scenarios);
    let change = StudyChange {
        title: Some(form.value("title").to_owned()),
        playbook: (playbook != home).then_some(playbook),
        scenarios,
        terms: Some(terms),
        confirmed: sent.ticked("confirmed"),
        ..StudyChange::default()
    };
    match actions::edit_study(&state, &me, &path, &change, version_of(&sent)).await {
        Ok(()) => Ok(see_other(&format!("{}/edit", now.row.url))),
        Err(AppError::Stale) => {
            let form = form.without("version").stale("playbooks.edit_study.about_stale");
            show_about(&req, &state, &viewer, &path, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let status = form.refuse(error)?;
            show_about(&req, &state, &viewer, &path, form, status).await
        }
    }
}
