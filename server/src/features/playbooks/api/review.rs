//! The way of a case study, and what it said before.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::features::playbooks::actions::{self, Review, Verb};
use crate::features::playbooks::model::{
    ActView, PartDiff, RevisionContent, StudyRevisionFull, StudyRevisionView, StudyView,
};
use crate::features::playbooks::queries;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::IfMatch;
use crate::web::json::MaybeJson;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// What is said at a step.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct ReviewBody {
    /// At most 8,000 characters; needed for a return.
    #[serde(default, alias = "comment", alias = "comments", alias = "reason")]
    #[schema(max_length = 8_000)]
    note: String,
    /// The points of the playbook's checklist that are ticked, as they stand there.
    #[serde(default)]
    checklist: Vec<String>,
    #[serde(default)]
    confirmed: bool,
}

async fn step(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    slug: &str,
    verb: Verb,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    let of = body.value.unwrap_or_default();
    let review = Review { note: of.note, checklist: of.checklist, confirmed: of.confirmed };
    actions::review_once(state, me, slug, verb, &review, IfMatch::of(req)?, body.once).await
}

/// Ask for a review; its authors
#[utoipa::path(post, path = "/case-studies/{slug}/submit", tag = "case-studies", operation_id = "submit_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReviewBody>,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn submit(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    step(&req, &state, &me, &slug, Verb::Submit, body).await
}

/// Take a submission back; its authors
#[utoipa::path(post, path = "/case-studies/{slug}/withdraw", tag = "case-studies", operation_id = "withdraw_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReviewBody>,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn withdraw(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    step(&req, &state, &me, &slug, Verb::Withdraw, body).await
}

/// Publish what was submitted; a reviewer
#[utoipa::path(post, path = "/case-studies/{slug}/publish", tag = "case-studies", operation_id = "publish_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReviewBody>,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn publish(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    step(&req, &state, &me, &slug, Verb::Publish, body).await
}

/// Send back what was submitted, and say why; a reviewer
#[utoipa::path(post, path = "/case-studies/{slug}/return", tag = "case-studies", operation_id = "return_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReviewBody>,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn send_back(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    step(&req, &state, &me, &slug, Verb::Return, body).await
}

/// Take a case study off the lists; its authors and reviewers
#[utoipa::path(post, path = "/case-studies/{slug}/retire", tag = "case-studies", operation_id = "retire_case_study", params(("slug" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReviewBody>,
    responses((status = 200, body = StudyView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn retire(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: MaybeJson<ReviewBody>,
) -> Result<HttpResponse> {
    step(&req, &state, &me, &slug, Verb::Retire, body).await
}

/// Published revisions of a case study, the newest first
#[utoipa::path(get, path = "/case-studies/{slug}/revisions", tag = "case-studies", operation_id = "list_study_revisions", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<StudyRevisionView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn revisions(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &slug).await?;
    Ok(HttpResponse::Ok().json(queries::revisions(&state, &seen, &page).await?))
}

fn number_of(text: &str) -> Result<i32> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// A published revision with what it said
#[utoipa::path(get, path = "/case-studies/{slug}/revisions/{number}", tag = "case-studies", operation_id = "get_study_revision", params(("slug" = String, Path), ("number" = String, Path)),
    responses((status = 200, body = StudyRevisionFull), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn revision(
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &path.0).await?;
    Ok(HttpResponse::Ok().json(queries::revision(&state, &seen, number_of(&path.1)?).await?))
}

/// What a revision is compared with.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffQuery {
    /// Number of an older revision; the one before if absent.
    from: Option<String>,
}

/// How a revision differs from an older one, part by part
#[utoipa::path(get, path = "/case-studies/{slug}/revisions/{number}/diff", tag = "case-studies", operation_id = "diff_study_revision", params(("slug" = String, Path), ("number" = String, Path), DiffQuery),
    responses((status = 200, body = Page<PartDiff>), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn diff(
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<DiffQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &path.0).await?;
    let number = number_of(&path.1)?;
    let new = queries::revision(&state, &seen, number).await?;
    let from = match query.from.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => number_of(text)?,
        // The first that readers have is all new to them.
        None if number - 1 == seen.hidden_upto => 0,
        None => number - 1,
    };
    let old = if from == 0 {
        RevisionContent::default()
    } else {
        queries::content_of(queries::revision(&state, &seen, from).await?)
    };
    let items = web::block(move || queries::diff_revisions(&old, &queries::content_of(new))).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// The log of a case study's review, the newest first; for its authors and reviewers
#[utoipa::path(get, path = "/case-studies/{slug}/log", tag = "case-studies", operation_id = "list_study_acts", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<ActView>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn log(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0), &slug).await?;
    seen.standing.read_working()?;
    Ok(HttpResponse::Ok().json(queries::acts_of(&state, seen.id, &page).await?))
}
