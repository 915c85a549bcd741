//! Who is there: the directory, one member, and what they wrote that a viewer may see.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::sea_query::Order::Asc;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{MeView, MemberView};
use super::words;
use crate::app::AppState;
use crate::entities::kinds::{Discipline, HubRole, MemberState};
use crate::entities::{member, member_expertise, space_member};
use crate::features::spaces::{Access, SpaceInfo};
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place, TextPlace};
use crate::web::viewer::{Me, Viewer};

/// The filters of the directory.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DirectoryQuery {
    /// Beginnings of words of name, handle, headline, organisation or expertise; all must be there.
    pub q: Option<String>,
    pub discipline: Option<String>,
    /// An expertise tag.
    pub tag: Option<String>,
    /// A role in the hub.
    pub role: Option<String>,
    /// The organisation's name, whatever its case.
    pub organisation: Option<String>,
    /// The slug of a space that one may read: its members.
    pub space: Option<String>,
    /// `name`, or `new` for those who joined last; the API gives these first, the page goes by name.
    pub sort: Option<String>,
}

/// The order of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By name whatever its case.
    Name,
    /// Who joined last comes first.
    New,
}

fn given(value: Option<&String>) -> Option<&str> {
    // PostgreSQL takes no NUL in a text.
    value.map(|value| value.trim()).filter(|value| !value.is_empty() && !value.contains('\0'))
}

impl DirectoryQuery {
    pub fn discipline(&self) -> Result<Option<Discipline>> {
        given(self.discipline.as_ref())
            .map(|word| {
                Discipline::parse(word).ok_or_else(|| AppError::field("discipline", "is not a discipline of this hub"))
            })
            .transpose()
    }

    pub fn role(&self) -> Result<Option<HubRole>> {
        given(self.role.as_ref())
            .map(|word| HubRole::parse(word).ok_or_else(|| AppError::field("role", "is not a role in this hub")))
            .transpose()
    }

    /// The space; one that is hidden and one that is not there are refused alike.
    pub async fn space(&self, state: &AppState, viewer: &Viewer) -> Result<Option<Arc<SpaceInfo>>> {
        let Some(slug) = given(self.space.as_ref()) else { return Ok(None) };
        match state.spaces.find(state, viewer, slug).await {
            Ok((space, access)) if access >= Access::Read => Ok(Some(space)),
            Ok(_) | Err(AppError::NotFound) => Err(AppError::field("space", "is not a space that you may read")),
            Err(error) => Err(error),
        }
    }

    /// The order that is asked for.
    pub fn order(&self, usual: Order) -> Result<Order> {
        match given(self.sort.as_ref()) {
            None => Ok(usual),
            Some("name") => Ok(Order::Name),
            Some("new") => Ok(Order::New),
            Some(_) => Err(AppError::field("sort", "is name or new")),
        }
    }

    pub fn tag(&self) -> Option<String> {
        given(self.tag.as_ref()).map(|tag| tag.trim_start_matches('#').to_lowercase())
    }

    fn condition(&self) -> Result<Condition> {
        let mut all = Condition::all().add(member::Column::State.eq(MemberState::Active));
        if let Some(discipline) = self.discipline()? {
            all = all.add(member::Column::Discipline.eq(discipline));
        }
        if let Some(role) = self.role()? {
            all = all.add(member::Column::HubRole.eq(role));
        }
        if let Some(organisation) = given(self.organisation.as_ref()) {
            // The words lead to few members by the index; the name itself decides.
            for word in words::asked(organisation) {
                all = all.add(member::Column::Id.in_subquery(words::members_with(&word)));
            }
            let lower = Func::lower(Expr::col((member::Entity, member::Column::Organisation)));
            all = all.add(Expr::expr(lower).eq(Func::lower(Expr::val(organisation))));
        }
        if let Some(tag) = self.tag() {
            let having = Query::select()
                .column(member_expertise::Column::MemberId)
                .from(member_expertise::Entity)
                .and_where(Expr::col(member_expertise::Column::Tag).eq(tag))
                .to_owned();
            all = all.add(member::Column::Id.in_subquery(having));
        }
        for word in given(self.q.as_ref()).map(words::asked).unwrap_or_default() {
            all = all.add(member::Column::Id.in_subquery(words::members_with(&word)));
        }
        Ok(all)
    }
}

/// A page of the directory. Asked only for members. `space` is one that the viewer may read.
pub async fn list_members(
    db: &impl ConnectionTrait,
    query: &DirectoryQuery,
    space: Option<i64>,
    order: Order,
    page: &PageQuery,
) -> Result<Page<MemberView>> {
    let limit = page.limit()?;
    let mut select = member::Entity::find().filter(query.condition()?);
    if let Some(space) = space {
        let inside = Query::select()
            .column(space_member::Column::MemberId)
            .from(space_member::Entity)
            .and_where(Expr::col(space_member::Column::SpaceId).eq(space))
            .to_owned();
        select = select.filter(member::Column::Id.in_subquery(inside));
    }
    let page = match order {
        Order::Name => by_name(db, select, limit, TextPlace::of(page)?).await?,
        Order::New => newest(db, select, limit, page.after()?).await?,
    };
    let ids: Vec<i64> = page.items.iter().map(|row| row.id).collect();
    let mut tags = expertise_of(db, &ids).await?;
    Ok(page.map(|row| MemberView::of(&row, tags.remove(&row.id).unwrap_or_default())))
}

async fn by_name(
    db: &impl ConnectionTrait,
    mut select: Select<member::Entity>,
    limit: u64,
    after: Option<TextPlace>,
) -> Result<Page<member::Model>> {
    // The database makes both sides small, so that it agrees with its own order.
    let name = || Expr::expr(Func::lower(Expr::col((member::Entity, member::Column::DisplayName))));
    if let Some(TextPlace { key, id }) = after {
        let last = || Func::lower(Expr::val(key.as_str()));
        let tie = Condition::all().add(name().eq(last())).add(member::Column::Id.gt(id));
        select = select.filter(Condition::any().add(name().gt(last())).add(tie));
    }
    let rows = select.order_by(name(), Asc).order_by_asc(member::Column::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut_at(rows, limit, |row| TextPlace { key: row.display_name.clone(), id: row.id }.encode()))
}

/// Ids grow with time: who joined last has the largest.
async fn newest(
    db: &impl ConnectionTrait,
    mut select: Select<member::Entity>,
    limit: u64,
    after: Option<Place>,
) -> Result<Page<member::Model>> {
    if let Some(place) = after {
        select = select.filter(member::Column::Id.lt(place.id));
    }
    let rows = select.order_by_desc(member::Column::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut_at(rows, limit, |row| Place { key: row.id, id: row.id }.encode()))
}

/// How many members the directory holds.
pub async fn count_members(db: &impl ConnectionTrait) -> Result<i64> {
    let count = member::Entity::find().filter(member::Column::State.eq(MemberState::Active)).count(db).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The expertise tags of some members, sorted.
pub async fn expertise_of(db: &impl ConnectionTrait, members: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    if members.is_empty() {
        return Ok(tags);
    }
    let rows = member_expertise::Entity::find()
        .filter(member_expertise::Column::MemberId.is_in(members.iter().copied()))
        .order_by_asc(member_expertise::Column::Tag)
        .all(db)
        .await?;
    for row in rows {
        tags.entry(row.member_id).or_default().push(row.tag);
    }
    Ok(tags)
}

/// A member as they see themselves.
pub async fn own_view(db: &impl ConnectionTrait, row: &member::Model) -> Result<MeView> {
    let tags = expertise_of(db, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    Ok(MeView::of(row, tags))
}

/// A member by handle in any state; for what concerns them wherever their name is shown.
pub async fn find_by_handle(db: &impl ConnectionTrait, handle: &str) -> Result<Option<member::Model>> {
    if handle.len() > 64 || !handle.is_ascii() || handle.contains('\0') {
        return Ok(None);
    }
    Ok(member::Entity::find().filter(member::Column::Handle.eq(handle.to_ascii_lowercase())).one(db).await?)
}

/// A member whom another may look up: active, or any for an administrator; else 404.
pub async fn find_visible(db: &impl ConnectionTrait, me: &Me, handle: &str) -> Result<member::Model> {
    find_by_handle(db, handle)
        .await?
        .filter(|row| row.state == MemberState::Active || me.is_administrator())
        .ok_or(AppError::NotFound)
}
