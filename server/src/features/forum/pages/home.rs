//! The first page: for guests what the hub is, for members what waits for them.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::kept;
use crate::app::AppState;
use crate::app::config::Registration;
use crate::entities::kinds::{NoticeKind, TopicKind, Visibility};
use crate::features::forum::model::TopicRow;
use crate::features::forum::queries::{self, Filter, Sort, TopicState};
use crate::features::notices;
use crate::features::playbooks;
use crate::features::spaces::SpaceInfo;
use crate::ports::clock::DAY;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Me, Viewer};

/// Rows of each part of the page.
const FEW: i64 = 6;
/// What moved lately.
const MOVED: i64 = 10;
/// A reply waits for so long.
const WAITS: i64 = 14 * DAY;
const WEEK: i64 = 7 * DAY;
const CARDS: usize = 8;
const BOOKS: usize = 3;

#[derive(Template)]
#[template(path = "forum/templates/home-guest.html")]
struct GuestHome<'a> {
    f: &'a Frame,
    welcome: std::sync::Arc<str>,
    may_register: bool,
    spaces: Vec<std::sync::Arc<SpaceInfo>>,
    answered: Vec<TopicRow>,
    moved: Vec<TopicRow>,
    books: Vec<playbooks::Card>,
}

/// A reply to the member.
struct Reply {
    href: String,
    mention: bool,
    /// The review of a resource is due.
    review: bool,
    name: String,
    title: String,
    excerpt: String,
    at: i64,
    unread: bool,
}

#[derive(Template)]
#[template(path = "forum/templates/home-member.html")]
struct MemberHome<'a> {
    f: &'a Frame,
    greeting: String,
    /// Case studies to review, and those whose review is overdue.
    reviews: Vec<playbooks::Waiting>,
    replies: Vec<Reply>,
    questions: Vec<TopicRow>,
    moved: Vec<TopicRow>,
    wins: Vec<TopicRow>,
    books: Vec<playbooks::Card>,
}

/// `GET /`
pub async fn show(req: HttpRequest, state: web::Data<AppState>, viewer: Viewer) -> Result<HttpResponse> {
    let address = kept::address(&req, &viewer);
    if let Some(page) = kept::find(&state, &req, address.as_deref()) {
        return Ok(page);
    }
    let changes = state.heads.changes();
    let frame = Frame::new(&state, &req, &viewer).await?;
    match viewer.member() {
        Some(me) => member(&state, &viewer, &frame, me).await,
        None => {
            let home = guest(&state, &viewer, &frame).await?;
            kept::keep_list(&state, &req, &frame, address, changes, &home).await
        }
    }
}

async fn guest<'a>(state: &AppState, viewer: &Viewer, frame: &'a Frame) -> Result<GuestHome<'a>> {
    let settings = state.settings.current(state).await?;
    let spaces = state.spaces.snapshot(state).await?;
    let spaces = spaces.all().iter().filter(|space| space.visibility == Visibility::Open && !space.archived);
    let few = PageQuery { limit: Some(FEW.to_string()), cursor: None };
    let answered = Filter {
        kind: Some(TopicKind::Question),
        state: Some(TopicState::Answered),
        sort: Sort::Active,
        ..Filter::default()
    };
    let answered = queries::list_topics(state, viewer, &answered, &few).await?.items;
    let moved = if answered.is_empty() {
        queries::list_topics(state, viewer, &Filter { sort: Sort::Active, ..Filter::default() }, &few).await?.items
    } else {
        Vec::new()
    };
    Ok(GuestHome {
        f: frame,
        welcome: settings.welcome_html,
        may_register: state.config.registration == Registration::Open,
        spaces: spaces.take(CARDS).cloned().collect(),
        answered,
        moved,
        books: playbooks::some_books(state, viewer, BOOKS).await?,
    })
}

async fn member(state: &AppState, viewer: &Viewer, frame: &Frame, me: &Me) -> Result<HttpResponse> {
    let readable = state.spaces.readable(state, viewer).await?;
    let found = topics(state, me, &readable).await?;
    let ids: Vec<i64> = found.iter().map(|(_, id)| *id).collect();
    let rows = queries::topics_by_ids(state.store.read(), &ids).await?;
    let read = read_times(state, me, &ids).await?;
    let rows: HashMap<i64, TopicRow> = rows
        .into_iter()
        .map(|mut row| {
            let since = read.get(&row.id.0).copied().unwrap_or(frame.now - WAITS);
            row.unread = row.last_handle != me.handle && row.activity > since;
            (row.id.0, row)
        })
        .collect();
    let waiting: HashSet<i64> = found.iter().filter(|(of, _)| of == "q").map(|(_, id)| *id).collect();
    let part = |what: &str| -> Vec<TopicRow> {
        found.iter().filter(|(of, _)| of == what).filter_map(|(_, id)| rows.get(id).cloned()).collect()
    };
    let home = MemberHome {
        f: frame,
        greeting: frame.with1("forum.home.hello", "name", &me.display_name),
        reviews: playbooks::waiting_for(state, me, FEW).await?,
        replies: replies(state, me).await?,
        questions: part("q"),
        // What waits for an answer stands above already.
        moved: part("m").into_iter().filter(|row| !waiting.contains(&row.id.0)).collect(),
        wins: part("w"),
        books: playbooks::some_books(state, viewer, BOOKS).await?,
    };
    page(frame, &home)
}

/// Ids of topics by the part of the page they belong to, in its order: one statement.
async fn topics(state: &AppState, me: &Me, readable: &[i64]) -> Result<Vec<(String, i64)>> {
    let now = state.clock.now();
    let own: Vec<i64> = readable.iter().copied().filter(|id| me.spaces.contains_key(id)).collect();
    let moving = if own.is_empty() { readable.to_vec() } else { own.clone() };
    let shown = " AND t.deleted_at IS NULL AND t.hidden_at IS NULL AND t.space_id IN ";
    let sql = Sql::new("SELECT * FROM (SELECT 'q' AS what, t.id FROM topic t WHERE t.kind = 'question' AND t.answer_count = 0 AND t.closed_at IS NULL AND t.author_id <> ")
        .bind(me.id)
        .then(shown)
        .list(readable.iter().copied())
        .then(" AND (t.space_id IN ")
        .list(own)
        .then(" OR EXISTS (SELECT 1 FROM topic_tag g JOIN member_expertise x ON x.tag = g.tag WHERE g.topic_id = t.id AND x.member_id = ")
        .bind(me.id)
        .then(")) ORDER BY t.activity_at DESC, t.id DESC")
        .limit(FEW)
        .then(") AS q UNION ALL SELECT * FROM (SELECT 'm' AS what, t.id FROM topic t WHERE t.activity_at > ")
        .bind(0_i64)
        .then(shown)
        .list(moving)
        .then(" ORDER BY t.activity_at DESC, t.id DESC")
        .limit(MOVED)
        .then(") AS m UNION ALL SELECT * FROM (SELECT 'w' AS what, t.id FROM topic t WHERE t.kind = 'win' AND t.created_at > ")
        .bind(now - WEEK)
        .then(shown)
        .list(readable.iter().copied())
        .then(" ORDER BY t.created_at DESC, t.id DESC")
        .limit(FEW)
        .then(") AS w");
    let rows = sql.all(state.store.read()).await?;
    rows.iter().map(|row| Ok((row.try_get("", "what")?, row.try_get("", "id")?))).collect()
}

/// When the member last read these topics.
async fn read_times(state: &AppState, me: &Me, topics: &[i64]) -> Result<HashMap<i64, i64>> {
    if topics.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Sql::new("SELECT topic_id, read_at FROM topic_read WHERE member_id = ")
        .bind(me.id)
        .then(" AND topic_id IN ")
        .list(topics.iter().copied())
        .all(state.store.read())
        .await?;
    rows.iter().map(|row| Ok((row.try_get("", "topic_id")?, row.try_get("", "read_at")?))).collect()
}

/// Replies to the member and mentions of them that they have not read.
async fn replies(state: &AppState, me: &Me) -> Result<Vec<Reply>> {
    let waiting = notices::waiting_in_topics(state, me, FEW).await?;
    let seen = waiting.into_iter().filter(|notice| !notice.title.is_empty());
    Ok(seen
        .map(|notice| Reply {
            href: notice.url,
            mention: notice.kind == NoticeKind::Mention,
            review: notice.kind == NoticeKind::Review,
            name: notice.actor.display_name,
            title: notice.title,
            excerpt: notice.excerpt,
            at: notice.created,
            unread: true,
        })
        .collect())
}
