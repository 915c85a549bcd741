//! Kept searches by JSON.

use actix_web::{HttpResponse, web};

use super::api::reach_of;
use super::saved::{self, NewSaved, SavedChange, SavedView};
use crate::app::AppState;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, write_once};
use crate::web::json::Json;
use crate::web::pagination::Page;
use crate::web::viewer::{Member, Viewer};

/// The searches one keeps, the newest first
#[utoipa::path(get, path = "/me/searches", tag = "search",
    responses((status = 200, body = Page<SavedView>), (status = 401, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn list(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let items = saved::of_member(state.store.read(), me.id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// Keep a search
#[utoipa::path(post, path = "/me/searches", tag = "search", request_body = NewSaved,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = SavedView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn save(state: web::Data<AppState>, me: Member, sent: Json<NewSaved>) -> Result<HttpResponse> {
    let (ready, asked) = sent.value.ready()?;
    let reach = reach_of(&state, &Viewer::Member(std::sync::Arc::clone(&me.0))).await?;
    asked.check(&state, &reach).await?;
    let member = me.id;
    write_once(&state, member, sent.once, async move |tx| {
        let view = saved::keep(tx, member, &ready).await?;
        Answer::created(format!("/api/v1/me/searches/{}", view.id), &view, None)
    })
    .await
}

/// Rename a kept search, or switch its notices
#[utoipa::path(patch, path = "/me/searches/{id}", tag = "search", params(("id" = String, Path)),
    request_body = SavedChange,
    responses((status = 200, body = SavedView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn change(
    state: web::Data<AppState>,
    me: Member,
    id: web::Path<String>,
    sent: Json<SavedChange>,
) -> Result<HttpResponse> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let (member, change) = (me.id, sent.value);
    let view = state.store.write(async move |tx| saved::change(tx, member, id.0, &change).await).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Delete a kept search
#[utoipa::path(delete, path = "/me/searches/{id}", tag = "search", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn forget(state: web::Data<AppState>, me: Member, id: web::Path<String>) -> Result<HttpResponse> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let member = me.id;
    state.store.write(async move |tx| saved::forget(tx, member, id.0).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
