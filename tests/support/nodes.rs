//! Two nodes of one hub in this process: one database, one data folder, one clock.

use praxis_server::app::{AppState, Config, Running, start};
use praxis_server::realtime::bus::BusState;
use std::time::Duration;

use super::hub::{Db, TestHub};
use super::{Client, not_run};

/// How long anything may take on a busy machine.
const WITHIN: Duration = Duration::from_secs(20);

/// A hub with a second node.
pub struct Nodes {
    pub first: TestHub,
    pub second: Running,
    pub second_base: String,
}

/// How the nodes hear of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    /// Redis at this address.
    Redis(String),
    /// Only the log: the bus is away for good.
    Log,
}

/// Runs a test body on two nodes on PostgreSQL, once through Redis and once with the log alone.
pub fn on_two_nodes(name: &str, body: impl AsyncFn(&Nodes, &Through)) {
    for through in [redis(), Some(Through::Log)].into_iter().flatten() {
        with(name, &through, &[], &body);
    }
}

/// The same through Redis alone.
pub fn through_redis(name: &str, settings: &[(&str, &str)], body: impl AsyncFn(&Nodes, &Through)) {
    if let Some(through) = redis() {
        with(name, &through, settings, &body);
    }
}

fn redis() -> Option<Through> {
    let url = std::env::var("PRAXIS_TEST_REDIS_URL").ok().map(Through::Redis);
    if url.is_none() {
        not_run("a test of several nodes through Redis (PRAXIS_TEST_REDIS_URL is not set)");
    }
    url
}

fn with(name: &str, through: &Through, settings: &[(&str, &str)], body: &impl AsyncFn(&Nodes, &Through)) {
    if std::env::var("PRAXIS_TEST_POSTGRES_URL").is_err() {
        not_run("a test of several nodes (PRAXIS_TEST_POSTGRES_URL is not set)");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let nodes = Nodes::start(name, through, settings).await;
        body(&nodes, through).await;
        nodes.finish().await;
    });
}

impl Nodes {
    pub async fn start(name: &str, through: &Through, settings: &[(&str, &str)]) -> Self {
        let mut settings = settings.to_vec();
        if let Through::Redis(url) = through {
            settings.push(("redis_url", url));
        }
        let first = TestHub::start(Db::Postgres, name, &settings).await;
        let mut config = Config::from_values(&first.settings).unwrap();
        config.count_queries = true;
        config.program = super::program::binary();
        let second = start(config, first.clock.clone()).await.unwrap();
        let second_base = format!("http://{}", second.address);
        let nodes = Self { first, second, second_base };
        if matches!(through, Through::Redis(_)) {
            nodes.hear_each_other().await;
        }
        nodes
    }

    /// Waits until each node has heard of the other.
    pub async fn hear_each_other(&self) {
        for state in [self.first.state(), &self.second.state] {
            until("the nodes hear each other", async || {
                state.bus.state() == BusState::Connected && state.bus.figures().unwrap().others == 1
            })
            .await;
        }
    }

    pub fn states(&self) -> [&AppState; 2] {
        [self.first.state(), &self.second.state]
    }

    /// The same person on the second node.
    pub fn there(&self, client: &Client) -> Client {
        let mut copy = Client::new(&self.second_base);
        copy.handle.clone_from(&client.handle);
        copy.bearer.clone_from(&client.bearer);
        copy
    }

    pub async fn finish(self) {
        self.second.stop().await;
        self.first.finish().await;
    }
}

/// Between two looks at what is not so yet: whoever asks without a pause asks oftener than anybody may, and
/// takes the processor from what it waits for.
pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Waits until something is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            a_moment().await;
        }
    };
    assert!(tokio::time::timeout(WITHIN, waiting).await.is_ok(), "{what}");
}
