//! Searches that members keep: what one of them wants to look for again, and whether to be told of
//! something new.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::SearchQuery;
use crate::features::notices::model::Glimpse;
use crate::ports::clock::rfc3339;
use crate::store::{Id, Sql, Tx};
use crate::web::checks::{self, SUMMARY, Text};
use crate::web::error::{AppError, Result};

/// A member keeps so many.
pub const MOST: i64 = 50;
/// Characters of a name.
const NAME: usize = 80;
const COLUMNS: &str = "SELECT id, name, query, notify, created_at FROM saved_search WHERE member_id = ";

/// A kept search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SavedView {
    pub id: Id,
    pub name: String,
    /// The query of `/search` and of `GET /search`, as in an address: `q=sepsis&kind=topic`.
    pub query: String,
    /// Whether its member is told of new results.
    pub notify: bool,
    /// RFC 3339.
    pub created_at: String,
}

/// A search to keep.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct NewSaved {
    /// 80 characters at most; the words asked for if absent.
    #[serde(default)]
    pub name: String,
    /// As in an address: `q=sepsis&kind=topic`.
    pub query: String,
    /// Whether to be told of new results.
    #[serde(default)]
    pub notify: bool,
}

/// What of a kept search becomes new.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SavedChange {
    pub name: Option<String>,
    pub notify: Option<bool>,
}

/// A search to keep, checked.
#[derive(Clone, Debug)]
pub struct Ready {
    name: String,
    query: String,
    notify: bool,
}

impl NewSaved {
    /// Checks name and query; whether the query can be carried out is for its caller to ask.
    pub fn ready(&self) -> Result<(Ready, SearchQuery)> {
        let asked = SearchQuery::of_address(self.query.trim_start_matches('?'));
        let query = asked.address();
        if asked.is_empty() || query.len() > 2000 || query.contains('\0') {
            return Err(AppError::field("query", "is a search, such as q=sepsis&kind=topic"));
        }
        let wanted: String = if self.name.trim().is_empty() { default_name(&asked) } else { self.name.clone() };
        let checked = checks::check(&[Text::line("name", &wanted, NAME).required()], true)?;
        Ok((Ready { name: checked.get("name").to_owned(), query, notify: self.notify }, asked))
    }
}

/// The words of a search, or what it is filtered by.
fn default_name(asked: &SearchQuery) -> String {
    let words = asked.pairs().into_iter().filter(|(name, value)| *name != "sort" && !value.is_empty());
    let name = words.map(|(_, value)| value).collect::<Vec<_>>().join(", ");
    name.chars().take(NAME).collect()
}

fn view(row: &QueryResult) -> Result<SavedView> {
    Ok(SavedView {
        id: Id(row.try_get("", "id")?),
        name: row.try_get("", "name")?,
        query: row.try_get("", "query")?,
        notify: row.try_get("", "notify")?,
        created_at: rfc3339(row.try_get("", "created_at")?),
    })
}

/// A member's kept searches, the newest first; there are no more than a page of them.
pub async fn of_member(db: &impl ConnectionTrait, member: i64) -> Result<Vec<SavedView>> {
    let rows = Sql::new(COLUMNS).bind(member).then(" ORDER BY id DESC").limit(MOST).all(db).await?;
    rows.iter().map(view).collect()
}

async fn one(db: &impl ConnectionTrait, member: i64, id: i64) -> Result<SavedView> {
    let row = Sql::new(COLUMNS).bind(member).then(" AND id = ").bind(id).one(db).await?;
    view(&row.ok_or(AppError::NotFound)?)
}

/// Keeps a search. The same search twice is one, with the newer name.
pub async fn keep(tx: &mut Tx, member: i64, new: &Ready) -> Result<SavedView> {
    // The member's row is locked, so that two requests at once count each other.
    Sql::new("UPDATE member SET id = id WHERE id = ").bind(member).run(tx.conn()).await?;
    let count = Sql::new("SELECT count(*) AS n FROM saved_search WHERE member_id = ").bind(member);
    if count.number(tx.conn()).await? >= MOST {
        return Err(AppError::Conflict(format!("You keep {MOST} searches already: delete one first.").into()));
    }
    let row = Sql::new("INSERT INTO saved_search (id, member_id, name, query, notify, created_at, checked_at) VALUES ")
        .rows([[
            tx.id().into(),
            member.into(),
            new.name.clone().into(),
            new.query.clone().into(),
            new.notify.into(),
            tx.now().into(),
            tx.now().into(),
        ]])
        .then(" ON CONFLICT (member_id, query) DO UPDATE SET name = excluded.name, notify = excluded.notify ")
        .then("RETURNING id, name, query, notify, created_at")
        .one(tx.conn())
        .await?;
    view(&row.ok_or_else(|| AppError::internal("a search was not kept"))?)
}

/// Gives a kept search another name, or switches its notices.
pub async fn change(tx: &mut Tx, member: i64, id: i64, change: &SavedChange) -> Result<SavedView> {
    let before = one(tx.conn(), member, id).await?;
    let name = match &change.name {
        Some(name) => checks::check(&[Text::line("name", name, NAME).required()], true)?.get("name").to_owned(),
        None => before.name,
    };
    let notify = change.notify.unwrap_or(before.notify);
    // From now on, not from when it was kept.
    let since = (notify && !before.notify).then(|| tx.now());
    let mut sql = Sql::new("UPDATE saved_search SET name = ").bind(name).then(", notify = ").bind(notify);
    if let Some(since) = since {
        sql = sql.then(", unseen_from = NULL, checked_at = ").bind(since);
    }
    sql.then(" WHERE id = ").bind(id).run(tx.conn()).await?;
    one(tx.conn(), member, id).await
}

/// Deletes a kept search, and the notice of it.
pub async fn forget(tx: &mut Tx, member: i64, id: i64) -> Result<()> {
    one(tx.conn(), member, id).await?;
    Sql::new("DELETE FROM notice WHERE kind = 'search' AND member_id = ")
        .bind(member)
        .then(" AND subject_id = ")
        .bind(id)
        .run(tx.conn())
        .await?;
    Sql::new("DELETE FROM saved_search WHERE id = ").bind(id).run(tx.conn()).await?;
    Ok(())
}

/// What notices of new results show, by kept search.
pub async fn glimpses(db: &impl ConnectionTrait, member: i64, ids: &[i64]) -> Result<HashMap<i64, Glimpse>> {
    let mut glimpses = HashMap::new();
    if ids.is_empty() {
        return Ok(glimpses);
    }
    let rows = Sql::new(COLUMNS).bind(member).then(" AND id IN ").list(ids.iter().copied()).all(db).await?;
    for row in &rows {
        let saved = view(row)?;
        let mut asked = SearchQuery::of_address(&saved.query);
        asked.sort = "new".to_owned();
        let excerpt: String = asked.q.chars().take(SUMMARY).collect();
        glimpses
            .insert(saved.id.0, Glimpse { url: format!("/search?{}", asked.address()), title: saved.name, excerpt });
    }
    Ok(glimpses)
}
