//! The page of a thread; a wide room shows its main part beside itself.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::cards::{Around, Entry, Marks, MessageCard, avatar, entries};
use super::head::{NoSay, RoomHead};
use super::say::Say;
use super::{id_in, room_of};
use crate::app::AppState;
use crate::features::chat::queries::{self, Bound, FoundRoom, Which};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

/// Messages of a page.
const PAGE: u64 = 100;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ThreadQuery {
    before: Option<i64>,
    after: Option<i64>,
    fragment: Option<String>,
}

/// The thread without what stands around it, for the panel beside a room.
#[derive(Template)]
#[template(path = "chat/templates/_thread.html")]
struct ThreadPart<'a> {
    f: &'a Frame,
    page: String,
    thread: String,
    back: String,
    entries: Vec<Entry>,
    in_thread: bool,
    older: String,
    newer: String,
    say: Option<Say>,
    no_say: Option<NoSay>,
}

#[derive(Template)]
#[template(path = "chat/templates/thread.html")]
struct ThreadPage<'a> {
    f: &'a Frame,
    head: RoomHead,
    page: String,
    part: ThreadPart<'a>,
    card: MessageCard,
    can_own: String,
    can_others: String,
    my_handle: String,
    my_name: String,
    my_avatar: String,
}

/// `GET …/thread/{message}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ThreadQuery>,
) -> Result<HttpResponse> {
    let room = room_of(&state, &me, &req).await?;
    let root = id_in(&req, "message")?;
    let bound = match (query.before, query.after) {
        (Some(before), _) => Bound::Before(before),
        (_, Some(after)) => Bound::After(after),
        _ => Bound::Newest,
    };
    let shown = if query.fragment.is_some() { Shown::Part } else { Shown::Page(StatusCode::OK) };
    render(&req, &state, &me, room, root, bound, None, shown).await
}

/// As what a thread is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    Page(StatusCode),
    Part,
}

/// The page, with a form that came back if there is one.
#[expect(clippy::too_many_arguments, reason = "each is one thing that the page depends on")]
pub async fn render(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    room: FoundRoom,
    root: i64,
    bound: Bound,
    typed: Option<Say>,
    shown: Shown,
) -> Result<HttpResponse> {
    let found = queries::messages_in(state, &room, &[root]).await?.pop().ok_or(AppError::NotFound)?;
    let viewer = Viewer::Member(std::sync::Arc::clone(&me.0));
    let head = RoomHead::of(state, &room, "thread").await?;
    if let Some(above) = found.thread {
        return Ok(see_other(&format!("{}/thread/{above}#m-{}", head.page, found.id)));
    }
    let part = queries::messages(state, &room, Which::Thread(root), bound, PAGE).await?;
    let mut views = part.items;
    if views.first().is_none_or(|first| first.id != found.id) {
        views.insert(0, found.clone());
    }
    let frame = match shown {
        Shown::Page(_) => Frame::new(state, req, &viewer).await?,
        Shown::Part => Frame::part(state, req, &viewer).await?,
    };
    let page = head.page.clone();
    let start = Around::new(me, &room, &page);
    let around = Around { starts: false, ..start.clone() };
    let ids: Vec<i64> = views.iter().map(|view| view.id.0).collect();
    let mine = queries::my_reactions(state, me, &ids).await?;
    let lines = entries(&frame, &views, &around, &mine, Marks::default());
    let address = format!("{page}/thread/{}", Id(root));
    let first = views.get(1).filter(|_| part.more_before);
    let last = views.last().filter(|_| part.more_after);
    let typed = Say { thread: Id(root).to_string(), ..typed.unwrap_or_default() };
    let say = Say::of(&frame, &head, Some(typed));
    let (thread, back) = (Id(root).to_string(), format!("{page}?at={}", found.seq));
    let older = first.map_or_else(String::new, |first| format!("{address}?before={}", first.seq));
    let newer = last.map_or_else(String::new, |last| format!("{address}?after={}", last.seq));
    let f = &frame;
    let part = ThreadPart {
        f,
        page: page.clone(),
        thread,
        back,
        entries: lines,
        in_thread: true,
        older,
        newer,
        say,
        no_say: head.no_say.clone(),
    };
    let Shown::Page(status) = shown else { return page_with_status(f, &part, StatusCode::OK) };
    let content = ThreadPage {
        f,
        part,
        card: MessageCard::places(&start),
        can_own: start.can(true, false, false),
        can_others: start.can(false, false, false),
        my_handle: me.handle.clone(),
        my_name: me.display_name.clone(),
        my_avatar: avatar(&me.handle, me.avatar_version()),
        page: page.clone(),
        head,
    };
    page_with_status(&frame, &content, status)
}
