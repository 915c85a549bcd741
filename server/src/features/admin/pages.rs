//! Pages about members and spaces, and the hub's log.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api::MemberQuery;
use super::model::AdminMemberView;
use super::{actions, queries};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState};
use crate::entities::space;
use crate::features::moderation::{self, ActRow};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Administrator, AdministratorInPerson, Viewer};

#[derive(Template)]
#[template(path = "admin/templates/members.html")]
struct MembersPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    members: &'a [AdminMemberView],
    roles: &'static [HubRole],
    states: &'static [MemberState],
    q: &'a str,
    state: &'a str,
    /// Address of the next page.
    next: Option<String>,
}

/// `GET /admin`
pub async fn members(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    query: web::Query<MemberQuery>,
) -> Result<HttpResponse> {
    let filter = query.filter()?;
    let list = queries::members(&state, &filter, query.page.after()?, query.page.limit()?).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let chosen = filter.state.map_or("", MemberState::as_str);
    let next = list.next_cursor.as_deref().map(|cursor| {
        let pairs = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("q", filter.q.as_str()), ("state", chosen), ("cursor", cursor)])
            .finish();
        format!("/admin?{pairs}")
    });
    let template = MembersPage {
        f: &f,
        tab: "members",
        members: &list.items,
        roles: HubRole::ALL,
        states: MemberState::ALL,
        q: &filter.q,
        state: chosen,
        next,
    };
    page(&f, &template)
}

/// `POST /admin/members/{handle}/role`
pub async fn set_role(
    state: web::Data<AppState>,
    me: AdministratorInPerson,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let role = HubRole::parse(form.get("role")).ok_or_else(|| AppError::field("role", "is a role of the hub"))?;
    let (actor, handle) = (me.id, path.into_inner());
    state.store.write(async move |tx| actions::set_role(tx, actor, &handle, role).await.map(drop)).await?;
    Ok(see_other(form.some("next").unwrap_or("/admin")))
}

#[derive(Template)]
#[template(path = "admin/templates/link.html")]
struct LinkPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    handle: &'a str,
    link: &'a str,
}

/// `POST /admin/members/{handle}/link`: shows a new sign-in link, once.
pub async fn make_link(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: AdministratorInPerson,
    path: web::Path<String>,
    _form: Form,
) -> Result<HttpResponse> {
    let handle = path.to_lowercase();
    let link = actions::make_link(&state, me.id, &handle).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page(&f, &LinkPage { f: &f, tab: "members", handle: &handle, link: &link })
}

#[derive(Template)]
#[template(path = "admin/templates/spaces.html")]
struct SpacesPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    spaces: &'a [space::Model],
    next: Option<&'a str>,
}

/// `GET /admin/spaces`: every space by name. What is inside opens by joining, which is logged.
pub async fn spaces(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let list = queries::spaces(&state, query.after()?, query.limit()?).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page(&f, &SpacesPage { f: &f, tab: "spaces", spaces: &list.items, next: list.next_cursor.as_deref() })
}

#[derive(Template)]
#[template(path = "admin/templates/log.html")]
struct LogPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    acts: &'a [ActRow],
    next: Option<&'a str>,
}

/// `GET /admin/log`
pub async fn log(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let list = moderation::acts_of(&state, None, query.after()?, query.limit()?).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    page(&f, &LogPage { f: &f, tab: "log", acts: &list.items, next: list.next_cursor.as_deref() })
}
