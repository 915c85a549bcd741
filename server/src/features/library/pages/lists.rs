//! Lists of resources: of the hub, of a space, and those whose review is due.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::app::AppState;
use crate::entities::kinds::{ResourceForm, ResourceKind, Stage};
use crate::features::library::model::{CollectionView, ResourceRow, TermCount};
use crate::features::library::policy::fold;
use crate::features::library::queries::{self, Filter, Sort};
use crate::features::spaces::{self, Access, SpaceHead};
use crate::streams::Stream;
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListQuery {
    form: Option<String>,
    kind: Option<String>,
    stage: Option<String>,
    tag: Option<String>,
    topic: Option<String>,
    author: Option<String>,
    stale: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
}

/// A link among several of which one is chosen.
#[derive(Debug)]
pub struct Choice {
    pub word: &'static str,
    pub href: String,
    pub current: bool,
}

/// A list with its filters.
#[derive(Debug)]
pub struct List {
    pub sorts: Vec<Choice>,
    pub kinds: Vec<Choice>,
    pub stages: Vec<Choice>,
    /// What else narrows the list: its word, and the way to lift it.
    pub narrowed: Vec<(String, String)>,
    pub rows: Vec<ResourceRow>,
    pub first: Option<String>,
    pub next: Option<String>,
    /// Nothing narrows the list.
    pub plain: bool,
}

/// What of the query means something; the rest is left out.
#[derive(Clone, Debug, Default)]
struct Chosen {
    form: Option<ResourceForm>,
    kind: Option<ResourceKind>,
    stage: Option<Stage>,
    tag: Option<String>,
    topic: Option<String>,
    author: Option<String>,
    stale: bool,
    sort: Sort,
    cursor: Option<String>,
}

impl Chosen {
    fn of(query: &ListQuery) -> Self {
        let text = |text: &Option<String>, most: usize| {
            text.clone().filter(|text| !text.trim().is_empty() && text.len() <= most && !text.contains('\0'))
        };
        Self {
            form: query.form.as_deref().and_then(ResourceForm::parse),
            kind: query.kind.as_deref().and_then(ResourceKind::parse),
            stage: query.stage.as_deref().and_then(Stage::parse),
            tag: text(&query.tag, 200),
            topic: text(&query.topic, 300),
            author: text(&query.author, 30),
            stale: query.stale.as_deref() == Some("true"),
            sort: Sort::parse(query.sort.as_deref()).unwrap_or_default(),
            cursor: text(&query.cursor, 200),
        }
    }

    fn filter(&self, space: Option<i64>) -> Filter {
        Filter {
            space,
            form: self.form,
            kind: self.kind,
            stage: self.stage,
            tag: self.tag.clone(),
            topic: self.topic.clone(),
            author: self.author.clone(),
            stale: self.stale.then_some(true),
            sort: self.sort,
        }
    }

    fn href(&self, base: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let sort = Some(self.sort.as_str()).filter(|sort| *sort != "new");
        for (name, value) in [
            ("form", self.form.map(ResourceForm::as_str)),
            ("kind", self.kind.map(ResourceKind::as_str)),
            ("stage", self.stage.map(Stage::as_str)),
            ("tag", self.tag.as_deref()),
            ("topic", self.topic.as_deref()),
            ("author", self.author.as_deref()),
            ("stale", self.stale.then_some("true")),
            ("sort", sort),
            ("cursor", self.cursor.as_deref()),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
    }

    /// The way to the same list with something else in it, from its beginning.
    fn with(&self, base: &str, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { cursor: None, ..self.clone() };
        change(&mut other);
        other.href(base)
    }

    fn list(&self, f: &Frame, base: &str, rows: Vec<ResourceRow>, next: Option<String>) -> List {
        let sorts = [Sort::New, Sort::Updated, Sort::Downloads, Sort::Endorsed].map(|sort| Choice {
            word: sort.as_str(),
            href: self.with(base, |other| other.sort = sort),
            current: sort == self.sort,
        });
        let choice = |word, href, current| Choice { word, href, current };
        let mut kinds = vec![choice("all", self.with(base, |other| other.kind = None), self.kind.is_none())];
        kinds.extend(ResourceKind::ALL.iter().map(|kind| {
            choice(kind.as_str(), self.with(base, |other| other.kind = Some(*kind)), self.kind == Some(*kind))
        }));
        let mut stages = vec![choice("all", self.with(base, |other| other.stage = None), self.stage.is_none())];
        stages.extend(Stage::ALL.iter().map(|stage| {
            choice(stage.as_str(), self.with(base, |other| other.stage = Some(*stage)), self.stage == Some(*stage))
        }));
        let mut narrowed = Vec::new();
        if let Some(form) = self.form {
            narrowed.push((f.of("library.forms", form.as_str()), self.with(base, |other| other.form = None)));
        }
        if let Some(topic) = &self.topic {
            narrowed.push((topic.clone(), self.with(base, |other| other.topic = None)));
        }
        if let Some(tag) = &self.tag {
            narrowed.push((format!("#{tag}"), self.with(base, |other| other.tag = None)));
        }
        if let Some(author) = &self.author {
            narrowed.push((f.with1("library.list.by", "name", author), self.with(base, |other| other.author = None)));
        }
        if self.stale {
            narrowed.push((f.t("library.row.stale").to_owned(), self.with(base, |other| other.stale = false)));
        }
        List {
            sorts: sorts.into(),
            kinds,
            stages,
            plain: narrowed.is_empty() && self.kind.is_none() && self.stage.is_none(),
            narrowed,
            rows,
            first: self.cursor.as_ref().map(|_| self.with(base, |_| ())),
            next: next.map(|cursor| self.with(base, |other| other.cursor = Some(cursor))),
        }
    }

    fn page(&self) -> PageQuery {
        PageQuery { limit: None, cursor: self.cursor.clone() }
    }
}

/// A term of the panel with the way to what is under it.
#[derive(Debug)]
pub struct TermLink {
    pub name: String,
    pub count: i64,
    pub href: String,
    pub current: bool,
}

fn term_links(found: Vec<TermCount>, base: &str, chosen: &Chosen, tags: bool) -> Vec<TermLink> {
    let now = if tags { &chosen.tag } else { &chosen.topic };
    found
        .into_iter()
        .map(|of| TermLink {
            current: now.as_ref().is_some_and(|now| fold(now) == fold(&of.term)),
            href: chosen.with(base, |other| {
                let place = if tags { &mut other.tag } else { &mut other.topic };
                *place = Some(of.term.clone());
            }),
            name: of.term,
            count: of.count,
        })
        .collect()
}

#[derive(Template)]
#[template(path = "library/templates/library.html")]
struct LibraryPage<'a> {
    f: &'a Frame,
    list: List,
    topics: Vec<TermLink>,
    tags: Vec<TermLink>,
    /// Reviews that wait for the viewer.
    due: bool,
}

/// `GET /library`
pub async fn library(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let f = Frame::new(&state, &req, &viewer).await?;
    let chosen = Chosen::of(&query);
    let found = queries::list(&state, &viewer, &chosen.filter(None), &chosen.page()).await?;
    let base = "/library";
    let topics = term_links(queries::terms(&state, &viewer, None, "topic").await?, base, &chosen, false);
    let tags = term_links(queries::terms(&state, &viewer, None, "tag").await?, base, &chosen, true);
    let due = match &viewer {
        Viewer::Member(me) => {
            let one = PageQuery { limit: Some("1".into()), cursor: None };
            !queries::due_for(&state, me, &viewer, &one).await?.items.is_empty()
        }
        Viewer::Anonymous => false,
    };
    let list = chosen.list(&f, base, found.items, found.next_cursor);
    page(&f, &LibraryPage { f: &f, list, topics, tags, due })
}

#[derive(Template)]
#[template(path = "library/templates/reviews.html")]
struct ReviewsPage<'a> {
    f: &'a Frame,
    rows: Vec<ResourceRow>,
    next: Option<String>,
}

/// `GET /library/reviews`: the queue of whoever answers for resources.
pub async fn reviews(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let f = Frame::new(&state, &req, &viewer).await?;
    let asked = PageQuery { limit: None, cursor: query.cursor.clone() };
    let found = queries::due_for(&state, &me, &viewer, &asked).await?;
    let next = found.next_cursor.map(|cursor| format!("/library/reviews?cursor={cursor}"));
    page(&f, &ReviewsPage { f: &f, rows: found.items, next })
}

#[derive(Template)]
#[template(path = "library/templates/space-library.html")]
struct SpaceLibraryPage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    list: List,
    topics: Vec<TermLink>,
    tags: Vec<TermLink>,
    collections: Vec<CollectionView>,
    stream: String,
    seq: i64,
    epoch: String,
}

/// `GET /s/{slug}/library`
pub async fn space(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.read()?;
    let stream = Stream::space(space.id);
    let seq = state.heads.current(state.store.read(), stream).await?;
    let mut f = Frame::new(&state, &req, &viewer).await?;
    let head = spaces::outline(&state, &viewer, &space, access).await?.at("library");
    if head.may_write() {
        f.ask = format!("/s/{}/new", space.slug);
    }
    let chosen = Chosen::of(&query);
    let found = queries::list(&state, &viewer, &chosen.filter(Some(space.id)), &chosen.page()).await?;
    let base = format!("/s/{}/library", space.slug);
    let topics = term_links(queries::terms(&state, &viewer, Some(space.id), "topic").await?, &base, &chosen, false);
    let tags = term_links(queries::terms(&state, &viewer, Some(space.id), "tag").await?, &base, &chosen, true);
    let few = PageQuery { limit: Some("20".into()), cursor: None };
    let collections = queries::collections(&state, space.id, &few).await?.items;
    let list = chosen.list(&f, &base, found.items, found.next_cursor);
    let (stream, epoch) = (stream.to_string(), state.epoch.to_string());
    page(&f, &SpaceLibraryPage { f: &f, head, list, topics, tags, collections, stream, seq, epoch })
}

impl SpaceLibraryPage<'_> {
    fn may_moderate(&self) -> bool {
        self.head.access >= Access::Moderate
    }
}
