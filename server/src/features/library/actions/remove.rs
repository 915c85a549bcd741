//! Deleting and restoring, softly: rows stay, readers see nothing.

use actix_web::HttpResponse;

use super::{ground, tell};
use crate::app::AppState;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// Deletes a resource: who shared it or a moderator.
pub async fn delete(state: &AppState, me: &Me, id: i64, if_match: IfMatch) -> Result<()> {
    let member = me.id;
    state
        .store
        .write(async move |tx| {
            let ground = ground::resource(tx, member, id).await?;
            ground.standing.change(ground.author_id)?;
            if_match.check(ground.version)?;
            set_deleted(tx, &ground, true).await
        })
        .await
}

/// Brings a deleted resource back: moderators.
pub async fn restore(state: &AppState, me: &Me, id: i64) -> Result<()> {
    let member = me.id;
    state.store.write(async move |tx| bring_back(tx, member, id).await).await
}

/// The same for a request that may come again.
pub async fn restore_once(state: &AppState, me: &Me, id: i64, once: Option<Once>) -> Result<HttpResponse> {
    let member = me.id;
    write_once(state, member, once, async move |tx| {
        bring_back(tx, member, id).await?;
        Ok(Answer::empty())
    })
    .await
}

async fn bring_back(tx: &mut Tx, member: i64, id: i64) -> Result<()> {
    let ground = ground::resource(tx, member, id).await?;
    ground.standing.moderate()?;
    if ground.purged {
        return Err(AppError::Conflict("It was purged and cannot come back.".into()));
    }
    set_deleted(tx, &ground, false).await
}

async fn set_deleted(tx: &mut Tx, ground: &ground::Ground, deleted: bool) -> Result<()> {
    if ground.deleted == deleted {
        return Ok(());
    }
    let member = ground.standing.member;
    Sql::new("UPDATE resource SET deleted_at = ")
        .bind(deleted.then(|| tx.now()))
        .then(", deleted_by = ")
        .bind(deleted.then_some(member))
        .then(" WHERE id = ")
        .bind(ground.id)
        .run(tx.conn())
        .await?;
    tell(tx, "resource.changed", ground.space_id, ground.id, member);
    Ok(())
}
