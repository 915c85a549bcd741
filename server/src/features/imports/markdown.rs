//! Pages of Markdown or MDX: each becomes a case study of one playbook.
//!
//! Invariants: nothing of a page is lost; what matches no part is in "what we did", and the report
//! says so. A page is known by its path below the folder, and is brought once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::authors::unclaimed_of;
use super::refs;
use super::report::{Progress, Report, stopped};
use super::source::{Source, beside};
use super::space::owner as find_owner;
use crate::app::AppState;
use crate::features::people::{MOST_FILE, keep_imported_picture};
use crate::features::playbooks::again::{self, Here};
use crate::features::playbooks::importing::{
    Beside, Brought, Coming, Goal, bring, find_or_make_playbook, fitting, place_imported, put_imported_cover,
};
use crate::features::playbooks::markdown::{PageIn, PlaybookIn, read_page, read_playbook};
use crate::web::error::AppError;

/// Pages of one run.
const MOST_PAGES: usize = 20_000;
/// Bytes of one page.
const MOST_BYTES: u64 = 4 << 20;

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of pages, those below it too; or a ZIP archive of one.
    pub folder: PathBuf,
    /// Slug of the playbook; made if it is missing, open but for what says that it is restricted.
    pub playbook: String,
    /// Slug of the space that a restricted playbook is read like; its own if not said.
    pub space: Option<String>,
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
    /// Of the known ones: those that say something else here.
    differing: Vec<String>,
    broken: Vec<String>,
    /// Of a page: what is in "what we did" because it matched no part, and what did not fit.
    remarks: Vec<String>,
    scenarios: usize,
}

/// Imports a folder. Errors are one line for the operator.
pub async fn import(state: &AppState, options: &Options) -> Result<Report, String> {
    let path = options.folder.clone();
    let found = tokio::task::spawn_blocking(move || {
        let source = Source::open(&path)?;
        let files = pages(&source, &path)?;
        Ok::<_, String>((source, files))
    });
    let (source, files) = found.await.map_err(|_| "the folder could not be read".to_owned())??;
    let owner = find_owner(state, options.owner.as_deref()).await?;
    let book = front_page(&source).await?;
    let shown = match &book {
        Some(book) => pictures(&source, "playbook.md", book.pictures()).await,
        None => Vec::new(),
    };
    let mut remarks = Vec::new();
    let space = options.space.as_deref();
    let made = find_or_make_playbook(state, owner, &options.playbook, space, book.as_ref(), shown, &mut remarks);
    let Goal { id: playbook, owns, open } = made.await?;
    let remarks = remarks.iter().map(|remark| format!("playbook.md: {remark}")).collect();
    let progress = Arc::new(Progress::new(files.iter().map(|(_, size)| size).sum(), options.quiet));
    progress.stage("pages");
    let mut run = Run {
        state,
        files: source,
        source: format!("markdown:{}", options.playbook.trim().to_lowercase()),
        owner,
        playbook,
        owns,
        open,
        told: Told { remarks, ..Told::default() },
        studies: HashMap::new(),
    };
    if let Some(book) = book.as_ref().filter(|_| owns) {
        run.cover(book).await.map_err(|error| stopped(&error))?;
    }
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
async fn front_page(source: &Source) -> Result<Option<PlaybookIn>, String> {
    let fault = |reason: String| format!("playbook.md: {reason}");
    let Some(bytes) = read_file(source, "playbook.md", MOST_BYTES).await.map_err(fault)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8".to_owned()))?;
    read_playbook(&text).map_err(fault)?.map(fitting).transpose().map_err(fault)
}

/// Every page with its bytes, in the order of their paths.
fn pages(source: &Source, path: &Path) -> Result<Vec<(String, u64)>, String> {
    let mut found = source.files()?;
    found.retain(|(name, _)| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        matches!(ending.as_deref(), Some("md" | "mdx" | "markdown"))
    });
    if found.is_empty() {
        return Err(format!("no pages are in {}: their names end with .md or .mdx", path.display()));
    }
    if found.len() > MOST_PAGES {
        return Err(format!("there are more than {MOST_PAGES} pages in {}", path.display()));
    }
    Ok(found)
}

/// A file of the source; `None` if it is not there.
async fn read_file(source: &Source, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
    let (source, name) = (source.clone(), name.to_owned());
    let read = tokio::task::spawn_blocking(move || source.read(&name, most));
    read.await.map_err(|_| "it could not be read".to_owned())?
}

struct Run<'a> {
    state: &'a AppState,
    files: Source,
    source: String,
    owner: i64,
    playbook: i64,
    owns: bool,
    /// Anybody reads the playbook.
    open: bool,
    told: Told,
    /// Ids by the addresses that pages had where they come from.
    studies: HashMap<String, i64>,
}

impl Run<'_> {
    async fn page(&mut self, file: &str) -> Result<(), AppError> {
        let known = refs::known(self.state.store.read(), &self.source, refs::STUDY, &[file.to_owned()]).await?;
        let read = match read(&self.files, file).await {
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
        let here = match &slug {
            // Two pages of one run may have one address.
            Some(slug) if !self.studies.contains_key(slug) => again::look(self.state, self.playbook, &page).await?,
            _ => Here::Nothing,
        };
        if let (Here::Same(id) | Here::Other(id), Some(slug)) = (here, &slug) {
            self.told.known += 1;
            if matches!(here, Here::Other(_)) {
                self.told.differing.push(format!("{file}: /case-studies/{slug}"));
            }
            self.studies.insert(slug.clone(), id);
            return Ok(());
        }
        for heading in &page.unmatched {
            self.told.remarks.push(format!("{file}: \"{heading}\" is in \"what we did\""));
        }
        for unknown in &page.unknown {
            let short: String = unknown.chars().take(120).collect();
            self.told.remarks.push(format!("{file}: of its front matter, now in \"what we did\": {short}"));
        }
        let opened = page.restricted && self.open;
        if opened {
            self.told
                .remarks
                .push(format!("{file}: it was restricted, and anybody reads this playbook; it is a draft"));
        }
        let publish = self.owns && is_to_be_published(file, &page) && here != Here::Hidden && !opened;
        if here == Here::Hidden {
            self.told
                .remarks
                .push(format!("{file}: moderators have hidden the case study at its address; it is a draft"));
        }
        let (source, external) = (self.source.clone(), file.to_owned());
        let pictures = pictures(&self.files, file, page.pictures()).await;
        let unclaimed = unclaimed_of(self.state, &self.source, &page).await?;
        let coming = Coming { member: self.owner, playbook: self.playbook, page, pictures, unclaimed, publish };
        let brought = bring(self.state, coming, async move |tx, id| {
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

    /// The cover that a playbook's page names, for a playbook that has none.
    async fn cover(&mut self, book: &PlaybookIn) -> Result<(), AppError> {
        let Some(address) = &book.cover else { return Ok(()) };
        let bytes = match beside("playbook.md", address) {
            Some(name) => read_file(&self.files, &name, MOST_FILE as u64).await,
            None => Ok(None),
        };
        let why = match bytes {
            Ok(Some(_)) if book.cover_alt.is_empty() => "its words are missing (cover_alt)".to_owned(),
            Ok(Some(bytes)) => match keep_imported_picture(self.state, self.owner, address, bytes.into()).await {
                Ok(kept) => {
                    put_imported_cover(self.state, self.owner, self.playbook, kept.id, &book.cover_alt).await?;
                    return Ok(());
                }
                Err(AppError::UnsupportedType(_) | AppError::Invalid(_)) => "it is no picture that can be read".into(),
                Err(error) => return Err(error),
            },
            Ok(None) => "it is not beside the page".to_owned(),
            Err(reason) => reason,
        };
        let short: String = address.chars().take(120).collect();
        self.told.remarks.push(format!("playbook.md: the cover {short} is not brought: {why}"));
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

/// The pictures that lie beside a page, by the addresses it names them by.
async fn pictures(files: &Source, file: &str, addresses: Vec<String>) -> Vec<Beside> {
    let mut found = Vec::new();
    for address in addresses {
        let name = beside(file, &address);
        let bytes = match &name {
            None => Err("it would lie outside of the folder".to_owned()),
            Some(name) => match read_file(files, name, MOST_FILE as u64).await {
                Ok(Some(bytes)) => Ok(bytes.into()),
                Ok(None) => Err("it is not beside the page".to_owned()),
                Err(reason) => Err(reason),
            },
        };
        let name = name.unwrap_or_default();
        found.push(Beside { address, name, bytes });
    }
    found
}

/// A page says of itself that it is a case study, and is neither a template nor a draft.
fn is_to_be_published(file: &str, page: &PageIn) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let state = page.state.as_deref().unwrap_or("published").to_lowercase();
    page.is_study && !name.starts_with("template") && matches!(state.as_str(), "published" | "revised")
}

/// A page; `None` for a playbook's own.
async fn read(source: &Source, file: &str) -> Result<Option<PageIn>, String> {
    let bytes = read_file(source, file, MOST_BYTES).await?.ok_or_else(|| "it cannot be read".to_owned())?;
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
    list(
        "kept as drafts: they do not say that they are case studies, or you do not own the playbook, or see below",
        &told.drafts,
    );
    list("already here and not the same: kept as they are here", &told.differing);
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
