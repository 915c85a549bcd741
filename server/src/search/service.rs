//! What the rest of the hub has of search: asking, waking the follower, and how it does.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::locks::{reading, writing};
use crate::ports::search::{Ask, Found, Index};
use crate::web::error::{AppError, Result};

/// Searches that may wait for a processor at once; beyond that 503.
const MOST_WAITING: usize = 256;
/// How long a search may wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the index does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// No server runs in this process, or it is starting.
    #[default]
    Off,
    /// It is being built for the first time: what is there is found.
    Building,
    /// Follows every change.
    Good,
    /// Cannot be written or read; the follower tries again.
    Down,
}

impl Condition {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Building => "building",
            Self::Good => "ok",
            Self::Down => "down",
        }
    }
}

/// Numbers of the index, for operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub condition: Condition,
    pub documents: u64,
    pub bytes: u64,
    /// Commits of the index since the start.
    pub commits: u64,
    /// Documents that the self-check put right since the start.
    pub repaired: u64,
    /// Since when the index lacks something, microseconds; none if it has everything.
    pub lacks_since: Option<i64>,
}

impl Status {
    /// How long ago the index last had everything, microseconds.
    #[must_use]
    pub fn behind(&self, now: i64) -> i64 {
        self.lacks_since.map_or(0, |since| (now - since).max(1))
    }
}

/// Something the follower is asked for.
#[derive(Debug)]
pub enum Wish {
    /// An answer once everything that was committed until now can be found.
    Settle(oneshot::Sender<()>),
    /// Compares index and rows, and answers with how many documents were put right.
    Check(oneshot::Sender<u64>),
}

#[derive(Debug)]
struct Parts {
    current: RwLock<Option<Index>>,
    status: RwLock<Status>,
    wake: Notify,
    wishes: mpsc::Sender<Wish>,
    working: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The index of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Search(Arc<Parts>);

/// Where the follower finds what it is asked for.
pub type Wishes = mpsc::Receiver<Wish>;

impl Search {
    #[must_use]
    pub fn new() -> (Self, Wishes) {
        let (wishes, receiver) = mpsc::channel(64);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let parts = Parts {
            current: RwLock::default(),
            status: RwLock::default(),
            wake: Notify::new(),
            wishes,
            working: Arc::new(Semaphore::new(cores)),
            waiting: Semaphore::new(MOST_WAITING),
        };
        (Self(Arc::new(parts)), receiver)
    }

    /// Something that can be found has changed.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Answers a question; 503 while there is no index, or the server that has it is away.
    pub async fn ask(&self, ask: Ask) -> Result<Found> {
        let index = self.current().ok_or(AppError::Unavailable(2))?;
        let _place = self.0.waiting.try_acquire().map_err(|_| AppError::Unavailable(1))?;
        let here = index.embedded().is_some();
        let turn = if here { Some(self.turn().await?) } else { None };
        let answer = tokio::time::timeout(PATIENCE, index.search(ask, turn)).await;
        match answer.map_err(|_| AppError::Unavailable(2))? {
            Err(error) if !here => {
                tracing::warn!(%error, "a search was not answered");
                Err(AppError::Unavailable(5))
            }
            answer => answer.map_err(|error| AppError::Internal(error.into())),
        }
    }

    /// A processor for one search. It goes with the work: who asked may be gone before it ends.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.working).acquire_owned()).await;
        turn.map_err(|_| AppError::Unavailable(1))?.map_err(|_| AppError::Unavailable(1))
    }

    /// Returns once everything that was committed before the call can be found.
    pub async fn settle(&self) -> Result<()> {
        loop {
            let (sender, answer) = oneshot::channel();
            self.wish(Wish::Settle(sender)).await?;
            // A follower that begins anew forgets what it was asked.
            if answer.await.is_ok() {
                return Ok(());
            }
        }
    }

    /// Compares the index with the rows and puts right what differs; how many documents that were.
    pub async fn check(&self) -> Result<u64> {
        loop {
            let (sender, answer) = oneshot::channel();
            self.wish(Wish::Check(sender)).await?;
            if let Ok(repaired) = answer.await {
                return Ok(repaired);
            }
        }
    }

    async fn wish(&self, wish: Wish) -> Result<()> {
        self.0.wishes.send(wish).await.map_err(|_| AppError::Unavailable(2))?;
        self.wake();
        Ok(())
    }

    /// The index that answers.
    #[must_use]
    pub fn current(&self) -> Option<Index> {
        reading(&self.0.current).clone()
    }

    pub(super) fn answer_from(&self, index: Option<Index>) {
        let old = std::mem::replace(&mut *writing(&self.0.current), index);
        // The last one of an index waits for its threads, and nobody should wait for that.
        drop(old);
    }

    #[must_use]
    pub fn status(&self) -> Status {
        *reading(&self.0.status)
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut writing(&self.0.status));
    }
}
