//! Where resources are, for a member who may read them now.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use crate::entities::kinds::{HubRole, SpaceRole, Visibility};
use crate::features::notices::model::Glimpse;
use crate::features::spaces::policy::by_role;
use crate::store::{Id, Sql};
use crate::web::error::Result;

/// Glimpses by resource; what is deleted, hidden or not for them has none.
pub async fn glimpses(db: &impl ConnectionTrait, viewer: i64, resources: &[i64]) -> Result<HashMap<i64, Glimpse>> {
    let mut glimpses = HashMap::new();
    for batch in resources.chunks(500) {
        let rows = Sql::new(
            "SELECT r.id, r.title, r.summary, s.visibility, v.hub_role, sm.role FROM resource r \
             JOIN space s ON s.id = r.space_id JOIN member v ON v.id = ",
        )
        .bind(viewer)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = v.id WHERE r.deleted_at IS NULL ")
        .then("AND r.hidden_at IS NULL AND r.purged_at IS NULL AND r.id IN ")
        .list(batch.iter().copied())
        .all(db)
        .await?;
        for row in rows {
            let access = by_role(
                row.try_get::<HubRole>("", "hub_role")?,
                row.try_get::<Option<SpaceRole>>("", "role")?,
                row.try_get::<Visibility>("", "visibility")?,
            );
            if access.read().is_ok() {
                let id: i64 = row.try_get("", "id")?;
                let url = format!("/resources/{}", Id(id));
                let seen = Glimpse { url, title: row.try_get("", "title")?, excerpt: row.try_get("", "summary")? };
                glimpses.insert(id, seen);
            }
        }
    }
    Ok(glimpses)
}
