//! The writer: actions queue up, each runs in a transaction, many may share one commit.
//!
//! On SQLite there is one writer and actions that wait while it works share its next commit, a
//! savepoint each, so that a failed one rolls back alone. On PostgreSQL several writers run one
//! action a transaction. A caller hears of its action only after the commit.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::faults::{ANSWER_WITHIN, Fault, fault, note_lost};
use super::tx::{After, Tx};
use super::{Connections, Ids};
use crate::locks::locked;
use crate::ports::clock::Clock;
use crate::streams::{Committed, Stream, append_all, rights};
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
                // A file answers, or says that it cannot.
                limit: (connections.backend == DbBackend::Postgres).then_some(ANSWER_WITHIN),
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
        let queue = locked(&self.queue).clone();
        let queue = queue.ok_or(AppError::Unavailable(5))?;
        queue.try_send(Box::new(Action { action, result: None, reply })).map_err(|_| AppError::Unavailable(1))?;
        answer.await.map_err(|_| AppError::Unavailable(1))?
    }

    pub(super) async fn close(&self) {
        drop(locked(&self.queue).take());
        let threads = std::mem::take(&mut *locked(&self.threads));
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
    /// How long a transaction may take: a host that is silent would hold its author for ever.
    limit: Option<Duration>,
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
            self.transact(works, queue).await;
        }
    }

    /// One transaction for these actions. It runs again if it collides with another, or if its
    /// connection is lost before the commit: nothing of it is there then.
    async fn transact(&self, mut works: Vec<Box<dyn Work>>, queue: &Shared) {
        for attempt in 1..=TRIES {
            let failed = match self.attempt_in_time(&mut works).await {
                Ok(attempt) => {
                    self.sink.committed(attempt.events, attempt.after);
                    for (work, outcome) in works.into_iter().zip(attempt.outcomes) {
                        work.finish(outcome);
                    }
                    return;
                }
                Err(failed) => failed,
            };
            let error = &failed.error;
            let meaning = match fault(error) {
                _ if failed.silent => Fault::Lost,
                Fault::Ours if failed.away => Fault::Away,
                meaning => meaning,
            };
            if meaning == Fault::Lost {
                note_lost();
            }
            let again = match meaning {
                Fault::Collision => true,
                // A commit that was on its way may have arrived: its author asks again. So does one who
                // has waited for as long as anybody waits.
                Fault::Lost => !failed.committing && !failed.silent,
                Fault::Late | Fault::Away | Fault::Ours => false,
            };
            if again && attempt < TRIES {
                tracing::debug!(%error, attempt, "a transaction is tried again");
                tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                continue;
            }
            tracing::error!(%error, "a transaction failed");
            let refused = || match meaning {
                Fault::Collision => AppError::Unavailable(1),
                Fault::Lost | Fault::Late | Fault::Away => AppError::Unavailable(2),
                Fault::Ours => AppError::internal("the transaction failed"),
            };
            works.into_iter().for_each(|work| work.finish(Err(refused())));
            if meaning == Fault::Away {
                refuse_waiting(queue);
            }
            return;
        }
    }

    /// An attempt that ends even if the database says nothing any more. Its connection is thrown away
    /// then; whether a commit that was on its way arrived, nobody knows.
    async fn attempt_in_time(&self, works: &mut [Box<dyn Work>]) -> std::result::Result<Attempt, Failed> {
        let Some(limit) = self.limit else { return self.attempt(works).await };
        tokio::time::timeout(limit, self.attempt(works)).await.unwrap_or_else(|_| Err(Failed::silent(limit)))
    }

    async fn attempt(&self, works: &mut [Box<dyn Work>]) -> std::result::Result<Attempt, Failed> {
        // On SQLite it takes its turn at once: one that reads first and finds that another process
        // (an import, a backup) has written would fail without waiting.
        let turn = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let outer = self.db.begin_with_options(turn).await?;
        let mut attempt = Attempt::default();
        if let [only] = works {
            // Alone in its transaction it needs no savepoint: if it fails, all of it rolls back.
            self.perform(only.as_mut(), outer, &mut attempt, true).await?;
            return Ok(attempt);
        }
        for work in works {
            let savepoint = outer.begin().await?;
            self.perform(work.as_mut(), savepoint, &mut attempt, false).await?;
        }
        outer.commit().await.map_err(Failed::committing)?;
        Ok(attempt)
    }

    /// Runs one action and its appends in `conn` and ends `conn` either way; `whole`: it is the
    /// transaction itself.
    async fn perform(
        &self,
        work: &mut dyn Work,
        conn: DatabaseTransaction,
        attempt: &mut Attempt,
        whole: bool,
    ) -> std::result::Result<(), Failed> {
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
            outcome = append(&mut tx).await;
        }
        match outcome {
            Ok(()) => {
                tx.conn.commit().await.map_err(|error| Failed { committing: whole, ..error.into() })?;
                attempt.events.extend(tx.published);
                attempt.after.extend(tx.after);
                attempt.outcomes.push(Ok(()));
            }
            Err(AppError::Internal(source)) => {
                // A collision concerns the whole transaction, so all of it runs again.
                let source = match source.downcast::<DbErr>() {
                    Ok(error) if fault(&error) == Fault::Collision => return Err((*error).into()),
                    Ok(error) => AppError::Internal(error),
                    Err(source) => AppError::Internal(source),
                };
                tx.conn.rollback().await?;
                attempt.outcomes.push(Err(source));
            }
            Err(error) => {
                // If the connection is gone this fails too, and the transaction runs again. A full
                // disk has rolled back already.
                let away = matches!(error, AppError::Unavailable(_));
                tx.conn.rollback().await.map_err(|error| Failed { away, ..error.into() })?;
                attempt.outcomes.push(Err(error));
            }
        }
        Ok(())
    }
}

/// The events of an action, and last what it takes from whom: the one stream that actions of all
/// kinds meet in.
async fn append(tx: &mut Tx) -> Result<()> {
    let events = append_all(&tx.conn, std::mem::take(&mut tx.events), tx.now).await?;
    tx.published.extend(events);
    let rights: Vec<_> = tx.after.iter().filter_map(rights::event).map(|event| (Stream::RIGHTS, event)).collect();
    let rights = append_all(&tx.conn, rights, tx.now).await?;
    tx.published.extend(rights);
    Ok(())
}

/// While the database is away everybody who waits is told so, and not one after the other.
fn refuse_waiting(queue: &Shared) {
    // Another writer that holds the queue waits at its end, or empties it as this one would. Whoever
    // waited for it here would refuse what came much later, with the database back.
    let Ok(mut queue) = queue.try_lock() else { return };
    while let Ok(work) = queue.try_recv() {
        work.finish(Err(AppError::Unavailable(2)));
    }
}

/// Why a transaction did not come about.
struct Failed {
    error: DbErr,
    /// The commit itself was on its way.
    committing: bool,
    /// An action had found the database away before.
    away: bool,
    /// The database said nothing for as long as anybody waits.
    silent: bool,
}

impl Failed {
    fn committing(error: DbErr) -> Self {
        Self { committing: true, ..error.into() }
    }

    fn silent(limit: Duration) -> Self {
        let what = format!("PostgreSQL does not answer within {} s", limit.as_secs());
        Self { silent: true, ..DbErr::Conn(RuntimeErr::Internal(what)).into() }
    }
}

impl From<DbErr> for Failed {
    fn from(error: DbErr) -> Self {
        Self { error, committing: false, away: false, silent: false }
    }
}

/// What one run of a transaction came to.
#[derive(Default)]
struct Attempt {
    outcomes: Vec<Result<()>>,
    events: Vec<Committed>,
    after: Vec<After>,
}
