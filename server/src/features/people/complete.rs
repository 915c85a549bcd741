//! `GET /complete`: what a composer offers after `@`, `#` and `:`. For signed-in members.

use actix_web::{HttpResponse, web};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait as _, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::words;
use crate::app::AppState;
use crate::entities::kinds::{MemberState, Visibility};
use crate::entities::{member, space_member, tag};
use crate::web::error::{AppError, Result};
use crate::web::viewer::{Member, Viewer};
use crate::web::words::english;

/// What is offered at once.
const MOST: u64 = 8;
const MOST_EMOJI: usize = 24;
const LONGEST: usize = 40;

#[derive(Debug, Default, Deserialize)]
pub struct CompleteQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    q: String,
    /// Slug of the space that is written in.
    #[serde(default)]
    space: String,
}

#[derive(Debug, Serialize)]
struct Item {
    value: String,
    label: String,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Items {
    items: Vec<Item>,
}

pub async fn complete(
    state: web::Data<AppState>,
    me: Member,
    query: web::Query<CompleteQuery>,
) -> Result<HttpResponse> {
    let viewer = Viewer::Member(me.0);
    let asked = crate::text::fold_tag(query.q.trim().trim_start_matches(['@', '#', ':']));
    let prefix: String = asked.chars().take(LONGEST).collect();
    let items = match query.kind.as_str() {
        _ if prefix.is_empty() || prefix.contains('\0') => Vec::new(),
        "member" => members(&state, &viewer, &prefix, &query.space).await?,
        "tag" => tags(&state, &viewer, &prefix).await?,
        "emoji" => emoji(&prefix),
        _ => return Err(AppError::field("kind", "is member, tag or emoji")),
    };
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(Items { items }))
}

/// Active members; in a space that not everybody reads, only those who belong to it.
async fn members(state: &AppState, viewer: &Viewer, prefix: &str, space: &str) -> Result<Vec<Item>> {
    let mut select = member::Entity::find()
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(member::Column::Id.in_subquery(words::members_with(prefix)));
    if !space.is_empty() {
        let (space, access) = state.spaces.find(state, viewer, space).await?;
        access.read()?;
        if matches!(space.visibility, Visibility::Private | Visibility::Confidential) {
            let inside = Query::select()
                .column(space_member::Column::MemberId)
                .from(space_member::Entity)
                .and_where(space_member::Column::SpaceId.eq(space.id))
                .to_owned();
            select = select.filter(member::Column::Id.in_subquery(inside));
        }
    }
    let rows = select
        .order_by_asc(member::Column::DisplayName)
        .order_by_asc(member::Column::Id)
        .limit(MOST)
        .all(state.store.read())
        .await?;
    let detail = |row: &member::Model| {
        if row.headline.is_empty() {
            english().of("people.discipline", row.discipline.as_str())
        } else {
            row.headline.clone()
        }
    };
    Ok(rows.into_iter().map(|row| Item { detail: detail(&row), value: row.handle, label: row.display_name }).collect())
}

/// Tags in use where the viewer may read, the most used first.
async fn tags(state: &AppState, viewer: &Viewer, prefix: &str) -> Result<Vec<Item>> {
    let readable = state.spaces.readable(state, viewer).await?;
    let count = tag::Column::TopicCount.sum();
    let rows: Vec<(String, i64)> = tag::Entity::find()
        .select_only()
        .column(tag::Column::Name)
        .column_as(count.clone(), "uses")
        .filter(tag::Column::Name.gte(prefix))
        .filter(tag::Column::Name.lt(words::end_of(prefix)))
        .filter(tag::Column::SpaceId.is_in(readable))
        .filter(tag::Column::TopicCount.gt(0))
        .group_by(tag::Column::Name)
        .order_by_desc(count)
        .order_by_asc(tag::Column::Name)
        .limit(MOST)
        .into_tuple()
        .all(state.store.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(name, uses)| Item {
            label: name.clone(),
            detail: english().n("people.complete.topics", uses),
            value: name,
        })
        .collect())
}

/// Emoji by their shortcodes: the one that is called so, those that begin so, then those that have it somewhere.
fn emoji(prefix: &str) -> Vec<Item> {
    let rank = |code: &&str| {
        if *code == prefix {
            0
        } else if code.starts_with(prefix) {
            1
        } else {
            2
        }
    };
    let mut found: Vec<(u8, Item)> = emojis::iter()
        .filter_map(|emoji| {
            let code = emoji.shortcodes().filter(|code| code.contains(prefix)).min_by_key(rank)?;
            let detail = if emoji.name() == code.replace('_', " ") { String::new() } else { emoji.name().to_owned() };
            let item = Item { value: emoji.as_str().to_owned(), label: code.to_owned(), detail };
            Some((rank(&code), item))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().take(MOST_EMOJI).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::emoji;

    #[test]
    fn emoji_are_found_by_the_beginning_of_their_names_first() {
        let found = emoji("tada");
        assert_eq!(found.first().map(|item| (item.value.as_str(), item.label.as_str())), Some(("🎉", "tada")));
        for (name, emoji_of) in [("heart", "❤️"), ("smile", "😄")] {
            let first = emoji(name).remove(0);
            assert_eq!((first.value.as_str(), first.label.as_str()), (emoji_of, name));
        }
        let smiles = emoji("smil");
        assert!(smiles.len() > 3 && smiles.iter().take(3).all(|item| item.label.starts_with("smil")));
        assert!(emoji("no_such_thing_at_all").is_empty());
    }
}
