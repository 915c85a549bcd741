//! The small acts on a resource; each goes back to its page.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::id_of;
use crate::app::AppState;
use crate::features::library::actions::{self, Fields};
use crate::features::library::policy::{day, in_a_year};
use crate::features::library::queries;
use crate::features::moderation::clean_reason;
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

type State = web::Data<AppState>;
type Path = web::Path<String>;
type Query = web::Query<ActQuery>;

/// The page of a resource where it is still seen, else its space's library.
async fn back(state: &AppState, me: &Member, id: i64, space: &str) -> Result<HttpResponse> {
    match queries::find(state, &Viewer::Member(me.0.clone()), id).await {
        Ok(_) => Ok(see_other(&format!("/resources/{}", Id(id)))),
        Err(AppError::NotFound) => Ok(see_other(&format!("/s/{space}/library"))),
        Err(error) => Err(error),
    }
}

async fn space_of(state: &AppState, me: &Member, id: i64) -> Result<String> {
    Ok(queries::find(state, &Viewer::Member(me.0.clone()), id).await?.space.slug.clone())
}

/// `POST /resources/{id}/endorsement`
pub async fn endorse(state: State, me: Member, path: Path, query: Query, _sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::set_endorsement(&state, &me, id, query.on()).await?;
    Ok(see_other(&format!("/resources/{}", Id(id))))
}

/// `POST /resources/{id}/collect`: into a collection, or out of it.
pub async fn collect(state: State, me: Member, path: Path, query: Query, sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::set_collected(&state, &me, id_of(sent.get("collection"))?, id, query.on()).await?;
    let next = sent.get("next");
    Ok(see_other(
        if next.starts_with("/collections/") { next.to_owned() } else { format!("/resources/{}", Id(id)) }.as_str(),
    ))
}

/// `POST /resources/{id}/reviewed`: it is still right; the next review is in a year, or on a day.
pub async fn reviewed(state: State, me: Member, path: Path, sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let next = sent.some("review_due").map_or_else(|| day(in_a_year(state.clock.now())), str::to_owned);
    let fields = Fields { review_due: Some(next), ..Fields::default() };
    actions::edit(&state, &me, id, &fields, None, IfMatch::default()).await?;
    let to = if sent.get("next") == "/library/reviews" {
        "/library/reviews".to_owned()
    } else {
        format!("/resources/{}", Id(id))
    };
    Ok(see_other(&to))
}

/// `POST /resources/{id}/topic`: opens a topic about it.
pub async fn discuss(state: State, me: Member, path: Path, _sent: Form) -> Result<HttpResponse> {
    let seen = queries::find(&state, &Viewer::Member(me.0.clone()), id_of(&path)?).await?;
    let topic = actions::discuss(&state, &me, &seen.row).await?;
    Ok(see_other(&format!("/s/{}/t/{}", seen.space.slug, Id(topic))))
}

/// `POST /resources/{id}/delete`
pub async fn delete(state: State, me: Member, path: Path, _sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let space = space_of(&state, &me, id).await?;
    actions::delete(&state, &me, id, IfMatch::default()).await?;
    back(&state, &me, id, &space).await
}

/// `POST /resources/{id}/restore`
pub async fn restore(state: State, me: Member, path: Path, _sent: Form) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    actions::restore(&state, &me, id).await?;
    Ok(see_other(&format!("/resources/{}", Id(id))))
}

/// `POST /resources/{id}/hide`, with `?undo=1` the other way.
pub async fn hide(state: State, me: Member, path: Path, query: Query, sent: Form) -> Result<HttpResponse> {
    let (id, actor, hidden) = (id_of(&path)?, me.id, query.on());
    let reason = clean_reason(sent.get("reason"))?;
    let space = space_of(&state, &me, id).await?;
    state.store.write(async move |tx| actions::hide(tx, actor, id, hidden, &reason).await).await?;
    back(&state, &me, id, &space).await
}
