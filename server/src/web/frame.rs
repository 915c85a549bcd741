//! What stands around every page: the bar, the sidebar, who is signed in, the words.

use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::assets::Assets;
use super::error::Result;
use super::viewer::{Me, Viewer};
use super::words::{Words, english};
use crate::app::AppState;
use crate::entities::kinds::Availability;
use crate::ports::clock::{DAY, HOUR, MINUTE, rfc3339};
use crate::store::Id;
use crate::streams::Stream;

/// A space in the sidebar.
#[derive(Clone, Debug)]
pub struct SideSpace {
    pub slug: String,
    pub name: String,
}

impl SideSpace {
    /// The letter on its tile.
    #[must_use]
    pub fn initial(&self) -> String {
        self.name.chars().next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default()
    }
}

/// A room in the sidebar.
#[derive(Clone, Debug)]
pub struct SideRoom {
    pub id: Id,
    pub path: String,
    pub name: String,
    /// Empty for what most are: the stylesheet has a sign for these.
    pub icon: &'static str,
    pub favourite: bool,
    pub muted: bool,
    pub unread: i64,
    pub mentions: i32,
}

impl SideRoom {
    /// What its number says: mentions first; of a muted room those alone.
    #[must_use]
    pub fn count(&self) -> i64 {
        if self.mentions > 0 || self.muted { i64::from(self.mentions) } else { self.unread }
    }

    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.count())
    }

    /// The key of the number's word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        if self.mentions > 0 { "frame.script.mentions" } else { "frame.script.unread" }
    }

    #[must_use]
    pub fn form(&self) -> &'static str {
        form_of(self.count())
    }
}

/// What waits for a member, wherever they are.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub rooms: Vec<SideRoom>,
    pub directs: Vec<SideRoom>,
    /// Rooms and conversations with something new, whether the lists have place for them or not.
    pub waiting: usize,
    /// Unread notices; counted to 100.
    pub notices: i64,
    pub availability: Availability,
}

impl Side {
    /// How many of those with something new the lists have no place for.
    #[must_use]
    pub fn beyond(&self) -> usize {
        self.waiting.saturating_sub(self.rooms.iter().chain(&self.directs).filter(|room| room.count() > 0).count())
    }

    #[must_use]
    pub fn waiting_shown(&self) -> String {
        shown(i64::try_from(self.waiting).unwrap_or(i64::MAX))
    }

    #[must_use]
    pub fn notices_shown(&self) -> String {
        shown(self.notices)
    }

    #[must_use]
    pub fn waiting_form(&self) -> &'static str {
        form_of(i64::try_from(self.waiting).unwrap_or(i64::MAX))
    }

    #[must_use]
    pub fn notices_form(&self) -> &'static str {
        form_of(self.notices)
    }
}

/// What a small counter has place for; the script says the same.
#[must_use]
pub fn shown(count: i64) -> String {
    if count > 99 { "99+".to_owned() } else { count.to_string() }
}

const fn form_of(count: i64) -> &'static str {
    if count == 1 { "one" } else { "other" }
}

/// The frame of one page for one viewer. Templates call it `f`.
#[derive(Clone, Debug)]
pub struct Frame {
    pub hub_name: Arc<str>,
    /// Address of the hub's logo, if it has one.
    pub logo: Option<Arc<str>>,
    pub me: Option<Arc<Me>>,
    pub spaces: Vec<SideSpace>,
    pub side: Side,
    /// Head of the viewer's own stream, read before what the frame shows of it, and its epoch.
    pub my_head: i64,
    pub epoch: Arc<str>,
    pub csrf: String,
    /// `light`, `dark` or empty: as the system says.
    pub theme: &'static str,
    pub path: String,
    /// Path and query, for the way back after signing in.
    pub here: String,
    /// Only the main column, as a card: signing in, errors.
    pub plain: bool,
    /// Where the button "Ask" leads.
    pub ask: String,
    pub origin: Arc<str>,
    pub now: i64,
    pub words: &'static Words,
    pub assets: &'static Assets,
    cookie: Option<Cookie<'static>>,
}

impl Frame {
    /// The frame for a request.
    pub async fn new(state: &AppState, req: &HttpRequest, viewer: &Viewer) -> Result<Self> {
        Self::with_side(state, req, viewer, true).await
    }

    /// For a part that an open page asks for: nothing of what stands around it is read.
    pub async fn part(state: &AppState, req: &HttpRequest, viewer: &Viewer) -> Result<Self> {
        Self::with_side(state, req, viewer, false).await
    }

    async fn with_side(state: &AppState, req: &HttpRequest, viewer: &Viewer, around: bool) -> Result<Self> {
        let settings = state.settings.current(state).await?;
        let (csrf, cookie) = match viewer {
            Viewer::Member(me) => (super::csrf::for_session(state, me.session_id), None),
            Viewer::Anonymous if wants_visitor_token(req.path()) => super::csrf::visitor_token(state, req),
            Viewer::Anonymous => (String::new(), None),
        };
        let theme = match req.cookie("theme").as_ref().map(Cookie::value) {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        let me = match viewer {
            Viewer::Member(me) => Some(Arc::clone(me)),
            Viewer::Anonymous => None,
        };
        let mut frame = Self {
            side: Side::default(),
            my_head: 0,
            epoch: Arc::clone(&state.epoch),
            hub_name: settings.name,
            logo: settings.logo,
            me,
            spaces: Vec::new(),
            csrf,
            theme,
            path: req.path().to_owned(),
            here: req.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            plain: false,
            ask: "/ask".to_owned(),
            origin: state.origin_shared(),
            now: state.clock.now(),
            words: english(),
            assets: super::assets::assets(),
            cookie,
        };
        if around && let Some(me) = frame.me.clone() {
            frame.my_head = state.heads.current(state.store.read(), Stream::member(me.id)).await?;
            frame.spaces = state.spaces.of_member(state, &me).await?;
            frame.side = crate::features::chat::side(state, &me).await?;
        }
        Ok(frame)
    }

    /// A frame that needs no database, for the error page when it is away.
    #[must_use]
    pub fn bare(state: &AppState, req: &HttpRequest) -> Self {
        Self {
            hub_name: "Praxis".into(),
            logo: None,
            me: None,
            spaces: Vec::new(),
            side: Side::default(),
            my_head: 0,
            epoch: Arc::clone(&state.epoch),
            csrf: String::new(),
            theme: "",
            path: req.path().to_owned(),
            here: req.path().to_owned(),
            plain: false,
            ask: "/ask".to_owned(),
            origin: state.origin_shared(),
            now: state.clock.now(),
            words: english(),
            assets: super::assets::assets(),
            cookie: None,
        }
    }

    #[must_use]
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.words.t(key)
    }

    #[must_use]
    pub fn of(&self, prefix: &str, word: &str) -> String {
        self.words.of(prefix, word)
    }

    #[must_use]
    pub fn with(&self, key: &str, places: &[(&str, &str)]) -> String {
        self.words.with(key, places)
    }

    /// A text with one place `{name}`.
    #[must_use]
    pub fn with1(&self, key: &str, name: &str, value: &str) -> String {
        self.words.with(key, &[(name, value)])
    }

    #[must_use]
    pub fn n(&self, key: &str, count: &(impl Copy + Into<i64>)) -> String {
        self.words.n(key, *count)
    }

    /// A count as people read it: 12,345.
    #[must_use]
    pub fn count(&self, count: &(impl Copy + Into<i64>)) -> String {
        super::words::grouped((*count).into())
    }

    /// The hashed address of an asset: `f.asset("app.css")`.
    #[must_use]
    pub fn asset<'a>(&self, name: &'a str) -> &'a str
    where
        Self: 'a,
    {
        self.assets.address(name).unwrap_or(name)
    }

    /// Shows only the main column.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    #[must_use]
    pub fn signed_in(&self) -> bool {
        self.me.is_some()
    }

    #[must_use]
    pub fn administrator(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.is_administrator())
    }

    /// Whether there are reports that the viewer may see: those who moderate a space, facilitators
    /// and administrators.
    #[must_use]
    pub fn moderates(&self) -> bool {
        use crate::entities::kinds::{HubRole, SpaceRole};
        self.me.as_ref().is_some_and(|me| me.hub_role >= HubRole::Facilitator)
            || self.me.as_ref().is_some_and(|me| me.spaces.values().any(|role| *role >= SpaceRole::Moderator))
    }

    /// The viewer's id, for the stream of what concerns them.
    #[must_use]
    pub fn my_id(&self) -> String {
        self.me.as_ref().map(|me| Id(me.id).to_string()).unwrap_or_default()
    }

    /// Whether the page is about rooms.
    #[must_use]
    pub fn in_rooms(&self) -> bool {
        let of_space = self.path.strip_prefix("/s/").and_then(|rest| rest.split('/').nth(1)) == Some("chat");
        of_space || self.at("/rooms") || self.at("/direct")
    }

    /// Whether the page is in this space.
    #[must_use]
    pub fn in_space(&self, slug: &str) -> bool {
        self.path.strip_prefix("/s/").is_some_and(|rest| rest.split('/').next() == Some(slug))
    }

    /// Whether a link of the sidebar is the page itself or one above it.
    #[must_use]
    pub fn at(&self, path: &str) -> bool {
        self.path == path || (path != "/" && self.path.starts_with(&format!("{path}/")))
    }

    /// A time for a `datetime` attribute.
    #[must_use]
    pub fn datetime(&self, at: &i64) -> String {
        rfc3339(*at)
    }

    /// A time in full, UTC.
    #[must_use]
    pub fn exact(&self, at: &i64) -> String {
        exact(*at)
    }

    /// A day: `22 Nov 2026`.
    #[must_use]
    pub fn day(&self, at: &i64) -> String {
        date(*at)
    }

    /// How long ago, in words.
    #[must_use]
    pub fn ago(&self, at: &i64) -> String {
        let past = self.now - *at;
        match past {
            i64::MIN..MINUTE => self.t("frame.time.now").to_owned(),
            MINUTE..HOUR => self.words.n("frame.time.minutes", past / MINUTE),
            HOUR..DAY => self.words.n("frame.time.hours", past / HOUR),
            _ if past < 30 * DAY => self.words.n("frame.time.days", past / DAY),
            _ => date(*at),
        }
    }
}

/// Pages with a form that a visitor may send.
fn wants_visitor_token(path: &str) -> bool {
    ["/login", "/register", "/setup", "/forgot", "/reset", "/invite", "/verify", "/claim", "/unsubscribe"]
        .iter()
        .any(|form| path == *form || path.strip_prefix(form).is_some_and(|rest| rest.starts_with('/')))
}

/// `22 Nov 2026`
#[must_use]
pub fn date(at: i64) -> String {
    format_at(at, time::macros::format_description!("[day padding:none] [month repr:short] [year]"))
}

/// `22 Nov 2026, 17:05 UTC`
#[must_use]
pub fn exact(at: i64) -> String {
    format_at(
        at,
        time::macros::format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"),
    )
}

fn format_at(at: i64, format: &[time::format_description::BorrowedFormatItem<'_>]) -> String {
    time::OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000_000))
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_default()
}

/// A page as a response, with the cookie its forms need.
pub fn page(frame: &Frame, template: &impl Template) -> Result<HttpResponse> {
    page_with_status(frame, template, actix_web::http::StatusCode::OK)
}

/// A page with another status, such as 422 for a form with errors.
pub fn page_with_status(
    frame: &Frame,
    template: &impl Template,
    status: actix_web::http::StatusCode,
) -> Result<HttpResponse> {
    let body = template.render()?;
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    if let Some(cookie) = &frame.cookie {
        response.cookie(cookie.clone());
    }
    response.insert_header(("Cache-Control", if frame.signed_in() { "no-store" } else { "no-cache" }));
    Ok(response.body(body))
}

/// 303 to a path of this hub. Anything that is not a plain local path leads to `/`.
#[must_use]
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("Location", local_path(path))).finish()
}

/// The path if it is one of this hub, else `/`: no redirect leads elsewhere.
#[must_use]
pub fn local_path(path: &str) -> &str {
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.len() <= 2000
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { path } else { "/" }
}
