//! Pages about one post: where it stands, what can be done with it, what it said before.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{EMOJIS, PostCard, Rights};
use super::link_of;
use super::threads::{Spot, part_of};
use crate::app::AppState;
use crate::features::forum::model::RevisionView;
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::text::{DiffTime, DiffWords, version_html};
use crate::web::comparing;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};
use crate::web::words::english;

/// The topic a page is about, for its crumbs.
pub struct Of {
    pub space: String,
    pub space_name: String,
    pub address: String,
    pub title: String,
}

impl Of {
    #[must_use]
    pub fn new(seen: &Seen) -> Self {
        Self {
            space: seen.space.slug.clone(),
            space_name: seen.space.name.clone(),
            address: link_of(seen),
            title: seen.row.title.clone(),
        }
    }
}

fn id_of(path: &str) -> Result<i64> {
    path.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

/// `GET /posts/{id}`: to the page that shows the post.
pub async fn permalink(state: web::Data<AppState>, viewer: Viewer, path: web::Path<String>) -> Result<HttpResponse> {
    let (post, seen) = queries::find_post(&state, &viewer, id_of(&path)?).await?;
    let part = part_of(&state, &viewer, &post).await?;
    let mut query = Vec::new();
    if let Some(root) = part.root {
        query.push(format!("root={}", Id(root)));
    }
    if let Spot::At(at) = part.from {
        query.push(format!("at={}", Id(at)));
    }
    let sign = if query.is_empty() { "" } else { "?" };
    Ok(see_other(&format!("{}{sign}{}#post-{}", link_of(&seen), query.join("&"), post.id)))
}

#[derive(Template)]
#[template(path = "forum/templates/post-menu.html")]
struct MenuPage<'a> {
    f: &'a Frame,
    of: Of,
    heading: String,
    excerpt: String,
    card: PostCard<'a>,
    emojis: [(&'static str, &'static str); 6],
}

/// `GET /posts/{id}/menu`: everything that can be done with a post.
pub async fn menu(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (post, seen) = queries::find_post(&state, &viewer, id_of(&path)?).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let marks = queries::marks(&state, &viewer, &[post.id.0]).await?.remove(&post.id.0).unwrap_or_default();
    let gone = seen.row.deleted || seen.row.hidden;
    let rights = Rights::new(viewer.member(), &seen.space, seen.access, &seen.row, gone);
    let address = link_of(&seen);
    let menu = MenuPage {
        f: &frame,
        of: Of::new(&seen),
        heading: frame.with1("forum.post.by", "name", &post.author.display_name),
        excerpt: crate::text::excerpt(&post.body_html, 300),
        card: PostCard::new(&frame, &post, post.is_first, marks, &rights, &address, ""),
        emojis: EMOJIS,
    };
    page(&frame, &menu)
}

/// One state in a history.
struct Version {
    at: i64,
    number: String,
    editor: String,
    editor_name: String,
    note: String,
    title: Option<String>,
    diff: String,
}

#[derive(Template)]
#[template(path = "forum/templates/history.html")]
struct HistoryPage<'a> {
    f: &'a Frame,
    of: Of,
    id: Id,
    heading: String,
    versions: Vec<Version>,
    /// Names the last version, if there are older ones.
    older: Option<String>,
}

/// `GET /posts/{id}/history`: what changed from version to version, the newest first.
pub async fn history(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let query = comparing::asked(query.into_inner());
    let (post, revisions) = queries::revisions(&state, &viewer, id, &query).await?;
    let seen = queries::find_topic(&state, &viewer, post.topic_id.0).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let older = comparing::older(&revisions.items, |revision| revision.number);
    let versions = comparing::compared(move || versions(&revisions.items)).await?;
    let history = HistoryPage {
        f: &frame,
        of: Of::new(&seen),
        id: post.id,
        heading: frame.with1("forum.history.of", "name", &post.author.display_name),
        versions,
        older,
    };
    page(&frame, &history)
}

/// The versions of a page, each against the one before.
fn versions(revisions: &[RevisionView]) -> Vec<Version> {
    let words = english();
    let words = DiffWords { added: words.t("forum.history.added"), removed: words.t("forum.history.removed") };
    let time = DiffTime::begin();
    comparing::pairs(revisions).map(|(now, before)| version(now, before, &words, time)).collect()
}

fn version(now: &RevisionView, before: Option<&RevisionView>, words: &DiffWords<'_>, time: DiffTime) -> Version {
    let renamed = before.is_none_or(|before| before.title != now.title);
    Version {
        at: now.at,
        number: now.number.to_string(),
        editor: now.editor.clone(),
        editor_name: now.editor_name.clone(),
        note: now.note.clone(),
        title: now.title.clone().filter(|_| renamed),
        diff: version_html(before.map(|before| before.body.as_str()), &now.body, words, time),
    }
}
