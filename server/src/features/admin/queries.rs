//! Lists for administrators.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, LikeExpr};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::model::{AdminMemberView, JobView};
use crate::app::AppState;
use crate::entities::kinds::{HubRole, JobState, MailState, MemberState};
use crate::entities::{job, mail, member, space};
use crate::web::error::Result;
use crate::web::pagination::{Page, Place};

/// What a list of members is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    /// Part of a name, handle or address.
    pub q: String,
    pub state: Option<MemberState>,
    pub role: Option<HubRole>,
}

fn before(key: impl ColumnTrait, id: impl ColumnTrait, place: Place) -> Condition {
    Condition::any().add(key.lt(place.key)).add(Condition::all().add(key.eq(place.key)).add(id.lt(place.id)))
}

/// Members, the newest first.
pub async fn members(
    state: &AppState,
    filter: &MemberFilter,
    after: Option<Place>,
    limit: u64,
) -> Result<Page<AdminMemberView>> {
    let mut find = member::Entity::find()
        .order_by_desc(member::Column::CreatedAt)
        .order_by_desc(member::Column::Id)
        .limit(limit + 1);
    if let Some(is) = filter.state {
        find = find.filter(member::Column::State.eq(is));
    }
    if let Some(is) = filter.role {
        find = find.filter(member::Column::HubRole.eq(is));
    }
    let q = filter.q.trim().trim_start_matches('@').to_lowercase();
    if !q.is_empty() {
        let escaped = q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let like = || LikeExpr::new(format!("%{escaped}%")).escape('\\');
        find = find.filter(
            Condition::any()
                .add(Expr::col(member::Column::Handle).like(like()))
                .add(Expr::expr(Func::lower(Expr::col(member::Column::DisplayName))).like(like()))
                .add(Expr::expr(Func::lower(Expr::col(member::Column::Email))).like(like())),
        );
    }
    if let Some(place) = after {
        find = find.filter(before(member::Column::CreatedAt, member::Column::Id, place));
    }
    let rows = find.all(state.store.read()).await?;
    Ok(Page::cut(rows, limit, |row| Place { key: row.created_at, id: row.id }).map(AdminMemberView::of))
}

/// Jobs in one state, or all: the newest first.
pub async fn jobs(state: &AppState, is: Option<JobState>, after: Option<Place>, limit: u64) -> Result<Page<JobView>> {
    // Ids grow with time, and their index is there: one on the time would cost every job a write.
    let mut find = job::Entity::find().order_by_desc(job::Column::Id).limit(limit + 1);
    if let Some(is) = is {
        find = find.filter(job::Column::State.eq(is));
    }
    if let Some(place) = after {
        find = find.filter(job::Column::Id.lt(place.id));
    }
    let rows = find.all(state.store.read()).await?;
    Ok(Page::cut(rows, limit, |row| Place { key: row.created_at, id: row.id }).map(JobView::of))
}

/// How many jobs are in each state.
pub async fn job_counts(state: &AppState) -> Result<Vec<(JobState, i64)>> {
    Ok(job::Entity::find()
        .select_only()
        .column(job::Column::State)
        .column_as(job::Column::Id.count(), "count")
        .group_by(job::Column::State)
        .into_tuple()
        .all(state.store.read())
        .await?)
}

/// How many mails are in each state.
pub async fn mail_counts(state: &AppState) -> Result<Vec<(MailState, i64)>> {
    Ok(mail::Entity::find()
        .select_only()
        .column(mail::Column::State)
        .column_as(mail::Column::Id.count(), "count")
        .group_by(mail::Column::State)
        .into_tuple()
        .all(state.store.read())
        .await?)
}

/// A mail without its words.
#[derive(Clone, Debug)]
pub struct MailRow {
    pub kind: String,
    pub to_address: String,
    pub state: MailState,
    pub created_at: i64,
    pub error: Option<String>,
}

/// The newest mails of the outbox, without their words.
pub async fn mails(state: &AppState, limit: u64) -> Result<Vec<MailRow>> {
    let rows: Vec<(String, String, MailState, i64, Option<String>)> = mail::Entity::find()
        .select_only()
        .columns([mail::Column::Kind, mail::Column::ToAddress, mail::Column::State, mail::Column::CreatedAt])
        .column(mail::Column::Error)
        .order_by_desc(mail::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(state.store.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(kind, to_address, state, created_at, error)| MailRow { kind, to_address, state, created_at, error })
        .collect())
}

/// Every space, the newest first. Names only: what is inside a confidential space stays inside.
pub async fn spaces(state: &AppState, after: Option<Place>, limit: u64) -> Result<Page<space::Model>> {
    let mut find =
        space::Entity::find().order_by_desc(space::Column::CreatedAt).order_by_desc(space::Column::Id).limit(limit + 1);
    if let Some(place) = after {
        find = find.filter(before(space::Column::CreatedAt, space::Column::Id, place));
    }
    let rows = find.all(state.store.read()).await?;
    Ok(Page::cut(rows, limit, |row| Place { key: row.created_at, id: row.id }))
}
