//! Pages to read: reports, the form to make one, a space's log.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::api::id_of;
use super::model::{ActRow, ReportView};
use super::queries::{self, Seen};
use super::reports;
use crate::app::AppState;
use crate::entities::kinds::{ReportReason, ReportState};
use crate::features::spaces::SpaceInfo;
use crate::store::Id;
use crate::text;
use crate::web::checks::{BODY, Text, check};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::rate_limit::What;
use crate::web::viewer::{Member, Viewer};

/// Characters of a post that a page about it shows.
const EXCERPT: usize = 400;

#[derive(Debug, Deserialize)]
pub struct ListQuery {
    state: Option<String>,
    #[serde(flatten)]
    page: PageQuery,
}

/// The reports of one post that are settled together; settled ones stand alone.
struct Group<'a> {
    first: &'a ReportView,
    more: Vec<&'a ReportView>,
}

impl<'a> Group<'a> {
    fn of(reports: &'a [ReportView], open: bool) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for report in reports {
            match groups.iter_mut().find(|group| open && group.first.post.id == report.post.id) {
                Some(group) => group.more.push(report),
                None => groups.push(Self { first: report, more: Vec::new() }),
            }
        }
        groups
    }

    fn all(&self) -> impl Iterator<Item = &'a ReportView> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    /// Each reason once, in the order they came.
    fn reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for report in self.all() {
            if !reasons.contains(&report.reason.as_str()) {
                reasons.push(report.reason.as_str());
            }
        }
        reasons
    }
}

#[derive(Template)]
#[template(path = "moderation/templates/reports.html")]
struct ReportsPage<'a> {
    f: &'a Frame,
    groups: Vec<Group<'a>>,
    /// Whether the open ones are shown, or the settled.
    open: bool,
    open_count: i64,
    next: Option<&'a str>,
}

/// `GET /reports`
pub async fn reports(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse> {
    let spaces = queries::moderated(&state, &me).await?;
    let open = query.state.as_deref() != Some("settled");
    let states: &[ReportState] =
        if open { &[ReportState::Open] } else { &[ReportState::Upheld, ReportState::Dismissed] };
    let list = queries::reports(&state, &spaces, states, query.page.after()?, query.page.limit()?).await?;
    let open_count = queries::open_count(&state, &spaces).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let groups = Group::of(&list.items, open);
    page(&f, &ReportsPage { f: &f, groups, open, open_count, next: list.next_cursor.as_deref() })
}

#[derive(Template)]
#[template(path = "moderation/templates/report.html")]
struct ReportPage<'a> {
    f: &'a Frame,
    id: Id,
    topic_id: Id,
    space: &'a SpaceInfo,
    title: &'a str,
    author: &'a str,
    excerpt: &'a str,
    back: &'a str,
    reasons: &'static [ReportReason],
    chosen: &'a str,
    note: &'a str,
    errors: &'a [FieldError],
    /// An open report of this member that there is already.
    done: bool,
}

impl ReportPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

/// `GET /posts/{id}/report`
pub async fn report_form(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let seen = queries::seen_post(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    show_form(&f, &seen, "", "", &[], false)
}

fn show_form(
    f: &Frame,
    seen: &Seen,
    chosen: &str,
    note: &str,
    errors: &[FieldError],
    done: bool,
) -> Result<HttpResponse> {
    let template = ReportPage {
        f,
        id: Id(seen.post.id),
        topic_id: Id(seen.topic.id),
        space: &seen.space,
        title: title_of(f, seen),
        author: &seen.author.display_name,
        excerpt: &text::excerpt(&seen.post.body_html, EXCERPT),
        back: &queries::post_url(&seen.space.slug, seen.topic.id, seen.post.id),
        reasons: ReportReason::ALL,
        chosen,
        note,
        errors,
        done,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with_status(f, &template, status)
}

/// A topic's title, or the word for one that was purged.
pub fn title_of<'a>(f: &'a Frame, seen: &'a Seen) -> &'a str {
    if seen.topic.title.is_empty() { f.t("moderation.purged_title") } else { &seen.topic.title }
}

/// `POST /posts/{id}/report`
pub async fn send_report(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let (member, viewer) = (me.id, Viewer::Member(me.0));
    let seen = queries::seen_post(&state, &viewer, id_of(&path)?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    let reason = ReportReason::parse(form.get("reason"));
    let checked = check(&[Text::body("note", form.get("note"), BODY)], form.ticked("confirmed"));
    let (Some(reason), Ok(checked)) = (reason, &checked) else {
        let mut errors = Vec::new();
        if reason.is_none() {
            errors.push(FieldError { field: "reason".into(), message: f.t("moderation.report.choose").to_owned() });
        }
        match checked {
            Err(AppError::Invalid(more)) => errors.extend(more),
            Err(other) => return Err(other),
            Ok(_) => {}
        }
        return show_form(&f, &seen, form.get("reason"), form.get("note"), &errors, false);
    };
    state.limits.take(What::Mail, &format!("report:{member}")).await?;
    let (post, note) = (seen.post.id, checked.get("note").to_owned());
    state.store.write(async move |tx| reports::flag_post(tx, member, post, reason, &note).await.map(drop)).await?;
    show_form(&f, &seen, "", "", &[], true)
}

#[derive(Template)]
#[template(path = "moderation/templates/log.html")]
struct LogPage<'a> {
    f: &'a Frame,
    space: &'a SpaceInfo,
    acts: &'a [ActRow],
    next: Option<&'a str>,
}

/// `GET /s/{slug}/log`
pub async fn space_log(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Member,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let (space, access) = state.spaces.find(&state, &viewer, &path).await?;
    access.moderate()?;
    let list = queries::acts_of(&state, Some(space.id), query.after()?, query.limit()?).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    page(&f, &LogPage { f: &f, space: &space, acts: &list.items, next: list.next_cursor.as_deref() })
}

/// Where a page's act leads: the address its form names, else `otherwise`. A script gets 204.
pub fn after_act(req: &HttpRequest, form: &Form, otherwise: &str) -> HttpResponse {
    if req.headers().get("X-Requested-With").is_some_and(|value| value == "fetch") {
        return HttpResponse::NoContent().finish();
    }
    see_other(form.some("next").unwrap_or(otherwise))
}
