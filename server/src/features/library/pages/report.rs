//! Reporting a resource, the list of reports, and purging.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::id_of;
use crate::app::AppState;
use crate::entities::kinds::{ReportReason, ReportState};
use crate::features::library::actions;
use crate::features::library::model::ResourceReportView;
use crate::features::library::queries::{self, Seen};
use crate::features::moderation::{clean_reason, moderated, open_count};
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::rate_limit::What;
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "library/templates/report.html")]
struct ReportPage<'a> {
    f: &'a Frame,
    seen: &'a Seen,
    reasons: &'static [ReportReason],
    note: &'a str,
    /// Nothing was chosen.
    fault: bool,
    done: bool,
}

/// `GET /resources/{id}/report`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let seen = queries::find(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    page(&f, &ReportPage { f: &f, seen: &seen, reasons: ReportReason::ALL, note: "", fault: false, done: false })
}

/// `POST /resources/{id}/report`
pub async fn send(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let (id, member) = (id_of(&path)?, me.id);
    let viewer = Viewer::Member(me.0.clone());
    let seen = queries::find(&state, &viewer, id).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let shown = |note, fault, done| ReportPage { f: &f, seen: &seen, reasons: ReportReason::ALL, note, fault, done };
    let Some(reason) = ReportReason::parse(sent.get("reason")) else {
        return page_with_status(&f, &shown(sent.get("note"), true, false), StatusCode::UNPROCESSABLE_ENTITY);
    };
    let note = check(&[Text::body("note", sent.get("note"), BODY)], true)?.get("note").to_owned();
    state.limits.take(What::Mail, &format!("report:{member}")).await?;
    state.store.write(async move |tx| actions::flag(tx, member, id, reason, &note).await).await?;
    page(&f, &shown("", false, true))
}

#[derive(Debug, Deserialize)]
pub struct ReportsQuery {
    state: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "library/templates/reports.html")]
struct ReportsPage<'a> {
    f: &'a Frame,
    rows: Vec<ResourceReportView>,
    /// Whether the open ones are shown, or the settled.
    open: bool,
    /// Open reports of posts, and of resources.
    posts: i64,
    resources: i64,
    next: Option<String>,
}

/// `GET /reports/library`
pub async fn list(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ReportsQuery>,
) -> Result<HttpResponse> {
    let sight = moderated(&state, &me).await?;
    let open = query.state.as_deref() != Some("settled");
    let states: &[ReportState] =
        if open { &[ReportState::Open] } else { &[ReportState::Upheld, ReportState::Dismissed] };
    let asked = PageQuery { limit: None, cursor: query.cursor.clone() };
    let found = queries::reports(&state, sight.spaces(), states, &asked).await?;
    let (posts, resources) = (open_count(&state, &sight).await?, queries::open_reports(&state, sight.spaces()).await?);
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let settled = if open { "" } else { "state=settled&" };
    let next = found.next_cursor.map(|cursor| format!("/reports/library?{settled}cursor={cursor}"));
    page(&f, &ReportsPage { f: &f, rows: found.items, open, posts, resources, next })
}

/// `POST /reports/library/{id}`
pub async fn settle(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let (id, actor, reason) = (id_of(&path)?, me.id, clean_reason(sent.get("reason"))?);
    let (to, hide) = match sent.get("do") {
        "dismiss" => (ReportState::Dismissed, false),
        "uphold" => (ReportState::Upheld, false),
        "hide" => (ReportState::Upheld, true),
        _ => return Err(AppError::BadRequest("The form does not say what to do.".into())),
    };
    state.store.write(async move |tx| actions::settle(tx, actor, id, to, &reason, hide).await).await?;
    Ok(see_other("/reports/library"))
}

#[derive(Template)]
#[template(path = "library/templates/purge.html")]
struct PurgePage<'a> {
    f: &'a Frame,
    seen: &'a Seen,
    reason: &'a str,
}

/// `GET /resources/{id}/purge`: asks before it is done.
pub async fn purge_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    ask(&req, &state, me, id_of(&path)?, "").await
}

async fn ask(req: &HttpRequest, state: &AppState, me: Member, id: i64, reason: &str) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let seen = queries::find(state, &viewer, id).await?;
    seen.access.moderate()?;
    if seen.row.purged {
        return Err(AppError::Conflict("It was purged.".into()));
    }
    let f = Frame::new(state, req, &viewer).await?;
    page(&f, &PurgePage { f: &f, seen: &seen, reason })
}

/// `POST /resources/{id}/purge`: done with `sure`, asked for without.
pub async fn purge(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    if !sent.ticked("sure") {
        return ask(&req, &state, me, id, sent.get("reason")).await;
    }
    let (actor, reason) = (me.id, clean_reason(sent.get("reason"))?);
    state.store.write(async move |tx| actions::purge(tx, actor, id, &reason).await).await?;
    Ok(see_other(&format!("/resources/{}", path.as_str())))
}
