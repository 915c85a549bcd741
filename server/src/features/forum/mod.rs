//! The forum: topics of five kinds and replies in threads.
//!
//! Invariants: the opening text of a topic is a post, `first_post_id`, listed and counted nowhere
//! among the replies. Whatever a viewer may not see is 404. Reads are in `queries`, writes in
//! `actions`, and every write that readers of a topic notice is an event of its stream.

pub mod actions;
mod api;
mod emoji;
mod events;
mod glimpses;
pub mod model;
mod notify;
mod page_cache;
mod pages;
pub mod policy;
pub mod queries;
mod search;
pub mod tree;

pub use api::openapi;
pub use events::fill_events;
pub use glimpses::glimpses;
pub use page_cache::PageCache;
pub use pages::kept;
pub use queries::{AUTHOR, author};
pub use search::{Posts, Topics};

use crate::app::AppState;
use crate::entities::job;
use crate::entities::kinds::{HubRole, MemberState, SpaceRole, Visibility};
use crate::features::spaces::Access;
use crate::features::spaces::policy::by_role;
use crate::streams::Within;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

pub fn configure_api(cfg: &mut Routes) {
    api::configure(cfg);
}

pub fn configure_pages(cfg: &mut Routes) {
    pages::configure(cfg);
}

/// Whether a member may read a topic's stream: the topic is there for them.
pub async fn may_subscribe(state: &AppState, member: i64, topic: i64) -> Result<Within> {
    let row = crate::store::Sql::new(
        "SELECT t.deleted_at, t.hidden_at, t.space_id, s.visibility, m.hub_role, m.state, sm.role FROM topic t \
         JOIN space s ON s.id = t.space_id JOIN member m ON m.id = ",
    )
    .bind(member)
    .then(" LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id WHERE t.id = ")
    .bind(topic)
    .one(state.store.read())
    .await?
    .ok_or(AppError::NotFound)?;
    let access = by_role(
        row.try_get::<HubRole>("", "hub_role")?,
        row.try_get::<Option<SpaceRole>>("", "role")?,
        row.try_get::<Visibility>("", "visibility")?,
    );
    access.read()?;
    let gone = row.try_get::<Option<i64>>("", "deleted_at")?.or(row.try_get::<Option<i64>>("", "hidden_at")?);
    let suspended = row.try_get::<MemberState>("", "state")? == MemberState::Suspended;
    if suspended || (gone.is_some() && access < Access::Moderate) {
        return Err(AppError::NotFound);
    }
    Ok(Within::Space(row.try_get("", "space_id")?))
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        "forum.notify" => notify::run(state, serde_json::from_str(&job.payload)?).await,
        kind => Err(AppError::internal(format!("no such job: {kind}"))),
    }
}
