//! Playbooks: case studies that experts publish and others can act on.
//!
//! Invariants: a study has a working copy, which its authors write part by part and its reviewers
//! judge, and at most one published revision, which is all that readers get. Nobody reviews what
//! they wrote. Every saved state of a part is kept, and what is typed is a draft of its member
//! until it is saved. Whatever a viewer may not see is 404.

pub mod actions;
mod addresses;
pub mod again;
mod api;
mod archive;
mod chart;
mod citation;
mod events;
mod feed;
mod glimpses;
mod ground;
pub mod importing;
pub mod markdown;
pub mod measures;
pub mod model;
mod notify;
mod pages;
pub mod parts;
mod pictures;
pub mod policy;
pub mod queries;
mod remind;
pub mod reported;
mod rows;
pub mod sample;
mod search;
pub mod terms;
mod texts;

pub use addresses::Addresses;
pub use api::{configure as configure_api, openapi};
pub use archive::Exports;
pub use events::{fill_events, fill_playbook_events};
pub use glimpses::{Told, glimpses};
pub use pages::{Card, configure as configure_pages, some_books};
pub use queries::{Shelves, Waiting, waiting_for};
pub use remind::remind;
pub use rows::day;
pub use search::{CaseStudies, Playbooks};

use crate::app::AppState;
use crate::entities::job;
use crate::features::playbooks::rows::{BOOK, BOOK_JOINS, STANDING, STUDY, WRITER, book_standing, study_standing};
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::viewer::Viewer;

/// Whether a member may read a study's stream: authors and reviewers, as it tells of the working
/// copy.
pub async fn may_subscribe(state: &AppState, member: i64, study: i64) -> Result<()> {
    let row = standing_row(state, member, study).await?.ok_or(AppError::NotFound)?;
    study_standing(&row)?.read_working()
}

/// Whether a member may read a playbook's stream: whoever may read the playbook.
pub async fn may_subscribe_playbook(state: &AppState, member: i64, playbook: i64) -> Result<()> {
    let row = Sql::new("SELECT ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(" FROM playbook b LEFT JOIN member a ON a.id = ")
        .bind(member)
        .then(BOOK_JOINS)
        .then(" WHERE b.id = ")
        .bind(playbook)
        .one(state.store.read())
        .await?
        .ok_or(AppError::NotFound)?;
    book_standing(&row)?.read()
}

async fn standing_row(state: &AppState, member: i64, study: i64) -> Result<Option<sea_orm::QueryResult>> {
    Sql::new("SELECT ")
        .then(WRITER)
        .then(", ")
        .then(STUDY)
        .then(", ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(" FROM case_study c LEFT JOIN playbook b ON b.id = c.playbook_id LEFT JOIN member a ON a.id = ")
        .bind(member)
        .then(BOOK_JOINS)
        .then(" LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id WHERE c.id = ")
        .bind(study)
        .one(state.store.read())
        .await
}

/// 404 unless a viewer may open an upload that a study shows: what is published its readers, the
/// rest its authors and reviewers.
pub async fn shows_study_file(state: &AppState, viewer: &Viewer, study: i64, file: i64) -> Result<()> {
    let me = viewer.member().map_or(0, |me| me.id);
    let standing = study_standing(&standing_row(state, me, study).await?.ok_or(AppError::NotFound)?)?;
    if standing.reads_working() {
        return Ok(());
    }
    if !standing.reads_published() {
        return Err(AppError::NotFound);
    }
    let shown = Sql::new("SELECT 1 AS one FROM study_figure WHERE study_id = ")
        .bind(study)
        .then(" AND file_id = ")
        .bind(file)
        .one(state.store.read())
        .await?;
    shown.map(|_| ()).ok_or(AppError::NotFound)
}

/// 404 unless a study that a viewer may read shows an upload which is not its own: one of the post or
/// the message that it was made of. What is deleted or hidden there is shown nowhere.
pub async fn shows_taken_file(state: &AppState, viewer: &Viewer, file: i64) -> Result<()> {
    let me = viewer.member().map_or(0, |me| me.id);
    let rows = Sql::new("SELECT ")
        .then(WRITER)
        .then(", ")
        .then(STUDY)
        .then(", ")
        .then(BOOK)
        .then(", ")
        .then(STANDING)
        .then(" FROM study_figure g JOIN case_study c ON c.id = g.study_id JOIN file f ON f.id = g.file_id ")
        .then("LEFT JOIN post p ON p.id = f.post_id LEFT JOIN message m ON m.id = f.message_id ")
        .then("LEFT JOIN playbook b ON b.id = c.playbook_id LEFT JOIN member a ON a.id = ")
        .bind(me)
        .then(BOOK_JOINS)
        .then(" LEFT JOIN study_author sa ON sa.study_id = c.id AND sa.member_id = a.id ")
        .then("WHERE p.deleted_at IS NULL AND p.hidden_at IS NULL AND m.deleted_at IS NULL AND g.file_id = ")
        .bind(file)
        .then(" LIMIT 50")
        .all(state.store.read())
        .await?;
    for row in rows {
        let standing = study_standing(&row)?;
        if standing.reads_working() || standing.reads_published() {
            return Ok(());
        }
    }
    Err(AppError::NotFound)
}

/// 404 unless a viewer may open a picture of a playbook: its cover, or one in its texts.
pub async fn shows_cover(state: &AppState, viewer: &Viewer, playbook: i64) -> Result<()> {
    let row = Sql::new("SELECT slug FROM playbook WHERE id = ").bind(playbook).one(state.store.read()).await?;
    let slug: String = row.ok_or(AppError::NotFound)?.try_get("", "slug")?;
    queries::find_playbook(state, viewer, &slug).await.map(|_| ())
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        "playbooks.notify" => notify::run(state, serde_json::from_str(&job.payload)?).await,
        kind => Err(AppError::internal(format!("no such job: {kind}"))),
    }
}
