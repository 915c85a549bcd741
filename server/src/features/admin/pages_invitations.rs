//! Inviting people, one or a pasted list.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::app::AppState;
use crate::features::accounts::invitations::{self, InvitationView};
use crate::features::spaces::{Access, SpaceInfo, policy};
use crate::ports::clock::parse_rfc3339;
use crate::store::Id;
use crate::web::error::{AppError, FieldError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Administrator, Me, Viewer};

/// An invitation with its time as the templates want it.
struct Row {
    view: InvitationView,
    at: i64,
}

#[derive(Template)]
#[template(path = "admin/templates/invitations.html")]
struct InvitationsPage<'a> {
    f: &'a Frame,
    tab: &'static str,
    spaces: &'a [Arc<SpaceInfo>],
    rows: &'a [Row],
    next: Option<&'a str>,
    emails: &'a str,
    message: &'a str,
    chosen: &'a [&'a str],
    errors: &'a [FieldError],
    /// What was just made: addresses and links, which are shown this once.
    made: &'a [(String, String)],
    /// No mail server is set up.
    held: bool,
}

impl InvitationsPage<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    fn is_chosen(&self, slug: &str) -> bool {
        self.chosen.contains(&slug)
    }
}

/// `GET /admin/invitations`
pub async fn list(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let blank = Filled { emails: "", message: "", chosen: &[], errors: &[], made: &[] };
    show(&state, &req, &me.0, &query, &blank).await
}

/// What stands in the form.
struct Filled<'a> {
    emails: &'a str,
    message: &'a str,
    chosen: &'a [&'a str],
    errors: &'a [FieldError],
    made: &'a [(String, String)],
}

async fn show(
    state: &AppState,
    req: &HttpRequest,
    me: &Arc<Me>,
    query: &PageQuery,
    filled: &Filled<'_>,
) -> Result<HttpResponse> {
    let list = invitations::list(state, me, query).await?;
    let snapshot = state.spaces.snapshot(state).await?;
    let spaces: Vec<Arc<SpaceInfo>> = snapshot
        .all()
        .iter()
        .filter(|space| !space.archived && policy::of_member(me, space) >= Access::Read)
        .cloned()
        .collect();
    let rows: Vec<Row> = list
        .items
        .into_iter()
        .map(|view| Row { at: parse_rfc3339(&view.created_at).unwrap_or_default(), view })
        .collect();
    let f = Frame::new(state, req, &Viewer::Member(Arc::clone(me))).await?;
    let template = InvitationsPage {
        f: &f,
        tab: "invitations",
        spaces: &spaces,
        rows: &rows,
        next: list.next_cursor.as_deref(),
        emails: filled.emails,
        message: filled.message,
        chosen: filled.chosen,
        errors: filled.errors,
        made: filled.made,
        held: !state.mailer.is_configured(),
    };
    let status = if filled.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with_status(&f, &template, status)
}

/// `POST /admin/invitations`
pub async fn invite(
    state: web::Data<AppState>,
    req: HttpRequest,
    me: Administrator,
    form: Form,
) -> Result<HttpResponse> {
    let (good, bad) = invitations::parse_list(form.get("emails"));
    let mut errors = invitations::faults_of(&bad);
    if errors.is_empty() {
        let (owned, by) = (AppState::clone(&state), me.id);
        let spaces: Vec<String> = form.all("space").map(str::to_owned).collect();
        let message = form.get("message").to_owned();
        let sent = state
            .store
            .write(async move |tx| invitations::invite(&owned, tx, by, &good, &spaces, &message).await)
            .await;
        match sent {
            // No redirect: the links are in this answer and in no other.
            Ok(views) => {
                let made = invitations::links_of(&state, &views);
                let blank = Filled { emails: "", message: "", chosen: &[], errors: &[], made: &made };
                return show(&state, &req, &me.0, &PageQuery::default(), &blank).await;
            }
            Err(AppError::Invalid(faults)) => errors = faults,
            Err(error) => return Err(error),
        }
    }
    let chosen: Vec<&str> = form.all("space").collect();
    let filled = Filled {
        emails: form.get("emails"),
        message: form.get("message"),
        chosen: &chosen,
        errors: &errors,
        made: &[],
    };
    show(&state, &req, &me.0, &PageQuery::default(), &filled).await
}

/// `POST /admin/invitations/{id}/revoke`
pub async fn revoke(
    state: web::Data<AppState>,
    me: Administrator,
    path: web::Path<String>,
    _form: Form,
) -> Result<HttpResponse> {
    let id: Id = path.parse().map_err(|_| AppError::NotFound)?;
    let by = me.id;
    state.store.write(async move |tx| invitations::revoke(tx, by, id.0).await).await?;
    Ok(see_other("/admin/invitations"))
}
