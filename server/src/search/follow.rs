//! The follower: one task a server that brings the index up to the log of changes, builds it anew
//! when it is asked to or has lost the thread, and puts right what it finds wrong.
//!
//! Invariant: what is committed to the index and how far the log has been followed are one commit.
//! Whatever fails is tried again from the last one; nothing is skipped. An index is opened anew only
//! if it was taken away: a database that is away for a moment costs no index.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::lease::Lease;
use super::service::{Condition, Wish, Wishes};
use super::side::{ALONE, BESIDE, Side, begin, bring, build, follow, told};
use super::{Kind, Source, log, requests, stand_by};
use crate::app::{AppState, behind};
use crate::ports::search::embedded::Shared;
use crate::ports::search::{Home, Index, meili};
use crate::web::error::{AppError, Result};

/// How often the log is looked at when nobody wakes the follower: another process may have written.
const LOOK: Duration = Duration::from_millis(500);
/// Commits come no closer than this: what is written meanwhile shares the next one. After a round that took
/// longer the pause is as long as that, but no longer than this.
const PAUSE: Duration = Duration::from_millis(120);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// After a fault.
const AGAIN: Duration = Duration::from_secs(2);
/// After an index was built that could not follow.
const LATER: Duration = Duration::from_mins(1);
/// Words of what was taken away leave the disk within this.
const EXPUNGE: Duration = Duration::from_hours(6);
/// How often index and rows are compared, but never for more than this part of the time: counting
/// ten million rows takes seconds. And how often this server says that it is there.
const CHECK: Duration = Duration::from_mins(10);
const SHARE: u32 = 500;
const SAY: Duration = Duration::from_secs(10);
/// How often a comparison is made again that was overtaken by what is written.
const RECHECKS: usize = 5;

/// Runs until told to stop.
pub async fn run(state: AppState, mut wishes: Wishes, mut stop: watch::Receiver<bool>) {
    let search = state.search.clone();
    let shared = match meili::server(&state.config) {
        Ok(server) => server.map(|server| (meili::Home::new(server, &state.epoch), Lease::new())),
        Err(error) => return tracing::error!("{error}"),
    };
    while !*stop.borrow() {
        let done = match &shared {
            None => own(&state, &mut wishes, &mut stop).await,
            Some((home, lease)) => together(&state, home, lease, &mut wishes, &mut stop).await,
        };
        if let Err(error) = done {
            wait(&state, &error, &mut stop).await;
        }
    }
    if let Some((_, lease)) = &shared {
        lease.release(&state).await;
    }
    search.answer_from(None);
}

/// A pause after a fault.
async fn wait(state: &AppState, error: &AppError, stop: &mut watch::Receiver<bool>) {
    tracing::warn!(%error, "the search index waits");
    state.search.note(|status| status.condition = Condition::Down);
    tokio::select! {
        () = tokio::time::sleep(AGAIN) => {}
        _ = stop.changed() => {}
    }
}

/// Follows with an index of this server's own.
async fn own(state: &AppState, wishes: &mut Wishes, stop: &mut watch::Receiver<bool>) -> Result<()> {
    // One that was taken away holds its lock for as long as it answers.
    state.search.answer_from(None);
    let home = told(Home::embedded(state.config.data_dir.clone()).await)?;
    Follower::open(state, home).await?.run(wishes, stop).await
}

/// Follows with an index that all nodes share, if this is the one that writes it.
async fn together(
    state: &AppState,
    home: &meili::Home,
    lease: &Lease,
    wishes: &mut Wishes,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    if !lease.take(state).await? {
        return stand_by::run(state, home, lease, wishes, stop).await;
    }
    // What the server was asked for may take long; neither the right to write nor the end waits.
    let mut ended = stop.clone();
    let work = async { Follower::open(state, Home::Meili(home.clone())).await?.run(wishes, stop).await };
    tokio::select! {
        done = work => done,
        lost = lease.keep(state) => Err(lost),
        _ = ended.wait_for(|stop| *stop) => Ok(()),
    }
}

struct Follower<'a> {
    state: &'a AppState,
    sources: Vec<&'static dyn Source>,
    home: Home,
    main: Side,
    /// Being built to replace it.
    next: Option<Side>,
    /// When one that was to replace it was given up.
    given_up: Option<Instant>,
    /// Replaced; gone once nobody reads it any more.
    retired: Vec<Index>,
    checked: Instant,
    /// When they are compared again.
    pause: Duration,
    expunged: Instant,
    said: Option<Instant>,
    total: i64,
    done: i64,
    /// Settled once the log is at its end.
    settling: Vec<oneshot::Sender<()>>,
}

impl<'a> Follower<'a> {
    async fn open(state: &'a AppState, home: Home) -> Result<Self> {
        let main = match told(home.current(&state.epoch).await)? {
            Some((index, progress)) => Side { index, progress },
            None => {
                let mut side = begin(state, &home).await?;
                // It answers with what it has, and goes on from there if the process dies.
                side.index = told(home.adopt(&side.index).await)?;
                side
            }
        };
        state.search.answer_from(Some(main.index.clone()));
        let now = Instant::now();
        Ok(Self {
            state,
            sources: crate::features::search_sources(),
            home,
            main,
            next: None,
            given_up: None,
            retired: Vec::new(),
            // The first comparison soon after the start: a killed server may have left something.
            checked: now.checked_sub(CHECK).unwrap_or(now),
            pause: CHECK,
            expunged: now,
            said: None,
            total: 0,
            done: 0,
            settling: Vec::new(),
        })
    }

    async fn run(&mut self, wishes: &mut Wishes, stop: &mut watch::Receiver<bool>) -> Result<()> {
        while !*stop.borrow() {
            let started = Instant::now();
            let more = match self.round(wishes).await {
                Ok(more) => more,
                Err(error) => {
                    // Whether it is there cannot always be asked; then it is not known to be away.
                    if self.home.is_there(&self.main.index).await.is_ok_and(|there| !there) {
                        return Err(error);
                    }
                    wait(self.state, &error, stop).await;
                    continue;
                }
            };
            let pause = if more { Duration::ZERO } else { started.elapsed().clamp(PAUSE, LONGEST_PAUSE) };
            tokio::select! {
                () = async {
                    tokio::time::sleep(pause).await;
                    if !more {
                        let due = LOOK.saturating_sub(pause);
                        let _due = tokio::time::timeout(due, self.state.search.woken()).await;
                    }
                } => {}
                _ = stop.changed() => {}
            }
        }
        Ok(())
    }

    async fn round(&mut self, wishes: &mut Wishes) -> Result<bool> {
        let more = self.step(wishes).await?;
        self.say().await?;
        Ok(more)
    }

    /// Some work; whether there is more of it.
    async fn step(&mut self, wishes: &mut Wishes) -> Result<bool> {
        let mut checks = Vec::new();
        while let Ok(wish) = wishes.try_recv() {
            match wish {
                Wish::Settle(answer) => self.settling.push(answer),
                Wish::Check(answer) => checks.push(answer),
            }
        }
        if !told(self.home.is_there(&self.main.index).await)? {
            return Err(AppError::internal("the search index was taken away"));
        }
        let db = self.state.store.read();
        if self.main.progress.building.is_some() {
            self.state.search.note(|status| status.condition = Condition::Building);
            let built = build(db, &self.sources, &mut self.main, ALONE).await?;
            self.done += built;
            return Ok(true);
        }
        let started = self.state.clock.now();
        let followed = follow(self.state, &self.sources, &mut self.main).await?;
        let begins = self.next.is_none() && self.given_up.is_none_or(|at| at.elapsed() >= LATER);
        if followed.is_none() && begins {
            // The log no longer has what comes next: the index answers until another replaces it.
            tracing::info!("the search index has lost the thread and is built again");
            self.begin_next().await?;
        }
        let more = followed.unwrap_or(false);
        let wanted = requests::wanted(db).await?;
        if wanted > self.main.progress.request && begins && self.next.is_none() {
            self.begin_next().await?;
        }
        let building = self.go_on_building().await?;
        if followed == Some(false) {
            let documents = self.main.index.embedded().map(|index| index.len());
            self.state.search.note(|status| {
                status.condition = Condition::Good;
                status.documents = documents.unwrap_or(status.documents);
                status.lacks_since = None;
            });
            for answer in self.settling.drain(..) {
                let _gone = answer.send(());
            }
            if !checks.is_empty() || (self.checked.elapsed() >= self.pause && self.next.is_none()) {
                let repaired = self.check().await?;
                for answer in checks {
                    let _gone = answer.send(repaired);
                }
            }
            self.expunge();
        } else {
            self.state.search.note(|status| _ = status.lacks_since.get_or_insert(started));
        }
        let home = &self.home;
        self.retired.retain(|index| !home.remove(index));
        Ok(more || building)
    }

    async fn begin_next(&mut self) -> Result<()> {
        self.next = Some(begin(self.state, &self.home).await?);
        (self.done, self.total) = (0, 0);
        for source in &self.sources {
            self.total += source.count(self.state.store.read()).await?;
        }
        self.said = None;
        Ok(())
    }

    /// A part of the index that will replace this one; it does once it has everything.
    async fn go_on_building(&mut self) -> Result<bool> {
        let Some(next) = &mut self.next else { return Ok(false) };
        if next.progress.building.is_some() {
            self.done += build(self.state.store.read(), &self.sources, next, BESIDE).await?;
            return Ok(true);
        }
        let Some(more) = follow(self.state, &self.sources, next).await? else {
            // Building took longer than the log reaches back. At once it would not go better.
            tracing::warn!("an index that was built cannot follow the log; it is built again later");
            self.retired.extend(self.next.take().map(|next| next.index));
            self.given_up = Some(Instant::now());
            return Ok(false);
        };
        if more {
            return Ok(true);
        }
        next.index = told(self.home.adopt(&next.index).await)?;
        if let Some(next) = self.next.take() {
            self.state.search.answer_from(Some(next.index.clone()));
            let old = std::mem::replace(&mut self.main, next);
            self.retired.push(old.index);
            self.said = None;
            tracing::info!(documents = self.done, "the search index was built again");
        }
        Ok(true)
    }

    /// Clears the index of the words of what is gone, when it is time.
    fn expunge(&mut self) {
        if self.expunged.elapsed() < EXPUNGE {
            return;
        }
        let Some(index) = self.main.index.embedded().map(Shared::clone) else { return };
        self.expunged = Instant::now();
        // On its own: what changes meanwhile is followed.
        let begun = behind::begin("praxis-expunge", move || {
            if let Err(error) = index.expunge() {
                tracing::warn!(%error, "the search index could not be cleared of what is gone");
            }
        });
        if let Err(error) = begun {
            tracing::warn!(%error, "the search index cannot be cleared of what is gone now");
        }
    }

    /// Compares index and rows, and reads again what differs.
    async fn check(&mut self) -> Result<u64> {
        self.checked = Instant::now();
        let db = self.state.store.read();
        let mut wrong = self.compare().await?;
        for _ in 0..RECHECKS {
            if wrong.is_empty() {
                break;
            }
            // What was written while they were compared stands in the log, and is no fault.
            let news = log::read(db, &self.main.progress.cursor).await?;
            if news.is_none_or(|news| news.marks.is_empty()) {
                break;
            }
            follow(self.state, &self.sources, &mut self.main).await?;
            wrong = self.compare().await?;
        }
        self.pause = CHECK.max(self.checked.elapsed() * SHARE);
        let count = wrong.len() as u64;
        if count > 0 {
            bring(db, &self.sources, &self.main, wrong.into_iter(), &self.main.progress).await?;
            tracing::warn!(documents = count, "the search index differed from the database and was put right");
        }
        let (documents, bytes) = told(self.main.index.size().await)?;
        self.state.search.note(|status| {
            (status.documents, status.bytes) = (documents, bytes);
            status.repaired += count;
        });
        Ok(count)
    }

    /// Compares counts, and where they differ ids: what only one of the two has.
    async fn compare(&self) -> Result<Vec<(Kind, i64)>> {
        let held = told(self.main.index.counts().await)?;
        let mut wrong: Vec<(Kind, i64)> = Vec::new();
        for source in &self.sources {
            let kind = source.kind();
            let count = u64::try_from(source.count(self.state.store.read()).await?).unwrap_or(0);
            if held.get(&kind).copied().unwrap_or(0) != count {
                wrong.extend(self.differing(*source).await?.into_iter().map(|id| (kind, id)));
            }
        }
        Ok(wrong)
    }

    async fn differing(&self, source: &dyn Source) -> Result<Vec<i64>> {
        let mut held = told(self.main.index.ids(source.kind()).await)?;
        let mut wrong = Vec::new();
        let mut after = i64::MIN;
        loop {
            let ids = source.ids(self.state.store.read(), after, 5000).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            wrong.extend(ids.iter().filter(|id| !held.remove(*id)));
        }
        wrong.extend(held);
        Ok(wrong)
    }

    /// Tells the hub that this index is there and how far it is.
    async fn say(&mut self) -> Result<()> {
        let busy = self.next.is_some() || self.main.progress.building.is_some();
        let every = if busy { Duration::from_millis(500) } else { SAY };
        if self.said.is_some_and(|said| said.elapsed() < every) {
            return Ok(());
        }
        self.said = Some(Instant::now());
        if self.main.index.embedded().is_none() {
            let (documents, bytes) = told(self.main.index.size().await)?;
            self.state.search.note(|status| (status.documents, status.bytes) = (documents, bytes));
        }
        let said = requests::Said {
            name: self.home.name(),
            engine: self.home.engine(),
            state: if busy { "building" } else { "ok" },
            request: self.main.progress.request,
            done: self.done,
            total: self.total,
        };
        requests::say(self.state, said).await
    }
}
