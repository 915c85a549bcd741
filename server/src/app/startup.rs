//! Opening the hub, serving it and stopping it.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use praxis_migration::{Migrator, MigratorTrait as _};
use sea_orm::EntityTrait as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::config::Config;
use super::private;
use super::secrets::{Secrets, random_token};
use super::state::{AppState, Parts};
use crate::entities::setting;
use crate::features::{self, accounts, chat, forum, hub, spaces};
use crate::jobs;
use crate::ports::{blobs::Blobs, clock::Clock, mailer::Mailer};
use crate::realtime::{Hub, Sockets};
use crate::store::{After, CommitSink, Ids, Store, Writer, connect};
use crate::streams::{Committed, Heads, Relay};
use crate::web::headers;
use crate::web::metrics::Metrics;
use crate::web::rate_limit::Limits;
use crate::web::sessions::Sessions;

/// What happens in this process after a commit, before the writer's caller is answered.
struct Sink {
    relay: Relay,
    hub: Hub,
    sessions: Sessions,
    jobs: jobs::Worker,
}

impl CommitSink for Sink {
    fn committed(&self, events: Vec<Committed>, after: Vec<After>) {
        // Withdrawals first: no event of this commit reaches somebody who may no longer see it.
        for what in after {
            match &what {
                After::EndSession(session) => self.sessions.forget_session(*session),
                After::Suspend(member) | After::Access(member) => self.sessions.forget_member(*member),
                After::SpaceAccess(_) | After::Follows(_) => {}
                // The follower of the log looks for itself.
                After::Index => continue,
                After::Jobs => {
                    self.jobs.wake();
                    continue;
                }
            }
            self.hub.control(what);
        }
        self.hub.note_activity(&events);
        self.relay.publish(events);
    }
}

/// An opened hub without its web server: for the command line, and inside `start`.
pub struct Opened {
    pub state: AppState,
    relay: Relay,
    receiver: mpsc::Receiver<Vec<Committed>>,
    mailbag: chat::Mailbag,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

/// Opens the database (migrating it), the stores and the secrets. Errors are one line.
pub async fn open_hub(config: Config, clock: Clock) -> Result<Opened, String> {
    // Who encrypts connections to others; once a process, the first time counts.
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
    let fault = |error: &dyn std::fmt::Display| {
        format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display())
    };
    private::make_dir(&config.data_dir).map_err(|error| fault(&error))?;
    let secrets = Secrets::load(config.secret_key.as_deref(), &config.data_dir)?;
    let connections = connect(&config.database()).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    Migrator::up(&connections.writer, None)
        .await
        .map_err(|error| format!("PRAXIS_DATABASE_URL: the schema cannot be brought up to date ({error})"))?;
    let (process, epoch) = introduce(&connections.writer, clock.now())
        .await
        .map_err(|error| format!("PRAXIS_DATABASE_URL: the database cannot be written ({error})"))?;
    let mut reader = connections.reader.clone();
    if config.count_queries {
        reader.set_metric_callback(|_| crate::web::metrics::count_query());
    }
    let heads = Heads::default();
    let hub = Hub::default();
    let worker = jobs::Worker::default();
    let sessions = Sessions::new(secrets.clone());
    let (relay, receiver) = Relay::new(reader.clone(), heads.clone(), hub.clone(), features::filler());
    let sink = Sink { relay: relay.clone(), hub: hub.clone(), sessions: sessions.clone(), jobs: worker.clone() };
    let writer = Writer::start(&connections, Ids::new(process), clock.clone(), Arc::new(sink))
        .map_err(|error| format!("the writer cannot start ({error})"))?;
    let blobs = Blobs::in_folder(&config.storage_dir)?;
    let mailer = Mailer::new(config.smtp_url.as_deref(), &config.mail_from);
    let (sender, mailbag) = chat::Sender::new();
    let state = AppState::new(Parts {
        sender,
        limits: Limits::new(config.rate_limit),
        slow_down: accounts::SlowDown::default(),
        clock,
        secrets,
        store: Store::new(reader, writer),
        heads,
        hub,
        relay: relay.clone(),
        jobs: worker,
        blobs,
        mailer,
        sessions,
        metrics: Metrics::default(),
        settings: hub::Settings::default(),
        spaces: spaces::Directory::default(),
        pages: forum::PageCache::default(),
        epoch,
        origin: OnceLock::new(),
        scheduled: std::sync::Mutex::default(),
        config,
    });
    if let Some(url) = &state.config.base_url {
        let _first = state.origin.set(url.origin().ascii_serialization().into());
    }
    Ok(Opened { state, relay, receiver, mailbag })
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

/// Starts serving; returns once the hub listens.
pub async fn start(config: Config, clock: Clock) -> Result<Running, String> {
    let bind = config.bind.clone();
    let workers = config.workers;
    // The port first: a hub that cannot listen should not touch its data.
    let listener = TcpListener::bind(&bind).map_err(|error| {
        format!("PRAXIS_BIND: cannot listen on {bind} ({error}); choose a free port, such as 127.0.0.1:0")
    })?;
    let address = listener.local_addr().map_err(|error| format!("PRAXIS_BIND: {error}"))?;
    let Opened { state, relay, receiver, mailbag } = open_hub(config, clock).await?;
    let _set = state.origin.set(format!("http://{address}").into());
    features::prepare(&state).await.map_err(|error| format!("the hub cannot be prepared ({error})"))?;
    let (stop, stopping) = watch::channel(false);
    let tasks = vec![
        spawn(relay.run(receiver)),
        spawn(state.jobs.clone().run(state.clone(), stopping.clone())),
        spawn(chat::Sender::run(state.clone(), mailbag, stopping.clone())),
        spawn(state.hub.clone().run_live(state.clone(), stopping)),
    ];
    let server = serve(&state, listener, workers).map_err(|error| format!("PRAXIS_BIND: {error}"))?;
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
        for task in tasks {
            let _ended = task.await;
        }
        self.state.store.close().await;
        crate::store::close_readers(self.state.store.read()).await;
    }
}
