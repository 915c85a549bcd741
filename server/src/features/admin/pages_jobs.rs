//! Jobs and mail: how they fare, and what was given up.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::model::JobView;
use super::queries::{self, MailRow};
use crate::app::AppState;
use crate::entities::kinds::{JobState, MailState};
use crate::jobs;
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Administrator, Viewer};

/// Mails that the page shows.
const MAILS: u64 = 30;

#[derive(Template)]
#[template(path = "admin/templates/jobs.html")]
struct JobsPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    ready: i64,
    running: i64,
    dead: &'a [JobView],
    next: Option<&'a str>,
    mail_counts: &'a [(MailState, i64)],
    mails: &'a [MailRow],
}

/// `GET /admin/jobs`
pub async fn show(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let dead = queries::jobs(&state, Some(JobState::Dead), query.after()?, query.limit()?).await?;
    let counts = queries::job_counts(&state).await?;
    let count = |of: JobState| counts.iter().find(|(state, _)| *state == of).map_or(0, |(_, count)| *count);
    let mail_counts = queries::mail_counts(&state).await?;
    let mails = queries::mails(&state, MAILS).await?;
    let f = Frame::new(&state, &req, &Viewer::Member(me.0)).await?;
    let template = JobsPage {
        f: &f,
        tab: "jobs",
        ready: count(JobState::Ready),
        running: count(JobState::Running),
        dead: &dead.items,
        next: dead.next_cursor.as_deref(),
        mail_counts: &mail_counts,
        mails: &mails,
    };
    page(&f, &template)
}

/// `POST /admin/jobs/{id}/retry`
pub async fn retry(
    state: web::Data<AppState>,
    _me: Administrator,
    path: web::Path<String>,
    _form: Form,
) -> Result<HttpResponse> {
    let id: Id = path.parse().map_err(|_| AppError::NotFound)?;
    state.store.write(async move |tx| jobs::retry_dead(tx, id.0).await).await?;
    Ok(see_other("/admin/jobs"))
}
