//! What an action stands on: the resource or collection it is about, locked, with the member's
//! rights, all read in its transaction.

use sea_orm::QueryResult;

use crate::entities::kinds::{HubRole, MemberState, ResourceForm, SpaceRole, Visibility};
use crate::features::forum::policy::Standing;
use crate::features::moderation::tends;
use crate::store::{Sql, Tx};
use crate::web::error::{AppError, Result};

const STANDING: &str = "m.id AS m_id, m.hub_role AS m_hub_role, m.state AS m_state, \
    s.visibility AS s_visibility, s.archived_at AS s_archived_at, sm.role AS sm_role";

const RESOURCE: &str = "r.id AS r_id, r.space_id AS r_space_id, r.author_id AS r_author_id, r.form AS r_form, \
    r.version_id AS r_version_id, r.version_count AS r_version_count, \
    r.topic_id AS r_topic_id, r.review_due AS r_review_due, r.hidden_at AS r_hidden_at, r.deleted_at AS r_deleted_at, \
    r.purged_at AS r_purged_at, r.version AS r_version, ";

/// A resource an action is about.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub standing: Standing,
    pub id: i64,
    pub space_id: i64,
    pub author_id: i64,
    pub form: ResourceForm,
    pub version_id: i64,
    pub version_count: i32,
    pub topic_id: Option<i64>,
    pub review_due: Option<i64>,
    pub hidden: bool,
    pub deleted: bool,
    pub purged: bool,
    pub version: i32,
}

impl Ground {
    /// Whether the member hides, shows and settles here.
    pub fn tends(&self) -> bool {
        tends(self.standing.hub_role, self.standing.access(), self.standing.visibility)
    }

    /// Hiding, showing and settling, or 403.
    pub fn tend(&self) -> Result<()> {
        if self.tends() { Ok(()) } else { self.standing.access().moderate() }
    }

    /// 404 for one that is not shown, also for those who may see that it was there.
    pub fn living(self) -> Result<Self> {
        if self.deleted || self.hidden || self.purged { Err(AppError::NotFound) } else { Ok(self) }
    }
}

/// A member in a space.
pub(super) async fn space(tx: &Tx, member: i64, space: i64) -> Result<Standing> {
    let row = Sql::new("SELECT ")
        .then(STANDING)
        .then(" FROM space s JOIN member m ON m.id = ")
        .bind(member)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id WHERE s.id = ")
        .bind(space)
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    standing(&row)
}

/// A resource, locked; 404 if it does not exist for the member. One that is not shown exists for
/// those who moderate or see to reports there.
pub(super) async fn resource(tx: &Tx, member: i64, id: i64) -> Result<Ground> {
    let row = Sql::new("SELECT ")
        .then(RESOURCE)
        .then(STANDING)
        .then(" FROM resource r JOIN space s ON s.id = r.space_id JOIN member m ON m.id = ")
        .bind(member)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id WHERE r.id = ")
        .bind(id)
        .locking("r", tx.conn())
        .one(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    let at = |name: &str| -> Result<bool> { Ok(row.try_get::<Option<i64>>("r_", name)?.is_some()) };
    let ground = Ground {
        standing: standing(&row)?,
        id: row.try_get("r_", "id")?,
        space_id: row.try_get("r_", "space_id")?,
        author_id: row.try_get("r_", "author_id")?,
        form: row.try_get::<ResourceForm>("r_", "form")?,
        version_id: row.try_get("r_", "version_id")?,
        version_count: row.try_get("r_", "version_count")?,
        topic_id: row.try_get("r_", "topic_id")?,
        review_due: row.try_get("r_", "review_due")?,
        hidden: at("hidden_at")?,
        deleted: at("deleted_at")?,
        purged: at("purged_at")?,
        version: row.try_get("r_", "version")?,
    };
    ground.standing.access().read()?;
    let gone = ground.deleted || ground.hidden || ground.purged;
    if gone && !ground.standing.moderates() && !ground.tends() {
        return Err(AppError::NotFound);
    }
    Ok(ground)
}

/// A collection an action is about.
#[derive(Clone, Debug)]
pub(super) struct CollectionGround {
    pub standing: Standing,
    pub id: i64,
    pub space_id: i64,
    pub author_id: i64,
    pub version: i32,
}

/// A collection, locked; 404 if it does not exist for the member.
pub(super) async fn collection(tx: &Tx, member: i64, id: i64) -> Result<CollectionGround> {
    let row =
        Sql::new("SELECT c.id AS c_id, c.space_id AS c_space_id, c.author_id AS c_author_id, c.version AS c_version, ")
            .then(STANDING)
            .then(" FROM collection c JOIN space s ON s.id = c.space_id JOIN member m ON m.id = ")
            .bind(member)
            .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id ")
            .then("WHERE c.deleted_at IS NULL AND c.id = ")
            .bind(id)
            .locking("c", tx.conn())
            .one(tx.conn())
            .await?
            .ok_or(AppError::NotFound)?;
    let ground = CollectionGround {
        standing: standing(&row)?,
        id: row.try_get("c_", "id")?,
        space_id: row.try_get("c_", "space_id")?,
        author_id: row.try_get("c_", "author_id")?,
        version: row.try_get("c_", "version")?,
    };
    ground.standing.access().read()?;
    Ok(ground)
}

fn standing(row: &QueryResult) -> Result<Standing> {
    Ok(Standing {
        member: row.try_get("m_", "id")?,
        hub_role: row.try_get::<HubRole>("m_", "hub_role")?,
        state: row.try_get::<MemberState>("m_", "state")?,
        role: row.try_get::<Option<SpaceRole>>("sm_", "role")?,
        visibility: row.try_get::<Visibility>("s_", "visibility")?,
        archived: row.try_get::<Option<i64>>("s_", "archived_at")?.is_some(),
    })
}
