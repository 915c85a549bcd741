//! Which folder this is: what it was called when it was first imported, and where it was.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::super::refs;
use crate::app::AppState;
use crate::features::library::actions::Fields;
use crate::store::{Id, Sql, Tx};
use crate::web::error::Result;

/// The name under which a folder's files are known. Another one of the same name is another source; one
/// that is no longer where it was has moved.
pub async fn of(state: &AppState, space: i64, folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = folder.to_string_lossy().into_owned();
    let plain = format!("documents:{}:{name}", Id(space));
    let first = Sql::new("SELECT external_id FROM import_ref WHERE source = ")
        .bind(plain.clone())
        .then(" AND kind = ")
        .bind(refs::FOLDER)
        .then(" LIMIT 1")
        .one(state.store.read())
        .await?;
    let before: Option<String> = first.map(|row| row.try_get("", "external_id")).transpose()?;
    match before {
        Some(before) if before == path => return Ok(plain),
        Some(before) if Path::new(&before).is_dir() => return Ok(format!("{plain}:{:016x}", number(path.as_bytes()))),
        _ => {}
    }
    let kept = plain.clone();
    state
        .store
        .write(async move |tx: &mut Tx| {
            Sql::new("DELETE FROM import_ref WHERE source = ")
                .bind(kept.clone())
                .then(" AND kind = ")
                .bind(refs::FOLDER)
                .run(tx.conn())
                .await?;
            refs::replace(tx, &kept, refs::FOLDER, &path, 0).await
        })
        .await?;
    Ok(plain)
}

/// What a file says of itself, as a number: another one if it says anything else.
pub fn number_of(fields: &Fields) -> i64 {
    number(format!("{fields:?}").as_bytes())
}

fn number(bytes: &[u8]) -> i64 {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}
