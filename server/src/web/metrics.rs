//! Numbers for operators: Prometheus text at `/metrics`, and queries counted by request for tests.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};

use super::error::{AppError, Result};
use crate::app::{AppState, health};
use crate::entities::{job, kinds::JobState, kinds::MailState, mail};
use crate::locks::locked;
use crate::ports::clock::SECOND;
use crate::realtime::bus::BusState;

/// Upper bounds of the latency histogram, seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

#[derive(Debug, Default, Clone)]
struct Series {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// Counters of this process.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, String, u16), Series>>,
    /// Runs of jobs by kind: how many, and how long in all.
    jobs: Mutex<BTreeMap<String, (u64, f64)>>,
}

impl Metrics {
    /// Notes a request by its route's template, never by its path.
    pub fn observe(&self, method: &Method, template: &str, status: u16, took: Duration) {
        let mut requests = locked(&self.requests);
        let series = requests.entry((known(method), template.to_owned(), status)).or_default();
        let seconds = took.as_secs_f64();
        for (bound, count) in BUCKETS.iter().zip(series.buckets.iter_mut()) {
            if seconds <= *bound {
                *count += 1;
            }
        }
        series.count += 1;
        series.seconds += seconds;
    }

    /// Notes a job that ran, whatever came of it. The kinds are words of ours, and few.
    pub fn observe_job(&self, kind: &str, took: Duration) {
        let mut jobs = locked(&self.jobs);
        let (count, seconds) = jobs.entry(kind.to_owned()).or_default();
        *count += 1;
        *seconds += took.as_secs_f64();
    }

    fn write_jobs(&self, text: &mut String) -> std::fmt::Result {
        let jobs = locked(&self.jobs).clone();
        text.push_str("# HELP praxis_job_seconds Time jobs ran on this node, by kind.\n");
        text.push_str("# TYPE praxis_job_seconds summary\n");
        for (kind, (count, seconds)) in &jobs {
            writeln!(text, "praxis_job_seconds_sum{{kind=\"{kind}\"}} {seconds}")?;
            writeln!(text, "praxis_job_seconds_count{{kind=\"{kind}\"}} {count}")?;
        }
        Ok(())
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let requests = locked(&self.requests).clone();
        text.push_str("# HELP praxis_http_request_seconds Time to answer by route template.\n");
        text.push_str("# TYPE praxis_http_request_seconds histogram\n");
        for ((method, route, status), series) in &requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (bound, count) in BUCKETS.iter().zip(series.buckets) {
                writeln!(text, "praxis_http_request_seconds_bucket{{{labels},le=\"{bound}\"}} {count}")?;
            }
            writeln!(text, "praxis_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} {}", series.count)?;
            writeln!(text, "praxis_http_request_seconds_sum{{{labels}}} {}", series.seconds)?;
            writeln!(text, "praxis_http_request_seconds_count{{{labels}}} {}", series.count)?;
        }
        Ok(())
    }
}

/// A method by its name. Clients can make up any; those count as one, so that memory has a bound.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

fn gauge(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    let written = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    debug_assert!(written.is_ok());
}

fn counter(text: &mut String, name: &str, help: &str, value: u64) {
    let written = writeln!(text, "# HELP {name}_total {help}\n# TYPE {name}_total counter\n{name}_total {value}");
    debug_assert!(written.is_ok());
}

/// `GET /metrics`: with the token, or from a direct loopback peer if there is none.
pub async fn serve(req: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse> {
    allowed(&req, &state)?;
    let db = state.store.read();
    let mut text = String::new();
    state.metrics.write(&mut text).map_err(|_| AppError::internal("metrics could not be written"))?;
    state.metrics.write_jobs(&mut text).map_err(|_| AppError::internal("metrics could not be written"))?;
    gauge(&mut text, "praxis_sockets", "Open sockets on this node.", state.hub.sockets());
    let cut = u64::try_from(state.hub.slow_readers()).unwrap_or(u64::MAX);
    counter(&mut text, "praxis_sockets_cut", "Readers cut off as too slow.", cut);
    gauge(&mut text, "praxis_streams_read", "Streams with readers on this node.", state.hub.streams());
    gauge(&mut text, "praxis_relay_waiting", "Commits not yet delivered to readers.", state.relay.waiting());
    let known = state.heads.streams().len();
    gauge(&mut text, "praxis_streams_known", "Streams whose head this node keeps in mind.", known);
    let compared = state.relay.compared().as_secs_f64();
    gauge(&mut text, "praxis_relay_compared_seconds", "Since heads were last compared with the database.", compared);
    let from_log = state.relay.from_log();
    counter(&mut text, "praxis_relay_from_log", "Events found in the log that nobody had handed over.", from_log);
    write_bus(&mut text, &state);
    // Parts are asked at once and for a second: whoever looks why one is away needs the others.
    let (up, counted, waiting, scanner) = tokio::join!(
        health::database_answers(&state),
        health::within(count_rows(db)),
        health::within(crate::features::library::waiting(&state)),
        health::scanner_answers(&state),
    );
    gauge(&mut text, "praxis_database_up", "1 while the database answers.", u8::from(up));
    if let Some(Ok([ready, running, dead, failed])) = counted {
        gauge(&mut text, "praxis_jobs_ready", "Jobs that wait.", ready);
        gauge(&mut text, "praxis_jobs_running", "Jobs that run.", running);
        gauge(&mut text, "praxis_jobs_dead", "Jobs given up.", dead);
        gauge(&mut text, "praxis_mail_failed", "Mails given up.", failed);
    }
    if let Some(Ok((scans, texts))) = waiting {
        gauge(&mut text, "praxis_library_scans_waiting", "Files held for the virus scanner.", scans);
        gauge(&mut text, "praxis_library_texts_waiting", "Files whose text is yet to be taken out.", texts);
    }
    if let Some(up) = scanner {
        gauge(&mut text, "praxis_scanner_up", "Whether the virus scanner answers.", i32::from(up));
    }
    let search = state.search.status();
    gauge(&mut text, "praxis_search_documents", "Documents in the index.", search.documents);
    gauge(&mut text, "praxis_search_bytes", "Size of the index.", search.bytes);
    gauge(&mut text, "praxis_search_commits", "Commits of this node's index since the start.", search.commits);
    gauge(&mut text, "praxis_search_repaired", "Documents put right by the self-check.", search.repaired);
    let behind = search.behind(state.clock.now()) as f64 / 1e6;
    gauge(&mut text, "praxis_search_behind_seconds", "Since this node's index last had everything.", behind);
    let up = i32::from(search.condition == crate::search::Condition::Good);
    gauge(&mut text, "praxis_search_up", "Whether this node's index has everything.", up);
    let (size, idle) = crate::store::pool_of(db);
    gauge(&mut text, "praxis_database_connections", "Open connections of the reading pool.", size);
    gauge(&mut text, "praxis_database_connections_idle", "Idle connections of the reading pool.", idle);
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// Jobs that wait, run and are dead, and mails given up.
async fn count_rows(db: &DatabaseConnection) -> Result<[u64; 4]> {
    let jobs = |of: JobState| job::Entity::find().filter(job::Column::State.eq(of)).count(db);
    Ok([
        jobs(JobState::Ready).await?,
        jobs(JobState::Running).await?,
        jobs(JobState::Dead).await?,
        mail::Entity::find().filter(mail::Column::State.eq(MailState::Failed)).count(db).await?,
    ])
}

fn write_bus(text: &mut String, state: &AppState) {
    let Some(figures) = state.bus.figures() else { return };
    let (connected, away) = match state.bus.state() {
        BusState::Degraded(since) => (0, (state.clock.now() - since).max(0) / SECOND),
        BusState::Memory | BusState::Connected => (1, 0),
    };
    gauge(text, "praxis_bus_connected", "1 while the nodes hear each other through Redis.", connected);
    gauge(text, "praxis_bus_degraded_seconds", "Since Redis is away; 0 while it is not.", away);
    gauge(text, "praxis_bus_others", "Other nodes that were heard of lately.", figures.others);
    counter(text, "praxis_bus_sent", "Frames told to the other nodes.", figures.sent);
    counter(text, "praxis_bus_received", "Frames heard from other nodes.", figures.received);
    counter(text, "praxis_bus_dropped", "What was not told, as Redis was away or slow.", figures.dropped);
    counter(text, "praxis_bus_strange", "Frames that no node of this hub made.", figures.strange);
    counter(text, "praxis_bus_returned", "How often the bus came to work.", figures.returned);
}

fn allowed(req: &HttpRequest, state: &AppState) -> Result<()> {
    if let Some(token) = &state.config.metrics_token {
        let shown = req
            .headers()
            .get("Authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        return if crate::app::secrets::same(shown, token) { Ok(()) } else { Err(AppError::Unauthenticated) };
    }
    let direct = req.peer_addr().is_some_and(|peer| peer.ip().is_loopback()) && !forwarded(req);
    if direct { Ok(()) } else { Err(AppError::NotFound) }
}

/// Whether a request came through a proxy.
#[must_use]
pub fn forwarded(req: &HttpRequest) -> bool {
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]
        .iter()
        .any(|name| req.headers().contains_key(*name))
}

tokio::task_local! {
    static QUERIES: Cell<u64>;
}

/// Counts the statements that a future's own task sends to the database.
pub async fn counting<F: Future>(future: F) -> (F::Output, u64) {
    QUERIES
        .scope(Cell::new(0), async {
            let output = future.await;
            (output, QUERIES.with(Cell::get))
        })
        .await
}

/// Called for every statement.
pub fn count_query() {
    let _not_counting = QUERIES.try_with(|count| count.set(count.get() + 1));
}
