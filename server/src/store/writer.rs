//! The writer: actions queue up, each runs in a transaction, many may share one commit.
//!
//! On SQLite there is one writer and actions that wait while it works share its next commit, a
//! savepoint each, so that a failed one rolls back alone. On PostgreSQL several writers run one
//! action a transaction. A caller hears of its action only after the commit.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use super::tx::{After, Tx};
use super::{Connections, Ids};
use crate::ports::clock::Clock;
use crate::streams::{Committed, append_all};
use crate::web::error::{AppError, Result};

/// Actions that may wait; beyond that a write is refused with 503.
const QUEUE: usize = 1024;
/// Actions that may share one commit.
const BATCH: usize = 64;
/// How often an action is tried when transactions collide.
const TRIES: usize = 5;

/// Where committed events and their consequences go, before the caller is answered.
pub trait CommitSink: Send + Sync + 'static {
    fn committed(&self, events: Vec<Committed>, after: Vec<After>);
}

/// An action with the place where its result goes.
trait Work: Send {
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>>;
    fn finish(self: Box<Self>, outcome: Result<()>);
}

struct Action<F, T> {
    action: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Work for Action<F, T>
where
    T: Send + 'static,
    F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>> {
        async {
            match AssertUnwindSafe((self.action)(tx)).catch_unwind().await {
                Ok(result) => {
                    self.result = Some(result?);
                    Ok(())
                }
                Err(_) => Err(AppError::internal("an action panicked")),
            }
        }
        .boxed_local()
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let Self { result, reply, .. } = *self;
        let answer = outcome.and_then(|()| result.ok_or_else(|| AppError::internal("an action left no result")));
        // The caller may be gone; the action stands all the same.
        let _gone = reply.send(answer);
    }
}

/// The queue into the writer threads.
pub struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

type Shared = Arc<tokio::sync::Mutex<mpsc::Receiver<Box<dyn Work>>>>;

impl Writer {
    /// Starts the writer threads.
    pub fn start(
        connections: &Connections,
        ids: Ids,
        clock: Clock,
        sink: Arc<dyn CommitSink>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let shared: Shared = Arc::new(tokio::sync::Mutex::new(receiver));
        let batch = if connections.writers == 1 { BATCH } else { 1 };
        let runtime = tokio::runtime::Handle::current();
        let mut threads = Vec::new();
        for number in 0..connections.writers {
            let writing = Writing {
                db: connections.writer.clone(),
                batch,
                ids: ids.clone(),
                clock: clock.clone(),
                sink: Arc::clone(&sink),
            };
            let (shared, runtime) = (Arc::clone(&shared), runtime.clone());
            // A thread each: an action's future need not be `Send`, and a commit waits for no page.
            // Sockets of a database stay with the runtime that runs for as long as the hub.
            let thread = std::thread::Builder::new()
                .name(format!("praxis-writer-{number}"))
                .spawn(move || runtime.block_on(writing.run(&shared)))?;
            threads.push(thread);
        }
        Ok(Self { queue: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    pub(super) async fn submit<T, F>(&self, action: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.lock().ok().and_then(|queue| queue.clone());
        let queue = queue.ok_or(AppError::Unavailable(5))?;
        queue.try_send(Box::new(Action { action, result: None, reply })).map_err(|_| AppError::Unavailable(1))?;
        answer.await.map_err(|_| AppError::Unavailable(1))?
    }

    pub(super) async fn close(&self) {
        drop(self.queue.lock().ok().and_then(|mut queue| queue.take()));
        let threads = self.threads.lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _panicked = thread.join();
            }
        });
        let _ended = joined.await;
    }
}

struct Writing {
    db: DatabaseConnection,
    batch: usize,
    ids: Ids,
    clock: Clock,
    sink: Arc<dyn CommitSink>,
}

impl Writing {
    async fn run(&self, queue: &Shared) {
        loop {
            let mut works = Vec::new();
            {
                let mut queue = queue.lock().await;
                let Some(first) = queue.recv().await else { return };
                works.push(first);
                while works.len() < self.batch {
                    let Ok(more) = queue.try_recv() else { break };
                    works.push(more);
                }
            }
            self.transact(works).await;
        }
    }

    /// One transaction for these actions; collisions with other transactions are tried again.
    async fn transact(&self, mut works: Vec<Box<dyn Work>>) {
        for attempt in 1..=TRIES {
            match self.attempt(&mut works).await {
                Ok(attempt) => {
                    self.sink.committed(attempt.events, attempt.after);
                    for (work, outcome) in works.into_iter().zip(attempt.outcomes) {
                        work.finish(outcome);
                    }
                    return;
                }
                Err(error) if attempt < TRIES && collides(&error) => {
                    tracing::debug!(%error, attempt, "transactions collided; again");
                    let pause = std::time::Duration::from_millis(5 << attempt);
                    tokio::time::sleep(pause).await;
                }
                Err(error) => {
                    tracing::error!(%error, "a transaction failed");
                    let lost = matches!(AppError::from(error), AppError::Unavailable(_));
                    for work in works {
                        let fault =
                            if lost { AppError::Unavailable(2) } else { AppError::internal("the transaction failed") };
                        work.finish(Err(fault));
                    }
                    return;
                }
            }
        }
    }

    async fn attempt(&self, works: &mut [Box<dyn Work>]) -> std::result::Result<Attempt, DbErr> {
        let outer = self.db.begin().await?;
        let mut attempt = Attempt::default();
        if let [only] = works {
            // Alone in its transaction it needs no savepoint: if it fails, all of it rolls back.
            self.perform(only.as_mut(), outer, &mut attempt).await?;
            return Ok(attempt);
        }
        for work in works {
            let savepoint = outer.begin().await?;
            self.perform(work.as_mut(), savepoint, &mut attempt).await?;
        }
        outer.commit().await?;
        Ok(attempt)
    }

    /// Runs one action and its appends in `conn` and ends `conn` either way.
    async fn perform(
        &self,
        work: &mut dyn Work,
        conn: DatabaseTransaction,
        attempt: &mut Attempt,
    ) -> std::result::Result<(), DbErr> {
        let now = self.clock.now();
        let mut tx = Tx {
            conn,
            events: Vec::new(),
            published: Vec::new(),
            after: Vec::new(),
            marks: std::collections::BTreeSet::new(),
            now,
            ids: self.ids.clone(),
        };
        let mut outcome = work.run(&mut tx).await;
        if outcome.is_ok() && !tx.marks.is_empty() {
            tx.after(After::Index);
            outcome = crate::search::log::record(&tx.conn, &tx.marks, now).await;
        }
        if outcome.is_ok() {
            match append_all(&tx.conn, std::mem::take(&mut tx.events), now).await {
                Ok(events) => tx.published.extend(events),
                Err(error) => outcome = Err(error),
            }
        }
        match outcome {
            Ok(()) => {
                tx.conn.commit().await?;
                attempt.events.extend(tx.published);
                attempt.after.extend(tx.after);
                attempt.outcomes.push(Ok(()));
            }
            Err(AppError::Internal(source)) => {
                // A collision concerns the whole transaction, so all of it runs again.
                let source = match source.downcast::<DbErr>() {
                    Ok(error) if collides(&error) => return Err(*error),
                    Ok(error) => AppError::Internal(error),
                    Err(source) => AppError::Internal(source),
                };
                tx.conn.rollback().await?;
                attempt.outcomes.push(Err(source));
            }
            Err(error) => {
                tx.conn.rollback().await?;
                attempt.outcomes.push(Err(error));
            }
        }
        Ok(())
    }
}

/// What one run of a transaction came to.
#[derive(Default)]
struct Attempt {
    outcomes: Vec<Result<()>>,
    events: Vec<Committed>,
    after: Vec<After>,
}

/// Serialization failure, deadlock, or a busy database: the same again may go through.
fn collides(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner))) = error else {
        return false;
    };
    inner
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "5" | "517"))
}
