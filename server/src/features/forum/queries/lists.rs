//! Lists of topics: across the spaces a viewer may read, or in one of them.

use super::rows::topic;
use super::topics::{select, with_tags};
use crate::app::AppState;
use crate::entities::kinds::TopicKind;
use crate::features::forum::model::TopicRow;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::Viewer;

/// How a list is sorted, the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest reply or opening.
    Active,
    /// The newest opening.
    #[default]
    New,
    /// The highest rank.
    Top,
}

impl Sort {
    /// `active`, `new`, `top`, or `absent` for none.
    pub fn parse(word: Option<&str>, absent: Self) -> Result<Self> {
        match word {
            None | Some("") => Ok(absent),
            Some("active") => Ok(Self::Active),
            Some("new") => Ok(Self::New),
            Some("top") => Ok(Self::Top),
            Some(_) => Err(AppError::field("sort", "is active, new or top")),
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Active => "t.activity_at",
            Self::New => "t.created_at",
            Self::Top => "t.rank",
        }
    }

    fn key(self, row: &TopicRow) -> i64 {
        match self {
            Self::Active => row.activity,
            Self::New => row.created,
            Self::Top => i64::from(row.rank),
        }
    }
}

/// Which topics by their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// A question without an accepted answer.
    Unanswered,
    Answered,
    Open,
    Closed,
}

impl TopicState {
    pub fn parse(word: Option<&str>) -> Result<Option<Self>> {
        match word {
            None | Some("") => Ok(None),
            Some("unanswered") => Ok(Some(Self::Unanswered)),
            Some("answered") => Ok(Some(Self::Answered)),
            Some("open") => Ok(Some(Self::Open)),
            Some("closed") => Ok(Some(Self::Closed)),
            Some(_) => Err(AppError::field("state", "is unanswered, answered, open or closed")),
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Unanswered => " AND t.kind = 'question' AND t.answer_count = 0",
            Self::Answered => " AND t.answer_count > 0",
            Self::Open => " AND t.closed_at IS NULL",
            Self::Closed => " AND t.closed_at IS NOT NULL",
        }
    }
}

/// Which topics. Without a space, all that the viewer may read.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One space, which the viewer was shown by a finder with reading access.
    pub space: Option<i64>,
    pub kind: Option<TopicKind>,
    pub tag: Option<String>,
    /// Handle of the author.
    pub author: Option<String>,
    pub state: Option<TopicState>,
    pub sort: Sort,
    /// Leaves out pinned topics: for pages that show them above the list.
    pub without_pinned: bool,
}

/// A page of a list of topics: two statements.
pub async fn list_topics(
    state: &AppState,
    viewer: &Viewer,
    filter: &Filter,
    page: &PageQuery,
) -> Result<Page<TopicRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let me = viewer.member().map(|me| me.id);
    let mut sql = select(me);
    if let Some(tag) = &filter.tag {
        sql = sql.then(" JOIN topic_tag tt ON tt.topic_id = t.id AND tt.tag = ").bind(crate::text::fold_tag(tag));
    }
    sql = sql.then(" WHERE t.deleted_at IS NULL AND t.hidden_at IS NULL AND ");
    sql = match filter.space {
        Some(space) => sql.then("t.space_id = ").bind(space),
        None => {
            let readable = state.spaces.readable(state, viewer).await?;
            if readable.is_empty() {
                return Ok(Page { items: Vec::new(), next_cursor: None });
            }
            // The sign keeps the spaces' index out: a list across spaces walks the order it wants.
            sql.then("+t.space_id IN ").list(readable)
        }
    };
    if let Some(kind) = filter.kind {
        sql = sql.then(" AND t.kind = ").bind(kind.as_str());
    }
    if let Some(author) = &filter.author {
        sql = sql.then(" AND a.handle = ").bind(author.to_lowercase());
    }
    if let Some(of) = filter.state {
        sql = sql.then(of.condition());
    }
    if filter.without_pinned {
        sql = sql.then(" AND t.pinned_at IS NULL");
    }
    let column = filter.sort.column();
    if let Some(place) = after {
        sql = sql.then(" AND (").then(column).then(", t.id) < (");
        sql = match filter.sort {
            Sort::Top => sql.bind(i32::try_from(place.key).unwrap_or(i32::MAX)),
            Sort::Active | Sort::New => sql.bind(place.key),
        };
        sql = sql.then(", ").bind(place.id).then(")");
    }
    sql = sql.then(" ORDER BY ").then(column).then(" DESC, t.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let now = state.clock.now();
    let rows = rows.iter().map(|row| topic(row, me, now)).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: filter.sort.key(row), id: row.id.0 });
    page.items = with_tags(state.store.read(), page.items).await?;
    Ok(page)
}

/// The pinned topics of a space, the latest pin first; at most 20. The space must be readable.
pub async fn pinned_topics(state: &AppState, viewer: &Viewer, space: i64) -> Result<Vec<TopicRow>> {
    let me = viewer.member().map(|me| me.id);
    let sql: Sql = select(me)
        .then(" WHERE t.space_id = ")
        .bind(space)
        .then(" AND t.pinned_at IS NOT NULL AND t.deleted_at IS NULL AND t.hidden_at IS NULL")
        .then(" ORDER BY t.pinned_at DESC LIMIT 20");
    let rows = sql.all(state.store.read()).await?;
    let now = state.clock.now();
    let rows = rows.iter().map(|row| topic(row, me, now)).collect::<Result<Vec<_>>>()?;
    with_tags(state.store.read(), rows).await
}
