//! Who uses a hub's data: everything that has the hub open shares a lock on a file in the data
//! directory, and on one beside an embedded database that lies elsewhere; a restore takes them alone.
//! The system lets go of them when a process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::config::Config;
use super::private;

/// The locks, held as long as this lives.
#[derive(Debug)]
pub struct Serving {
    _files: Vec<File>,
}

const NAME: &str = "praxis.lock";

/// The files that are locked, each with the setting that says where it lies.
fn places(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let mut places = vec![("PRAXIS_DATA_DIR", config.data_dir.join(NAME))];
    if config.database_url.is_some()
        && let Some(database) = config.embedded()
    {
        // Another data directory may be used with the same database.
        let mut name = database.into_os_string();
        name.push(".lock");
        places.push(("PRAXIS_DATABASE_URL", name.into()));
    }
    places
}

fn open(setting: &str, path: &Path) -> Result<File, String> {
    let fault = |error: std::io::Error| format!("{setting}: {} cannot be used ({error})", path.display());
    private::make_file(path).map_err(fault)?;
    File::options().read(true).write(true).open(path).map_err(fault)
}

/// For whatever opens the hub.
pub fn share(config: &Config) -> Result<Serving, String> {
    let mut files = Vec::new();
    for (setting, path) in places(config) {
        let file = open(setting, &path)?;
        match file.try_lock_shared() {
            Ok(()) => files.push(file),
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "{setting}: a backup is being restored into {}; wait until that has ended",
                    folder(&path).display()
                ));
            }
            Err(TryLockError::Error(error)) => {
                // Some network file systems have no locks.
                tracing::warn!(%error, "the hub's data cannot be locked: restore nothing into it while the hub runs");
            }
        }
    }
    Ok(Serving { _files: files })
}

/// For a restore: nobody else has the hub open.
pub fn alone(config: &Config) -> Result<Serving, String> {
    let mut files = Vec::new();
    for (setting, path) in places(config) {
        let file = open(setting, &path)?;
        match file.try_lock() {
            Ok(()) => files.push(file),
            Err(TryLockError::WouldBlock) => {
                return Err(format!("{setting}: a hub runs on {}; stop it first", folder(&path).display()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(format!("{setting}: {} cannot be locked ({error})", folder(&path).display()));
            }
        }
    }
    Ok(Serving { _files: files })
}

fn folder(of: &Path) -> &Path {
    of.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}
