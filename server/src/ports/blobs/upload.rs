//! Bytes on their way in.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload, WriteMultipart};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::Blobs;
use crate::web::error::{AppError, Result};

/// Bytes that wait before they are sent on; a smaller object is sent at once. Buckets take parts
/// of 5 MiB or more, and 10,000 of them.
const PART: usize = 8 << 20;
/// Parts on their way at a time.
const AT_ONCE: usize = 2;
/// How long an upload that is given up waits for parts on their way.
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// SHA-256, as `secrets::hash_bytes` writes it: base64url without padding.
    pub sha256: String,
}

/// An object being written. Dropped before its end it leaves nothing.
pub struct Upload {
    blobs: Blobs,
    path: Path,
    waiting: Vec<Bytes>,
    waiting_size: usize,
    parts: Option<WriteMultipart>,
    hash: Sha256,
    size: u64,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("path", &self.path).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Upload {
    pub(super) fn new(blobs: Blobs, path: Path) -> Self {
        Self { blobs, path, waiting: Vec::new(), waiting_size: 0, parts: None, hash: Sha256::new(), size: 0 }
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes; waits while too many are on their way. After an error the upload is
    /// lost.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.hash.update(&bytes);
        self.size += bytes.len() as u64;
        if let Some(parts) = &mut self.parts {
            parts.wait_for_capacity(AT_ONCE).await?;
            parts.put(bytes);
            return Ok(());
        }
        self.waiting_size += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_size > PART {
            let begun = self.blobs.store.put_multipart(&self.path).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(begun, PART);
            for bytes in self.waiting.drain(..) {
                parts.put(bytes);
            }
            self.parts = Some(parts);
        }
        Ok(())
    }

    /// Makes the object be there, whole.
    pub async fn finish(mut self) -> Result<Stored> {
        // The last part goes alone, so that none is on its way when an error takes the others back.
        if let Some(parts) = &mut self.parts
            && let Err(error) = parts.wait_for_capacity(0).await
        {
            if let Err(error) = self.give_up().await {
                tracing::warn!(%error, "an upload that failed left parts behind");
            }
            return Err(error.into());
        }
        match self.parts.take() {
            Some(parts) => to_its_end(async move { Ok(parts.finish().await.map(|_| ())?) }).await?,
            None => {
                let payload: PutPayload = std::mem::take(&mut self.waiting).into_iter().collect();
                self.blobs.store.put(&self.path, payload).await?;
            }
        }
        self.blobs.close(&self.path)?;
        let hash = std::mem::take(&mut self.hash);
        Ok(Stored { size: self.size, sha256: URL_SAFE_NO_PAD.encode(hash.finalize()) })
    }

    /// Takes everything back.
    pub async fn give_up(mut self) -> Result<()> {
        match self.parts.take() {
            Some(parts) => to_its_end(take_back(parts)).await,
            None => Ok(()),
        }
    }
}

/// Waits for what ends an upload, in a task of its own: whoever waits may go away meanwhile. An object
/// that is whole then and that no row names goes as other such bytes do.
async fn to_its_end(ending: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
    let ended = Handle::current().spawn(ending).await;
    ended.unwrap_or_else(|error| Err(AppError::Internal(Box::new(error))))
}

/// Ends an upload that is not to be. What is on its way arrives first: a bucket may keep a part
/// that comes after the word that the upload is given up, and nobody would remove it.
async fn take_back(mut parts: WriteMultipart) -> Result<()> {
    let arrived = async {
        // Each error is one part less that is on its way.
        while parts.wait_for_capacity(0).await.is_err() {}
    };
    if tokio::time::timeout(ARRIVES_WITHIN, arrived).await.is_err() {
        tracing::warn!("a part of an upload that was given up is still on its way");
    }
    Ok(parts.abort().await?)
}

impl Drop for Upload {
    /// A client that goes away drops its request; a bucket would keep the parts.
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = take_back(parts).await {
                tracing::warn!(%error, "an upload that was given up left parts behind");
            }
        });
    }
}
