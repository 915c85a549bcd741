//! ZIP archives on their way out: written into a file without a name, outside the workers, few at a
//! time on a node, and streamed from there. However they end nothing is left behind.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::app::secrets::random_token;
use crate::app::{AppState, private};
use crate::ports::blobs::Reading;
use crate::web::error::{AppError, Result};

/// Archives that are built at a time.
const AT_ONCE: usize = 2;
/// Archives that are built or sent at a time: each has its bytes on the disk.
const KEPT: usize = 32;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// When whoever found none may come back, seconds.
const LATER: u64 = 5;

/// The turns of this process to build archives. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Exports {
    working: Arc<Semaphore>,
    kept: Arc<Semaphore>,
}

impl Default for Exports {
    fn default() -> Self {
        Self { working: Arc::new(Semaphore::new(AT_ONCE)), kept: Arc::new(Semaphore::new(KEPT)) }
    }
}

impl Exports {
    /// The right to build one archive; 503 if none comes free in time.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.working).acquire_owned()).await;
        turn.map_err(|_| AppError::Unavailable(LATER))?.map_err(|_| AppError::Unavailable(LATER))
    }

    /// A place on the disk, until the archive was sent; 503 if there is none.
    fn place(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.kept).try_acquire_owned().map_err(|_| AppError::Unavailable(LATER))
    }
}

/// An archive that is being built.
pub(super) struct Archive {
    /// `None` while it is worked on, and after an error.
    work: Option<Work>,
    /// The same file, to be read once it is whole.
    read: File,
    place: OwnedSemaphorePermit,
}

/// Goes on when whoever asked is gone, and so does its turn.
struct Work {
    zip: ZipWriter<File>,
    _turn: OwnedSemaphorePermit,
}

impl Archive {
    /// Begins one when its turn has come; whoever asks may have what goes into it.
    pub(super) async fn begin(state: &AppState) -> Result<Self> {
        let turn = state.exports.turn().await?;
        let place = state.exports.place()?;
        let path = state.config.data_dir.join(format!("export-{}.part", random_token()));
        web::block(move || {
            let write = private::make_new(&path)?;
            let read = File::open(&path);
            // Without a name it goes with those who have it open.
            std::fs::remove_file(&path)?;
            Ok::<_, AppError>(Self { work: Some(Work { zip: ZipWriter::new(write), _turn: turn }), read: read?, place })
        })
        .await?
    }

    pub(super) async fn add(&mut self, name: String, bytes: impl Into<Bytes>) -> Result<()> {
        let mut work = self.taken()?;
        let bytes: Bytes = bytes.into();
        let written = web::block(move || {
            work.zip.start_file(name, SimpleFileOptions::default()).map_err(std::io::Error::from)?;
            work.zip.write_all(&bytes)?;
            Ok::<_, AppError>(work)
        });
        self.work = Some(written.await??);
        Ok(())
    }

    /// All of it, to be sent.
    pub(super) async fn finish(mut self) -> Result<Reading> {
        let (work, read, place) = (self.taken()?, self.read, self.place);
        let (read, size) = web::block(move || {
            let Work { zip, _turn } = work;
            zip.finish().map_err(std::io::Error::from)?;
            let size = read.metadata()?.len();
            Ok::<_, AppError>((read, size))
        })
        .await??;
        let mut reading = Reading::of_file(read, size);
        let bytes = reading.bytes.inspect(move |_| {
            let _held = &place;
        });
        reading.bytes = bytes.boxed();
        Ok(reading)
    }

    fn taken(&mut self) -> Result<Work> {
        self.work.take().ok_or_else(|| AppError::internal("an archive was given up"))
    }
}
