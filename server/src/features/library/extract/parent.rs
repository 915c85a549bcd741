//! Starting the process that reads a file, and listening to it with suspicion.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Line, MOST_PAGES, MOST_TEXT, Reason};
use crate::app::AppState;
use crate::features::library::model::PageText;
use crate::web::error::{AppError, Result};

/// How long a file may take in all, whatever the process does.
const WITHIN: Duration = Duration::from_secs(90);
/// Bytes of everything it says: a character is 6 at most in JSON, and there is little around them.
const MOST_OUTPUT: u64 = 6 * MOST_TEXT as u64 + (1 << 20);

/// What came out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub pages: Vec<PageText>,
    /// Why it is not all; `None`: it is.
    pub reason: Option<Reason>,
}

/// Takes the text out of a file of a kind. An error is one of the hub's own, not of the file.
pub async fn extract(
    state: &AppState,
    kind: &'static str,
    bytes: impl Stream<Item = Result<Bytes>>,
) -> Result<Outcome> {
    let mut command = Command::new(&state.config.program);
    command.args(["extract", kind]).env_clear().kill_on_drop(true);
    // The allocator takes address space far ahead of need, and that is what the limit counts.
    command.env("MIMALLOC_ARENA_RESERVE", "16M");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(AppError::internal("the process that reads files has no pipes"));
    };
    let mut outcome = Outcome::default();
    let work = async {
        let (sent, heard) = tokio::join!(send(stdin, bytes), listen(stdout, &mut outcome));
        sent?;
        Ok::<bool, AppError>(heard)
    };
    let ended = match tokio::time::timeout(WITHIN, work).await {
        Ok(ended) => ended?,
        Err(_) => {
            end(&mut child).await;
            outcome.reason = Some(Reason::Slow);
            return Ok(outcome);
        }
    };
    if !ended {
        // It stopped before its last line: how it ended says why.
        let status = end(&mut child).await;
        outcome.reason = Some(reason_of(status));
    }
    Ok(outcome)
}

/// Gives the process the file; one that does not want it all is fine.
async fn send(mut stdin: ChildStdin, bytes: impl Stream<Item = Result<Bytes>>) -> Result<()> {
    let mut bytes = std::pin::pin!(bytes);
    while let Some(chunk) = bytes.next().await {
        if stdin.write_all(&chunk?).await.is_err() {
            return Ok(());
        }
    }
    drop(stdin);
    Ok(())
}

/// Reads pages until the last line; whether it came.
async fn listen(stdout: ChildStdout, outcome: &mut Outcome) -> bool {
    let mut lines = BufReader::new(stdout.take(MOST_OUTPUT)).lines();
    let (mut last, mut left) = (0, MOST_TEXT);
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Line::Page { number, label, table, text }) => {
                let fits = number > last && outcome.pages.len() < MOST_PAGES && text.len() <= 4 * left;
                // PostgreSQL takes no NUL in a text.
                if !fits || label.len() > 600 || text.contains('\0') || label.contains('\0') {
                    return false;
                }
                last = number;
                left = left.saturating_sub(text.chars().count());
                outcome.pages.push(PageText { number, label, table, text });
            }
            Ok(Line::End { reason }) => {
                outcome.reason = reason;
                return true;
            }
            Err(_) => return false,
        }
    }
    false
}

/// Ends the process if it has not ended; how it ended.
async fn end(child: &mut Child) -> Option<ExitStatus> {
    // One that was just killed by its limits needs a moment to be gone.
    if let Ok(Ok(status)) = tokio::time::timeout(Duration::from_secs(2), child.wait()).await {
        return Some(status);
    }
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a process that reads files could not be killed");
    }
    None
}

#[cfg(unix)]
fn reason_of(status: Option<ExitStatus>) -> Reason {
    use std::os::unix::process::ExitStatusExt as _;
    match status.and_then(|status| status.signal()) {
        // SIGXCPU, or SIGKILL by the hard limit.
        Some(24 | 9) => Reason::Slow,
        // SIGABRT: no memory, or no stack.
        Some(6) => Reason::Memory,
        _ => Reason::Damaged,
    }
}

#[cfg(not(unix))]
const fn reason_of(_status: Option<ExitStatus>) -> Reason {
    Reason::Damaged
}
