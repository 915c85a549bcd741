//! Where posts are and how they begin, for a member who may read them now.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use crate::entities::kinds::{HubRole, SpaceRole, Visibility};
use crate::features::notices::model::{EXCERPT, Glimpse};
use crate::features::spaces::policy::by_role;
use crate::store::{Id, Sql};
use crate::text::excerpt;
use crate::web::error::Result;

/// Glimpses by post; what is deleted, hidden or not for them has none.
pub async fn glimpses(db: &impl ConnectionTrait, viewer: i64, posts: &[i64]) -> Result<HashMap<i64, Glimpse>> {
    let mut glimpses = HashMap::new();
    for batch in posts.chunks(500) {
        let rows = Sql::new(
            "SELECT p.id, p.body, p.is_first, t.id AS topic_id, t.title, s.slug, s.visibility, v.hub_role, sm.role FROM post p \
             JOIN topic t ON t.id = p.topic_id JOIN space s ON s.id = t.space_id JOIN member v ON v.id = ",
        )
        .bind(viewer)
        .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = v.id WHERE p.deleted_at IS NULL ")
        .then("AND p.hidden_at IS NULL AND p.purged_at IS NULL AND t.deleted_at IS NULL AND t.hidden_at IS NULL ")
        .then("AND p.id IN ")
        .list(batch.iter().copied())
        .all(db)
        .await?;
        for row in rows {
            let access = by_role(
                row.try_get::<HubRole>("", "hub_role")?,
                row.try_get::<Option<SpaceRole>>("", "role")?,
                row.try_get::<Visibility>("", "visibility")?,
            );
            if access.read().is_err() {
                continue;
            }
            let (id, topic): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "topic_id")?);
            let (slug, body): (String, String) = (row.try_get("", "slug")?, row.try_get("", "body")?);
            let at =
                if row.try_get::<bool>("", "is_first")? { String::new() } else { format!("?at={0}#post-{0}", Id(id)) };
            let url = format!("/s/{slug}/t/{}{at}", Id(topic));
            let seen = Glimpse { url, title: row.try_get("", "title")?, excerpt: excerpt(&body, EXCERPT) };
            glimpses.insert(id, seen);
        }
    }
    Ok(glimpses)
}
