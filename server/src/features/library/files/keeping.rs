//! Each content is kept once, whoever sends it however often.

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::receiving::Received;
use super::types::extraction_of;
use crate::app::AppState;
use crate::entities::kinds::{ScanState, TextState};
use crate::features::library::jobs;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};

/// What the files that one member shared may weigh in all, bytes.
pub const QUOTA: i64 = 5 << 30;

/// What became of a file that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its bytes are the ones that are kept.
    New,
    /// The same were here: its own are not needed, and a job removes them.
    Known,
}

/// Bytes that a member may still keep.
pub async fn room_left(db: &impl sea_orm::ConnectionTrait, member: i64) -> Result<i64> {
    // Each content once: sending the same again costs nothing.
    let row = Sql::new(
        "SELECT CAST(COALESCE(sum(f.size), 0) AS BIGINT) AS used FROM stored_file f WHERE f.sha256 IN \
         (SELECT v.sha256 FROM resource_version v WHERE v.author_id = ",
    )
    .bind(member)
    .then(")")
    .one(db)
    .await?;
    let used: i64 = row.map_or(Ok(0), |row| row.try_get("", "used"))?;
    Ok((QUOTA - used).max(0))
}

/// Keeps a file in the transaction that uses it, and has it scanned and read. `scanner`: there is
/// one. The row stays locked, so that nobody removes it before it is used.
pub async fn keep(tx: &mut Tx, file: &Received, scanner: bool) -> Result<Kept> {
    let scan = if scanner { ScanState::Waiting } else { ScanState::Off };
    let text = if extraction_of(file.media_type).is_some() { TextState::Waiting } else { TextState::None };
    let row = Sql::new(
        "INSERT INTO stored_file (sha256, storage_key, size, media_type, scan_state, scan_note, text_state, \
         text_reason, page_count, created_at) VALUES (",
    )
    .bind(file.sha256.clone())
    .then(", ")
    .bind(file.key.clone())
    .then(", ")
    .bind(file.size)
    .then(", ")
    .bind(file.media_type)
    .then(", ")
    .bind(scan.as_str())
    .then(", '', ")
    .bind(text.as_str())
    .then(", '', 0, ")
    .bind(tx.now())
    .then(") ON CONFLICT (sha256) DO UPDATE SET size = excluded.size RETURNING storage_key, scan_state")
    .one(tx.conn())
    .await?
    .ok_or_else(|| AppError::internal("a file's row did not come back"))?;
    let state = row.try_get::<ScanState>("", "scan_state")?;
    if state == ScanState::Infected {
        return Err(AppError::field("file", "is one that the virus scanner refused"));
    }
    if row.try_get::<String>("", "storage_key")? != file.key {
        tx.enqueue(jobs::DELETE, &jobs::Keys { keys: vec![file.key.clone()] }).await?;
        // It came before there was a scanner, or the scanner would not take it: it may now.
        if scanner && matches!(state, ScanState::Off | ScanState::Unscannable) {
            jobs::hold(tx, &file.sha256).await?;
        }
        return Ok(Kept::Known);
    }
    if scanner {
        tx.enqueue(jobs::SCAN, &jobs::Of { sha256: file.sha256.clone() }).await?;
    } else if text == TextState::Waiting {
        tx.enqueue(jobs::EXTRACT, &jobs::Of { sha256: file.sha256.clone() }).await?;
    }
    Ok(Kept::New)
}

/// The bytes of a stored file, piece by piece.
pub async fn open(state: &AppState, key: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
    Ok(state.blobs.read(key, None).await?.bytes)
}

/// Removes the bytes of a file that came in and was not kept. If that fails nothing else does: the
/// sweep comes by.
pub async fn release(state: &AppState, file: &Received) {
    if let Err(error) = state.blobs.delete(&file.key).await {
        tracing::warn!(%error, "the bytes of a file that was not kept are still there");
    }
}

/// Removes files that no version stands on any more: rows now, bytes by a job.
pub async fn remove_unreferenced(tx: &mut Tx, sha256: &[String]) -> Result<()> {
    if sha256.is_empty() {
        return Ok(());
    }
    // Whoever keeps the same content at this moment holds its row: what they are about to write is
    // seen by the statements below.
    Sql::new("SELECT x.sha256 FROM stored_file x WHERE x.sha256 IN ")
        .list(sha256.iter().cloned())
        .then(" ORDER BY x.sha256")
        .locking("x", tx.conn())
        .all(tx.conn())
        .await?;
    let free = |sql: Sql, column: &str| {
        sql.list(sha256.iter().cloned())
            .then(&format!(" AND NOT EXISTS (SELECT 1 FROM resource_version v WHERE v.sha256 = {column})"))
            // What the scanner refused stays known.
            .then(&format!(
                " AND NOT EXISTS (SELECT 1 FROM stored_file x WHERE x.sha256 = {column} AND x.scan_state = 'infected')"
            ))
    };
    free(Sql::new("DELETE FROM stored_page WHERE sha256 IN "), "stored_page.sha256").run(tx.conn()).await?;
    let rows = free(Sql::new("DELETE FROM stored_file WHERE sha256 IN "), "stored_file.sha256")
        .then(" RETURNING storage_key")
        .all(tx.conn())
        .await?;
    let keys: Vec<String> = rows.iter().map(|row| row.try_get("", "storage_key")).collect::<Result<_, _>>()?;
    if !keys.is_empty() {
        tx.enqueue(jobs::DELETE, &jobs::Keys { keys }).await?;
    }
    Ok(())
}
