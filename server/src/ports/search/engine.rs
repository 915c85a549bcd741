//! The two engines as one: where indexes are kept, and one of them.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::embedded::{self, Generation, Shared};
use super::meili::{self, MeiliIndex};
use super::{Ask, Change, EngineError, EngineResult, Found, Progress, Tuning};
use crate::app::behind;
use crate::search::Kind;

/// Work on the embedded index, on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> EngineResult<T> + Send + 'static) -> EngineResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| EngineError("work on the index panicked".into()))?
}

/// The same for what nobody waits for: it gives way. Threads that an index keeps are those of who opened it.
async fn giving_way<T: Send + 'static>(work: impl FnOnce() -> EngineResult<T> + Send + 'static) -> EngineResult<T> {
    behind::run(work).await.map_err(|error| EngineError(format!("work on the index: {error}")))?
}

/// An index. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Index {
    Embedded(Shared),
    Meili(Arc<MeiliIndex>),
}

impl Index {
    /// The embedded one.
    #[must_use]
    pub const fn embedded(&self) -> Option<&Shared> {
        match self {
            Self::Embedded(index) => Some(index),
            Self::Meili(_) => None,
        }
    }

    /// What tells it from one that was before it, and from one that replaces it.
    #[must_use]
    pub fn generation(&self) -> String {
        match self {
            Self::Embedded(index) => index.dir().display().to_string(),
            Self::Meili(index) => index.generation().to_owned(),
        }
    }

    /// Writes changes and how far they bring the index; returns once they can be found.
    pub async fn write(&self, changes: Vec<Change>, progress: &Progress) -> EngineResult<()> {
        match self {
            Self::Embedded(index) => {
                let (index, progress) = (Shared::clone(index), progress.clone());
                giving_way(move || Generation::write(&index, &changes, &progress)).await
            }
            Self::Meili(index) => index.write(changes, progress).await,
        }
    }

    /// How many documents of each kind it holds.
    pub async fn counts(&self) -> EngineResult<BTreeMap<Kind, u64>> {
        match self {
            Self::Embedded(index) => {
                let index = Shared::clone(index);
                giving_way(move || index.counts()).await
            }
            Self::Meili(index) => index.counts().await,
        }
    }

    /// The ids of a kind that it holds.
    pub async fn ids(&self, of: Kind) -> EngineResult<HashSet<i64>> {
        match self {
            Self::Embedded(index) => {
                let index = Shared::clone(index);
                giving_way(move || index.ids(of)).await
            }
            Self::Meili(index) => index.ids(of).await,
        }
    }

    /// Documents and bytes.
    pub async fn size(&self) -> EngineResult<(u64, u64)> {
        match self {
            Self::Embedded(index) => {
                let index = Shared::clone(index);
                giving_way(move || Ok((index.len(), index.bytes()))).await
            }
            Self::Meili(index) => index.size().await,
        }
    }

    /// Answers a question. `turn` ends with the work, not with whoever waits for it.
    pub async fn search(&self, ask: Ask, turn: Option<OwnedSemaphorePermit>) -> EngineResult<Found> {
        match self {
            Self::Embedded(index) => {
                let index = Shared::clone(index);
                let work = move || {
                    let _turn = turn;
                    index.search(&ask)
                };
                blocking(work).await
            }
            Self::Meili(index) => index.search(&ask).await,
        }
    }
}

/// Where indexes are kept.
#[derive(Clone, Debug)]
pub enum Home {
    Embedded(Arc<embedded::Home>),
    Meili(meili::Home),
}

impl Home {
    /// Takes a folder for an embedded index.
    pub async fn embedded(data_dir: PathBuf) -> EngineResult<Self> {
        giving_way(move || Ok(Self::Embedded(embedded::Home::open(&data_dir)?.into()))).await
    }

    /// What the index is called among those of the hub.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(home) => home.name().to_owned(),
            Self::Meili(home) => home.name(),
        }
    }

    /// The engine's.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "tantivy",
            Self::Meili(_) => "meilisearch",
        }
    }

    /// The index that answers, if it can be gone on with.
    pub async fn current(&self, epoch: &str) -> EngineResult<Option<(Index, Progress)>> {
        match self {
            Self::Embedded(home) => {
                let (home, epoch) = (Arc::clone(home), epoch.to_owned());
                let found = giving_way(move || home.current(&epoch, &Tuning::default())).await?;
                Ok(found.map(|(index, progress)| (Index::Embedded(index.into()), progress)))
            }
            Self::Meili(home) => {
                Ok(home.current().await?.map(|(index, progress)| (Index::Meili(index.into()), progress)))
            }
        }
    }

    /// A new, empty index that does not answer yet.
    pub async fn fresh(&self) -> EngineResult<Index> {
        match self {
            Self::Embedded(home) => {
                let home = Arc::clone(home);
                giving_way(move || Ok(Index::Embedded(home.fresh(&Tuning::default())?.into()))).await
            }
            Self::Meili(home) => Ok(Index::Meili(home.fresh().await?.into())),
        }
    }

    /// From now on this index answers; what it is written through from then on.
    pub async fn adopt(&self, index: &Index) -> EngineResult<Index> {
        match (self, index) {
            (Self::Embedded(home), Index::Embedded(generation)) => {
                let (home, generation) = (Arc::clone(home), Shared::clone(generation));
                giving_way(move || home.adopt(&generation)).await?;
                Ok(index.clone())
            }
            (Self::Meili(home), Index::Meili(index)) => Ok(Index::Meili(home.adopt(index).await?.into())),
            _ => Err(EngineError("an index of another engine".into())),
        }
    }

    /// Whether an index is still where it was.
    pub async fn is_there(&self, index: &Index) -> EngineResult<bool> {
        match (self, index) {
            (Self::Embedded(home), Index::Embedded(index)) => Ok(home.is_there(index)),
            (Self::Meili(home), Index::Meili(index)) => home.is_there(index).await,
            _ => Ok(false),
        }
    }

    /// Removes an index that was replaced, if nobody reads it any more; whether it is gone.
    #[must_use]
    pub fn remove(&self, index: &Index) -> bool {
        if let Index::Embedded(index) = index {
            if Shared::strong_count(index) > 1 {
                return false;
            }
            let _left = std::fs::remove_dir_all(index.dir());
        }
        true
    }
}
