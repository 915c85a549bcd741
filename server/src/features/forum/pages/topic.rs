//! The page of a topic: accepted answers first, then the thread, and the fragments of it that an
//! open page asks for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::cards::Rights;
use super::forms::Fault;
use super::fragments::{head_fragment, posts_fragment};
use super::layout::Layout;
use super::threads::{Part, Spot, Thread};
use super::{kept, link_of};
use crate::app::AppState;
use crate::entities::kinds::Visibility;
use crate::features::forum::model::TopicRow;
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::web::error::{AppError, Finding, Result};
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::Viewer;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct TopicQuery {
    pub(super) order: Option<String>,
    after: Option<String>,
    before: Option<String>,
    at: Option<String>,
    root: Option<String>,
    reply: Option<String>,
    quote: Option<String>,
    fragment: Option<String>,
    pub(super) ids: Option<String>,
}

/// What stands above a topic's texts.
pub struct Head {
    pub row: TopicRow,
    pub address: String,
    pub stream: String,
    pub seq: i64,
    pub epoch: String,
    pub space_about: String,
    pub replies_form: &'static str,
    pub edit: bool,
    pub moderate: bool,
    pub delete: bool,
    pub deleted: bool,
    /// Whether it may become a case study: what is said in a confidential space stays in it.
    pub study: bool,
}

/// The form for a reply.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    pub topic: String,
    pub space: String,
    pub action: String,
    pub back: String,
    pub parent: String,
    pub parent_name: String,
    pub body: String,
    pub preview: String,
    pub faults: Vec<Fault>,
    pub findings: Vec<Finding>,
}

impl Composer {
    /// Whether something stands in it.
    #[must_use]
    pub fn open(&self) -> bool {
        !self.body.is_empty() || !self.parent.is_empty() || !self.faults.is_empty()
    }
}

#[derive(Template)]
#[template(path = "forum/templates/_composer.html")]
pub struct ComposerFragment<'a> {
    pub f: &'a Frame,
    pub composer: &'a Composer,
}

/// `GET /s/{slug}/t/{id}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<TopicQuery>,
) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer).filter(|_| query.fragment.is_none());
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let topic = topic_id(&path)?;
    match query.fragment.as_deref() {
        Some("posts") => return posts_fragment(&req, &state, &viewer, topic, &query).await,
        Some("head") => return head_fragment(&req, &state, &viewer, topic).await,
        _ => {}
    }
    if let Some(post) = &query.at
        && query.root.is_none()
    {
        let post: Id = post.parse().map_err(|_| AppError::NotFound)?;
        let (post, _) = queries::find_post(&state, &viewer, post.0).await?;
        if post.topic_id.0 != topic {
            return Err(AppError::NotFound);
        }
    }
    let shown = Shown { status: StatusCode::OK, composer: None, address };
    render(&req, &state, &viewer, &path, &query, shown).await
}

/// What differs between a page that is read and one that comes back with a form.
pub struct Shown {
    pub status: StatusCode,
    pub composer: Option<Composer>,
    pub address: Option<String>,
}

pub fn topic_id(path: &(String, String)) -> Result<i64> {
    path.1.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

fn id_of(text: Option<&String>) -> Result<Option<i64>> {
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound))
        .transpose()
}

/// The page itself.
pub async fn render(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    path: &(String, String),
    query: &TopicQuery,
    shown: Shown,
) -> Result<HttpResponse> {
    let topic = topic_id(path)?;
    let from = match (id_of(query.after.as_ref())?, id_of(query.before.as_ref())?, id_of(query.at.as_ref())?) {
        (Some(id), ..) => Spot::After(id),
        (_, Some(id), _) => Spot::Before(id),
        (.., Some(id)) => Spot::At(id),
        _ => Spot::Start,
    };
    let part = Part { topic, time: query.order.as_deref() == Some("time"), from, root: id_of(query.root.as_ref())? };
    let (thread, seen) = state.pages.threads.read(state, viewer, part).await?;
    if seen.space.slug != path.0 {
        // Another writing of the slug, or another space: the topic has one address.
        return Ok(see_other(&link_of(&seen)));
    }
    let mut frame = Frame::new(state, req, viewer).await?;
    let ids: Vec<i64> = thread.posts().map(|post| post.id.0).collect();
    let marks = queries::marks(state, viewer, &ids).await?;
    let others = others_replied(state, viewer, &thread.topic.row).await?;
    let head = head_of(viewer, &thread.topic.row, &seen, state, thread.topic.head, others);
    let rights = Rights::new(viewer.member(), &seen.space, seen.access, &seen.row, seen.row.deleted || seen.row.hidden);
    if rights.write {
        frame.ask = format!("/s/{}/new", seen.space.slug);
    }
    let composer = match shown.composer {
        Some(composer) => Some(composer),
        None if rights.reply => Some(composer(&thread, &head, query, state, viewer).await?),
        None => None,
    };
    let layout = Layout { f: &frame, thread: &thread, rights: &rights, head: &head, marks: &marks, time: part.time };
    let page = layout.page(composer, no_reply(viewer, &seen));
    if let Some(address) = shown.address.filter(|_| shown.status == StatusCode::OK) {
        return kept::keep(state, req, &frame, address, thread.heads.to_vec(), &page);
    }
    let response = page_with_status(&frame, &page, shown.status)?;
    if let Some(me) = viewer.member() {
        queries::mark_read(state, me, topic, seen.read_seq, thread.topic.head).await?;
    }
    Ok(response)
}

fn no_reply(viewer: &Viewer, seen: &Seen) -> &'static str {
    if viewer.member().is_none() {
        "visitor"
    } else if seen.row.deleted || seen.row.hidden {
        "deleted"
    } else if seen.space.archived {
        "archived"
    } else if seen.row.closed {
        "closed"
    } else {
        "join"
    }
}

/// Replies of a topic that is not looked through for a page.
const LONG: i32 = 60;

/// Whether others have replied to one's own topic, which then is not one's own to delete.
pub(super) async fn others_replied(state: &AppState, viewer: &Viewer, row: &TopicRow) -> Result<bool> {
    let own = viewer.member().is_some_and(|me| me.id == row.author.id);
    if !own || row.post_count == 0 {
        return Ok(false);
    }
    // A page does not read a long topic to the end for this: there deleting is not offered.
    if row.post_count > LONG {
        return Ok(true);
    }
    queries::others_replied(state.store.read(), row.id.0, row.author.id).await
}

pub fn head_of(viewer: &Viewer, row: &TopicRow, seen: &Seen, state: &AppState, seq: i64, others: bool) -> Head {
    let gone = seen.row.deleted || seen.row.hidden;
    let rights = Rights::new(viewer.member(), &seen.space, seen.access, row, gone);
    let own = viewer.member().is_some_and(|me| me.id == row.author.id);
    let change = (own && rights.write) || rights.moderate;
    Head {
        address: link_of(seen),
        stream: crate::streams::Stream::topic(row.id.0).to_string(),
        seq,
        epoch: state.epoch.to_string(),
        space_about: seen.space.description.clone(),
        replies_form: if row.post_count == 1 { "one" } else { "other" },
        edit: change && !gone,
        moderate: rights.moderate,
        delete: change && !gone && (rights.moderate || !others),
        deleted: gone,
        study: !gone && seen.space.visibility != Visibility::Confidential,
        row: row.clone(),
    }
}

/// The empty form, or one that answers or quotes a post.
async fn composer(
    thread: &Thread,
    head: &Head,
    query: &TopicQuery,
    state: &AppState,
    viewer: &Viewer,
) -> Result<Composer> {
    let mut composer = Composer {
        topic: head.row.id.to_string(),
        space: head.row.space.clone(),
        action: format!("{}/reply", head.address),
        back: head.address.clone(),
        ..Composer::default()
    };
    let Some(id) = id_of(query.reply.as_ref().or(query.quote.as_ref()))? else { return Ok(composer) };
    let found;
    let post = match thread.posts().find(|post| post.id.0 == id) {
        Some(post) => post,
        None => {
            found = queries::find_post(state, viewer, id).await?.0;
            &found
        }
    };
    if post.topic_id != head.row.id || post.deleted || post.hidden {
        return Ok(composer);
    }
    if !post.is_first {
        composer.parent = post.id.to_string();
        composer.parent_name = post.author.display_name.clone();
    }
    if query.quote.is_some() {
        composer.body = crate::text::quote(&post.author.handle, &post.body);
    }
    Ok(composer)
}
