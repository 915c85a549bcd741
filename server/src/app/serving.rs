//! Who uses a data directory: everything that has the hub open shares a lock on a file in it, and
//! a restore takes it alone. The system lets go of it when a process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::private;

/// The lock, held as long as this lives.
#[derive(Debug)]
pub struct Serving {
    _file: Option<File>,
}

const NAME: &str = "praxis.lock";

fn open(data_dir: &Path) -> Result<File, String> {
    let path = data_dir.join(NAME);
    let fault = |error: std::io::Error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", path.display());
    private::make_file(&path).map_err(fault)?;
    File::options().read(true).write(true).open(&path).map_err(fault)
}

/// For whatever opens the hub.
pub fn share(data_dir: &Path) -> Result<Serving, String> {
    let file = open(data_dir)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Serving { _file: Some(file) }),
        Err(TryLockError::WouldBlock) => Err(format!(
            "PRAXIS_DATA_DIR: a backup is being restored into {}; wait until that has ended",
            data_dir.display()
        )),
        Err(TryLockError::Error(error)) => {
            // Some network file systems have no locks.
            tracing::warn!(%error, "the data directory cannot be locked: restore nothing into it while the hub runs");
            Ok(Serving { _file: None })
        }
    }
}

/// For a restore: nobody else has the hub open.
pub fn alone(data_dir: &Path) -> Result<Serving, String> {
    let file = open(data_dir)?;
    match file.try_lock() {
        Ok(()) => Ok(Serving { _file: Some(file) }),
        Err(TryLockError::WouldBlock) => {
            Err(format!("PRAXIS_DATA_DIR: a hub runs on {}; stop it first", data_dir.display()))
        }
        Err(TryLockError::Error(error)) => {
            Err(format!("PRAXIS_DATA_DIR: {} cannot be locked ({error})", data_dir.display()))
        }
    }
}
