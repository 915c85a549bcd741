//! Texts compared for a page: away from the workers, which answer everybody, and few at a time.

use actix_web::web;
use tokio::sync::Semaphore;

use super::error::{AppError, Result};
use super::pagination::{PageQuery, Place};

/// Versions on a page of a history.
const VERSIONS: usize = 10;

/// What is read for a page of a history: one version more than it shows, as the last is compared
/// with it.
#[must_use]
pub fn asked(query: PageQuery) -> PageQuery {
    PageQuery { limit: Some((VERSIONS + 1).to_string()), cursor: query.cursor }
}

/// The cursor of the versions that are older than those shown, if there are any.
pub fn older<T>(found: &[T], number: impl Fn(&T) -> i32) -> Option<String> {
    let last = found.get(VERSIONS).and_then(|_| found.get(VERSIONS - 1));
    last.map(|last| Place { key: 0, id: i64::from(number(last)) }.encode())
}

/// The versions that are shown, the newest first, each with the one before it.
pub fn pairs<T>(found: &[T]) -> impl Iterator<Item = (&T, Option<&T>)> {
    found.iter().zip(found.iter().skip(1).map(Some).chain([None])).take(VERSIONS)
}

/// Pages that are compared at a time; the others wait their turn.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Runs a comparison, which is pure and slow.
pub async fn compared<T: Send + 'static>(comparison: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = TURNS.acquire().await.map_err(|_| AppError::Unavailable(1))?;
    let compared = web::block(move || {
        // It goes on when whoever asked is gone, and so does its turn.
        let _turn = turn;
        comparison()
    });
    Ok(compared.await?)
}
