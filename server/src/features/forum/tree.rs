//! The depth-first order of a topic on one column. Pure.
//!
//! Invariant: sorted by `tree_pos`, the replies of a topic stand depth first, siblings oldest
//! first. A new reply goes behind the last post of its parent's subtree, which is directly before
//! the next post that is no deeper than the parent. The opening text stands at 0.

/// The distance between neighbours where there is room.
pub const GAP: i64 = 1 << 40;

/// What part of a gap a new post takes from its left end: most replies go behind the last one,
/// so that the larger part stays free for them.
const SHARE: i64 = 128;

/// The place between two neighbours; `None` if there is no room and the topic must be numbered
/// anew. Without a right neighbour the place is at the end.
#[must_use]
pub const fn between(before: i64, after: Option<i64>) -> Option<i64> {
    let Some(after) = after else { return before.checked_add(GAP) };
    let room = after.saturating_sub(before);
    if room < 2 {
        return None;
    }
    let step = room / SHARE;
    Some(before + if step < 1 { 1 } else { step })
}
