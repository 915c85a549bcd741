//! Submitting a study, and what its reviewers read and decide.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::{MeasureCard, PartCard, Row, elsewhere};
use super::edit::{differs, said_of};
use super::forms::{Sheet, version_of};
use super::talk::{Talk, talk};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyState};
use crate::features::playbooks::actions::{self, Review, Verb};
use crate::features::playbooks::model::{PartDiff, PartView, RevisionContent, StudyView};
use crate::features::playbooks::parts;
use crate::features::playbooks::queries::{self, Which, diff_revisions};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// Parts as the template of a study shows them.
struct Read {
    measures: Vec<MeasureCard>,
    plotted: bool,
}

/// A part with what is said of it.
struct Judged {
    card: PartCard,
    talk: Talk,
}

#[derive(Template)]
#[template(path = "playbooks/templates/review.html")]
struct ReviewPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    summary: String,
    by: String,
    playbook: Option<(String, String)>,
    /// Number of the published version; 0 before the first.
    version: i32,
    /// Version of the working copy that is read here.
    read: String,
    diffs: Vec<PartDiff>,
    judged: Vec<Judged>,
    s: Read,
    checklist: Vec<String>,
    /// It waits for a review, whoever reads this page.
    waits: bool,
    may: bool,
    retire: bool,
    form: Sheet,
}

/// `GET /case-studies/{slug}/review`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    render(&req, &state, &viewer, &path, Sheet::default().with("note", ""), StatusCode::OK).await
}

async fn render(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    let said = said_of(state, view.row.id.0, None).await?;
    let diffs = changes(state, &view).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let shown = PartKey::ALL.iter().filter_map(|key| view.parts.get(key)).filter(|part| !part.is_empty());
    let judged = shown
        .filter(|part| !elsewhere(part.key) || part.key == PartKey::Summary)
        .map(|part| Judged { card: PartCard::of(part), talk: talk(&frame, &view, part.key, &said, "review") });
    let judged = judged.collect();
    let measures: Vec<MeasureCard> =
        view.measures.iter().enumerate().map(|(at, measure)| MeasureCard::of(&frame, at, measure)).collect();
    let names: Vec<&str> = view.row.authors.iter().map(|who| who.display_name.as_str()).collect();
    let content = ReviewPage {
        f: &frame,
        address: view.row.url.clone(),
        title: view.row.title.clone(),
        summary: view.row.summary.clone(),
        by: names.join(", "),
        playbook: view.row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone())),
        version: view.row.revision,
        read: if form.has("version") { form.value("version").to_owned() } else { view.version.to_string() },
        diffs,
        judged,
        s: Read { plotted: measures.iter().any(|measure| measure.plot.is_some()), measures },
        checklist: view.checklist.clone(),
        waits: view.row.state == StudyState::Submitted,
        may: view.may.review,
        retire: view.may.retire,
        form,
    };
    page_with_status(&frame, &content, status)
}

/// What a published study would become.
async fn changes(state: &AppState, view: &StudyView) -> Result<Vec<PartDiff>> {
    if view.row.revision == 0 {
        return Ok(Vec::new());
    }
    let old = queries::kept_revision(state, view.row.id.0, view.row.revision).await?;
    let new = RevisionContent {
        title: view.row.title.clone(),
        parts: view.parts.clone(),
        terms: view.row.terms.clone(),
        people: queries::people_text(&view.row.authors, &view.credited),
    };
    Ok(diff_revisions(&queries::content_of(old), &new))
}

fn review_of(sent: &Form) -> Review {
    Review {
        note: sent.get("note").replace("\r\n", "\n"),
        checklist: sent.all("check").map(str::to_owned).collect(),
        confirmed: sent.ticked("confirmed"),
    }
}

/// `POST /case-studies/{slug}/publish`
pub async fn publish(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    // Nobody decides on a text that they have not read.
    let done = actions::review(&state, &me, &path, Verb::Publish, &review_of(&sent), version_of(&sent)).await;
    decided(&req, &state, &viewer, &path, &sent, done).await
}

/// `POST /case-studies/{slug}/return`
pub async fn send_back(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let done = actions::review(&state, &me, &path, Verb::Return, &review_of(&sent), version_of(&sent)).await;
    decided(&req, &state, &viewer, &path, &sent, done).await
}

async fn decided(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    sent: &Form,
    done: Result<()>,
) -> Result<HttpResponse> {
    match done {
        Ok(()) => {
            let seen = queries::find_study(state, viewer, slug).await?;
            // A study that was returned is its authors' again: the queue goes on.
            let home = seen.row.playbook.map(|of| format!("/playbooks/{}/reviews", of.slug));
            let to = if seen.standing.reads_published() { Some(seen.row.url) } else { home };
            Ok(see_other(to.as_deref().unwrap_or("/playbooks")))
        }
        Err(AppError::Stale) => {
            // What was ticked was ticked of another text.
            let form = Sheet::typed(sent, &["note"]).stale("playbooks.review.stale");
            render(req, state, viewer, slug, form, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            // The version stays that of the text which was read.
            let mut form = Sheet::typed(sent, &["note", "checklist", "version"]);
            for check in sent.all("check") {
                form = form.with(&format!("check.{check}"), "1");
            }
            let status = form.refuse(error)?;
            render(req, state, viewer, slug, form, status).await
        }
    }
}

#[derive(Template)]
#[template(path = "playbooks/templates/submit.html")]
struct SubmitPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    playbook: Option<(String, String)>,
    missing: Vec<(&'static str, String)>,
    /// Parts in which the viewer has typed what is not saved.
    unsaved: Vec<(&'static str, String)>,
    ready: bool,
    form: Sheet,
}

/// `GET /case-studies/{slug}/submit`
pub async fn submit_form(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let form = Sheet::default().with("note", "").for_reviewers();
    show_submit(&req, &state, &viewer, &path, form, StatusCode::OK).await
}

async fn show_submit(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_to_edit(state, viewer, slug).await?;
    if view.row.state == StudyState::Submitted {
        return Ok(see_other(&format!("{}/edit", view.row.url)));
    }
    let me = viewer.require()?;
    let drafts = queries::drafts_of(state, me, view.row.id.0).await?;
    let unsaved = PartKey::ALL.iter().filter(|key| {
        let blank = PartView::blank(**key);
        drafts.get(*key).is_some_and(|draft| differs(draft, view.parts.get(*key).unwrap_or(&blank)))
    });
    let unsaved = unsaved.map(|key| (key.as_str(), parts::title(*key))).collect();
    let frame = Frame::new(state, req, viewer).await?;
    let content = SubmitPage {
        f: &frame,
        address: view.row.url.clone(),
        title: view.row.title.clone(),
        playbook: view.row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone())),
        missing: view.completeness.missing.iter().map(|key| (key.as_str(), parts::title(*key))).collect(),
        unsaved,
        ready: view.completeness.ready && view.row.playbook.is_some(),
        form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /case-studies/{slug}/submit`
pub async fn submit(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    match actions::review(&state, &me, &path, Verb::Submit, &review_of(&sent), IfMatch::default()).await {
        Ok(()) => Ok(see_other(&format!("/case-studies/{}/edit", path.as_str()))),
        Err(error) => {
            let mut form = Sheet::typed(&sent, &["note"]).for_reviewers();
            let status = form.refuse(error)?;
            show_submit(&req, &state, &viewer, &path, form, status).await
        }
    }
}

/// `POST /case-studies/{slug}/withdraw`
pub async fn withdraw(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    actions::review(&state, &me, &path, Verb::Withdraw, &review_of(&sent), IfMatch::default()).await?;
    Ok(see_other(&format!("/case-studies/{}/edit", path.as_str())))
}

/// A study that waits.
struct Waiting {
    row: Row,
    by: String,
    submitted: i64,
}

#[derive(Template)]
#[template(path = "playbooks/templates/reviews.html")]
struct QueuePage<'a> {
    f: &'a Frame,
    slug: String,
    title: String,
    rows: Vec<Waiting>,
    next: Option<String>,
}

/// `GET /playbooks/{slug}/reviews`
pub async fn queue(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let of = queries::find_playbook(&state, &viewer, &path).await?;
    if !of.standing.reviews() {
        return Err(AppError::Forbidden("Only reviewers of this playbook can do this.".into()));
    }
    let found = queries::reviews_of(&state, of.id, &query).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let rows = found.items.iter().map(|row| Waiting {
        by: row.authors.iter().map(|who| who.display_name.as_str()).collect::<Vec<_>>().join(", "),
        submitted: row.submitted.unwrap_or(row.updated),
        row: Row { href: format!("{}/review", row.url), ..Row::of(&frame, row) },
    });
    let rows = rows.collect();
    let next = found.next_cursor.map(|cursor| format!("/playbooks/{}/reviews?cursor={cursor}", of.row.slug));
    page(&frame, &QueuePage { f: &frame, slug: of.row.slug, title: of.row.title, rows, next })
}
