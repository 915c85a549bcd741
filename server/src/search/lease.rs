//! Which node writes an index that all nodes share: a row of `setting` with a name and a time.
//!
//! Whoever holds it says so again before it runs out; whoever finds it run out takes it. Documents
//! are read from rows just before they are written, so that two writers for a moment write the same.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::AppState;
use crate::app::secrets::random_token;
use crate::ports::clock::SECOND;
use crate::store::Sql;
use crate::web::error::{AppError, Result};

const KEY: &str = "search.writer";
/// Runs out so long after it was last said, microseconds.
const LASTS: i64 = 15 * SECOND;
const SAID_EVERY: Duration = Duration::from_secs(4);
/// Who could not say it for so long lets go before another takes it.
const GIVEN_UP: Duration = Duration::from_secs(12);

/// The right to write, held or not.
#[derive(Debug)]
pub struct Lease {
    name: String,
}

impl Lease {
    #[must_use]
    pub fn new() -> Self {
        Self { name: random_token().chars().take(16).collect() }
    }

    /// Takes it, or says again that it is held; whether it is.
    pub async fn take(&self, state: &AppState) -> Result<bool> {
        let name = self.name.clone();
        state
            .store
            .write(async move |tx| {
                let now = tx.now();
                let taken = Sql::new("INSERT INTO setting (key, value, updated_at) VALUES ")
                    .rows([[KEY.into(), name.clone().into(), now.into()]])
                    .then(" ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at ")
                    .then("WHERE setting.value = excluded.value OR setting.updated_at < ")
                    .bind(now - LASTS);
                Ok(taken.run(tx.conn()).await?.rows_affected() == 1)
            })
            .await
    }

    /// Goes on saying that it is held; returns why it no longer is.
    pub async fn keep(&self, state: &AppState) -> AppError {
        let mut said = Instant::now();
        loop {
            tokio::time::sleep(SAID_EVERY).await;
            match self.take(state).await {
                Ok(true) => said = Instant::now(),
                Ok(false) => return AppError::internal("another node writes the search index"),
                Err(error) if said.elapsed() > GIVEN_UP => return error,
                Err(_) => {}
            }
        }
    }

    /// Lets another take it at once.
    pub async fn release(&self, state: &AppState) {
        let name = self.name.clone();
        let released = state.store.write(async move |tx| {
            let end = Sql::new("UPDATE setting SET updated_at = 0 WHERE key = ")
                .bind(KEY)
                .then(" AND value = ")
                .bind(name.clone());
            end.run(tx.conn()).await?;
            Ok(())
        });
        // It runs out by itself.
        let _gone = released.await;
    }
}
