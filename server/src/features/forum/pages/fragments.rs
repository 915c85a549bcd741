//! Parts of a topic's page that an open page asks for.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::cards::{DEEPEST, PostCard, Rights};
use super::link_of;
use super::threads::{Part, Spot, Thread};
use super::topic::{Head, TopicQuery, head_of, others_replied};
use crate::app::AppState;
use crate::features::forum::model::PostView;
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::web::error::Result;
use crate::web::frame::Frame;
use crate::web::viewer::Viewer;

/// A live page asks for so many posts at once, at most.
const MOST_IDS: usize = 50;

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

/// `?fragment=posts&ids=…`: posts of this topic as they now are, in the order asked for.
pub(super) async fn posts_fragment(
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
