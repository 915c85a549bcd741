//! Setting and removing one's picture.

use actix_web::web;
use bytes::Bytes;
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, EntityTrait, IntoActiveModel as _};

use super::{DeleteBlobs, actions, images};
use crate::app::AppState;
use crate::app::secrets::random_token;
use crate::entities::member;
use crate::store::Tx;
use crate::web::error::{AppError, Result};

/// An uploaded picture may have this many bytes.
pub const MOST: usize = 5 << 20;

/// Where the picture of a version is kept.
#[must_use]
pub fn key(version: &str) -> String {
    format!("avatar/{version}")
}

/// Takes an uploaded picture: re-encodes it, keeps it, and makes it the member's.
pub async fn set_avatar(state: &AppState, me: i64, bytes: Bytes) -> Result<()> {
    let _slot = images::slot().await?;
    let encoded = web::block(move || images::avatar(&bytes)).await??;
    // A version of its own for every upload, so that the one before can go without a look at
    // who else might have the same picture.
    let version: String = random_token().chars().take(24).collect();
    state.blobs.put(&key(&version), encoded.bytes).await?;
    let new = version.clone();
    let set = state.store.write(async move |tx| replace(tx, me, Some(new.clone())).await).await;
    if set.is_err() {
        state.blobs.delete(&key(&version)).await?;
    }
    set
}

/// Goes back to the generated picture.
pub async fn remove_avatar(state: &AppState, me: i64) -> Result<()> {
    state.store.write(async move |tx| replace(tx, me, None).await).await
}

async fn replace(tx: &mut Tx, me: i64, version: Option<String>) -> Result<()> {
    let row = member::Entity::find_by_id(me).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    let before = row.avatar.clone();
    if before == version {
        return Ok(());
    }
    let mut row = row.into_active_model();
    row.avatar = Set(version);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    if let Some(before) = before {
        tx.enqueue(super::DELETE, &DeleteBlobs { keys: vec![key(&before)] }).await?;
    }
    actions::tell(tx, me);
    Ok(())
}
