//! `/me/sessions`, `/me/tokens` and `/invitations`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invitations::{self, InvitationView};
use super::{sessions, tokens};
use crate::app::AppState;
use crate::entities::{api_token, session};
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::web::error::{AppError, Problem, Result};
use crate::web::idempotency::{Answer, write_once};
use crate::web::json::Json;
use crate::web::pagination::{Page, PageQuery};
use crate::web::rate_limit::What;
use crate::web::viewer::{Me, Member, Via};

/// One sign-in of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    pub id: Id,
    /// `browser` or `tokens`.
    pub kind: String,
    pub user_agent: String,
    pub shared: bool,
    /// Whether this request came by it.
    pub current: bool,
    pub created_at: String,
    pub used_at: String,
    pub expires_at: String,
}

fn session_view(row: session::Model, me: &Me) -> SessionView {
    SessionView {
        id: Id(row.id),
        kind: row.kind,
        user_agent: row.user_agent,
        shared: row.shared,
        current: row.id == me.session_id,
        created_at: rfc3339(row.created_at),
        used_at: rfc3339(row.used_at),
        expires_at: rfc3339(row.expires_at),
    }
}

/// A personal API token without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    pub id: Id,
    pub name: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub used_at: Option<String>,
}

/// A token just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTokenView {
    #[serde(flatten)]
    pub info: TokenView,
    /// The token itself, shown this once.
    pub token: String,
}

fn token_view(row: &api_token::Model) -> TokenView {
    TokenView {
        id: Id(row.id),
        name: row.name.clone(),
        created_at: rfc3339(row.created_at),
        expires_at: row.expires_at.map(rfc3339),
        used_at: row.used_at.map(rfc3339),
    }
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewToken {
    name: String,
    /// 1 to 366; 90 if absent.
    expires_in_days: Option<i64>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewInvitations {
    /// Up to 200 addresses.
    emails: Vec<String>,
    /// Slugs of spaces that the invited join.
    #[serde(default)]
    spaces: Vec<String>,
    #[serde(default)]
    message: String,
}

/// The invitations that were made, one for each address, whether or not it is a member's.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationsView {
    pub items: Vec<InvitationView>,
    /// `queued`, or `held`: no mail server is set up, so nothing reaches anybody by mail and the
    /// links have to be passed on.
    pub mail: &'static str,
}

/// A token cannot make or end what outlives it.
fn not_by_token(me: &Me) -> Result<()> {
    if me.via == Via::ApiToken {
        return Err(AppError::Forbidden("Sign in for this; an API token cannot do it.".into()));
    }
    Ok(())
}

#[utoipa::path(get, path = "/me/sessions", tag = "me", responses(
    (status = 200, body = Page<SessionView>), (status = 401, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn list_sessions(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let rows = sessions::living(&state, me.id).await?;
    let items: Vec<SessionView> = rows.into_iter().map(|row| session_view(row, &me)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

#[utoipa::path(delete, path = "/me/sessions", tag = "me", description = "Ends all sessions but this one.", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn end_other_sessions(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    not_by_token(&me)?;
    let (id, this) = (me.id, me.session_id);
    state.store.write(async move |tx| sessions::end_all(tx, id, Some(this)).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[utoipa::path(delete, path = "/me/sessions/{id}", tag = "me", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn end_session(state: web::Data<AppState>, me: Member, id: web::Path<Id>) -> Result<HttpResponse> {
    not_by_token(&me)?;
    let (member, session) = (me.id, id.into_inner().0);
    state.store.write(async move |tx| sessions::end_own(tx, member, session).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[utoipa::path(get, path = "/me/tokens", tag = "me", responses(
    (status = 200, body = Page<TokenView>), (status = 401, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn list_tokens(state: web::Data<AppState>, me: Member) -> Result<HttpResponse> {
    let items: Vec<TokenView> = tokens::list(&state, me.id).await?.iter().map(token_view).collect();
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

#[utoipa::path(post, path = "/me/tokens", tag = "me", request_body = NewToken, responses(
    (status = 201, body = NewTokenView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn make_token(state: web::Data<AppState>, me: Member, body: Json<NewToken>) -> Result<HttpResponse> {
    not_by_token(&me)?;
    let (member, inner) = (me.id, state.clone());
    let (name, days) = (body.value.name, body.value.expires_in_days.unwrap_or(90));
    let kept = write_once(&state, me.id, body.once, async move |tx| {
        let row = tokens::make(&inner, tx, member, &name, days).await?;
        Answer::created(format!("/api/v1/me/tokens/{}", Id(row.id)), &token_view(&row), Some(row.id))
    })
    .await?;
    // The secret is put into the answer here: what is kept for a repeat holds none.
    complete(kept, |view| {
        let secret = tokens::secret(&state, id_in(view)?);
        if let Some(object) = view.as_object_mut() {
            object.insert("token".into(), secret.into());
        }
        Ok(())
    })
    .await
}

#[utoipa::path(delete, path = "/me/tokens/{id}", tag = "me", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn revoke_token(state: web::Data<AppState>, me: Member, id: web::Path<Id>) -> Result<HttpResponse> {
    let (member, token) = (me.id, id.into_inner().0);
    // A token may end itself, and no other.
    if me.session_id != token {
        not_by_token(&me)?;
    }
    state.store.write(async move |tx| tokens::revoke(tx, member, token).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[utoipa::path(get, path = "/invitations", tag = "invitations", params(PageQuery), responses(
    (status = 200, body = Page<InvitationView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn list_invitations(
    state: web::Data<AppState>,
    me: Member,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    if !invitations::may_invite(&me) {
        return Err(AppError::Forbidden("Only those who can invite see invitations.".into()));
    }
    Ok(HttpResponse::Ok().json(invitations::list(&state, &me, &page).await?))
}

#[utoipa::path(post, path = "/invitations", tag = "invitations", request_body = NewInvitations, responses(
    (status = 201, body = InvitationsView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)), security(("bearer" = []), ("session" = [])))]
pub async fn invite(state: web::Data<AppState>, me: Member, body: Json<NewInvitations>) -> Result<HttpResponse> {
    state.limits.take(What::Mail, &me.id.to_string()).await?;
    let NewInvitations { emails, spaces, message } = body.value;
    let (good, bad) = invitations::parse_list(&emails.join("\n"));
    if !bad.is_empty() {
        return Err(AppError::Invalid(invitations::faults_of(&bad)));
    }
    let (by, inner) = (me.id, state.clone());
    let mail = if state.mailer.is_configured() { "queued" } else { "held" };
    let kept = write_once(&state, me.id, body.once, async move |tx| {
        let items = invitations::invite(&inner, tx, by, &good, &spaces, &message).await?;
        Answer::created("/api/v1/invitations".into(), &InvitationsView { items, mail }, None)
    })
    .await?;
    // The links are put into the answer here: what is kept for a repeat holds none.
    complete(kept, |view| {
        for item in view.get_mut("items").and_then(serde_json::Value::as_array_mut).into_iter().flatten() {
            let link = invitations::link_of(&state, id_in(item)?);
            if let Some(object) = item.as_object_mut() {
                object.insert("link".into(), link.into());
            }
        }
        Ok(())
    })
    .await
}

/// An answer with something more in its body than is kept of it.
async fn complete(kept: HttpResponse, more: impl FnOnce(&mut serde_json::Value) -> Result<()>) -> Result<HttpResponse> {
    let (head, body) = kept.into_parts();
    let bytes = actix_web::body::to_bytes(body).await.map_err(|_| AppError::internal("an answer has no body"))?;
    let mut view: serde_json::Value = serde_json::from_slice(&bytes)?;
    more(&mut view)?;
    Ok(head.set_body(actix_web::body::BoxBody::new(serde_json::to_vec(&view)?)))
}

fn id_in(view: &serde_json::Value) -> Result<i64> {
    let id = view.get("id").and_then(serde_json::Value::as_str).and_then(|id| id.parse::<Id>().ok());
    id.map(|id| id.0).ok_or_else(|| AppError::internal("an answer has no id"))
}

#[utoipa::path(delete, path = "/invitations/{id}", tag = "invitations", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)),
    security(("bearer" = []), ("session" = [])))]
pub async fn revoke_invitation(state: web::Data<AppState>, me: Member, id: web::Path<Id>) -> Result<HttpResponse> {
    let (by, id) = (me.id, id.into_inner().0);
    state.store.write(async move |tx| invitations::revoke(tx, by, id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
