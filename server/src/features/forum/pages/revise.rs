//! Changing what was written. Whoever was overtaken keeps their text and sees the other one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::compose::{TopicFormPage, no_kind, preview_of};
use super::forms::{TextForm, refused};
use super::link_of;
use super::posts::Of;
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::actions::{self, PostChange, TopicChange};
use crate::features::forum::model::{PostView, TopicView};
use crate::features::forum::queries::{self, Seen};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Me, Member, Viewer};

#[derive(Template)]
#[template(path = "forum/templates/edit-post.html")]
struct EditPage<'a> {
    f: &'a Frame,
    of: Of,
    form: TextForm,
}

/// 403 unless the member may change what this author wrote here.
fn may_change(viewer: &Viewer, me: &Me, seen: &Seen, author: i64) -> Result<()> {
    seen.access.write(viewer, &seen.space)?;
    if me.id == author || seen.moderates() {
        Ok(())
    } else {
        Err(AppError::Forbidden("Only its author or a moderator can do this.".into()))
    }
}

async fn post_of(state: &AppState, viewer: &Viewer, me: &Me, id: &str) -> Result<(PostView, Seen)> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let (post, seen) = queries::find_post(state, viewer, id.0).await?;
    if post.deleted || post.purged || post.hidden {
        return Err(AppError::NotFound);
    }
    may_change(viewer, me, &seen, post.author.id)?;
    Ok((post, seen))
}

/// `GET /posts/{id}/edit`
pub async fn post_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (post, seen) = post_of(&state, &viewer, &me, &path).await?;
    if post.is_first {
        return Ok(see_other(&format!("{}/edit", link_of(&seen))));
    }
    let form = TextForm { version: Some(post.version), body: post.body.clone(), ..TextForm::default() };
    show_post(&req, &state, &viewer, &post, &seen, form, StatusCode::OK).await
}

async fn show_post(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    post: &PostView,
    seen: &Seen,
    mut form: TextForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, viewer).await?;
    form.action = format!("/posts/{}/edit", post.id);
    form.back = format!("/posts/{}", post.id);
    form.draft = format!("post-{}", post.id);
    page_with_status(&frame, &EditPage { f: &frame, of: Of::new(seen), form }, status)
}

/// `POST /posts/{id}/edit`
pub async fn save_post(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let (post, seen) = post_of(&state, &viewer, &me, &path).await?;
    let mut form = TextForm::typed(&sent);
    if sent.ticked("preview") {
        form.preview = preview_of(&state, seen.space.id, &form.body).await?;
        return show_post(&req, &state, &viewer, &post, &seen, form, StatusCode::OK).await;
    }
    let change = PostChange { body: form.body.clone(), confirmed: sent.ticked("confirmed"), ..PostChange::default() };
    match actions::edit_post(&state, &me, post.id.0, &change, IfMatch::version(form.version)).await {
        Ok(()) => Ok(see_other(&format!("/posts/{}", post.id))),
        Err(AppError::Stale) => {
            let (now, seen) = queries::find_post(&state, &viewer, post.id.0).await?;
            form.version = Some(now.version);
            form.other = Some((String::new(), now.body.clone()));
            show_post(&req, &state, &viewer, &now, &seen, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let frame = Frame::new(&state, &req, &viewer).await?;
            (form.faults, form.findings) = refused(&frame, error)?;
            show_post(&req, &state, &viewer, &post, &seen, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

async fn topic_of(state: &AppState, viewer: &Viewer, me: &Me, path: &(String, String)) -> Result<(TopicView, Seen)> {
    let id = super::topic::topic_id(path)?;
    let (topic, seen) = queries::topic_view(state, viewer, id).await?;
    if seen.space.slug != path.0 || seen.row.deleted {
        return Err(AppError::NotFound);
    }
    may_change(viewer, me, &seen, topic.row.author.id)?;
    Ok((topic, seen))
}

/// `GET /s/{slug}/t/{id}/edit`
pub async fn topic_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (topic, seen) = topic_of(&state, &viewer, &me, &path).await?;
    let form = TextForm {
        version: Some(topic.version),
        kind: topic.row.kind.as_str().to_owned(),
        title: topic.row.title.clone(),
        body: topic.body.clone(),
        tags: topic.row.tags.join(" "),
        ..TextForm::default()
    };
    show_topic(&req, &state, &viewer, &seen, form, StatusCode::OK).await
}

async fn show_topic(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    seen: &Seen,
    mut form: TextForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let frame = Frame::new(state, req, viewer).await?;
    form.back = link_of(seen);
    form.action = format!("{}/edit", form.back);
    form.draft = format!("edit-{}", seen.row.id);
    let heading = frame.t("forum.edit.topic").to_owned();
    page_with_status(&frame, &TopicFormPage { f: &frame, space: &seen.space, heading, form }, status)
}

/// `POST /s/{slug}/t/{id}/edit`
pub async fn save_topic(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    sent: Form,
) -> Result<HttpResponse> {
    let (topic, seen) = topic_of(&state, &viewer, &me, &path).await?;
    let mut form = TextForm::typed(&sent);
    if sent.ticked("preview") {
        form.preview = preview_of(&state, seen.space.id, &form.body).await?;
        return show_topic(&req, &state, &viewer, &seen, form, StatusCode::OK).await;
    }
    let kind = TopicKind::parse(&form.kind);
    if kind.is_none() && !form.kind.is_empty() {
        let frame = Frame::new(&state, &req, &viewer).await?;
        (form.faults, form.findings) = refused(&frame, no_kind())?;
        return show_topic(&req, &state, &viewer, &seen, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let change = TopicChange {
        title: Some(form.title.clone()),
        body: Some(form.body.clone()),
        kind,
        tags: Some(form.tag_list()),
        confirmed: sent.ticked("confirmed"),
        ..TopicChange::default()
    };
    match actions::edit_topic(&state, &me, topic.row.id.0, &change, IfMatch::version(form.version)).await {
        Ok(()) => Ok(see_other(&link_of(&seen))),
        Err(AppError::Stale) => {
            let (now, seen) = queries::topic_view(&state, &viewer, topic.row.id.0).await?;
            form.version = Some(now.version);
            form.other = Some((now.row.title.clone(), now.body.clone()));
            show_topic(&req, &state, &viewer, &seen, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let frame = Frame::new(&state, &req, &viewer).await?;
            (form.faults, form.findings) = refused(&frame, error)?;
            show_topic(&req, &state, &viewer, &seen, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}
