//! Keeping, using and purging uploaded files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpResponse, web};
use bytes::Bytes;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect as _};

use super::file_api::FileView;
use super::files::{self, Kept};
use super::{DeleteBlobs, images};
use crate::app::AppState;
use crate::app::secrets::{hash_bytes, random_token};
use crate::entities::{file, idempotent_answer};
use crate::ports::clock::DAY;
use crate::store::{Sql, Tx};
use crate::web::error::Result;
use crate::web::idempotency::{Answer, Once, write_once};

/// An upload that no text uses is kept this long.
const UNUSED: i64 = DAY;
/// Files removed in one transaction.
const BATCH: u64 = 200;

/// Keeps an upload: the bytes first, then the row. Bytes without a row are removed again.
pub async fn store_file(
    state: &AppState,
    owner: i64,
    name: &str,
    bytes: Bytes,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let slot = images::slot().await?;
    let sent = name.to_owned();
    let (kept, sha256) = web::block(move || {
        let kept = files::prepare(&sent, &bytes)?;
        let sha256 = hash_bytes(&kept.bytes);
        Ok::<_, crate::web::error::AppError>((kept, sha256))
    })
    .await??;
    drop(slot);
    let key = format!("file/{}", random_token());
    state.blobs.put(&key, kept.bytes.clone()).await?;
    let written = Arc::new(AtomicBool::new(false));
    let (storage_key, flag) = (key.clone(), Arc::clone(&written));
    let answer = write_once(state, owner, once, async move |tx| {
        let row = insert(tx, owner, &kept, &storage_key, &sha256).await?;
        flag.store(true, Ordering::Relaxed);
        let view = FileView::of(&row);
        Answer::created(view.url.clone(), &view, Some(row.id))
    })
    .await;
    if answer.is_err() || !written.load(Ordering::Relaxed) {
        state.blobs.delete(&key).await?;
    }
    answer
}

async fn insert(tx: &Tx, owner: i64, kept: &Kept, key: &str, sha256: &str) -> Result<file::Model> {
    let row = file::Model {
        id: tx.id(),
        owner_id: owner,
        storage_key: key.to_owned(),
        sha256: sha256.to_owned(),
        size: i64::try_from(kept.bytes.len()).unwrap_or(i64::MAX),
        media_type: kept.media_type.to_owned(),
        name: kept.name.clone(),
        width: kept.width,
        height: kept.height,
        post_id: None,
        message_id: None,
        study_id: None,
        playbook_id: None,
        created_at: tx.now(),
    };
    let new = file::ActiveModel {
        id: Set(row.id),
        owner_id: Set(row.owner_id),
        storage_key: Set(row.storage_key.clone()),
        sha256: Set(row.sha256.clone()),
        size: Set(row.size),
        media_type: Set(row.media_type.clone()),
        name: Set(row.name.clone()),
        width: Set(row.width),
        height: Set(row.height),
        post_id: Set(row.post_id),
        message_id: Set(row.message_id),
        study_id: Set(row.study_id),
        playbook_id: Set(row.playbook_id),
        created_at: Set(row.created_at),
    };
    file::Entity::insert(new).exec_without_returning(tx.conn()).await?;
    Ok(row)
}

/// Files that a text uses for the first time become readable with its post. Only the author's
/// own: nobody can make somebody else's upload readable by linking to it.
pub async fn adopt_files(tx: &mut Tx, author_id: i64, post_id: i64, body_html: &str) -> Result<()> {
    let ids = files::linked_files(body_html);
    if ids.is_empty() {
        return Ok(());
    }
    file::Entity::update_many()
        .col_expr(file::Column::PostId, Expr::value(Some(post_id)))
        .filter(file::Column::Id.is_in(ids))
        .filter(file::Column::OwnerId.eq(author_id))
        .filter(file::Column::PostId.is_null())
        .filter(file::Column::MessageId.is_null())
        .filter(file::Column::StudyId.is_null())
        .filter(file::Column::PlaybookId.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The same for case studies.
pub async fn adopt_into_study(tx: &mut Tx, author_id: i64, study_id: i64, html: &str) -> Result<()> {
    let ids = files::linked_files(html);
    if ids.is_empty() {
        return Ok(());
    }
    file::Entity::update_many()
        .col_expr(file::Column::StudyId, Expr::value(Some(study_id)))
        .filter(file::Column::Id.is_in(ids))
        .filter(file::Column::OwnerId.eq(author_id))
        .filter(file::Column::PostId.is_null())
        .filter(file::Column::MessageId.is_null())
        .filter(file::Column::StudyId.is_null())
        .filter(file::Column::PlaybookId.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The same for the cover of a playbook; false if it is no unused image of this member.
pub async fn adopt_cover(tx: &mut Tx, owner_id: i64, playbook_id: i64, file_id: i64) -> Result<bool> {
    let adopted = file::Entity::update_many()
        .col_expr(file::Column::PlaybookId, Expr::value(Some(playbook_id)))
        .filter(file::Column::Id.eq(file_id))
        .filter(file::Column::MediaType.is_in(["image/png", "image/jpeg"]))
        .filter(
            file::Column::PlaybookId.eq(playbook_id).or(file::Column::OwnerId
                .eq(owner_id)
                .and(file::Column::PostId.is_null())
                .and(file::Column::MessageId.is_null())
                .and(file::Column::StudyId.is_null())
                .and(file::Column::PlaybookId.is_null())),
        )
        .exec(tx.conn())
        .await?;
    Ok(adopted.rows_affected > 0)
}

/// The same for messages: by file the message that shows it and that one's author.
pub async fn adopt_into_messages(tx: &Tx, files: &BTreeMap<i64, (i64, i64)>) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    Sql::new("WITH p(file_id, message_id, owner_id) AS (VALUES ")
        .rows(files.iter().map(|(file, (message, owner))| [(*file).into(), (*message).into(), (*owner).into()]))
        .then(") UPDATE file SET message_id = p.message_id FROM p WHERE file.id = p.file_id ")
        .then("AND file.owner_id = p.owner_id AND file.post_id IS NULL AND file.message_id IS NULL ")
        .then("AND file.study_id IS NULL AND file.playbook_id IS NULL")
        .run(tx.conn())
        .await?;
    Ok(())
}

/// Removes the files of a purged message, as [`purge_files_of_post`].
pub async fn purge_files_of_message(tx: &mut Tx, message_id: i64) -> Result<()> {
    let rows = file::Entity::find().filter(file::Column::MessageId.eq(message_id)).all(tx.conn()).await?;
    purge(tx, rows).await
}

/// Removes the files of a purged post: rows and stored answers now, the bytes by a job.
pub async fn purge_files_of_post(tx: &mut Tx, post_id: i64) -> Result<()> {
    let rows = file::Entity::find().filter(file::Column::PostId.eq(post_id)).all(tx.conn()).await?;
    purge(tx, rows).await
}

/// Removes uploads that no text has used within a day, a batch a transaction.
pub async fn remove_unused_files(state: &AppState) -> Result<()> {
    loop {
        let removed = state
            .store
            .write(async |tx| {
                let rows = file::Entity::find()
                    .filter(file::Column::PostId.is_null())
                    .filter(file::Column::MessageId.is_null())
                    .filter(file::Column::StudyId.is_null())
                    .filter(file::Column::PlaybookId.is_null())
                    .filter(file::Column::CreatedAt.lt(tx.now() - UNUSED))
                    .limit(BATCH)
                    // A post that is being saved may be about to use one.
                    .lock_exclusive()
                    .all(tx.conn())
                    .await?;
                let count = rows.len();
                purge(tx, rows).await?;
                Ok(count)
            })
            .await?;
        if removed == 0 {
            return Ok(());
        }
    }
}

async fn purge(tx: &mut Tx, rows: Vec<file::Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    idempotent_answer::Entity::delete_many()
        .filter(idempotent_answer::Column::SubjectId.is_in(ids.iter().copied()))
        .exec(tx.conn())
        .await?;
    file::Entity::delete_many().filter(file::Column::Id.is_in(ids)).exec(tx.conn()).await?;
    let keys = rows.into_iter().map(|row| row.storage_key).collect();
    tx.enqueue("people.delete_blobs", &DeleteBlobs { keys }).await
}
