//! Pages of Markdown or MDX: each becomes a case study of one playbook.
//!
//! Invariants: nothing of a page is lost; what matches no part is in "what we did", and the report
//! says so. A page is known by its path below the folder, and is brought once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::refs;
use super::report::{Progress, Report, stopped};
use super::space::owner as find_owner;
use crate::app::AppState;
use crate::features::playbooks::importing::{Brought, bring, find_or_make_playbook, fitting, place_imported};
use crate::features::playbooks::markdown::{PageIn, PlaybookIn, read_page, read_playbook};
use crate::web::error::AppError;

/// Pages of one run.
const MOST_PAGES: usize = 20_000;
/// Bytes of one page.
const MOST_BYTES: u64 = 4 << 20;
/// Folders below the first.
const DEEPEST: usize = 20;

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of pages; those below it too.
    pub folder: PathBuf,
    /// Slug of the playbook; made, open, if it is missing.
    pub playbook: String,
    /// Handle of who brings them: the author of what names no member; the first administrator if
    /// not said.
    pub owner: Option<String>,
    /// Nothing is printed.
    pub quiet: bool,
}

/// What became of the pages.
#[derive(Debug, Default)]
struct Told {
    published: Vec<String>,
    drafts: Vec<String>,
    known: usize,
    broken: Vec<String>,
    /// Of a page: what is in "what we did" because it matched no part, and what did not fit.
    remarks: Vec<String>,
    scenarios: usize,
}

/// Imports a folder. Errors are one line for the operator.
pub async fn import(state: &AppState, options: &Options) -> Result<Report, String> {
    let folder = options.folder.clone();
    let found = tokio::task::spawn_blocking(move || pages(&folder)).await;
    let files = found.map_err(|_| "the folder could not be read".to_owned())??;
    let owner = find_owner(state, options.owner.as_deref()).await?;
    let book = front_page(&options.folder).await?;
    let (playbook, owns) = find_or_make_playbook(state, owner, &options.playbook, book.as_ref()).await?;
    let progress = Arc::new(Progress::new(files.iter().map(|(_, size)| size).sum(), options.quiet));
    progress.stage("pages");
    let mut run = Run {
        state,
        folder: &options.folder,
        source: format!("markdown:{}", options.playbook.trim().to_lowercase()),
        owner,
        playbook,
        owns,
        told: Told::default(),
        studies: HashMap::new(),
    };
    for (file, size) in &files {
        run.page(file).await.map_err(|error| stopped(&error))?;
        progress.advance(*size);
    }
    if let Some(book) = &book {
        let placed = place_imported(state, playbook, book, &run.studies).await;
        run.told.scenarios = placed.map_err(|error| stopped(&error))?;
    }
    let mut report = progress.finish();
    report.known = u64::try_from(run.told.known).unwrap_or(u64::MAX);
    report.broken = u64::try_from(run.told.broken.len()).unwrap_or(u64::MAX);
    report.told = Some(told(&run.told, report.seconds));
    Ok(report)
}

/// The playbook's own page, if there is one.
async fn front_page(folder: &Path) -> Result<Option<PlaybookIn>, String> {
    let path = folder.join("playbook.md");
    match tokio::fs::read_to_string(&path).await {
        Ok(text) => {
            let read = read_playbook(&text).map_err(|reason| format!("playbook.md: {reason}"))?;
            Ok(read.map(fitting))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("playbook.md cannot be read ({error})")),
    }
}

/// Every page below a folder with its bytes, in the order of their paths. Links are not followed.
fn pages(folder: &Path) -> Result<Vec<(String, u64)>, String> {
    let fault = |path: &Path, error: std::io::Error| format!("{} cannot be read ({error})", path.display());
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((at, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&at).map_err(|error| fault(&at, error))? {
            let entry = entry.map_err(|error| fault(&at, error))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| fault(&at, error))?);
            if kind.is_dir() && depth < DEEPEST && !entry.file_name().to_string_lossy().starts_with('.') {
                folders.push((path, depth + 1));
                continue;
            }
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            if !kind.is_file() || !matches!(ending.as_deref(), Some("md" | "mdx" | "markdown")) {
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push((name, entry.metadata().map_or(0, |data| data.len())));
            if found.len() > MOST_PAGES {
                return Err(format!("there are more than {MOST_PAGES} pages in {}", folder.display()));
            }
        }
    }
    if found.is_empty() {
        return Err(format!("no pages are in {}: their names end with .md or .mdx", folder.display()));
    }
    found.sort();
    Ok(found)
}

struct Run<'a> {
    state: &'a AppState,
    folder: &'a Path,
    source: String,
    owner: i64,
    playbook: i64,
    owns: bool,
    told: Told,
    /// Ids by the addresses that pages had where they come from.
    studies: HashMap<String, i64>,
}

impl Run<'_> {
    async fn page(&mut self, file: &str) -> Result<(), AppError> {
        let known = refs::known(self.state.store.read(), &self.source, refs::STUDY, &[file.to_owned()]).await?;
        let read = match read(&self.folder.join(file), file).await {
            Ok(read) => read,
            Err(reason) => {
                self.told.broken.push(format!("{file}: {reason}"));
                return Ok(());
            }
        };
        // The playbook's own page is no study.
        let Some(page) = read else { return Ok(()) };
        let slug = page.slug.clone();
        if let Some(id) = known.get(file) {
            self.told.known += 1;
            if let Some(slug) = slug {
                self.studies.insert(slug, *id);
            }
            return Ok(());
        }
        for heading in &page.unmatched {
            self.told.remarks.push(format!("{file}: \"{heading}\" is in \"what we did\""));
        }
        for unknown in &page.unknown {
            let short: String = unknown.chars().take(120).collect();
            self.told.remarks.push(format!("{file}: not used of its front matter: {short}"));
        }
        let publish = self.owns && is_to_be_published(file, &page);
        let (source, external) = (self.source.clone(), file.to_owned());
        let brought = bring(self.state, self.owner, self.playbook, page, publish, async move |tx, id| {
            refs::keep(tx, &source, &[(refs::STUDY, external.clone(), id)]).await
        })
        .await;
        match brought {
            Ok(brought) => self.remember(file, slug, brought),
            Err(AppError::Invalid(faults)) => {
                let faults: Vec<String> =
                    faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
                self.told.broken.push(format!("{file}: {}", faults.join("; ")));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn remember(&mut self, file: &str, slug: Option<String>, brought: Brought) {
        if let Some(slug) = slug {
            self.studies.insert(slug, brought.id);
        }
        self.told.remarks.extend(brought.remarks.iter().map(|remark| format!("{file}: {remark}")));
        let line = format!("{file} → /case-studies/{}", brought.slug);
        if brought.published { self.told.published.push(line) } else { self.told.drafts.push(line) }
    }
}

/// A page says of itself that it is a case study, and is neither a template nor a draft.
fn is_to_be_published(file: &str, page: &PageIn) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let state = page.state.as_deref().unwrap_or("published").to_lowercase();
    page.is_study && !name.starts_with("template") && matches!(state.as_str(), "published" | "revised")
}

/// A page; `None` for a playbook's own.
async fn read(path: &Path, file: &str) -> Result<Option<PageIn>, String> {
    let size = tokio::fs::metadata(path).await.map_or(0, |data| data.len());
    if size > MOST_BYTES {
        return Err(format!("it has more than {} MB", MOST_BYTES >> 20));
    }
    let bytes = tokio::fs::read(path).await.map_err(|error| format!("it cannot be read ({error})"))?;
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        if name == "playbook" && read_playbook(&text)?.is_some() {
            return Ok(None);
        }
        read_page(&text, &name).map(Some)
    });
    read.await.map_err(|_| "it could not be read".to_owned())?
}

fn told(told: &Told, seconds: f64) -> String {
    let mut text = String::new();
    let mut list = |title: &str, lines: &[String]| {
        if lines.is_empty() {
            return;
        }
        let _infallible = writeln!(text, "{title}");
        for line in lines {
            let _infallible = writeln!(text, "  {line}");
        }
    };
    list("published as case studies", &told.published);
    list("kept as drafts: they do not say that they are case studies, or you do not own the playbook", &told.drafts);
    list("not imported", &told.broken);
    list("to look at", &told.remarks);
    let _infallible = write!(
        text,
        "case studies {:>9}\npublished    {:>9}\ndrafts       {:>9}\nscenarios    {:>9}\nalready here {:>9}\nbroken       {:>9}\n{seconds:.1} s",
        told.published.len() + told.drafts.len(),
        told.published.len(),
        told.drafts.len(),
        told.scenarios,
        told.known,
        told.broken.len(),
    );
    text
}
