//! The form that reports a post, a message or a case study.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api::id_of;
use super::messages;
use super::pages::title_of;
use super::queries::{self, Seen};
use super::{reports, studies};
use crate::app::AppState;
use crate::entities::kinds::ReportReason;
use crate::features::{chat, playbooks};
use crate::store::Id;
use crate::text;
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status};
use crate::web::rate_limit::What;
use crate::web::viewer::{Me, Member, Viewer};

/// Characters of a text that a page about it shows.
const EXCERPT: usize = 400;

/// What is reported, and where it stands.
struct Subject {
    /// Address of the form.
    action: String,
    /// `post`, `message` or `case_study`: the last part of words.
    kind: &'static str,
    /// Names and addresses of the pages above it.
    crumbs: Vec<(String, String)>,
    author: String,
    excerpt: String,
    back: String,
    /// Who sees the report.
    who: &'static str,
}

impl Subject {
    fn of_post(f: &Frame, seen: &Seen) -> Self {
        let space = &seen.space;
        Self {
            action: format!("/posts/{}/report", Id(seen.post.id)),
            kind: "post",
            crumbs: vec![
                (space.name.clone(), format!("/s/{}", space.slug)),
                (title_of(f, seen).to_owned(), format!("/s/{}/t/{}", space.slug, Id(seen.topic.id))),
            ],
            author: seen.author.display_name.clone(),
            excerpt: text::excerpt(&seen.post.body_html, EXCERPT),
            back: queries::post_url(&space.slug, seen.topic.id, seen.post.id),
            who: "space",
        }
    }

    /// A message that a member reads; 404 for one that is deleted.
    async fn of_message(state: &AppState, me: &Me, id: i64) -> Result<Self> {
        let (view, room) = chat::queries::find_message(state, me, id).await?;
        if view.deleted {
            return Err(AppError::NotFound);
        }
        let shown = chat::queries::view_of(state, &room).await?;
        Ok(Self {
            action: format!("/messages/{}/report", view.id),
            kind: "message",
            crumbs: vec![(shown.name.clone(), shown.path())],
            author: view.author.display_name,
            excerpt: text::excerpt(&view.body_html, EXCERPT),
            back: format!("/messages/{}", view.id),
            who: if shown.space.is_some() { "message" } else { "direct" },
        })
    }

    /// A published study that a member reads; 403 for its authors.
    async fn of_study(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Self> {
        let seen = playbooks::queries::find_study(state, viewer, slug).await?;
        seen.standing.respond()?;
        if seen.standing.author {
            return Err(AppError::Forbidden("This is your own case study: change or retire it instead.".into()));
        }
        let book = seen.row.playbook.as_ref();
        let mut crumbs: Vec<(String, String)> =
            book.map(|of| (of.title.clone(), format!("/playbooks/{}", of.slug))).into_iter().collect();
        crumbs.push((seen.live_title, seen.row.url.clone()));
        Ok(Self {
            action: format!("{}/report", seen.row.url),
            kind: "case_study",
            crumbs,
            author: String::new(),
            excerpt: seen.live_summary,
            back: seen.row.url,
            who: if seen.space_id.is_some() { "space" } else { "hub" },
        })
    }
}

#[derive(Template)]
#[template(path = "moderation/templates/report.html")]
struct ReportPage<'a> {
    f: &'a Frame,
    of: &'a Subject,
    reasons: &'static [ReportReason],
    chosen: &'a str,
    note: &'a str,
    errors: &'a [FieldError],
    /// It has been sent.
    done: bool,
}

impl ReportPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

fn show(f: &Frame, of: &Subject, form: Option<&Form>, errors: &[FieldError], done: bool) -> Result<HttpResponse> {
    let typed = |field: &'static str| form.map_or("", |form| form.get(field));
    let (chosen, note) = (typed("reason"), typed("note"));
    let template = ReportPage { f, of, reasons: ReportReason::ALL, chosen, note, errors, done };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with_status(f, &template, status)
}

/// Reason and note of a form, or what is wrong with them.
fn read(f: &Frame, form: &Form) -> Result<std::result::Result<(ReportReason, String), Vec<FieldError>>> {
    let reason = ReportReason::parse(form.get("reason"));
    let mut errors = Vec::new();
    if reason.is_none() {
        errors.push(FieldError { field: "reason".into(), message: f.t("moderation.report.choose").to_owned() });
    }
    match (check(&[Text::body("note", form.get("note"), BODY)], form.ticked("confirmed")), reason) {
        (Ok(checked), Some(reason)) => return Ok(Ok((reason, checked.get("note").to_owned()))),
        (Err(AppError::Invalid(more)), _) => errors.extend(more),
        (Err(other), _) => return Err(other),
        (Ok(_), None) => {}
    }
    Ok(Err(errors))
}

/// `GET /posts/{id}/report`
pub async fn post_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let seen = queries::seen_post(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    show(&f, &Subject::of_post(&f, &seen), None, &[], false)
}

/// `POST /posts/{id}/report`
pub async fn send_post_report(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (member, viewer) = (me.id, Viewer::Member(me.0));
    let seen = queries::seen_post(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let of = Subject::of_post(&f, &seen);
    let (reason, note) = match read(&f, &form)? {
        Ok(read) => read,
        Err(errors) => return show(&f, &of, Some(&form), &errors, false),
    };
    state.limits.take(What::Mail, &format!("report:{member}")).await?;
    let post = seen.post.id;
    state.store.write(async move |tx| reports::flag_post(tx, member, post, reason, &note).await.map(drop)).await?;
    show(&f, &of, None, &[], true)
}

/// `GET /messages/{id}/report`
pub async fn message_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let of = Subject::of_message(&state, &me, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    show(&f, &of, None, &[], false)
}

/// `POST /messages/{id}/report`
pub async fn send_message_report(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (member, id) = (me.id, id_of(&path)?);
    let of = Subject::of_message(&state, &me, id).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(Arc::clone(&me.0))).await?;
    let (reason, note) = match read(&f, &form)? {
        Ok(read) => read,
        Err(errors) => return show(&f, &of, Some(&form), &errors, false),
    };
    state.limits.take(What::Mail, &format!("report:{member}")).await?;
    state.store.write(async move |tx| messages::flag_message(tx, member, id, reason, &note).await.map(drop)).await?;
    show(&f, &of, None, &[], true)
}

/// `GET /case-studies/{slug}/report`
pub async fn study_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let of = Subject::of_study(&state, &viewer, &path).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    show(&f, &of, None, &[], false)
}

/// `POST /case-studies/{slug}/report`
pub async fn send_study_report(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (member, viewer, slug) = (me.id, Viewer::Member(me.0), path.into_inner());
    let of = Subject::of_study(&state, &viewer, &slug).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let (reason, note) = match read(&f, &form)? {
        Ok(read) => read,
        Err(errors) => return show(&f, &of, Some(&form), &errors, false),
    };
    state.limits.take(What::Mail, &format!("report:{member}")).await?;
    state.store.write(async move |tx| studies::flag_study(tx, member, &slug, reason, &note).await.map(drop)).await?;
    show(&f, &of, None, &[], true)
}
