//! What is handed over out of order, for a moment. Pure: no clock, no database.
//!
//! Several writers, on this node and on others, commit to one stream; what each hands over may
//! overtake what another does. A piece that comes too early is kept until the one before it is
//! there, or until its time is over and the log is read.

use std::collections::HashMap;

use super::{Committed, Stream};

/// Events of one stream that may wait; beyond that the log is read.
const MOST: usize = 4096;

/// What to do with events of one stream.
#[derive(Debug)]
pub enum Next {
    /// They follow on the last and on each other.
    Deliver(Vec<Committed>),
    /// Nothing of it can be delivered yet.
    Wait,
    /// Too much waits: read the log up to this seq.
    Read(i64),
}

/// Pieces that came too early, with the time after which they no longer wait.
#[derive(Debug)]
pub struct Early<T> {
    waiting: HashMap<Stream, (Vec<Committed>, T)>,
}

impl<T> Default for Early<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new() }
    }
}

impl<T: Copy + Ord> Early<T> {
    /// Takes what came and gives what follows on `last`; the rest waits until `until`.
    pub fn take(&mut self, stream: Stream, last: i64, mut events: Vec<Committed>, until: T) -> Next {
        let mut since = None;
        if let Some((before, by)) = self.waiting.remove(&stream) {
            events.extend(before);
            since = Some(by);
        }
        events.retain(|event| event.seq > last);
        events.sort_by_key(|event| event.seq);
        events.dedup_by_key(|event| event.seq);
        let mut end = last;
        let follow = events.iter().take_while(|event| std::mem::replace(&mut end, event.seq) + 1 == event.seq).count();
        let rest = events.split_off(follow);
        if let Some(newest) = rest.last().map(|event| event.seq) {
            if rest.len() > MOST {
                return Next::Read(newest);
            }
            // Whoever has moved on waits for another piece now.
            let until = since.filter(|_| follow == 0).unwrap_or(until);
            self.waiting.insert(stream, (rest, until));
        }
        if events.is_empty() { Next::Wait } else { Next::Deliver(events) }
    }

    /// When the first of them no longer waits.
    pub fn next(&self) -> Option<T> {
        self.waiting.values().map(|(_, until)| *until).min()
    }

    /// Streams whose time is over, with the newest seq that waited.
    pub fn over(&mut self, now: T) -> Vec<(Stream, i64)> {
        let over: Vec<Stream> =
            self.waiting.iter().filter(|(_, (_, until))| *until <= now).map(|(stream, _)| *stream).collect();
        over.into_iter()
            .filter_map(|stream| {
                let (events, _) = self.waiting.remove(&stream)?;
                Some((stream, events.last()?.seq))
            })
            .collect()
    }

    /// Streams with something that waits.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Early, Next};
    use crate::streams::{Committed, Stream};

    const ROOM: Stream = Stream::room(1);

    fn events(seqs: &[i64]) -> Vec<Committed> {
        seqs.iter()
            .map(|seq| Committed {
                stream: ROOM,
                seq: *seq,
                kind: "message.posted".into(),
                subject: *seq,
                actor: None,
                at: 0,
                extra: None,
                live: None,
            })
            .collect()
    }

    fn delivered(next: Next) -> Vec<i64> {
        match next {
            Next::Deliver(events) => events.iter().map(|event| event.seq).collect(),
            Next::Wait => Vec::new(),
            Next::Read(to) => panic!("read to {to}"),
        }
    }

    #[test]
    fn what_comes_early_waits_for_what_is_missing() {
        let mut early = Early::default();
        assert_eq!(delivered(early.take(ROOM, 2, events(&[5, 6]), 10)).len(), 0);
        assert_eq!(delivered(early.take(ROOM, 2, events(&[9]), 20)).len(), 0);
        assert_eq!(early.next(), Some(10), "the wait is that of the first piece");
        assert_eq!(delivered(early.take(ROOM, 2, events(&[3]), 30)), [3]);
        assert_eq!(delivered(early.take(ROOM, 3, events(&[4, 3, 4]), 40)), [4, 5, 6]);
        assert_eq!(early.next(), Some(40), "it waits for another piece now");
        assert!(early.over(39).is_empty());
        assert_eq!(early.over(40), [(ROOM, 9)]);
        assert_eq!((early.next(), early.len()), (None, 0));
    }

    #[test]
    fn nothing_is_given_twice_or_out_of_order() {
        let mut early = Early::default();
        let mut last = 0;
        let mut given = Vec::new();
        for piece in [&[2, 3][..], &[1], &[2], &[6], &[5, 4, 3], &[7]] {
            let now = delivered(early.take(ROOM, last, events(piece), 1));
            last = now.last().copied().unwrap_or(last);
            given.extend(now);
        }
        assert_eq!(given, [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut early = Early::default();
        let many: Vec<i64> = (2..10_000).collect();
        assert!(matches!(early.take(ROOM, 0, events(&many), 1), Next::Read(9_999)));
        assert_eq!(early.len(), 0);
    }
}
