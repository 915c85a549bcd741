//! What an action has in its hands while it runs.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::Serialize;

use super::Ids;
use crate::entities::job;
use crate::entities::kinds::JobState;
use crate::search::{Kind, Mark};
use crate::streams::{Committed, NewEvent, Stream, append_all};
use crate::web::error::Result;

/// What has to be said once the transaction is committed. It concerns what lives in memory alone;
/// other processes learn the same from `Stream::RIGHTS`, to which all but `Jobs` and `Index` is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// This session is over: forget it, close its sockets with 4401.
    EndSession(i64),
    /// Suspended: all sessions are over, sockets close with 4403.
    Suspend(i64),
    /// What this member may see has changed: forget what is cached, check open subscriptions.
    Access(i64),
    /// A space changed for everybody: check the subscriptions in it; 0 for all of the hub.
    SpaceAccess(i64),
    /// Who may read a topic has changed: check its readers.
    TopicAccess(i64),
    /// The rooms that this member follows have changed.
    Follows(i64),
    /// Jobs were enqueued: wake the worker.
    Jobs,
    /// Something that can be found changed: wake what follows the log of changes.
    Index,
}

/// One action's share of a transaction.
#[derive(Debug)]
pub struct Tx {
    pub(super) conn: DatabaseTransaction,
    pub(super) events: Vec<(Stream, NewEvent)>,
    pub(super) published: Vec<Committed>,
    pub(super) after: Vec<After>,
    pub(super) marks: BTreeSet<Mark>,
    pub(super) now: i64,
    pub(super) ids: Ids,
}

impl Tx {
    /// The connection; every statement of the action goes through it.
    #[must_use]
    pub const fn conn(&self) -> &DatabaseTransaction {
        &self.conn
    }

    /// The time of this action, microseconds.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// A new identifier.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.ids.next(self.now)
    }

    /// Appends an event when the action has succeeded, after all its other writes.
    pub fn append(&mut self, stream: Stream, event: NewEvent) {
        self.events.push((stream, event));
    }

    /// Appends events at once, for actions whose rows carry the seq of their event; in the order
    /// given. What comes back is handed to [`Tx::publish`], with data for live readers or without.
    /// The heads stay locked to the commit: streams that others may wait for come last.
    pub async fn append_now(&mut self, events: Vec<(Stream, NewEvent)>) -> Result<Vec<Committed>> {
        append_all(&self.conn, events, self.now).await
    }

    /// Events of [`Tx::append_now`] go to their readers after the commit.
    pub fn publish(&mut self, events: Vec<Committed>) {
        self.published.extend(events);
    }

    /// Has something done in this process after the commit.
    pub fn after(&mut self, what: After) {
        if !self.after.contains(&what) {
            self.after.push(what);
        }
    }

    /// Something that can be found was made, changed or taken away: search learns of it after the
    /// commit, and reads the row as it then is.
    pub fn index(&mut self, kind: Kind, id: i64) {
        self.marks.insert(Mark { kind, id, deep: false });
    }

    /// The same for it and everything inside it: a topic with its replies, a room with its messages.
    pub fn index_with_inside(&mut self, kind: Kind, id: i64) {
        self.marks.insert(Mark { kind, id, deep: true });
    }

    /// Puts a job in the queue; it runs after the commit, at least once.
    pub async fn enqueue(&mut self, kind: &'static str, payload: &impl Serialize) -> Result<()> {
        self.enqueue_at(kind, payload, self.now).await
    }

    /// Puts a job in the queue that runs at a time, microseconds.
    pub async fn enqueue_at(&mut self, kind: &'static str, payload: &impl Serialize, run_at: i64) -> Result<()> {
        let row = job::ActiveModel {
            id: Set(self.id()),
            kind: Set(kind.to_owned()),
            payload: Set(serde_json::to_string(payload)?),
            state: Set(JobState::Ready),
            attempts: Set(0),
            run_at: Set(run_at),
            locked_until: Set(None),
            last_error: Set(None),
            created_at: Set(self.now),
            finished_at: Set(None),
        };
        job::Entity::insert(row).exec_without_returning(&self.conn).await?;
        self.after(After::Jobs);
        Ok(())
    }
}
