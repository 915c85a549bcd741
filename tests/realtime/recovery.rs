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

/// One event of the log: object `of` got version `version`, or was deleted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    seq: i64,
    of: u8,
    version: Option<u32>,
}

/// What the network, the node and the people do to each other.
#[derive(Clone, Debug)]
enum Turn {
    /// Somebody writes, changes or deletes an object; the event sets out for the node.
    Publish {
        of: u8,
        deletes: bool,
    },
    /// Of what is under way one arrives, is lost, or arrives and is under way once more.
    Arrive(usize),
    Lose(usize),
    Double(usize),
    /// Two that follow each other arrive as one.
    Coalesce(usize),
    /// The node finds by the stream's head that it missed something.
    Compare,
    /// A reader that is behind is sent a page of the log, filled with the objects as they now are.
    Page(usize),
    /// The reader takes so many of the frames that were sent to it.
    Take(usize),
    /// The connection breaks: what was sent and not taken is gone; the reader comes back.
    Break,
    /// The connection breaks, and before the reader is back the log loses its beginning.
    BreakAndTrim,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        6 => (0..5u8, proptest::bool::weighted(0.2)).prop_map(|(of, deletes)| Turn::Publish { of, deletes }),
        4 => any::<usize>().prop_map(Turn::Arrive),
        1 => any::<usize>().prop_map(Turn::Lose),
        1 => any::<usize>().prop_map(Turn::Double),
        1 => any::<usize>().prop_map(Turn::Coalesce),
        1 => Just(Turn::Compare),
        3 => (1..4usize).prop_map(Turn::Page),
        4 => (1..5usize).prop_map(Turn::Take),
        1 => Just(Turn::Break),
        1 => Just(Turn::BreakAndTrim),
    ];
    vec(turn, 0..300)
}

/// What a socket is sent.
#[derive(Clone, Debug)]
enum Sent {
    Events(Vec<Event>),
    Reset { head: i64 },
}

#[derive(Default)]
struct World {
    log: Vec<Event>,
    rows: std::collections::BTreeMap<u8, Option<u32>>,
    floor: i64,
    under_way: Vec<Vec<Event>>,
}

impl World {
    fn head(&self) -> i64 {
        i64::try_from(self.log.len()).unwrap()
    }

    /// A page of the log after `last`, as replays fill it: what an object was meanwhile is gone.
    fn page(&self, last: i64, size: usize) -> Vec<Event> {
        let after = usize::try_from(last).unwrap();
        let page = self.log.iter().skip(after).take(size);
        page.map(|event| Event { version: self.rows[&event.of], ..*event }).collect()
    }
}

/// The node's side of a connection and the reader at its other end.
struct Connection {
    cursor: Cursor,
    delivered: i64,
    wire: std::collections::VecDeque<Sent>,
    /// The last seq the reader took, and what it knows.
    last: i64,
    known: std::collections::BTreeMap<u8, Option<u32>>,
    /// How often it was sent to fetch again.
    resets: usize,
}

impl Connection {
    fn send(&mut self, events: &[Event]) {
        let (Some(first), Some(newest)) = (events.first(), events.last()) else { return };
        match self.cursor.take(first.seq, newest.seq) {
            Step::Whole => self.wire.push_back(Sent::Events(events.to_vec())),
            Step::From(skip) => self.wire.push_back(Sent::Events(events[skip..].to_vec())),
            Step::Skip | Step::Hole => {}
        }
    }

    fn deliver(&mut self, events: &[Event]) {
        self.delivered = self.delivered.max(events.last().map_or(0, |event| event.seq));
        if self.cursor.live {
            self.send(events);
        }
    }

    fn page(&mut self, world: &World, size: usize) {
        if self.cursor.live {
            return;
        }
        let page = world.page(self.cursor.last, size);
        if page.is_empty() {
            self.cursor.end_of_log(self.delivered);
        } else {
            self.send(&page);
        }
    }

    /// The reader takes a frame, as the browser does: events in order, each the next.
    fn take(&mut self, world: &World) -> Result<(), TestCaseError> {
        match self.wire.pop_front() {
            Some(Sent::Events(events)) => {
                for event in events {
                    prop_assert_eq!(event.seq, self.last + 1, "a hole or a repeat");
                    self.last = event.seq;
                    self.known.insert(event.of, event.version);
                }
            }
            Some(Sent::Reset { head }) => {
                // Fetched after the frame came, so it may hold what later events bring again.
                self.known = world.rows.clone();
                self.last = head;
                self.resets += 1;
            }
            None => {}
        }
        Ok(())
    }

    fn come_back(&mut self, world: &World) {
        self.wire.clear();
        self.delivered = 0;
        let head = world.head();
        let place = if can_replay(self.last, Some("now"), head, world.floor, "now") {
            self.last
        } else {
            self.wire.push_back(Sent::Reset { head });
            head
        };
        self.cursor = Cursor::new(place, false);
    }
}

proptest! {
    #[test]
    fn the_reader_knows_what_the_rows_say(turns in turns()) {
        let mut world = World::default();
        let mut one = Connection {
            cursor: Cursor::new(0, false),
            delivered: 0,
            wire: std::collections::VecDeque::new(),
            last: 0,
            known: std::collections::BTreeMap::new(),
            resets: 0,
        };
        let mut versions = 0;
        let mut trimmed = 0;
        for turn in turns {
            let count = world.under_way.len();
            match turn {
                Turn::Publish { of, deletes } => {
                    versions += 1;
                    let version = (!deletes).then_some(versions);
                    let event = Event { seq: world.head() + 1, of, version };
                    world.rows.insert(of, version);
                    world.log.push(event);
                    world.under_way.push(vec![event]);
                }
                Turn::Arrive(which) if count > 0 => {
                    let events = world.under_way.remove(which % count);
                    one.deliver(&events);
                }
                Turn::Lose(which) if count > 0 => drop(world.under_way.remove(which % count)),
                Turn::Double(which) if count > 0 => {
                    let events = world.under_way[which % count].clone();
                    one.deliver(&events);
                }
                Turn::Coalesce(which) if count > 1 => {
                    let at = which % (count - 1);
                    let (first, second) = (world.under_way[at].clone(), world.under_way[at + 1].clone());
                    if first.last().map(|event| event.seq + 1) == second.first().map(|event| event.seq) {
                        world.under_way[at].extend(second);
                        world.under_way.remove(at + 1);
                    }
                }
                Turn::Compare if world.head() > one.cursor.last => one.cursor.live = false,
                Turn::Page(size) => one.page(&world, size),
                Turn::Take(frames) => {
                    for _ in 0..frames {
                        one.take(&world)?;
                    }
                }
                Turn::Break => one.come_back(&world),
                Turn::BreakAndTrim => {
                    world.floor = world.head();
                    trimmed += usize::from(one.last < world.floor);
                    one.come_back(&world);
                }
                _ => {}
            }
        }
        // The heads are compared, the reader reads to the end and takes all it was sent.
        one.cursor.live = false;
        while !one.cursor.live {
            one.delivered = one.delivered.min(world.head());
            one.page(&world, 3);
        }
        while !one.wire.is_empty() {
            one.take(&world)?;
        }
        prop_assert_eq!(one.last, world.head());
        prop_assert_eq!(&one.known, &world.rows);
        prop_assert!(one.resets <= trimmed, "sent to fetch again though the log was there");
    }
}
