//! Appending events: the last thing a transaction does, streams in sorted order.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde_json::Value;

use super::Stream;
use crate::entities::{event, stream};
use crate::web::error::{AppError, Result};

/// An event that an action wants in a stream.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Wire name, past tense: `post.created`.
    pub kind: &'static str,
    /// The row it is about.
    pub subject: i64,
    pub actor: Option<i64>,
    /// References that the row alone does not tell, such as the emoji of a reaction. Never a text.
    pub extra: Option<Value>,
    /// The data for live readers, where the action has it at hand; else it is filled from the
    /// rows after the commit, as a replay is.
    pub live: Option<Value>,
}

impl NewEvent {
    #[must_use]
    pub const fn new(kind: &'static str, subject: i64, actor: Option<i64>) -> Self {
        Self { kind, subject, actor, extra: None, live: None }
    }

    #[must_use]
    pub fn with(mut self, extra: Value) -> Self {
        self.extra = Some(extra);
        self
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug)]
pub struct Committed {
    pub stream: Stream,
    pub seq: i64,
    pub kind: String,
    pub subject: i64,
    pub actor: Option<i64>,
    pub at: i64,
    pub extra: Option<Value>,
    pub live: Option<Value>,
}

/// Appends events, grouped by stream in sorted order; locks each stream's head row once.
pub async fn append_all(tx: &DatabaseTransaction, events: Vec<(Stream, NewEvent)>, now: i64) -> Result<Vec<Committed>> {
    let mut by_stream: BTreeMap<String, (Stream, Vec<NewEvent>)> = BTreeMap::new();
    for (stream, event) in events {
        by_stream.entry(stream.to_string()).or_insert_with(|| (stream, Vec::new())).1.push(event);
    }
    let mut committed = Vec::new();
    for (name, (of, events)) in by_stream {
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let head = advance_head(tx, &name, count, now).await?;
        let mut rows = Vec::with_capacity(events.len());
        for (seq, event) in (head - count + 1..).zip(events) {
            rows.push(event::ActiveModel {
                stream: Set(name.clone()),
                seq: Set(seq),
                kind: Set(event.kind.to_owned()),
                subject_id: Set(event.subject),
                actor_id: Set(event.actor),
                at: Set(now),
                extra: Set(event.extra.as_ref().map(Value::to_string).unwrap_or_default()),
            });
            committed.push(Committed {
                stream: of,
                seq,
                kind: event.kind.to_owned(),
                subject: event.subject,
                actor: event.actor,
                at: now,
                extra: event.extra,
                live: event.live,
            });
        }
        // A statement takes a bounded number of values; imports append many at once.
        for chunk in rows.chunks(500) {
            event::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx).await?;
        }
    }
    Ok(committed)
}

/// Moves the head by `count` and returns the new one; the row stays locked to the commit.
async fn advance_head(tx: &DatabaseTransaction, name: &str, count: i64, now: i64) -> Result<i64> {
    let insert = Query::insert()
        .into_table(stream::Entity)
        .columns([stream::Column::Name, stream::Column::Head, stream::Column::Floor, stream::Column::UpdatedAt])
        .values_panic([name.into(), count.into(), 0i64.into(), now.into()])
        .on_conflict(
            OnConflict::column(stream::Column::Name)
                .value(stream::Column::Head, Expr::col((stream::Entity, stream::Column::Head)).add(count))
                .value(stream::Column::UpdatedAt, now)
                .to_owned(),
        )
        .returning_col(stream::Column::Head)
        .to_owned();
    let row = tx.query_one(&insert).await?.ok_or_else(|| AppError::internal("the stream's head did not come back"))?;
    Ok(row.try_get("", "head")?)
}
