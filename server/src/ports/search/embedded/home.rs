//! Where this process keeps its index: a folder of its own below the data directory, as several
//! may share that.
//!
//! `search/node-0`, `node-1`, … each with a lock that its process holds; whoever starts takes the
//! first that is free, with the index in it. In it a folder a generation; `current` names the one
//! that answers, and is replaced in one step. What nobody has used for a week is removed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::generation::Generation;
use crate::app::private;
use crate::app::secrets::random_token;
use crate::ports::search::{EngineError, EngineResult, Progress, Tuning};

const MOST_NODES: usize = 256;
const ABANDONED: Duration = Duration::from_hours(7 * 24);
const CURRENT: &str = "current";

/// A locked folder.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    /// What this index is called among those of the hub.
    name: String,
    _lock: File,
}

impl Home {
    /// Takes the first free folder, and clears away those that nobody came back to.
    pub fn open(data_dir: &Path) -> EngineResult<Self> {
        let root = data_dir.join("search");
        private::make_dir(&root)?;
        let mut taken = None;
        for number in 0..MOST_NODES {
            let dir = root.join(format!("node-{number}"));
            if taken.is_some() {
                if !dir.exists() {
                    break;
                }
                if let Some(_lock) = lock(&dir)?
                    && is_abandoned(&dir)
                {
                    let _left = fs::remove_dir_all(&dir);
                }
                continue;
            }
            private::make_dir(&dir)?;
            if let Some(lock) = lock(&dir)? {
                taken = Some((dir, lock));
            }
        }
        let (dir, lock) = taken.ok_or_else(|| EngineError("every folder for an index is in use".into()))?;
        let named = dir.join("name");
        let name = match fs::read_to_string(&named) {
            Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
            _ => {
                let name: String = random_token().chars().take(12).collect();
                replace(&named, &name)?;
                name
            }
        };
        Ok(Self { dir, name, _lock: lock })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The generation that answers, if it can be gone on with; all others are removed. One that
    /// cannot be opened now stays: it is tried again.
    pub fn current(&self, epoch: &str, tuning: &Tuning) -> EngineResult<Option<(Generation, Progress)>> {
        let named = fs::read_to_string(self.dir.join(CURRENT)).unwrap_or_default();
        let named = named.trim();
        let mut found = None;
        for entry in fs::read_dir(&self.dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("gen-") {
                continue;
            }
            if name == named {
                let opened = Generation::find(&entry.path(), tuning.clone())?;
                let progress = opened.as_ref().and_then(Generation::progress);
                if let (Some(opened), Some(progress)) = (opened, progress.filter(|of| of.is_good(epoch))) {
                    found = Some((opened, progress));
                    continue;
                }
                tracing::info!(generation = name, "the search index is of another time and is built again");
            }
            fs::remove_dir_all(entry.path())?;
        }
        Ok(found)
    }

    /// A new, empty generation that does not answer yet.
    pub fn fresh(&self, tuning: &Tuning) -> EngineResult<Generation> {
        let name: String = random_token().chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        Generation::open(&self.dir.join(format!("gen-{name}")), tuning.clone())
    }

    /// From now on this generation answers.
    pub fn adopt(&self, generation: &Generation) -> EngineResult<()> {
        let name = generation.dir().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        replace(&self.dir.join(CURRENT), &name)
    }

    /// Whether the folder is still there.
    #[must_use]
    pub fn is_there(&self, generation: &Generation) -> bool {
        generation.dir().join("meta.json").exists()
    }
}

/// The lock of a folder, or `None` if another process has it.
fn lock(dir: &Path) -> EngineResult<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock"))?;
    match file.try_lock() {
        Ok(()) => {
            // Says when it was last used.
            file.set_len(0)?;
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// No commit for a week: whoever used it is gone.
fn is_abandoned(dir: &Path) -> bool {
    let newest = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("gen-"))
        .filter_map(|entry| fs::metadata(entry.path().join("meta.json")).ok()?.modified().ok())
        .max();
    newest.is_none_or(|newest| newest.elapsed().is_ok_and(|age| age > ABANDONED))
}

/// Writes a small file in one step.
fn replace(path: &Path, text: &str) -> EngineResult<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    File::open(&new)?.sync_all()?;
    fs::rename(&new, path)?;
    Ok(())
}
