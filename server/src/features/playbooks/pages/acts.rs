//! What readers and writers do with a study in one step: endorse, adopt, follow, invite.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::forms::{Sheet, nobody};
use super::study::{Answers, render};
use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, StudyRole};
use crate::features::playbooks::actions::{self, AdoptionInput, EndorsementInput};
use crate::features::playbooks::queries::Which;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::see_other;
use crate::web::viewer::{Member, Viewer};

/// `?undo=1` takes an act back.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActQuery {
    undo: Option<String>,
}

impl ActQuery {
    pub fn on(&self) -> bool {
        self.undo.as_deref() != Some("1")
    }
}

type State = web::Data<AppState>;
type Path = web::Path<String>;
type Query = web::Query<ActQuery>;

fn study_page(slug: &str, part: &str) -> HttpResponse {
    see_other(&format!("/case-studies/{slug}{part}"))
}

/// `POST /case-studies/{slug}/follow`
pub async fn follow(state: State, me: Member, path: Path, query: Query, _sent: Form) -> Result<HttpResponse> {
    if query.on() {
        actions::follow(&state, &me, &path).await?;
    } else {
        actions::unfollow(&state, &me, &path).await?;
    }
    Ok(study_page(&path, ""))
}

/// `POST /case-studies/{slug}/endorse`
pub async fn endorse(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    if !query.on() {
        actions::unendorse(&state, &me, &path).await?;
        return Ok(study_page(&path, "#endorsements"));
    }
    let mut form = Sheet::typed(&sent, &["reason", "role", "organisation"]);
    let input = EndorsementInput {
        reason: form.value("reason").to_owned(),
        discipline: None,
        role: sent.some("role").map(str::to_owned),
        organisation: sent.some("organisation").map(str::to_owned),
        confirmed: sent.ticked("confirmed"),
    };
    // The page asks for the sentence that makes an endorsement worth reading.
    let done = if input.reason.trim().is_empty() {
        Err(AppError::field("reason", "is needed"))
    } else {
        actions::endorse(&state, &me, &path, &input).await
    };
    match done {
        Ok(()) => Ok(study_page(&path, "#endorsements")),
        Err(error) => {
            let status = form.refuse(error)?;
            let answers = Answers { endorse: Some(form), ..Answers::default() };
            render(&req, &state, &viewer, &path, Which::Published, answers, status).await
        }
    }
}

/// `POST /case-studies/{slug}/adopt`
pub async fn adopt(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    if !query.on() {
        actions::unadopt(&state, &me, &path).await?;
        return Ok(study_page(&path, "#used-at"));
    }
    let mut form = Sheet::typed(&sent, &["organisation", "site", "status", "why", "contact"]);
    let Some(status) = AdoptionStatus::parse(form.value("status")) else {
        let wrong = AppError::field("status", "is considering, piloting, live or stopped");
        let status = form.refuse(wrong)?;
        let answers = Answers { adopt: Some(form), ..Answers::default() };
        return render(&req, &state, &viewer, &path, Which::Published, answers, status).await;
    };
    let input = AdoptionInput {
        organisation: sent.some("organisation").map(str::to_owned),
        site: form.value("site").to_owned(),
        status,
        why: form.value("why").to_owned(),
        contact: form.value("contact").to_owned(),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::adopt(&state, &me, &path, &input).await {
        Ok(_) => Ok(study_page(&path, "#used-at")),
        Err(error) => {
            let status = form.refuse(error)?;
            let answers = Answers { adopt: Some(form), ..Answers::default() };
            render(&req, &state, &viewer, &path, Which::Published, answers, status).await
        }
    }
}

/// `POST /case-studies/{slug}/discuss`: opens its discussion, or leads to it.
pub async fn discuss(state: State, me: Member, path: Path, sent: Form) -> Result<HttpResponse> {
    let of = actions::discuss(&state, &me, &path, sent.some("space")).await?;
    Ok(see_other(&of.url))
}

/// `POST /case-studies/{slug}/authors`
pub async fn add_author(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let role = StudyRole::parse(sent.get("role")).unwrap_or(StudyRole::Author);
    match actions::set_author(&state, &me, &path, sent.get("handle"), role).await {
        Ok(()) => Ok(study_page(&path, "/edit#people")),
        Err(error) => {
            let mut people = Sheet::typed(&sent, &["handle", "role"]);
            let status = people.refuse(nobody(error))?;
            super::edit::render(&req, &state, &me, &viewer, &path, people, status).await
        }
    }
}

/// `POST /case-studies/{slug}/authors/remove`
pub async fn remove_author(state: State, me: Member, path: Path, sent: Form) -> Result<HttpResponse> {
    let handle = sent.get("handle").to_owned();
    actions::remove_author(&state, &me, &path, &handle).await?;
    if handle == me.handle {
        return Ok(see_other("/case-studies"));
    }
    Ok(study_page(&path, "/edit#people"))
}
