//! Sharing something: a file, an address or a text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::fields::{Fields, Ready, check_topic, ready, set_terms};
use super::{ground, tell};
use crate::app::AppState;
use crate::entities::kinds::{ResourceForm, ResourceKind};
use crate::entities::{resource, resource_version};
use crate::features::library::files::{self, Kept, Received};
use crate::features::library::model::ResourceView;
use crate::features::library::policy::{parse_url, title_of};
use crate::features::library::queries::view_in;
use crate::features::people::{adopt_into_resource, linked_files};
use crate::features::spaces::SpaceInfo;
use crate::store::Tx;
use crate::web::error::{AppError, Result};
use crate::web::etag::of_version;
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// What a resource, or one version of it, is made of.
#[derive(Clone, Debug)]
pub enum Content {
    File(Received),
    Link(String),
    Note(String),
}

impl Content {
    pub(super) fn body(&self) -> Option<&str> {
        if let Self::Note(body) = self { Some(body) } else { None }
    }

    /// What it is called if its title is not said.
    fn title(&self) -> Option<String> {
        match self {
            Self::File(file) => Some(title_of(&file.name)),
            Self::Link(url) => Some(crate::features::library::model::host_of(url)).filter(|host| !host.is_empty()),
            Self::Note(_) => None,
        }
    }
}

/// Something to share.
#[derive(Clone, Debug)]
pub struct NewResource {
    pub fields: Fields,
    pub content: Content,
}

/// A version's content, checked.
#[derive(Clone, Debug)]
pub(super) enum Made {
    File(Received),
    Link(String),
    Note { body: String, html: String },
}

impl Made {
    pub(super) const fn form(&self) -> ResourceForm {
        match self {
            Self::File(_) => ResourceForm::File,
            Self::Link(_) => ResourceForm::Link,
            Self::Note { .. } => ResourceForm::Note,
        }
    }

    pub(super) fn of(content: &Content, ready: &Ready) -> Result<Self> {
        Ok(match content {
            Content::File(file) => Self::File(file.clone()),
            Content::Link(url) => Self::Link(parse_url(url)?),
            Content::Note(_) => {
                let (body, html) = ready.body.clone().unwrap_or_default();
                Self::Note { body, html }
            }
        })
    }
}

/// Something to share, checked and rendered before its transaction.
#[derive(Clone, Debug)]
pub struct Prepared {
    made: Made,
    ready: Ready,
    /// There is a virus scanner.
    scanner: bool,
    /// What one member may keep in all counts: not for what an operator brings in.
    limited: bool,
}

/// Checks and renders what is to be shared in a space.
pub(super) async fn prepare(state: &AppState, space: i64, new: &NewResource) -> Result<Prepared> {
    let mut fields = new.fields.clone();
    if fields.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
        // A note without a title is told that it needs one.
        fields.title = Some(new.content.title().unwrap_or_default());
    }
    let ready = ready(state, space, &fields, new.content.body()).await?;
    let (made, scanner) = (Made::of(&new.content, &ready)?, state.scanner.is_configured());
    Ok(Prepared { made, ready, scanner, limited: true })
}

/// The same for what an operator brings in.
pub async fn prepare_import(state: &AppState, space: i64, new: &NewResource) -> Result<Prepared> {
    Ok(Prepared { limited: false, ..prepare(state, space, new).await? })
}

/// Shares something in a space.
pub async fn create(state: &AppState, me: &Me, space: &Arc<SpaceInfo>, new: &NewResource) -> Result<ResourceView> {
    let (member, space, epoch) = (me.id, Arc::clone(space), state.epoch.to_string());
    keeping(state, file_of(&new.content), async |kept| {
        let prepared = prepare(state, space.id, new).await?;
        state
            .store
            .write(async move |tx| {
                let id = insert_resource(tx, member, space.id, &prepared, &kept).await?;
                view_in(tx.conn(), &space, id, tx.now(), &epoch).await
            })
            .await
    })
    .await
}

/// The same for a request that may come again.
pub async fn create_once(
    state: &AppState,
    me: &Me,
    space: &Arc<SpaceInfo>,
    new: &NewResource,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, space, epoch) = (me.id, Arc::clone(space), state.epoch.to_string());
    keeping(state, file_of(&new.content), async |kept| {
        let prepared = prepare(state, space.id, new).await?;
        write_once(state, member, once, async move |tx| {
            let id = insert_resource(tx, member, space.id, &prepared, &kept).await?;
            let view = view_in(tx.conn(), &space, id, tx.now(), &epoch).await?;
            let answer = Answer::created(format!("/api/v1/resources/{}", view.row.id), &view, Some(id))?;
            Ok(answer.with_etag(of_version(view.version)))
        })
        .await
    })
    .await
}

pub(super) const fn file_of(content: &Content) -> Option<&Received> {
    if let Content::File(file) = content { Some(file) } else { None }
}

/// Runs a write that may keep a file; what it does not keep is removed again. Where it is not known
/// whether the write was done, as its answer was lost, the bytes are left to the sweep.
pub async fn keeping<T>(
    state: &AppState,
    file: Option<&Received>,
    write: impl AsyncFnOnce(Arc<AtomicBool>) -> Result<T>,
) -> Result<T> {
    let kept = Arc::new(AtomicBool::new(false));
    let done = write(Arc::clone(&kept)).await;
    let needed = match &done {
        Ok(_) => kept.load(Ordering::Relaxed),
        // A commit whose connection broke may have arrived, or still do.
        Err(error) => matches!(error, AppError::Unavailable(_) | AppError::Internal(_)),
    };
    if let Some(file) = file.filter(|_| !needed) {
        files::release(state, file).await;
    }
    done
}

/// Shares something inside a transaction; its id. `kept` says whether its file's bytes are needed.
pub async fn insert_resource(tx: &mut Tx, member: i64, space: i64, new: &Prepared, kept: &AtomicBool) -> Result<i64> {
    let Prepared { made, ready, scanner, limited } = new;
    let standing = ground::space(tx, member, space).await?;
    standing.write()?;
    check_topic(tx, space, ready.topic).await?;
    keep_file(tx, member, made, *scanner, *limited, kept).await?;
    let (id, version) = (tx.id(), tx.id());
    let (description, description_html) = ready.description.clone().unwrap_or_default();
    let row = resource::ActiveModel {
        id: Set(id),
        space_id: Set(space),
        author_id: Set(member),
        form: Set(made.form()),
        kind: Set(ready.kind.unwrap_or(ResourceKind::Other)),
        stage: Set(ready.stage.flatten()),
        title: Set(ready.title.clone().unwrap_or_default()),
        summary: Set(ready.summary.clone().unwrap_or_default()),
        description: Set(description),
        description_html: Set(description_html),
        authors: Set(serde_json::to_string(&ready.authors.clone().unwrap_or_default())?),
        organisation: Set(ready.organisation.clone().unwrap_or_default()),
        licence: Set(ready.licence.clone().unwrap_or_default()),
        source: Set(ready.source.clone().unwrap_or_default()),
        published_on: Set(ready.published_on.flatten()),
        review_due: Set(ready.review_due.flatten()),
        review_told: Set(false),
        topic_id: Set(ready.topic.flatten()),
        version_id: Set(version),
        version_count: Set(1),
        download_count: Set(0),
        endorsement_count: Set(0),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        hidden_at: Set(None),
        deleted_at: Set(None),
        deleted_by: Set(None),
        purged_at: Set(None),
        version: Set(1),
    };
    resource::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    let first = NewVersion { id: version, resource: id, number: 1, member, note: &ready.note, restored_from: None };
    insert_version(tx, &first, made).await?;
    set_terms(tx, id, "topic", ready.topics.as_deref().unwrap_or_default()).await?;
    set_terms(tx, id, "tag", ready.tags.as_deref().unwrap_or_default()).await?;
    adopt(tx, member, id, ready).await?;
    tell(tx, "resource.created", space, id, member);
    Ok(id)
}

/// Uploads that its texts show become readable with it.
pub(super) async fn adopt(tx: &Tx, member: i64, resource: i64, ready: &Ready) -> Result<()> {
    for (_, html) in [&ready.description, &ready.body].into_iter().flatten() {
        adopt_into_resource(tx, member, resource, &linked_files(html)).await?;
    }
    Ok(())
}

/// Keeps the file of a version that is about to be written, within what its sender may keep.
pub(super) async fn keep_file(
    tx: &mut Tx,
    member: i64,
    made: &Made,
    scanner: bool,
    limited: bool,
    kept: &AtomicBool,
) -> Result<()> {
    kept.store(false, Ordering::Relaxed);
    let Made::File(file) = made else { return Ok(()) };
    let left = files::room_left(tx.conn(), member).await?;
    let outcome = files::keep(tx, file, scanner).await?;
    if limited && outcome == Kept::New && file.size > left {
        return Err(AppError::TooLarge("This is more than what is left of the space for your files.".into()));
    }
    // Of what was known a job removes the bytes that came.
    kept.store(true, Ordering::Relaxed);
    Ok(())
}

/// A version to be written.
pub(super) struct NewVersion<'a> {
    pub id: i64,
    pub resource: i64,
    pub number: i32,
    pub member: i64,
    pub note: &'a str,
    pub restored_from: Option<i32>,
}

pub(super) async fn insert_version(tx: &Tx, of: &NewVersion<'_>, made: &Made) -> Result<()> {
    let (mut sha256, mut file_name, mut url, mut text, mut text_html) = (None, None, None, None, None);
    match made {
        Made::File(file) => (sha256, file_name) = (Some(file.sha256.clone()), Some(file.name.clone())),
        Made::Link(to) => url = Some(to.clone()),
        Made::Note { body, html } => (text, text_html) = (Some(body.clone()), Some(html.clone())),
    }
    let row = resource_version::ActiveModel {
        id: Set(of.id),
        resource_id: Set(of.resource),
        number: Set(of.number),
        author_id: Set(of.member),
        note: Set(of.note.to_owned()),
        created_at: Set(tx.now()),
        sha256: Set(sha256),
        file_name: Set(file_name),
        url: Set(url),
        body: Set(text),
        body_html: Set(text_html),
        restored_from: Set(of.restored_from),
    };
    resource_version::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    Ok(())
}
