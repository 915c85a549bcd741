//! What owners do with a playbook: make it, change it, its scenarios and its people.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::cards::Person;
use super::forms::{Sheet, lines};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, PlaybookRole, PlaybookVisibility};
use crate::features::playbooks::actions::{self, NewPlaybook, NewScenario, PlaybookChange, ScenarioChange};
use crate::features::playbooks::model::PlaybookPerson;
use crate::features::playbooks::queries::{self, Book};
use crate::store::Id;
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::form::Form;
use crate::web::frame::{Frame, page_with_status, see_other};
use crate::web::viewer::{Me, Member, Viewer};

const FIELDS: [&str; 8] = ["title", "slug", "pathway", "summary", "introduction", "checklist", "space", "visibility"];

/// Whether a member may make a playbook: experts and those above them, others unless it is switched off.
pub async fn may_make(state: &AppState, me: &Me) -> Result<bool> {
    Ok(me.hub_role > HubRole::Member || state.settings.current(state).await?.members_make_spaces)
}

/// A space to choose: slug and name.
type Choice = (String, String);

/// The spaces in which a viewer writes, by slug and name; from memory.
pub async fn spaces_to_write_in(state: &AppState, viewer: &Viewer) -> Result<Vec<Choice>> {
    let snapshot = state.spaces.snapshot(state).await?;
    let readable = |space: &&std::sync::Arc<crate::features::spaces::SpaceInfo>| {
        !space.archived
            && crate::features::spaces::policy::access(viewer, space) >= crate::features::spaces::Access::Write
    };
    Ok(snapshot.all().iter().filter(readable).map(|space| (space.slug.clone(), space.name.clone())).collect())
}

#[derive(Template)]
#[template(path = "playbooks/templates/playbook-form.html")]
struct BookForm<'a> {
    f: &'a Frame,
    /// Slug and title of one that is changed.
    of: Option<(String, String)>,
    version: i32,
    action: String,
    spaces: Vec<Choice>,
    people: Vec<(Person, &'static str)>,
    scenarios: Vec<(String, String)>,
    /// Address and words of the cover that there is.
    cover: Option<(String, String)>,
    form: Sheet,
    cover_form: Sheet,
}

/// `GET /playbooks/new`
pub async fn new_book(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
) -> Result<HttpResponse> {
    if !may_make(&state, &me).await? {
        return Err(AppError::Forbidden("Only experts, facilitators and administrators make playbooks here.".into()));
    }
    let mut form = Sheet::default().with("visibility", PlaybookVisibility::Open.as_str());
    for field in FIELDS.iter().filter(|field| **field != "visibility") {
        form = form.with(field, "");
    }
    show_new(&req, &state, &viewer, form, StatusCode::OK).await
}

async fn show_new(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let spaces = spaces_to_write_in(state, viewer).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let content = BookForm {
        f: &frame,
        of: None,
        version: 0,
        action: "/playbooks/new".into(),
        spaces,
        people: Vec::new(),
        scenarios: Vec::new(),
        cover: None,
        form,
        cover_form: Sheet::default(),
    };
    page_with_status(&frame, &content, status)
}

/// `POST /playbooks/new`
pub async fn make_book(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    sent: Form,
) -> Result<HttpResponse> {
    let mut form = Sheet::typed(&sent, &FIELDS);
    let new = NewPlaybook {
        slug: form.value("slug").trim().to_lowercase(),
        title: form.value("title").to_owned(),
        pathway: form.value("pathway").to_owned(),
        summary: form.value("summary").to_owned(),
        introduction: form.value("introduction").to_owned(),
        checklist: lines(form.value("checklist")),
        space: sent.some("space").map(str::to_owned),
        visibility: PlaybookVisibility::parse(form.value("visibility")).unwrap_or(PlaybookVisibility::Open),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::create_playbook(&state, &me, &new).await {
        Ok(view) => Ok(see_other(&format!("/playbooks/{}", view.row.slug))),
        Err(error) => {
            let status = form.refuse(error)?;
            show_new(&req, &state, &viewer, form, status).await
        }
    }
}

pub async fn owned(state: &AppState, viewer: &Viewer, slug: &str) -> Result<Book> {
    let of = queries::find_playbook(state, viewer, slug).await?;
    of.standing.own()?;
    Ok(of)
}

/// `GET /playbooks/{slug}/edit`
pub async fn edit_book(
    req: HttpRequest,
    state: web::Data<AppState>,
    _me: Member,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let of = owned(&state, &viewer, &path).await?;
    let form = sheet_of(&of);
    show_edit(&req, &state, &viewer, &path, [form, cover_sheet(&of.row.cover_alt)], StatusCode::OK).await
}

/// A playbook in the form of its settings.
pub fn sheet_of(of: &Book) -> Sheet {
    Sheet::default()
        .with("title", &of.row.title)
        .with("pathway", &of.row.pathway)
        .with("summary", &of.row.summary)
        .with("introduction", &of.introduction)
        .with("checklist", of.checklist.join("\n"))
        .with("space", of.row.space.clone().unwrap_or_default())
        .with("visibility", of.row.visibility.as_str())
}

fn cover_sheet(words: &str) -> Sheet {
    Sheet::default().with("cover", "").with("cover_alt", words)
}

/// The settings of a playbook: the form of its texts, and that of its cover.
pub async fn show_edit(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    [form, cover_form]: [Sheet; 2],
    status: StatusCode,
) -> Result<HttpResponse> {
    let view = queries::playbook_view(state, viewer, slug).await?;
    if !view.may_edit {
        return Err(AppError::Forbidden("Only owners of this playbook can do this.".into()));
    }
    let spaces = spaces_to_write_in(state, viewer).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let person = |of: &PlaybookPerson| (Person::of(&frame, &of.person), of.playbook_role.as_str());
    let people = view.people.iter().map(person).collect();
    let content = BookForm {
        f: &frame,
        action: format!("/playbooks/{}/edit", view.row.slug),
        version: view.row.version,
        spaces,
        people,
        scenarios: view.scenarios.iter().map(|of| (of.id.to_string(), of.title.clone())).collect(),
        cover: view.row.cover_url.map(|url| (url, view.row.cover_alt)),
        of: Some((view.row.slug, view.row.title)),
        form,
        cover_form,
    };
    page_with_status(&frame, &content, status)
}

/// `POST /playbooks/{slug}/edit`
pub async fn save_book(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let of = owned(&state, &viewer, &path).await?;
    let mut form = Sheet::typed(&sent, &FIELDS);
    let change = PlaybookChange {
        title: Some(form.value("title").to_owned()),
        pathway: Some(form.value("pathway").to_owned()),
        summary: Some(form.value("summary").to_owned()),
        introduction: Some(form.value("introduction").to_owned()),
        checklist: Some(lines(form.value("checklist"))),
        visibility: PlaybookVisibility::parse(form.value("visibility")),
        space: Some(sent.some("space").map(str::to_owned)),
        confirmed: sent.ticked("confirmed"),
        ..PlaybookChange::default()
    };
    let version = IfMatch::version(sent.some("version").and_then(|version| version.parse().ok()));
    match actions::edit_playbook(&state, &me, &path, &change, version).await {
        Ok(_) => Ok(see_other(&format!("/playbooks/{}", of.row.slug))),
        Err(error) => {
            let status = form.refuse(error)?;
            let cover = cover_sheet(&of.row.cover_alt);
            show_edit(&req, &state, &viewer, &path, [form, cover], status).await
        }
    }
}

/// `POST /playbooks/{slug}/people`
pub async fn add_person(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let role = PlaybookRole::parse(sent.get("role")).unwrap_or(PlaybookRole::Reviewer);
    let handle = sent.get("handle").trim().trim_start_matches('@').to_lowercase();
    actions::set_person(&state, &me, &path, &handle, role).await?;
    Ok(see_other(&format!("/playbooks/{}/edit#people", path.as_str())))
}

/// `POST /playbooks/{slug}/people/remove`
pub async fn remove_person(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    actions::remove_person(&state, &me, &path, sent.get("handle")).await?;
    Ok(see_other(&format!("/playbooks/{}/edit#people", path.as_str())))
}

#[derive(Template)]
#[template(path = "playbooks/templates/scenario-form.html")]
struct ScenarioForm<'a> {
    f: &'a Frame,
    slug: String,
    title: String,
    /// Of one that is changed.
    id: Option<String>,
    version: i32,
    form: Sheet,
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
    show_scenario(&req, &state, &viewer, &path, (None, 0), form, StatusCode::OK).await
}

async fn show_scenario(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    of: (Option<String>, i32),
    form: Sheet,
    status: StatusCode,
) -> Result<HttpResponse> {
    let book = owned(state, viewer, slug).await?;
    let frame = Frame::new(state, req, viewer).await?;
    let content = ScenarioForm { f: &frame, slug: book.row.slug, title: book.row.title, id: of.0, version: of.1, form };
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
    let mut form = Sheet::typed(&sent, &["title", "description", "steps"]);
    let new = NewScenario {
        title: form.value("title").to_owned(),
        description: form.value("description").to_owned(),
        steps: lines(form.value("steps")),
        confirmed: sent.ticked("confirmed"),
    };
    match actions::add_scenario(&state, &me, &path, &new).await {
        Ok(view) => Ok(see_other(&format!("/playbooks/{}#scenario-{}", path.as_str(), view.id))),
        Err(error) => {
            let status = form.refuse(error)?;
            show_scenario(&req, &state, &viewer, &path, (None, 0), form, status).await
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
) -> Result<HttpResponse> {
    let book = owned(&state, &viewer, &path.0).await?;
    let of = queries::scenario_view(state.store.read(), &state, &viewer, book.id, id_of(&path)?).await?;
    let form = Sheet::default()
        .with("title", &of.title)
        .with("description", &of.description)
        .with("steps", of.steps.join("\n"))
        .with("position", (of.position + 1).to_string());
    show_scenario(&req, &state, &viewer, &path.0, (Some(of.id.to_string()), of.version), form, StatusCode::OK).await
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
    let mut form = Sheet::typed(&sent, &["title", "description", "steps", "position"]);
    let change = ScenarioChange {
        title: Some(form.value("title").to_owned()),
        description: Some(form.value("description").to_owned()),
        steps: Some(lines(form.value("steps"))),
        position: sent.some("position").and_then(|place| place.parse::<i32>().ok()).map(|place| (place - 1).max(0)),
        confirmed: sent.ticked("confirmed"),
    };
    let version: Option<i32> = sent.some("version").and_then(|version| version.parse().ok());
    match actions::edit_scenario(&state, &me, &path.0, id, &change, IfMatch::version(version)).await {
        Ok(_) => Ok(see_other(&format!("/playbooks/{}#scenario-{}", path.0, Id(id)))),
        Err(error) => {
            let status = form.refuse(error)?;
            let of = (Some(Id(id).to_string()), version.unwrap_or(0));
            show_scenario(&req, &state, &viewer, &path.0, of, form, status).await
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
