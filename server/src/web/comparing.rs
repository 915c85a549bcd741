//! Texts compared for a page: away from the workers, which answer everybody, and few at a time.

use actix_web::web;
use tokio::sync::Semaphore;

use super::error::{AppError, Result};

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
