//! Bytes that came in and that no row names: a process died, or a connection broke, between their
//! arrival and the commit. They are looked for once a day and removed when they are a day old.

use std::collections::HashSet;

use futures_util::StreamExt as _;

use super::files::FOLDER;
use crate::app::AppState;
use crate::ports::clock::DAY;
use crate::store::Sql;
use crate::web::error::Result;

/// What came in so long ago is named by a row, or never will be.
const AGE: i64 = DAY;
/// Keys that are asked for in one statement.
const ASKED: usize = 500;
/// Objects removed in one round; the rest goes with the next.
const ROUND: usize = 5000;

/// Removes what nobody names; how many objects that were.
pub async fn remove_orphans(state: &AppState) -> Result<usize> {
    let mut found = state.blobs.written_before(FOLDER, state.clock.now() - AGE);
    let (mut keys, mut removed) = (Vec::with_capacity(ASKED), 0);
    loop {
        let key = found.next().await.transpose()?;
        let ended = key.is_none();
        keys.extend(key);
        if keys.len() == ASKED || ended {
            removed += remove(state, std::mem::take(&mut keys)).await?;
        }
        if ended || removed >= ROUND {
            break;
        }
    }
    if removed > 0 {
        tracing::info!(objects = removed, "bytes that no file of the library stands on were removed");
    }
    Ok(removed)
}

async fn remove(state: &AppState, keys: Vec<String>) -> Result<usize> {
    if keys.is_empty() {
        return Ok(0);
    }
    let rows = Sql::new("SELECT storage_key FROM stored_file WHERE storage_key IN ").list(keys.iter().cloned());
    let rows = rows.all(state.store.read()).await?;
    let named: HashSet<String> = rows.iter().map(|row| row.try_get("", "storage_key")).collect::<Result<_, _>>()?;
    let mut removed = 0;
    for key in keys.iter().filter(|key| !named.contains(*key)) {
        state.blobs.delete(key).await?;
        removed += 1;
    }
    Ok(removed)
}
