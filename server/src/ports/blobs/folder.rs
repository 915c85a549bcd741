//! A folder as the store.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path as FsPath;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, try_unfold};
use object_store::local::LocalFileSystem;
use object_store::path::Path;

use crate::app::private;
use crate::web::error::{AppError, Result};

/// Bytes read at a time.
const PART: u64 = 128 << 10;

/// Opens a folder, made if it is missing.
pub(super) fn open(dir: &FsPath) -> Result<LocalFileSystem, String> {
    let fault =
        |error: &dyn std::fmt::Display| format!("PRAXIS_STORAGE_URL: {} cannot be used ({error})", dir.display());
    private::make_dir(dir).map_err(|error| fault(&error))?;
    let store = LocalFileSystem::new_with_prefix(dir).map_err(|error| fault(&error))?;
    Ok(store.with_fsync(true))
}

/// Whether the folder is still there.
pub(super) fn is_there(folder: &LocalFileSystem) -> object_store::Result<()> {
    let probe = folder.path_to_filesystem(&Path::from(super::READY))?;
    let dir = probe.parent().unwrap_or(&probe);
    std::fs::read_dir(dir)
        .map(|_| ())
        .map_err(|error| object_store::Error::Generic { store: "folder", source: Box::new(error) })
}

/// The bytes of a file in parts, each read where blocking is no harm.
pub(super) fn parts(file: File, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    let left = range.end.saturating_sub(range.start);
    try_unfold((file, Some(range.start), left), |(mut file, start, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            if let Some(start) = start {
                file.seek(SeekFrom::Start(start))?;
            }
            let mut part = Vec::with_capacity(usize::try_from(PART.min(left)).unwrap_or(0));
            (&mut file).take(PART.min(left)).read_to_end(&mut part)?;
            Ok::<_, std::io::Error>((file, part))
        });
        let (file, part) = read.await.map_err(|error| AppError::Internal(Box::new(error)))??;
        if part.is_empty() {
            return Err(AppError::internal("a stored file became shorter while it was read"));
        }
        let left = left.saturating_sub(part.len() as u64);
        Ok(Some((Bytes::from(part), (file, None, left))))
    })
    .boxed()
}

/// Removes files whose names say that they were being written, if they are older than `before`.
pub(super) fn remove_cut_off(folder: &LocalFileSystem, before: i64) -> Result<()> {
    let probe = folder.path_to_filesystem(&Path::from(super::READY))?;
    let mut dirs = vec![probe.parent().unwrap_or(&probe).to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() && is_cut_off(&entry, before) {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// `object_store` writes `NAME#1` and renames it when it is whole.
fn is_cut_off(entry: &std::fs::DirEntry, before: i64) -> bool {
    let name = entry.file_name();
    let half = name
        .to_str()
        .and_then(|name| name.rsplit_once('#'))
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    let modified = entry.metadata().and_then(|about| about.modified()).ok();
    let written = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    half && written.is_some_and(|at| i64::try_from(at.as_micros()).is_ok_and(|at| at < before))
}
