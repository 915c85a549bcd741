//! Stored bytes: uploads, avatars, logos; through `object_store`.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::app::private;
use crate::web::error::{AppError, Result};

/// Where bytes are kept, by key.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Where the files lie, if they lie in a folder.
    folder: Option<Arc<PathBuf>>,
}

impl Blobs {
    /// A folder, made if it is missing.
    pub fn in_folder(dir: &FsPath) -> Result<Self, String> {
        let fault =
            |error: &dyn std::fmt::Display| format!("PRAXIS_STORAGE_URL: {} cannot be used ({error})", dir.display());
        private::make_dir(dir).map_err(|error| fault(&error))?;
        let store = LocalFileSystem::new_with_prefix(dir).map_err(|error| fault(&error))?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), folder: Some(Arc::new(dir.to_owned())) })
    }

    /// Keeps bytes under a key; the same key again replaces them.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.store.put(&Path::from(key), bytes.into()).await?;
        // The folder may be one that others can enter.
        if let Some(folder) = &self.folder {
            private::close_file(&folder.join(key))?;
        }
        Ok(())
    }

    /// The bytes of a key; 404 if there are none.
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) => Ok(found.bytes().await?),
            Err(object_store::Error::NotFound { .. }) => Err(AppError::NotFound),
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

    /// Whether the store answers.
    pub async fn is_ready(&self) -> bool {
        match self.store.head(&Path::from("ready")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => true,
            Err(error) => {
                tracing::warn!(%error, "the file store does not answer");
                false
            }
        }
    }
}
