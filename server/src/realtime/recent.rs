//! What was just delivered of one stream: readers that are a little behind go on from here, with
//! the same bytes as everybody, and not each from the log. Many of them at once would else read
//! the same pages over and over and never come to its end.
//!
//! Invariant: it holds only events that add something. An edit or a removal empties it, so that
//! what it gives is never older than what the log would be filled with.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::streams::Item;

/// Bytes kept for one stream, frames and items together.
const MOST: usize = 4 << 20;

#[derive(Debug)]
pub struct Delivered {
    pub first: i64,
    pub newest: i64,
    pub items: Arc<[Item]>,
    pub frame: Bytes,
    /// What it costs to keep it.
    bytes: usize,
}

#[derive(Debug, Default)]
pub struct Recent {
    frames: VecDeque<Delivered>,
    bytes: usize,
    /// How many of them came after the last sweep.
    fresh: usize,
}

impl Recent {
    /// Keeps a delivery, which follows on the one before or takes its place.
    pub fn keep(&mut self, items: &Arc<[Item]>, frame: &Bytes) {
        let Some((first, newest)) = items.first().zip(items.last()) else { return };
        let follows = self.frames.back().is_none_or(|last| last.newest + 1 == first.seq);
        let adds = items.iter().all(|item| item.adds);
        if !follows || !adds {
            self.clear();
        }
        if !adds {
            return;
        }
        let bytes = frame.len() + items.iter().map(|item| item.json.len() + size_of::<Item>()).sum::<usize>();
        let (items, frame) = (Arc::clone(items), frame.clone());
        self.frames.push_back(Delivered { first: first.seq, newest: newest.seq, items, frame, bytes });
        self.bytes += bytes;
        self.fresh += 1;
        while self.bytes > MOST && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.frames.pop_front() else { return false };
        self.bytes -= oldest.bytes;
        self.fresh = self.fresh.min(self.frames.len());
        true
    }

    /// The delivery that holds what comes after `last`.
    pub fn after(&self, last: i64) -> Option<&Delivered> {
        let at = self.frames.partition_point(|delivered| delivered.newest <= last);
        self.frames.get(at).filter(|delivered| delivered.first <= last + 1)
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.fresh = 0;
    }

    /// Forgets what was there at the sweep before.
    pub fn sweep(&mut self) {
        while self.frames.len() > self.fresh && self.drop_oldest() {}
        self.fresh = 0;
        if self.frames.is_empty() {
            self.frames.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{MOST, Recent};
    use crate::streams::Item;

    fn keep(recent: &mut Recent, seqs: std::ops::RangeInclusive<i64>, adds: bool, bytes: usize) {
        let items: Arc<[Item]> = seqs.map(|seq| Item { seq, json: "{}".into(), adds }).collect();
        recent.keep(&items, &Bytes::from(vec![0; bytes]));
    }

    #[test]
    fn gives_what_follows_and_nothing_with_a_hole() {
        let mut recent = Recent::default();
        keep(&mut recent, 3..=5, true, 10);
        keep(&mut recent, 6..=6, true, 10);
        let first = |recent: &Recent, last| recent.after(last).map(|of| of.first);
        assert_eq!([0, 1, 2, 4, 5, 6].map(|last| first(&recent, last)), [None, None, Some(3), Some(3), Some(6), None]);
        keep(&mut recent, 8..=8, true, 10);
        assert_eq!([5, 7].map(|last| first(&recent, last)), [None, Some(8)]);
        keep(&mut recent, 9..=9, false, 10);
        assert_eq!([7, 8].map(|last| first(&recent, last)), [None, None]);
    }

    #[test]
    fn is_bounded_in_bytes_and_in_time() {
        let mut recent = Recent::default();
        for seq in 1..=100 {
            keep(&mut recent, seq..=seq, true, MOST / 10);
        }
        assert!(recent.after(80).is_none() && recent.after(95).is_some());
        assert!(recent.bytes <= MOST);
        recent.sweep();
        assert!(recent.after(95).is_some());
        // One that is never quiet keeps no more than came between two sweeps.
        keep(&mut recent, 101..=101, true, 10);
        recent.sweep();
        assert!(recent.after(99).is_none() && recent.after(100).is_some());
        recent.sweep();
        assert!(recent.after(100).is_none());
        assert_eq!(recent.bytes, 0);
    }
}
