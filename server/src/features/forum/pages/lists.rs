//! Lists of topics, tags and bookmarks.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::kept;
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::model::TopicRow;
use crate::features::forum::policy::is_tag;
use crate::features::forum::queries::{self, Filter, Sort, TopicState};
use crate::features::spaces::{self, Access, SpaceHead};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

const TABS: [&str; 4] = ["active", "new", "top", "unanswered"];

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListQuery {
    sort: Option<String>,
    state: Option<String>,
    kind: Option<String>,
    author: Option<String>,
    cursor: Option<String>,
}

/// A link among several of which one is chosen.
pub struct Choice {
    pub word: &'static str,
    pub href: String,
    pub current: bool,
}

/// A list with its filters.
pub struct List {
    pub tabs: Vec<Choice>,
    pub chips: Vec<Choice>,
    pub rows: Vec<TopicRow>,
    pub first: Option<String>,
    pub next: Option<String>,
}

/// What of the query means something; the rest is left out.
struct Chosen {
    tab: &'static str,
    kind: Option<TopicKind>,
    author: Option<String>,
    cursor: Option<String>,
}

impl Chosen {
    fn of(query: &ListQuery) -> Self {
        let unanswered = query.state.as_deref() == Some("unanswered");
        let sort = TABS.into_iter().find(|tab| query.sort.as_deref() == Some(tab));
        Self {
            tab: if unanswered { "unanswered" } else { sort.unwrap_or("active") },
            kind: query.kind.as_deref().and_then(TopicKind::parse),
            author: query.author.clone().filter(|author| !author.is_empty() && author.len() <= 30),
            cursor: query.cursor.clone().filter(|cursor| !cursor.is_empty()),
        }
    }

    fn filter(&self) -> Filter {
        let (sort, state) = match self.tab {
            "new" => (Sort::New, None),
            "top" => (Sort::Top, None),
            "unanswered" => (Sort::Active, Some(TopicState::Unanswered)),
            _ => (Sort::Active, None),
        };
        Filter { sort, state, kind: self.kind, author: self.author.clone(), ..Filter::default() }
    }

    fn plain(&self) -> bool {
        self.tab == "active" && self.kind.is_none() && self.author.is_none()
    }

    fn href(&self, base: &str, tab: &str, kind: Option<&str>, cursor: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        match tab {
            "active" => {}
            "unanswered" => {
                query.append_pair("state", tab);
            }
            _ => {
                query.append_pair("sort", tab);
            }
        }
        for (name, value) in [("kind", kind), ("author", self.author.as_deref()), ("cursor", cursor)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
    }

    fn list(&self, base: &str, rows: Vec<TopicRow>, next: Option<&str>) -> List {
        let kind = self.kind.map(TopicKind::as_str);
        let tabs = TABS.into_iter().map(|tab| Choice {
            word: tab,
            href: self.href(base, tab, kind, None),
            current: tab == self.tab,
        });
        let all = Choice { word: "all", href: self.href(base, self.tab, None, None), current: kind.is_none() };
        let kinds = TopicKind::ALL.iter().map(|each| Choice {
            word: each.as_str(),
            href: self.href(base, self.tab, Some(each.as_str()), None),
            current: Some(*each) == self.kind,
        });
        List {
            tabs: tabs.collect(),
            chips: std::iter::once(all).chain(kinds).collect(),
            rows,
            first: self.cursor.as_ref().map(|_| self.href(base, self.tab, kind, None)),
            next: next.map(|cursor| self.href(base, self.tab, kind, Some(cursor))),
        }
    }

    fn page(&self) -> PageQuery {
        PageQuery { limit: None, cursor: self.cursor.clone() }
    }
}

#[derive(Template)]
#[template(path = "forum/templates/topics.html")]
struct TopicsPage<'a> {
    f: &'a Frame,
    title: String,
    lead: String,
    crumb: Option<(String, String)>,
    list: List,
    tags: Vec<String>,
}

/// `GET /topics`
pub async fn topics(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let changes = state.heads.changes();
    let frame = Frame::new(&state, &req, &viewer).await?;
    let chosen = Chosen::of(&query);
    let found = queries::list_topics(&state, &viewer, &chosen.filter(), &chosen.page()).await?;
    let few = PageQuery { limit: Some("20".into()), cursor: None };
    let tags = queries::tags(&state, &viewer, None, None, &few).await?.items.into_iter().map(|tag| tag.name).collect();
    let (title, lead) = match &chosen.author {
        Some(author) => {
            let name = found.items.first().map_or(author.as_str(), |row| row.author.display_name.as_str());
            (frame.with1("forum.list.by", "name", name), frame.t("forum.list.by_lead").to_owned())
        }
        None => (frame.t("forum.list.title").to_owned(), frame.t("forum.list.lead").to_owned()),
    };
    let crumb = chosen.author.as_ref().map(|_| ("/topics".to_owned(), frame.t("forum.list.title").to_owned()));
    let list = chosen.list("/topics", found.items, found.next_cursor.as_deref());
    let shown = TopicsPage { f: &frame, title, lead, crumb, list, tags };
    kept::keep_list(&state, &req, &frame, address, changes, &shown).await
}

/// `GET /tags/{tag}`
pub async fn tag(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let changes = state.heads.changes();
    let tag = path.into_inner().to_lowercase();
    if !is_tag(&tag) {
        return Err(AppError::NotFound);
    }
    let frame = Frame::new(&state, &req, &viewer).await?;
    let chosen = Chosen::of(&query);
    let filter = Filter { tag: Some(tag.clone()), ..chosen.filter() };
    let found = queries::list_topics(&state, &viewer, &filter, &chosen.page()).await?;
    let mut together: Vec<String> = Vec::new();
    for other in found.items.iter().flat_map(|row| &row.tags) {
        if *other != tag && !together.contains(other) && together.len() < 12 {
            together.push(other.clone());
        }
    }
    let list = chosen.list(&format!("/tags/{}", encoded(&tag)), found.items, found.next_cursor.as_deref());
    let crumb = Some(("/tags".to_owned(), frame.t("forum.tags.title").to_owned()));
    let lead = frame.t("forum.tags.lead_one").to_owned();
    let shown = TopicsPage { f: &frame, title: format!("#{tag}"), lead, crumb, list, tags: together };
    kept::keep_list(&state, &req, &frame, address, changes, &shown).await
}

fn encoded(tag: &str) -> String {
    url::form_urlencoded::byte_serialize(tag.as_bytes()).collect()
}

#[derive(Template)]
#[template(path = "forum/templates/tags.html")]
struct TagsPage<'a> {
    f: &'a Frame,
    tags: Vec<(String, i64)>,
    next: Option<String>,
}

/// `GET /tags`
pub async fn tags(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let frame = Frame::new(&state, &req, &viewer).await?;
    let found = PageQuery { limit: Some("60".into()), cursor: query.cursor.clone() };
    let found = queries::tags(&state, &viewer, None, None, &found).await?;
    let next = found.next_cursor.map(|cursor| format!("/tags?cursor={}", encoded(&cursor)));
    let tags = found.items.into_iter().map(|tag| (tag.name, tag.count)).collect();
    page(&frame, &TagsPage { f: &frame, tags, next })
}

/// A post that was kept.
struct Kept {
    id: Id,
    kind: &'static str,
    title: String,
    by: String,
    kept: i64,
    excerpt: String,
}

#[derive(Template)]
#[template(path = "forum/templates/bookmarks.html")]
struct BookmarksPage<'a> {
    f: &'a Frame,
    rows: Vec<Kept>,
    next: Option<String>,
}

/// `GET /bookmarks`
pub async fn bookmarks(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let frame = Frame::new(&state, &req, &viewer).await?;
    let asked = PageQuery { limit: None, cursor: query.cursor.clone() };
    let found = queries::bookmarks(&state, &me, &viewer, &asked).await?;
    let next = found.next_cursor.map(|cursor| format!("/bookmarks?cursor={}", encoded(&cursor)));
    let rows = found.items.into_iter().map(|kept| {
        let what = match (kept.post.is_first, kept.post.is_answer) {
            (true, _) => "forum.bookmarks.topic",
            (false, true) => "forum.bookmarks.answer",
            (false, false) => "forum.bookmarks.reply",
        };
        Kept {
            id: kept.post.id,
            kind: "discussion",
            by: frame.with1(what, "name", &kept.post.author.display_name),
            excerpt: crate::text::excerpt(&kept.post.body_html, 200),
            title: kept.topic_title,
            kept: kept.at,
        }
    });
    page(&frame, &BookmarksPage { f: &frame, rows: rows.collect(), next })
}

#[derive(Template)]
#[template(path = "forum/templates/space.html")]
struct SpacePage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    list: List,
}

/// `GET /s/{slug}`: the home of a space.
pub async fn space(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let changes = state.heads.changes();
    let (space, access) = match state.spaces.find(&state, &viewer, &path).await {
        Err(AppError::NotFound) => return spaces::invited_page(&state, &req, &viewer, &path).await,
        found => found?,
    };
    if access < Access::Read {
        return spaces::door_page(&state, &req, &viewer, &space).await;
    }
    let mut frame = Frame::new(&state, &req, &viewer).await?;
    let head = spaces::head(&state, &viewer, &space, access).await?;
    let chosen = Chosen::of(&query);
    let filter = Filter { space: Some(space.id), without_pinned: chosen.plain(), ..chosen.filter() };
    let mut found = queries::list_topics(&state, &viewer, &filter, &chosen.page()).await?;
    if chosen.plain() && chosen.cursor.is_none() {
        let mut rows = queries::pinned_topics(&state, &viewer, space.id).await?;
        rows.append(&mut found.items);
        found.items = rows;
    }
    if head.may_write() {
        frame.ask = format!("/s/{}/new", space.slug);
    }
    let list = chosen.list(&format!("/s/{}", space.slug), found.items, found.next_cursor.as_deref());
    kept::keep_list(&state, &req, &frame, address, changes, &SpacePage { f: &frame, head, list }).await
}
