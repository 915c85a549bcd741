//! Sharing something, and changing what describes it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::forms::{ResourceForm, refused};
use super::id_of;
use crate::app::AppState;
use crate::entities::kinds::{ResourceForm as Form, ResourceKind, Stage};
use crate::features::library::actions::{self, Content, NewResource};
use crate::features::library::files::{self, room_left};
use crate::features::library::queries;
use crate::features::spaces::SpaceInfo;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "library/templates/share.html")]
struct SharePage<'a> {
    f: &'a Frame,
    space: &'a SpaceInfo,
    heading: String,
    action: String,
    back: String,
    form: ResourceForm,
    kinds: &'static [ResourceKind],
    stages: &'static [Stage],
    /// What it is made of is chosen here; else only what describes it.
    new: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ShareQuery {
    form: Option<String>,
}

/// `GET /s/{slug}/library/new`
pub async fn form(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<ShareQuery>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let form = query.form.as_deref().and_then(Form::parse).unwrap_or(Form::File);
    let form = ResourceForm { form: form.as_str().to_owned(), kind: "other".into(), ..ResourceForm::default() };
    show_new(&req, &state, &viewer, &space, form, StatusCode::OK).await
}

async fn show_new(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    space: &SpaceInfo,
    mut form: ResourceForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, viewer).await?;
    if Form::parse(&form.form).is_none() {
        form.form = "file".to_owned();
    }
    let shown = SharePage {
        f: &f,
        space,
        heading: f.t("library.share.title").to_owned(),
        action: format!("/s/{}/library/new", space.slug),
        back: format!("/s/{}/library", space.slug),
        form,
        kinds: ResourceKind::ALL,
        stages: Stage::ALL,
        new: true,
    };
    page_with_status(&f, &shown, status)
}

/// `POST /s/{slug}/library/new`: a form with a file, whatever is shared.
pub async fn share(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let room = room_left(state.store.read(), me.id).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let (sent, refused_file) = match files::read_page(&req, payload, &state, room).await {
        Ok(read) => read,
        // The form itself cannot be read: there is nothing to give back.
        Err(error) => {
            let (faults, findings) = refused(&f, error)?;
            let form =
                ResourceForm { form: "file".into(), kind: "other".into(), faults, findings, ..ResourceForm::default() };
            return show_new(&req, &state, &viewer, &space, form, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let mut form = ResourceForm::typed(|name| sent.field(name));
    let confirmed = sent.field("confirmed").is_some_and(|value| !value.is_empty());
    let content = match (Form::parse(&form.form).unwrap_or(Form::File), sent.file.clone(), refused_file) {
        (Form::File, _, Some(error)) => Err(error),
        (Form::File, Some(file), None) => Ok(Content::File(file)),
        (Form::File, None, None) => Err(AppError::field("file", "is needed")),
        (other, file, _) => {
            // A file that was chosen before another tab was.
            if let Some(file) = file {
                files::release(&state, &file).await;
            }
            Ok(if other == Form::Link { Content::Link(form.url.clone()) } else { Content::Note(form.body.clone()) })
        }
    };
    let done = match content {
        Ok(content) => {
            actions::create(&state, &me, &space, &NewResource { fields: form.fields(confirmed), content }).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(view) => Ok(see_other(&format!("/resources/{}", view.row.id))),
        Err(error) => {
            (form.faults, form.findings) = refused(&f, error)?;
            show_new(&req, &state, &viewer, &space, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// `GET /resources/{id}/edit`
pub async fn edit_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let (view, seen) = queries::view(&state, &viewer, id_of(&path)?).await?;
    let can = super::resource::Rights::of(viewer.member(), &seen);
    if !can.edit {
        return Err(AppError::Forbidden("Only who shared it or a moderator can do this.".into()));
    }
    show_edit(&req, &state, &viewer, &seen, ResourceForm::of(&view), StatusCode::OK).await
}

async fn show_edit(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    seen: &queries::Seen,
    form: ResourceForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let f = Frame::new(state, req, viewer).await?;
    let shown = SharePage {
        f: &f,
        space: &seen.space,
        heading: f.t("library.share.edit").to_owned(),
        action: format!("/resources/{}/edit", seen.row.id),
        back: format!("/resources/{}", seen.row.id),
        form,
        kinds: ResourceKind::ALL,
        stages: Stage::ALL,
        new: false,
    };
    page_with_status(&f, &shown, status)
}

/// `POST /resources/{id}/edit`
pub async fn save(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: form::Form,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0.clone());
    let id = id_of(&path)?;
    let seen = queries::find(&state, &viewer, id).await?;
    let mut form = ResourceForm::typed(|name| Some(sent.get(name)));
    form.form = seen.row.form.as_str().to_owned();
    let fields = form.fields(sent.ticked("confirmed"));
    let status = match actions::edit(&state, &me, id, &fields, None, IfMatch::version(form.version)).await {
        Ok(()) => return Ok(see_other(&format!("/resources/{}", seen.row.id))),
        Err(AppError::Stale) => {
            // The typed text stays; saving again goes over what is there now.
            form.stale = true;
            form.version = Some(seen.version);
            StatusCode::PRECONDITION_FAILED
        }
        Err(error) => {
            let f = Frame::new(&state, &req, &viewer).await?;
            (form.faults, form.findings) = refused(&f, error)?;
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    show_edit(&req, &state, &viewer, &seen, form, status).await
}
