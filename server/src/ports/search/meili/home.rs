//! Where the index of a hub is on the server: under the hub's epoch, so that hubs, and a hub and its
//! restored copy, never write into each other's.
//!
//! `praxis-EPOCH` answers. What replaces it is built as `praxis-EPOCH-next`, and the two are swapped
//! in one step.

use meilisearch_sdk::client::SwapIndexes;

use super::index::MeiliIndex;
use super::server::{Server, fault, is_absent};
use super::settings::settings;
use crate::app::secrets::random_token;
use crate::ports::search::{EngineError, EngineResult, Progress};

/// The names of a hub's indexes.
#[derive(Clone, Debug)]
pub struct Home {
    server: Server,
    epoch: String,
}

impl Home {
    #[must_use]
    pub fn new(server: Server, epoch: &str) -> Self {
        Self { server, epoch: epoch.to_owned() }
    }

    /// The name of the index that answers.
    #[must_use]
    pub fn name(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        format!("praxis-{}", self.epoch.chars().filter(|c| plain(*c)).collect::<String>())
    }

    fn next(&self) -> String {
        format!("{}-next", self.name())
    }

    /// The index that answers, as it stands there.
    pub async fn look(&self) -> EngineResult<Option<(MeiliIndex, Progress)>> {
        MeiliIndex::find(&self.server, &self.name()).await
    }

    /// The index that answers, if it can be gone on with, set up as this version has it.
    pub async fn current(&self) -> EngineResult<Option<(MeiliIndex, Progress)>> {
        let found = self.look().await?.filter(|(_, progress)| progress.is_good(&self.epoch));
        if let Some((index, _)) = &found {
            let task = index.index.set_settings(&settings()).await.map_err(fault)?;
            self.server.done(task).await?;
        }
        Ok(found)
    }

    /// A new, empty index that does not answer yet.
    pub async fn fresh(&self) -> EngineResult<MeiliIndex> {
        let (client, next) = (&self.server.client, self.next());
        self.remove(&next).await?;
        self.server.done(client.create_index(&next, Some("key")).await.map_err(fault)?).await?;
        let generation: String = random_token().chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        let fresh = MeiliIndex::new(&self.server, &next, generation);
        let task = fresh.index.set_settings(&settings()).await.map_err(fault)?;
        self.server.done(task).await?;
        Ok(fresh)
    }

    /// From now on this index answers; under which it is to be written.
    pub async fn adopt(&self, index: &MeiliIndex) -> EngineResult<MeiliIndex> {
        let (client, name, next) = (&self.server.client, self.name(), self.next());
        match client.get_raw_index(&name).await {
            Ok(_) => {}
            Err(error) if is_absent(&error) => {
                self.server.done(client.create_index(&name, Some("key")).await.map_err(fault)?).await?;
            }
            Err(error) => return Err(fault(error)),
        }
        let swap = SwapIndexes { indexes: (name.clone(), next.clone()), rename: None };
        self.server.done(client.swap_indexes([&swap]).await.map_err(fault)?).await?;
        self.remove(&next).await?;
        Ok(MeiliIndex::new(&self.server, &name, index.generation().to_owned()))
    }

    /// Whether an index is still what it was.
    pub async fn is_there(&self, index: &MeiliIndex) -> EngineResult<bool> {
        Ok(self.look().await?.is_some_and(|(found, _)| found.generation() == index.generation()))
    }

    async fn remove(&self, uid: &str) -> EngineResult<()> {
        match self.server.client.delete_index(uid).await {
            // One that is not there fails as a task, and is as well removed.
            Ok(task) => match self.server.done(task).await {
                Err(EngineError(said)) if said.contains("not found") => Ok(()),
                done => done,
            },
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }
}
