//! Who may moderate what, from the rows as they are inside the action's transaction.

use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::entities::kinds::{HubRole, MemberState, Visibility};
use crate::entities::{member, post, space, space_member, topic};
use crate::features::spaces::{Access, policy};
use crate::store::Tx;
use crate::web::error::{AppError, Result};

/// A topic with its space, and how far the actor gets there.
#[derive(Clone, Debug)]
pub struct Ground {
    pub space: space::Model,
    pub topic: topic::Model,
    pub access: Access,
    /// Whether the actor hides, shows and settles here: see [`tends`].
    tends: bool,
}

/// Whether somebody sees reports of a space, settles them, hides and shows: its moderators, and
/// facilitators where every member reads. Purging and suspending are not theirs.
#[must_use]
pub fn tends(hub_role: HubRole, access: Access, visibility: Visibility) -> bool {
    let common = matches!(visibility, Visibility::Open | Visibility::Restricted);
    access >= Access::Moderate || (hub_role == HubRole::Facilitator && common && access >= Access::Read)
}

impl Ground {
    /// Hiding, showing and settling, or 403.
    pub fn tend(&self) -> Result<()> {
        if self.tends { Ok(()) } else { self.access.moderate() }
    }

    /// The ground of a topic; 404 where the actor does not read it.
    pub async fn of_topic(tx: &Tx, actor: i64, topic: i64) -> Result<Self> {
        let actor = acting(tx, actor).await?;
        let topic = locked(tx, topic::Entity::find_by_id(topic)).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
        let space = space::Entity::find_by_id(topic.space_id).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
        let role = space_member::Entity::find_by_id((space.id, actor.id)).one(tx.conn()).await?.map(|row| row.role);
        let access = policy::by_role(actor.hub_role, role, space.visibility);
        access.read()?;
        let tends = tends(actor.hub_role, access, space.visibility);
        let gone = topic.hidden_at.is_some() || topic.deleted_at.is_some();
        if gone && !tends {
            return Err(AppError::NotFound);
        }
        Ok(Self { space, topic, access, tends })
    }

    /// The ground of a post, with the post.
    pub async fn of_post(tx: &Tx, actor: i64, post: i64) -> Result<(Self, post::Model)> {
        let topic: Option<i64> = post::Entity::find_by_id(post)
            .select_only()
            .column(post::Column::TopicId)
            .into_tuple()
            .one(tx.conn())
            .await?;
        let ground = Self::of_topic(tx, actor, topic.ok_or(AppError::NotFound)?).await?;
        let post = locked(tx, post::Entity::find_by_id(post)).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
        let gone = post.hidden_at.is_some() || post.deleted_at.is_some() || post.purged_at.is_some();
        if gone && !ground.tends {
            return Err(AppError::NotFound);
        }
        Ok((ground, post))
    }
}

/// The row's lock until the commit, where writers run beside each other.
pub fn locked<E: EntityTrait>(tx: &Tx, find: Select<E>) -> Select<E> {
    if tx.conn().get_database_backend() == DbBackend::Postgres { find.lock(LockType::Update) } else { find }
}

/// The acting member as they are now; 401 if suspended meanwhile.
pub async fn acting(tx: &Tx, id: i64) -> Result<member::Model> {
    let row = member::Entity::find_by_id(id).one(tx.conn()).await?;
    row.filter(|row| row.state == MemberState::Active).ok_or(AppError::Unauthenticated)
}

/// The acting member, an administrator as of now; else 403.
pub async fn administrator(tx: &Tx, id: i64) -> Result<member::Model> {
    let row = acting(tx, id).await?;
    if row.hub_role == HubRole::Administrator {
        Ok(row)
    } else {
        Err(AppError::Forbidden("Only administrators of the hub can do this.".into()))
    }
}

/// A member by handle, locked.
pub async fn member_by_handle(tx: &Tx, handle: &str) -> Result<member::Model> {
    let find = member::Entity::find().filter(member::Column::Handle.eq(handle.to_lowercase()));
    locked(tx, find).one(tx.conn()).await?.ok_or(AppError::NotFound)
}
