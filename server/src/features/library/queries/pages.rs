//! The text of a file, page by page.

use crate::app::AppState;
use crate::features::library::model::PageText;
use crate::store::Sql;
use crate::web::error::Result;
use crate::web::pagination::{Page, PageQuery, Place};

/// Characters of text that a page of the hub shows at once, and pages of a file.
const MOST_TEXT: usize = 60_000;
const MOST_PAGES: i64 = 40;

async fn read(state: &AppState, sha256: &str, from: i32, most: i64) -> Result<Vec<PageText>> {
    let rows = Sql::new("SELECT number, label, is_table, body FROM stored_page WHERE sha256 = ")
        .bind(sha256)
        .then(" AND number >= ")
        .bind(from)
        .then(" ORDER BY number")
        .limit(most)
        .all(state.store.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PageText {
                number: row.try_get("", "number")?,
                label: row.try_get("", "label")?,
                table: row.try_get("", "is_table")?,
                text: row.try_get("", "body")?,
            })
        })
        .collect()
}

/// Pages of a file whose resource the viewer was shown, in their order. Without a cursor from `from`.
pub async fn page_texts(state: &AppState, sha256: &str, from: i32, page: &PageQuery) -> Result<Page<PageText>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let from = after.map_or(from, |place| i32::try_from(place.id).unwrap_or(i32::MAX).saturating_add(1));
    let rows = read(state, sha256, from, i64::try_from(limit + 1).unwrap_or(i64::MAX)).await?;
    Ok(Page::cut(rows, limit, |of| Place { key: 0, id: i64::from(of.number) }))
}

/// What a page of the hub shows of a file.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub pages: Vec<PageText>,
    /// The page to go on from, if there are more.
    pub next: Option<i32>,
}

/// As many pages from `from` as one page of the hub takes.
pub async fn shown_pages(state: &AppState, sha256: &str, from: i32) -> Result<Shown> {
    let mut shown = Shown::default();
    let mut characters = 0;
    for page in read(state, sha256, from, MOST_PAGES + 1).await? {
        let full = shown.pages.len() >= usize::try_from(MOST_PAGES).unwrap_or(usize::MAX);
        if full || (characters > 0 && characters + page.text.len() > MOST_TEXT) {
            shown.next = Some(page.number);
            break;
        }
        characters += page.text.len();
        shown.pages.push(page);
    }
    Ok(shown)
}
