//! What stands around a study and has its own pages: all who endorse it, all who use it, the saved
//! states of a part, and the way off the lists.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::Said;
use super::forms::{Sheet, version_of};
use super::study::UsedAt;
use crate::app::AppState;
use crate::entities::kinds::PartKey;
use crate::features::playbooks::actions::{self, Review, Verb};
use crate::features::playbooks::model::{PartRevisionView, PartView, RevisionContent, StudyRef};
use crate::features::playbooks::parts;
use crate::features::playbooks::queries::{self, Which, diff_revisions};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

type State = web::Data<AppState>;
type Path = web::Path<String>;

#[derive(Template)]
#[template(path = "playbooks/templates/endorsements.html")]
struct EndorsementsPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    said: Vec<Said>,
    next: Option<String>,
}

/// `GET /case-studies/{slug}/endorsements`
pub async fn endorsements(
    req: HttpRequest,
    state: State,
    viewer: Viewer,
    path: Path,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &path).await?;
    let found = queries::endorsements_of(&state, seen.id, &query).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let said = found.items.iter().map(|each| Said::of(&frame, each)).collect();
    let next = found.next_cursor.map(|cursor| format!("{}/endorsements?cursor={cursor}", seen.row.url));
    page(&frame, &EndorsementsPage { f: &frame, address: seen.row.url, title: seen.row.title, said, next })
}

#[derive(Template)]
#[template(path = "playbooks/templates/adoptions.html")]
struct AdoptionsPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    used: Vec<UsedAt>,
    next: Option<String>,
}

/// `GET /case-studies/{slug}/adoptions`
pub async fn adoptions(
    req: HttpRequest,
    state: State,
    viewer: Viewer,
    path: Path,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &path).await?;
    let name = StudyRef { slug: seen.row.slug.clone(), title: seen.row.title.clone() };
    let found = queries::adoptions_of(&state, seen.id, &name, viewer.member().is_some(), &query).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let used = found.items.iter().map(UsedAt::of).collect();
    let next = found.next_cursor.map(|cursor| format!("{}/adoptions?cursor={cursor}", seen.row.url));
    page(&frame, &AdoptionsPage { f: &frame, address: seen.row.url, title: seen.row.title, used, next })
}

/// A saved state of a part, and how it differs from the one before.
struct SavedState {
    version: String,
    by: String,
    at: i64,
    note: String,
    body: String,
    diff: String,
}

#[derive(Template)]
#[template(path = "playbooks/templates/part-history.html")]
struct PartHistoryPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    part: String,
    states: Vec<SavedState>,
    next: Option<String>,
}

/// `GET /case-studies/{slug}/edit/{key}/history`: for those who read the working copy.
pub async fn part_history(
    req: HttpRequest,
    state: State,
    _me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let key = PartKey::parse(&path.1).ok_or(AppError::NotFound)?;
    let seen = queries::find_study(&state, &viewer, &path.0).await?;
    seen.standing.read_working()?;
    let found = queries::part_revisions(&state, seen.id, key, &query).await?;
    // The one before the last on this page stands on the next.
    let older = match &found.next_cursor {
        Some(cursor) => {
            let one = PageQuery { limit: Some("1".into()), cursor: Some(cursor.clone()) };
            queries::part_revisions(&state, seen.id, key, &one).await?.items.into_iter().next()
        }
        None => None,
    };
    let frame = Frame::new(&state, &req, &viewer).await?;
    let before = found.items.iter().skip(1).map(Some).chain(std::iter::once(older.as_ref()));
    let states = found.items.iter().zip(before).map(|(of, before)| SavedState {
        version: of.version.to_string(),
        by: of.editor_name.clone(),
        at: of.at,
        note: of.note.clone(),
        body: of.body.clone(),
        diff: before.map(|before| difference(key, before, of)).unwrap_or_default(),
    });
    let states = states.collect();
    let (address, title) = (seen.row.url, seen.row.title);
    let next = found.next_cursor.map(|cursor| format!("{address}/edit/{}/history?cursor={cursor}", key.as_str()));
    let part = parts::title(key);
    page(&frame, &PartHistoryPage { f: &frame, address, title, part, states, next })
}

fn difference(key: PartKey, old: &PartRevisionView, new: &PartRevisionView) -> String {
    let whole = |of: &PartRevisionView| {
        let part = PartView {
            body: of.body.clone(),
            fields: of.fields.clone(),
            measures: of.measures.clone(),
            ..PartView::blank(key)
        };
        RevisionContent { parts: BTreeMap::from([(key, part)]), ..RevisionContent::default() }
    };
    diff_revisions(&whole(old), &whole(new)).into_iter().next().map(|diff| diff.diff_html).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "playbooks/templates/retire.html")]
struct RetirePage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    version: String,
    form: Sheet,
}

/// `GET /case-studies/{slug}/retire`
pub async fn retire_form(
    req: HttpRequest,
    state: State,
    _me: Member,
    viewer: Viewer,
    path: Path,
) -> Result<HttpResponse> {
    show_retire(&req, &state, &viewer, &path, Sheet::default().with("note", ""), StatusCode::OK).await
}

async fn show_retire(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    if !view.may.retire {
        return Err(AppError::Forbidden("Only its authors and reviewers can do this, once.".into()));
    }
    let frame = Frame::new(state, req, viewer).await?;
    let version = if form.has("version") { form.value("version").to_owned() } else { view.version.to_string() };
    let (address, title) = (view.row.url, view.row.title);
    page_with_status(&frame, &RetirePage { f: &frame, address, title, version, form }, status)
}

/// `POST /case-studies/{slug}/retire`
pub async fn retire(
    req: HttpRequest,
    state: State,
    me: Member,
    viewer: Viewer,
    path: Path,
    sent: Form,
) -> Result<HttpResponse> {
    let mut form = Sheet::typed(&sent, &["note", "version"]);
    let review =
        Review { note: form.value("note").to_owned(), confirmed: sent.ticked("confirmed"), ..Review::default() };
    match actions::review(&state, &me, &path, Verb::Retire, &review, version_of(&sent)).await {
        Ok(()) => {
            let seen = queries::find_study(&state, &viewer, &path).await;
            // A draft that was never published is its authors' alone again.
            Ok(see_other(&seen.map_or_else(|_| "/playbooks".to_owned(), |seen| seen.row.url)))
        }
        Err(AppError::Stale) => {
            let form = form.without("version").stale("playbooks.manage.stale");
            show_retire(&req, &state, &viewer, &path, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let status = form.refuse(error)?;
            show_retire(&req, &state, &viewer, &path, form, status).await
        }
    }
}
