//! Pages about one message: where it stands, what can be done with it, what it said before.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{Around, EMOJIS, MessageCard};
use super::head::RoomHead;
use super::id_in;
use crate::app::AppState;
use crate::features::chat::model::{MessageRevision, MessageView};
use crate::features::chat::queries;
use crate::ports::clock::parse_rfc3339;
use crate::text::{DiffTime, DiffWords, version_html};
use crate::web::comparing;
use crate::web::error::Result;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};
use crate::web::words::english;

/// Where a message stands in its room or thread.
pub fn address(path: &str, view: &MessageView) -> String {
    match view.thread {
        Some(root) => format!("{path}/thread/{root}#m-{}", view.id),
        None => format!("{path}?at={}#m-{}", view.seq, view.id),
    }
}

/// `GET /messages/{id}`: to the page that shows it.
pub async fn permalink(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let (view, room) = queries::find_message(&state, &me, id_in(&req, "id")?).await?;
    let path = queries::view_of(&state, &room).await?.path();
    Ok(see_other(&address(&path, &view)))
}

#[derive(Template)]
#[template(path = "chat/templates/message-menu.html")]
struct MenuPage<'a> {
    f: &'a Frame,
    room_name: String,
    page: String,
    at: String,
    heading: String,
    excerpt: String,
    card: MessageCard,
    emojis: [(&'static str, &'static str); 6],
}

/// `GET /messages/{id}/menu`: everything that can be done with a message.
pub async fn menu(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let (view, room) = queries::find_message(&state, &me, id_in(&req, "id")?).await?;
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(&state, &room, "room").await?;
    let mine = queries::my_reactions(&state, &me, &[view.id.0]).await?.remove(&view.id.0).unwrap_or_default();
    let around = Around { starts: view.thread.is_none(), ..Around::new(&me, &room, &head.page) };
    let mut card = MessageCard::new(&view, &around, &mine);
    if view.deleted {
        card.can = String::new();
    }
    let content = MenuPage {
        f: &frame,
        at: address(&head.page, &view),
        heading: frame.with1("chat.message.by", "name", &view.author.display_name),
        excerpt: crate::text::excerpt(&view.body_html, 300),
        card,
        emojis: EMOJIS,
        room_name: head.name,
        page: head.page,
    };
    page(&frame, &content)
}

/// One state in a history.
struct Version {
    at: i64,
    number: String,
    diff: String,
}

#[derive(Template)]
#[template(path = "chat/templates/message-history.html")]
struct HistoryPage<'a> {
    f: &'a Frame,
    room_name: String,
    page: String,
    at: String,
    heading: String,
    versions: Vec<Version>,
    /// Names the last version, if there are older ones.
    older: Option<String>,
}

/// `GET /messages/{id}/history`: what changed from version to version, the newest first.
pub async fn history(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let id = id_in(&req, "id")?;
    let (view, room) = queries::find_message(&state, &me, id).await?;
    let query = comparing::asked(query.into_inner());
    let revisions = queries::revisions(&state, &me, id, &query).await?;
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(&state, &room, "room").await?;
    let older = comparing::older(&revisions.items, |revision| revision.number);
    let created = view.created;
    let versions = comparing::compared(move || versions(&revisions.items, created)).await?;
    let content = HistoryPage {
        f: &frame,
        at: address(&head.page, &view),
        heading: frame.with1("chat.message.history", "name", &view.author.display_name),
        room_name: head.name,
        page: head.page,
        versions,
        older,
    };
    page(&frame, &content)
}

/// The versions of a page, each against the one before.
fn versions(revisions: &[MessageRevision], created: i64) -> Vec<Version> {
    let words = english();
    let words = DiffWords { added: words.t("forum.history.added"), removed: words.t("forum.history.removed") };
    let time = DiffTime::begin();
    comparing::pairs(revisions)
        .map(|(now, before)| Version {
            at: parse_rfc3339(&now.created_at).unwrap_or(created),
            number: now.number.to_string(),
            diff: version_html(before.map(|before| before.body.as_str()), &now.body, &words, time),
        })
        .collect()
}
