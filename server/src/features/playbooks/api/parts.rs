//! `/case-studies/{slug}/parts/{key}`: each with its own version, its history and drafts.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::key_of;
use crate::app::AppState;
use crate::features::playbooks::actions::{self, DraftInput, PartInput, PartSave, Saved};
use crate::features::playbooks::measures::MeasureInput;
use crate::features::playbooks::model::{PartDraftView, PartRevisionView, PartView};
use crate::features::playbooks::parts::{PartGuide, guides as all_guides};
use crate::features::playbooks::queries;
use crate::web::error::{AppError, Problem, Result};
use crate::web::etag::IfMatch;
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::viewer::{Member, Viewer};

/// What of a part becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PartPatch {
    /// Markdown, at most 60,000 characters; of `summary` and `licence` one line, of `owner` a
    /// handle, of `review_due` a day.
    #[schema(max_length = 60_000)]
    body: Option<String>,
    /// By name; those that are named are replaced.
    fields: Option<BTreeMap<String, String>>,
    /// Of `outcomes`, at most 40.
    #[schema(max_items = 40)]
    measures: Option<Vec<MeasureInput>>,
    /// Why, for the history.
    #[serde(default)]
    #[schema(max_length = 255)]
    note: String,
    #[serde(default)]
    confirmed: bool,
}

/// 412 of a part: what somebody else has saved meanwhile. What was sent is kept as one's draft.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StalePart {
    #[serde(flatten)]
    problem: Problem,
    /// The part as it is now.
    current: PartView,
}

/// The parts that there are, with a sentence of guidance each
#[utoipa::path(get, path = "/case-studies/parts", tag = "case-studies", operation_id = "list_part_guides",
    responses((status = 200, body = Page<PartGuide>)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn guides() -> HttpResponse {
    HttpResponse::Ok().json(Page { items: all_guides(), next_cursor: None })
}

/// A part of the working copy
#[utoipa::path(get, path = "/case-studies/{slug}/parts/{key}", tag = "case-studies", operation_id = "get_part", params(("slug" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = PartView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn get(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0), &path.0).await?;
    let key = key_of(&path.1)?;
    seen.standing.read_working()?;
    let part = queries::part_of(state.store.read(), seen.id, key).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", part.etag.clone())).json(part))
}

/// Save a part
#[utoipa::path(patch, path = "/case-studies/{slug}/parts/{key}", tag = "case-studies", operation_id = "change_part", params(("slug" = String, Path), ("key" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = PartPatch,
    responses((status = 200, body = PartView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = StalePart), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: Json<PartPatch>,
) -> Result<HttpResponse> {
    let (of, key) = (body.value, key_of(&path.1)?);
    // A tag that no part here could have is as stale as any.
    let mut if_match = IfMatch::of(&req).unwrap_or_else(|_| IfMatch::version(Some(-1)));
    let whole = of.body.is_some() && of.fields.is_some() && of.measures.is_some();
    let mut input = PartInput::default();
    if !whole {
        let seen = queries::find_study(&state, &Viewer::Member(me.0.clone()), &path.0).await?;
        seen.standing.edit()?;
        let current = queries::part_of(state.store.read(), seen.id, key).await?;
        if if_match.asked().is_none() {
            // What stays is what it was when it was read here.
            if_match = IfMatch::version(Some(current.version));
        }
        let values = current.measures.iter().map(|measure| Ok(serde_json::from_value(serde_json::to_value(measure)?)?));
        input = PartInput {
            body: current.body,
            fields: current.fields,
            measures: values.collect::<Result<Vec<MeasureInput>>>()?,
        };
    }
    if let Some(body) = of.body {
        input.body = body;
    }
    if let Some(fields) = of.fields {
        input.fields.extend(fields);
    }
    if let Some(measures) = of.measures {
        input.measures = measures;
    }
    let save = PartSave { input, note: of.note, confirmed: of.confirmed, base: None };
    match actions::save_part(&state, &me, &path.0, key, &save, if_match).await? {
        Saved::Kept(part) => Ok(HttpResponse::Ok().insert_header(("ETag", part.etag.clone())).json(part)),
        Saved::Stale(current) => {
            let stale = StalePart { problem: AppError::Stale.problem(), current };
            let mut answer = HttpResponse::PreconditionFailed()
                .content_type("application/problem+json")
                .insert_header(("ETag", stale.current.etag.clone()))
                .body(serde_json::to_string(&stale)?);
            // So that it stays as it is where errors are dressed.
            answer.extensions_mut().insert(stale.problem);
            Ok(answer)
        }
    }
}

/// Every saved state of a part, the newest first
#[utoipa::path(get, path = "/case-studies/{slug}/parts/{key}/revisions", tag = "case-studies", operation_id = "list_part_revisions", params(("slug" = String, Path), ("key" = String, Path), PageQuery),
    responses((status = 200, body = Page<PartRevisionView>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn revisions(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0), &path.0).await?;
    let key = key_of(&path.1)?;
    seen.standing.read_working()?;
    Ok(HttpResponse::Ok().json(queries::part_revisions(&state, seen.id, key, &page).await?))
}

/// What is being typed.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct DraftBody {
    #[serde(default)]
    #[schema(max_length = 60_000)]
    body: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// As typed: not checked.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 40)]
    measures: Vec<Value>,
    /// The version of the part that the writing began from.
    #[serde(default)]
    base_version: i32,
}

/// One's drafts of all parts
#[utoipa::path(get, path = "/case-studies/{slug}/drafts", tag = "case-studies", operation_id = "list_part_drafts", params(("slug" = String, Path)),
    responses((status = 200, body = Page<PartDraftView>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn drafts(state: web::Data<AppState>, me: Member, slug: web::Path<String>) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0.clone()), &slug).await?;
    seen.standing.edit()?;
    let items: Vec<PartDraftView> = queries::drafts_of(&state, &me, seen.id).await?.into_values().collect();
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// One's draft of a part
#[utoipa::path(get, path = "/case-studies/{slug}/parts/{key}/draft", tag = "case-studies", operation_id = "get_part_draft", params(("slug" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = PartDraftView), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn get_draft(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &Viewer::Member(me.0.clone()), &path.0).await?;
    let key = key_of(&path.1)?;
    seen.standing.edit()?;
    let draft = queries::draft_of(state.store.read(), me.id, seen.id, key).await?.ok_or(AppError::NotFound)?;
    Ok(HttpResponse::Ok().json(draft))
}

/// Keep what is being typed into a part; nobody else sees it
#[utoipa::path(put, path = "/case-studies/{slug}/parts/{key}/draft", tag = "case-studies", operation_id = "put_part_draft", params(("slug" = String, Path), ("key" = String, Path)),
    request_body = DraftBody,
    responses((status = 200, body = PartDraftView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn put_draft(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: Json<DraftBody>,
) -> Result<HttpResponse> {
    let of = body.value;
    let draft = DraftInput { body: of.body, fields: of.fields, measures: of.measures, base_version: of.base_version };
    let kept = actions::keep_draft(&state, &me, &path.0, key_of(&path.1)?, &draft).await?;
    Ok(HttpResponse::Ok().json(kept))
}

/// Let a draft go
#[utoipa::path(delete, path = "/case-studies/{slug}/parts/{key}/draft", tag = "case-studies", operation_id = "delete_part_draft", params(("slug" = String, Path), ("key" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete_draft(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::drop_draft(&state, &me, &path.0, key_of(&path.1)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
