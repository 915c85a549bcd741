//! Reports of resources, and what moderators do about them.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Target, id_of};
use crate::app::AppState;
use crate::entities::kinds::ReportState;
use crate::features::library::actions;
use crate::features::library::model::ResourceReportView;
use crate::features::library::queries;
use crate::features::moderation::{NewFlag, Reason, clean_reason, moderated};
use crate::store::Id;
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::json::{Json, MaybeJson};
use crate::web::pagination::{Page, PageQuery};
use crate::web::rate_limit::What;
use crate::web::viewer::Member;

/// Report a resource to the moderators of its space. A second report while the first is open
/// returns the first
#[utoipa::path(post, path = "/resources/{id}/flags", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NewFlag,
    responses((status = 201, description = "`{id, resource_id, reason, state}`"), (status = 200, description = "The open report there is."),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn flag(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: Json<NewFlag>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let checked = check(&[Text::body("note", &value.note, BODY)], value.confirmed)?;
    state.limits.take(What::Mail, &format!("report:{}", me.id)).await?;
    let (member, resource, note) = (me.id, id.0, checked.get("note").to_owned());
    write_once(&state, member, once, async move |tx| {
        let (row, new) = actions::flag(tx, member, resource, value.reason, &note).await?;
        let view = json!({
            "id": Id(row.id),
            "resource_id": Id(row.resource_id),
            "reason": row.reason,
            "note": row.note,
            "state": row.state,
        });
        if new {
            Answer::created(format!("/api/v1/resource-reports/{}", Id(row.id)), &view, Some(resource))
        } else {
            Answer::ok(200, &view, Some(resource))
        }
    })
    .await
}

/// The query of the list of reports.
#[derive(Debug, Deserialize)]
pub(super) struct ReportQuery {
    state: Option<String>,
}

/// Reports of resources in the spaces one moderates, the newest first
#[utoipa::path(get, path = "/resource-reports", tag = "library",
    params(("state" = Option<String>, Query, description = "`open`, `upheld` or `dismissed`; all if absent."), PageQuery),
    responses((status = 200, body = Page<ResourceReportView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ReportQuery>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let states = match query.state.as_deref() {
        None | Some("") => ReportState::ALL.to_vec(),
        Some(word) => {
            vec![ReportState::parse(word).ok_or_else(|| AppError::field("state", "is open, upheld or dismissed"))?]
        }
    };
    let sight = moderated(&state, &me).await?;
    Ok(HttpResponse::Ok().json(queries::reports(&state, sight.spaces(), &states, &page).await?))
}

/// Settle a report and the others of the same resource: they were right
#[utoipa::path(post, path = "/resource-reports/{id}/uphold", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "It is settled.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn uphold(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    settle(&state, &me, &path, ReportState::Upheld, body).await
}

/// Settle a report and the others of the same resource: nothing is wrong
#[utoipa::path(post, path = "/resource-reports/{id}/dismiss", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "It is settled.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn dismiss(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    settle(&state, &me, &path, ReportState::Dismissed, body).await
}

async fn settle(
    state: &AppState,
    me: &Member,
    id: &str,
    to: ReportState,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(id)?);
    let reason = clean_reason(&body.value.unwrap_or_default().reason)?;
    write_once(state, actor, body.once, async move |tx| {
        actions::settle(tx, actor, id, to, &reason, false).await?;
        Ok(Answer::empty())
    })
    .await
}

/// Hide a resource from all but moderators
#[utoipa::path(post, path = "/resources/{id}/hide", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn hide(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    set_hidden(&state, &me, id, true, body).await
}

/// Show a hidden resource again
#[utoipa::path(post, path = "/resources/{id}/unhide", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unhide(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    set_hidden(&state, &me, id, false, body).await
}

async fn set_hidden(
    state: &AppState,
    me: &Member,
    id: Target,
    hidden: bool,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, reason) = (me.id, clean_reason(&body.value.unwrap_or_default().reason)?);
    let once: Option<Once> = body.once;
    write_once(state, actor, once, async move |tx| {
        actions::hide(tx, actor, id.0, hidden, &reason).await?;
        Ok(Answer::empty())
    })
    .await
}

/// Take a resource out of every row for good: its texts, versions and files
#[utoipa::path(post, path = "/resources/{id}/purge", tag = "library", params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn purge(
    state: web::Data<AppState>,
    me: Member,
    id: Target,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, reason) = (me.id, clean_reason(&body.value.unwrap_or_default().reason)?);
    write_once(&state, actor, body.once, async move |tx| {
        actions::purge(tx, actor, id.0, &reason).await?;
        Ok(Answer::empty())
    })
    .await
}
