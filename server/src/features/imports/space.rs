//! The space an import fills.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState, Visibility};
use crate::entities::{member, space};
use crate::features::spaces::model::NewSpace;
use crate::features::spaces::{Draft, is_reserved, make_space};
use crate::web::error::AppError;

/// Where an import goes, known before anything is read.
#[derive(Clone, Debug)]
pub enum Goal {
    /// A space that is there.
    Found(i64),
    /// One that is to be made, and who will own it.
    New { slug: String, owner: i64 },
}

/// Looks whether there is or can be a space with this slug. Errors are one line.
pub async fn look(state: &AppState, slug: &str, owner: Option<&str>) -> Result<Goal, String> {
    let slug = slug.trim().to_lowercase();
    let found = space::Entity::find().filter(space::Column::Slug.eq(slug.as_str())).one(state.store.read()).await;
    if let Some(found) = found.map_err(|error| fault(error.into()))? {
        if found.archived_at.is_some() {
            return Err(format!("--space {slug}: this space is archived; choose another"));
        }
        return Ok(Goal::Found(found.id));
    }
    if is_reserved(&slug) {
        return Err(format!("--space {slug}: this word is reserved; choose another"));
    }
    Draft::of(&blank(&slug, "")).map_err(|_| {
        format!("--space {slug}: write 2 to 60 letters a to z, digits, - and _, beginning with a letter or digit")
    })?;
    Ok(Goal::New { owner: find_owner(state, owner).await?, slug })
}

/// The space; made, open, if it is not there yet.
pub async fn make(state: &AppState, goal: Goal, description: &str) -> Result<i64, String> {
    let (slug, owner) = match goal {
        Goal::Found(id) => return Ok(id),
        Goal::New { slug, owner } => (slug, owner),
    };
    let draft = Draft::of(&blank(&slug, description)).map_err(fault)?;
    let made = state.store.write(async move |tx| make_space(tx, owner, true, &draft).await).await;
    made.map(|space| space.id).map_err(fault)
}

fn blank(slug: &str, description: &str) -> NewSpace {
    NewSpace {
        slug: slug.to_owned(),
        name: name_of(slug),
        description: description.to_owned(),
        visibility: Visibility::Open,
        confirmed: true,
    }
}

fn fault(error: AppError) -> String {
    format!("the space could not be made ({error})")
}

/// The member with this handle, or the first administrator.
pub(super) async fn find_owner(state: &AppState, handle: Option<&str>) -> Result<i64, String> {
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
        (None, None) => {
            Err("nobody can own what is brought yet; make an administrator first: praxis admin create".into())
        }
    }
}

/// `machine-learning` is called Machine learning, `ai` AI.
fn name_of(slug: &str) -> String {
    if slug.len() <= 3 {
        return slug.to_uppercase();
    }
    let mut letters = slug.chars().map(|c| if matches!(c, '-' | '_') { ' ' } else { c });
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
