//! The API of administration.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::actions;
use super::model::{AdminMemberView, JobView, MemberChange, SettingsChange, SettingsView};
use super::queries::{self, MemberFilter};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, JobState, MemberState};
use crate::jobs;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, write_once};
use crate::web::json::{Json, MaybeJson};
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Administrator, AdministratorInPerson};

/// The hub's settings.
#[utoipa::path(get, path = "/admin/settings", tag = "admin",
    responses((status = 200, body = SettingsView), (status = 401, body = Problem), (status = 403, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn get_settings(state: web::Data<AppState>, _me: Administrator) -> Result<web::Json<SettingsView>> {
    Ok(web::Json(SettingsView::of(&state.settings.current(&state).await?)))
}

/// Changes the hub's settings; what is absent stays.
#[utoipa::path(patch, path = "/admin/settings", tag = "admin", request_body = SettingsChange,
    responses((status = 200, body = SettingsView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn patch_settings(
    state: web::Data<AppState>,
    me: Administrator,
    body: Json<SettingsChange>,
) -> Result<web::Json<SettingsView>> {
    actions::change_settings(&state, me.id, body.value).await?;
    Ok(web::Json(SettingsView::of(&state.settings.current(&state).await?)))
}

/// The query of the list of members.
#[derive(Debug, Default, Deserialize)]
pub struct MemberQuery {
    pub q: Option<String>,
    pub state: Option<String>,
    pub role: Option<String>,
    #[serde(flatten)]
    pub page: PageQuery,
}

impl MemberQuery {
    /// The filter, checked.
    pub fn filter(&self) -> Result<MemberFilter> {
        let state = match self.state.as_deref() {
            None | Some("") => None,
            Some(word) => Some(
                MemberState::parse(word)
                    .ok_or_else(|| AppError::field("state", "is active, unclaimed or suspended"))?,
            ),
        };
        let role = match self.role.as_deref() {
            None | Some("") => None,
            Some(word) => Some(
                HubRole::parse(word)
                    .ok_or_else(|| AppError::field("role", "is member, expert, facilitator or administrator"))?,
            ),
        };
        let q = self.q.clone().unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
        Ok(MemberFilter { q, state, role })
    }
}

/// All members with their addresses and states, the newest first.
#[utoipa::path(get, path = "/admin/members", tag = "admin",
    params(("q" = Option<String>, Query, description = "Part of a name, handle or address."),
        ("state" = Option<String>, Query, description = "`active`, `unclaimed` or `suspended`."),
        ("role" = Option<String>, Query, description = "`member`, `expert`, `facilitator` or `administrator`."),
        PageQuery),
    responses((status = 200, body = Page<AdminMemberView>), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn list_members(
    state: web::Data<AppState>,
    _me: Administrator,
    query: web::Query<MemberQuery>,
) -> Result<web::Json<Page<AdminMemberView>>> {
    let (filter, after, limit) = (query.filter()?, query.page.after()?, query.page.limit()?);
    Ok(web::Json(queries::members(&state, &filter, after, limit).await?))
}

/// Gives a member another role in the hub.
#[utoipa::path(patch, path = "/admin/members/{handle}", tag = "admin", params(("handle" = String, Path)),
    request_body = MemberChange,
    responses((status = 200, body = AdminMemberView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "No administrator would be left.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn patch_member(
    state: web::Data<AppState>,
    me: AdministratorInPerson,
    path: web::Path<String>,
    body: Json<MemberChange>,
) -> Result<web::Json<AdminMemberView>> {
    let (actor, handle, role) = (me.id, path.into_inner(), body.value.role);
    let row = state.store.write(async move |tx| actions::set_role(tx, actor, &handle, role).await).await?;
    Ok(web::Json(AdminMemberView::of(row)))
}

/// The query of the list of jobs.
#[derive(Debug, Deserialize)]
pub struct JobQuery {
    pub state: Option<String>,
    #[serde(flatten)]
    pub page: PageQuery,
}

/// Jobs by state, the newest first; what they carry is not shown.
#[utoipa::path(get, path = "/admin/jobs", tag = "admin",
    params(("state" = Option<String>, Query, description = "`ready`, `running` or `dead`; all if absent."), PageQuery),
    responses((status = 200, body = Page<JobView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn list_jobs(
    state: web::Data<AppState>,
    _me: Administrator,
    query: web::Query<JobQuery>,
) -> Result<web::Json<Page<JobView>>> {
    let is = match query.state.as_deref() {
        None | Some("") => None,
        Some(word) => {
            Some(JobState::parse(word).ok_or_else(|| AppError::field("state", "is ready, running, done or dead"))?)
        }
    };
    let (after, limit) = (query.page.after()?, query.page.limit()?);
    Ok(web::Json(queries::jobs(&state, is, after, limit).await?))
}

/// Gives a job that was given up another round of attempts; once for its `Idempotency-Key`.
#[utoipa::path(post, path = "/admin/jobs/{id}/retry", tag = "admin", params(("id" = Id, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, description = "There is no such job among those given up.", body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn retry_job(
    state: web::Data<AppState>,
    me: Administrator,
    path: web::Path<String>,
    body: MaybeJson<serde::de::IgnoredAny>,
) -> Result<HttpResponse> {
    let id: Id = path.parse().map_err(|_| AppError::NotFound)?;
    write_once(&state, me.id, body.once, async move |tx| {
        jobs::retry_dead(tx, id.0).await?;
        Ok(Answer { status: 204, location: None, etag: None, body: String::new(), subject: None })
    })
    .await
}
