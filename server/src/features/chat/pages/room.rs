//! The page of a room: a part of its messages, rendered here, and the fragments of it that an
//! open page asks for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::cards::{Around, EMOJIS, Entry, Marks, MessageCard, avatar, entries};
use super::head::RoomHead;
use super::kept::TopicLine;
use super::say::Say;
use super::{id_of, room_of};
use crate::app::AppState;
use crate::features::chat::actions;
use crate::features::chat::model::{MessagesPage, RoomPerson};
use crate::features::chat::queries::{self, Bound, FoundRoom, Which};
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Me, Member, Viewer};

/// Messages of a page.
pub const PAGE: u64 = 50;
/// An open page asks for so many messages at once, at most.
const MOST_IDS: usize = 50;
/// Pinned messages, topics and people beside a room.
const BESIDE: usize = 5;
const BESIDE_PEOPLE: usize = 20;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct RoomQuery {
    at: Option<String>,
    before: Option<String>,
    after: Option<String>,
    select: Option<String>,
    quote: Option<String>,
    fragment: Option<String>,
    /// The page that asks for the head: `thread`, else the room.
    tab: Option<String>,
    ids: Option<String>,
}

/// A pinned message beside the room.
pub struct PinLine {
    pub seq: i64,
    pub excerpt: String,
    pub name: String,
}

#[derive(Template)]
#[template(path = "chat/templates/room.html")]
struct RoomPage<'a> {
    f: &'a Frame,
    head: RoomHead,
    page: String,
    entries: Vec<Entry>,
    in_thread: bool,
    older: String,
    newer: String,
    new_after: String,
    /// Everything behind this seq is on the page, up to its last message.
    from: i64,
    /// Where the first unread message is, and how many there are above this page.
    unread_above: Option<(String, String)>,
    selecting: bool,
    say: Option<Say>,
    people: Vec<RoomPerson>,
    pins: Vec<PinLine>,
    topics: Vec<TopicLine>,
    card: MessageCard,
    can_own: String,
    can_others: String,
    my_handle: String,
    my_name: String,
    my_avatar: String,
}

#[derive(Template)]
#[template(path = "chat/templates/_part.html")]
struct Part<'a> {
    f: &'a Frame,
    page: String,
    entries: Vec<Entry>,
    in_thread: bool,
    from: i64,
    older: String,
    newer: String,
}

#[derive(Template)]
#[template(path = "chat/templates/_head.html")]
struct HeadFragment<'a> {
    f: &'a Frame,
    head: RoomHead,
}

/// The head with what stands beside the room.
#[derive(Template)]
#[template(path = "chat/templates/_beside.html")]
struct BesideFragment<'a> {
    f: &'a Frame,
    head: RoomHead,
    page: String,
    people: Vec<RoomPerson>,
    pins: Vec<PinLine>,
    topics: Vec<TopicLine>,
}

/// The menu of a message, which scripts ask for when it is first needed.
#[derive(Template)]
#[template(path = "chat/templates/_menu.html")]
struct MenuFragment<'a> {
    f: &'a Frame,
    page: String,
    emojis: [(&'static str, &'static str); 6],
}

fn seq(text: Option<&String>) -> Result<Option<i64>> {
    text.filter(|text| !text.is_empty()).map(|text| text.parse().map_err(|_| AppError::NotFound)).transpose()
}

impl RoomQuery {
    fn tab(&self) -> &'static str {
        if self.tab.as_deref() == Some("thread") { "thread" } else { "room" }
    }

    fn bound(&self) -> Result<Bound> {
        Ok(match (seq(self.at.as_ref())?, seq(self.before.as_ref())?, seq(self.after.as_ref())?) {
            (Some(at), ..) => Bound::Around(at),
            (_, Some(before), _) => Bound::Before(before),
            (.., Some(after)) => Bound::After(after),
            _ => Bound::Newest,
        })
    }
}

/// `GET /s/{slug}/chat/{room}` and `GET /direct/{id}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<RoomQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(std::sync::Arc::clone(&me.0));
    let room = room_of(&state, &me, &req).await?;
    match query.fragment.as_deref() {
        Some("messages") => return fragment(&req, &state, &viewer, &me, &room, &query).await,
        Some("head") => {
            let frame = Frame::part(&state, &req, &viewer).await?;
            let head = RoomHead::of(&state, &room, query.tab()).await?;
            return page_with_status(&frame, &HeadFragment { f: &frame, head }, StatusCode::OK);
        }
        Some("beside") => {
            let f = &Frame::part(&state, &req, &viewer).await?;
            let head = RoomHead::of(&state, &room, "room").await?;
            let (people, pins, topics) = beside(&state, f, &room, &head).await?;
            let content = BesideFragment { f, page: head.page.clone(), head, people, pins, topics };
            return page_with_status(f, &content, StatusCode::OK);
        }
        Some("menu") => {
            let f = &Frame::part(&state, &req, &viewer).await?;
            let page = queries::view_of(&state, &room).await?.path();
            return page_with_status(f, &MenuFragment { f, page, emojis: EMOJIS }, StatusCode::OK);
        }
        _ => {}
    }
    let say = match &query.quote {
        Some(id) => Some(quoting(&state, &me, &room, id).await?),
        None => None,
    };
    render(&req, &state, &me, room, &query, say, StatusCode::OK).await
}

/// The people, decisions and topics that stand beside a room.
async fn beside(
    state: &AppState,
    f: &Frame,
    room: &FoundRoom,
    head: &RoomHead,
) -> Result<(Vec<RoomPerson>, Vec<PinLine>, Vec<TopicLine>)> {
    let pins = queries::pins(state, room.ground.id).await?;
    let topics = queries::room_topics(state, room.ground.id).await?;
    let pins = pins.iter().take(BESIDE).map(|pin| PinLine {
        seq: pin.seq,
        excerpt: crate::text::excerpt(&pin.body_html, 80),
        name: pin.author.display_name.clone(),
    });
    let people = head.people.iter().take(BESIDE_PEOPLE).cloned().collect();
    Ok((people, pins.collect(), topics.iter().take(BESIDE).map(|topic| TopicLine::of(f, topic)).collect()))
}

/// The composer with a message quoted.
async fn quoting(state: &AppState, me: &Me, room: &FoundRoom, id: &str) -> Result<Say> {
    let (message, of) = queries::find_message(state, me, id_of(id)?).await?;
    if of.ground.id != room.ground.id || message.deleted {
        return Err(AppError::NotFound);
    }
    Ok(Say { body: crate::text::quote(&message.author.handle, &message.body), ..Say::default() })
}

/// The page, with a form that came back if there is one.
pub async fn render(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    room: FoundRoom,
    query: &RoomQuery,
    typed: Option<Say>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(std::sync::Arc::clone(&me.0));
    let bound = query.bound()?;
    let part = queries::messages(state, &room, Which::Roots, bound, PAGE).await?;
    if let Bound::Around(at) = bound
        && let Some(elsewhere) = in_thread(state, &room, at, &part).await?
    {
        return Ok(see_other(&elsewhere));
    }
    let room = follow(state, me, room).await?;
    let head = RoomHead::of(state, &room, "room").await?;
    let frame = Frame::new(state, req, &viewer).await?;
    let page = head.page.clone();
    let around = Around { boxed: query.select.is_some(), here: true, ..Around::new(me, &room, &page) };
    let ids: Vec<i64> = part.items.iter().map(|view| view.id.0).collect();
    let mine = queries::my_reactions(state, me, &ids).await?;
    let target = if let Bound::Around(at) = bound { Some(at) } else { None };
    let unread = room.ground.mine.map_or(0, |mine| room.ground.message_count - mine.read_count);
    let new_after = (unread > 0).then_some(head.read_seq);
    // What is new and not on this page is one step away.
    let from = from(bound, &part);
    let above = new_after.filter(|after| from > *after);
    let unread_above =
        above.map(|after| (format!("{page}?after={after}#new"), frame.n("chat.room.unread_above", &unread)));
    let marks = Marks { new_after: new_after.filter(|_| above.is_none()), target };
    let lines = entries(&frame, &part.items, &around, &mine, marks);
    let (older, newer) = links(&page, &part);
    let (people, pins, topics) = beside(state, &frame, &room, &head).await?;
    let say = Say::of(&frame, &head, typed);
    let content = RoomPage {
        f: &frame,
        entries: lines,
        in_thread: false,
        older,
        newer,
        new_after: new_after.map(|after| after.to_string()).unwrap_or_default(),
        from,
        unread_above,
        selecting: query.select.is_some() && head.make_topic,
        say,
        people,
        pins,
        topics,
        card: MessageCard::places(&around),
        can_own: around.can(true, false, false),
        can_others: around.can(false, false, false),
        my_handle: me.handle.clone(),
        my_name: me.display_name.clone(),
        my_avatar: avatar(&me.handle, me.avatar_version()),
        page: page.clone(),
        head,
    };
    page_with_status(&frame, &content, status)
}

/// A linked message that hangs in a thread is shown there.
async fn in_thread(state: &AppState, room: &FoundRoom, at: i64, part: &MessagesPage) -> Result<Option<String>> {
    if part.items.iter().any(|view| view.seq == at) {
        return Ok(None);
    }
    let found = queries::messages(state, room, Which::All, Bound::Around(at), 1).await?;
    let Some(view) = found.items.into_iter().find(|view| view.seq == at) else { return Ok(None) };
    let Some(root) = view.thread else { return Ok(None) };
    let path = queries::view_of(state, room).await?.path();
    Ok(Some(format!("{path}/thread/{root}#m-{}", view.id)))
}

/// Opening an open room for the first time follows it, if one belongs to its space.
async fn follow(state: &AppState, me: &Me, room: FoundRoom) -> Result<FoundRoom> {
    let belongs = room.ground.space_id.is_some_and(|space| me.spaces.contains_key(&space));
    if room.ground.mine.is_some() || !belongs || room.ground.standing.archived {
        return Ok(room);
    }
    actions::follow(state, me, room.ground.id).await?;
    let now = queries::find_room(state, me, room.ground.id).await?;
    // The messages were read at the first head: what came since has to come as events.
    Ok(FoundRoom { head: room.head, ..now })
}

/// Behind which seq a part has everything, up to its last message.
fn from(bound: Bound, part: &MessagesPage) -> i64 {
    match (bound, part.items.first()) {
        (Bound::After(after), _) => after,
        (_, Some(first)) if part.more_before => first.seq - 1,
        _ => 0,
    }
}

/// Addresses of the parts before and behind; empty at the ends.
fn links(page: &str, part: &MessagesPage) -> (String, String) {
    let first = part.items.first().filter(|_| part.more_before);
    let last = part.items.last().filter(|_| part.more_after);
    (
        first.map_or_else(String::new, |first| format!("{page}?before={}", first.seq)),
        last.map_or_else(String::new, |last| format!("{page}?after={}", last.seq)),
    )
}

/// `?fragment=messages`: a part of the main column, or messages by id as they now are.
async fn fragment(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    me: &Me,
    room: &FoundRoom,
    query: &RoomQuery,
) -> Result<HttpResponse> {
    let frame = Frame::part(state, req, viewer).await?;
    let page = queries::view_of(state, room).await?.path();
    // Messages asked for by id may go into the page of a thread.
    let around = Around { here: query.ids.is_none(), ..Around::new(me, room, &page) };
    let (views, from, older, newer) = match &query.ids {
        Some(ids) => {
            let ids: Vec<i64> = ids.split(',').take(MOST_IDS).filter_map(|id| id_of(id).ok()).collect();
            let mut views = queries::messages_in(state, room, &ids).await?;
            views.sort_by_key(|view| view.seq);
            (views, 0, String::new(), String::new())
        }
        None => {
            let bound = query.bound()?;
            let part = queries::messages(state, room, Which::Roots, bound, PAGE).await?;
            let (older, newer) = links(&page, &part);
            let from = from(bound, &part);
            (part.items, from, older, newer)
        }
    };
    let ids: Vec<i64> = views.iter().map(|view| view.id.0).collect();
    let mine = queries::my_reactions(state, me, &ids).await?;
    let mut lines = entries(&frame, &views, &around, &mine, Marks::default());
    if query.ids.is_some() {
        lines.retain(|entry| matches!(entry, Entry::Message(_)));
        // Inside a thread nothing starts another one.
        for (entry, view) in lines.iter_mut().zip(&views) {
            if let Entry::Message(card) = entry
                && view.thread.is_some()
            {
                let inside = Around { starts: false, ..around.clone() };
                *card = MessageCard::new(view, &inside, mine.get(&view.id.0).map_or(&[], Vec::as_slice));
            }
        }
    }
    let part = Part { f: &frame, page: page.clone(), entries: lines, in_thread: false, from, older, newer };
    page_with_status(&frame, &part, StatusCode::OK)
}
