//! Writing something new: a topic, a reply, and how it will look.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::forms::{TextForm, refused};
use super::fragments;
use super::topic::{self, Composer, ComposerFragment, Shown, TopicQuery};
use super::{by_fetch, link_of};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::actions::{self, NewReply, NewTopic};
use crate::features::forum::queries;
use crate::features::spaces::{Access, SpaceInfo};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::viewer::{Member, Viewer};

#[derive(Template)]
#[template(path = "forum/templates/ask.html")]
struct AskPage<'a> {
    f: &'a Frame,
    spaces: Vec<Arc<SpaceInfo>>,
}

/// `GET /ask`: which space?
pub async fn ask(req: HttpRequest, state: web::Data<AppState>, me: Member, viewer: Viewer) -> Result<HttpResponse> {
    let snapshot = state.spaces.snapshot(&state).await?;
    let mut spaces: Vec<Arc<SpaceInfo>> = snapshot
        .all()
        .iter()
        .filter(|space| !space.archived && crate::features::spaces::policy::access(&viewer, space) >= Access::Write)
        .cloned()
        .collect();
    // One's own first; both halves by name.
    spaces.sort_by_key(|space| !me.spaces.contains_key(&space.id));
    if let [only] = spaces.as_slice() {
        return Ok(see_other(&format!("/s/{}/new", only.slug)));
    }
    let frame = Frame::new(&state, &req, &viewer).await?;
    page(&frame, &AskPage { f: &frame, spaces })
}

/// A new topic, or one that is changed.
#[derive(Template)]
#[template(path = "forum/templates/new-topic.html")]
pub struct TopicFormPage<'a> {
    pub f: &'a Frame,
    pub space: &'a SpaceInfo,
    pub heading: String,
    pub form: TextForm,
}

/// `GET /s/{slug}/new`
pub async fn new_topic(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let form = TextForm {
        kind: asked("kind").filter(|kind| TopicKind::parse(kind).is_some()).unwrap_or_else(|| "question".into()),
        tags: asked("tags").unwrap_or_default(),
        ..TextForm::default()
    };
    show_form(&req, &state, &viewer, &space, form, StatusCode::OK).await
}

async fn show_form(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    space: &SpaceInfo,
    mut form: TextForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let mut frame = Frame::new(state, req, viewer).await?;
    frame.ask = format!("/s/{}/new", space.slug);
    form.action = frame.ask.clone();
    form.back = format!("/s/{}", space.slug);
    form.draft = format!("new-{}", space.slug);
    let heading = frame.t("forum.new.heading").to_owned();
    page_with_status(&frame, &TopicFormPage { f: &frame, space, heading, form }, status)
}

/// `POST /s/{slug}/new`
pub async fn create_topic(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.write(&viewer, &space)?;
    let mut form = TextForm::typed(&sent);
    if sent.ticked("preview") {
        form.preview = preview_of(&state, space.id, &form.body).await?;
        return show_form(&req, &state, &viewer, &space, form, StatusCode::OK).await;
    }
    let Some(kind) = TopicKind::parse(&form.kind) else {
        let frame = Frame::new(&state, &req, &viewer).await?;
        (form.faults, form.findings) = refused(&frame, no_kind())?;
        return show_form(&req, &state, &viewer, &space, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let new = NewTopic {
        title: form.title.clone(),
        body: form.body.clone(),
        kind,
        tags: form.tag_list(),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::create_topic(&state, &me, space.id, &new).await {
        Ok(topic) => Ok(see_other(&format!("/s/{}/t/{}", space.slug, topic.row.id))),
        Err(error) => {
            let frame = Frame::new(&state, &req, &viewer).await?;
            (form.faults, form.findings) = refused(&frame, error)?;
            show_form(&req, &state, &viewer, &space, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// What is said of a kind that there is not.
pub fn no_kind() -> AppError {
    AppError::field("kind", "is question, discussion, idea, update or win")
}

/// A text as it will look; a word of ours where there is nothing yet.
pub async fn preview_of(state: &AppState, space: i64, body: &str) -> Result<String> {
    match checked(body)? {
        Some(text) => actions::preview(state, space, &text).await,
        None => Ok(nothing_yet()),
    }
}

/// A text that can be shown; `None` if there is none.
fn checked(body: &str) -> Result<Option<String>> {
    if body.trim().is_empty() {
        return Ok(None);
    }
    let text = crate::text::clean(body, crate::web::checks::BODY, false)
        .map_err(|fault| AppError::field("body", fault.to_string()))?;
    Ok(Some(text))
}

fn nothing_yet() -> String {
    format!("<p>{}</p>", crate::web::words::english().t("forum.form.preview_empty"))
}

/// `POST /preview`: a text as HTML, for the composer; `section` says that it has a heading of its own.
pub async fn preview(state: web::Data<AppState>, _me: Member, viewer: Viewer, sent: Form) -> Result<HttpResponse> {
    let space = match sent.some("space") {
        Some(slug) => {
            let (space, access) = state.spaces.find(&state, &viewer, slug).await?;
            access.read()?;
            space.id
        }
        None => 0,
    };
    let html = match checked(sent.get("body"))? {
        Some(text) if sent.some("section").is_some() => actions::preview_section(&state, space, &text).await?,
        Some(text) => actions::preview(&state, space, &text).await?,
        None => nothing_yet(),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .body(html))
}

/// `POST /s/{slug}/t/{id}/reply`
pub async fn reply(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    sent: Form,
) -> Result<HttpResponse> {
    let topic = topic::topic_id(&path)?;
    let seen = queries::find_topic(&state, &viewer, topic).await?;
    let parent = match sent.some("parent_id") {
        Some(id) => Some(id.parse::<Id>().map_err(|_| AppError::NotFound)?),
        None => None,
    };
    let mut composer = Composer {
        topic: seen.row.id.to_string(),
        space: seen.space.slug.clone(),
        action: format!("{}/reply", link_of(&seen)),
        back: link_of(&seen),
        body: sent.get("body").replace("\r\n", "\n"),
        parent: parent.map(|id| id.to_string()).unwrap_or_default(),
        ..Composer::default()
    };
    let status = if sent.ticked("preview") {
        composer.preview = preview_of(&state, seen.space.id, &composer.body).await?;
        StatusCode::OK
    } else {
        let new = NewReply {
            body: composer.body.clone(),
            parent_id: parent.map(|id| id.0),
            confirmed: sent.ticked("confirmed"),
        };
        match actions::reply(&state, &me, topic, &new).await {
            Ok(post) if by_fetch(&req) => {
                let order = [post.id.0];
                return fragments::cards(&req, &state, &viewer, &seen, &[post], &order, false).await;
            }
            Ok(post) => return Ok(see_other(&format!("/posts/{}", post.id))),
            Err(error) => {
                let frame = Frame::new(&state, &req, &viewer).await?;
                (composer.faults, composer.findings) = refused(&frame, error)?;
                StatusCode::UNPROCESSABLE_ENTITY
            }
        }
    };
    if let Some(parent) = parent {
        let (post, _) = queries::find_post(&state, &viewer, parent.0).await?;
        composer.parent_name = post.author.display_name;
    }
    if by_fetch(&req) {
        let frame = Frame::new(&state, &req, &viewer).await?;
        return page_with_status(&frame, &ComposerFragment { f: &frame, composer: &composer }, status);
    }
    let shown = Shown { status, composer: Some(composer), address: None };
    topic::render(&req, &state, &viewer, &path, &TopicQuery::default(), shown).await
}
