//! One reader's place in one stream. Pure: no socket, no database.
//!
//! A cursor is live or behind. Live, it takes what follows on its last seq and nothing else; a
//! hole makes it fall behind. Behind, it takes pages of the log until the log has no more and
//! nothing newer was delivered meanwhile.

/// What to do with a delivery or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All of it is new and follows on.
    Whole,
    /// The items from this index on are new and follow on.
    From(usize),
    /// Nothing of it is new.
    Skip,
    /// Something is missing before it.
    Hole,
}

/// A reader's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last seq the reader was given.
    pub last: i64,
    /// Whether deliveries go to it; else it reads the log.
    pub live: bool,
}

impl Cursor {
    #[must_use]
    pub const fn new(last: i64, live: bool) -> Self {
        Self { last, live }
    }

    /// What to do with events `first..=newest`, consecutive. Moves the cursor over what is to
    /// be sent; falls behind at a hole.
    pub fn take(&mut self, first: i64, newest: i64) -> Step {
        if newest <= self.last {
            return Step::Skip;
        }
        if first > self.last + 1 {
            self.live = false;
            return Step::Hole;
        }
        let skip = usize::try_from(self.last + 1 - first).unwrap_or(0);
        self.last = newest;
        if skip == 0 { Step::Whole } else { Step::From(skip) }
    }

    /// The log had nothing after `last`. Goes live unless something newer was delivered to the
    /// others meanwhile, which is then in the log by now. Says whether it is live.
    pub const fn end_of_log(&mut self, delivered: i64) -> bool {
        self.live = delivered <= self.last;
        self.live
    }
}

/// Whether a reader that saw `since` of `epoch` can be served from the log.
#[must_use]
pub fn can_replay(since: i64, epoch: Option<&str>, head: i64, floor: i64, current_epoch: &str) -> bool {
    since >= floor && since <= head && epoch.is_none_or(|epoch| epoch == current_epoch)
}
