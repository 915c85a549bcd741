//! From talk to page: a study begun from a topic or from messages, with the text placed, the
//! people credited and a link back. Only what the member may read is taken.

use actix_web::HttpResponse;

use super::studies::{NewStudy, Origin, Prepared, insert_once, insert_study, prepare};
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::chat;
use crate::features::forum::model::PostView;
use crate::features::forum::queries::{From, Order, posts_page, topic_view};
use crate::features::playbooks::model::StudyView;
use crate::features::playbooks::queries::{Which, study_view_in};
use crate::features::playbooks::texts::PartInput;
use crate::text::{images, quote};
use crate::web::checks::{BODY, TITLE};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::Once;
use crate::web::viewer::{Me, Viewer};

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
}

/// A study to be made of messages of an open room.
#[derive(Clone, Debug, Default)]
pub struct FromMessages {
    pub room: i64,
    pub messages: Vec<i64>,
    pub title: String,
    pub playbook: Option<String>,
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
    let (view, _) = topic_view(state, &viewer, from.topic).await?;
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
    let mut credited = vec![opening.author.id];
    let mut done = Text::default();
    for post in &told {
        if done.add(&passage(&told, &post.author.handle, &post.body)) && !credited.contains(&post.author.id) {
            credited.push(post.author.id);
        }
    }
    let new = NewStudy {
        title: from.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or_else(|| view.row.title.clone()),
        playbook: from.playbook.clone(),
        parts: vec![input(PartKey::Challenge, &opening.body), input(PartKey::WhatWeDid, &done.0)],
        confirmed: true,
        ..NewStudy::default()
    };
    let mut prepared = prepare(state, &new).await?;
    prepared.origin = Origin { topic: Some(from.topic), credited, ..Origin::default() };
    Ok(prepared)
}

/// A single answer stands as it was written; several are quotations that name their authors.
fn passage(all: &[PostView], handle: &str, body: &str) -> String {
    if all.len() == 1 { body.to_owned() } else { quote(handle, body) }
}

async fn of_messages(state: &AppState, me: &Me, from: &FromMessages) -> Result<Prepared> {
    let (_, messages) = chat::actions::quotable(state, me, from.room, &from.messages).await?;
    let (mut credited, mut done) = (Vec::new(), Text::default());
    for message in &messages {
        if done.add(&quote(&message.author.handle, &message.body)) && !credited.contains(&message.author.id) {
            credited.push(message.author.id);
        }
    }
    let new = NewStudy {
        title: from.title.chars().take(TITLE + 1).collect(),
        playbook: from.playbook.clone(),
        parts: vec![input(PartKey::WhatWeDid, &done.0)],
        confirmed: true,
        ..NewStudy::default()
    };
    let mut prepared = prepare(state, &new).await?;
    let first = messages.first().map_or(0, |message| message.seq);
    prepared.origin = Origin { room: Some((from.room, first)), credited, ..Origin::default() };
    Ok(prepared)
}

/// A text that grows by passages while there is room for them.
#[derive(Default)]
struct Text(String);

impl Text {
    fn add(&mut self, passage: &str) -> bool {
        let fits = self.0.chars().count() + passage.chars().count() + 2 <= BODY;
        if fits {
            if !self.0.is_empty() {
                self.0.push_str("\n\n");
            }
            self.0.push_str(passage.trim_end());
        }
        fits
    }
}

fn input(key: PartKey, body: &str) -> (PartKey, PartInput) {
    (key, PartInput { body: described(body), ..PartInput::default() })
}

/// Figures of a post need no alternative text; those of a study do, and their authors find the
/// place by these words.
fn described(body: &str) -> String {
    let mut text = body.to_owned();
    for (address, alternative) in images(body) {
        if alternative.trim().is_empty() {
            let words = crate::web::words::english().t("playbooks.figure_to_describe");
            text = text.replace(&format!("![]({address}"), &format!("![{words}]({address}"));
        }
    }
    text
}
