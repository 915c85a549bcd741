//! What readers and writers do with a study in one step: endorse, adopt, follow, comment, invite.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::by_fetch;
use super::edit::talk;
use super::forms::Sheet;
use super::study::{Answers, render};
use super::talk::Talk;
use crate::app::AppState;
use crate::entities::kinds::{AdoptionStatus, PartKey, StudyRole};
use crate::features::playbooks::actions::{self, AdoptionInput, EndorsementInput, NewComment};
use crate::features::playbooks::queries::{self, Which};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// `?undo=1` takes an act back.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActQuery {
    undo: Option<String>,
}

impl ActQuery {
    fn on(&self) -> bool {
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
pub async fn add_author(state: State, me: Member, path: Path, sent: Form) -> Result<HttpResponse> {
    let role = StudyRole::parse(sent.get("role")).unwrap_or(StudyRole::Author);
    let handle = sent.get("handle").trim().trim_start_matches('@').to_lowercase();
    actions::set_author(&state, &me, &path, &handle, role).await?;
    Ok(study_page(&path, "/edit#people"))
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

#[derive(Template)]
#[template(path = "playbooks/templates/_comments.html")]
struct TalkFragment<'a> {
    f: &'a Frame,
    talk: Talk,
}

/// A comment that comes back with what is wrong with it.
#[derive(Template)]
#[template(path = "playbooks/templates/comment.html")]
struct TalkPage<'a> {
    f: &'a Frame,
    title: String,
    address: String,
    faults: Vec<String>,
    talk: Talk,
}

async fn talk_of(
    state: &AppState,
    viewer: &Viewer,
    f: &Frame,
    slug: &str,
    key: PartKey,
    from: &'static str,
) -> Result<(Talk, String)> {
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    let most = PageQuery { limit: Some("100".into()), cursor: None };
    let said = queries::comments_of(state, view.row.id.0, Some(key), false, &most).await?.items;
    let title = view.row.title.clone();
    Ok((talk(f, &view, key, &said, from), title))
}

/// `?part=KEY`
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TalkQuery {
    #[serde(default)]
    part: String,
}

/// `GET /case-studies/{slug}/comments?part=KEY`: what an open editor asks for.
pub async fn comments(
    req: HttpRequest,
    state: State,
    _me: Member,
    viewer: Viewer,
    path: Path,
    query: web::Query<TalkQuery>,
) -> Result<HttpResponse> {
    let key = PartKey::parse(&query.part).ok_or(AppError::NotFound)?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let (talk, _) = talk_of(&state, &viewer, &frame, &path, key, "edit").await?;
    page(&frame, &TalkFragment { f: &frame, talk })
}

/// Where a form of comments came from.
fn from_of(sent: &Form) -> &'static str {
    if sent.get("from") == "review" { "review" } else { "edit" }
}

/// The comments for a script, else the way back to the part.
async fn said(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    key: PartKey,
    from: &'static str,
) -> Result<HttpResponse> {
    if by_fetch(req) {
        let frame = Frame::new(state, req, viewer).await?;
        let (talk, _) = talk_of(state, viewer, &frame, slug, key, from).await?;
        return page(&frame, &TalkFragment { f: &frame, talk });
    }
    Ok(study_page(slug, &format!("/{from}#comments-{}", key.as_str())))
}

/// `POST /case-studies/{slug}/comments`
pub async fn comment(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let key = PartKey::parse(sent.get("part")).ok_or(AppError::NotFound)?;
    let parent = match sent.some("parent") {
        Some(id) => Some(id.parse::<Id>().map_err(|_| AppError::NotFound)?.0),
        None => None,
    };
    let new = NewComment {
        part: key,
        parent,
        quote: String::new(),
        body: sent.get("body").replace("\r\n", "\n"),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::add_comment(&state, &me, &path, &new).await {
        Ok(_) => said(&req, &state, &viewer, &path, key, from_of(&sent)).await,
        Err(AppError::Invalid(faults)) if !by_fetch(&req) => {
            let frame = Frame::new(&state, &req, &viewer).await?;
            let (mut talk, title) = talk_of(&state, &viewer, &frame, &path, key, from_of(&sent)).await?;
            (talk.open, talk.typed) = (true, new.body);
            let faults = faults.into_iter().map(|fault| fault.message).collect();
            let content =
                TalkPage { f: &frame, title, address: format!("/case-studies/{}", path.as_str()), faults, talk };
            crate::web::frame::page_with_status(&frame, &content, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error),
    }
}

/// `POST /case-studies/{slug}/comments/{id}/resolve`
pub async fn resolve(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: Query,
    sent: Form,
) -> Result<HttpResponse> {
    let (slug, id) = path.into_inner();
    let id: Id = id.parse().map_err(|_| AppError::NotFound)?;
    let key = PartKey::parse(sent.get("part")).ok_or(AppError::NotFound)?;
    actions::set_resolved(&state, &me, &slug, id.0, query.on()).await?;
    said(&req, &state, &viewer, &slug, key, from_of(&sent)).await
}
