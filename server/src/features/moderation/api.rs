//! The API of reports and acts.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::model::{FlagView, NewFlag, Reason, ReportView};
use super::record::clean_reason;
use super::{acts, messages, purge, queries, reports, studies, suspend};
use crate::app::AppState;
use crate::entities::kinds::ReportState;
use crate::entities::report;
use crate::store::{Id, Tx};
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::json::{Json, MaybeJson};
use crate::web::pagination::{Page, PageQuery};
use crate::web::rate_limit::What;
use crate::web::viewer::{AdministratorInPerson, Member};

/// The id in a path; what is no id leads nowhere.
pub fn id_of(text: &str) -> Result<i64> {
    text.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

/// Reports a post to the moderators of its space. A second report while the first is open
/// returns the first.
#[utoipa::path(post, path = "/posts/{id}/flags", tag = "moderation", params(("id" = Id, Path)),
    request_body = NewFlag,
    responses((status = 201, body = FlagView), (status = 200, description = "The open report there is.", body = FlagView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn flag_post(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: Json<NewFlag>,
) -> Result<HttpResponse> {
    let post = id_of(&path)?;
    let Json { value, once } = body;
    let checked = check(&[Text::body("note", &value.note, BODY)], value.confirmed)?;
    state.limits.take(What::Mail, &format!("report:{}", me.id)).await?;
    let (member, note) = (me.id, checked.get("note").to_owned());
    write_once(&state, member, once, async move |tx| {
        flagged(reports::flag_post(tx, member, post, value.reason, &note).await?)
    })
    .await
}

/// Reports a message to the moderators of its space, one of a direct conversation to the
/// administrators. A second report while the first is open returns the first.
#[utoipa::path(post, path = "/messages/{id}/flags", tag = "moderation", params(("id" = Id, Path)),
    request_body = NewFlag,
    responses((status = 201, body = FlagView), (status = 200, description = "The open report there is.", body = FlagView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn flag_message(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: Json<NewFlag>,
) -> Result<HttpResponse> {
    let message = id_of(&path)?;
    let Json { value, once } = body;
    let checked = check(&[Text::body("note", &value.note, BODY)], value.confirmed)?;
    state.limits.take(What::Mail, &format!("report:{}", me.id)).await?;
    let (member, note) = (me.id, checked.get("note").to_owned());
    write_once(&state, member, once, async move |tx| {
        flagged(messages::flag_message(tx, member, message, value.reason, &note).await?)
    })
    .await
}

/// Reports a case study to the moderators of its playbook's space, one of a playbook without a
/// space to the administrators. A second report while the first is open returns the first.
#[utoipa::path(post, path = "/case-studies/{slug}/flags", tag = "moderation", operation_id = "flag_case_study", params(("slug" = String, Path)),
    request_body = NewFlag,
    responses((status = 201, body = FlagView), (status = 200, description = "The open report there is.", body = FlagView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn flag_study(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: Json<NewFlag>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let checked = check(&[Text::body("note", &value.note, BODY)], value.confirmed)?;
    state.limits.take(What::Mail, &format!("report:{}", me.id)).await?;
    let (member, slug, note) = (me.id, path.into_inner(), checked.get("note").to_owned());
    write_once(&state, member, once, async move |tx| {
        flagged(studies::flag_study(tx, member, &slug, value.reason, &note).await?)
    })
    .await
}

/// Takes a published case study from its readers and settles its reports. Its authors and reviewers
/// still see it; a new revision that is reviewed brings it back.
#[utoipa::path(post, path = "/case-studies/{slug}/hide", tag = "moderation", operation_id = "hide_case_study", params(("slug" = String, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "Nothing of it is published.", body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn hide_study(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, slug) = (me.id, path.into_inner());
    act(&state, actor, body, async move |tx, reason| studies::hide_study(tx, actor, &slug, reason).await).await
}

/// 201 for a new report, 200 for the open one there is.
fn flagged((row, new): (report::Model, bool)) -> Result<Answer> {
    let view = FlagView::of(&row);
    if new {
        Answer::created(format!("/api/v1/reports/{}", view.id), &view, Some(row.id))
    } else {
        Answer::ok(200, &view, Some(row.id))
    }
}

/// Takes a reported message away and settles its reports. It leaves a stub; its history is kept.
/// Moderators of its space, administrators for one of a direct conversation.
#[utoipa::path(post, path = "/messages/{id}/remove", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn remove_message(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| messages::remove_reported(tx, actor, id, reason).await).await
}

/// The query of the list of reports.
#[derive(Debug, Deserialize)]
pub struct ReportQuery {
    state: Option<String>,
    #[serde(flatten)]
    page: PageQuery,
}

/// Reports from the spaces one moderates, the newest first; for facilitators also from open and
/// restricted spaces.
#[utoipa::path(get, path = "/reports", tag = "moderation",
    params(("state" = Option<String>, Query, description = "`open`, `upheld` or `dismissed`; all if absent."), PageQuery),
    responses((status = 200, body = Page<ReportView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn list_reports(
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<ReportQuery>,
) -> Result<web::Json<Page<ReportView>>> {
    let states = match query.state.as_deref() {
        None | Some("") => ReportState::ALL.to_vec(),
        Some(word) => {
            vec![ReportState::parse(word).ok_or_else(|| AppError::field("state", "is open, upheld or dismissed"))?]
        }
    };
    let (after, limit) = (query.page.after()?, query.page.limit()?);
    let sight = queries::moderated(&state, &me).await?;
    Ok(web::Json(queries::reports(&state, &sight, &states, after, limit).await?))
}

/// One report.
#[utoipa::path(get, path = "/reports/{id}", tag = "moderation", params(("id" = Id, Path)),
    responses((status = 200, body = ReportView), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn get_report(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<web::Json<ReportView>> {
    Ok(web::Json(queries::report(&state, &me, id_of(&path)?).await?))
}

/// Settles a report: nothing is wrong with the post or message.
#[utoipa::path(post, path = "/reports/{id}/dismiss", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 200, body = FlagView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "It is settled.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn dismiss_report(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    settle(&state, &me, &path, body, ReportState::Dismissed).await
}

/// Settles a report: it was right.
#[utoipa::path(post, path = "/reports/{id}/uphold", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 200, body = FlagView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "It is settled.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn uphold_report(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    settle(&state, &me, &path, body, ReportState::Upheld).await
}

async fn settle(
    state: &AppState,
    me: &Member,
    id: &str,
    body: MaybeJson<Reason>,
    to: ReportState,
) -> Result<HttpResponse> {
    let (id, actor, reason) = (id_of(id)?, me.id, clean_reason(&body.value.unwrap_or_default().reason)?);
    write_once(state, actor, body.once, async move |tx| {
        let row = reports::settle(tx, actor, id, to, &reason).await?;
        Answer::ok(200, &FlagView::of(&row), Some(row.id))
    })
    .await
}

/// Hides a post behind a stub.
#[utoipa::path(post, path = "/posts/{id}/hide", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "It was purged.", body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn hide_post(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| acts::hide_post(tx, actor, id, true, reason).await.map(drop)).await
}

/// Shows a hidden post again.
#[utoipa::path(post, path = "/posts/{id}/unhide", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "It was purged.", body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn unhide_post(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| acts::hide_post(tx, actor, id, false, reason).await.map(drop))
        .await
}

/// Purges a post: its text, history, files and every stored copy are gone for good. The first
/// post of a topic takes the title and tags with it.
#[utoipa::path(post, path = "/posts/{id}/purge", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn purge_post(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| purge::purge_post(tx, actor, id, reason).await.map(drop)).await
}

/// Hides a topic from all but moderators.
#[utoipa::path(post, path = "/topics/{id}/hide", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn hide_topic(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| acts::hide_topic(tx, actor, id, true, reason).await.map(drop))
        .await
}

/// Shows a hidden topic again.
#[utoipa::path(post, path = "/topics/{id}/unhide", tag = "moderation", params(("id" = Id, Path)), request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn unhide_topic(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, id) = (me.id, id_of(&path)?);
    act(&state, actor, body, async move |tx, reason| acts::hide_topic(tx, actor, id, false, reason).await.map(drop))
        .await
}

/// Suspends a member: sessions, tokens and sockets end at once.
#[utoipa::path(post, path = "/members/{handle}/suspend", tag = "moderation", params(("handle" = String, Path)),
    request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "Oneself, or the last administrator.", body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn suspend_member(
    state: web::Data<AppState>,
    me: AdministratorInPerson,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, handle) = (me.id, path.into_inner());
    act(&state, actor, body, async move |tx, reason| suspend::suspend(tx, actor, &handle, reason).await).await
}

/// Lets a suspended member sign in again.
#[utoipa::path(post, path = "/members/{handle}/unsuspend", tag = "moderation", params(("handle" = String, Path)),
    request_body = Option<Reason>,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn unsuspend_member(
    state: web::Data<AppState>,
    me: AdministratorInPerson,
    path: web::Path<String>,
    body: MaybeJson<Reason>,
) -> Result<HttpResponse> {
    let (actor, handle) = (me.id, path.into_inner());
    act(&state, actor, body, async move |tx, reason| suspend::unsuspend(tx, actor, &handle, reason).await).await
}

/// Runs an act with its reason, once for its key; 204.
async fn act<F>(state: &AppState, actor: i64, body: MaybeJson<Reason>, action: F) -> Result<HttpResponse>
where
    F: AsyncFn(&mut Tx, &str) -> Result<()> + Send + 'static,
{
    let once: Option<Once> = body.once;
    let reason = clean_reason(&body.value.unwrap_or_default().reason)?;
    write_once(state, actor, once, async move |tx| {
        action(tx, &reason).await?;
        Ok(Answer { status: 204, location: None, etag: None, body: String::new(), subject: None })
    })
    .await
}
