//! "Make a topic": messages of a room become the beginning of a topic.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{Around, Entry, Marks, entries};
use super::forms::Shown;
use super::head::RoomHead;
use super::{id_of, room_of};
use crate::app::AppState;
use crate::entities::kinds::{RoomKind, TopicKind};
use crate::features::chat::actions::{self, TopicWish};
use crate::features::chat::policy::MOST_QUOTED;
use crate::features::chat::queries::{self, FoundRoom};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "chat/templates/make-topic.html")]
struct MakePage<'a> {
    f: &'a Frame,
    room_name: String,
    page: String,
    ids: Vec<String>,
    entries: Vec<Entry>,
    in_thread: bool,
    form: Shown,
}

async fn room_for(req: &HttpRequest, state: &AppState, me: &Member) -> Result<FoundRoom> {
    let room = room_of(state, me, req).await?;
    room.ground.standing.write()?;
    if room.ground.standing.kind != RoomKind::Open {
        return Err(AppError::Forbidden("What is said in a private room stays in it.".into()));
    }
    Ok(room)
}

/// `GET …/make-topic?m=ID&m=ID`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let room = room_for(&req, &state, &me).await?;
    let chosen: Vec<i64> =
        query.iter().filter(|(name, _)| name == "m").take(MOST_QUOTED).filter_map(|(_, id)| id_of(id).ok()).collect();
    show(&req, &state, &me, &room, &chosen, Shown::default().with("kind", "discussion"), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    room: &FoundRoom,
    chosen: &[i64],
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let head = RoomHead::of(state, room, "room").await?;
    let mut views = queries::messages_in(state, room, chosen).await?;
    views.retain(|view| !view.deleted);
    views.sort_by_key(|view| view.seq);
    let around = Around { write: false, picks: false, starts: false, ..Around::new(me, room, &head.page) };
    let lines = entries(&frame, &views, &around, &std::collections::HashMap::new(), Marks::default());
    let content = MakePage {
        f: &frame,
        ids: views.iter().map(|view| view.id.to_string()).collect(),
        entries: lines,
        in_thread: true,
        room_name: head.name,
        page: head.page,
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST …/make-topic`
pub async fn make(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = room_for(&req, &state, &me).await?;
    let mut form = Shown::typed(&sent, &["title", "tags", "kind"]);
    let messages: Vec<i64> = sent.all("m").take(MOST_QUOTED).filter_map(|id| id_of(id).ok()).collect();
    let wish = TopicWish {
        messages: messages.clone(),
        title: form.value("title").to_owned(),
        kind: TopicKind::parse(form.value("kind")).unwrap_or(TopicKind::Discussion),
        tags: form
            .value("tags")
            .split([' ', ',', '\t'])
            .map(|tag| tag.trim_start_matches('#').to_owned())
            .filter(|tag| !tag.is_empty())
            .collect(),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::make_topic(&state, &me, room.ground.id, &wish).await {
        Ok(topic) => Ok(see_other(&format!("/s/{}/t/{}", topic.row.space, topic.row.id))),
        Err(error) => {
            let status = form.refuse(error)?;
            show(&req, &state, &me, &room, &messages, form, status).await
        }
    }
}
