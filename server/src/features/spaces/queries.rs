//! Every list and view of spaces and their people. Each starts from what its viewer may see.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::sea_query::{Condition, Expr, ExprTrait as _, Func, LikeExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use super::SpaceInfo;
use super::inviting::may_ask_in;
use super::membership::ENTERED;
use super::model::{At, EntryView, InviteView, PersonView, RequestView, SpaceMemberView, SpaceView};
use super::policy::{self, Access};
use crate::app::AppState;
use crate::entities::kinds::SpaceRole;
use crate::entities::{member, moderation_act, space, space_invite, space_member, space_request, tag};
use crate::ports::clock::rfc3339;
use crate::store::Id;
use crate::streams::{Stream, heads_of};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, Place};
use crate::web::viewer::Viewer;

/// The spaces a viewer may see, newest first.
pub async fn visible_spaces(
    state: &AppState,
    viewer: &Viewer,
    after: Option<Place>,
    limit: u64,
) -> Result<Page<SpaceView>> {
    let snapshot = state.spaces.snapshot(state).await?;
    let mut seen: Vec<(Place, &Arc<SpaceInfo>)> = snapshot
        .all()
        .iter()
        .filter(|space| policy::access(viewer, space) > Access::Hidden)
        .map(|space| (Place { key: space.created_at, id: space.id }, space))
        .filter(|(place, _)| after.is_none_or(|after| (place.key, place.id) < (after.key, after.id)))
        .collect();
    seen.sort_by_key(|(place, _)| std::cmp::Reverse((place.key, place.id)));
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    seen.truncate(most);
    let page = Page::cut(seen, limit, |(place, _)| *place);
    let infos: Vec<Arc<SpaceInfo>> = page.items.iter().map(|(_, space)| Arc::clone(space)).collect();
    let items = views(state, viewer, &infos).await?;
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// These spaces as a viewer sees them, in their order; spaces hidden from the viewer are left out.
pub async fn views(state: &AppState, viewer: &Viewer, infos: &[Arc<SpaceInfo>]) -> Result<Vec<SpaceView>> {
    let db = state.store.read();
    let streams: Vec<Stream> = infos.iter().map(|space| Stream::space(space.id)).collect();
    // Heads before rows: what happens between is replayed, never missed.
    let heads = heads_of(db, &streams).await?;
    let rows =
        space::Entity::find().filter(space::Column::Id.is_in(infos.iter().map(|space| space.id))).all(db).await?;
    let rows: HashMap<i64, space::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let views = infos.iter().filter_map(|info| {
        let access = policy::access(viewer, info);
        let role = viewer.member().and_then(|me| me.spaces.get(&info.id).copied());
        let at = At { head: heads.get(&Stream::space(info.id)).copied().unwrap_or(0), epoch: &state.epoch };
        (access > Access::Hidden).then(|| Some(SpaceView::of(rows.get(&info.id)?, role, access, Some(at), true)))?
    });
    Ok(views.collect())
}

/// One space as a viewer sees it.
pub async fn view(state: &AppState, viewer: &Viewer, id: i64, access: Access) -> Result<SpaceView> {
    let db = state.store.read();
    let heads = heads_of(db, &[Stream::space(id)]).await?;
    let row = space::Entity::find_by_id(id).one(db).await?.ok_or(AppError::NotFound)?;
    let role = viewer.member().and_then(|me| me.spaces.get(&id).copied());
    let at = At { head: heads.get(&Stream::space(id)).copied().unwrap_or(0), epoch: &state.epoch };
    Ok(SpaceView::of(&row, role, access, Some(at), false))
}

/// A row's column names a member: the join to it.
fn member_by<E: EntityTrait>(column: E::Column) -> RelationDef {
    E::belongs_to(member::Entity).from(column).to(member::Column::Id).into()
}

/// Rows after a place, newest first.
fn keyset<C: ColumnTrait>(time: C, id: C, after: Option<Place>) -> Condition {
    let Some(after) = after else { return Condition::all() };
    Condition::any().add(time.lt(after.key)).add(Condition::all().add(time.eq(after.key)).add(id.lt(after.id)))
}

/// Members of a space, newest first; `like` finds names and handles.
pub async fn members(
    db: &impl ConnectionTrait,
    space: i64,
    role: Option<SpaceRole>,
    like: &str,
    after: Option<Place>,
    limit: u64,
) -> Result<Page<SpaceMemberView>> {
    let mut find = space_member::Entity::find()
        .join(JoinType::InnerJoin, member_by::<space_member::Entity>(space_member::Column::MemberId))
        .select_also(member::Entity)
        .filter(space_member::Column::SpaceId.eq(space))
        .filter(keyset(space_member::Column::JoinedAt, space_member::Column::MemberId, after))
        .order_by_desc(space_member::Column::JoinedAt)
        .order_by_desc(space_member::Column::MemberId)
        .limit(limit + 1);
    if let Some(role) = role {
        find = find.filter(space_member::Column::Role.eq(role));
    }
    let like = like.trim().to_lowercase();
    if !like.is_empty() {
        let pattern = format!("%{}%", like.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let like = LikeExpr::new(pattern).escape('\\');
        let name = Expr::expr(Func::lower(Expr::col((member::Entity, member::Column::DisplayName))));
        let handle = Expr::col((member::Entity, member::Column::Handle));
        find = find.filter(Condition::any().add(name.like(like.clone())).add(handle.like(like)));
    }
    let rows = find.all(db).await?;
    let items = rows.into_iter().filter_map(|(row, of)| Some(member_view(&row, of?))).collect();
    Ok(Page::cut(items, limit, |item: &SpaceMemberView| Place { key: item.joined, id: item.person.id }))
}

fn member_view(row: &space_member::Model, of: member::Model) -> SpaceMemberView {
    SpaceMemberView {
        person: PersonView::of(of),
        role: row.role,
        joined_at: rfc3339(row.joined_at),
        joined: row.joined_at,
    }
}

/// Who runs a space (8 at most, owners first), and its newest plain members (5 at most).
pub async fn people(db: &impl ConnectionTrait, space: i64) -> Result<(Vec<SpaceMemberView>, Vec<SpaceMemberView>)> {
    let find = || {
        space_member::Entity::find()
            .join(JoinType::InnerJoin, member_by::<space_member::Entity>(space_member::Column::MemberId))
            .select_also(member::Entity)
            .filter(space_member::Column::SpaceId.eq(space))
    };
    let runs = find()
        .filter(space_member::Column::Role.is_in([SpaceRole::Owner, SpaceRole::Moderator]))
        .order_by_desc(space_member::Column::Role)
        .order_by_asc(space_member::Column::JoinedAt)
        .limit(8)
        .all(db)
        .await?;
    let newest = find()
        .filter(space_member::Column::Role.eq(SpaceRole::Member))
        .order_by_desc(space_member::Column::JoinedAt)
        .order_by_desc(space_member::Column::MemberId)
        .limit(5)
        .all(db)
        .await?;
    let views = |rows: Vec<(space_member::Model, Option<member::Model>)>| {
        rows.into_iter().filter_map(|(row, of)| Some(member_view(&row, of?))).collect()
    };
    Ok((views(runs), views(newest)))
}

/// Who asks to join, newest first.
pub async fn requests(
    db: &impl ConnectionTrait,
    space: i64,
    after: Option<Place>,
    limit: u64,
) -> Result<Page<RequestView>> {
    let rows = space_request::Entity::find()
        .join(JoinType::InnerJoin, member_by::<space_request::Entity>(space_request::Column::MemberId))
        .select_also(member::Entity)
        .filter(space_request::Column::SpaceId.eq(space))
        .filter(space_request::Column::State.eq("open"))
        .filter(keyset(space_request::Column::CreatedAt, space_request::Column::Id, after))
        .order_by_desc(space_request::Column::CreatedAt)
        .order_by_desc(space_request::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let items = rows.into_iter().filter_map(|(row, of)| {
        Some(RequestView {
            id: Id(row.id),
            member: PersonView::of(of?),
            message: row.message,
            created_at: rfc3339(row.created_at),
            created: row.created_at,
        })
    });
    Ok(Page::cut(items.collect(), limit, |item: &RequestView| Place { key: item.created, id: item.id.0 }))
}

/// The tags used most in a space, 8 at most.
pub async fn tags(db: &impl ConnectionTrait, space: i64) -> Result<Vec<String>> {
    let names = tag::Entity::find()
        .select_only()
        .column(tag::Column::Name)
        .filter(tag::Column::SpaceId.eq(space))
        .filter(tag::Column::TopicCount.gt(0))
        .order_by_desc(tag::Column::TopicCount)
        .order_by_asc(tag::Column::Name)
        .limit(8)
        .into_tuple()
        .all(db)
        .await?;
    Ok(names)
}

/// The spaces somebody is asked into, newest first. There are few: a hundred at most are shown.
pub async fn invites_of(db: &impl ConnectionTrait, member: i64) -> Result<Vec<InviteView>> {
    let to_space: RelationDef = space_invite::Entity::belongs_to(space::Entity)
        .from(space_invite::Column::SpaceId)
        .to(space::Column::Id)
        .into();
    let rows = space_invite::Entity::find()
        .join(JoinType::InnerJoin, to_space)
        .select_also(space::Entity)
        .filter(space_invite::Column::MemberId.eq(member))
        .order_by_desc(space_invite::Column::CreatedAt)
        .order_by_desc(space_invite::Column::SpaceId)
        .limit(100)
        .all(db)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let inviters = rows.iter().map(|(row, _)| row.invited_by);
    let inviters = member::Entity::find().filter(member::Column::Id.is_in(inviters)).all(db).await?;
    let inviters: HashMap<i64, member::Model> = inviters.into_iter().map(|row| (row.id, row)).collect();
    let roles = space_member::Entity::find()
        .filter(space_member::Column::SpaceId.is_in(rows.iter().map(|(row, _)| row.space_id)))
        .filter(space_member::Column::MemberId.is_in(inviters.keys().copied()))
        .all(db)
        .await?;
    let items = rows.into_iter().filter_map(|(row, of)| {
        let (of, by) = (of?, inviters.get(&row.invited_by)?);
        let role = roles.iter().find(|one| one.space_id == of.id && one.member_id == by.id).map(|one| one.role);
        if !may_ask_in(by, role, of.visibility, row.role) {
            return None;
        }
        Some(InviteView {
            space: SpaceView::of(&of, None, Access::Door, None, true),
            role: row.role,
            invited_by: PersonView::of(by.clone()),
            created_at: rfc3339(row.created_at),
            created: row.created_at,
        })
    });
    Ok(items.collect())
}

/// Whom a space has asked in, newest first; a hundred at most.
pub async fn invited(db: &impl ConnectionTrait, space: i64) -> Result<Vec<SpaceMemberView>> {
    let rows = space_invite::Entity::find()
        .join(JoinType::InnerJoin, member_by::<space_invite::Entity>(space_invite::Column::MemberId))
        .select_also(member::Entity)
        .filter(space_invite::Column::SpaceId.eq(space))
        .filter(space_invite::Column::Quiet.eq(false))
        .order_by_desc(space_invite::Column::CreatedAt)
        .limit(100)
        .all(db)
        .await?;
    let items = rows.into_iter().filter_map(|(row, of)| {
        Some(SpaceMemberView {
            person: PersonView::of(of?),
            role: row.role,
            joined_at: rfc3339(row.created_at),
            joined: row.created_at,
        })
    });
    Ok(items.collect())
}

/// Administrators who came in without being let in, newest first; for the space's owners.
pub async fn entries(
    db: &impl ConnectionTrait,
    space: i64,
    after: Option<Place>,
    limit: u64,
) -> Result<Page<EntryView>> {
    let rows = moderation_act::Entity::find()
        .join(JoinType::InnerJoin, member_by::<moderation_act::Entity>(moderation_act::Column::ActorId))
        .select_also(member::Entity)
        .filter(moderation_act::Column::SpaceId.eq(space))
        .filter(moderation_act::Column::Action.eq(ENTERED))
        .filter(keyset(moderation_act::Column::CreatedAt, moderation_act::Column::Id, after))
        .order_by_desc(moderation_act::Column::CreatedAt)
        .order_by_desc(moderation_act::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let items = rows.into_iter().filter_map(|(row, of)| {
        Some(EntryView {
            member: PersonView::of(of?),
            created_at: rfc3339(row.created_at),
            id: row.id,
            created: row.created_at,
        })
    });
    Ok(Page::cut(items.collect(), limit, |item: &EntryView| Place { key: item.created, id: item.id }))
}
