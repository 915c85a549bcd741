//! Whether the hub lives, and whether it can serve.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::AppState;
use crate::locks::locked;
use crate::ports::clock::rfc3339;
use crate::realtime::bus::BusState;
use crate::web::error::AppError;

/// `GET /healthz`
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// How long a hub that is told to stop still serves, so that a proxy sees that it is not ready and
/// sends its requests elsewhere.
const SEEN_WITHIN: Duration = Duration::from_secs(3);
/// A proxy asks more often than this; where nobody asked for so long, nobody is waited for.
const ASKED_WITHIN: Duration = Duration::from_secs(60);

/// The hub's way out: first it says that it is not ready, then it stops.
#[derive(Debug, Default)]
pub struct Leaving {
    begun: AtomicBool,
    /// When somebody last asked whether the hub is ready.
    asked: Mutex<Option<Instant>>,
}

impl Leaving {
    /// From here on the hub is not ready; how long it should go on serving for those who ask.
    pub fn begin(&self) -> Duration {
        self.begun.store(true, Ordering::SeqCst);
        let asked = *locked(&self.asked);
        if asked.is_some_and(|at| at.elapsed() < ASKED_WITHIN) { SEEN_WITHIN } else { Duration::ZERO }
    }

    /// Whether the hub is on its way out.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }

    /// Somebody asks; whether the hub is on its way out.
    fn ask(&self) -> bool {
        *locked(&self.asked) = Some(Instant::now());
        self.has_begun()
    }
}

/// Whether the nodes hear each other, and if not, since when.
fn bus(state: &AppState) -> Value {
    match state.bus.state() {
        BusState::Memory => json!({ "state": "memory" }),
        BusState::Connected => json!({
            "state": "connected",
            "others": state.bus.figures().map_or(0, |figures| figures.others),
        }),
        BusState::Degraded(since) => json!({ "state": "degraded", "since": rfc3339(since) }),
    }
}

/// How long a part has to answer: whoever asks waits little longer himself.
const WITHIN: Duration = Duration::from_secs(1);

/// What a part answers in time.
pub async fn within<T>(asked: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(WITHIN, asked).await.ok()
}

/// Whether the database answers.
pub async fn database_answers(state: &AppState) -> bool {
    // As an error of ours, so that a lost connection is noted.
    let asked = async { state.store.read().execute_unprepared("SELECT 1").await.map_err(AppError::from).is_ok() };
    within(asked).await.unwrap_or(false)
}

/// Whether the virus scanner answers, if there is one.
pub async fn scanner_answers(state: &AppState) -> Option<bool> {
    within(state.scanner.is_ready()).await.unwrap_or(Some(false))
}

/// What was found is told for so long: asking costs a probe of each part.
const KEPT: Duration = Duration::from_secs(1);

/// What the parts that have to be asked said last.
#[derive(Debug, Default)]
pub struct Readiness(tokio::sync::Mutex<Option<(Instant, Said)>>);

#[derive(Clone, Copy, Debug)]
struct Said {
    database: bool,
    storage: bool,
    scanner: Option<bool>,
    mail: Option<bool>,
}

impl Readiness {
    /// One look at a time, however many ask at once: they all get what it finds.
    async fn look(&self, state: &AppState) -> Said {
        let mut last = self.0.lock().await;
        if let Some((at, said)) = *last
            && at.elapsed() < KEPT
        {
            return said;
        }
        let (database, storage, scanner, mail) = tokio::join!(
            database_answers(state),
            within(state.blobs.is_ready()),
            scanner_answers(state),
            state.mailer.is_ready(WITHIN)
        );
        let said = Said { database, storage: storage.unwrap_or(false), scanner, mail };
        *last = Some((Instant::now(), said));
        said
    }
}

/// `GET /readyz`: 200 only while the database answers, and the hub is not about to stop; the rest
/// degrades, and holds up nothing.
pub async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let leaving = state.leaving.ask();
    let Said { database, storage, scanner, mail } = state.readiness.look(&state).await;
    let word = |good: bool| if good { "ok" } else { "down" };
    let mut body = json!({
        "status": if leaving { "leaving" } else { word(database) },
        "components": {
            "database": { "state": word(database) },
            "bus": bus(&state),
            "search": {
                "state": state.search.status().condition.as_str(),
                "kind": if state.config.meili_url.is_some() { "meilisearch" } else { "tantivy" },
            },
            "storage": { "state": word(storage) },
            "mail": { "state": mail.map_or("outbox", |good| if good { "ok" } else { "degraded" }) },
        },
    });
    // Only where there is one: uploads are held while it is away.
    if let Some(good) = scanner
        && let Some(components) = body.get_mut("components").and_then(serde_json::Value::as_object_mut)
    {
        components.insert("scanner".to_owned(), json!({ "state": word(good) }));
    }
    if database && !leaving {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().insert_header(("Retry-After", "2")).json(body)
    }
}
