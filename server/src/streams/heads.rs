//! What this node knows of the heads of streams: kept by commits and by the relay's comparison.
//!
//! A page that was derived at head H is current while this says H. It may lag behind another
//! process by the relay's interval, never behind a commit of this one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use sea_orm::ConnectionTrait;

use super::{Stream, log};
use crate::locks::{reading, writing};
use crate::web::error::Result;

/// More than this many streams are not kept in mind; the rest is read when asked for.
const MOST: usize = 8192;

#[derive(Clone, Debug, Default)]
pub struct Heads {
    known: Arc<RwLock<HashMap<Stream, i64>>>,
    changes: Arc<AtomicU64>,
}

impl Heads {
    /// The head, from memory or from the log.
    pub async fn current(&self, db: &impl ConnectionTrait, of: Stream) -> Result<i64> {
        if let Some(head) = self.get(of) {
            return Ok(head);
        }
        let head = log::head(db, of).await?.head;
        Ok(self.advance(of, head))
    }

    /// The heads of several streams, in the order they are named: at most one statement for those
    /// that are not in mind.
    pub async fn current_of(&self, db: &impl ConnectionTrait, streams: &[Stream]) -> Result<Vec<(Stream, i64)>> {
        let unknown: Vec<Stream> = streams.iter().copied().filter(|of| self.get(*of).is_none()).collect();
        let read = if unknown.is_empty() { HashMap::new() } else { log::heads_of(db, &unknown).await? };
        let head = |of: &Stream| match self.get(*of) {
            Some(head) => head,
            None => self.advance(*of, read.get(of).copied().unwrap_or(0)),
        };
        Ok(streams.iter().map(|of| (*of, head(of))).collect())
    }

    /// How often anything at all was seen to change: what was derived at one number is current
    /// while it stays, as far as this process knows.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Something changed.
    pub fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The head if it is in mind.
    #[must_use]
    pub fn get(&self, of: Stream) -> Option<i64> {
        reading(&self.known).get(&of).copied()
    }

    /// Learns of a head and returns the newest known.
    pub fn advance(&self, of: Stream, head: i64) -> i64 {
        let mut known = writing(&self.known);
        if known.len() >= MOST && !known.contains_key(&of) {
            // Any will do: a forgotten head is read again when somebody asks.
            let some: Vec<Stream> = known.keys().take(MOST / 8).copied().collect();
            for stream in some {
                known.remove(&stream);
            }
        }
        let entry = known.entry(of).or_insert(head);
        *entry = (*entry).max(head);
        *entry
    }

    /// Every stream in mind, to compare with the database.
    #[must_use]
    pub fn streams(&self) -> Vec<Stream> {
        reading(&self.known).keys().copied().collect()
    }
}
