//! Requests to build the index again: a command writes one, servers carry it out, each for its own
//! index, and say in `search_index` how far they are.

use std::time::Duration;

use sea_orm::DatabaseConnection;

use crate::app::AppState;
use crate::ports::clock::SECOND;
use crate::store::Sql;
use crate::web::error::{AppError, Result};

const WANTED: &str = "search.reindex";
/// A server that has not been heard of for so long is gone.
const SILENT: i64 = 30 * SECOND;

/// The number of the last request.
pub async fn wanted(db: &DatabaseConnection) -> Result<i64> {
    let row = Sql::new("SELECT value FROM setting WHERE key = ").bind(WANTED).one(db).await?;
    Ok(match row {
        Some(row) => row.try_get::<String>("", "value")?.parse().unwrap_or(0),
        None => 0,
    })
}

/// What a server says of its index.
#[derive(Clone, Debug)]
pub struct Said {
    pub name: String,
    pub engine: &'static str,
    pub state: &'static str,
    pub request: i64,
    pub done: i64,
    pub total: i64,
}

/// Writes what a server says; those that are silent for a day are forgotten.
pub(super) async fn say(state: &AppState, said: Said) -> Result<()> {
    state
        .store
        .write(async move |tx| {
            Sql::new("INSERT INTO search_index (name, engine, state, request, done, total, seen_at) VALUES ")
                .rows([[
                    said.name.clone().into(),
                    said.engine.into(),
                    said.state.into(),
                    said.request.into(),
                    said.done.into(),
                    said.total.into(),
                    tx.now().into(),
                ]])
                .then(" ON CONFLICT (name) DO UPDATE SET state = excluded.state, engine = excluded.engine, request = excluded.request, ")
                .then("done = excluded.done, total = excluded.total, seen_at = excluded.seen_at")
                .run(tx.conn())
                .await?;
            Sql::new("DELETE FROM search_index WHERE seen_at < ").bind(tx.now() - 2880 * SILENT).run(tx.conn()).await?;
            Ok(())
        })
        .await
}

/// Asks every server to build its index again; the number of the request.
async fn ask(state: &AppState) -> Result<i64> {
    state
        .store
        .write(async move |tx| {
            Sql::new("INSERT INTO setting (key, value, updated_at) VALUES ")
                .rows([[WANTED.into(), "1".into(), tx.now().into()]])
                .then(" ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT), ")
                .then("updated_at = excluded.updated_at RETURNING value")
                .one(tx.conn())
                .await?
                .ok_or_else(|| AppError::internal("the request left no number"))?
                .try_get::<String>("", "value")?
                .parse()
                .map_err(|_| AppError::internal("the request has no number"))
        })
        .await
}

/// `praxis reindex`: asks, and watches the servers until every one that runs has done it. What it
/// says at the end.
pub async fn reindex(state: &AppState) -> Result<String> {
    let number = ask(state).await?;
    let bar = indicatif::ProgressBar::new(0);
    bar.set_style(
        indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} documents")
            .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()),
    );
    // A server that has only just started has said nothing yet.
    let mut patience = 10;
    loop {
        let rows = Sql::new("SELECT request, done, total FROM search_index WHERE seen_at > ")
            .bind(state.clock.now() - SILENT)
            .all(state.store.read())
            .await?;
        let (mut waiting, mut done, mut total) = (0, 0i64, 0i64);
        for row in &rows {
            if row.try_get::<i64>("", "request")? < number {
                waiting += 1;
                done += row.try_get::<i64>("", "done")?;
                total += row.try_get::<i64>("", "total")?;
            }
        }
        if rows.is_empty() && patience > 0 {
            patience -= 1;
        } else if waiting == 0 {
            bar.finish_and_clear();
            return Ok(if rows.is_empty() {
                "no server runs; the first that starts builds its index again".to_owned()
            } else {
                let many =
                    if rows.len() == 1 { "1 search index was" } else { &format!("{} search indexes were", rows.len()) };
                format!("{many} built again")
            });
        }
        bar.set_length(u64::try_from(total.max(done)).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
