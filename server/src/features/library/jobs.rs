//! What happens to a file after it came in: the virus scan, then its text is taken out.
//!
//! Invariant: with a scanner, nothing of a file is read or given out before it was found clean. A
//! scanner that is away holds files back; they are scanned when it is there again.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};

use super::extract::{Outcome, Reason, extract};
use super::files::{extraction_of, open};
use crate::app::AppState;
use crate::entities::kinds::{NoticeKind, ScanState, TextState};
use crate::entities::{job, stored_file};
use crate::features::notices::{self, NewNotice};
use crate::ports::clock::MINUTE;
use crate::ports::scanner::{ScanFault, Verdict};
use crate::search::Kind;
use crate::store::{Sql, Tx, insert_rows};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

pub const SCAN: &str = "library.scan";
pub const EXTRACT: &str = "library.extract";
pub const DELETE: &str = "library.delete_bytes";

/// A fresh file is scanned by its own job; only what waits longer is looked for.
const PATIENCE: i64 = 2 * MINUTE;
/// Files put in the queue at once.
const BATCH: u64 = 100;
/// Resources that stand on one file and are told of.
const TOLD: i64 = 200;

/// The file that a job is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct Of {
    pub sha256: String,
}

/// Bytes that nothing refers to any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Keys {
    pub keys: Vec<String>,
}

/// Runs a job of this feature.
pub async fn run(state: &AppState, of: &job::Model) -> Result<()> {
    match of.kind.as_str() {
        SCAN => scan(state, &serde_json::from_str::<Of>(&of.payload)?.sha256).await,
        EXTRACT => take_text(state, &serde_json::from_str::<Of>(&of.payload)?.sha256).await,
        DELETE => {
            for key in serde_json::from_str::<Keys>(&of.payload)?.keys {
                state.blobs.delete(&key).await?;
            }
            Ok(())
        }
        kind => Err(AppError::internal(format!("no such job: {kind}"))),
    }
}

async fn file_of(state: &AppState, sha256: &str) -> Result<Option<stored_file::Model>> {
    Ok(stored_file::Entity::find_by_id(sha256).one(state.store.read()).await?)
}

/// Has a file scanned that waits for it.
async fn scan(state: &AppState, sha256: &str) -> Result<()> {
    let Some(file) = file_of(state, sha256).await?.filter(|file| file.scan_state == ScanState::Waiting) else {
        return Ok(());
    };
    if !state.scanner.is_configured() {
        return settle_scan(state, file, ScanState::Off, String::new()).await;
    }
    match state.scanner.scan(open(state, &file.storage_key).await?).await? {
        Ok(Verdict::Clean) => settle_scan(state, file, ScanState::Clean, String::new()).await,
        Ok(Verdict::Infected(what)) => {
            tracing::warn!(sha256, what, "the virus scanner refused a file");
            settle_scan(state, file, ScanState::Infected, what).await
        }
        // It stays held, and is put in the queue again when the scanner answers.
        Err(ScanFault::Away(reason)) => {
            tracing::warn!(reason, "the virus scanner is away: uploads are held");
            Ok(())
        }
        Err(ScanFault::Refused(reason)) => {
            tracing::warn!(sha256, reason, "the virus scanner does not take a file: it is held");
            Ok(())
        }
    }
}

async fn settle_scan(state: &AppState, file: stored_file::Model, to: ScanState, note: String) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            let moved = Sql::new("UPDATE stored_file SET scan_state = ")
                .bind(to.as_str())
                .then(", scan_note = ")
                .bind(note.clone())
                .then(" WHERE scan_state = 'waiting' AND sha256 = ")
                .bind(file.sha256.clone())
                .run(tx.conn())
                .await?;
            if moved.rows_affected() == 0 {
                return Ok(());
            }
            if to == ScanState::Infected {
                refuse(tx, &file).await?;
            } else if file.text_state == TextState::Waiting {
                tx.enqueue(EXTRACT, &Of { sha256: file.sha256.clone() }).await?;
            }
            tell_resources(tx, &file.sha256).await
        })
        .await
}

/// The bytes of an infected file go; whoever sent it is told.
async fn refuse(tx: &mut Tx, file: &stored_file::Model) -> Result<()> {
    Sql::new("UPDATE stored_file SET text_state = 'none', text_reason = '' WHERE sha256 = ")
        .bind(file.sha256.clone())
        .run(tx.conn())
        .await?;
    tx.enqueue(DELETE, &Keys { keys: vec![file.storage_key.clone()] }).await?;
    let rows = Sql::new("SELECT DISTINCT author_id, resource_id FROM resource_version WHERE sha256 = ")
        .bind(file.sha256.clone())
        .then(" LIMIT ")
        .bind(TOLD)
        .all(tx.conn())
        .await?;
    let mut told = Vec::with_capacity(rows.len());
    for row in rows {
        let (member, resource): (i64, i64) = (row.try_get("", "author_id")?, row.try_get("", "resource_id")?);
        told.push(notice(NoticeKind::Infected, member, resource));
    }
    notices::tell(tx, &told).await?;
    Ok(())
}

/// A notice of a resource. It is the hub that tells: its member stands in for who did something.
pub(super) const fn notice(kind: NoticeKind, member: i64, resource: i64) -> NewNotice {
    NewNotice {
        member,
        kind,
        actor: member,
        subject: resource,
        room: None,
        topic: None,
        resource: Some(resource),
        study: None,
    }
}

/// Takes the text out of a file that waits for it.
async fn take_text(state: &AppState, sha256: &str) -> Result<()> {
    let Some(file) = file_of(state, sha256).await?.filter(|file| file.text_state == TextState::Waiting) else {
        return Ok(());
    };
    if !matches!(file.scan_state, ScanState::Off | ScanState::Clean) {
        return Ok(());
    }
    let most = i64::try_from(super::extract::MOST_INPUT).unwrap_or(i64::MAX);
    let outcome = match extraction_of(&file.media_type) {
        Some(_) if file.size > most => Outcome { pages: Vec::new(), reason: Some(Reason::Large) },
        Some(kind) => extract(state, kind, open(state, &file.storage_key).await?).await?,
        None => Outcome::default(),
    };
    let reached = match (outcome.reason, outcome.pages.is_empty()) {
        (None, _) => TextState::Done,
        (Some(_), false) => TextState::Partial,
        (Some(_), true) => TextState::Failed,
    };
    let sha256 = file.sha256;
    state
        .store
        .write(async move |tx| {
            let reason = outcome.reason.map_or("", Reason::as_str);
            let count = i32::try_from(outcome.pages.len()).unwrap_or(i32::MAX);
            let moved = Sql::new("UPDATE stored_file SET text_state = ")
                .bind(reached.as_str())
                .then(", text_reason = ")
                .bind(reason)
                .then(", page_count = ")
                .bind(count)
                .then(" WHERE text_state = 'waiting' AND sha256 = ")
                .bind(sha256.clone())
                .run(tx.conn())
                .await?;
            if moved.rows_affected() == 0 {
                return Ok(());
            }
            let rows: Vec<[sea_orm::Value; 5]> = outcome
                .pages
                .iter()
                .map(|page| {
                    [
                        sha256.clone().into(),
                        page.number.into(),
                        page.label.clone().into(),
                        page.table.into(),
                        page.text.clone().into(),
                    ]
                })
                .collect();
            insert_rows(tx.conn(), "INSERT INTO stored_page (sha256, number, label, is_table, body) VALUES ", rows)
                .await?;
            tell_resources(tx, &sha256).await
        })
        .await
}

/// Readers of the resources that show a file hear that something about it is known now.
async fn tell_resources(tx: &mut Tx, sha256: &str) -> Result<()> {
    let rows = Sql::new(
        "SELECT r.id, r.space_id FROM resource_version v JOIN resource r ON r.version_id = v.id WHERE v.sha256 = ",
    )
    .bind(sha256)
    .then(" ORDER BY r.id LIMIT ")
    .bind(TOLD)
    .all(tx.conn())
    .await?;
    for row in rows {
        let (id, space): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "space_id")?);
        tx.append(Stream::space(space), NewEvent::new("resource.changed", id, None));
        tx.index(Kind::Resource, id);
    }
    Ok(())
}

/// Puts files in the queue that wait for the scanner longer than their own job took, while it is
/// there; without a scanner they wait no more.
pub async fn scan_waiting(state: &AppState) -> Result<()> {
    let before = state.clock.now() - PATIENCE;
    let waiting: Vec<String> = stored_file::Entity::find()
        .select_only()
        .column(stored_file::Column::Sha256)
        .filter(stored_file::Column::ScanState.eq(ScanState::Waiting))
        .filter(stored_file::Column::CreatedAt.lt(before))
        .order_by_asc(stored_file::Column::CreatedAt)
        .limit(BATCH)
        .into_tuple()
        .all(state.store.read())
        .await?;
    if waiting.is_empty() || state.scanner.is_ready().await == Some(false) {
        return Ok(());
    }
    state
        .store
        .write(async move |tx| {
            for sha256 in &waiting {
                tx.enqueue(SCAN, &Of { sha256: sha256.clone() }).await?;
            }
            Ok(())
        })
        .await
}

/// Files that wait: for the scanner, and for their text to be taken out.
pub async fn waiting(state: &AppState) -> Result<(u64, u64)> {
    let db = state.store.read();
    let scans =
        stored_file::Entity::find().filter(stored_file::Column::ScanState.eq(ScanState::Waiting)).count(db).await?;
    let texts =
        stored_file::Entity::find().filter(stored_file::Column::TextState.eq(TextState::Waiting)).count(db).await?;
    Ok((scans, texts))
}
