//! `/playbooks/{slug}/scenarios` and the studies in them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::id_of;
use crate::app::AppState;
use crate::features::playbooks::actions::{self, NewScenario, ScenarioChange};
use crate::features::playbooks::model::ScenarioView;
use crate::features::playbooks::queries;
use crate::web::error::{Problem, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Member, Viewer};

/// A new scenario.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ScenarioBody {
    /// What somebody needs: `I need to read chest X-rays faster`.
    #[schema(max_length = 200)]
    title: String,
    /// Markdown.
    #[serde(default)]
    #[schema(max_length = 60_000)]
    description: String,
    /// Markdown each, in order; at most 60.
    #[serde(default)]
    #[schema(max_items = 60)]
    steps: Vec<String>,
    #[serde(default)]
    confirmed: bool,
}

/// What of a scenario becomes new; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ScenarioPatch {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 60_000)]
    description: Option<String>,
    #[schema(max_items = 60)]
    steps: Option<Vec<String>>,
    /// From 0: its place among the others.
    position: Option<i32>,
    #[serde(default)]
    confirmed: bool,
}

/// Scenarios of a playbook, in their order
#[utoipa::path(get, path = "/playbooks/{slug}/scenarios", tag = "playbooks", operation_id = "list_scenarios", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = Page<ScenarioView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn list(
    state: web::Data<AppState>,
    viewer: Viewer,
    slug: web::Path<String>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let (limit, after) = (page.limit()?, page.after()?);
    let view = queries::playbook_view(&state, &viewer, &slug).await?;
    // They are few, and all at hand: a place is one in their order.
    let skip = after.and_then(|place| usize::try_from(place.key).ok()).unwrap_or(0);
    let rows: Vec<_> = view.scenarios.into_iter().enumerate().skip(skip).collect();
    let next = |(at, _): &(usize, ScenarioView)| {
        let key = i64::try_from(at + 1).unwrap_or(i64::MAX);
        Place { key, id: key }.encode()
    };
    Ok(HttpResponse::Ok().json(Page::cut_at(rows, limit, next).map(|(_, scenario)| scenario)))
}

/// Add a scenario to a playbook
#[utoipa::path(post, path = "/playbooks/{slug}/scenarios", tag = "playbooks", operation_id = "create_scenario", params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ScenarioBody,
    responses((status = 201, body = ScenarioView, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn create(
    state: web::Data<AppState>,
    me: Member,
    slug: web::Path<String>,
    body: Json<ScenarioBody>,
) -> Result<HttpResponse> {
    let Json { value, once } = body;
    let new = NewScenario {
        title: value.title,
        description: value.description,
        steps: value.steps,
        confirmed: value.confirmed,
    };
    actions::add_scenario_once(&state, &me, &slug, &new, once).await
}

/// A scenario
#[utoipa::path(get, path = "/playbooks/{slug}/scenarios/{id}", tag = "playbooks", operation_id = "get_scenario", params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ScenarioView, headers(("ETag" = String))), (status = 401, body = Problem), (status = 404, body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
pub(super) async fn get(
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let book = queries::find_playbook(&state, &viewer, &path.0).await?;
    let view = queries::scenario_view(state.store.read(), &state, &viewer, book.id, id_of(&path.1)?).await?;
    Ok(HttpResponse::Ok().insert_header(("ETag", of_version(view.version))).json(view))
}

/// Change a scenario
#[utoipa::path(patch, path = "/playbooks/{slug}/scenarios/{id}", tag = "playbooks", operation_id = "change_scenario", params(("slug" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ScenarioPatch,
    responses((status = 200, body = ScenarioView, headers(("ETag" = String))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn patch(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    body: Json<ScenarioPatch>,
) -> Result<HttpResponse> {
    let of = body.value;
    let change = ScenarioChange {
        title: of.title,
        description: of.description,
        steps: of.steps,
        position: of.position,
        confirmed: of.confirmed,
    };
    let id = id_of(&path.1)?;
    actions::edit_scenario(&state, &me, &path.0, id, &change, IfMatch::of(&req)?).await?;
    get(state, Viewer::Member(me.0), path).await
}

/// Take a scenario out of a playbook; its case studies stay
#[utoipa::path(delete, path = "/playbooks/{slug}/scenarios/{id}", tag = "playbooks", operation_id = "delete_scenario", params(("slug" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    actions::remove_scenario(&state, &me, &path.0, id_of(&path.1)?, IfMatch::of(&req)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Put a published case study into a scenario
#[utoipa::path(put, path = "/playbooks/{slug}/scenarios/{id}/studies/{study}", tag = "playbooks", operation_id = "put_scenario_study", params(("slug" = String, Path), ("id" = String, Path), ("study" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn put_study(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse> {
    actions::place_study(&state, &me, &path.0, id_of(&path.1)?, &path.2, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a case study out of a scenario
#[utoipa::path(delete, path = "/playbooks/{slug}/scenarios/{id}/studies/{study}", tag = "playbooks", operation_id = "delete_scenario_study", params(("slug" = String, Path), ("id" = String, Path), ("study" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn delete_study(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse> {
    actions::place_study(&state, &me, &path.0, id_of(&path.1)?, &path.2, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
