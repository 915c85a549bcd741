//! Stored files, into an archive and out of it.

use futures_util::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::check::Hashes;
use super::file_fault;
use super::format::{BLOB_LISTS, BLOBS, Files, LISTED, Listed, is_key, numbered};
use super::pack::{Packer, Unpacker};
use super::progress::Progress;
use crate::ports::blobs::Blobs;
use crate::web::error::{AppError, Result};

/// Bytes handed on at a time.
const PIECE: usize = 256 << 10;

/// Takes every file of the store. One that is removed meanwhile stays behind.
pub async fn pack(blobs: &Blobs, packer: &mut Packer, progress: &mut Progress) -> Result<Files, String> {
    let fault = |error: AppError| format!("PRAXIS_STORAGE_URL: {error}");
    let (count, bytes) = blobs
        .list()
        .try_fold((0u64, 0u64), async |(count, bytes), item| Ok((count + 1, bytes + item.size)))
        .await
        .map_err(fault)?;
    progress.stage(&format!("{count} files"), bytes, true);
    let mut files = Files::default();
    let mut listed: Vec<Listed> = Vec::new();
    let mut items = blobs.list();
    while let Some(item) = items.next().await {
        let item = item.map_err(fault)?;
        if !is_key(&item.key) {
            return Err(format!("PRAXIS_STORAGE_URL: '{}' is no file of a hub; move it elsewhere", item.key));
        }
        let mut reading = match blobs.read(&item.key, None).await {
            Ok(reading) => reading,
            Err(AppError::NotFound) => continue,
            Err(error) => return Err(fault(error)),
        };
        packer.begin(&format!("{BLOBS}{}", item.key), reading.size)?;
        while let Some(piece) = reading.bytes.next().await {
            let piece = piece.map_err(fault)?;
            packer.bytes(&piece)?;
            progress.advance(piece.len() as u64);
        }
        let part = packer.end()?;
        files.count += 1;
        files.bytes += part.size;
        listed.push(Listed { key: item.key, size: part.size, sha256: part.sha256 });
        if listed.len() == LISTED {
            list(&mut listed, packer, &mut files)?;
        }
    }
    if !listed.is_empty() {
        list(&mut listed, packer, &mut files)?;
    }
    Ok(files)
}

fn list(listed: &mut Vec<Listed>, packer: &mut Packer, files: &mut Files) -> Result<(), String> {
    let mut lines = Vec::new();
    for item in listed.iter() {
        serde_json::to_writer(&mut lines, item).map_err(|error| error.to_string())?;
        lines.push(b'\n');
    }
    let mut part = packer.whole_entry(&numbered(BLOB_LISTS, files.lists.len() + 1), &lines)?;
    part.rows = listed.len() as u64;
    files.lists.push(part);
    listed.clear();
    Ok(())
}

/// Keeps the entry that was begun as a file, if it is still what was checked.
pub async fn unpack(
    blobs: &Blobs,
    key: &str,
    checked: &Hashes,
    from: &mut Unpacker,
    progress: &mut Progress,
) -> Result<(), String> {
    let fault = |error: AppError| format!("PRAXIS_STORAGE_URL: {key}: {error}");
    let mut upload = blobs.upload(key);
    let mut hash = Sha256::new();
    loop {
        let mut piece = vec![0; PIECE];
        let read = from.read(&mut piece)?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        hash.update(&piece);
        progress.advance(read as u64);
        upload.write(piece.into()).await.map_err(fault)?;
    }
    let hash: [u8; 32] = hash.finalize().into();
    if checked.get(key) != Some(&hash) {
        upload.give_up().await.map_err(fault)?;
        return Err(from.damaged("it changed while it was read"));
    }
    upload.finish().await.map_err(fault)?;
    Ok(())
}

/// Removes every file that is not among `kept`.
pub async fn remove_others(blobs: &Blobs, kept: &std::collections::HashSet<String>) -> Result<u64, String> {
    let fault = |error: AppError| format!("PRAXIS_STORAGE_URL: {error}");
    let mut removed = 0;
    let mut items = blobs.list();
    let mut others = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(fault)?;
        if !kept.contains(&item.key) {
            others.push(item.key);
        }
    }
    for key in others {
        blobs.delete(&key).await.map_err(fault)?;
        removed += 1;
    }
    Ok(removed)
}

/// A place that is still empty, or why it is not.
pub async fn is_empty(blobs: &Blobs) -> Result<bool, String> {
    match blobs.list().next().await {
        None => Ok(true),
        Some(Ok(_)) => Ok(false),
        Some(Err(error)) => Err(file_fault(std::path::Path::new("PRAXIS_STORAGE_URL"), &error)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::StreamExt as _;
    use sha2::{Digest as _, Sha256};

    use super::super::check::Hashes;
    use super::super::pack::Unpacker;
    use super::super::progress::Progress;
    use super::unpack;
    use crate::ports::blobs::{Aws, Blobs, Place};

    fn archive(path: &Path) {
        let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
        let mut header = tar::Header::new_ustar();
        header.set_size(7);
        header.set_mode(0o600);
        archive.append_data(&mut header, "blobs/file/one", &b"changed"[..]).unwrap();
        archive.finish().unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_not_what_was_checked_is_not_kept() {
        let folder = std::env::temp_dir().join(format!("praxis-unpack-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("archive");
        archive(&path);
        let blobs = Blobs::open(&Place::Folder(folder.join("uploads")), &Aws::of([])).unwrap();
        let mut progress = Progress::new();
        for (checked, kept) in [("checked", 0), ("changed", 1)] {
            let hashes = Hashes::from([("file/one".to_owned(), Sha256::digest(checked.as_bytes()).into())]);
            let mut from = Unpacker::open(&path).unwrap();
            from.next().unwrap().unwrap();
            let done = unpack(&blobs, "file/one", &hashes, &mut from, &mut progress).await;
            assert_eq!((done.is_ok(), blobs.list().count().await), (kept == 1, kept), "{done:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
