//! What the hub does, a folder each. This page is where the spine meets them.

pub mod accounts;
pub mod admin;
pub mod chat;
pub mod demo;
pub mod forum;
pub mod hub;
pub mod imports;
pub mod moderation;
pub mod people;
pub mod spaces;

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use serde_json::Value;

use crate::app::AppState;
use crate::entities::job;
use crate::streams::{Committed, Filler, Stream, StreamKind};
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

/// What has to be there before the first request.
pub async fn prepare(state: &AppState) -> Result<()> {
    hub::prepare(state).await?;
    accounts::prepare(state).await
}

/// Routes below `/api/v1`.
pub fn configure_api(cfg: &mut Routes) {
    accounts::configure_api(cfg);
    people::configure_api(cfg);
    spaces::configure_api(cfg);
    forum::configure_api(cfg);
    moderation::configure_api(cfg);
    admin::configure_api(cfg);
}

/// Pages.
pub fn configure_pages(cfg: &mut Routes) {
    accounts::configure_pages(cfg);
    people::configure_pages(cfg);
    spaces::configure_pages(cfg);
    forum::configure_pages(cfg);
    moderation::configure_pages(cfg);
    hub::configure_pages(cfg);
    admin::configure_pages(cfg);
}

/// The OpenAPI documents of the features, to be merged.
#[must_use]
pub fn openapi() -> Vec<utoipa::openapi::OpenApi> {
    vec![
        accounts::openapi(),
        people::openapi(),
        spaces::openapi(),
        forum::openapi(),
        moderation::openapi(),
        admin::openapi(),
    ]
}

/// Whether a member (0: nobody) may read a stream now.
pub async fn may_subscribe(state: &AppState, member: i64, stream: Stream) -> Result<()> {
    match stream.kind {
        StreamKind::Member if stream.id == member && member != 0 => Ok(()),
        StreamKind::Space => spaces::may_subscribe(state, member, stream.id).await,
        StreamKind::Topic => forum::may_subscribe(state, member, stream.id).await,
        _ => Err(AppError::NotFound),
    }
}

/// The data of events, from the rows as they now are.
#[must_use]
pub fn filler() -> Filler {
    Arc::new(|db, stream, events| Box::pin(fill(db, stream, events)))
}

async fn fill(db: DatabaseConnection, stream: Stream, events: Vec<Committed>) -> Result<Vec<Value>> {
    match stream.kind {
        StreamKind::Topic => forum::fill_events(&db, events).await,
        StreamKind::Space => spaces::fill_events(&db, events).await,
        StreamKind::Member => people::fill_events(&db, events).await,
        StreamKind::Room | StreamKind::CaseStudy | StreamKind::Hub => Ok(events.iter().map(|_| Value::Null).collect()),
    }
}

/// Runs one job by its kind: `feature.verb`.
pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.split('.').next() {
        Some("accounts") => accounts::run_job(state, job).await,
        Some("people") => people::run_job(state, job).await,
        Some("forum") => forum::run_job(state, job).await,
        Some("moderation") => moderation::run_job(state, job).await,
        _ => Err(AppError::internal(format!("no such job: {}", job.kind))),
    }
}
