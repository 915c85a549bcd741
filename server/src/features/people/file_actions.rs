//! Keeping, using and purging uploaded files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpResponse, body, web};
use bytes::Bytes;
use futures_util::stream;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect as _, Value};

use super::file_api::FileView;
use super::files::{self, Kept};
use super::{DeleteBlobs, ShownIn, images};
use crate::app::AppState;
use crate::app::secrets::{hash_bytes, random_token};
use crate::entities::{file, idempotent_answer};
use crate::ports::clock::DAY;
use crate::ports::scanner::{ScanFault, Verdict};
use crate::store::{Id, Sql, Tx, few_sizes};
use crate::web::error::{AppError, Result};
use crate::web::idempotency::{Answer, Once, write_once};

/// An upload that no text uses is kept this long.
const UNUSED: i64 = DAY;
/// What the files that one member uploaded for texts may weigh in all, bytes.
const QUOTA: i64 = 5 << 30;
/// What is said of a file that is not clean.
pub const REFUSED: &str = "is one that the virus scanner refused";
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
    let sent = name.to_owned();
    store_as(state, owner, once, true, move || files::prepare(&sent, &bytes)).await
}

/// Keeps what `prepare` makes, which is slow and pure. `limited`: its owner has a quota.
async fn store_as(
    state: &AppState,
    owner: i64,
    once: Option<Once>,
    limited: bool,
    prepare: impl FnOnce() -> Result<Kept> + Send + 'static,
) -> Result<HttpResponse> {
    let slot = images::slot().await?;
    let (kept, sha256) = web::block(move || {
        let kept = prepare()?;
        let sha256 = hash_bytes(&kept.bytes);
        Ok::<_, AppError>((kept, sha256))
    })
    .await??;
    drop(slot);
    scanned(state, &kept.bytes).await?;
    let key = format!("file/{}", random_token());
    state.blobs.put(&key, kept.bytes.clone()).await?;
    let written = Arc::new(AtomicBool::new(false));
    let (storage_key, flag) = (key.clone(), Arc::clone(&written));
    let answer = write_once(state, owner, once, async move |tx| {
        if limited {
            within_quota(tx, owner, &kept).await?;
        }
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

/// With a scanner, nothing is kept that it has not found clean: a text may show a file at once, so it
/// is not held back as those of the library are, but asked for before it is there.
async fn scanned(state: &AppState, bytes: &Bytes) -> Result<()> {
    if !state.scanner.is_configured() {
        return Ok(());
    }
    for _ in 0..2 {
        let fault = match state.scanner.scan(stream::iter([Ok(bytes.clone())])).await? {
            Ok(Verdict::Clean) => return Ok(()),
            Ok(Verdict::Infected(what)) => {
                tracing::warn!(what, "the virus scanner refused an upload");
                return Err(AppError::field("file", REFUSED));
            }
            Err(fault) => fault,
        };
        tracing::warn!(reason = fault.reason(), "the virus scanner does not take an upload");
        if fault.is_too_large() {
            break;
        }
        if matches!(fault, ScanFault::Refused(_)) || state.scanner.is_ready().await != Some(true) {
            return Err(AppError::Unavailable(30));
        }
        // It is there and hung up, as it may on what is too much for it: once more, to be sure.
    }
    Err(AppError::TooLarge("The virus scanner takes no file of this size.".into()))
}

/// 413 if a file is more than what is left of its owner's space.
async fn within_quota(tx: &Tx, owner: i64, kept: &Kept) -> Result<()> {
    let used = Sql::new("SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) AS n FROM file WHERE owner_id = ").bind(owner);
    let size = i64::try_from(kept.bytes.len()).unwrap_or(i64::MAX);
    if used.number(tx.conn()).await?.saturating_add(size) > QUOTA {
        return Err(AppError::TooLarge("This is more than what is left of the space for your files.".into()));
    }
    Ok(())
}

/// Keeps an upload that came with a form; what puts it into a text.
pub async fn keep_file(state: &AppState, owner: i64, name: &str, bytes: Bytes) -> Result<String> {
    let view = read_back(store_file(state, owner, name, bytes, None).await?).await?;
    Ok(text_of(&view, "markdown").to_owned())
}

/// A picture that was kept.
#[derive(Clone, Debug)]
pub struct Picture {
    pub id: i64,
    /// Where it is served.
    pub url: String,
}

/// Keeps a picture; 415 for what is none.
pub async fn keep_picture(state: &AppState, owner: i64, name: &str, bytes: Bytes) -> Result<Picture> {
    a_picture(&bytes)?;
    picture(store_file(state, owner, name, bytes, None).await?).await
}

/// The same for one that an import brings: what a hub made itself is kept to the byte, so that
/// bringing an export back changes nothing.
pub async fn keep_imported_picture(state: &AppState, owner: i64, name: &str, bytes: Bytes) -> Result<Picture> {
    a_picture(&bytes)?;
    let sent = name.to_owned();
    picture(store_as(state, owner, None, false, move || files::prepare_imported(&sent, &bytes)).await?).await
}

fn a_picture(bytes: &[u8]) -> Result<()> {
    let said = "This has to be a picture: PNG, JPEG, GIF or WebP.";
    images::format_of(bytes).map(|_| ()).ok_or_else(|| AppError::UnsupportedType(said.into()))
}

async fn picture(answer: HttpResponse) -> Result<Picture> {
    let view = read_back(answer).await?;
    let id = text_of(&view, "id").parse::<Id>().map_err(|_| AppError::internal("a kept file has no id"))?;
    Ok(Picture { id: id.0, url: text_of(&view, "url").to_owned() })
}

async fn read_back(answer: HttpResponse) -> Result<serde_json::Value> {
    let answer = body::to_bytes(answer.into_body()).await.map_err(|error| AppError::internal(error.to_string()))?;
    Ok(serde_json::from_slice(&answer)?)
}

fn text_of<'a>(view: &'a serde_json::Value, field: &str) -> &'a str {
    view.get(field).and_then(serde_json::Value::as_str).unwrap_or_default()
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
        shown_in: None,
        resource_id: None,
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
        shown_in: Set(None),
        resource_id: Set(row.resource_id),
        study_id: Set(row.study_id),
        playbook_id: Set(row.playbook_id),
        created_at: Set(row.created_at),
    };
    file::Entity::insert(new).exec_without_returning(tx.conn()).await?;
    Ok(row)
}

/// Files that nothing shows yet.
fn unused() -> Condition {
    Condition::all()
        .add(file::Column::PostId.is_null())
        .add(file::Column::MessageId.is_null())
        .add(file::Column::ShownIn.is_null())
        .add(file::Column::ResourceId.is_null())
        .add(file::Column::StudyId.is_null())
        .add(file::Column::PlaybookId.is_null())
}

/// Files that something shows for the first time become readable with it. Only the author's own:
/// nobody can make somebody else's upload readable by linking to it.
async fn adopt(tx: &Tx, owner: i64, files: &[i64], by: file::Column, of: impl Into<Value> + Send) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    file::Entity::update_many()
        .col_expr(by, Expr::value(of))
        .filter(file::Column::Id.is_in(files.iter().copied()))
        .filter(file::Column::OwnerId.eq(owner))
        .filter(unused())
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The files of a post.
pub async fn adopt_files(tx: &mut Tx, author_id: i64, post_id: i64, body_html: &str) -> Result<()> {
    adopt(tx, author_id, &files::linked_files(body_html), file::Column::PostId, Some(post_id)).await
}

/// The same for a profile, a pinned text or a page of the hub.
pub async fn adopt_shown(tx: &Tx, owner: i64, shown_in: ShownIn, html: &str) -> Result<()> {
    adopt(tx, owner, &files::linked_files(html), file::Column::ShownIn, Some(shown_in.to_string())).await
}

/// The same for the texts of a resource, by the files they link to.
pub async fn adopt_into_resource(tx: &Tx, author_id: i64, resource_id: i64, files: &[i64]) -> Result<()> {
    adopt(tx, author_id, files, file::Column::ResourceId, Some(resource_id)).await
}

/// The same for case studies.
pub async fn adopt_into_study(tx: &mut Tx, author_id: i64, study_id: i64, html: &str) -> Result<()> {
    adopt(tx, author_id, &files::linked_files(html), file::Column::StudyId, Some(study_id)).await
}

/// The same for the texts of a playbook, its introduction and its scenarios.
pub async fn adopt_into_playbook(tx: &Tx, owner_id: i64, playbook_id: i64, html: &str) -> Result<()> {
    adopt(tx, owner_id, &files::linked_files(html), file::Column::PlaybookId, Some(playbook_id)).await
}

/// The same for the cover of a playbook; false if it is no unused image of this member, nor one of
/// this playbook.
pub async fn adopt_cover(tx: &mut Tx, owner_id: i64, playbook_id: i64, file_id: i64) -> Result<bool> {
    let own = unused().add(file::Column::OwnerId.eq(owner_id));
    let adopted = file::Entity::update_many()
        .col_expr(file::Column::PlaybookId, Expr::value(Some(playbook_id)))
        .filter(file::Column::Id.eq(file_id))
        .filter(file::Column::MediaType.is_in(["image/png", "image/jpeg"]))
        .filter(Condition::any().add(file::Column::PlaybookId.eq(playbook_id)).add(own))
        .exec(tx.conn())
        .await?;
    Ok(adopted.rows_affected > 0)
}

/// The same for messages: by file the message that shows it and that one's author.
pub async fn adopt_into_messages(tx: &Tx, files: &BTreeMap<i64, (i64, i64)>) -> Result<()> {
    for part in few_sizes(files.iter().collect()) {
        let rows =
            part.into_iter().map(|(file, (message, owner))| [(*file).into(), (*message).into(), (*owner).into()]);
        Sql::new("WITH p(file_id, message_id, owner_id) AS (VALUES ")
            .rows(rows)
            .then(") UPDATE file SET message_id = p.message_id FROM p WHERE file.id = p.file_id ")
            .then("AND file.owner_id = p.owner_id AND file.post_id IS NULL AND file.message_id IS NULL ")
            .then("AND file.shown_in IS NULL AND file.resource_id IS NULL ")
            .then("AND file.study_id IS NULL AND file.playbook_id IS NULL")
            .run(tx.conn())
            .await?;
    }
    Ok(())
}

/// Removes the files of a purged message, as [`purge_files_of_post`].
pub async fn purge_files_of_message(tx: &mut Tx, message_id: i64) -> Result<()> {
    let rows = file::Entity::find().filter(file::Column::MessageId.eq(message_id)).all(tx.conn()).await?;
    purge(tx, rows).await
}

/// Removes the files of a purged resource, as [`purge_files_of_post`].
pub async fn purge_files_of_resource(tx: &mut Tx, resource_id: i64) -> Result<()> {
    let rows = file::Entity::find().filter(file::Column::ResourceId.eq(resource_id)).all(tx.conn()).await?;
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
                    .filter(unused())
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
    Sql::new("DELETE FROM study_figure WHERE file_id IN ").list(ids.iter().copied()).run(tx.conn()).await?;
    file::Entity::delete_many().filter(file::Column::Id.is_in(ids)).exec(tx.conn()).await?;
    let keys = rows.into_iter().map(|row| row.storage_key).collect();
    tx.enqueue(super::DELETE, &DeleteBlobs { keys }).await
}
