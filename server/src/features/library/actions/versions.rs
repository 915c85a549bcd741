//! New versions of what a resource is made of, and bringing an old one back.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::HttpResponse;
use sea_orm::EntityTrait;

use super::create::{Content, Made, NewVersion, adopt, file_of, insert_version, keep_file, keeping};
use super::edit::space_of;
use super::fields::{Fields, Ready, ready};
use super::{ground, tell};
use crate::app::AppState;
use crate::entities::kinds::ResourceForm;
use crate::entities::resource_version;
use crate::features::library::files::Received;
use crate::features::library::model::ResourceView;
use crate::features::library::policy::MOST_VERSIONS;
use crate::features::library::queries::view_in;
use crate::features::spaces::SpaceInfo;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};
use crate::web::etag::{IfMatch, of_version};
use crate::web::idempotency::{Answer, Once, write_once};
use crate::web::viewer::Me;

/// A version to be added.
#[derive(Clone, Debug)]
pub struct NewVersionOf {
    pub resource: i64,
    pub content: Content,
    /// What changed.
    pub note: String,
    /// Keeps passages that the check of texts has found.
    pub confirmed: bool,
    pub if_match: IfMatch,
}

/// The same, checked and rendered.
#[derive(Clone, Debug)]
pub(super) struct Next {
    made: Made,
    ready: Ready,
    scanner: bool,
    if_match: IfMatch,
}

pub(super) async fn prepare(state: &AppState, of: &NewVersionOf) -> Result<Next> {
    let space = space_of(state, of.resource).await?;
    let fields = Fields { note: of.note.clone(), confirmed: of.confirmed, ..Fields::default() };
    let ready = ready(state, space, &fields, of.content.body()).await?;
    let (made, scanner) = (Made::of(&of.content, &ready)?, state.scanner.is_configured());
    Ok(Next { made, ready, scanner, if_match: of.if_match })
}

/// Adds a version: who shared the resource or a moderator.
pub async fn add_version(state: &AppState, me: &Me, new: &NewVersionOf) -> Result<()> {
    add_version_as(state, me.id, new).await
}

/// The same for a member by id.
pub async fn add_version_as(state: &AppState, member: i64, new: &NewVersionOf) -> Result<()> {
    let id = new.resource;
    keeping(state, file_of(&new.content), async |kept| {
        let next = prepare(state, new).await?;
        state.store.write(async move |tx| add(tx, member, id, &next, &kept).await).await
    })
    .await
}

/// The same for a request that may come again; the resource with its new version.
pub async fn add_version_once(
    state: &AppState,
    me: &Me,
    space: &Arc<SpaceInfo>,
    new: &NewVersionOf,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, id, space, epoch) = (me.id, new.resource, Arc::clone(space), state.epoch.to_string());
    keeping(state, file_of(&new.content), async |kept| {
        let next = prepare(state, new).await?;
        write_once(state, member, once, async move |tx| {
            add(tx, member, id, &next, &kept).await?;
            created(&view_in(tx.conn(), &space, id, tx.now(), &epoch).await?)
        })
        .await
    })
    .await
}

fn created(view: &ResourceView) -> Result<Answer> {
    let location = format!("/api/v1/resources/{}/versions", view.row.id);
    Ok(Answer::created(location, view, Some(view.row.id.0))?.with_etag(of_version(view.version)))
}

pub(super) async fn add(tx: &mut Tx, member: i64, id: i64, next: &Next, kept: &AtomicBool) -> Result<()> {
    let ground = ground::resource(tx, member, id).await?;
    ground.standing.change(ground.author_id)?;
    let ground = ground.living()?;
    next.if_match.check(ground.version)?;
    if next.made.form() != ground.form {
        let field = match ground.form {
            ResourceForm::File => "file",
            ResourceForm::Link => "url",
            ResourceForm::Note => "body",
        };
        return Err(AppError::field(field, "is needed: a resource stays what it is made of"));
    }
    keep_file(tx, member, &next.made, next.scanner, true, kept).await?;
    adopt(tx, member, id, &next.ready).await?;
    put(tx, &ground, &next.ready.note, None, &next.made).await
}

/// Writes the next version and makes it the one that is shown.
async fn put(tx: &mut Tx, ground: &ground::Ground, note: &str, restored_from: Option<i32>, made: &Made) -> Result<()> {
    if ground.version_count >= MOST_VERSIONS {
        return Err(AppError::Conflict("This resource has all the versions that one can have.".into()));
    }
    let (member, number) = (ground.standing.member, ground.version_count + 1);
    let version = NewVersion { id: tx.id(), resource: ground.id, number, member, note, restored_from };
    insert_version(tx, &version, made).await?;
    Sql::new("UPDATE resource SET version = version + 1, version_count = ")
        .bind(number)
        .then(", version_id = ")
        .bind(version.id)
        .then(", updated_at = ")
        .bind(tx.now())
        .then(" WHERE id = ")
        .bind(ground.id)
        .run(tx.conn())
        .await?;
    tell(tx, "resource.changed", ground.space_id, ground.id, member);
    Ok(())
}

/// Makes an old version the newest one again: who shared the resource or a moderator.
pub async fn restore_version(state: &AppState, me: &Me, id: i64, number: i32) -> Result<()> {
    let member = me.id;
    state.store.write(async move |tx| bring_back(tx, member, id, number).await).await
}

/// The same for a request that may come again.
pub async fn restore_version_once(
    state: &AppState,
    me: &Me,
    space: &Arc<SpaceInfo>,
    id: i64,
    number: i32,
    once: Option<Once>,
) -> Result<HttpResponse> {
    let (member, space, epoch) = (me.id, Arc::clone(space), state.epoch.to_string());
    write_once(state, member, once, async move |tx| {
        bring_back(tx, member, id, number).await?;
        created(&view_in(tx.conn(), &space, id, tx.now(), &epoch).await?)
    })
    .await
}

async fn bring_back(tx: &mut Tx, member: i64, id: i64, number: i32) -> Result<()> {
    use sea_orm::{ColumnTrait as _, QueryFilter as _};
    let ground = ground::resource(tx, member, id).await?;
    ground.standing.change(ground.author_id)?;
    let ground = ground.living()?;
    let old = resource_version::Entity::find()
        .filter(resource_version::Column::ResourceId.eq(id))
        .filter(resource_version::Column::Number.eq(number))
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    if old.id == ground.version_id {
        return Err(AppError::Conflict("This is the newest version already.".into()));
    }
    let made = match (old.sha256, old.url, old.body) {
        // Its bytes are here; only what names them is copied.
        (Some(sha256), ..) => Made::File(Received {
            name: old.file_name.unwrap_or_default(),
            key: String::new(),
            size: 0,
            sha256,
            media_type: "",
        }),
        (None, Some(url), _) => Made::Link(url),
        (None, None, body) => Made::Note { body: body.unwrap_or_default(), html: old.body_html.unwrap_or_default() },
    };
    put(tx, &ground, "", Some(number), &made).await
}
