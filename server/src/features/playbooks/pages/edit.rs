//! Writing a case study: all its parts on one page, each a form that is saved by itself.
//!
//! Invariant: whoever was overtaken keeps every typed character and sees what stands there now
//! before anything of theirs is saved. A text that was begun on another version than stands there
//! says so wherever it is shown, until it is saved or let go: its `base` moves with nothing else.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::by_fetch;
use super::cards::Person;
use super::edit_form::{EditMeasure, EditPart, Other, Typed};
use super::forms::Sheet;
use super::talk::talk;
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct, StudyRole, StudyState};
use crate::features::playbooks::actions::{self, Saved};
use crate::features::playbooks::model::{PartDraftView, PartView, RevisionContent, StudyView};
use crate::features::playbooks::parts;
use crate::features::playbooks::queries::{self, Threads, Which, diff_revisions};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Me, Member, Viewer};

/// The parts in the order in which they are written.
const GROUPS: [(&str, &[PartKey]); 6] = [
    ("story", &[PartKey::Summary, PartKey::Challenge, PartKey::Aim, PartKey::WhatWeDid]),
    (
        "results",
        &[
            PartKey::Outcomes,
            PartKey::WhatDidNotWork,
            PartKey::LessonsLearned,
            PartKey::Costs,
            PartKey::BenefitsAndRisks,
            PartKey::Evidence,
        ],
    ),
    ("product", &[PartKey::Functionality, PartKey::IntendedUse, PartKey::RegulatoryClass]),
    (
        "safe",
        &[
            PartKey::DataProtection,
            PartKey::EqualityImpact,
            PartKey::InformationGovernance,
            PartKey::PatientInvolvement,
        ],
    ),
    ("people", &[PartKey::Team, PartKey::Sponsor, PartKey::Supplier]),
    (
        "about",
        &[
            PartKey::Scope,
            PartKey::WhatNext,
            PartKey::FindOutMore,
            PartKey::Contact,
            PartKey::Licence,
            PartKey::Owner,
            PartKey::ReviewDue,
        ],
    ),
];

/// Some of the parts, under a heading.
pub struct Group {
    pub key: &'static str,
    pub parts: Vec<EditPart>,
}

/// A study that is written.
pub struct Edited {
    pub slug: String,
    pub address: String,
    pub title: String,
    pub playbook: Option<(String, String)>,
    pub state: &'static str,
    pub stream: String,
    pub head: i64,
    pub epoch: String,
    pub submit: bool,
    pub withdraw: bool,
    pub retire: bool,
    pub open_comments: i32,
    /// What was said when it was returned or submitted.
    pub said: String,
    pub said_title: String,
    pub needed: String,
    pub needed_written: String,
    pub written: String,
    pub all: String,
    pub missing: Vec<(&'static str, String)>,
    pub groups: Vec<Group>,
    /// With what they are, and whether the reader may take them out.
    pub authors: Vec<(Person, &'static str, bool)>,
    pub scenarios: Vec<String>,
    pub terms: Vec<(&'static str, String)>,
    pub blank_measure: EditMeasure,
}

impl Edited {
    pub fn of(f: &Frame, viewer: &Viewer, view: &StudyView) -> Self {
        let needed = parts::REQUIRED.len();
        let missing: Vec<(&'static str, String)> =
            view.completeness.missing.iter().map(|key| (key.as_str(), parts::title(*key))).collect();
        let me = viewer.member().map(|me| me.id);
        let others = view.may.owns || view.authors_full.first().is_some_and(|first| Some(first.id) == me);
        let authors = view.authors_full.iter().map(|who| {
            // The last author stays.
            let leaves = view.authors_full.len() > 1 && (others || Some(who.id) == me);
            (Person::of(f, who), StudyRole::Author.as_str(), leaves)
        });
        let credited = view.credited.iter().map(|who| (Person::named(who), StudyRole::Credited.as_str(), others));
        let terms = view.row.terms.iter().filter(|(_, of)| !of.is_empty());
        Self {
            slug: view.row.slug.clone(),
            address: view.row.url.clone(),
            title: view.row.title.clone(),
            playbook: view.row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone())),
            state: view.row.state.as_str(),
            stream: view.stream.clone(),
            head: view.head,
            epoch: view.epoch.clone(),
            submit: view.may.submit,
            withdraw: view.may.withdraw,
            retire: view.may.retire && view.row.revision > 0,
            open_comments: view.open_comments,
            said: String::new(),
            said_title: String::new(),
            needed: needed.to_string(),
            needed_written: needed.saturating_sub(missing.len()).to_string(),
            written: view.completeness.written.to_string(),
            all: view.completeness.parts.to_string(),
            missing,
            groups: Vec::new(),
            authors: authors.chain(credited).collect(),
            scenarios: view.scenarios.iter().map(|of| of.title.clone()).collect(),
            terms: terms.map(|(kind, of)| (kind.as_str(), of.join(", "))).collect(),
            blank_measure: EditMeasure::default(),
        }
    }
}

#[derive(Template)]
#[template(path = "playbooks/templates/edit-study.html")]
struct EditPage<'a> {
    f: &'a Frame,
    e: Edited,
    people: Sheet,
}

/// One part by itself: what comes back without scripts, and what a script puts in its place.
#[derive(Template)]
#[template(path = "playbooks/templates/edit-part.html")]
struct PartPage<'a> {
    f: &'a Frame,
    e: Edited,
    part: EditPart,
}

#[derive(Template)]
#[template(path = "playbooks/templates/_edit_answer.html")]
struct PartFragment<'a> {
    f: &'a Frame,
    e: Edited,
    part: EditPart,
}

/// Threads of each part that an editor shows.
const MOST_THREADS: &str = "20";

/// What is said of one part or of all, as far as a page of the study shows it.
pub async fn said_of(state: &AppState, study: i64, part: Option<PartKey>) -> Result<Threads> {
    let most = PageQuery { limit: Some(MOST_THREADS.into()), cursor: None };
    queries::threads_of(state, study, part, &most).await
}

/// `GET /case-studies/{slug}/edit`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let people = Sheet::default().with("handle", "").with("role", StudyRole::Author.as_str());
    render(&req, &state, &me, &viewer, &path, people, StatusCode::OK).await
}

/// The page, with the form of its people as it comes back.
pub async fn render(
    req: &HttpRequest,
    state: &AppState,
    me: &Me,
    viewer: &Viewer,
    slug: &str,
    people: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::study_to_edit(state, viewer, slug).await?;
    let id = view.row.id.0;
    let drafts = queries::drafts_of(state, me, id).await?;
    let said = said_of(state, id, None).await?;
    let acts = match view.row.state {
        StudyState::Returned | StudyState::Submitted => {
            let few = PageQuery { limit: Some("100".into()), cursor: None };
            queries::acts_of(state, id, &few).await?.items
        }
        _ => Vec::new(),
    };
    let frame = Frame::new(state, req, viewer).await?;
    let mut edited = Edited::of(&frame, viewer, &view);
    // Who came or went since says nothing of the review.
    let comes_or_goes = |kind| matches!(kind, StudyAct::Joined | StudyAct::Credited | StudyAct::Left);
    if let Some(act) = acts.into_iter().find(|act| !comes_or_goes(act.kind)) {
        edited.said_title = match act.kind {
            StudyAct::Returned => frame.with1("playbooks.edit_study.returned", "name", &act.actor.display_name),
            _ => frame.t("playbooks.edit_study.submitted").to_owned(),
        };
        edited.said = if act.note.is_empty() { frame.t("playbooks.edit_study.no_note").to_owned() } else { act.note };
    }
    let asked = web::Query::<PartQuery>::from_query(req.query_string());
    let just_saved = asked.ok().and_then(|query| query.into_inner().saved);
    for (group, keys) in GROUPS {
        let parts = keys.iter().map(|key| {
            let blank;
            let saved = match view.parts.get(key) {
                Some(part) => part,
                None => {
                    blank = PartView::blank(*key);
                    &blank
                }
            };
            let mut part = part_of(&frame, &view, saved, drafts.get(key));
            part.talk = Some(talk(&frame, &view, *key, &said, "edit"));
            part.saved = just_saved.as_deref() == Some(key.as_str());
            part
        });
        edited.groups.push(Group { key: group, parts: parts.collect() });
    }
    page_with_status(&frame, &EditPage { f: &frame, e: edited, people }, status)
}

/// Whether a draft says anything else than the part as it is saved.
pub fn differs(draft: &PartDraftView, saved: &PartView) -> bool {
    let typed = Typed::draft(draft);
    let part = typed.as_part(saved.key);
    part.body != saved.body.trim() || part.fields != saved.fields || !typed.measures_are(&saved.measures)
}

/// A part as it is saved, or what its writer typed since.
fn part_of(f: &Frame, view: &StudyView, saved: &PartView, draft: Option<&PartDraftView>) -> EditPart {
    let differs = draft.filter(|draft| differs(draft, saved));
    let typed = differs.map_or_else(|| Typed::saved(saved), Typed::draft);
    let mut part = EditPart::new(f, &view.row.url, saved, typed.clone());
    if let Some(draft) = differs {
        (part.draft, part.drafted) = (true, draft.updated / 1000);
    }
    if typed.base != saved.version {
        confront(f, view, saved, &typed, &mut part);
    }
    part
}

/// Shows what stands there now to whoever began on something else.
fn confront(f: &Frame, view: &StudyView, saved: &PartView, typed: &Typed, part: &mut EditPart) {
    part.other = Some(other(f, view, saved, typed));
    // Whoever saves now has seen what stands there.
    part.version = saved.version;
}

/// What stands there now, against what was typed.
fn other(f: &Frame, view: &StudyView, saved: &PartView, typed: &Typed) -> Other {
    let key = saved.key;
    let whole = |part: PartView| RevisionContent { parts: BTreeMap::from([(key, part)]), ..RevisionContent::default() };
    let diffs = diff_revisions(&whole(saved.clone()), &whole(typed.as_part(key)));
    let handle = saved.updated_by.as_deref().unwrap_or_default();
    let name = view.authors_full.iter().find(|who| who.handle == handle).map(|who| who.display_name.as_str());
    Other {
        by: name.unwrap_or(handle).to_owned(),
        diff: diffs
            .into_iter()
            .next()
            .map_or_else(|| format!("<p>{}</p>", f.t("playbooks.edit_study.same")), |diff| diff.diff_html),
        body: saved.body.clone(),
    }
}

/// `?fragment=part`: what a script puts in the place of a part that somebody else saved; `?saved=KEY`: the
/// part that was saved just now.
#[derive(Debug, Default, Deserialize)]
pub struct PartQuery {
    fragment: Option<String>,
    saved: Option<String>,
}

fn key_of(path: &(String, String)) -> Result<PartKey> {
    PartKey::parse(&path.1).ok_or(AppError::NotFound)
}

/// `GET /case-studies/{slug}/edit/{key}`: one part by itself.
pub async fn part(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<PartQuery>,
) -> Result<HttpResponse> {
    let key = key_of(&path)?;
    let view = queries::study_to_edit(&state, &viewer, &path.0).await?;
    let draft = queries::draft_of(state.store.read(), me.id, view.row.id.0, key).await?;
    let said = said_of(&state, view.row.id.0, Some(key)).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let saved = view.parts.get(&key).cloned().unwrap_or_else(|| PartView::blank(key));
    let mut part = part_of(&frame, &view, &saved, draft.as_ref());
    part.talk = Some(talk(&frame, &view, key, &said, "edit"));
    let e = Edited::of(&frame, &viewer, &view);
    if query.fragment.is_some() {
        return page(&frame, &PartFragment { f: &frame, e, part });
    }
    page(&frame, &PartPage { f: &frame, e, part })
}

/// `POST /case-studies/{slug}/edit/{key}`
pub async fn save(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    sent: Form,
) -> Result<HttpResponse> {
    let key = key_of(&path)?;
    let mut typed = Typed::of(key, &sent);
    let view = queries::study_view(&state, &viewer, &path.0, Which::Working).await?;
    let slug = view.row.slug.clone();
    if sent.get("take") == "theirs" {
        actions::drop_draft(&state, &me, &slug, key).await?;
        if !by_fetch(&req) {
            return Ok(see_other(&format!("/case-studies/{slug}/edit#{}", key.as_str())));
        }
        return answer(&req, &state, &viewer, &slug, key, None).await;
    }
    if sent.ticked("more") {
        typed.measures.push(EditMeasure::default());
        return answer(&req, &state, &viewer, &slug, key, Some((typed, Why::More))).await;
    }
    if sent.ticked("compare") {
        return answer(&req, &state, &viewer, &slug, key, Some((typed, Why::Overtaken))).await;
    }
    let save = typed.save(sent.ticked("confirmed"));
    match actions::save_part(&state, &me, &slug, key, &save, IfMatch::version(Some(typed.version))).await {
        Ok(Saved::Kept(_)) => answer(&req, &state, &viewer, &slug, key, None).await,
        Ok(Saved::Stale(_)) => answer(&req, &state, &viewer, &slug, key, Some((typed, Why::Overtaken))).await,
        Err(error) => answer(&req, &state, &viewer, &slug, key, Some((typed, Why::Refused(error)))).await,
    }
}

/// Why a form comes back.
enum Why {
    More,
    Overtaken,
    Refused(AppError),
}

async fn answer(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    key: PartKey,
    back: Option<(Typed, Why)>,
) -> Result<HttpResponse> {
    if back.is_none() && !by_fetch(req) {
        return Ok(see_other(&format!("/case-studies/{slug}/edit?saved={0}#{0}", key.as_str())));
    }
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    let said = said_of(state, view.row.id.0, Some(key)).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let saved = view.parts.get(&key).cloned().unwrap_or_else(|| PartView::blank(key));
    let mut status = StatusCode::OK;
    let mut part = match back {
        None => EditPart::new(&frame, &view.row.url, &saved, Typed::saved(&saved)),
        Some((typed, why)) => {
            let mut part = EditPart::new(&frame, &view.row.url, &saved, typed.clone());
            if matches!(why, Why::Overtaken) || typed.base != saved.version {
                confront(&frame, &view, &saved, &typed, &mut part);
            }
            match why {
                Why::More => {}
                Why::Overtaken => status = StatusCode::PRECONDITION_FAILED,
                Why::Refused(error) => status = part.blame(&frame, error)?,
            }
            part
        }
    };
    part.talk = Some(talk(&frame, &view, key, &said, "edit"));
    let e = Edited::of(&frame, viewer, &view);
    if by_fetch(req) {
        return page_with_status(&frame, &PartFragment { f: &frame, e, part }, status);
    }
    page_with_status(&frame, &PartPage { f: &frame, e, part }, status)
}
