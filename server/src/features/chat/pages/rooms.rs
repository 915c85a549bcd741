//! Lists of rooms: those of a space with a form for a new one, and those one follows.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::Shown;
use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::actions::{self, NewRoom};
use crate::features::chat::model::RoomRow;
use crate::features::chat::queries;
use crate::features::spaces::{self, SpaceHead};
use crate::ports::clock::parse_rfc3339;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// A room in a list.
#[derive(Clone, Debug)]
pub struct RoomLine {
    pub path: String,
    pub name: String,
    pub purpose: String,
    pub space_name: String,
    kind: RoomKind,
    pub archived: bool,
    pub muted: bool,
    pub favourite: bool,
    unread: i64,
    pub mentions: i32,
    pub last: Option<i64>,
}

impl RoomLine {
    #[must_use]
    pub fn of(row: RoomRow) -> Self {
        let path = row.path();
        let mine = row.mine.unwrap_or_default();
        Self {
            path,
            name: row.name,
            purpose: row.purpose,
            space_name: row.space_name.unwrap_or_default(),
            kind: row.kind,
            archived: row.archived,
            muted: mine.muted,
            favourite: mine.favourite,
            unread: mine.unread,
            mentions: mine.mentions,
            last: row.last_message_at.as_deref().and_then(parse_rfc3339),
        }
    }

    #[must_use]
    pub const fn icon(&self) -> &'static str {
        match self.kind {
            RoomKind::Open => "rooms",
            RoomKind::Private => "lock",
            RoomKind::Direct => "mail",
        }
    }

    /// What its number says: mentions first; of a muted room those alone.
    #[must_use]
    pub fn count(&self) -> i64 {
        if self.mentions > 0 || self.muted { i64::from(self.mentions) } else { self.unread }
    }

    #[must_use]
    pub fn shown(&self) -> String {
        crate::web::frame::shown(self.count())
    }

    #[must_use]
    pub fn waits(&self) -> bool {
        self.count() > 0
    }

    /// The form of the word for the number.
    #[must_use]
    pub fn form(&self) -> &'static str {
        if self.count() == 1 { "one" } else { "other" }
    }

    /// Favourites first, then what moved last.
    fn order(&self) -> (bool, std::cmp::Reverse<i64>) {
        (!self.favourite, std::cmp::Reverse(self.last.unwrap_or(0)))
    }
}

#[derive(Template)]
#[template(path = "chat/templates/rooms.html")]
struct RoomsPage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    rooms: Vec<RoomLine>,
    archived: Vec<RoomLine>,
    form: Shown,
}

/// `GET /s/{slug}/chat`
pub async fn of_space(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    show(&req, &state, &me, &path, Shown::default(), StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    slug: &str,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(Arc::clone(&me.0));
    let (space, access) = state.spaces.find(state, &viewer, slug).await?;
    access.read()?;
    let all = PageQuery { limit: Some("100".into()), cursor: None };
    let found = queries::rooms_of_space(state, me, space.id, &all).await?;
    let mut lines: Vec<RoomLine> = found.items.into_iter().map(RoomLine::of).collect();
    lines.sort_by_key(RoomLine::order);
    let (archived, rooms) = lines.into_iter().partition(|line| line.archived);
    let head = spaces::head(state, &viewer, &space, access).await?.at("rooms");
    let frame = Frame::new(state, req, &viewer).await?;
    page_with_status(&frame, &RoomsPage { f: &frame, head, rooms, archived, form }, status)
}

/// `POST /s/{slug}/chat`
pub async fn create(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(Arc::clone(&me.0));
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let mut form = Shown::typed(&sent, &["name", "slug", "purpose", "private"]);
    let new = NewRoom {
        slug: form.value("slug").trim().to_lowercase(),
        name: form.value("name").to_owned(),
        purpose: form.value("purpose").to_owned(),
        private: sent.ticked("private"),
        confirmed: sent.ticked("confirmed"),
    };
    let status = match actions::create_room(&state, &me, space.id, &new).await {
        Ok(_) => return Ok(see_other(&format!("/s/{}/chat/{}", space.slug, new.slug))),
        Err(AppError::Conflict(_)) => {
            form.fault("slug", "chat.form.taken", &[]);
            StatusCode::CONFLICT
        }
        Err(error) => form.refuse(error)?,
    };
    show(&req, &state, &me, &path, form, status).await
}

#[derive(Template)]
#[template(path = "chat/templates/my-rooms.html")]
struct MyRoomsPage<'a> {
    f: &'a Frame,
    rooms: Vec<RoomLine>,
}

/// `GET /rooms`: those one follows, conversations among them.
pub async fn mine(req: HttpRequest, state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let frame = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let mut rooms: Vec<RoomLine> = queries::followed(&state, &me).await?.into_iter().map(RoomLine::of).collect();
    rooms.sort_by_key(RoomLine::order);
    page(&frame, &MyRoomsPage { f: &frame, rooms })
}
