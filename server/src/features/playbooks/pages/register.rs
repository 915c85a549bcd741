//! Who uses what, by organisation: the register of the hub, and that of one playbook.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::study::UsedAt;
use crate::app::AppState;
use crate::entities::kinds::AdoptionStatus;
use crate::features::playbooks::model::StudyRef;
use crate::features::playbooks::queries::{self, RegisterFilter};
use crate::web::error::Result;
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

/// `?q=…&status=…`
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RegisterQuery {
    q: Option<String>,
    status: Option<String>,
    cursor: Option<String>,
}

/// What one organisation uses.
struct Organisation {
    name: String,
    uses: Vec<(StudyRef, UsedAt)>,
}

#[derive(Template)]
#[template(path = "playbooks/templates/register.html")]
struct RegisterPage<'a> {
    f: &'a Frame,
    /// Slug and title of the playbook that it is of.
    of: Option<(String, String)>,
    address: String,
    q: String,
    status: String,
    statuses: &'static [AdoptionStatus],
    organisations: Vec<Organisation>,
    next: Option<String>,
}

/// `GET /playbooks/{slug}/users`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<RegisterQuery>,
) -> Result<HttpResponse> {
    let of = queries::find_playbook(&state, &viewer, &path).await?;
    let address = format!("/playbooks/{}/users", of.row.slug);
    render(&req, &state, &viewer, Some((of.id, of.row.slug, of.row.title)), address, &query).await
}

/// `GET /adoptions`
pub async fn all(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    query: web::Query<RegisterQuery>,
) -> Result<HttpResponse> {
    render(&req, &state, &viewer, None, "/adoptions".to_owned(), &query).await
}

async fn render(
    req: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    of: Option<(i64, String, String)>,
    address: String,
    query: &RegisterQuery,
) -> Result<HttpResponse> {
    let typed = query.q.as_deref().unwrap_or_default().trim().chars().filter(|c| !c.is_control());
    let q: String = typed.take(200).collect();
    let status = RegisterFilter::status(query.status.as_deref())?;
    let filter = RegisterFilter {
        q: Some(q.clone()).filter(|q| !q.is_empty()),
        organisation: None,
        status,
        playbook: of.as_ref().map(|(id, _, _)| *id),
    };
    let wanted = PageQuery { limit: Some("100".into()), cursor: query.cursor.clone() };
    let found = queries::list_register(state, viewer, &filter, &wanted).await?;
    let mut organisations: Vec<(String, Organisation)> = Vec::new();
    for adoption in &found.items {
        let row = (adoption.study.clone(), UsedAt::of(adoption));
        match organisations.last_mut() {
            Some((key, group)) if *key == adoption.organisation_key => group.uses.push(row),
            _ => organisations.push((
                adoption.organisation_key.clone(),
                Organisation { name: adoption.organisation.clone(), uses: vec![row] },
            )),
        }
    }
    let frame = Frame::new(state, req, viewer).await?;
    let status = status.map_or("", |status| status.as_str());
    let next = found.next_cursor.map(|cursor| {
        let mut words = url::form_urlencoded::Serializer::new(String::new());
        words.append_pair("q", &q).append_pair("status", status).append_pair("cursor", &cursor);
        format!("{address}?{}", words.finish())
    });
    let content = RegisterPage {
        f: &frame,
        of: of.map(|(_, slug, title)| (slug, title)),
        address,
        q,
        status: status.to_owned(),
        statuses: AdoptionStatus::ALL,
        organisations: organisations.into_iter().map(|(_, group)| group).collect(),
        next,
    };
    page(&frame, &content)
}
