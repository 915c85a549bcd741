//! Pages: the list of spaces, a new one, the door of a private one, joining and leaving.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::SpaceInfo;
use super::actions::{Draft, make_space};
use super::directory::by_name;
use super::forms::Shown;
use super::head::{SpaceHead, outline};
use super::membership::{Person, decline_invite, join_space, leave_space};
use super::model::{InviteView, MESSAGE, NewSpace, SpaceView, StandingState};
use super::policy::{self, Access};
use super::{inside, queries};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, Visibility};
use crate::web::checks::{Text, check};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::{Page, PageQuery, TextPlace};
use crate::web::viewer::{Me, Member, Viewer};

/// Spaces on one page.
const SHOWN: u64 = 60;

#[derive(Template)]
#[template(path = "spaces/templates/spaces.html")]
struct SpacesPage<'a> {
    f: &'a Frame,
    invites: Vec<InviteView>,
    mine: Vec<SpaceView>,
    others: Vec<SpaceView>,
    archived: Vec<SpaceView>,
    may_make: bool,
    /// The cursor of the next page.
    next: Option<String>,
}

/// `GET /spaces`
pub async fn spaces(
    req: HttpRequest,
    state: Data<AppState>,
    viewer: Viewer,
    at: Query<PageQuery>,
) -> Result<HttpResponse> {
    let f = Frame::new(&state, &req, &viewer).await?;
    let snapshot = state.spaces.snapshot(&state).await?;
    let after = TextPlace::of(&at)?.map(|after| (after.key, after.id));
    let mut seen: Vec<((String, i64), Arc<SpaceInfo>)> = snapshot
        .all()
        .iter()
        .filter(|space| policy::access(&viewer, space) > Access::Hidden)
        .map(|space| (place_of(&viewer, space), Arc::clone(space)))
        .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after))
        .collect();
    seen.sort_by(|(left, _), (right, _)| left.cmp(right));
    let cursor = |((key, id), _): &(_, _)| TextPlace { key: String::clone(key), id: *id }.encode();
    let Page { items: seen, next_cursor: next } = Page::cut_at(seen, SHOWN, cursor);
    let seen: Vec<Arc<SpaceInfo>> = seen.into_iter().map(|(_, space)| space).collect();
    let views = queries::views(&state, &viewer, &seen).await?;
    let (archived, open): (Vec<_>, Vec<_>) = views.into_iter().partition(|space| space.archived);
    let (mine, others) = open.into_iter().partition(|space| space.role.is_some());
    let invites = match viewer.member().filter(|_| after.is_none()) {
        Some(me) => queries::invites_of(state.store.read(), me.id).await?,
        None => Vec::new(),
    };
    let may_make = match viewer.member() {
        Some(me) => may_make(&state, me).await?,
        None => false,
    };
    page(&f, &SpacesPage { f: &f, invites, mine, others, archived, may_make, next })
}

/// Where a space stands in the list: one's own first, then others, then what is archived.
fn place_of(viewer: &Viewer, space: &Arc<SpaceInfo>) -> (String, i64) {
    let mine = viewer.member().is_some_and(|me| me.spaces.contains_key(&space.id));
    let part = if space.archived {
        'c'
    } else if mine {
        'a'
    } else {
        'b'
    };
    let (name, id) = by_name(space);
    (format!("{part}{name}"), id)
}

async fn may_make(state: &AppState, me: &Me) -> Result<bool> {
    Ok(me.hub_role >= HubRole::Facilitator || state.settings.current(state).await?.members_make_spaces)
}

#[derive(Template)]
#[template(path = "spaces/templates/new-space.html")]
struct NewSpacePage<'a> {
    f: &'a Frame,
    form: Shown,
}

/// `GET /spaces/new`
pub async fn new_form(req: HttpRequest, state: Data<AppState>, me: Member) -> Result<HttpResponse> {
    if !may_make(&state, &me).await? {
        return Err(AppError::Forbidden("Only facilitators and administrators make spaces here.".into()));
    }
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page(&f, &NewSpacePage { f: &f, form: Shown::default().with("visibility", Visibility::Open.as_str()) })
}

/// `POST /spaces/new`
pub async fn create(req: HttpRequest, state: Data<AppState>, me: Member, form: Form) -> Result<HttpResponse> {
    let mut shown = Shown::typed(&form, &["name", "slug", "description", "visibility"]);
    let status = match try_create(&state, &me, &form).await {
        Ok(slug) => return Ok(see_other(&format!("/s/{slug}"))),
        Err(AppError::Conflict(_)) => {
            shown.fault("slug", "spaces.form.taken");
            StatusCode::CONFLICT
        }
        Err(error) => shown.refuse(error)?,
    };
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page_with_status(&f, &NewSpacePage { f: &f, form: shown }, status)
}

async fn try_create(state: &AppState, me: &Me, form: &Form) -> Result<String> {
    let visibility =
        Visibility::parse(form.get("visibility")).ok_or_else(|| AppError::field("visibility", "is one of the four"))?;
    let draft = Draft::of(&NewSpace {
        slug: form.get("slug").trim().to_lowercase(),
        name: form.get("name").to_owned(),
        description: form.get("description").to_owned(),
        visibility,
        confirmed: form.ticked("confirmed"),
    })?;
    let members_make = state.settings.current(state).await?.members_make_spaces;
    let by = me.id;
    let row = state.store.write(async move |tx| make_space(tx, by, members_make, &draft).await).await?;
    Ok(row.slug)
}

#[derive(Template)]
#[template(path = "spaces/templates/space-private.html")]
struct DoorPage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    form: Shown,
}

/// The page of a space whose inside the viewer may not see: its name, its description, and the
/// way in.
pub async fn door_page(
    state: &AppState,
    req: &HttpRequest,
    viewer: &Viewer,
    space: &SpaceInfo,
) -> Result<HttpResponse> {
    door_again(state, req, viewer, space, Shown::default(), StatusCode::OK).await
}

/// The same for whom a hidden space has asked in; to all others it does not exist.
pub async fn invited_page(state: &AppState, req: &HttpRequest, viewer: &Viewer, slug: &str) -> Result<HttpResponse> {
    let me = viewer.member().ok_or(AppError::NotFound)?;
    let found = inside::whatever(state.store.read(), me.id, slug).await?;
    if found.invited.is_none() {
        return Err(AppError::NotFound);
    }
    let snapshot = state.spaces.snapshot(state).await?;
    let space = snapshot.by_id(found.space.id).ok_or(AppError::NotFound)?;
    door_page(state, req, viewer, space).await
}

async fn door_again(
    state: &AppState,
    req: &HttpRequest,
    viewer: &Viewer,
    space: &SpaceInfo,
    form: Shown,
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, viewer).await?;
    let head = outline(state, viewer, space, Access::Door).await?;
    page_with_status(&f, &DoorPage { f: &f, head, form }, status)
}

/// `POST /s/{slug}/join`
pub async fn join(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let texts = match check(&[Text::line("message", form.get("message"), MESSAGE)], form.ticked("confirmed")) {
        Ok(texts) => texts,
        Err(error) => {
            let viewer = Viewer::Member(me.0);
            let (space, _) = state.spaces.find(&state, &viewer, &slug).await?;
            let mut shown = Shown::typed(&form, &["message"]);
            let status = shown.refuse(error)?;
            return door_again(&state, &req, &viewer, &space, shown, status).await;
        }
    };
    let person = Person::of(&me);
    let standing =
        state.store.write(async move |tx| join_space(tx, &person, &slug, texts.get("message")).await).await?;
    Ok(see_other(&format!("/s/{}", standing.space)))
}

/// `POST /s/{slug}/leave`
pub async fn leave(state: Data<AppState>, me: Member, slug: Path<String>, _form: Form) -> Result<HttpResponse> {
    let person = Person::of(&me);
    let standing = state.store.write(async move |tx| leave_space(tx, &person, &slug).await).await?;
    debug_assert!(standing.state == StandingState::None);
    // Whoever left may see nothing there any more.
    Ok(see_other("/spaces"))
}

/// `POST /s/{slug}/invites/decline`
pub async fn decline(state: Data<AppState>, me: Member, slug: Path<String>, _form: Form) -> Result<HttpResponse> {
    let person = Person::of(&me);
    state.store.write(async move |tx| decline_invite(tx, &person, &slug).await).await?;
    Ok(see_other("/spaces"))
}
