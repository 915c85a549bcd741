//! What does not sink: a room's pinned messages and the topics made of its messages.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{Around, Entry, Marks, entries};
use super::head::RoomHead;
use super::room_of;
use crate::app::AppState;
use crate::features::chat::queries;
use crate::features::forum::model::TopicRow;
use crate::web::error::Result;
use crate::web::frame::{Frame, date, page};
use crate::web::viewer::{Member, Viewer};

/// A topic that was made of messages.
pub struct TopicLine {
    pub url: String,
    pub title: String,
    pub by: String,
    pub at: i64,
}

impl TopicLine {
    #[must_use]
    pub fn of(f: &Frame, topic: &TopicRow) -> Self {
        Self {
            url: format!("/s/{}/t/{}", topic.space, topic.id),
            title: topic.title.clone(),
            by: f.with1("chat.topics.by", "name", &topic.author.display_name),
            at: topic.created,
        }
    }
}

#[derive(Template)]
#[template(path = "chat/templates/pins.html")]
struct KeptPage<'a> {
    f: &'a Frame,
    head: RoomHead,
    page: String,
    heading: &'a str,
    text: &'a str,
    none: &'a str,
    icon: &'static str,
    title: String,
    entries: Vec<Entry>,
    in_thread: bool,
    topics: Vec<TopicLine>,
}

/// `GET …/pins`
pub async fn pins(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(&state, &room, "pins").await?;
    let views = queries::pins(&state, room.ground.id).await?;
    let ids: Vec<i64> = views.iter().map(|view| view.id.0).collect();
    let mine = queries::my_reactions(&state, &me, &ids).await?;
    let address = head.page.clone();
    let around = Around { picks: false, ..Around::new(&me, &room, &address) };
    let mut lines = entries(&frame, &views, &around, &mine, Marks::default());
    // By when they were pinned: days between them would say the wrong thing, so each says its own.
    lines.retain(|line| matches!(line, Entry::Message(_)));
    for (line, view) in lines.iter_mut().zip(&views) {
        if let Entry::Message(card) = line {
            card.joined = false;
            card.clock = format!("{}, {}", date(view.created), card.clock);
        }
    }
    let content = KeptPage {
        f: &frame,
        page: address.clone(),
        title: frame.with1("chat.pins.of", "name", &head.name),
        head,
        heading: frame.t("chat.pins.title"),
        text: frame.t("chat.pins.text"),
        none: frame.t("chat.pins.none"),
        icon: "pin",
        entries: lines,
        in_thread: false,
        topics: Vec::new(),
    };
    page(&frame, &content)
}

/// `GET …/topics`
pub async fn topics(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(&state, &room, "topics").await?;
    let topics = queries::room_topics(&state, room.ground.id).await?;
    let content = KeptPage {
        f: &frame,
        page: head.page.clone(),
        title: frame.with1("chat.topics.of", "name", &head.name),
        head,
        heading: frame.t("frame.topics"),
        text: frame.t("chat.topics.text"),
        none: frame.t("chat.topics.none"),
        icon: "topics",
        entries: Vec::new(),
        in_thread: false,
        topics: topics.iter().map(|topic| TopicLine::of(&frame, topic)).collect(),
    };
    page(&frame, &content)
}
