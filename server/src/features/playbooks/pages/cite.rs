//! How a study is cited, for programs; and the feed of a playbook.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::AppState;
use crate::features::playbooks::citation::Cited;
use crate::features::playbooks::feed::{Entry, Feed};
use crate::features::playbooks::model::Copy;
use crate::features::playbooks::queries::{self, Filter, Which};
use crate::web::error::{AppError, Result};
use crate::web::frame::Frame;
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

/// Entries of a feed.
const NEWEST: &str = "30";

/// `GET /case-studies/{slug}/cite.{format}`: `txt`, `bib` or `jsonld`, of what is published.
pub async fn cite(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (slug, format) = path.into_inner();
    let view = queries::study_view(&state, &viewer, &slug, Which::Published).await?;
    if view.copy != Copy::Published {
        return Err(AppError::NotFound);
    }
    let frame = Frame::new(&state, &req, &viewer).await?;
    let url = format!("{}{}", frame.origin, view.row.url);
    let cited = Cited::of(&view, &frame.hub_name, &frame.origin, &url);
    let (kind, body) = match format.as_str() {
        "txt" => ("text/plain; charset=utf-8", format!("{}\n", cited.plain())),
        "bib" => ("application/x-bibtex; charset=utf-8", cited.bibtex()),
        "jsonld" => ("application/ld+json", cited.json_ld().to_string()),
        _ => return Err(AppError::NotFound),
    };
    let name = format!("attachment; filename=\"{}.{format}\"", view.row.slug);
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Content-Disposition", name))
        .insert_header(("Cache-Control", "no-cache"))
        .body(body))
}

/// `GET /playbooks/{slug}/feed.atom`
pub async fn feed(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let of = queries::find_playbook(&state, &viewer, &path).await?;
    let newest = PageQuery { limit: Some(NEWEST.into()), cursor: None };
    let filter = Filter { playbook: Some(of.id), ..Filter::default() };
    let studies = queries::list_studies(&state, &viewer, &filter, &newest).await?.items;
    let frame = Frame::new(&state, &req, &viewer).await?;
    let page = format!("{}/playbooks/{}", frame.origin, of.row.slug);
    let entry = |row: &crate::features::playbooks::model::StudyRow| {
        let published = row.published.unwrap_or(row.updated);
        Entry {
            title: row.title.clone(),
            summary: row.summary.clone(),
            url: format!("{}{}", frame.origin, row.url),
            authors: row.authors.iter().map(|who| who.display_name.clone()).collect(),
            published: row.first_published.unwrap_or(published),
            updated: published,
            terms: row.terms.values().flatten().cloned().collect(),
        }
    };
    let entries: Vec<Entry> = studies.iter().map(entry).collect();
    let feed = Feed {
        title: &of.row.title,
        subtitle: &of.row.summary,
        own: format!("{page}/feed.atom"),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or(of.row.created),
        page,
        entries,
    };
    let body = feed.write().map_err(|error| AppError::Internal(error.into()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/atom+xml; charset=utf-8")
        .insert_header(("Cache-Control", "no-cache"))
        .body(body))
}
