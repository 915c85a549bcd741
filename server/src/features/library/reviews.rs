//! Reviews that are due: whoever answers for a resource is told, once for each day it is due on.

use crate::app::AppState;
use crate::entities::kinds::{HubRole, MemberState, NoticeKind, SpaceRole, Visibility};
use crate::features::library::jobs::notice;
use crate::features::notices;
use crate::features::spaces::Access;
use crate::features::spaces::policy::by_role;
use crate::store::{Sql, Tx};
use crate::web::error::Result;

/// Resources looked at in one transaction.
const BATCH: i64 = 100;

/// Tells of every review that has become due.
pub async fn tell_reviews(state: &AppState) -> Result<()> {
    loop {
        let told = state.store.write(async |tx| tell_some(tx).await).await?;
        if told == 0 {
            return Ok(());
        }
    }
}

async fn tell_some(tx: &mut Tx) -> Result<usize> {
    let rows = Sql::new(
        "SELECT r.id, r.space_id, r.author_id, m.hub_role, m.state, s.visibility, sm.role FROM resource r \
         JOIN space s ON s.id = r.space_id JOIN member m ON m.id = r.author_id \
         LEFT JOIN space_member sm ON sm.space_id = s.id AND sm.member_id = m.id \
         WHERE r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL AND s.archived_at IS NULL \
         AND NOT r.review_told AND r.review_due <= ",
    )
    .bind(tx.now())
    .then(" ORDER BY r.review_due")
    .limit(BATCH)
    .locking("r", tx.conn())
    .all(tx.conn())
    .await?;
    let (mut due, mut told, mut left_alone) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let (id, author): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "author_id")?);
        let access = by_role(
            row.try_get::<HubRole>("", "hub_role")?,
            row.try_get::<Option<SpaceRole>>("", "role")?,
            row.try_get::<Visibility>("", "visibility")?,
        );
        due.push(id);
        if row.try_get::<MemberState>("", "state")? == MemberState::Active && access >= Access::Write {
            told.push(notice(NoticeKind::Review, author, id));
        } else {
            left_alone.push(id);
        }
    }
    if due.is_empty() {
        return Ok(0);
    }
    // Whoever shared it is gone: those who run the space answer for it.
    let owners = Sql::new(
        "SELECT r.id, sm.member_id FROM resource r JOIN space_member sm ON sm.space_id = r.space_id \
         AND sm.role = 'owner' JOIN member m ON m.id = sm.member_id AND m.state = 'active' WHERE r.id IN ",
    )
    .list(left_alone)
    .all(tx.conn())
    .await?;
    for row in owners {
        told.push(notice(NoticeKind::Review, row.try_get("", "member_id")?, row.try_get("", "id")?));
    }
    notices::tell(tx, &told).await?;
    Sql::new("UPDATE resource SET review_told = ")
        .bind(true)
        .then(" WHERE id IN ")
        .list(due.iter().copied())
        .run(tx.conn())
        .await?;
    Ok(due.len())
}
