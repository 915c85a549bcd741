//! One index on disk: opening it, writing to it, and how far it is.
//!
//! Invariant: a commit carries how far the index has come in the same atomic step, so that a killed
//! process leaves the index as of its last commit and goes on from there.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tantivy::directory::MmapDirectory;
use tantivy::directory::error::OpenReadError;
use tantivy::schema::Schema;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError};

use super::schema::{Fields, Lines, TOKENIZER, entry, key_term, schema};
use super::visible::Visibles;
use crate::locks::locked;
use crate::ports::search::{Change, EngineError, EngineResult, Progress, Tuning};
use crate::search::Kind;

/// States of the index that are kept for who goes on to the next page, and for how long.
const KEPT: usize = 8;
const KEPT_FOR: Duration = Duration::from_mins(1);
/// Memory of the writer.
const HEAP: usize = 48 << 20;

/// An open index.
pub struct Generation {
    pub(super) fields: Fields,
    pub(super) tuning: Tuning,
    pub(super) visibles: Visibles,
    index: Index,
    reader: IndexReader,
    writer: Mutex<IndexWriter<TantivyDocument>>,
    /// States that somebody has a page of and may want the next of.
    kept: Mutex<VecDeque<(Instant, Searcher)>>,
    dir: PathBuf,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Generation {
    /// Opens the index in a folder, or makes one.
    pub fn open(dir: &Path, tuning: Tuning) -> EngineResult<Self> {
        Ok(Self::opened(dir, tuning)?)
    }

    /// Opens the index in a folder; `None` if it can never be opened, as it is damaged or of another
    /// version. What may pass, such as a lock or a full table of files, is an error.
    pub fn find(dir: &Path, tuning: Tuning) -> EngineResult<Option<Self>> {
        match Self::opened(dir, tuning) {
            Ok(opened) => Ok(Some(opened)),
            Err(
                TantivyError::SchemaError(_)
                | TantivyError::IncompatibleIndex(_)
                | TantivyError::DataCorruption(_)
                | TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_)),
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn opened(dir: &Path, tuning: Tuning) -> tantivy::Result<Self> {
        crate::app::private::make_dir(dir)?;
        let (schema, fields): (Schema, Fields) = schema();
        let directory = MmapDirectory::open(dir)?;
        let index = Index::builder()
            .schema(schema)
            .settings(IndexSettings {
                docstore_compression: tantivy::store::Compressor::None,
                ..IndexSettings::default()
            })
            .open_or_create(directory)?;
        index.tokenizers().register(TOKENIZER, Lines::default());
        let writer = index.writer_with_num_threads(1, HEAP)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self {
            fields,
            tuning,
            visibles: Visibles::default(),
            index,
            reader,
            writer: Mutex::new(writer),
            kept: Mutex::default(),
            dir: dir.to_owned(),
        })
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How far it was at its last commit; `None` for a new one, and for one that cannot be read.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        serde_json::from_str(&self.index.load_metas().ok()?.payload?).ok()
    }

    /// The writer, to oneself. What was put before a panic must not come with the next commit.
    fn writer(&self) -> EngineResult<MutexGuard<'_, IndexWriter<TantivyDocument>>> {
        self.writer.lock().or_else(|broken| {
            let mut writer = broken.into_inner();
            writer.rollback()?;
            self.writer.clear_poison();
            Ok(writer)
        })
    }

    /// Writes changes and how far they bring the index, in one commit; readers see it at once.
    pub fn write(&self, changes: &[Change], progress: &Progress) -> EngineResult<()> {
        let mut writer = self.writer()?;
        let written = self.put(&mut writer, changes, progress);
        if written.is_err() {
            // What was put without a commit must not come with the next one.
            writer.rollback()?;
        }
        written?;
        if self.takes_away(changes)? {
            self.forget_kept();
        }
        self.reader.reload()?;
        Ok(())
    }

    /// Whether these changes take something away that could be found: then it is found in no older
    /// state either.
    fn takes_away(&self, changes: &[Change]) -> EngineResult<bool> {
        let searcher = self.searcher();
        for change in changes {
            if let Change::Remove(kind, id) = change
                && searcher.doc_freq(&key_term(&self.fields, *kind, *id))? > 0
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn forget_kept(&self) {
        locked(&self.kept).clear();
    }

    fn put(
        &self,
        writer: &mut IndexWriter<TantivyDocument>,
        changes: &[Change],
        progress: &Progress,
    ) -> EngineResult<()> {
        for change in changes {
            let (kind, id) = match change {
                Change::Put(document) => (document.kind, document.id),
                Change::Remove(kind, id) => (*kind, *id),
            };
            writer.delete_term(key_term(&self.fields, kind, id));
            if let Change::Put(document) = change {
                writer.add_document(entry(&self.fields, document, &self.tuning))?;
            }
        }
        let payload = serde_json::to_string(progress).map_err(|error| EngineError(error.to_string()))?;
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        Ok(())
    }

    #[must_use]
    pub fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// The state that a page was made of, if it is still at hand, else the newest.
    pub(super) fn searcher_of(&self, version: Option<u64>) -> Searcher {
        let kept = {
            let kept = locked(&self.kept);
            let found = kept.iter().find(|(_, of)| Some(of.generation().generation_id()) == version);
            found.filter(|(at, _)| at.elapsed() < KEPT_FOR).map(|(_, of)| of.clone())
        };
        kept.unwrap_or_else(|| self.searcher())
    }

    /// Keeps a state for the next page.
    pub(super) fn keep(&self, searcher: Searcher) {
        let mut kept = locked(&self.kept);
        let version = searcher.generation().generation_id();
        kept.retain(|(at, _)| at.elapsed() < KEPT_FOR);
        if kept.iter().all(|(_, of)| of.generation().generation_id() != version) {
            kept.push_back((Instant::now(), searcher));
            if kept.len() > KEPT {
                kept.pop_front();
            }
        }
    }

    /// How many documents of each kind it holds.
    pub fn counts(&self) -> EngineResult<BTreeMap<Kind, u64>> {
        let mut counts = BTreeMap::new();
        self.each(|kind, _| *counts.entry(kind).or_insert(0) += 1)?;
        Ok(counts)
    }

    /// The ids of a kind that it holds.
    pub fn ids(&self, of: Kind) -> EngineResult<HashSet<i64>> {
        let mut ids = HashSet::new();
        self.each(|kind, id| {
            if kind == of {
                ids.insert(id);
            }
        })?;
        Ok(ids)
    }

    fn each(&self, mut visit: impl FnMut(Kind, i64)) -> EngineResult<()> {
        for segment in self.searcher().segment_readers() {
            let (kinds, ids) = (segment.fast_fields().u64("kind")?, segment.fast_fields().i64("id")?);
            for doc in segment.doc_ids_alive() {
                if let (Some(kind), Some(id)) = (kinds.first(doc).and_then(Kind::from_number), ids.first(doc)) {
                    visit(kind, id);
                }
            }
        }
        Ok(())
    }

    /// Documents in all.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.searcher().num_docs()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return 0 };
        entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
    }

    /// Writes anew whatever still has words of documents that are gone, so that these words leave
    /// the disk. Changes can be written meanwhile.
    pub fn expunge(&self) -> EngineResult<()> {
        let metas = self.index.searchable_segment_metas()?;
        let stale: Vec<_> = metas.iter().filter(|meta| meta.has_deletes()).map(|meta| meta.id()).collect();
        if stale.is_empty() {
            return Ok(());
        }
        let merged = {
            let mut writer = self.writer()?;
            writer.merge(&stale)
        };
        merged.wait()?;
        self.reader.reload()?;
        self.forget_kept();
        let writer = self.writer()?;
        writer.garbage_collect_files().wait()?;
        Ok(())
    }
}

/// An `Arc`, as readers go on with a generation that another one has replaced.
pub type Shared = Arc<Generation>;
