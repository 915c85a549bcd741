//! What a viewer may see of a segment, as a set of bits. Everything a search computes starts here,
//! so that no count, no word and no score can tell of anything else.

use std::sync::Arc;

use moka::sync::Cache;
use tantivy::SegmentReader;
use tantivy::index::SegmentId;
use tantivy::schema::Field;

use crate::ports::search::EngineResult;
use crate::search::{Audience, Reach};

/// Memory for sets that are kept.
const KEPT: u64 = 48 << 20;

/// The living documents of a segment that a viewer may see.
#[derive(Debug)]
pub struct Visible {
    bits: Vec<u64>,
    count: u64,
    /// Words in each of the fields that are scored, of all of them together.
    lengths: [u64; 3],
}

impl Visible {
    #[must_use]
    pub fn has(&self, doc: u32) -> bool {
        self.bits.get(doc as usize >> 6).is_some_and(|word| word >> (doc & 63) & 1 == 1)
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many words they have in each field.
    #[must_use]
    pub const fn lengths(&self) -> [u64; 3] {
        self.lengths
    }

    /// All of them, ascending.
    pub fn docs(&self) -> impl Iterator<Item = u32> + '_ {
        self.bits.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                (left != 0).then(|| {
                    left &= left - 1;
                    u32::try_from(at).unwrap_or(u32::MAX) * 64 + bit
                })
            })
        })
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    segment: SegmentId,
    deletes: Option<u64>,
    audiences: Arc<Vec<Audience>>,
}

/// Sets that were computed before: of one segment with its deletions, for one set of audiences.
pub struct Visibles {
    kept: Cache<Key, Arc<Visible>>,
}

impl Default for Visibles {
    fn default() -> Self {
        let weigh = |key: &Key, of: &Arc<Visible>| {
            u32::try_from(of.bits.len() * 8 + key.audiences.len() * 16 + 128).unwrap_or(u32::MAX)
        };
        Self { kept: Cache::builder().max_capacity(KEPT).weigher(weigh).build() }
    }
}

impl Visibles {
    /// What a viewer may see of each segment.
    pub fn of(&self, segments: &[SegmentReader], reach: &Reach, scored: [Field; 3]) -> EngineResult<Vec<Arc<Visible>>> {
        let audiences: Arc<Vec<Audience>> = Arc::new(reach.audiences().iter().copied().collect());
        let mut all = Vec::with_capacity(segments.len());
        for segment in segments {
            let key = Key {
                segment: segment.segment_id(),
                deletes: segment.delete_opstamp(),
                audiences: Arc::clone(&audiences),
            };
            let visible = match self.kept.get(&key) {
                Some(visible) => visible,
                None => {
                    let visible = Arc::new(compute(segment, reach, scored)?);
                    self.kept.insert(key, Arc::clone(&visible));
                    visible
                }
            };
            all.push(visible);
        }
        Ok(all)
    }
}

fn compute(segment: &SegmentReader, reach: &Reach, scored: [Field; 3]) -> EngineResult<Visible> {
    let mut visible = Visible { bits: vec![0; (segment.max_doc() as usize).div_ceil(64)], count: 0, lengths: [0; 3] };
    let norms = scored.map(|field| segment.get_fieldnorms_reader(field).ok());
    let Some(column) = segment.fast_fields().str("audience")? else { return Ok(visible) };
    // Each audience once: its number in this segment, and whether the viewer belongs to it.
    let mut belongs = vec![false; column.num_terms()];
    for audience in reach.audiences() {
        if let Some(at) = column.dictionary().term_ord(audience.to_string().as_bytes())?
            && let Some(slot) = usize::try_from(at).ok().and_then(|at| belongs.get_mut(at))
        {
            *slot = true;
        }
    }
    for doc in segment.doc_ids_alive() {
        let seen =
            column.term_ords(doc).any(|at| usize::try_from(at).ok().and_then(|at| belongs.get(at)) == Some(&true));
        if seen && let Some(word) = visible.bits.get_mut(doc as usize >> 6) {
            *word |= 1 << (doc & 63);
            visible.count += 1;
            for (length, norm) in visible.lengths.iter_mut().zip(&norms) {
                *length += norm.as_ref().map_or(0, |norm| u64::from(norm.fieldnorm(doc)));
            }
        }
    }
    Ok(visible)
}
