//! Appending events: streams in sorted order, in a fixed number of statements.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::Stream;
use crate::store::{Sql, few_sizes, insert_rows};
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
    /// Its data; absent: filled from the rows.
    pub live: Option<Live>,
}

/// The data of an event as JSON, for live readers.
#[derive(Clone)]
pub enum Live {
    Text(Arc<str>),
    /// Written where somebody reads the stream, and not in the transaction.
    Later(Arc<dyn Fn() -> Arc<str> + Send + Sync>),
}

impl Live {
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        match self {
            Self::Text(text) => Arc::clone(text),
            Self::Later(write) => write(),
        }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

/// Appends events and returns them in the order given. Locks each stream's head row once, in
/// sorted order, and to the commit.
pub async fn append_all(tx: &DatabaseTransaction, events: Vec<(Stream, NewEvent)>, now: i64) -> Result<Vec<Committed>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut streams: BTreeMap<String, (Stream, i64)> = BTreeMap::new();
    let mut names: std::collections::HashMap<Stream, String> = std::collections::HashMap::new();
    for (of, _) in &events {
        let name = names.entry(*of).or_insert_with(|| of.to_string());
        match streams.get_mut(name.as_str()) {
            Some((_, count)) => *count += 1,
            None => drop(streams.insert(name.clone(), (*of, 1))),
        }
    }
    let mut next = advance_heads(tx, &streams, now).await?;
    let mut rows = Vec::with_capacity(events.len());
    let mut committed = Vec::with_capacity(events.len());
    for (of, event) in events {
        let seq = next.get_mut(&of).ok_or_else(|| AppError::internal("a stream's head did not come back"))?;
        *seq += 1;
        let name = names.get(&of).cloned().unwrap_or_default();
        let extra = event.extra.as_ref().map(Value::to_string).unwrap_or_default();
        rows.push([
            name.into(),
            (*seq).into(),
            event.kind.into(),
            event.subject.into(),
            event.actor.into(),
            now.into(),
            extra.into(),
        ]);
        committed.push(Committed {
            stream: of,
            seq: *seq,
            kind: event.kind.to_owned(),
            subject: event.subject,
            actor: event.actor,
            at: now,
            extra: event.extra,
            live: event.live.map(|live| Live::Text(live.to_string().into())),
        });
    }
    let insert = "INSERT INTO event (stream, seq, kind, subject_id, actor_id, at, extra) VALUES ";
    insert_rows(tx, insert, rows).await?;
    Ok(committed)
}

/// Moves the heads and returns where each stood before.
async fn advance_heads(
    tx: &DatabaseTransaction,
    streams: &BTreeMap<String, (Stream, i64)>,
    now: i64,
) -> Result<std::collections::HashMap<Stream, i64>> {
    let mut before = std::collections::HashMap::with_capacity(streams.len());
    for part in few_sizes(streams.iter().collect()) {
        let rows = part.iter().map(|(name, (_, count))| [(*name).into(), (*count).into(), 0i64.into(), now.into()]);
        let moved = Sql::new("INSERT INTO stream (name, head, floor, updated_at) VALUES ")
            .rows(rows)
            .then(" ON CONFLICT (name) DO UPDATE SET head = stream.head + excluded.head, ")
            .then("updated_at = excluded.updated_at RETURNING name, head")
            .all(tx)
            .await?;
        for row in moved {
            let (name, head): (String, i64) = (row.try_get("", "name")?, row.try_get("", "head")?);
            if let Some((of, count)) = streams.get(&name) {
                before.insert(*of, head - count);
            }
        }
    }
    Ok(before)
}
