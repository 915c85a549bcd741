//! Stored bytes: uploads, avatars, logos; in a folder or in an S3 bucket, through `object_store`.
//!
//! Invariant: a key holds a whole object or nothing. Bytes come and go as streams, so memory does
//! not grow with their size. A store that is full or away is `AppError::Unavailable`.

mod fault;
mod folder;
mod place;
mod upload;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _};

pub use place::{Aws, Place};
pub use upload::{Stored, Upload};

use crate::app::private;
use crate::web::error::{AppError, Result};

/// An object that only says that the store can be written and read.
const READY: &str = "ready";
/// How long `/readyz` waits for the store, and a start for its proof.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
const PROVES_WITHIN: Duration = Duration::from_secs(15);

/// Where bytes are kept, by key: a path of plain words such as `file/AbC-12`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The folder, if the files lie in one.
    folder: Option<LocalFileSystem>,
}

/// An object on its way out.
pub struct Reading {
    /// Bytes of the whole object.
    pub size: u64,
    /// Which of them come.
    pub range: Range<u64>,
    /// They, in parts. An error in between means that the rest does not come.
    pub bytes: BoxStream<'static, Result<Bytes>>,
}

impl Reading {
    /// All of a file that lies in no store.
    #[must_use]
    pub fn of_file(file: std::fs::File, size: u64) -> Self {
        Self { size, range: 0..size, bytes: folder::parts(file, 0..size) }
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("size", &self.size).field("range", &self.range).finish_non_exhaustive()
    }
}

/// One object of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub key: String,
    /// Bytes.
    pub size: u64,
}

impl Blobs {
    /// Opens a store; the folder is made if it is missing. Nothing is asked of a bucket yet:
    /// [`Self::prove`] does. The error is one line for the operator.
    pub fn open(place: &Place, aws: &Aws) -> Result<Self, String> {
        match place {
            Place::Folder(dir) => {
                let store = folder::open(dir)?;
                Ok(Self { store: Arc::new(store.clone()), folder: Some(store) })
            }
            Place::Bucket { bucket, prefix } => Ok(Self { store: place::bucket(bucket, prefix, aws)?, folder: None }),
        }
    }

    /// Keeps bytes that are at hand under a key; the same key again replaces them.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let path = Path::from(key);
        self.store.put(&path, bytes.into()).await?;
        self.close(&path)
    }

    /// Begins to keep what comes in parts. Nothing is there before [`Upload::finish`].
    #[must_use]
    pub fn upload(&self, key: &str) -> Upload {
        Upload::new(self.clone(), Path::from(key))
    }

    /// All bytes of a small object; 404 if there is none.
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        Ok(self.store.get(&Path::from(key)).await?.bytes().await?)
    }

    /// An object in parts, or the bytes `range` of it; 404 if there is none. A range that ends
    /// after the object ends with it; one that begins there is the caller's fault.
    pub async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Reading> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&Path::from(key), options).await?;
        let (size, range) = (found.meta.size, found.range.clone());
        let bytes = match found.payload {
            GetResultPayload::File(file, _) => folder::parts(file, range.clone()),
            GetResultPayload::Stream(parts) => parts.map_err(AppError::from).boxed(),
        };
        Ok(Reading { size, range, bytes })
    }

    /// Bytes of an object; `None` if there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.store.head(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a key; fine if it is not there.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything that is kept, in no order, read in pages.
    #[must_use]
    pub fn list(&self) -> BoxStream<'static, Result<Item>> {
        self.store
            .list(None)
            .map_err(AppError::from)
            .try_filter_map(|found| async move {
                let key = found.location.to_string();
                Ok((key != READY).then_some(Item { key, size: found.size }))
            })
            .boxed()
    }

    /// The keys below a folder of keys that were written before a time, microseconds; in no order,
    /// read in pages.
    #[must_use]
    pub fn written_before(&self, folder: &str, before: i64) -> BoxStream<'static, Result<String>> {
        self.store
            .list(Some(&Path::from(folder)))
            .map_err(AppError::from)
            .try_filter_map(move |found| async move {
                let old = found.last_modified.timestamp_micros() < before;
                Ok(old.then(|| found.location.to_string()))
            })
            .boxed()
    }

    /// Whether the store answers.
    pub async fn is_ready(&self) -> bool {
        let asked = async {
            match &self.folder {
                Some(folder) => {
                    // A network folder may hang, and must not take a worker with it.
                    let folder = folder.clone();
                    let looked = tokio::task::spawn_blocking(move || folder::is_there(&folder)).await;
                    looked.unwrap_or_else(|error| Err(error.into()))
                }
                None => match self.store.get(&Path::from(READY)).await {
                    Ok(_) => Ok(()),
                    // Somebody removed the proof; the bucket is what counts.
                    Err(error) if fault::is_key_alone(&error) => Ok(()),
                    Err(error) => Err(error),
                },
            }
        };
        match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the file store does not answer");
                false
            }
            Err(_) => {
                tracing::warn!("the file store does not answer in time");
                false
            }
        }
    }

    /// Writes a few bytes, so that a wrong address, bucket or key is known before the hub serves.
    /// The error is one line for the operator.
    pub async fn prove(&self) -> Result<(), String> {
        let path = Path::from(READY);
        let bytes = Bytes::from_static(b"Praxis keeps files here.\n");
        let proof = async {
            if self.folder.is_some() {
                self.store.put(&path, bytes.into()).await?;
                // Nodes that share a folder and start together remove each other's.
                return match self.store.delete(&path).await {
                    Err(error) if fault::is_key_alone(&error) => Ok(()),
                    other => other,
                };
            }
            // Not every store refuses to write into a bucket that nobody made. What is written
            // stays: `is_ready` reads it.
            self.store.list(None).next().await.transpose()?;
            self.store.put(&path, bytes.into()).await.map(|_| ())
        };
        match tokio::time::timeout(PROVES_WITHIN, proof).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(fault::explain(&error)),
            Err(_) => Err(fault::no_answer()),
        }
    }

    /// Removes what uploads left that a dying process cut off before this time (microseconds).
    /// A bucket does that by its own rule for unfinished uploads.
    pub async fn remove_cut_off(&self, before: i64) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || folder::remove_cut_off(&folder, before))
            .await
            .map_err(|error| AppError::Internal(Box::new(error)))??;
        Ok(())
    }

    /// Takes a file that was just written from everybody else: the folder may be one that others
    /// can enter.
    fn close(&self, path: &Path) -> Result<()> {
        if let Some(folder) = &self.folder {
            private::close_file(&folder.path_to_filesystem(path)?)?;
        }
        Ok(())
    }
}
