//! The page of a space's settings, for its owners.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use sea_orm::EntityTrait;

use super::actions::{Changes, change_space};
use super::forms::Shown;
use super::head::{SpaceHead, outline};
use super::model::SpaceChange;
use crate::app::AppState;
use crate::entities::kinds::Visibility;
use crate::entities::space;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "spaces/templates/space-settings.html")]
struct SettingsPage<'a> {
    f: &'a Frame,
    head: SpaceHead,
    form: Shown,
}

/// `GET /s/{slug}/settings`
pub async fn form(req: HttpRequest, state: Data<AppState>, me: Member, slug: Path<String>) -> Result<HttpResponse> {
    show(&req, &state, me, &slug, None, StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    me: Member,
    slug: &str,
    form: Option<Shown>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let (space, access) = state.spaces.find(state, &viewer, slug).await?;
    access.own()?;
    let f = Frame::new(state, req, &viewer).await?;
    let form = match form {
        Some(form) => form,
        None => {
            let row = space::Entity::find_by_id(space.id).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
            Shown::default()
                .with("name", &row.name)
                .with("description", &row.description)
                .with("visibility", row.visibility.as_str())
                .with("pinned_body", &row.pinned_body)
                .with("version", &row.version.to_string())
        }
    };
    let head = outline(state, &viewer, &space, access).await?.at("settings");
    page_with_status(&f, &SettingsPage { f: &f, head, form }, status)
}

/// `POST /s/{slug}/settings`
pub async fn save(
    req: HttpRequest,
    state: Data<AppState>,
    me: Member,
    slug: Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    // Who may not see the space hears nothing of what its fields may hold.
    state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?.1.own()?;
    let mut shown = Shown::typed(&form, &["name", "description", "visibility", "pinned_body", "version"]);
    let status = match try_save(&state, me.id, &slug, &form).await {
        Ok(()) => return Ok(see_other(&format!("/s/{slug}"))),
        Err(AppError::Stale) => {
            // Saving again means: over what is there now, having been told.
            let (now, _) = state.spaces.find(&state, &Viewer::Member(me.0.clone()), &slug).await?;
            let row = space::Entity::find_by_id(now.id).one(state.store.read()).await?.ok_or(AppError::NotFound)?;
            shown.put("version", row.version.to_string());
            shown.fault("name", "spaces.settings.stale");
            StatusCode::PRECONDITION_FAILED
        }
        Err(error) => shown.refuse(error)?,
    };
    show(&req, &state, me, &slug, Some(shown), status).await
}

async fn try_save(state: &AppState, by: i64, slug: &str, form: &Form) -> Result<()> {
    let visibility =
        Visibility::parse(form.get("visibility")).ok_or_else(|| AppError::field("visibility", "is one of the four"))?;
    let change = SpaceChange {
        name: Some(form.get("name").to_owned()),
        description: Some(form.get("description").to_owned()),
        visibility: Some(visibility),
        pinned_body: Some(form.get("pinned_body").to_owned()),
        archived: None,
        confirmed: form.ticked("confirmed"),
    };
    let changes = Changes::of(state, change).await?;
    let seen = IfMatch::version(form.get("version").parse().ok());
    let slug = slug.to_owned();
    state.store.write(async move |tx| change_space(tx, by, &slug, seen, &changes).await.map(drop)).await
}

/// `POST /s/{slug}/archive`: into the archive, or out of it.
pub async fn archive(state: Data<AppState>, me: Member, slug: Path<String>, form: Form) -> Result<HttpResponse> {
    let change = SpaceChange { archived: Some(form.get("archived") != "no"), ..SpaceChange::default() };
    let changes = Changes::of(&state, change).await?;
    let (by, slug) = (me.id, slug.into_inner());
    let back = format!("/s/{slug}/settings");
    state
        .store
        .write(async move |tx| change_space(tx, by, &slug, IfMatch::default(), &changes).await.map(drop))
        .await?;
    Ok(see_other(&back))
}
