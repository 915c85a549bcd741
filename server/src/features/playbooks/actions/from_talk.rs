//! From talk to page: a study begun from a topic or from messages, with the text placed, the
//! people credited and a link back. Only what the member may read is taken.

use actix_web::HttpResponse;

use super::studies::{NewStudy, Origin, Prepared, insert_once, insert_study, prepare};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, Visibility};
use crate::features::chat;
use crate::features::forum::model::{AuthorView, PostView, TopicView};
use crate::features::forum::queries::{From, Order, posts_page, topic_view};
use crate::features::playbooks::model::StudyView;
use crate::features::playbooks::pictures::described;
use crate::features::playbooks::queries::{Which, study_view_in};
use crate::features::playbooks::texts::PartInput;
use crate::text::quote;
use crate::web::checks::{BODY, TITLE};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::Once;
use crate::web::viewer::{Me, Viewer};
use crate::web::words::english;

/// Replies of a topic that are looked at.
const MOST_REPLIES: u64 = 100;

/// A study to be made of a topic.
#[derive(Clone, Debug, Default)]
pub struct FromTopic {
    pub topic: i64,
    /// The topic's own if absent.
    pub title: Option<String>,
    /// Slug of its home.
    pub playbook: Option<String>,
    /// What was said among few may go where more people read.
    pub confirmed: bool,
}

/// A study to be made of messages of an open room.
#[derive(Clone, Debug, Default)]
pub struct FromMessages {
    pub room: i64,
    pub messages: Vec<i64>,
    pub title: String,
    pub playbook: Option<String>,
    pub confirmed: bool,
}

/// Begins a study from a topic: the opening is the challenge, accepted answers (or, without any,
/// the replies) are what was done, and their authors are credited.
pub async fn start_from_topic(state: &AppState, me: &Me, from: &FromTopic) -> Result<StudyView> {
    start(state, me, of_topic(state, me, from).await?).await
}

/// The same for a request that may come again.
pub async fn start_from_topic_once(
    state: &AppState,
    me: &Me,
    from: &FromTopic,
    once: Option<Once>,
) -> Result<HttpResponse> {
    insert_once(state, me, of_topic(state, me, from).await?, once).await
}

/// Begins a study from messages: what was said is what was done, and its authors are credited.
pub async fn start_from_messages(state: &AppState, me: &Me, from: &FromMessages) -> Result<StudyView> {
    start(state, me, of_messages(state, me, from).await?).await
}

/// The same for a request that may come again.
pub async fn start_from_messages_once(
    state: &AppState,
    me: &Me,
    from: &FromMessages,
    once: Option<Once>,
) -> Result<HttpResponse> {
    insert_once(state, me, of_messages(state, me, from).await?, once).await
}

async fn start(state: &AppState, me: &Me, prepared: Prepared) -> Result<StudyView> {
    let (owned, viewer) = (state.clone(), Viewer::Member(std::sync::Arc::new(me.clone())));
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let slug = insert_study(tx, member, &prepared).await?.slug;
            study_view_in(tx.conn(), &owned, &viewer, &slug, Which::Working).await
        })
        .await
}

async fn of_topic(state: &AppState, me: &Me, from: &FromTopic) -> Result<Prepared> {
    let viewer = Viewer::Member(std::sync::Arc::new(me.clone()));
    let (view, seen) = topic_view(state, &viewer, from.topic).await?;
    let opening = view.opening.as_deref().ok_or(AppError::NotFound)?;
    if opening.deleted || opening.hidden {
        return Err(AppError::NotFound);
    }
    let told: Vec<PostView> = if view.answers.is_empty() {
        let page = posts_page(state, from.topic, Order::Tree, From::Start, MOST_REPLIES).await?;
        page.items.into_iter().filter(|post| !post.deleted && !post.hidden).collect()
    } else {
        view.answers.clone()
    };
    let passages: Vec<Passage> = told
        .iter()
        .map(|post| Passage { author: &post.author, text: passage(&told, &post.author.handle, &post.body) })
        .collect();
    // Replies beyond those that are looked at stay in the topic; nobody could sort hundreds here.
    let unread = if view.answers.is_empty() { beyond(&view, told.len()) } else { 0 };
    let (done, mut credited) = gathered(&passages, unread);
    credited.insert(0, opening.author.id);
    let new = NewStudy {
        title: from.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or_else(|| view.row.title.clone()),
        playbook: from.playbook.clone(),
        parts: vec![input(PartKey::Challenge, &opening.body), input(PartKey::WhatWeDid, &done)],
        confirmed: true,
        ..NewStudy::default()
    };
    let mut prepared = prepare(state, &new).await?;
    // An address is read by everybody who reads the study: it does not tell what others may not see.
    let among_few = matches!(seen.space.visibility, Visibility::Private | Visibility::Confidential);
    prepared.slug = (among_few && new.title.trim() == view.row.title.trim()).then(|| "study".to_owned());
    prepared.confirmed = from.confirmed;
    prepared.origin = Origin { topic: Some(from.topic), credited, ..Origin::default() };
    Ok(prepared)
}

/// A single answer stands as it was written; several are quotations that name their authors.
fn passage(all: &[PostView], handle: &str, body: &str) -> String {
    if all.len() == 1 { body.to_owned() } else { quote(handle, body) }
}

async fn of_messages(state: &AppState, me: &Me, from: &FromMessages) -> Result<Prepared> {
    let (_, messages) = chat::actions::quotable(state, me, from.room, &from.messages).await?;
    let passages: Vec<Passage> = messages
        .iter()
        .map(|message| Passage { author: &message.author, text: quote(&message.author.handle, &message.body) })
        .collect();
    let (done, credited) = gathered(&passages, 0);
    let new = NewStudy {
        title: from.title.chars().take(TITLE + 1).collect(),
        playbook: from.playbook.clone(),
        parts: vec![input(PartKey::WhatWeDid, &done)],
        confirmed: true,
        ..NewStudy::default()
    };
    let mut prepared = prepare(state, &new).await?;
    let first = messages.first().map_or(0, |message| message.seq);
    prepared.confirmed = from.confirmed;
    prepared.origin = Origin { room: Some((from.room, first)), credited, ..Origin::default() };
    Ok(prepared)
}

/// What somebody said, ready to stand in a text.
struct Passage<'a> {
    author: &'a AuthorView,
    text: String,
}

/// Replies of a topic that were not looked at.
fn beyond(view: &TopicView, seen: usize) -> usize {
    usize::try_from(view.row.post_count)
        .unwrap_or(0)
        .saturating_sub(seen.max(usize::try_from(MOST_REPLIES).unwrap_or(0)))
}

/// Room for the sentence that says what was left out.
const REMARK: usize = 2_000;
/// People it names.
const NAMED: usize = 20;

/// Passages as one text, as far as there is room, and the ids of their authors. What has none is
/// told at its end, and whose it is; the way to it is the study's source, for those who may read
/// that. Its authors are credited with the others.
fn gathered(passages: &[Passage<'_>], unread: usize) -> (String, Vec<i64>) {
    let mut credited: Vec<i64> = Vec::new();
    for passage in passages {
        if !credited.contains(&passage.author.id) {
            credited.push(passage.author.id);
        }
    }
    let (text, left) = fitting(passages, BODY);
    if left.is_empty() && unread == 0 {
        return (text, credited);
    }
    let (text, left) = fitting(passages, BODY - REMARK);
    let mut handles: Vec<String> = left.iter().map(|author| format!("@{}", author.handle)).collect();
    handles.sort();
    handles.dedup();
    let more = if handles.len() > NAMED { ", …" } else { "" };
    handles.truncate(NAMED);
    let words = english();
    let count = i64::try_from(left.len() + unread).unwrap_or(i64::MAX);
    let by = if handles.is_empty() { String::new() } else { format!(" ({}{more})", handles.join(", ")) };
    let said = format!("*{}*{by}", words.n("playbooks.begin.left", count));
    (if text.is_empty() { said } else { format!("{text}\n\n{said}") }, credited)
}

/// The passages that fit, in their order, and the authors of those that do not.
fn fitting<'a>(passages: &[Passage<'a>], most: usize) -> (String, Vec<&'a AuthorView>) {
    let (mut text, mut length, mut left) = (String::new(), 0, Vec::new());
    for passage in passages {
        let more = passage.text.trim_end();
        let characters = more.chars().count() + 2;
        if length + characters > most {
            left.push(passage.author);
            continue;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(more);
        length += characters;
    }
    (text, left)
}

fn input(key: PartKey, body: &str) -> (PartKey, PartInput) {
    // Figures of a post need no alternative text; those of a study do, and their authors find the
    // place by these words.
    let body = described(body, |_| english().t("playbooks.figure_to_describe").to_owned());
    // Words that do not fit any more are left out with their pictures, which become links.
    let body = if body.chars().count() > BODY { body.replace("![", "[") } else { body };
    (key, PartInput { body, ..PartInput::default() })
}
