//! What happens to a file after it came in: the virus scan, then its text is taken out.
//!
//! Invariant: with a scanner, nothing of a file is read or given out before it was found clean. A
//! scanner that is away holds files back; they are scanned when it is there again. What it does not
//! take stays held, is not sent again, and whoever shared it is told.

use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use super::extract::{Outcome, Reason, extract};
use super::files::{extraction_of, open};
use crate::app::AppState;
use crate::entities::kinds::{NoticeKind, ScanState, TextState};
use crate::entities::{job, stored_file};
use crate::features::notices::{self, NewNotice};
use crate::ports::clock::{HOUR, MINUTE};
use crate::ports::scanner::{ScanFault, Verdict};
use crate::search::Kind;
use crate::store::{Sql, Tx, insert_rows};
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};

pub const SCAN: &str = "library.scan";
pub const EXTRACT: &str = "library.extract";
pub const DELETE: &str = "library.delete_bytes";

/// A fresh file has a job of its own; only what waits longer is looked for.
const PATIENCE: i64 = 2 * MINUTE;
/// What a job was given up for is tried again after this.
const GIVEN_UP: i64 = HOUR;
/// Files put in the queue at once.
const BATCH: i64 = 100;
/// So often a file is sent to a scanner that answers and does not take it.
const TRIES: i32 = 3;
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
        SCAN => scan(state, &serde_json::from_str::<Of>(&of.payload)?.sha256, of.attempts).await,
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

/// Has a file scanned that waits for it. `attempts`: how often that failed before.
async fn scan(state: &AppState, sha256: &str, attempts: i32) -> Result<()> {
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
        Err(fault) => not_scanned(state, file, &fault, attempts).await,
    }
}

/// The file stays held: until the scanner is there again, or for good if it is there and does not
/// take the file.
async fn not_scanned(state: &AppState, file: stored_file::Model, fault: &ScanFault, attempts: i32) -> Result<()> {
    let reason = fault.reason();
    // A scanner may hang up in the middle of what is too much for it, and say nothing.
    if matches!(fault, ScanFault::Away(_)) && state.scanner.is_ready().await != Some(true) {
        tracing::warn!(reason, "the virus scanner is away: uploads are held");
        return Ok(());
    }
    if !fault.is_too_large() && attempts + 1 < TRIES {
        return Err(AppError::internal(format!("the virus scanner does not take a file: {reason}")));
    }
    tracing::warn!(sha256 = file.sha256, reason, "the virus scanner does not take a file: it stays held");
    let note = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    settle_scan(state, file, ScanState::Unscannable, note).await
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
            match to {
                ScanState::Infected => refuse(tx, &file).await?,
                ScanState::Unscannable => tell_sharers(tx, &file, NoticeKind::Unscannable).await?,
                _ if file.text_state == TextState::Waiting => {
                    tx.enqueue(EXTRACT, &Of { sha256: file.sha256.clone() }).await?;
                }
                _ => ready(tx, &file.sha256).await?,
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
    tell_sharers(tx, file, NoticeKind::Infected).await
}

/// Holds a file that was given out until now, or would never have been, for a scanner that may take it.
pub async fn hold(tx: &mut Tx, sha256: &str) -> Result<()> {
    // What was found already is no news when it is found again.
    Sql::new("UPDATE stored_file SET ready_at = CASE WHEN scan_state = 'off' THEN coalesce(ready_at, created_at) ")
        .then("ELSE ready_at END, scan_state = 'waiting', scan_note = '' WHERE sha256 = ")
        .bind(sha256)
        .run(tx.conn())
        .await?;
    tx.enqueue(SCAN, &Of { sha256: sha256.to_owned() }).await?;
    tell_resources(tx, sha256).await
}

/// All that is waited for is there: from now on the file can be found by its text.
async fn ready(tx: &Tx, sha256: &str) -> Result<()> {
    Sql::new("UPDATE stored_file SET ready_at = ")
        .bind(tx.now())
        .then(" WHERE ready_at IS NULL AND sha256 = ")
        .bind(sha256)
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Whoever shared a file is told of it.
async fn tell_sharers(tx: &mut Tx, file: &stored_file::Model, kind: NoticeKind) -> Result<()> {
    let rows = Sql::new("SELECT DISTINCT author_id, resource_id FROM resource_version WHERE sha256 = ")
        .bind(file.sha256.clone())
        .limit(TOLD)
        .all(tx.conn())
        .await?;
    let mut told = Vec::with_capacity(rows.len());
    for row in rows {
        let (member, resource): (i64, i64) = (row.try_get("", "author_id")?, row.try_get("", "resource_id")?);
        told.push(notice(kind, member, resource));
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
                .then(", ready_at = coalesce(ready_at, ")
                .bind(tx.now())
                .then(") WHERE text_state = 'waiting' AND sha256 = ")
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
    .then(" ORDER BY r.id")
    .limit(TOLD)
    .all(tx.conn())
    .await?;
    for row in rows {
        let (id, space): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "space_id")?);
        tx.append(Stream::space(space), NewEvent::new("resource.changed", id, None));
        tx.index(Kind::Resource, id);
    }
    Ok(())
}

/// Puts files in the queue that wait longer than their own job took, and have none: those that wait
/// for the scanner, while it is there (without one they wait no more), and those whose text does.
pub async fn requeue_waiting(state: &AppState) -> Result<()> {
    let scans = without_job(state, "f.scan_state = 'waiting'", SCAN).await?;
    if !scans.is_empty() && state.scanner.is_ready().await != Some(false) {
        requeue(state, SCAN, scans).await?;
    }
    let texts = without_job(state, "f.text_state = 'waiting' AND f.scan_state IN ('off', 'clean')", EXTRACT).await?;
    if texts.is_empty() { Ok(()) } else { requeue(state, EXTRACT, texts).await }
}

/// The files that have waited longest and have neither a job that is going to run nor one that was
/// given up a short time ago, as the payloads of jobs.
async fn without_job(state: &AppState, waiting: &str, kind: &'static str) -> Result<Vec<String>> {
    let now = state.clock.now();
    let rows =
        Sql::new("SELECT x.payload FROM (SELECT '{\"sha256\":\"' || f.sha256 || '\"}' AS payload, f.created_at ")
            .then("FROM stored_file f WHERE ")
            .then(waiting)
            .then(" AND f.created_at < ")
            .bind(now - PATIENCE)
            .then(") x WHERE x.payload NOT IN (SELECT j.payload FROM job j WHERE j.kind = ")
            .bind(kind)
            .then(" AND j.state IN ('ready', 'running', 'dead') AND (j.state <> 'dead' OR j.finished_at > ")
            .bind(now - GIVEN_UP)
            .then(")) ORDER BY x.created_at")
            .limit(BATCH)
            .all(state.store.read())
            .await?;
    rows.iter().map(|row| Ok(row.try_get("", "payload")?)).collect()
}

async fn requeue(state: &AppState, kind: &'static str, payloads: Vec<String>) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            // The new one takes the place of the one that was given up.
            Sql::new("DELETE FROM job WHERE state = 'dead' AND kind = ")
                .bind(kind)
                .then(" AND payload IN ")
                .list(payloads.iter().cloned())
                .run(tx.conn())
                .await?;
            for payload in &payloads {
                tx.enqueue(kind, &serde_json::from_str::<Of>(payload)?).await?;
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
