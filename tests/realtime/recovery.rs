//! A reader's state equals the log, whatever is dropped, doubled or reordered on the way.

use praxis_server::realtime::{Cursor, Step, can_replay};
use proptest::collection::vec;
use proptest::prelude::*;

/// What can happen to one reader of one stream.
#[derive(Clone, Debug)]
enum Act {
    /// So many events are committed.
    Commit(i64),
    /// A delivery of the events in a range of the log, wherever it starts: late, doubled, early.
    Deliver { from: i64, count: i64 },
    /// The reader, if it is behind, reads a page of the log.
    ReadPage(i64),
    /// The connection breaks; the reader comes back with the last seq it saw.
    Reconnect,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (1..5i64).prop_map(Act::Commit),
        (0..60i64, 1..6i64).prop_map(|(from, count)| Act::Deliver { from, count }),
        (1..4i64).prop_map(Act::ReadPage),
        Just(Act::Reconnect),
    ];
    vec(act, 0..200)
}

struct Reader {
    cursor: Cursor,
    seen: Vec<i64>,
    /// The newest seq delivered to the worker since the reader is connected.
    delivered: i64,
}

impl Reader {
    fn take(&mut self, first: i64, newest: i64) {
        match self.cursor.take(first, newest) {
            Step::Whole => self.seen.extend(first..=newest),
            Step::From(skip) => self.seen.extend(first + i64::try_from(skip).unwrap()..=newest),
            Step::Skip | Step::Hole => {}
        }
    }

    fn read_page(&mut self, head: i64, size: i64) {
        let (first, newest) = (self.cursor.last + 1, (self.cursor.last + size).min(head));
        if first > newest {
            self.cursor.end_of_log(self.delivered);
        } else {
            self.take(first, newest);
        }
    }
}

proptest! {
    #[test]
    fn the_reader_ends_with_exactly_the_log(acts in acts()) {
        let mut head = 0;
        let mut reader = Reader { cursor: Cursor::new(0, false), seen: Vec::new(), delivered: 0 };
        for act in acts {
            match act {
                Act::Commit(count) => head += count,
                Act::Deliver { from, count } => {
                    let (first, newest) = (from + 1, (from + count).min(head));
                    if first <= newest {
                        reader.delivered = reader.delivered.max(newest);
                        if reader.cursor.live {
                            reader.take(first, newest);
                        }
                    }
                }
                Act::ReadPage(size) if !reader.cursor.live => reader.read_page(head, size),
                Act::ReadPage(_) => {}
                Act::Reconnect => {
                    reader.cursor = Cursor::new(reader.seen.last().copied().unwrap_or(0), false);
                    reader.delivered = 0;
                }
            }
            // At every moment what was seen is a beginning of the log: no hole, nothing twice.
            let so_far: Vec<i64> = (1..=reader.cursor.last).collect();
            prop_assert_eq!(&reader.seen, &so_far);
        }
        // The comparison of heads finds what no delivery brought: the reader falls behind and reads.
        reader.cursor.live = false;
        while !reader.cursor.live {
            reader.delivered = reader.delivered.min(head);
            reader.read_page(head, 3);
        }
        let log: Vec<i64> = (1..=head).collect();
        prop_assert_eq!(reader.seen, log);
    }

    #[test]
    fn a_replay_is_refused_only_for_what_the_log_cannot_give(since in 0..50i64, head in 0..50i64, floor in 0..50i64) {
        let floor = floor.min(head);
        let good = can_replay(since, Some("a"), head, floor, "a");
        prop_assert_eq!(good, since <= head && since >= floor);
        prop_assert!(!can_replay(since, Some("b"), head, floor, "a"));
        prop_assert_eq!(can_replay(since, None, head, floor, "a"), good);
    }
}
