//! Reactions and pins.

use actix_web::{HttpResponse, web};

use super::{Target, id_of};
use crate::app::AppState;
use crate::features::chat::actions;
use crate::web::error::{Problem, Result};
use crate::web::viewer::Member;

/// Put an emoji to a message
#[utoipa::path(put, path = "/messages/{id}/reactions/{emoji}", tag = "chat", params(("id" = String, Path), ("emoji" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn react(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, emoji) = path.into_inner();
    actions::set_reaction(&state, &me, id_of(&id)?, &emoji, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an emoji back
#[utoipa::path(delete, path = "/messages/{id}/reactions/{emoji}", tag = "chat", params(("id" = String, Path), ("emoji" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unreact(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (id, emoji) = path.into_inner();
    actions::set_reaction(&state, &me, id_of(&id)?, &emoji, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Pin a message to its room
#[utoipa::path(put, path = "/messages/{id}/pin", tag = "chat", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn pin(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_pinned(&state, &me, id.0, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No longer pin a message
#[utoipa::path(delete, path = "/messages/{id}/pin", tag = "chat", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub(super) async fn unpin(state: web::Data<AppState>, me: Member, id: Target) -> Result<HttpResponse> {
    actions::set_pinned(&state, &me, id.0, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
