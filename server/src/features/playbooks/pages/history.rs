//! What a study said before, by part; and the log of its review.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::app::AppState;
use crate::features::playbooks::model::{ActView, PartDiff, RevisionContent, StudyRevisionView};
use crate::features::playbooks::queries::{self, content_of, diff_revisions};
use crate::web::comparing::compared;
use crate::web::error::{AppError, Result};
use crate::web::frame::{Frame, page};
use crate::web::pagination::PageQuery;
use crate::web::viewer::Viewer;

/// `?to=3&from=1`: two revisions against each other; the newest against the one before by default.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HistoryQuery {
    from: Option<i32>,
    to: Option<i32>,
    cursor: Option<String>,
    /// Where the log goes on.
    log: Option<String>,
}

#[derive(Template)]
#[template(path = "playbooks/templates/history.html")]
struct HistoryPage<'a> {
    f: &'a Frame,
    address: String,
    title: String,
    revisions: Vec<StudyRevisionView>,
    next: Option<String>,
    from: i32,
    to: i32,
    diffs: Vec<PartDiff>,
    acts: Vec<ActView>,
    older: Option<String>,
}

/// `GET /case-studies/{slug}/history`
pub async fn show(
    req: HttpRequest,
    state: web::Data<AppState>,
    viewer: Viewer,
    path: web::Path<String>,
    query: web::Query<HistoryQuery>,
) -> Result<HttpResponse> {
    let seen = queries::find_study(&state, &viewer, &path).await?;
    let wanted = PageQuery { limit: None, cursor: query.cursor.clone() };
    let found = queries::revisions(&state, &seen, &wanted).await?;
    let newest = found.items.first().map_or(0, |of| of.number);
    let to = query.to.unwrap_or(newest);
    if (1..=seen.hidden_upto).contains(&to) {
        return Err(AppError::NotFound);
    }
    // The first that readers have is all new to them.
    let from = query.from.unwrap_or(if to - 1 == seen.hidden_upto { 0 } else { to - 1 });
    let diffs = if from >= 1 && to > from {
        let old = queries::revision(&state, &seen, from).await?;
        let new = queries::revision(&state, &seen, to).await?;
        compared(move || diff_revisions(&content_of(old), &content_of(new))).await?
    } else if from < 1 && to >= 1 {
        // Nothing that readers have came before it.
        let new = queries::revision(&state, &seen, to).await?;
        compared(move || diff_revisions(&RevisionContent::default(), &content_of(new))).await?
    } else {
        Vec::new()
    };
    let (acts, older) = if seen.standing.reads_working() {
        let wanted = PageQuery { limit: None, cursor: query.log.clone() };
        let found = queries::acts_of(&state, seen.id, &wanted).await?;
        (found.items, found.next_cursor)
    } else {
        (Vec::new(), None)
    };
    let frame = Frame::new(&state, &req, &viewer).await?;
    let address = seen.row.url.clone();
    let next = found.next_cursor.as_ref().map(|cursor| format!("{address}/history?cursor={cursor}"));
    let older = older.map(|cursor| format!("{address}/history?log={cursor}#log"));
    let content = HistoryPage {
        f: &frame,
        title: seen.row.title.clone(),
        address,
        revisions: found.items,
        next,
        from,
        to,
        diffs,
        acts,
        older,
    };
    page(&frame, &content)
}
