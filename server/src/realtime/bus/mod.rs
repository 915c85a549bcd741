//! What nodes tell each other: in memory there is nobody to tell, through Redis there is.
//!
//! Invariant: the bus is never the truth. It makes fast what the log makes certain: an event, a
//! withdrawn right or a lost frame is found by comparing heads, whatever became of it here.
//! Presence and typing, which have no log, may be lost. Publishing never waits.

mod check;
mod frame;
mod link;
mod others;
mod shares;

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

pub use check::{Reached, provide_tls, reach, readable};
pub use frame::{Frame, Present};
pub use link::Link;
pub use shares::Share;

use crate::streams::{Committed, Stream};

/// Whether the nodes hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusState {
    /// One node, and nobody to tell.
    Memory,
    Connected,
    /// Redis is away since then, microseconds: readers of other nodes wait for the log.
    Degraded(i64),
}

/// What is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// Committed events; withdrawn rights are among them.
    Events(Vec<Committed>),
    /// Somebody types; the name as shown.
    Typing(Stream, i64, Value),
    /// Who reads which streams here; `whole`: and nobody any other.
    Present { whole: bool, rooms: Vec<Present> },
    /// A member shows something else of themselves.
    Changed(i64),
    /// Failures of a pair of address and account: its key, how many, when.
    Slowed(String, u32, i64),
    /// Who is there may say so.
    Hello,
}

/// What a node does with what others tell it.
pub trait Receive: Send + Sync + 'static {
    /// A frame of another node, already checked.
    fn receive(&self, frame: Frame);
    /// So many rooms are read by others, who are gone now.
    fn gone(&self, node: i64);
    /// Everybody who reads rooms here.
    fn here(&self) -> Vec<Present>;
    /// The bus works again, or works no longer.
    fn turned(&self, connected: bool);
    /// Something was dropped on the way in: look into the log.
    fn missed(&self);
}

/// One node's end of the bus. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Bus {
    link: Option<Arc<Link>>,
}

/// What [`Bus::run`] sends.
pub type Outgoing = mpsc::Receiver<Told>;

impl Bus {
    /// A bus through Redis. It tells nothing before it runs.
    #[must_use]
    pub fn through(link: Link) -> Self {
        Self { link: Some(Arc::new(link)) }
    }

    /// Tells the other nodes; what does not fit is left to the log.
    pub fn tell(&self, what: Told) {
        if let Some(link) = &self.link {
            link.tell(what);
        }
    }

    /// Tells the other nodes what was committed.
    pub fn publish(&self, events: &[Committed]) {
        if let Some(link) = self.link.as_ref().filter(|link| link.is_on() && !events.is_empty()) {
            link.tell(Told::Events(events.to_vec()));
        }
    }

    /// Takes up to `want` of a key's share that all nodes have in common; none: Redis does not
    /// answer, and this node decides alone.
    pub async fn take(&self, key: &str, share: Share, want: u32) -> Option<Result<u32, std::time::Duration>> {
        match &self.link {
            Some(link) => link.take(key, share, want).await,
            None => None,
        }
    }

    /// Whether there are other nodes to tell.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.link.is_some()
    }

    #[must_use]
    pub fn state(&self) -> BusState {
        self.link.as_ref().map_or(BusState::Memory, |link| link.state())
    }

    /// Numbers for operators; none in memory.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        self.link.as_ref().map(|link| link.figures())
    }

    /// The task: sends and hears until told to stop.
    pub async fn run(self, outgoing: Outgoing, receive: Arc<dyn Receive>, stop: watch::Receiver<bool>) {
        if let Some(link) = self.link {
            link.run(outgoing, receive, stop).await;
        }
    }
}

/// Counts since the start, and who is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub sent: u64,
    pub received: u64,
    /// What was dropped on the way out or in; the log has it.
    pub dropped: u64,
    /// Frames that were no frames of this hub.
    pub strange: u64,
    /// Other nodes that were heard of lately.
    pub others: usize,
    /// How often the bus came back.
    pub returned: u64,
}
