//! The small acts on posts and topics. A script gets the part that changed, a form goes back to
//! where it was.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{by_fetch, fragments, link_of};
use crate::app::AppState;
use crate::features::forum::actions;
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::see_other;
use crate::web::viewer::{Member, Viewer};

/// `?undo=1` takes an act back.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActQuery {
    undo: Option<String>,
}

impl ActQuery {
    fn on(&self) -> bool {
        self.undo.as_deref() != Some("1")
    }
}

fn id_of(path: &str) -> Result<i64> {
    path.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

type State = web::Data<AppState>;
type Path = web::Path<String>;
type Query = web::Query<ActQuery>;

/// The post as it now is for a script, else the way back to it.
async fn shown(req: &HttpRequest, state: &AppState, viewer: &Viewer, post: i64, sent: &Form) -> Result<HttpResponse> {
    if by_fetch(req) {
        let (post, seen) = queries::find_post(state, viewer, post).await?;
        let order = [post.id.0];
        return fragments::cards(req, state, viewer, &seen, &[post], &order, false).await;
    }
    // Where a list asked, back to the list.
    if sent.get("next") == "/bookmarks" {
        return Ok(see_other("/bookmarks"));
    }
    Ok(see_other(&format!("/posts/{}", Id(post))))
}

/// `POST /posts/{id}/reactions`: the page already shows it, so a script gets 204.
pub async fn react(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let post = id_of(&path)?;
    actions::set_reaction(&state, &me, post, sent.get("emoji"), query.on()).await?;
    if by_fetch(&req) {
        return Ok(HttpResponse::NoContent().finish());
    }
    shown(&req, &state, &viewer, post, &sent).await
}

/// `POST /posts/{id}/bookmark`
pub async fn bookmark(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let post = id_of(&path)?;
    actions::set_bookmark(&state, &me, post, query.on()).await?;
    shown(&req, &state, &viewer, post, &sent).await
}

/// `POST /posts/{id}/endorsement`
pub async fn endorse(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let post = id_of(&path)?;
    actions::set_endorsement(&state, &me, post, query.on()).await?;
    shown(&req, &state, &viewer, post, &sent).await
}

/// `POST /posts/{id}/answer`
pub async fn accept(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let post = id_of(&path)?;
    actions::set_answer(&state, &me, post, query.on()).await?;
    shown(&req, &state, &viewer, post, &sent).await
}

/// `POST /posts/{id}/delete`
pub async fn delete_post(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let (post, seen) = queries::find_post(&state, &viewer, id).await?;
    actions::delete_post(&state, &me, id, IfMatch::default()).await?;
    if post.is_first {
        return gone(&state, &viewer, &seen).await;
    }
    match shown(&req, &state, &viewer, id, &sent).await {
        // Without replies nothing is left of it to show.
        Ok(_) | Err(AppError::NotFound) if !by_fetch(&req) => Ok(see_other(&link_of(&seen))),
        Err(AppError::NotFound) => fragments::deleted(&req, &state, &viewer, &seen, post).await,
        answer => answer,
    }
}

/// `POST /posts/{id}/restore`
pub async fn restore_post(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::restore_post(&state, &me, id).await?;
    shown(&req, &state, &viewer, id, &sent).await
}

/// The topic's head for a script, else the way back to the topic.
async fn head(req: &HttpRequest, state: &AppState, viewer: &Viewer, id: i64) -> Result<HttpResponse> {
    if by_fetch(req) {
        return fragments::head_fragment(req, state, viewer, id).await;
    }
    let seen = queries::find_topic(state, viewer, id).await?;
    Ok(see_other(&link_of(&seen)))
}

/// After a topic is deleted: to it where it is still seen, else to its space.
async fn gone(state: &AppState, viewer: &Viewer, seen: &Seen) -> Result<HttpResponse> {
    match queries::find_topic(state, viewer, seen.row.id.0).await {
        Ok(seen) => Ok(see_other(&link_of(&seen))),
        Err(AppError::NotFound) => Ok(see_other(&format!("/s/{}", seen.space.slug))),
        Err(error) => Err(error),
    }
}

/// `POST /topics/{id}/pin`
pub async fn pin(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    _sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::set_pinned(&state, &me, id, query.on()).await?;
    head(&req, &state, &viewer, id).await
}

/// `POST /topics/{id}/close`: the whole page changes, so a script is sent there too.
pub async fn close(
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    _sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::set_closed(&state, &me, id, query.on()).await?;
    let seen = queries::find_topic(&state, &viewer, id).await?;
    Ok(see_other(&link_of(&seen)))
}

/// `POST /topics/{id}/delete`
pub async fn delete_topic(state: State, me: Member, viewer: Viewer, path: Path, _sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let seen = queries::find_topic(&state, &viewer, id).await?;
    actions::delete_topic(&state, &me, id, IfMatch::default()).await?;
    gone(&state, &viewer, &seen).await
}

/// `POST /topics/{id}/restore`
pub async fn restore_topic(state: State, me: Member, viewer: Viewer, path: Path, _sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::restore_topic(&state, &me, id).await?;
    let seen = queries::find_topic(&state, &viewer, id).await?;
    Ok(see_other(&link_of(&seen)))
}
