//! A Stack Exchange data dump: questions become topics, answers and comments replies.
//!
//! Invariants: every row that was added has its reference in the same transaction, so that a run
//! that stops is continued by the next and nothing doubles; no more than a few batches of texts
//! are in memory. Answers stand at depth 0; so do comments on a question; comments on an answer
//! stand one below it. New replies have a negative `tree_pos` until `placing` has put their topic
//! in order and counted it.

mod dump;
mod history;
mod members;
mod placing;
mod posts;
mod reading;
mod replies;
mod rows;
mod topics;

use std::path::PathBuf;
use std::sync::Arc;

use super::report::{Progress, Report, stopped};
use super::space;
use crate::app::AppState;
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;
use crate::web::words::english;
use dump::{Files, size_of};

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of an unpacked dump.
    pub folder: PathBuf,
    /// Slug of the space; made, open, if it is missing.
    pub space: String,
    /// Handle of who owns a space that is made; the first administrator if not said.
    pub owner: Option<String>,
    /// Host of the site, if the dump does not tell.
    pub site: Option<String>,
    /// Nothing is printed.
    pub quiet: bool,
}

/// What all passes of one run share.
#[derive(Debug)]
struct Run {
    state: AppState,
    files: Files,
    /// Tells this dump's rows from those of others, in `import_ref`.
    source: String,
    site: Option<String>,
    space: i64,
    progress: Arc<Progress>,
}

impl Run {
    /// Address that relative links of the site are resolved against.
    fn base(&self) -> Option<String> {
        self.site.as_ref().map(|site| format!("https://{site}/"))
    }
}

/// Imports a dump. Errors are one line for the operator.
pub async fn import(state: &AppState, options: &Options) -> Result<Report, String> {
    let files = Files::find(&options.folder)?;
    let folder = options.folder.canonicalize().unwrap_or_else(|_| options.folder.clone());
    let told = match &options.site {
        Some(site) => Some(dump::parse_site(site)?),
        None => dump::site_of_folder(&folder),
    };
    let progress = Arc::new(Progress::new(total(&files), options.quiet));
    progress.stage("reading");
    let survey = {
        let (files, progress, count) = (files.clone(), Arc::clone(&progress), told.is_none());
        let task = tokio::task::spawn_blocking(move || reading::survey(&files, count, &progress));
        task.await
            .map_err(|_| "the dump could not be read".to_owned())?
            .map_err(|error| format!("the dump cannot be read ({error})"))?
    };
    let site = told.or_else(|| survey.site());
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("dump").to_owned();
    let source = format!("stackexchange:{}", site.as_deref().unwrap_or(&name));
    let words = english();
    let description = match &site {
        Some(site) => words.with("demo.import.from_site", &[("site", site)]),
        None => words.t("demo.import.from_dump").to_owned(),
    };
    let space = space::find_or_make(state, &options.space, options.owner.as_deref(), &description).await?;
    progress.count(|report| report.site.clone_from(&site));
    let run = Run { state: state.clone(), files, source, site, space, progress };
    if let Err(error) = passes(&run, &survey).await {
        let _report = run.progress.finish();
        return Err(stopped(&error));
    }
    Ok(run.progress.finish())
}

async fn passes(run: &Run, survey: &reading::Survey) -> Result<()> {
    run.progress.stage("members");
    let authors = members::settle(run, survey).await?;
    run.progress.stage("questions");
    topics::import(run, &authors).await?;
    run.progress.stage("answers");
    replies::answers(run, &authors, &survey.accepted).await?;
    run.progress.stage("comments");
    replies::comments(run, &authors).await?;
    run.progress.stage("history");
    history::import(run, &authors).await?;
    run.progress.stage("order");
    placing::place(run).await?;
    let space = run.space;
    run.state.store.write(async move |tx| tell(tx, space)).await
}

/// Caches of running servers fall.
fn tell(tx: &mut Tx, space: i64) -> Result<()> {
    tx.append(Stream::space(space), NewEvent::new("space.changed", space, None));
    tx.append(Stream::HUB, NewEvent::new("hub.changed", space, None));
    Ok(())
}

/// Bytes that will be read: posts three times, what is only looked at and imported twice.
fn total(files: &Files) -> u64 {
    let optional = |path: &Option<PathBuf>| path.as_deref().map_or(0, size_of);
    3 * size_of(&files.posts) + 2 * optional(&files.comments) + 2 * optional(&files.history) + optional(&files.users)
}
