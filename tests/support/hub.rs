//! One hub per test, in this process, on a database of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use praxis_server::app::{AppState, Config, Running, start};
use praxis_server::ports::clock::Clock;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::client::Client;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    Postgres,
}

/// A running hub.
pub struct TestHub {
    pub running: Option<Running>,
    pub clock: Clock,
    pub base: String,
    pub data_dir: PathBuf,
    pub settings: BTreeMap<String, String>,
    postgres: Option<(String, String)>,
    names: AtomicU32,
    jobs_may_fail: AtomicBool,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);
static TOLD: LazyLock<Mutex<bool>> = LazyLock::new(Mutex::default);

/// Runs a test body on a fresh hub; afterwards no job may be left or have failed, and no event be
/// undelivered.
pub fn run(db: Db, name: &str, body: impl AsyncFn(&TestHub)) {
    run_with(db, name, &[], body);
}

/// The same with settings over the tests' own.
pub fn run_with(db: Db, name: &str, settings: &[(&str, &str)], body: impl AsyncFn(&TestHub)) {
    if db == Db::Postgres && std::env::var("PRAXIS_TEST_POSTGRES_URL").is_err() {
        let mut told = TOLD.lock().unwrap();
        if !*told {
            *told = true;
            super::not_run("tests on PostgreSQL (PRAXIS_TEST_POSTGRES_URL is not set)");
        }
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let hub = TestHub::start(db, name, settings).await;
        body(&hub).await;
        hub.finish().await;
    });
}

impl TestHub {
    /// Starts a hub with these settings over the tests' own.
    pub async fn start(db: Db, name: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_as(db, name, settings, |_| {}).await
    }

    /// The same with what no setting says.
    pub async fn start_as(db: Db, name: &str, settings: &[(&str, &str)], change: impl FnOnce(&mut Config)) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let data_dir = std::env::temp_dir().join(format!("praxis-test-{}-{number}", std::process::id()));
        let mut values: BTreeMap<String, String> = BTreeMap::from([
            ("bind".into(), "127.0.0.1:0".into()),
            ("data_dir".into(), data_dir.display().to_string()),
            ("workers".into(), "1".into()),
        ]);
        let postgres = match db {
            Db::Sqlite => None,
            Db::Postgres => {
                let admin = std::env::var("PRAXIS_TEST_POSTGRES_URL").unwrap();
                let database = format!("praxis_test_{}_{number}", std::process::id());
                let connection = sea_orm::Database::connect(&admin).await.unwrap();
                connection.execute_unprepared(&format!("CREATE DATABASE {database}")).await.unwrap();
                connection.close().await.unwrap();
                let mut url = url::Url::parse(&admin).unwrap();
                url.set_path(&database);
                values.insert("database_url".into(), url.to_string());
                Some((admin, database))
            }
        };
        for (key, value) in settings {
            values.insert((*key).to_owned(), (*value).to_owned());
        }
        let mut config = Config::from_values(&values).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        config.count_queries = true;
        config.program = super::program::binary();
        change(&mut config);
        let clock = Clock::default();
        let running = start(config, clock.clone()).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let base = format!("http://{}", running.address);
        Self {
            running: Some(running),
            clock,
            base,
            data_dir,
            settings: values,
            postgres,
            names: AtomicU32::new(0),
            jobs_may_fail: AtomicBool::new(false),
        }
    }

    pub fn state(&self) -> &AppState {
        &self.running.as_ref().unwrap().state
    }

    /// Stops the hub and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.resume().await;
    }

    /// Stops the hub; its data stays.
    pub async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    /// Starts it again.
    pub async fn resume(&mut self) {
        let mut config = Config::from_values(&self.settings).unwrap();
        config.count_queries = true;
        config.program = super::program::binary();
        let running = start(config, self.clock.clone()).await.unwrap();
        self.base = format!("http://{}", running.address);
        self.running = Some(running);
    }

    /// Somebody without an account, without cookies kept from elsewhere.
    pub fn visitor(&self) -> Client {
        Client::new(&self.base)
    }

    /// Registers a member by the API; the client signs in by bearer token. The first one of a
    /// hub is its administrator.
    pub async fn member(&self, handle: &str) -> Client {
        let body = json!({
            "handle": handle,
            "display_name": format!("{} Example", handle),
            "email": format!("{handle}@example.org"),
            "password": password(handle),
        });
        let answer = self.visitor().post("/api/v1/auth/register", &body).await;
        assert_eq!(answer.status, 201, "registering {handle}: {}", answer.text);
        let json = answer.json();
        let mut client = Client::new(&self.base);
        client.handle = handle.to_owned();
        client.bearer = json["access_token"].as_str().map(str::to_owned);
        client
    }

    /// A space made by this client, with a slug of its own.
    pub async fn space(&self, owner: &Client, visibility: &str) -> String {
        let slug = format!("space-{}", self.names.fetch_add(1, Ordering::Relaxed));
        let body = json!({"slug": slug, "name": format!("Space {slug}"), "description": "", "visibility": visibility});
        let answer = owner.post("/api/v1/spaces", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        slug
    }

    /// A topic; its JSON.
    pub async fn topic(&self, author: &Client, space: &str, title: &str) -> Value {
        let body = json!({"title": title, "body": format!("The text of {title}."), "kind": "question", "tags": []});
        let answer = author.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// A reply; its JSON.
    pub async fn reply(&self, author: &Client, topic: &str, parent: Option<&str>, text: &str) -> Value {
        let body = json!({"body": text, "parent_id": parent});
        let answer = author.post(&format!("/api/v1/topics/{topic}/posts"), &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// Waits until every due job has run.
    pub async fn settle(&self) {
        let within = std::time::Duration::from_secs(20);
        let state = self.state();
        let settled = tokio::time::timeout(within, async {
            loop {
                use praxis_server::entities::{job, kinds::JobState};
                let next: Option<i64> = job::Entity::find()
                    .select_only()
                    .column(job::Column::RunAt)
                    .filter(job::Column::State.is_in([JobState::Ready, JobState::Running]))
                    .order_by_asc(job::Column::RunAt)
                    .limit(1)
                    .into_tuple()
                    .one(state.store.read())
                    .await
                    .unwrap();
                // The time after the look: what a job queued while it waited for its turn is due, too.
                if next.is_none_or(|at| at > state.clock.now()) && state.relay.waiting() == 0 {
                    return;
                }
                crate::support::nodes::a_moment().await;
            }
        });
        assert!(settled.await.is_ok(), "jobs or unrelayed events are left");
    }

    /// Jobs fail in this test, as it wants them to.
    pub fn expect_failing_jobs(&self) {
        self.jobs_may_fail.store(true, Ordering::Relaxed);
    }

    /// Jobs that were given up, or wait to be tried again; those that went well have left no row.
    async fn failed_jobs(&self) -> Vec<String> {
        use praxis_server::entities::{job, kinds::JobState};
        // A log that somebody reads is flushed later, and a database that was busy is asked again.
        let put_off = |of: &job::Model, error: &str| {
            let waits = of.kind == "moderation.forget" || error.starts_with("A part of the hub is away");
            waits && of.state != JobState::Dead
        };
        let rows = job::Entity::find().all(self.state().store.read()).await.unwrap();
        rows.iter()
            .filter_map(|of| of.last_error.as_deref().filter(|error| !put_off(of, error)).map(|error| (of, error)))
            .map(|(of, error)| format!("{} ({:?}, attempt {}): {error}", of.kind, of.state, of.attempts))
            .collect()
    }

    /// Ends the hub; jobs or unrelayed events that are left fail the test, and so do jobs that failed.
    pub async fn finish(mut self) {
        self.settle().await;
        if !self.jobs_may_fail.load(Ordering::Relaxed) {
            let failed = self.failed_jobs().await;
            assert!(failed.is_empty(), "jobs failed: {failed:?}");
        }
        let index = format!("praxis-{}", self.state().epoch);
        self.running.take().unwrap().stop().await;
        super::meili::remove(&self.settings, &index).await;
        if let Some((admin, database)) = self.postgres.take() {
            let connection = sea_orm::Database::connect(&admin).await.unwrap();
            connection.execute_unprepared(&format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
            connection.close().await.unwrap();
        }
        let _removed = std::fs::remove_dir_all(&self.data_dir);
    }
}

/// A password that passes, and differs by member.
pub fn password(handle: &str) -> String {
    format!("correct-{handle}-battery-staple")
}
