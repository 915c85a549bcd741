//! The space an import fills.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState, SpaceRole, Visibility};
use crate::entities::{member, space, space_member};
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::{AppError, Result};
use crate::web::words::english;

/// The space with this slug; made, open, if it is missing. Errors are one line.
pub async fn find_or_make(
    state: &AppState,
    slug: &str,
    owner: Option<&str>,
    site: Option<&str>,
) -> Result<i64, String> {
    let slug = slug.trim().to_lowercase();
    let fault = |error: AppError| format!("the space could not be made ({error})");
    let db = state.store.read();
    let found = space::Entity::find().filter(space::Column::Slug.eq(slug.as_str())).one(db).await;
    if let Some(found) = found.map_err(|error| fault(error.into()))? {
        if found.archived_at.is_some() {
            return Err(format!("--space {slug}: this space is archived; choose another"));
        }
        return Ok(found.id);
    }
    if !is_slug(&slug) {
        return Err(format!("--space {slug}: write 2 to 60 letters a to z, digits, - and _, beginning with a letter or digit"));
    }
    let owner = find_owner(state, owner).await?;
    let name = name_of(&slug);
    let words = english();
    let description = match site {
        Some(site) => words.with("demo.import.from_site", &[("site", site)]),
        None => words.t("demo.import.from_dump").to_owned(),
    };
    let make = async move |tx: &mut Tx| make_space(tx, &slug, &name, &description, owner).await;
    state.store.write(make).await.map_err(fault)
}

async fn make_space(tx: &mut Tx, slug: &str, name: &str, description: &str, owner: i64) -> Result<i64> {
    let (id, now) = (tx.id(), tx.now());
    let row = space::ActiveModel {
        id: Set(id),
        slug: Set(slug.to_owned()),
        name: Set(name.to_owned()),
        description: Set(description.to_owned()),
        visibility: Set(Visibility::Open),
        pinned_body: Set(String::new()),
        pinned_html: Set(String::new()),
        archived_at: Set(None),
        created_by: Set(owner),
        created_at: Set(now),
        topic_count: Set(0),
        member_count: Set(1),
        version: Set(1),
    };
    space::Entity::insert(row).exec_without_returning(tx.conn()).await?;
    let owns = space_member::ActiveModel {
        space_id: Set(id),
        member_id: Set(owner),
        role: Set(SpaceRole::Owner),
        joined_at: Set(now),
    };
    space_member::Entity::insert(owns).exec_without_returning(tx.conn()).await?;
    tx.append(Stream::space(id), NewEvent::new("member.joined", owner, Some(owner)));
    tx.append(Stream::member(owner), NewEvent::new("membership.changed", id, Some(owner)));
    tx.append(Stream::HUB, NewEvent::new("hub.changed", id, Some(owner)));
    Ok(id)
}

/// The member with this handle, or the first administrator.
async fn find_owner(state: &AppState, handle: Option<&str>) -> Result<i64, String> {
    let fault = |error: sea_orm::DbErr| format!("PRAXIS_DATABASE_URL: the database cannot be read ({error})");
    let mut find = member::Entity::find().filter(member::Column::State.eq(MemberState::Active));
    find = match handle {
        Some(handle) => find.filter(member::Column::Handle.eq(handle.trim().trim_start_matches('@').to_lowercase())),
        None => find.filter(member::Column::HubRole.eq(HubRole::Administrator)).order_by_asc(member::Column::Id),
    };
    let found = find.one(state.store.read()).await.map_err(fault)?;
    match (found, handle) {
        (Some(found), _) => Ok(found.id),
        (None, Some(handle)) => Err(format!("--as {handle}: no active member has this handle")),
        (None, None) => Err("nobody can own the space yet; make an administrator first: praxis admin create".into()),
    }
}

fn is_slug(slug: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    (2..=60).contains(&slug.len())
        && slug.bytes().next().is_some_and(letter)
        && slug.bytes().all(|c| letter(c) || c == b'-' || c == b'_')
}

/// `machine-learning` is called Machine learning.
fn name_of(slug: &str) -> String {
    let mut letters = slug.chars().map(|c| if matches!(c, '-' | '_') { ' ' } else { c });
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
