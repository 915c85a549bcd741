//! Writing a case study: all its parts on one page, each a form that is saved by itself.
//!
//! Invariant: whoever was overtaken keeps every typed character and sees what stands there now
//! before anything of theirs is saved.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::by_fetch;
use super::cards::Person;
use super::talk::{Talk, threads};
use crate::app::AppState;
use crate::entities::kinds::{PartKey, StudyAct, StudyRole, StudyState};
use crate::features::playbooks::actions::{self, PartInput, PartSave, Saved};
use crate::features::playbooks::measures::{Measure, MeasureInput};
use crate::features::playbooks::model::{CommentView, PartDraftView, PartView, RevisionContent, StudyView};
use crate::features::playbooks::parts::{self, FieldShape, Shape};
use crate::features::playbooks::queries::{self, Which, diff_revisions};
use crate::web::error::{AppError, Finding, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

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

/// A named field in its form.
pub struct EditField {
    pub name: &'static str,
    pub title: String,
    pub hint: String,
    pub shape: &'static str,
    pub value: String,
}

/// A measure in its form, as typed.
#[derive(Clone, Debug, Default)]
pub struct EditMeasure {
    /// Its place, or nothing for the one that scripts copy.
    pub at: String,
    pub name: String,
    pub before: String,
    pub after: String,
    pub unit: String,
    pub n: String,
    pub period: String,
    pub method: String,
    pub source: String,
}

/// Names of a measure's fields in a form, `m.` before each.
const MEASURE: [&str; 8] = ["name", "before", "after", "unit", "n", "period", "method", "source"];

impl EditMeasure {
    fn fields(&self) -> [&String; 8] {
        [&self.name, &self.before, &self.after, &self.unit, &self.n, &self.period, &self.method, &self.source]
    }

    fn of(measure: &Measure) -> Self {
        let number = |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
        Self {
            at: String::new(),
            name: measure.name.clone(),
            before: number(measure.before),
            after: number(measure.after),
            unit: measure.unit.clone(),
            n: measure.n.map(|n| n.to_string()).unwrap_or_default(),
            period: measure.period.clone(),
            method: measure.method.clone(),
            source: measure.source.clone(),
        }
    }

    fn of_draft(value: &Value) -> Self {
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self {
            at: String::new(),
            name: text("name"),
            before: text("before"),
            after: text("after"),
            unit: text("unit"),
            n: text("n"),
            period: text("period"),
            method: text("method"),
            source: text("source"),
        }
    }

    fn input(&self) -> MeasureInput {
        let number = |text: &str| if text.trim().is_empty() { Value::Null } else { Value::String(text.to_owned()) };
        MeasureInput {
            name: self.name.clone(),
            unit: self.unit.clone(),
            before: number(&self.before),
            after: number(&self.after),
            period: Some(self.period.clone()),
            n: number(&self.n),
            method: Some(self.method.clone()),
            source: Some(self.source.clone()),
        }
    }

    fn is_empty(&self) -> bool {
        self.fields().iter().all(|field| field.trim().is_empty())
    }
}

/// What somebody else saved meanwhile.
pub struct Other {
    pub by: String,
    pub diff: String,
    pub body: String,
}

/// A part in its form.
pub struct EditPart {
    pub address: String,
    pub key: &'static str,
    pub title: String,
    pub guide: String,
    pub required: bool,
    pub written: bool,
    pub shape: &'static str,
    pub rows: usize,
    pub most: usize,
    pub body: String,
    pub version: i32,
    pub fields: Vec<EditField>,
    pub measured: bool,
    pub measures: Vec<EditMeasure>,
    /// What is shown was typed and never saved.
    pub draft: bool,
    pub faults: Vec<String>,
    pub findings: Vec<Finding>,
    pub other: Option<Other>,
    pub saved_by: String,
    pub talk: Option<Talk>,
}

/// What is in the form of a part.
#[derive(Clone, Debug, Default)]
struct Typed {
    body: String,
    fields: BTreeMap<String, String>,
    measures: Vec<EditMeasure>,
    version: i32,
}

impl Typed {
    fn saved(part: &PartView) -> Self {
        Self {
            body: part.body.clone(),
            fields: part.fields.clone(),
            measures: part.measures.iter().map(EditMeasure::of).collect(),
            version: part.version,
        }
    }

    fn draft(draft: &PartDraftView) -> Self {
        Self {
            body: draft.body.clone(),
            fields: draft.fields.clone(),
            measures: draft.measures.iter().map(EditMeasure::of_draft).collect(),
            version: draft.base_version,
        }
    }

    fn of(key: PartKey, form: &Form) -> Self {
        let field = |name: &'static str| (name.to_owned(), form.get(&format!("field.{name}")).replace("\r\n", "\n"));
        let names = MEASURE.map(|name| format!("m.{name}"));
        let columns: Vec<Vec<&str>> = names.iter().map(|name| form.all(name).collect()).collect();
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        let at = |column: usize, row: usize| {
            columns.get(column).and_then(|of| of.get(row)).map(|text| (*text).to_owned()).unwrap_or_default()
        };
        let measure = |row: usize| EditMeasure {
            at: String::new(),
            name: at(0, row),
            before: at(1, row),
            after: at(2, row),
            unit: at(3, row),
            n: at(4, row),
            period: at(5, row),
            method: at(6, row),
            source: at(7, row),
        };
        Self {
            body: form.get("body").replace("\r\n", "\n"),
            fields: parts::fields(key).iter().map(|of| field(of.name)).collect(),
            measures: (0..rows).map(measure).filter(|measure| !measure.is_empty()).collect(),
            version: form.some("version").and_then(|version| version.parse().ok()).unwrap_or(0),
        }
    }

    fn save(&self, confirmed: bool) -> PartSave {
        let input = PartInput {
            body: self.body.clone(),
            fields: self.fields.clone(),
            measures: self.measures.iter().map(EditMeasure::input).collect(),
        };
        PartSave { input, note: String::new(), confirmed }
    }

    /// As a part, to be compared with the one that is saved; measures that are none are left out.
    fn as_part(&self, key: PartKey) -> PartView {
        let inputs: Vec<MeasureInput> = self.measures.iter().map(EditMeasure::input).collect();
        let fields = self.fields.iter().filter(|(_, text)| !text.trim().is_empty());
        PartView {
            body: self.body.trim().to_owned(),
            fields: fields.map(|(name, text)| (name.clone(), text.trim().to_owned())).collect(),
            measures: crate::features::playbooks::measures::parse(&inputs).unwrap_or_default(),
            ..PartView::blank(key)
        }
    }
}

const fn shape_word(shape: Shape) -> &'static str {
    match shape {
        Shape::Line => "line",
        Shape::Text => "text",
        Shape::Member => "member",
        Shape::Day => "day",
    }
}

impl EditPart {
    fn new(f: &Frame, address: &str, saved: &PartView, typed: Typed) -> Self {
        let key = saved.key;
        let fields = parts::fields(key).iter().map(|field| EditField {
            name: field.name,
            title: parts::field_title(field.name),
            hint: if key == PartKey::Team { String::new() } else { f.of("playbooks.field_hint", field.name) },
            shape: match field.shape {
                FieldShape::Line => "line",
                FieldShape::Text => "text",
                FieldShape::Level => "level",
            },
            value: typed.fields.get(field.name).cloned().unwrap_or_default(),
        });
        let measured = key == PartKey::Outcomes;
        let mut measures = typed.measures;
        if measured && measures.is_empty() {
            measures.push(EditMeasure::default());
        }
        for (at, measure) in measures.iter_mut().enumerate() {
            measure.at = at.to_string();
        }
        Self {
            address: address.to_owned(),
            key: key.as_str(),
            title: parts::title(key),
            guide: f.of("playbooks.part_help", key.as_str()),
            required: parts::is_required(key),
            written: !saved.is_empty(),
            shape: shape_word(parts::shape(key)),
            rows: typed.body.len().div_ceil(80).clamp(4, 18),
            most: parts::most(key),
            body: typed.body,
            version: typed.version,
            fields: fields.collect(),
            measured,
            measures,
            draft: false,
            faults: Vec::new(),
            findings: Vec::new(),
            other: None,
            saved_by: String::new(),
            talk: None,
        }
    }

    fn blame(&mut self, f: &Frame, error: AppError) -> Result<StatusCode> {
        let status = error.status();
        match error {
            AppError::Invalid(faults) => {
                self.faults = faults.iter().map(|fault| told(f, &fault.field, &fault.message)).collect();
            }
            AppError::Confirm(findings) => self.findings = findings,
            AppError::Conflict(detail) => self.faults = vec![detail.into_owned()],
            other => return Err(other),
        }
        Ok(status)
    }
}

/// A fault in words: `measures[2].before` is the third measure's value before.
fn told(f: &Frame, field: &str, message: &str) -> String {
    if let Some((at, name)) = field.strip_prefix("measures[").and_then(|rest| rest.split_once("].")) {
        let place = at.parse::<usize>().map(|at| at + 1).unwrap_or_default().to_string();
        let name = match name {
            "before" => f.t("playbooks.plot.before").to_owned(),
            "after" => f.t("playbooks.plot.after").to_owned(),
            name => f.of("playbooks.measure", name),
        };
        return f.with("playbooks.edit_study.measure_fault", &[("at", &place), ("name", &name), ("message", message)]);
    }
    let name = field.strip_prefix("fields.").unwrap_or(field);
    if matches!(name, "body" | "") {
        return f.with1("playbooks.edit_study.text_fault", "message", message);
    }
    let known = PartKey::parse(name).map_or_else(|| parts::field_title(name), parts::title);
    let known = if known.starts_with("playbooks.") { name.to_owned() } else { known };
    format!("{known}: {message}")
}

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
    pub authors: Vec<(Person, &'static str)>,
    pub scenarios: Vec<String>,
    pub terms: Vec<(&'static str, String)>,
    pub blank_measure: EditMeasure,
}

impl Edited {
    pub fn of(f: &Frame, view: &StudyView) -> Self {
        let needed = parts::REQUIRED.len();
        let missing: Vec<(&'static str, String)> =
            view.completeness.missing.iter().map(|key| (key.as_str(), parts::title(*key))).collect();
        let authors = view.authors_full.iter().map(|who| (Person::of(f, who), StudyRole::Author.as_str()));
        let credited = view.credited.iter().map(|who| (Person::named(who), StudyRole::Credited.as_str()));
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

/// Comments that an editor shows.
const MOST_COMMENTS: &str = "100";

async fn comments(state: &AppState, study: i64, part: Option<PartKey>) -> Result<Vec<CommentView>> {
    let most = PageQuery { limit: Some(MOST_COMMENTS.into()), cursor: None };
    Ok(queries::comments_of(state, study, part, false, &most).await?.items)
}

/// `GET /case-studies/{slug}/edit`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let view = queries::study_view(&state, &viewer, &path, Which::Working).await?;
    if !view.may.edit {
        return Err(AppError::Forbidden("Only authors of this case study can do this.".into()));
    }
    let id = view.row.id.0;
    let drafts = queries::drafts_of(&state, &me, id).await?;
    let said = comments(&state, id, None).await?;
    let acts = match view.row.state {
        StudyState::Returned | StudyState::Submitted => {
            let few = PageQuery { limit: Some("1".into()), cursor: None };
            queries::acts_of(&state, id, &few).await?.items
        }
        _ => Vec::new(),
    };
    let frame = Frame::new(&state, &req, &viewer).await?;
    let mut edited = Edited::of(&frame, &view);
    if let Some(act) = acts.into_iter().next() {
        edited.said_title = match act.kind {
            StudyAct::Returned => frame.with1("playbooks.edit_study.returned", "name", &act.actor.display_name),
            _ => frame.t("playbooks.edit_study.submitted").to_owned(),
        };
        edited.said = if act.note.is_empty() { frame.t("playbooks.edit_study.no_note").to_owned() } else { act.note };
    }
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
            part
        });
        edited.groups.push(Group { key: group, parts: parts.collect() });
    }
    page(&frame, &EditPage { f: &frame, e: edited })
}

/// A part as it is saved, or what its writer typed since.
fn part_of(f: &Frame, view: &StudyView, saved: &PartView, draft: Option<&PartDraftView>) -> EditPart {
    let differs = draft.filter(|draft| {
        let typed = Typed::draft(draft).as_part(saved.key);
        typed.body != saved.body.trim() || typed.fields != saved.fields || !draft.measures.is_empty()
    });
    let typed = differs.map_or_else(|| Typed::saved(saved), Typed::draft);
    let mut part = EditPart::new(f, &view.row.url, saved, typed.clone());
    part.draft = differs.is_some();
    if differs.is_some_and(|draft| draft.behind) {
        part.other = Some(other(f, view, saved, &typed));
        part.version = saved.version;
    }
    part
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

pub fn talk(f: &Frame, view: &StudyView, key: PartKey, said: &[CommentView], from: &'static str) -> Talk {
    Talk {
        address: view.row.url.clone(),
        key: key.as_str(),
        title: parts::title(key),
        threads: threads(f, said, key),
        may: view.may.comment,
        from,
        open: false,
        typed: String::new(),
    }
}

/// `?fragment=part`: what a script puts in the place of a part that somebody else saved.
#[derive(Debug, Default, Deserialize)]
pub struct PartQuery {
    fragment: Option<String>,
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
    let view = queries::study_view(&state, &viewer, &path.0, Which::Working).await?;
    if !view.may.edit {
        return Err(AppError::Forbidden("Only authors of this case study can do this.".into()));
    }
    let draft = queries::draft_of(state.store.read(), me.id, view.row.id.0, key).await?;
    let said = comments(&state, view.row.id.0, Some(key)).await?;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let saved = view.parts.get(&key).cloned().unwrap_or_else(|| PartView::blank(key));
    let mut part = part_of(&frame, &view, &saved, draft.as_ref());
    part.talk = Some(talk(&frame, &view, key, &said, "edit"));
    let e = Edited::of(&frame, &view);
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
        return Ok(see_other(&format!("/case-studies/{slug}/edit#{}", key.as_str())));
    }
    let view = queries::study_view(state, viewer, slug, Which::Working).await?;
    let said = comments(state, view.row.id.0, Some(key)).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let saved = view.parts.get(&key).cloned().unwrap_or_else(|| PartView::blank(key));
    let mut status = StatusCode::OK;
    let mut part = match back {
        None => EditPart::new(&frame, &view.row.url, &saved, Typed::saved(&saved)),
        Some((typed, why)) => {
            let mut part = EditPart::new(&frame, &view.row.url, &saved, typed.clone());
            match why {
                Why::More => {}
                Why::Overtaken => {
                    status = StatusCode::PRECONDITION_FAILED;
                    part.other = Some(other(&frame, &view, &saved, &typed));
                    // Whoever saves now has seen what stands there.
                    part.version = saved.version;
                }
                Why::Refused(error) => status = part.blame(&frame, error)?,
            }
            part
        }
    };
    part.talk = Some(talk(&frame, &view, key, &said, "edit"));
    let e = Edited::of(&frame, &view);
    if by_fetch(req) {
        return page_with_status(&frame, &PartFragment { f: &frame, e, part }, status);
    }
    page_with_status(&frame, &PartPage { f: &frame, e, part }, status)
}
