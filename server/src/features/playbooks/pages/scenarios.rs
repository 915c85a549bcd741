//! The form of a scenario: its texts, and a field for each of its steps, which may have several
//! lines and paragraphs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::acts::ActQuery;
use super::forms::{Sheet, version_of};
use super::manage::owned;
use crate::app::AppState;
use crate::features::playbooks::actions::{self, NewScenario, ScenarioChange};
use crate::features::playbooks::model::StudyRow;
use crate::features::playbooks::queries::{self, Filter};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::pagination::PageQuery;
use crate::web::viewer::{Member, Viewer};

/// Fields for steps that a new scenario begins with.
const BLANK: usize = 3;
/// Studies that are listed at once.
const MOST_STUDIES: &str = "100";

#[derive(Template)]
#[template(path = "playbooks/templates/scenario-form.html")]
struct ScenarioForm<'a> {
    f: &'a Frame,
    slug: String,
    title: String,
    /// Of one that is changed.
    id: Option<String>,
    /// Of the scenario that the form was filled from.
    version: String,
    form: Sheet,
    steps: Vec<String>,
    /// Address and title of the studies in it.
    studies: Vec<(String, String)>,
    next: Option<String>,
    /// Studies of the playbook to choose from.
    others: Vec<(String, String)>,
    place: Sheet,
}

/// A scenario in its form.
struct Filled {
    id: Option<String>,
    form: Sheet,
    steps: Vec<String>,
    /// Which of its studies are shown.
    cursor: Option<String>,
    /// The form that puts a study into it.
    place: Sheet,
}

impl Filled {
    /// What was typed, to the letter.
    fn typed(sent: &Form, fields: &[&str], id: Option<String>) -> Self {
        let mut form = Sheet::typed(sent, fields).with("steps", "");
        if let Some(version) = sent.some("version") {
            form = form.with("version", version);
        }
        Self {
            id,
            form,
            steps: sent.all("steps").map(|step| step.replace("\r\n", "\n")).collect(),
            cursor: None,
            place: placing(),
        }
    }

    /// The button of a step asks for an empty field below it; whether one was asked for.
    fn inserted(&mut self, sent: &Form) -> bool {
        let Some(below) = sent.some("insert").and_then(|place| place.parse::<usize>().ok()) else { return false };
        self.steps.insert(below.saturating_add(1).min(self.steps.len()), String::new());
        true
    }
}

/// `GET /playbooks/{slug}/scenarios/new`
pub async fn new_scenario(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let form = Sheet::default().with("title", "").with("description", "").with("steps", "");
    let filled = Filled { id: None, form, steps: vec![String::new(); BLANK], cursor: None, place: placing() };
    show(&req, &state, &viewer, &path, filled, StatusCode::OK).await
}

async fn show(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    filled: Filled,
    status: StatusCode,
) -> Result<HttpResponse> {
    let book = owned(state, viewer, slug).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let Filled { id, form, mut steps, cursor, place } = filled;
    let (mut studies, mut others, mut next) = (Vec::new(), Vec::new(), None);
    if let Some(id) = &id {
        let named = |row: StudyRow| (row.slug, row.title);
        let most = PageQuery { limit: Some(MOST_STUDIES.into()), cursor };
        let scenario = id.parse::<Id>().map_err(|_| AppError::NotFound)?.0;
        let inside = Filter { scenario: Some(scenario), ..Filter::default() };
        let found = queries::list_studies(state, viewer, &inside, &most).await?;
        studies = found.items.into_iter().map(named).collect();
        next =
            found.next_cursor.map(|cursor| format!("/playbooks/{}/scenarios/{id}/edit?cursor={cursor}", book.row.slug));
        let most = PageQuery { limit: Some(MOST_STUDIES.into()), cursor: None };
        let own = Filter { playbook: Some(book.id), ..Filter::default() };
        others = queries::list_studies(state, viewer, &own, &most).await?.items.into_iter().map(named).collect();
        others.retain(|of| !studies.contains(of));
    }
    if steps.is_empty() {
        steps.push(String::new());
    }
    let content = ScenarioForm {
        f: &frame,
        slug: book.row.slug,
        title: book.row.title,
        id,
        version: form.value("version").to_owned(),
        form,
        steps,
        studies,
        next,
        others,
        place,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /playbooks/{slug}/scenarios/new`
pub async fn add_scenario(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let mut filled = Filled::typed(&sent, &["title", "description"], None);
    if filled.inserted(&sent) {
        return show(&req, &state, &viewer, &path, filled, StatusCode::OK).await;
    }
    let new = NewScenario {
        title: filled.form.value("title").to_owned(),
        description: filled.form.value("description").to_owned(),
        steps: filled.steps.clone(),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::add_scenario(&state, &me, &path, &new).await {
        Ok(view) => Ok(see_other(&format!("/playbooks/{}#scenario-{}", path.as_str(), view.id))),
        Err(error) => {
            let status = filled.form.refuse(error)?;
            show(&req, &state, &viewer, &path, filled, status).await
        }
    }
}

fn id_of(path: &(String, String)) -> Result<i64> {
    path.1.parse::<Id>().map(|id| id.0).map_err(|_| AppError::NotFound)
}

/// `GET /playbooks/{slug}/scenarios/{id}/edit`
pub async fn edit_scenario(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse> {
    let filled = filled_from(&state, &viewer, &path, query.cursor.clone()).await?;
    show(&req, &state, &viewer, &path.0, filled, StatusCode::OK).await
}

/// A scenario as it is saved.
async fn filled_from(
    state: &AppState,
    viewer: &Viewer,
    path: &(String, String),
    cursor: Option<String>,
) -> Result<Filled> {
    let book = owned(state, viewer, &path.0).await?;
    let of = queries::scenario_view(state.store.read(), state, viewer, book.id, id_of(path)?).await?;
    let form = Sheet::default()
        .with("title", &of.title)
        .with("description", &of.description)
        .with("steps", "")
        .with("position", (of.position + 1).to_string())
        .with("version", of.version.to_string());
    Ok(Filled { id: Some(of.id.to_string()), form, steps: of.steps, cursor, place: placing() })
}

fn placing() -> Sheet {
    Sheet::default().with("study", "")
}

/// `POST /playbooks/{slug}/scenarios/{id}/studies`, `?undo=1` takes one out.
pub async fn place(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<ActQuery>,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let typed = sent.get("study").trim();
    // Its address may be pasted whole.
    let slug = typed.trim_end_matches('/').rsplit('/').next().unwrap_or(typed).to_lowercase();
    match actions::place_study(&state, &me, &path.0, id, &slug, query.on()).await {
        Ok(()) => Ok(see_other(&format!("/playbooks/{}/scenarios/{}/edit#studies", path.0, Id(id)))),
        Err(error) => {
            let mut filled = filled_from(&state, &viewer, &path, None).await?;
            let mut place = Sheet::typed(&sent, &["study"]);
            let status = place.refuse(match error {
                AppError::NotFound => AppError::field("study", "is the address of no case study that you can read"),
                other => other,
            })?;
            filled.place = place;
            show(&req, &state, &viewer, &path.0, filled, status).await
        }
    }
}

/// `POST /playbooks/{slug}/scenarios/{id}/edit`
pub async fn save_scenario(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    sent: Form,
) -> Result<HttpResponse> {
    let id = id_of(&path)?;
    let mut filled = Filled::typed(&sent, &["title", "description", "position"], Some(Id(id).to_string()));
    if filled.inserted(&sent) {
        return show(&req, &state, &viewer, &path.0, filled, StatusCode::OK).await;
    }
    let change = ScenarioChange {
        title: Some(filled.form.value("title").to_owned()),
        description: Some(filled.form.value("description").to_owned()),
        steps: Some(filled.steps.clone()),
        position: sent.some("position").and_then(|place| place.parse::<i32>().ok()).map(|place| (place - 1).max(0)),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::edit_scenario(&state, &me, &path.0, id, &change, version_of(&sent)).await {
        Ok(()) => Ok(see_other(&format!("/playbooks/{}#scenario-{}", path.0, Id(id)))),
        Err(AppError::Stale) => {
            let book = owned(&state, &viewer, &path.0).await?;
            let now = queries::scenario_view(state.store.read(), &state, &viewer, book.id, id).await?;
            filled.form = filled.form.with("version", now.version.to_string()).stale("playbooks.manage.stale");
            show(&req, &state, &viewer, &path.0, filled, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let status = filled.form.refuse(error)?;
            show(&req, &state, &viewer, &path.0, filled, status).await
        }
    }
}

/// `POST /playbooks/{slug}/scenarios/{id}/remove`
pub async fn remove_scenario(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<(String, String)>,
    _sent: Form,
) -> Result<HttpResponse> {
    actions::remove_scenario(&state, &me, &path.0, id_of(&path)?, IfMatch::default()).await?;
    Ok(see_other(&format!("/playbooks/{}", path.0)))
}
