//! Reading the log.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Committed, Stream};
use crate::entities::{event, stream};
use crate::web::error::Result;

/// Where a stream stands: its newest seq and the oldest one that can no longer be replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub head: i64,
    /// Events up to this seq are gone.
    pub floor: i64,
}

/// The head of one stream; zero for one that has no events yet.
pub async fn head(db: &impl ConnectionTrait, of: Stream) -> Result<Head> {
    let row = stream::Entity::find_by_id(of.to_string()).one(db).await?;
    Ok(row.map_or_else(Head::default, |row| Head { head: row.head, floor: row.floor }))
}

/// The heads of many streams, in one statement for every 500.
pub async fn heads_of(db: &impl ConnectionTrait, streams: &[Stream]) -> Result<HashMap<Stream, i64>> {
    let mut heads = HashMap::with_capacity(streams.len());
    for chunk in streams.chunks(500) {
        let names: Vec<String> = chunk.iter().map(Stream::to_string).collect();
        let rows: Vec<(String, i64)> = stream::Entity::find()
            .select_only()
            .column(stream::Column::Name)
            .column(stream::Column::Head)
            .filter(stream::Column::Name.is_in(names))
            .into_tuple()
            .all(db)
            .await?;
        for (name, head) in rows {
            if let Ok(of) = name.parse() {
                heads.insert(of, head);
            }
        }
    }
    Ok(heads)
}

/// At most `limit` events after `after`, in order.
pub async fn since(db: &impl ConnectionTrait, of: Stream, after: i64, limit: u64) -> Result<Vec<Committed>> {
    let rows = event::Entity::find()
        .filter(event::Column::Stream.eq(of.to_string()))
        .filter(event::Column::Seq.gt(after))
        .order_by_asc(event::Column::Seq)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Committed {
            stream: of,
            seq: row.seq,
            kind: row.kind,
            subject: row.subject_id,
            actor: row.actor_id,
            at: row.at,
            extra: serde_json::from_str(&row.extra).ok(),
            live: None,
        })
        .collect())
}
