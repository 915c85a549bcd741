//! The page of a topic: accepted answers first, then the thread, and the fragments of it that an
//! open page asks for.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::cards::{DEEPEST, EMOJIS, PostCard, Rights};
use super::forms::Fault;
use super::threads::{Part, Spot, Thread};
use super::{kept, link_of};
use crate::app::AppState;
use crate::features::forum::model::{AuthorView, Marks, PostView, TopicRow};
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::web::error::{AppError, Finding, Result};
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::Viewer;

/// A live page asks for so many posts at once, at most.
const MOST_IDS: usize = 50;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct TopicQuery {
    order: Option<String>,
    after: Option<String>,
    before: Option<String>,
    at: Option<String>,
    root: Option<String>,
    reply: Option<String>,
    quote: Option<String>,
    fragment: Option<String>,
    ids: Option<String>,
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

/// A line of the thread.
#[expect(clippy::large_enum_variant, reason = "a page holds some thirty, once, on its way to the template")]
pub enum Entry<'a> {
    Card(PostCard<'a>),
    /// An accepted answer that stands above: id and author.
    Above(Id, &'a str),
}

#[derive(Template)]
#[template(path = "forum/templates/topic.html")]
struct TopicPage<'a> {
    f: &'a Frame,
    head: &'a Head,
    opening: Option<PostCard<'a>>,
    root: Option<Id>,
    answers: Vec<Vec<PostCard<'a>>>,
    entries: Vec<Entry<'a>>,
    order: &'static str,
    prev: Option<String>,
    next: Option<String>,
    first: String,
    composer: Option<Composer>,
    no_reply: &'static str,
    people: Vec<&'a AuthorView>,
    emojis: [(&'static str, &'static str); 6],
}

#[derive(Template)]
#[template(path = "forum/templates/_topic_head.html")]
struct HeadFragment<'a> {
    f: &'a Frame,
    head: &'a Head,
}

#[derive(Template)]
#[template(path = "forum/templates/_posts.html")]
struct PostsFragment<'a> {
    f: &'a Frame,
    cards: Vec<PostCard<'a>>,
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
async fn others_replied(state: &AppState, viewer: &Viewer, row: &TopicRow) -> Result<bool> {
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

/// Everything that is known when the posts are laid out.
struct Layout<'a> {
    f: &'a Frame,
    thread: &'a Thread,
    rights: &'a Rights<'a>,
    head: &'a Head,
    marks: &'a HashMap<i64, Marks>,
    time: bool,
}

impl<'a> Layout<'a> {
    fn card(&self, post: &'a PostView, names: &HashMap<&str, &str>) -> PostCard<'a> {
        let marks = self.marks.get(&post.id.0).cloned().unwrap_or_default();
        let by =
            post.answer_by.as_deref().map(|handle| names.get(handle).copied().unwrap_or(handle)).unwrap_or_default();
        PostCard::new(self.f, post, post.is_first, marks, self.rights, &self.head.address, by)
    }

    fn page(&self, composer: Option<Composer>, no_reply: &'static str) -> TopicPage<'a> {
        let thread = self.thread;
        let names = thread.names();
        let base = thread.root.as_ref().map_or(0, |root| root.depth);
        let above = thread.above();
        let mut shown: Vec<&'a PostView> = Vec::new();
        shown.extend(thread.root.as_ref());
        shown.extend(&thread.page.items);
        let children = children(&shown);
        let by_id: HashMap<Id, &PostView> = thread.posts().map(|post| (post.id, post)).collect();
        let mut entries = Vec::with_capacity(shown.len());
        for (index, post) in shown.iter().enumerate() {
            if thread.answers_first && post.is_answer && above.contains(&post.id) {
                entries.push(Entry::Above(post.id, &post.author.display_name));
                continue;
            }
            if above.contains(&post.id) {
                continue;
            }
            let mut card = self.card(post, &names);
            let parent =
                post.parent_id.and_then(|id| by_id.get(&id)).filter(|parent| !parent.deleted && !parent.hidden);
            if self.time {
                card.depth = 0;
                card.to = parent.map(|parent| (parent.id.to_string(), parent.author.display_name.clone()));
            } else {
                card.depth = (post.depth - base).clamp(0, DEEPEST);
                card.folds = children.get(index).copied().unwrap_or(0);
                if post.depth - base >= DEEPEST {
                    card.continues = i64::from(post.reply_count);
                }
                // At the beginning of a later page the place does not tell whom a reply answers.
                let told = index > 0 || thread.page.before.is_none() || thread.root.is_some();
                if !told {
                    card.to = parent.map(|parent| (parent.id.to_string(), parent.author.display_name.clone()));
                }
            }
            entries.push(Entry::Card(card));
        }
        TopicPage {
            f: self.f,
            head: self.head,
            opening: thread
                .topic
                .opening
                .as_deref()
                .filter(|_| thread.root.is_none())
                .map(|post| self.card(post, &names)),
            root: thread.root.as_ref().map(|post| post.id),
            answers: self.answers(&names),
            entries,
            order: if self.time { "time" } else { "tree" },
            prev: thread.page.before.map(|id| self.link("before", id)),
            next: thread.page.after.map(|id| self.link("after", id)),
            first: self.start(),
            composer,
            no_reply,
            people: thread.people(8),
            emojis: EMOJIS,
        }
    }

    /// The accepted answers, each with its replies.
    fn answers(&self, names: &HashMap<&str, &str>) -> Vec<Vec<PostCard<'a>>> {
        if !self.thread.answers_first {
            return Vec::new();
        }
        let mut blocks = Vec::new();
        for answer in &self.thread.topic.answers {
            let below: Vec<&PostView> =
                self.thread.below.iter().filter(|post| post.parent_id == Some(answer.id)).collect();
            let mut card = self.card(answer, names);
            card.depth = 0;
            card.folds = i64::try_from(below.len()).unwrap_or(0);
            if below.is_empty() && !self.time {
                card.continues = i64::from(answer.reply_count);
            }
            let mut block = vec![card];
            for post in below {
                let mut card = self.card(post, names);
                card.depth = 1;
                card.continues = i64::from(post.reply_count);
                block.push(card);
            }
            blocks.push(block);
        }
        blocks
    }

    fn start(&self) -> String {
        match (self.time, &self.thread.root) {
            (true, _) => format!("{}?order=time", self.head.address),
            (false, Some(root)) => format!("{}?root={}", self.head.address, root.id),
            (false, None) => self.head.address.clone(),
        }
    }

    fn link(&self, what: &str, id: Id) -> String {
        let start = self.start();
        let sign = if start.contains('?') { '&' } else { '?' };
        format!("{start}{sign}{what}={id}")
    }
}

/// For each post how many of the following ones hang on it, in a depth-first list.
fn children(posts: &[&PostView]) -> Vec<i64> {
    let mut counts = vec![0; posts.len()];
    let mut open: Vec<(usize, i32)> = Vec::new();
    for (index, post) in posts.iter().enumerate() {
        while open.last().is_some_and(|(_, depth)| *depth >= post.depth) {
            open.pop();
        }
        for (above, _) in &open {
            if let Some(count) = counts.get_mut(*above) {
                *count += 1;
            }
        }
        open.push((index, post.depth));
    }
    counts
}

/// `?fragment=posts&ids=…`: posts of this topic as they now are, in the order asked for.
async fn posts_fragment(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    topic: i64,
    query: &TopicQuery,
) -> Result<HttpResponse> {
    let seen = queries::find_topic(state, viewer, topic).await?;
    let ids = query.ids.as_deref().unwrap_or_default();
    let ids: Vec<i64> = ids.split(',').take(MOST_IDS).filter_map(|id| id.parse::<Id>().ok()).map(|id| id.0).collect();
    let posts = queries::posts_by_ids(state.store.read(), &ids).await?;
    let posts: Vec<PostView> = posts.into_iter().filter(|post| post.topic_id.0 == topic).collect();
    cards(req, state, viewer, &seen, &posts, &ids, query.order.as_deref() == Some("time")).await
}

/// These posts as one fragment.
pub async fn cards(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    seen: &Seen,
    posts: &[PostView],
    order: &[i64],
    time: bool,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, viewer).await?;
    let mut marks = queries::marks(state, viewer, order).await?;
    let rights = Rights::new(viewer.member(), &seen.space, seen.access, &seen.row, seen.row.deleted || seen.row.hidden);
    let address = link_of(seen);
    // Deeper replies and those by time say whom they answer.
    let tells = |post: &PostView| !post.is_first && (time || post.depth > DEEPEST);
    let parents: Vec<i64> =
        posts.iter().filter(|post| tells(post)).filter_map(|post| post.parent_id).map(|id| id.0).collect();
    let parents = queries::posts_by_ids(state.store.read(), &parents).await?;
    let mut fragment = PostsFragment { f: &frame, cards: Vec::new() };
    for id in order {
        let Some(post) = posts.iter().find(|post| post.id.0 == *id) else { continue };
        let by = post.answer_by.as_deref().unwrap_or_default();
        let by = if by == seen.row.author.handle { seen.row.author.display_name.as_str() } else { by };
        let own = marks.remove(id).unwrap_or_default();
        let mut card = PostCard::new(&frame, post, post.is_first, own, &rights, &address, by);
        if time {
            card.depth = 0;
        }
        if tells(post) {
            card.to = post
                .parent_id
                .and_then(|id| parents.iter().find(|parent| parent.id == id))
                .map(|parent| (parent.id.to_string(), parent.author.display_name.clone()));
        }
        fragment.cards.push(card);
    }
    crate::web::frame::page(&frame, &fragment)
}

/// `?fragment=head`
pub async fn head_fragment(req: &HttpRequest, state: &AppState, viewer: &Viewer, topic: i64) -> Result<HttpResponse> {
    let part = Part { topic, time: false, from: Spot::Start, root: None };
    let (thread, seen): (Arc<Thread>, Seen) = state.pages.threads.read(state, viewer, part).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let others = others_replied(state, viewer, &thread.topic.row).await?;
    let head = head_of(viewer, &thread.topic.row, &seen, state, thread.topic.head, others);
    crate::web::frame::page(&frame, &HeadFragment { f: &frame, head: &head })
}

/// A post that has just gone, as its stub.
pub async fn deleted(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    seen: &Seen,
    mut post: PostView,
) -> Result<HttpResponse> {
    post.deleted = true;
    post.body.clear();
    post.body_html.clear();
    let order = [post.id.0];
    cards(req, state, viewer, seen, &[post], &order, false).await
}
