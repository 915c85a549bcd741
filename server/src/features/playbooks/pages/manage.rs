//! What owners do with a playbook: make it, change it, its scenarios and its people.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::acts::ActQuery;
use super::cards::Person;
use super::forms::{Sheet, lines, nobody, version_of};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, PlaybookRole, PlaybookVisibility};
use crate::features::playbooks::actions::{self, NewPlaybook, PlaybookChange};
use crate::features::playbooks::model::PlaybookPerson;
use crate::features::playbooks::queries::{self, Book};
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
    /// Of the playbook that the form was filled from.
    version: String,
    action: String,
    spaces: Vec<Choice>,
    people: Vec<(Person, &'static str)>,
    scenarios: Vec<(String, String)>,
    archived: bool,
    /// Address and words of the cover that there is.
    cover: Option<(String, String)>,
    form: Sheet,
    cover_form: Sheet,
    people_form: Sheet,
}

/// The three forms of a playbook's settings.
pub struct Sheets {
    pub form: Sheet,
    pub cover: Sheet,
    pub people: Sheet,
}

/// Nobody is typed yet.
pub fn people_sheet() -> Sheet {
    Sheet::default().with("handle", "").with("role", PlaybookRole::Reviewer.as_str())
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
        version: String::new(),
        action: "/playbooks/new".into(),
        spaces,
        people: Vec::new(),
        scenarios: Vec::new(),
        archived: false,
        cover: None,
        form,
        cover_form: Sheet::default(),
        people_form: people_sheet(),
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
    let (form, cover) = (sheet_of(&of), cover_sheet(&of.row.cover_alt));
    show_edit(&req, &state, &viewer, &path, Sheets { form, cover, people: people_sheet() }, StatusCode::OK).await
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

/// The settings of a playbook: the form of its texts, that of its cover, and that of its people.
pub async fn show_edit(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    slug: &str,
    sheets: Sheets,
    status: StatusCode,
) -> Result<HttpResponse> {
    let Sheets { form, cover: cover_form, people: people_form } = sheets;
    let view = queries::playbook_view(state, viewer, slug).await?;
    if !view.may_edit {
        return Err(AppError::Forbidden("Only owners of this playbook can do this.".into()));
    }
    let mut spaces = spaces_to_write_in(state, viewer).await?;
    if let Some(slug) = view.row.space.as_ref().filter(|slug| !spaces.iter().any(|(known, _)| known == *slug)) {
        // The one that it stands in, also where its owner no longer writes.
        let (space, _) = state.spaces.find(state, viewer, slug).await?;
        spaces.insert(0, (slug.clone(), space.name.clone()));
    }
    let frame = Frame::new(state, req, viewer).await?;
    let person = |of: &PlaybookPerson| (Person::of(&frame, &of.person), of.playbook_role.as_str());
    let people = view.people.iter().map(person).collect();
    let content = BookForm {
        f: &frame,
        action: format!("/playbooks/{}/edit", view.row.slug),
        version: if form.has("version") { form.value("version").to_owned() } else { view.row.version.to_string() },
        spaces,
        people,
        scenarios: view.scenarios.iter().map(|of| (of.id.to_string(), of.title.clone())).collect(),
        archived: view.row.archived,
        cover: view.row.cover_url.map(|url| (url, view.row.cover_alt)),
        of: Some((view.row.slug, view.row.title)),
        form,
        cover_form,
        people_form,
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
    let space = sent.some("space").map(str::to_owned);
    let change = PlaybookChange {
        title: Some(form.value("title").to_owned()),
        pathway: Some(form.value("pathway").to_owned()),
        summary: Some(form.value("summary").to_owned()),
        introduction: Some(form.value("introduction").to_owned()),
        checklist: Some(lines(form.value("checklist"))),
        visibility: PlaybookVisibility::parse(form.value("visibility")),
        // What nobody touched is not asked for again: it may be a space that they do not write in.
        space: (space != of.row.space).then_some(space),
        confirmed: sent.ticked("confirmed"),
        ..PlaybookChange::default()
    };
    let cover = cover_sheet(&of.row.cover_alt);
    match actions::edit_playbook(&state, &me, &path, &change, version_of(&sent)).await {
        Ok(()) => Ok(see_other(&format!("/playbooks/{}", of.row.slug))),
        Err(AppError::Stale) => {
            let form = form.stale("playbooks.manage.stale");
            let sheets = Sheets { form, cover, people: people_sheet() };
            show_edit(&req, &state, &viewer, &path, sheets, StatusCode::PRECONDITION_FAILED).await
        }
        Err(error) => {
            let status = form.refuse(error)?;
            // Whoever mends a fault still has what they opened.
            let form = form.with("version", sent.get("version"));
            show_edit(&req, &state, &viewer, &path, Sheets { form, cover, people: people_sheet() }, status).await
        }
    }
}

/// `POST /playbooks/{slug}/people`
pub async fn add_person(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    viewer: Viewer,
    path: web::Path<String>,
    sent: Form,
) -> Result<HttpResponse> {
    let of = owned(&state, &viewer, &path).await?;
    let role = PlaybookRole::parse(sent.get("role")).unwrap_or(PlaybookRole::Reviewer);
    let mut people = Sheet::typed(&sent, &["handle", "role"]);
    match actions::set_person(&state, &me, &path, sent.get("handle"), role).await {
        Ok(()) => Ok(see_other(&format!("/playbooks/{}/edit#people", of.row.slug))),
        Err(error) => {
            let status = people.refuse(nobody(error))?;
            let cover = cover_sheet(&of.row.cover_alt);
            show_edit(&req, &state, &viewer, &path, Sheets { form: sheet_of(&of), cover, people }, status).await
        }
    }
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

/// `POST /playbooks/{slug}/archive`, `?undo=1` takes it back.
pub async fn archive(
    state: web::Data<AppState>,
    me: Member,
    path: web::Path<String>,
    query: web::Query<ActQuery>,
    _sent: Form,
) -> Result<HttpResponse> {
    let change = PlaybookChange { archived: Some(query.on()), ..PlaybookChange::default() };
    actions::edit_playbook(&state, &me, &path, &change, IfMatch::default()).await?;
    Ok(see_other(&format!("/playbooks/{}", path.as_str())))
}
