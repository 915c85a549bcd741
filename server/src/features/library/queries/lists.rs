//! Lists of resources: across the spaces a viewer may read, or in one of them.

use super::rows::{resource, select, with_terms};
use crate::app::AppState;
use crate::entities::kinds::{ResourceForm, ResourceKind, SpaceRole, Stage};
use crate::features::library::model::{ResourceRow, TermCount};
use crate::features::library::policy::fold;
use crate::store::Sql;
use crate::web::error::{AppError, Result};
use crate::web::pagination::{Page, PageQuery, Place};
use crate::web::viewer::{Me, Viewer};

/// How a list is sorted, the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    New,
    Updated,
    Downloads,
    Endorsed,
}

impl Sort {
    /// `new`, `updated`, `downloads` or `endorsed`; `new` if absent.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("" | "new") => Ok(Self::New),
            Some("updated") => Ok(Self::Updated),
            Some("downloads") => Ok(Self::Downloads),
            Some("endorsed") => Ok(Self::Endorsed),
            Some(_) => Err(AppError::field("sort", "is new, updated, downloads or endorsed")),
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Downloads => "downloads",
            Self::Endorsed => "endorsed",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::New => "r.created_at",
            Self::Updated => "r.updated_at",
            Self::Downloads => "r.download_count",
            Self::Endorsed => "r.endorsement_count",
        }
    }

    fn key(self, row: &ResourceRow) -> i64 {
        match self {
            Self::New => row.created,
            Self::Updated => row.updated,
            Self::Downloads => row.download_count,
            Self::Endorsed => i64::from(row.endorsement_count),
        }
    }
}

/// Which resources. Without a space, all that the viewer may read.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One space, which the viewer was shown by a finder with reading access.
    pub space: Option<i64>,
    pub form: Option<ResourceForm>,
    pub kind: Option<ResourceKind>,
    pub stage: Option<Stage>,
    pub tag: Option<String>,
    pub topic: Option<String>,
    /// Handle of who shared it.
    pub author: Option<String>,
    /// Those whose review is due, or those whose is not.
    pub stale: Option<bool>,
    pub sort: Sort,
}

/// A page of a list of resources: two statements.
pub async fn list(state: &AppState, viewer: &Viewer, filter: &Filter, page: &PageQuery) -> Result<Page<ResourceRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let now = state.clock.now();
    let mut sql = select();
    for (name, vocabulary, term) in [("tt", "tag", &filter.tag), ("tp", "topic", &filter.topic)] {
        if let Some(term) = term {
            sql = sql
                .then(&format!(" JOIN resource_term {name} ON {name}.resource_id = r.id AND {name}.vocabulary = "))
                .bind(vocabulary)
                .then(&format!(" AND {name}.folded = "))
                .bind(fold(term));
        }
    }
    sql = sql.then(" WHERE r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL AND ");
    sql = match filter.space {
        Some(space) => sql.then("r.space_id = ").bind(space),
        None => {
            let readable = state.spaces.readable(state, viewer).await?;
            if readable.is_empty() {
                return Ok(Page { items: Vec::new(), next_cursor: None });
            }
            // The sign keeps the spaces' index out: a list across spaces walks the order it wants.
            sql.then("+r.space_id IN ").list(readable)
        }
    };
    for (column, word) in [
        ("r.form", filter.form.map(ResourceForm::as_str)),
        ("r.kind", filter.kind.map(ResourceKind::as_str)),
        ("r.stage", filter.stage.map(Stage::as_str)),
    ] {
        if let Some(word) = word {
            sql = sql.then(&format!(" AND {column} = ")).bind(word);
        }
    }
    if let Some(author) = &filter.author {
        sql = sql.then(" AND a.handle = ").bind(author.to_lowercase());
    }
    match filter.stale {
        Some(true) => sql = sql.then(" AND r.review_due <= ").bind(now),
        Some(false) => sql = sql.then(" AND (r.review_due IS NULL OR r.review_due > ").bind(now).then(")"),
        None => {}
    }
    let column = filter.sort.column();
    if let Some(place) = after {
        sql = sql.then(" AND (").then(column).then(", r.id) < (");
        sql = match filter.sort {
            Sort::Endorsed => sql.bind(i32::try_from(place.key).unwrap_or(i32::MAX)),
            _ => sql.bind(place.key),
        };
        sql = sql.then(", ").bind(place.id).then(")");
    }
    sql = sql.then(" ORDER BY ").then(column).then(" DESC, r.id DESC");
    let rows = sql.limit(limit + 1).all(state.store.read()).await?;
    let rows = rows.iter().map(|row| resource(row, now)).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: filter.sort.key(row), id: row.id.0 });
    page.items = with_terms(state.store.read(), page.items).await?;
    Ok(page)
}

/// The queue of whoever answers for resources: what they shared and all of the spaces they run,
/// whose review is due, the longest due first.
pub async fn due_for(state: &AppState, me: &Me, viewer: &Viewer, page: &PageQuery) -> Result<Page<ResourceRow>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let now = state.clock.now();
    let readable = state.spaces.readable(state, viewer).await?;
    let run: Vec<i64> = me.spaces.iter().filter(|(_, role)| **role == SpaceRole::Owner).map(|(id, _)| *id).collect();
    let mut sql = select()
        .then(" WHERE r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL AND r.review_due <= ")
        .bind(now)
        .then(" AND r.space_id IN ")
        .list(readable)
        .then(" AND (r.author_id = ")
        .bind(me.id)
        .then(" OR r.space_id IN ")
        .list(run)
        .then(")");
    if let Some(place) = after {
        sql = sql.then(" AND (r.review_due, r.id) > (").bind(place.key).then(", ").bind(place.id).then(")");
    }
    let sql = sql.then(" ORDER BY r.review_due, r.id").limit(limit + 1);
    let rows = sql.all(state.store.read()).await?;
    let rows = rows.iter().map(|row| resource(row, now)).collect::<Result<Vec<_>>>()?;
    let mut page = Page::cut(rows, limit, |row| Place { key: row.due.unwrap_or(0), id: row.id.0 });
    page.items = with_terms(state.store.read(), page.items).await?;
    Ok(page)
}

/// The terms used most in one space or in all that the viewer may read, at most 20.
pub async fn terms(
    state: &AppState,
    viewer: &Viewer,
    space: Option<i64>,
    vocabulary: &'static str,
) -> Result<Vec<TermCount>> {
    let spaces = match space {
        Some(space) => vec![space],
        None => state.spaces.readable(state, viewer).await?,
    };
    let rows = Sql::new(
        "SELECT min(x.term) AS term, count(*) AS uses FROM resource_term x JOIN resource r ON r.id = x.resource_id \
         WHERE r.deleted_at IS NULL AND r.hidden_at IS NULL AND r.purged_at IS NULL AND x.vocabulary = ",
    )
    .bind(vocabulary)
    .then(" AND r.space_id IN ")
    .list(spaces)
    .then(" GROUP BY x.folded ORDER BY uses DESC, term LIMIT 20")
    .all(state.store.read())
    .await?;
    rows.iter().map(|row| Ok(TermCount { term: row.try_get("", "term")?, count: row.try_get("", "uses")? })).collect()
}
