//! A Meilisearch server: whether it is there, its tasks, its faults.

use std::time::Duration;

use meilisearch_sdk::client::Client;
use meilisearch_sdk::errors::{Error, ErrorCode};
use meilisearch_sdk::request::{HttpClient as _, Method};
use meilisearch_sdk::task_info::TaskInfo;
use serde::Deserialize;
use tokio::time::Instant;

use super::http::Http;
use crate::ports::search::{EngineError, EngineResult};
use crate::store::one_line;

/// How long the start waits for it.
const WITHIN: Duration = Duration::from_secs(3);
/// A task is looked at again after this, then after twice as long, and so on up to the second.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LAST_LOOK: Duration = Duration::from_millis(150);
/// What has not been done by then is asked for again.
const PATIENCE: Duration = Duration::from_mins(15);

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    pub client: Client<Http>,
    http: Http,
}

/// What an attempt to reach it says.
#[derive(Debug)]
pub enum Reached {
    Yes,
    /// Not now; why, in one line.
    Away(String),
}

#[derive(Debug, Deserialize)]
struct TaskState {
    status: String,
    error: Option<TaskFault>,
}

#[derive(Debug, Deserialize)]
struct TaskFault {
    message: String,
}

impl Server {
    /// A server at an origin such as `http://127.0.0.1:7700`; the error is one line.
    pub fn new(origin: &str, key: Option<&str>) -> Result<Self, String> {
        let http = Http::new(key)?;
        Ok(Self { client: Client::new_with_client(origin.trim_end_matches('/'), key, http.clone()), http })
    }

    /// Whether it serves us; an error, in one line, is one that waiting will not mend.
    pub async fn reach(&self) -> Result<Reached, String> {
        let at = self.client.get_host();
        let asked = tokio::time::timeout(WITHIN, self.client.list_all_indexes_raw()).await;
        match asked {
            Ok(Ok(_)) => Ok(Reached::Yes),
            Ok(Err(Error::Meilisearch(error))) => match error.error_code {
                ErrorCode::InvalidApiKey | ErrorCode::MissingAuthorizationHeader => Err(one_line(&format!(
                    "PRAXIS_MEILI_KEY: Meilisearch at {at} refuses it ({}); give the master key, or one that may do \
                     search, documents.*, indexes.*, settings.*, stats.get and tasks.get",
                    error.error_message
                ))),
                _ => Ok(Reached::Away(one_line(&format!("Meilisearch at {at} does not serve us ({error})")))),
            },
            Ok(Err(Error::ParseError(_))) => Err(format!(
                "PRAXIS_MEILI_URL: what answers at {at} does not speak as Meilisearch does; correct host and port"
            )),
            Ok(Err(error)) => Ok(Reached::Away(one_line(&format!("Meilisearch at {at}: {}", chain(&error))))),
            Err(_) => Ok(Reached::Away(format!("Meilisearch at {at} does not answer within {} s", WITHIN.as_secs()))),
        }
    }

    /// Waits until a task is done.
    pub async fn done(&self, task: TaskInfo) -> EngineResult<()> {
        let at = format!("{}/tasks/{}", self.client.get_host(), task.get_task_uid());
        let started = Instant::now();
        let mut pause = FIRST_LOOK;
        loop {
            tokio::time::sleep(pause).await;
            let state: TaskState =
                self.http.request::<(), (), _>(&at, Method::Get { query: () }, 200).await.map_err(fault)?;
            match state.status.as_str() {
                "succeeded" => return Ok(()),
                "failed" | "canceled" => {
                    let why = state.error.map_or(state.status, |error| error.message);
                    return Err(EngineError(one_line(&format!("Meilisearch did not do what it was asked ({why})"))));
                }
                _ if started.elapsed() > PATIENCE => return Err(EngineError("Meilisearch is very slow".into())),
                _ => pause = (pause * 2).min(LAST_LOOK),
            }
        }
    }
}

/// What is asked for is not there.
#[must_use]
pub fn is_absent(error: &Error) -> bool {
    let absent = [ErrorCode::IndexNotFound, ErrorCode::DocumentNotFound];
    matches!(error, Error::Meilisearch(error) if absent.contains(&error.error_code))
}

/// A fault of the crate as one of the engine.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
#[must_use]
pub fn fault(error: Error) -> EngineError {
    EngineError(one_line(&chain(&error)))
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
