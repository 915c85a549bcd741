//! Files beside the one that is written, for what is not whole yet.
//!
//! Invariant: a run makes each of them anew under a name that nothing else has, and removes what it
//! made and nothing more. What a killed run left is known by its name, and goes with a later run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::file_fault;
use crate::app::secrets::random_token;
use crate::app::{Config, private};
use crate::ports::blobs::Place;
use crate::ports::clock::Clock;

/// What stands between the name of the file and a random end; nothing of an operator's is called so.
const MARK: &str = ".praxis-part-";
/// Random characters at the end, 96 bits.
const RANDOM: usize = 16;
/// What SQLite puts beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// No run takes longer, so older ones are of a run that was killed.
const OLD: Duration = Duration::from_hours(24);

/// A file that goes with this, unless it was given its name.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    /// Makes an empty file of a new name beside `to`, 0600.
    pub fn make(to: &Path) -> Result<(Self, File), String> {
        let random: String = random_token().chars().take(RANDOM).collect();
        let path = with(to, &format!("{MARK}{random}"));
        let file = private::make_new(&path).map_err(|error| file_fault(&path, &error))?;
        Ok((Self { path, kept: false }, file))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name.
    pub fn keep(mut self, to: &Path) -> std::io::Result<()> {
        std::fs::rename(&self.path, to)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let _gone = std::fs::remove_file(&self.path);
        for ending in BESIDE {
            let _none = std::fs::remove_file(with(&self.path, ending));
        }
    }
}

/// A name with more at its end.
#[must_use]
pub fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes what runs that were killed more than a day ago left beside `to`: a copy of a database may
/// still hold sessions.
pub fn sweep(to: &Path) {
    let Ok(entries) = std::fs::read_dir(folder(to)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_scratch) {
            continue;
        }
        let changed = entry.metadata().ok().filter(std::fs::Metadata::is_file).and_then(|about| about.modified().ok());
        if changed.and_then(age).is_some_and(|age| age > OLD) {
            match std::fs::remove_file(entry.path()) {
                Ok(()) => tracing::info!(file = %entry.path().display(), "removed what a killed run had left"),
                Err(error) => tracing::warn!(%error, file = %entry.path().display(), "a killed run's file stays"),
            }
        }
    }
}

fn age(changed: SystemTime) -> Option<Duration> {
    let changed = changed.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_micros(u64::try_from(Clock::default().now()).ok()?);
    now.checked_sub(changed)
}

/// Whether a name is one of ours, or of a file that SQLite put beside one.
fn is_scratch(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once(MARK) else { return false };
    let end = BESIDE.iter().find_map(|ending| end.strip_suffix(ending)).unwrap_or(end);
    end.len() == RANDOM && end.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn folder(of: &Path) -> &Path {
    of.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Where a file lies or would lie, whatever way its folder was named.
fn settled(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().ok_or(std::io::ErrorKind::InvalidInput)?;
    Ok(folder(path).canonicalize()?.join(name))
}

/// Refuses a file that is one of the hub's own, or would lie among them.
pub fn outside(config: &Config, to: &Path) -> Result<(), String> {
    let place = settled(to).map_err(|error| file_fault(to, &error))?;
    let ours = || file_fault(to, &"this is a file of the hub itself; write it elsewhere");
    let mut single = vec![config.data_dir.join("secret.key"), config.data_dir.join("praxis.lock")];
    if let Some(database) = config.embedded() {
        single.extend(BESIDE.iter().map(|ending| with(&database, ending)));
        // The files beside it lie beside what a link means.
        if let Ok(real) = database.canonicalize() {
            single.extend(BESIDE.iter().map(|ending| with(&real, ending)));
            single.push(real);
        }
        single.push(database);
    }
    if single.iter().any(|own| settled(own).is_ok_and(|own| own == place)) {
        return Err(ours());
    }
    let mut folders = vec![config.data_dir.join("search")];
    if let Place::Folder(dir) = &config.storage {
        folders.push(dir.clone());
    }
    if folders.iter().any(|own| own.canonicalize().is_ok_and(|own| place.starts_with(own))) {
        return Err(ours());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_scratch;

    #[test]
    fn only_names_of_our_own_are_swept() {
        for name in ["hub.praxis.praxis-part-0123456789abcDE_", "a.praxis-part-0123456789abcde--wal"] {
            assert!(is_scratch(name), "{name}");
        }
        for name in
            ["hub.praxis", "hub.praxis-part-1", "a.praxis-part-0123456789abcdef0", "x.praxis-part-/123456789abcdef"]
        {
            assert!(!is_scratch(name), "{name}");
        }
    }
}
