//! How far a stream was delivered on this node. Pure: no clock, no database.

/// What was handed to the workers of one stream: all that came after `start`, up to `last`.
///
/// Readers count as such before they read the stream's head, and say it here after that. So what is
/// committed after the head they read finds them, if it was not passed over: `start` is the place
/// from which on nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    start: i64,
    last: i64,
}

impl Reach {
    /// Of a stream's first reader.
    #[must_use]
    pub const fn new(head: i64) -> Self {
        Self { start: head, last: head }
    }

    /// Of a further reader. It never says that more was delivered: what is committed and still on
    /// its way goes to those who were there before. One that came first and is slower to say so
    /// moves the start back.
    pub const fn join(&mut self, head: i64) {
        if head < self.start {
            *self = Self::new(head);
        }
    }

    /// What came after `last` was delivered, up to here.
    pub fn reached(&mut self, seq: i64) {
        self.last = self.last.max(seq);
    }

    #[must_use]
    pub const fn last(self) -> i64 {
        self.last
    }
}
