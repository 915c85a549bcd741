//! Opening the hub, serving it and stopping it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use sea_orm::EntityTrait as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::behind;
use super::config::Config;
use super::health::{Leaving, Readiness};
use super::node::{self, Node};
use super::private;
use super::secrets::{Secrets, random_token};
use super::serving;
use super::state::{AppState, Parts};
use crate::entities::setting;
use crate::features::{self, accounts, chat, forum, hub, library, playbooks, spaces};
use crate::jobs::{self, Lane};
use crate::ports::search::meili;
use crate::ports::{blobs::Blobs, clock::Clock, mailer::Mailer, scanner::Scanner};
use crate::realtime::bus::{self, Link, Outgoing, Reached};
use crate::realtime::{Bus, Hub, Sockets};
use crate::search::{Search, Wishes, follow};
use crate::store::{Change, CommitSink, Ids, Store, Writer, change_schema, connect, look, one_line, refuse_newer};
use crate::streams::rights::Heard;
use crate::streams::{Committed, Heads, Relay, Stream, log_head};
use crate::web::headers;
use crate::web::metrics::Metrics;
use crate::web::rate_limit::Limits;
use crate::web::sessions::Sessions;

/// An opened hub without its web server: for the command line, and inside `start`.
pub struct Opened {
    pub state: AppState,
    relay: Relay,
    receiver: mpsc::Receiver<Vec<Committed>>,
    mailbag: chat::Mailbag,
    /// Set if the hub has other nodes.
    outgoing: Option<Outgoing>,
    node: Arc<Node>,
    wishes: Wishes,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

fn make_data_dir(config: &Config) -> Result<(), String> {
    private::make_dir(&config.data_dir)
        .map_err(|error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display()))
}

/// Chooses how this process does TLS; doing it twice changes nothing.
pub fn prepare_tls() {
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
}

/// Looks at the database before anything is written: whoever cannot use it leaves nothing half done. What
/// lies in a file is looked at once that is ours.
pub async fn look_first(config: &Config) -> Result<(), String> {
    let fault = |error: String| format!("PRAXIS_DATABASE_URL: {error}");
    let Some(path) = config.embedded() else {
        prepare_tls();
        return look(&config.database()).await.map_err(fault);
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if config.database_url.is_some()
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        // The data directory is made, with those above it.
        && !absolute(&config.data_dir).starts_with(absolute(folder))
    {
        return Err(fault(format!("there is no directory {}; make it, or correct the path", folder.display())));
    }
    Ok(())
}

/// Opens the database (migrating it), the stores and the secrets. Errors are one line.
pub async fn open_hub(config: Config, clock: Clock) -> Result<Opened, String> {
    look_first(&config).await?;
    open(config, clock).await
}

async fn open(config: Config, clock: Clock) -> Result<Opened, String> {
    make_data_dir(&config)?;
    let serving = serving::share(&config)?;
    prepare_tls();
    let connections = connect(&config.database()).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    refuse_newer(&connections.writer).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    let secrets = Secrets::load(config.secret_key.as_deref(), &config.data_dir)?;
    change_schema(&config.database(), &connections, Change::Up)
        .await
        .map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    let (process, epoch) = introduce(&connections.writer, clock.now())
        .await
        .map_err(|error| one_line(&format!("PRAXIS_DATABASE_URL: the database cannot be written ({error})")))?;
    let mut reader = connections.reader.clone();
    if config.count_queries {
        reader.set_metric_callback(|_| crate::web::metrics::count_query());
    }
    let heads = Heads::default();
    let hub = Hub::default();
    let worker = jobs::Worker::default();
    let sessions = Sessions::new(secrets.clone());
    let withdraw = node::withdraw(hub.clone(), sessions.clone());
    let heard = Heard::default();
    let (relay, receiver) = Relay::new(
        reader.clone(),
        heads.clone(),
        hub.clone(),
        features::filler(),
        Arc::clone(&withdraw),
        heard.clone(),
    );
    let (bus, outgoing) = match &config.redis_url {
        None => (Bus::default(), None),
        Some(url) => {
            let link = Link::new(url, &epoch, &secrets, process, clock.clone());
            let (link, outgoing) = link.map_err(|error| format!("PRAXIS_REDIS_URL: {error}"))?;
            (Bus::through(link), Some(outgoing))
        }
    };
    // What was withdrawn before this process began is not in its memory.
    let rights = log_head(&reader, Stream::RIGHTS).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    heard.start_at(rights.head);
    let slow_down = accounts::SlowDown::new(bus.clone());
    let (search, wishes) = Search::new();
    let node = Arc::new(Node {
        search: search.clone(),
        relay: relay.clone(),
        hub: hub.clone(),
        jobs: worker.clone(),
        bus: bus.clone(),
        slow_down: slow_down.clone(),
        withdraw,
        heard,
    });
    let sink: Arc<dyn CommitSink> = Arc::<Node>::clone(&node);
    let writer = Writer::start(&connections, Ids::new(process), clock.clone(), sink)
        .map_err(|error| format!("the writer cannot start ({error})"))?;
    let blobs = Blobs::open(&config.storage, &config.aws)?;
    let mailer = Mailer::new(config.smtp_url.as_deref(), &config.mail_from);
    let (sender, mailbag) = chat::Sender::new();
    let state = AppState::new(Parts {
        sender,
        search,
        leaving: Leaving::default(),
        readiness: Readiness::default(),
        limits: Limits::new(config.rate_limit, bus.clone()),
        slow_down,
        bus,
        clock,
        secrets,
        store: Store::new(reader, writer),
        heads,
        hub,
        relay: relay.clone(),
        jobs: worker,
        blobs,
        mailer,
        scanner: Scanner::new(config.clamd.clone()),
        sessions,
        metrics: Metrics::default(),
        settings: hub::Settings::default(),
        spaces: spaces::Directory::default(),
        pages: forum::PageCache::default(),
        addresses: playbooks::Addresses::default(),
        shelves: playbooks::Shelves::default(),
        exports: playbooks::Exports::default(),
        downloads: library::files::Counted::default(),
        epoch,
        origin: OnceLock::new(),
        scheduled: std::sync::Mutex::default(),
        _serving: serving,
        config,
    });
    if let Some(url) = &state.config.base_url {
        let _first = state.origin.set(url.origin().ascii_serialization().into());
    }
    Ok(Opened { state, relay, receiver, mailbag, outgoing, node, wishes })
}

/// A number for this process and the hub's epoch, from the database.
async fn introduce(db: &sea_orm::DatabaseConnection, now: i64) -> Result<(i64, Arc<str>), sea_orm::DbErr> {
    use sea_orm::sea_query::OnConflict;
    use sea_orm::{ActiveValue::Set, ColumnTrait as _, QueryFilter as _, TransactionTrait as _};
    let tx = db.begin().await?;
    for (key, value) in [("process", "0".to_owned()), ("epoch", random_token().chars().take(12).collect())] {
        let row = setting::ActiveModel { key: Set(key.into()), value: Set(value), updated_at: Set(now) };
        setting::Entity::insert(row)
            .on_conflict(OnConflict::column(setting::Column::Key).do_nothing().to_owned())
            .exec_without_returning(&tx)
            .await?;
    }
    // The update locks the row, so two processes that start together get two numbers.
    setting::Entity::update_many()
        .col_expr(setting::Column::UpdatedAt, sea_orm::sea_query::Expr::value(now))
        .filter(setting::Column::Key.eq("process"))
        .exec(&tx)
        .await?;
    let last = setting::Entity::find_by_id("process").one(&tx).await?;
    let process = last.and_then(|row| row.value.parse::<i64>().ok()).unwrap_or(0) + 1;
    setting::Entity::update_many()
        .col_expr(setting::Column::Value, sea_orm::sea_query::Expr::value(process.to_string()))
        .filter(setting::Column::Key.eq("process"))
        .exec(&tx)
        .await?;
    let epoch = setting::Entity::find_by_id("epoch").one(&tx).await?.map(|row| row.value).unwrap_or_default();
    tx.commit().await?;
    Ok((process, epoch.into()))
}

impl Opened {
    /// Ends a hub that was opened for the command line.
    pub async fn close(self) {
        self.state.store.close().await;
    }
}

/// A serving hub.
pub struct Running {
    pub state: AppState,
    /// Where it listens.
    pub address: SocketAddr,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How long the hub's own tasks may take to end, after the last request.
const ENDS_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Starts serving; returns once the hub listens.
pub async fn start(config: Config, clock: Clock) -> Result<Running, String> {
    let bind = config.bind.clone();
    let workers = config.workers;
    // The port first: a hub that cannot listen should not touch its data.
    let listener = TcpListener::bind(&bind).map_err(|error| {
        format!("PRAXIS_BIND: cannot listen on {bind} ({error}); choose a free port, such as 127.0.0.1:0")
    })?;
    let address = listener.local_addr().map_err(|error| format!("PRAXIS_BIND: {error}"))?;
    // What will never work stops the start before anything is touched.
    look_first(&config).await?;
    if let Some(url) = &config.redis_url {
        match bus::reach(url, "praxis:start").await.map_err(|error| format!("PRAXIS_REDIS_URL: {error}"))? {
            Reached::Yes => {}
            Reached::Away(why) => tracing::warn!(
                "PRAXIS_REDIS_URL: {why}; the hub starts without its bus: start it, or correct host and port"
            ),
        }
    }
    if let Some(server) = meili::server(&config)?
        && let meili::Reached::Away(why) = server.reach().await?
    {
        tracing::warn!("PRAXIS_MEILI_URL: {why}; the hub starts without its search");
    }
    make_data_dir(&config)?;
    Blobs::open(&config.storage, &config.aws)?.prove().await?;
    let Opened { state, relay, receiver, mailbag, outgoing, node, wishes } = open(config, clock).await?;
    let _set = state.origin.set(format!("http://{address}").into());
    features::prepare(&state).await.map_err(|error| format!("the hub cannot be prepared ({error})"))?;
    let (stop, stopping) = watch::channel(false);
    let mut tasks = vec![
        spawn(relay.run(receiver)),
        spawn(chat::Sender::run(state.clone(), mailbag, stopping.clone())),
        spawn(state.hub.clone().run_live(state.clone(), stopping.clone())),
    ];
    for lane in Lane::ALL {
        for _ in 0..lane.workers() {
            tasks.push(spawn(state.jobs.clone().run(state.clone(), lane, stopping.clone())));
        }
    }
    if let Some(outgoing) = outgoing {
        tasks.push(spawn(state.bus.clone().run(outgoing, node, stopping.clone())));
    }
    let server = serve(&state, listener, workers).map_err(|error| format!("PRAXIS_BIND: {error}"))?;
    // What can be found may come a moment later when the hub is busy; what is said may not. The last that may
    // fail: a thread goes on until it is told to stop.
    let following = behind::task(follow::run(state.clone(), wishes, stopping))
        .map_err(|error| format!("the follower of the search index cannot start ({error})"))?;
    tasks.push(spawn(following));
    let handle = server.handle();
    let serving = spawn(server);
    Ok(Running { state, address, server: handle, serving, stop, tasks })
}

#[expect(clippy::disallowed_methods, reason = "the tasks of the hub itself, joined or ended by Running::stop")]
fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

fn serve(state: &AppState, listener: TcpListener, workers: usize) -> std::io::Result<actix_web::dev::Server> {
    let state = state.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::Data::new(Sockets::new(&state.hub)))
            .wrap(from_fn(headers::around))
            .wrap(Compress::default())
            .wrap(from_fn(headers::vary_once))
            .configure(super::routes::configure)
    })
    .workers(workers)
    .on_connect(|connection, _| {
        // Frames are small and must not wait for each other.
        if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
            && let Err(error) = stream.set_nodelay(true)
        {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    })
    .keep_alive(std::time::Duration::from_secs(75))
    .client_request_timeout(std::time::Duration::from_secs(15))
    .shutdown_timeout(15)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

impl Running {
    /// Drains: no new connections, requests end, sockets close with 1001, tasks end, the
    /// writer writes what is queued.
    pub async fn stop(self) {
        self.state.hub.leave();
        self.server.stop(true).await;
        let _served = self.serving.await;
        let _told = self.stop.send(true);
        let mut tasks = self.tasks.into_iter();
        // The relay has no end of its own: whoever comes back reads the log.
        if let Some(relay) = tasks.next() {
            relay.abort();
        }
        let until = tokio::time::Instant::now() + ENDS_WITHIN;
        for task in tasks {
            let ending = task.abort_handle();
            if tokio::time::timeout_at(until, task).await.is_err() {
                // What it had begun is a lease that runs out, or a log that is read on.
                tracing::warn!("a part of the hub does not end, and is cut off");
                ending.abort();
            }
        }
        self.state.store.close().await;
        crate::store::close_readers(self.state.store.read()).await;
    }
}
