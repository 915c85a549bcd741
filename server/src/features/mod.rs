//! What the hub does, a folder each. This page is where the spine meets them.

pub mod accounts;
pub mod admin;
pub mod archive;
pub mod chat;
pub mod demo;
pub mod forum;
pub mod hub;
pub mod imports;
pub mod library;
pub mod moderation;
pub mod notices;
pub mod people;
pub mod playbooks;
pub mod search;
pub mod spaces;

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use crate::app::AppState;
use crate::entities::job;
use crate::realtime::SendFrame;
use crate::search::Source;
use crate::store::Id;
use crate::streams::{Committed, Filler, Stream, StreamKind, Within};
use crate::web::error::{AppError, Result};
use crate::web::rate_limit::What;
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
    chat::configure_api(cfg);
    library::configure_api(cfg);
    notices::configure_api(cfg);
    playbooks::configure_api(cfg);
    search::configure_api(cfg);
    moderation::configure_api(cfg);
    admin::configure_api(cfg);
}

/// Pages.
pub fn configure_pages(cfg: &mut Routes) {
    accounts::configure_pages(cfg);
    people::configure_pages(cfg);
    spaces::configure_pages(cfg);
    forum::configure_pages(cfg);
    chat::configure_pages(cfg);
    library::configure_pages(cfg);
    notices::configure_pages(cfg);
    playbooks::configure_pages(cfg);
    search::configure_pages(cfg);
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
        chat::openapi(),
        library::openapi(),
        notices::openapi(),
        playbooks::openapi(),
        search::openapi(),
        moderation::openapi(),
        admin::openapi(),
    ]
}

/// What can be found, a source a kind.
#[must_use]
pub fn search_sources() -> Vec<&'static dyn Source> {
    vec![
        &forum::Topics,
        &forum::Posts,
        &chat::Messages,
        &chat::Rooms,
        &playbooks::Playbooks,
        &playbooks::CaseStudies,
        &people::Members,
        &spaces::Spaces,
        &library::Resources,
    ]
}

/// Whether a member (0: nobody) may read a stream now, and by whose rules.
pub async fn may_subscribe(state: &AppState, member: i64, stream: Stream) -> Result<Within> {
    match stream.kind {
        StreamKind::Member if stream.id == member && member != 0 => Ok(Within::NoSpace),
        StreamKind::Space => spaces::may_subscribe(state, member, stream.id).await.map(|()| Within::Space(stream.id)),
        StreamKind::Topic => forum::may_subscribe(state, member, stream.id).await,
        StreamKind::Room => chat::may_subscribe(state, member, stream.id).await,
        StreamKind::CaseStudy => playbooks::may_subscribe(state, member, stream.id).await.map(|()| Within::AnySpace),
        StreamKind::Playbook => {
            playbooks::may_subscribe_playbook(state, member, stream.id).await.map(|()| Within::AnySpace)
        }
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
        StreamKind::Room => chat::fill_events(&db, events).await,
        StreamKind::Member => fill_member(&db, stream.id, events).await,
        StreamKind::CaseStudy => playbooks::fill_events(&db, events).await,
        StreamKind::Playbook => playbooks::fill_playbook_events(&db, stream.id, events).await,
        StreamKind::Hub | StreamKind::Rights => Ok(events.iter().map(|_| Value::Null).collect()),
    }
}

/// A member's stream has events of several features, told apart by their first word.
async fn fill_member(db: &DatabaseConnection, member: i64, events: Vec<Committed>) -> Result<Vec<Value>> {
    let starts = |event: &Committed, with: &str| event.kind.starts_with(with);
    let noticed: Vec<&Committed> = events.iter().filter(|event| starts(event, "notice.")).collect();
    let mut noticed = notices::fill_events(db, member, &noticed).await?.into_iter();
    let rooms: Vec<i64> = events.iter().filter(|event| starts(event, "read.")).map(|event| event.subject).collect();
    let markers = chat::marker_data(db, member, &rooms).await?;
    let others: Vec<Committed> =
        events.iter().filter(|event| !starts(event, "notice.") && !starts(event, "read.")).cloned().collect();
    let mut others = people::fill_events(db, others).await?.into_iter();
    let fill = |event: &Committed| match event.kind.split('.').next() {
        Some("notice") => noticed.next(),
        Some("read") => {
            Some(markers.get(&event.subject).cloned().unwrap_or_else(|| json!({ "room": Id(event.subject) })))
        }
        _ => others.next(),
    };
    Ok(events.iter().map(fill).map(Option::unwrap_or_default).collect())
}

/// Checks and queues a message from a socket; what comes back is its commit: id and seq.
pub async fn send_message(
    state: &AppState,
    member: i64,
    room: i64,
    frame: SendFrame,
) -> Result<impl Future<Output = Result<(i64, i64)>> + use<>> {
    state.limits.take(What::Send, &member.to_string()).await?;
    let reply_to = chat::parse_reply(frame.reply_to.as_deref())?;
    let new = chat::NewMessage { body: frame.body, client_id: frame.client_id, reply_to, confirmed: frame.confirmed };
    let outgoing = chat::prepare(state, member, room, &new).await?;
    let commit = state.sender.submit(outgoing)?;
    Ok(async move { commit.await.map(|sent| (sent.message.id.0, sent.message.seq)) })
}

/// Moves how far a member has read a room.
pub async fn move_marker(state: &AppState, member: i64, room: i64, seq: i64) -> Result<()> {
    chat::actions::mark_read(state, member, room, seq).await
}

/// The name of a member who may write in a room, for those who see them type.
pub async fn typist(state: &AppState, member: i64, room: i64) -> Result<Value> {
    chat::typist(state, member, room).await
}

/// The rooms whose news a member is told of.
pub async fn followed_rooms(state: &AppState, member: i64) -> Result<Vec<i64>> {
    chat::queries::followed_ids(state, member).await
}

/// Members as presence shows them: by id the handle, and what is shown.
pub async fn people_shown(state: &AppState, members: &[i64]) -> Result<HashMap<i64, (String, Value)>> {
    chat::people_shown(state, members).await
}

/// Runs one job by its kind: `feature.verb`.
pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.split('.').next() {
        Some("accounts") => accounts::run_job(state, job).await,
        Some("people") => people::run_job(state, job).await,
        Some("forum") => forum::run_job(state, job).await,
        Some("chat") => chat::run_job(state, job).await,
        Some("library") => library::run_job(state, job).await,
        Some("moderation") => moderation::run_job(state, job).await,
        Some("playbooks") => playbooks::run_job(state, job).await,
        _ => Err(AppError::internal(format!("no such job: {}", job.kind))),
    }
}
