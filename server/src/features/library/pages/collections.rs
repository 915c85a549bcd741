//! Collections: one with its resources, making and changing it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::{Fault, refused};
use super::id_of;
use crate::app::AppState;
use crate::features::library::actions::{self, CollectionChange, NewCollection};
use crate::features::library::model::{CollectionView, ResourceRow};
use crate::features::library::queries;
use crate::features::spaces::{Access, SpaceInfo};
use crate::store::Id;
use crate::web::error::{AppError, Finding, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "library/templates/collection.html")]
struct CollectionPage<'a> {
    f: &'a Frame,
    of: &'a CollectionView,
    rows: Vec<ResourceRow>,
    edit: bool,
}

fn may_edit(viewer: &Viewer, space: &SpaceInfo, access: Access, author: i64) -> bool {
    let own = viewer.member().is_some_and(|me| me.id == author);
    !space.archived && ((own && access >= Access::Write) || (viewer.member().is_some() && access >= Access::Moderate))
}

/// `GET /collections/{id}`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (mut view, space, access) = queries::collection(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let rows = view.resources.take().unwrap_or_default();
    let edit = may_edit(&viewer, &space, access, view.author_id);
    page(&f, &CollectionPage { f: &f, of: &view, rows, edit })
}

#[derive(Template)]
#[template(path = "library/templates/collection-form.html")]
struct CollectionForm<'a> {
    f: &'a Frame,
    space: &'a SpaceInfo,
    heading: &'a str,
    action: &'a str,
    back: &'a str,
    title: String,
    introduction: String,
    version: Option<i32>,
    /// What is in it, in its order; empty for a new one.
    rows: Vec<ResourceRow>,
    faults: Vec<Fault>,
    findings: Vec<Finding>,
    stale: bool,
}

impl CollectionForm<'_> {
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }
}

/// `GET /s/{slug}/collections/new`
pub async fn new_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    show_new(&req, &state, &viewer, &space, NewCollection::default(), (Vec::new(), Vec::new()), StatusCode::OK).await
}

async fn show_new(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    space: &SpaceInfo,
    typed: NewCollection,
    (faults, findings): (Vec<Fault>, Vec<Finding>),
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, viewer).await?;
    let (action, back) = (format!("/s/{}/collections/new", space.slug), format!("/s/{}/library", space.slug));
    let shown = CollectionForm {
        f: &f,
        space,
        heading: f.t("library.collection.new"),
        action: &action,
        back: &back,
        title: typed.title,
        introduction: typed.introduction,
        version: None,
        rows: Vec::new(),
        faults,
        findings,
        stale: false,
    };
    page_with_status(&f, &shown, status)
}

/// `POST /s/{slug}/collections/new`
pub async fn create(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let new = NewCollection {
        title: sent.get("title").to_owned(),
        introduction: sent.get("introduction").replace("\r\n", "\n"),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::create_collection(&state, &me, space.id, &new).await {
        Ok(id) => Ok(see_other(&format!("/collections/{}", Id(id)))),
        Err(error) => {
            let f = Frame::new(&state, &req, &viewer).await?;
            let faults = refused(&f, error)?;
            show_new(&req, &state, &viewer, &space, new, faults, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// What somebody typed into the form of a collection that is there.
struct Typed {
    title: String,
    introduction: String,
    version: Option<i32>,
    faults: Vec<Fault>,
    findings: Vec<Finding>,
    stale: bool,
}

/// `GET /collections/{id}/edit`
pub async fn edit_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    show_edit(&req, &state, &me, id_of(&path)?, None, StatusCode::OK).await
}

async fn show_edit(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    id: i64,
    typed: Option<Typed>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let (mut view, space, access) = queries::collection(state, &viewer, id).await?;
    if !may_edit(&viewer, &space, access, view.author_id) {
        return Err(AppError::Forbidden("Only who made it or a moderator can do this.".into()));
    }
    let f = Frame::new(state, req, &viewer).await?;
    let rows = view.resources.take().unwrap_or_default();
    let (action, back) = (format!("/collections/{}/edit", view.id), format!("/collections/{}", view.id));
    let typed = typed.unwrap_or_else(|| Typed {
        title: view.title.clone(),
        introduction: view.introduction.clone(),
        version: Some(view.version),
        faults: Vec::new(),
        findings: Vec::new(),
        stale: false,
    });
    let shown = CollectionForm {
        f: &f,
        space: &space,
        heading: f.t("library.collection.edit"),
        action: &action,
        back: &back,
        title: typed.title,
        introduction: typed.introduction,
        // Saving again goes over what is there now.
        version: if typed.stale { Some(view.version) } else { typed.version },
        rows,
        faults: typed.faults,
        findings: typed.findings,
        stale: typed.stale,
    };
    page_with_status(&f, &shown, status)
}

/// `POST /collections/{id}/edit`: texts and order. `item` comes once for each resource, and its
/// place in `place-ID`; a place that is empty takes it out.
pub async fn save(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let mut places: Vec<(i32, i64)> = Vec::new();
    for item in sent.all("item") {
        if let Some(place) = sent.some(&format!("place-{item}")) {
            places.push((place.parse().unwrap_or(i32::MAX), id_of(item)?));
        }
    }
    places.sort_by_key(|(place, _)| *place);
    let items = sent.all("item").next().map(|_| places.into_iter().map(|(_, id)| id).collect());
    let (title, introduction) = (sent.get("title").to_owned(), sent.get("introduction").replace("\r\n", "\n"));
    let change = CollectionChange {
        title: Some(title.clone()),
        introduction: Some(introduction.clone()),
        resources: items,
        confirmed: sent.ticked("confirmed"),
    };
    let version = sent.some("version").and_then(|version| version.parse().ok());
    let mut typed = Typed { title, introduction, version, faults: Vec::new(), findings: Vec::new(), stale: false };
    let status = match actions::edit_collection(&state, &me, id, &change, IfMatch::version(version)).await {
        Ok(()) => return Ok(see_other(&format!("/collections/{}", Id(id)))),
        Err(AppError::Stale) => {
            typed.stale = true;
            StatusCode::PRECONDITION_FAILED
        }
        Err(error) => {
            let f = Frame::new(&state, &req, &Viewer::Member(me.0.clone())).await?;
            (typed.faults, typed.findings) = refused(&f, error)?;
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    show_edit(&req, &state, &me, id, Some(typed), status).await
}

/// `POST /collections/{id}/delete`
pub async fn delete(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    _sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let (view, ..) = queries::collection(&state, &Viewer::Member(me.0.clone()), id).await?;
    actions::delete_collection(&state, &me, id, IfMatch::default()).await?;
    Ok(see_other(&format!("/s/{}/library", view.space)))
}
