//! What every handler has at hand. One struct of concrete types.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::config::Config;
use super::health::{Leaving, Readiness};
use super::secrets::Secrets;
use super::serving::Serving;
use crate::features::{accounts, chat, forum, hub, library, playbooks, spaces};
use crate::jobs;
use crate::locks::locked;
use crate::ports::{blobs::Blobs, clock::Clock, mailer::Mailer, scanner::Scanner};
use crate::realtime::{Bus, Hub};
use crate::search::Search;
use crate::store::{ANSWER_WITHIN, Store, in_time};
use crate::streams::{Heads, Relay, Stream, Within};
use crate::web::error::Result;
use crate::web::metrics::Metrics;
use crate::web::rate_limit::Limits;
use crate::web::sessions::Sessions;

/// The hub's parts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub clock: Clock,
    pub secrets: Secrets,
    pub store: Store,
    pub heads: Heads,
    pub hub: Hub,
    pub relay: Relay,
    pub bus: Bus,
    pub jobs: jobs::Worker,
    pub blobs: Blobs,
    pub mailer: Mailer,
    pub scanner: Scanner,
    pub sessions: Sessions,
    pub limits: Limits,
    pub slow_down: accounts::SlowDown,
    pub metrics: Metrics,
    pub settings: hub::Settings,
    pub spaces: spaces::Directory,
    pub pages: forum::PageCache,
    pub addresses: playbooks::Addresses,
    pub shelves: playbooks::Shelves,
    pub exports: playbooks::Exports,
    pub downloads: library::files::Counted,
    pub sender: chat::Sender,
    pub search: Search,
    pub leaving: Leaving,
    pub readiness: Readiness,
    /// Changes when a restore rewinds history.
    pub epoch: Arc<str>,
    pub(super) origin: OnceLock<Arc<str>>,
    pub(super) scheduled: Mutex<HashMap<&'static str, i64>>,
    /// Says that the data directory is in use.
    pub(super) _serving: Serving,
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The public origin: `https://hub.example.org`, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.origin.get().map_or("http://127.0.0.1:8080", |origin| origin)
    }

    #[must_use]
    pub fn origin_shared(&self) -> Arc<str> {
        self.origin.get().map_or_else(|| "http://127.0.0.1:8080".into(), Arc::clone)
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin().starts_with("https://")
    }

    /// Whether this member (0: nobody) may read the stream now, and by whose rules; else 403 or 404.
    pub async fn may_subscribe(&self, member: i64, stream: Stream) -> Result<Within> {
        in_time(ANSWER_WITHIN, crate::features::may_subscribe(self, member, stream)).await
    }

    /// A task of the schedule failed: it counts as run at this time.
    pub fn schedule_again(&self, name: &'static str, at: i64) {
        locked(&self.scheduled).insert(name, at);
    }

    /// Whether a task of the schedule may be due, as far as this process knows.
    #[must_use]
    pub fn schedule_due(&self, name: &'static str, now: i64, period: i64) -> bool {
        let mut scheduled = locked(&self.scheduled);
        let last = scheduled.entry(name).or_insert(0);
        let due = now - *last >= period;
        if due {
            *last = now;
        }
        due
    }
}
