//! Lists in pages: `?limit=` and an opaque `?cursor=` that names the last row, so that rows which
//! arrive meanwhile shift nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{AppError, Result};

pub const DEFAULT_LIMIT: u64 = 30;
pub const MOST: u64 = 100;

/// The query of every list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items, 1 to 100; 30 if absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// The limit, checked.
    pub fn limit(&self) -> Result<u64> {
        match self.limit.as_deref() {
            None | Some("") => Ok(DEFAULT_LIMIT),
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| AppError::field("limit", "is a number from 1 to 100")),
        }
    }

    /// The place to go on from.
    pub fn after(&self) -> Result<Option<Place>> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Place::decode(text).map(Some),
        }
    }
}

/// A row's place in a list: what the list is sorted by, and the row's id for rows that tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub key: i64,
    pub id: i64,
}

impl Place {
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.key, self.id))
    }

    pub fn decode(text: &str) -> Result<Self> {
        let wrong = || AppError::field("cursor", "is not one of this list");
        if text.len() > 120 {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let (key, id) = text.split_once('.').ok_or_else(wrong)?;
        Ok(Self { key: key.parse().map_err(|_| wrong())?, id: id.parse().map_err(|_| wrong())? })
    }
}

/// A row's place in a list that is sorted by a text, such as a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPlace {
    pub key: String,
    pub id: i64,
}

impl TextPlace {
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.id, self.key))
    }

    /// The place that a query's cursor names.
    pub fn of(query: &PageQuery) -> Result<Option<Self>> {
        let wrong = || AppError::field("cursor", "is not one of this list");
        let Some(text) = query.cursor.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        if text.len() > 2000 {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let (id, key) = text.split_once('.').ok_or_else(wrong)?;
        // PostgreSQL takes no NUL in a text.
        if key.contains('\0') {
            return Err(wrong());
        }
        Ok(Some(Self { key: key.to_owned(), id: id.parse().map_err(|_| wrong())? }))
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From one row more than the limit: what is over tells that there is a next page.
    pub fn cut(items: Vec<T>, limit: u64, place: impl Fn(&T) -> Place) -> Self {
        Self::cut_at(items, limit, |item| place(item).encode())
    }

    /// The same where the caller encodes the place.
    pub fn cut_at(mut items: Vec<T>, limit: u64, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }

    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}
