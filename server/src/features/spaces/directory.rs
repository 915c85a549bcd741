//! Every space in mind, while the hub's stream stands still: pages look here, not in the table.
//!
//! Whatever changes a space's slug, name, description, visibility or archive state appends to
//! `Stream::HUB` in the same transaction.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use sea_orm::EntityTrait;

use super::policy::{self, Access};
use crate::app::AppState;
use crate::entities::kinds::{SpaceRole, Visibility};
use crate::entities::space;
use crate::locks::{reading, writing};
use crate::streams::Stream;
use crate::web::error::{AppError, Result};
use crate::web::frame::SideSpace;
use crate::web::viewer::{Me, Viewer};

/// What is known of a space without asking the database. Counts are not in here: they move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceInfo {
    pub id: i64,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub visibility: Visibility,
    pub archived: bool,
    pub created_at: i64,
}

/// All spaces as of one head of the hub's stream.
#[derive(Debug, Default)]
pub struct Snapshot {
    head: i64,
    /// Sorted by name.
    all: Vec<Arc<SpaceInfo>>,
    by_slug: HashMap<String, Arc<SpaceInfo>>,
    by_id: HashMap<i64, Arc<SpaceInfo>>,
}

#[derive(Debug, Default)]
pub struct Directory {
    known: RwLock<Option<Arc<Snapshot>>>,
}

impl Directory {
    /// The spaces as they are now.
    pub async fn snapshot(&self, state: &AppState) -> Result<Arc<Snapshot>> {
        let db = state.store.read();
        let head = state.heads.current(db, Stream::HUB).await?;
        if let Some(snapshot) = reading(&self.known).as_ref().filter(|known| known.head == head) {
            return Ok(Arc::clone(snapshot));
        }
        let rows = space::Entity::find().all(db).await?;
        let mut snapshot = Snapshot { head, ..Snapshot::default() };
        for row in rows {
            let info = Arc::new(SpaceInfo {
                id: row.id,
                slug: row.slug,
                name: row.name,
                description: row.description,
                visibility: row.visibility,
                archived: row.archived_at.is_some(),
                created_at: row.created_at,
            });
            snapshot.by_slug.insert(info.slug.clone(), Arc::clone(&info));
            snapshot.by_id.insert(info.id, Arc::clone(&info));
            snapshot.all.push(info);
        }
        // Here, not in the query: two databases have two ideas of order.
        snapshot.all.sort_by_cached_key(by_name);
        let snapshot = Arc::new(snapshot);
        *writing(&self.known) = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// A space by its slug with what the viewer may do there; 404 if it does not exist for them.
    /// `Access::Door` is let through: the caller decides what of it is inside.
    pub async fn find(&self, state: &AppState, viewer: &Viewer, slug: &str) -> Result<(Arc<SpaceInfo>, Access)> {
        let snapshot = self.snapshot(state).await?;
        let space = snapshot.by_slug.get(&slug.to_lowercase()).ok_or(AppError::NotFound)?;
        Self::seen(viewer, space)
    }

    /// The same by id.
    pub async fn find_by_id(&self, state: &AppState, viewer: &Viewer, id: i64) -> Result<(Arc<SpaceInfo>, Access)> {
        let snapshot = self.snapshot(state).await?;
        let space = snapshot.by_id.get(&id).ok_or(AppError::NotFound)?;
        Self::seen(viewer, space)
    }

    fn seen(viewer: &Viewer, space: &Arc<SpaceInfo>) -> Result<(Arc<SpaceInfo>, Access)> {
        match policy::access(viewer, space) {
            Access::Hidden => Err(AppError::NotFound),
            access => Ok((Arc::clone(space), access)),
        }
    }

    /// The spaces whose content a viewer may read, by id: the start of every list across spaces.
    pub async fn readable(&self, state: &AppState, viewer: &Viewer) -> Result<Vec<i64>> {
        let snapshot = self.snapshot(state).await?;
        Ok(snapshot
            .all
            .iter()
            .filter(|space| policy::access(viewer, space) >= Access::Read)
            .map(|space| space.id)
            .collect())
    }

    /// A member's spaces for the sidebar, by name.
    pub async fn of_member(&self, state: &AppState, me: &Me) -> Result<Vec<SideSpace>> {
        let snapshot = self.snapshot(state).await?;
        let mut spaces: Vec<(&Arc<SpaceInfo>, SpaceRole)> = me
            .spaces
            .iter()
            .filter_map(|(id, role)| Some((snapshot.by_id.get(id)?, *role)))
            .filter(|(space, _)| !space.archived)
            .collect();
        spaces.sort_by_cached_key(|(space, _)| by_name(space));
        Ok(spaces
            .into_iter()
            .map(|(space, _)| SideSpace { slug: space.slug.clone(), name: space.name.clone() })
            .collect())
    }
}

/// By name whatever its case, then by age.
pub(super) fn by_name(space: &Arc<SpaceInfo>) -> (String, i64) {
    (space.name.to_lowercase(), space.id)
}

impl Snapshot {
    /// Every space, by name. The caller filters by what its viewer may see.
    #[must_use]
    pub fn all(&self) -> &[Arc<SpaceInfo>] {
        &self.all
    }

    #[must_use]
    pub fn by_id(&self, id: i64) -> Option<&Arc<SpaceInfo>> {
        self.by_id.get(&id)
    }
}
