//! What waits for a member among case studies: reviews that they are asked for, and studies they
//! keep true whose day has passed.

use super::books::readable;
use crate::app::AppState;
use crate::features::playbooks::rows::day;
use crate::features::spaces::Access;
use crate::features::spaces::policy::of_member;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::viewer::{Me, Viewer};

/// A study that waits for a member.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// `submitted`, or `overdue`.
    pub what: &'static str,
    pub href: String,
    pub title: String,
    pub playbook: String,
    /// Since when, or when its review was due.
    pub at: i64,
    /// The day that has passed: `2027-01-31`.
    pub due: String,
}

/// Submitted studies of playbooks in which the member reviews, by name or as a moderator of the
/// space, and did not write themselves; and published ones whose review is overdue and who is
/// theirs to keep: named in them, or, where nobody is named whose account is in use, as their
/// author or as an owner of their playbook. The longest first; one statement.
pub async fn waiting_for(state: &AppState, me: &Me, few: i64) -> Result<Vec<Waiting>> {
    let viewer = Viewer::Member(std::sync::Arc::new(me.clone()));
    let snapshot = state.spaces.snapshot(state).await?;
    let tended = snapshot.all().iter().filter(|space| of_member(me, space) >= Access::Moderate);
    // An administrator could review everywhere; that is not what waits for them.
    let tended: Vec<i64> = tended.map(|space| space.id).filter(|id| me.spaces.contains_key(id)).collect();
    let columns = ", c.slug, c.title AS working, c.live_title, b.title AS book";
    let from = " FROM case_study c JOIN playbook b ON b.id = c.playbook_id \
                LEFT JOIN playbook_member p ON p.playbook_id = b.id AND p.member_id = ";
    let own = "EXISTS (SELECT 1 FROM study_author w WHERE w.study_id = c.id AND w.role = 'author' AND w.member_id = ";
    let sql = Sql::new("SELECT * FROM (SELECT 'submitted' AS what, COALESCE(c.submitted_at, c.updated_at) AS since")
        .then(columns)
        .then(from)
        .bind(me.id)
        .then(" WHERE c.state = 'submitted' AND NOT ")
        .then(own)
        .bind(me.id)
        .then(") AND NOT EXISTS (SELECT 1 FROM study_part_revision w WHERE w.study_id = c.id AND w.editor_id = ")
        .bind(me.id)
        .then(") AND NOT EXISTS (SELECT 1 FROM study_revision_author w WHERE w.study_id = c.id AND w.role = 'author' AND w.member_id = ")
        .bind(me.id)
        .then(") AND c.created_by <> ")
        .bind(me.id)
        .then(" AND COALESCE(c.submitted_by, 0) <> ")
        .bind(me.id)
        .then(" AND (p.role IS NOT NULL OR b.space_id IN ")
        .list(tended)
        .then(") AND ");
    let sql = readable(sql, state, &viewer)
        .await?
        .then(" ORDER BY since, c.id")
        .limit(few)
        .then(") x UNION ALL SELECT * FROM (SELECT 'overdue' AS what, c.review_due AS since")
        .then(columns)
        .then(from)
        .bind(me.id)
        .then(" LEFT JOIN member o ON o.id = c.owner_id AND o.state = 'active' WHERE c.published > 0 ")
        .then("AND c.retired_at IS NULL AND c.review_due < ")
        .bind(state.clock.now())
        .then(" AND (o.id = ")
        .bind(me.id)
        .then(" OR (o.id IS NULL AND (p.role = 'owner' OR ")
        .then(own)
        .bind(me.id)
        .then(")))) AND ");
    let rows = readable(sql, state, &viewer)
        .await?
        .then(" ORDER BY since, c.id")
        .limit(few)
        .then(") y")
        .all(state.store.read())
        .await?;
    rows.iter()
        .map(|row| {
            let (slug, at): (String, i64) = (row.try_get("", "slug")?, row.try_get("", "since")?);
            let submitted = row.try_get::<String>("", "what")? == "submitted";
            Ok(Waiting {
                what: if submitted { "submitted" } else { "overdue" },
                href: format!("/case-studies/{slug}{}", if submitted { "/review" } else { "" }),
                title: row.try_get("", if submitted { "working" } else { "live_title" })?,
                playbook: row.try_get("", "book")?,
                at,
                due: if submitted { String::new() } else { day(at) },
            })
        })
        .collect()
}
