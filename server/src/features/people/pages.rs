//! `/people` and `/people/{handle}`. For signed-in members.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::model::{MemberView, ProfileView};
use super::queries::{self, DirectoryQuery};
use super::writings::{self, Writings};
use crate::app::AppState;
use crate::entities::kinds::{Discipline, HubRole, MemberState};
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, SideSpace, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// People on one page.
const SHOWN: u64 = 24;

/// A choice of a filter.
struct Choice {
    value: &'static str,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "people/templates/directory.html")]
struct DirectoryPage {
    f: Frame,
    people: Vec<MemberView>,
    /// Of the whole hub.
    total: i64,
    q: String,
    tag: String,
    disciplines: Vec<Choice>,
    roles: Vec<Choice>,
    /// One's own, and the one that is chosen.
    spaces: Vec<SideSpace>,
    /// The slug of the one chosen.
    space: String,
    filtered: bool,
    /// Query of the next page.
    next: Option<String>,
}

pub async fn directory(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    query: web::Query<DirectoryQuery>,
    at: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let f = Frame::new(&state, &req, &viewer).await?;
    let db = state.store.read();
    let (discipline, role) = (query.discipline()?, query.role()?);
    let space = query.space(&state, &viewer).await?;
    let at = PageQuery { limit: Some(SHOWN.to_string()), cursor: at.into_inner().cursor };
    let order = query.order(queries::Order::Name)?;
    let found = queries::list_members(db, &query, space.as_ref().map(|of| of.id), order, &at).await?;
    let total = queries::count_members(db).await?;
    let q = query.q.as_deref().unwrap_or_default().trim().to_owned();
    let tag = query.tag().unwrap_or_default();
    let next = found.next_cursor.as_ref().map(|cursor| {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        let organisation = query.organisation.as_deref().unwrap_or_default();
        let asked = [
            ("q", q.as_str()),
            ("discipline", discipline.map_or("", Discipline::as_str)),
            ("role", role.map_or("", HubRole::as_str)),
            ("tag", &tag),
            ("organisation", organisation),
            ("space", space.as_ref().map_or("", |of| of.slug.as_str())),
            ("sort", query.sort.as_deref().unwrap_or_default()),
        ];
        next.extend_pairs(asked.into_iter().filter(|(_, value)| !value.is_empty()));
        next.append_pair("cursor", cursor).finish()
    });
    let disciplines = Discipline::ALL
        .iter()
        .map(|of| Choice {
            value: of.as_str(),
            name: f.of("people.discipline", of.as_str()),
            chosen: discipline == Some(*of),
        })
        .collect();
    let roles = HubRole::ALL
        .iter()
        .map(|of| Choice { value: of.as_str(), name: f.of("people.role", of.as_str()), chosen: role == Some(*of) })
        .collect();
    let mut spaces = match viewer.member() {
        Some(me) => state.spaces.of_member(&state, me).await?,
        None => Vec::new(),
    };
    let chosen = space.as_ref().map(|of| of.slug.clone()).unwrap_or_default();
    if let Some(of) = space.as_ref().filter(|of| spaces.iter().all(|one| one.slug != of.slug)) {
        spaces.push(SideSpace { slug: of.slug.clone(), name: of.name.clone() });
    }
    let filtered = !q.is_empty() || !tag.is_empty() || discipline.is_some() || role.is_some() || space.is_some();
    let people = found.items;
    let template =
        DirectoryPage { f, people, total, q, tag, disciplines, roles, spaces, space: chosen, filtered, next };
    page(&template.f, &template)
}

#[derive(Template)]
#[template(path = "people/templates/profile.html")]
struct ProfilePage {
    f: Frame,
    p: ProfileView,
    discipline: String,
    /// In words; empty for a plain member.
    role: String,
    claimed: bool,
    mine: bool,
    /// The viewer has blocked them.
    blocked: bool,
    created_at: i64,
    shared: Vec<SideSpace>,
    wrote: Writings,
}

pub async fn profile(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(std::sync::Arc::clone(&me.0));
    let db = state.store.read();
    let row = queries::find_by_handle(db, &path).await?.ok_or(AppError::NotFound)?;
    let wrote = writings::of_member(&state, &viewer, row.id).await?;
    // A name that stands beside imported posts leads to these posts and to nothing else.
    let shown = match row.state {
        MemberState::Active => true,
        MemberState::Unclaimed => me.is_administrator() || !wrote.is_empty(),
        MemberState::Suspended => me.is_administrator(),
    };
    if !shown {
        return Err(AppError::NotFound);
    }
    let f = Frame::new(&state, &req, &viewer).await?;
    let tags = queries::expertise_of(db, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    let shared = writings::shared_spaces(&state, &me, row.id).await?;
    let role = if row.hub_role == HubRole::Member { String::new() } else { f.of("people.role", row.hub_role.as_str()) };
    let profile = ProfilePage {
        discipline: f.of("people.discipline", row.discipline.as_str()),
        role,
        claimed: row.state != MemberState::Unclaimed,
        mine: me.id == row.id,
        blocked: me.id != row.id && crate::features::chat::has_blocked(&state, &me, row.id).await?,
        created_at: row.created_at,
        p: ProfileView::of(&row, tags),
        shared,
        wrote,
        f: f.clone(),
    };
    page(&f, &profile)
}
