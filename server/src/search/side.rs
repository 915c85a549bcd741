//! One index and the ways it comes further: built from the rows, brought up to the log.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DatabaseConnection;

use super::log::{self, Mark};
use super::{Document, Extent, Kind, Source, Within, requests};
use crate::app::AppState;
use crate::ports::search::{Change, EngineResult, Home, Index, Progress};
use crate::web::error::{AppError, Result};

/// Ids read at once of what is inside something.
const PAGE: usize = 4000;
/// Bytes of documents in memory at once, about.
const MOST_BYTES: usize = 32 << 20;

/// How much of an index is built in one step, which is one commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    documents: usize,
    /// About.
    bytes: usize,
}

/// Of an index that is the only one.
pub(super) const ALONE: Step = Step { documents: 4000, bytes: MOST_BYTES };
/// Of one that is built beside another, which follows the log between two steps.
pub(super) const BESIDE: Step = Step { documents: 1000, bytes: 8 << 20 };

/// One index with how far it is.
pub(super) struct Side {
    pub(super) index: Index,
    pub(super) progress: Progress,
}

/// A fault of the engine is one of ours to tell.
pub(super) fn told<T>(done: EngineResult<T>) -> Result<T> {
    done.map_err(|error| AppError::Internal(error.into()))
}

/// A new index, as of the log's end now: what changes while it is built is followed afterwards.
pub(super) async fn begin(state: &AppState, home: &Home) -> Result<Side> {
    let db = state.store.read();
    let progress = Progress::begin(&state.epoch, log::end(db).await?, requests::wanted(db).await?);
    let side = Side { index: told(home.fresh().await)?, progress };
    write(&side.index, Vec::new(), &side.progress).await?;
    Ok(side)
}

/// Writes changes and how far they bring the index.
pub(super) async fn write(index: &Index, changes: Vec<Change>, progress: &Progress) -> Result<()> {
    told(index.write(changes, progress).await)
}

/// The next part of an index that is being built; how many documents that were.
pub(super) async fn build(
    db: &DatabaseConnection,
    sources: &[&'static dyn Source],
    side: &mut Side,
    step: Step,
) -> Result<i64> {
    let Some((at, after)) = side.progress.building else { return Ok(0) };
    let place = usize::try_from(at).unwrap_or(usize::MAX);
    let mut next = side.progress.clone();
    let Some(source) = sources.get(place) else {
        next.building = None;
        write(&side.index, Vec::new(), &next).await?;
        side.progress = next;
        return Ok(0);
    };
    let from = if after == 0 { i64::MIN } else { after };
    let ids = source.ids(db, from, step.documents as u64).await?;
    let (mut changes, mut size, mut count) = (Vec::new(), 0, 0);
    for batch in ids.chunks(source.batch()) {
        size += read(db, *source, batch, &mut changes).await?;
        count += batch.len();
        if size >= step.bytes {
            break;
        }
    }
    let more = count < ids.len() || ids.len() == step.documents;
    next.building = Some(match ids.get(..count).and_then(<[i64]>::last) {
        Some(last) if more => (at, *last),
        _ => (at + 1, 0),
    });
    if !changes.is_empty() {
        write(&side.index, changes, &next).await?;
    }
    side.progress = next;
    Ok(i64::try_from(count).unwrap_or(0))
}

/// Follows the log by one page; whether there is more, or `None` if it does not go on from here.
pub(super) async fn follow(state: &AppState, sources: &[&'static dyn Source], side: &mut Side) -> Result<Option<bool>> {
    let (db, asked) = (state.store.read(), state.clock.now());
    let Some(read) = log::read(db, &side.progress.cursor).await? else { return Ok(None) };
    let mut next = side.progress.clone();
    next.cursor = read.next;
    if read.marks.is_empty() {
        side.progress = next;
        return Ok(Some(read.more));
    }
    // Said before the work: on a busy machine that may take its time.
    state.search.note(|status| _ = status.lacks_since.get_or_insert(asked));
    let rows: BTreeSet<(Kind, i64)> = read.marks.iter().map(|mark| (mark.kind, mark.id)).collect();
    for deep in read.marks.iter().filter(|mark| mark.deep) {
        inside(db, sources, side, *deep).await?;
    }
    bring(db, sources, side, rows.into_iter(), &next).await?;
    side.progress = next;
    state.search.note(|status| status.commits += 1);
    Ok(Some(read.more))
}

/// Everything inside something that changed as a whole. The cursor stays where it is: should this
/// break off, it is done again.
async fn inside(db: &DatabaseConnection, sources: &[&'static dyn Source], side: &Side, mark: Mark) -> Result<()> {
    for source in sources {
        let mut after = i64::MIN;
        loop {
            let of = Within { kind: mark.kind, id: mark.id };
            let ids = source.within(db, of, after, PAGE as u64).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            bring(db, sources, side, ids.iter().map(|id| (source.kind(), *id)), &side.progress).await?;
            if ids.len() < PAGE {
                break;
            }
        }
    }
    Ok(())
}

/// Writes what these rows are now, in parts that are bounded; the last one says that the index is as
/// far as `next`. Should this break off, it is done again.
pub(super) async fn bring(
    db: &DatabaseConnection,
    sources: &[&'static dyn Source],
    side: &Side,
    rows: impl Iterator<Item = (Kind, i64)>,
    next: &Progress,
) -> Result<()> {
    let mut by_kind: BTreeMap<Kind, BTreeSet<i64>> = BTreeMap::new();
    for (kind, id) in rows {
        by_kind.entry(kind).or_default().insert(id);
    }
    let (mut changes, mut size) = (Vec::new(), 0);
    for (kind, ids) in by_kind {
        let Some(source) = sources.iter().find(|source| source.kind() == kind) else { continue };
        let ids: Vec<i64> = ids.into_iter().collect();
        for batch in ids.chunks(source.batch()) {
            size += read(db, *source, batch, &mut changes).await?;
            if size >= MOST_BYTES {
                write(&side.index, std::mem::take(&mut changes), &side.progress).await?;
                size = 0;
            }
        }
    }
    write(&side.index, changes, next).await
}

/// What rows of one kind are to an index now: documents, or gone. How many bytes that are, about.
async fn read(
    db: &DatabaseConnection,
    source: &'static dyn Source,
    ids: &[i64],
    changes: &mut Vec<Change>,
) -> Result<usize> {
    let documents = source.documents(db, ids, Extent::Whole).await?;
    let size = documents.iter().map(Document::size).sum();
    let found: BTreeSet<i64> = documents.iter().map(|document| document.id).collect();
    changes.extend(documents.into_iter().map(|document| Change::Put(Box::new(document))));
    let gone = ids.iter().filter(|id| !found.contains(*id));
    changes.extend(gone.map(|id| Change::Remove(source.kind(), *id)));
    Ok(size)
}
