//! Readers come while events are on their way: each still ends with all that came after it.

use praxis_server::realtime::{Cursor, Step};
use praxis_server::streams::Reach;
use proptest::collection::vec;
use proptest::prelude::*;

/// What a node, its log and its readers do, in any order.
#[derive(Clone, Debug)]
enum Act {
    /// An event is committed and handed to the relay, if anybody reads the stream.
    Commit,
    /// The same, by another process: nobody tells this node.
    CommitElsewhere,
    /// The relay takes what was handed over first.
    Relay,
    /// The relay compares its place with the log's head.
    Compare,
    /// A reader counts as one; reads the head; says so and begins.
    Come(usize),
    Look(usize),
    Begin(usize),
    /// A reader that is behind reads the log.
    CatchUp(usize),
    Leave(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = || 0..3usize;
    let act = prop_oneof![
        4 => Just(Act::Commit),
        1 => Just(Act::CommitElsewhere),
        3 => Just(Act::Relay),
        1 => Just(Act::Compare),
        2 => who().prop_map(Act::Come),
        2 => who().prop_map(Act::Look),
        3 => who().prop_map(Act::Begin),
        2 => who().prop_map(Act::CatchUp),
        1 => who().prop_map(Act::Leave),
    ];
    vec(act, 0..200)
}

#[derive(Clone, Copy, Debug, Default)]
struct Reader {
    here: bool,
    head: Option<i64>,
    cursor: Option<Cursor>,
}

#[derive(Default)]
struct Node {
    head: i64,
    queue: std::collections::VecDeque<i64>,
    reach: Option<Reach>,
    readers: [Reader; 3],
    /// The newest seq that was handed to the readers' worker.
    delivered: i64,
}

impl Node {
    fn is_read(&self) -> bool {
        self.readers.iter().any(|reader| reader.here)
    }

    fn deliver(&mut self, first: i64, newest: i64) {
        self.delivered = self.delivered.max(newest);
        if let Some(reach) = &mut self.reach {
            reach.reached(newest);
        }
        for cursor in self.readers.iter_mut().filter_map(|reader| reader.cursor.as_mut()).filter(|of| of.live) {
            let taken = cursor.take(first, newest);
            assert!(taken != Step::Hole || !cursor.live);
        }
    }

    fn relay(&mut self) {
        let Some(seq) = self.queue.pop_front() else { return };
        let Some(last) = self.reach.map(Reach::last) else { return };
        if seq > last {
            // A hole is filled from the log.
            self.deliver(last + 1, seq);
        }
    }

    fn compare(&mut self) {
        if let Some(last) = self.reach.map(Reach::last).filter(|last| *last < self.head)
            && self.is_read()
        {
            self.deliver(last + 1, self.head);
        }
        if !self.is_read() {
            self.reach = None;
        }
    }

    fn begin(&mut self, who: usize) {
        let Reader { here: true, head: Some(head), cursor: None } = self.readers[who] else { return };
        self.reach.get_or_insert_with(|| Reach::new(head)).join(head);
        self.readers[who].cursor = Some(Cursor::new(head, self.delivered <= head));
    }

    fn catch_up(&mut self, who: usize) {
        let (head, delivered) = (self.head, self.delivered);
        if let Some(cursor) = self.readers[who].cursor.as_mut().filter(|cursor| !cursor.live) {
            cursor.take(cursor.last + 1, head);
            cursor.end_of_log(delivered);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Commit => {
                self.head += 1;
                if self.is_read() {
                    self.queue.push_back(self.head);
                }
            }
            Act::CommitElsewhere => self.head += 1,
            Act::Relay => self.relay(),
            Act::Compare => self.compare(),
            Act::Come(who) => self.readers[who].here = true,
            Act::Look(who) => {
                let head = self.head;
                let reader = &mut self.readers[who];
                if reader.here && reader.cursor.is_none() {
                    reader.head = Some(head);
                }
            }
            Act::Begin(who) => self.begin(who),
            Act::CatchUp(who) => self.catch_up(who),
            Act::Leave(who) => self.readers[who] = Reader::default(),
        }
    }
}

proptest! {
    #[test]
    fn nobody_misses_what_was_on_its_way_when_another_came(acts in acts()) {
        let mut node = Node::default();
        acts.into_iter().for_each(|act| node.act(act));
        // Everything arrives, and the relay looks once; readers that know they are behind read.
        while !node.queue.is_empty() {
            node.relay();
        }
        node.compare();
        (0..3).for_each(|who| node.catch_up(who));
        for reader in node.readers.iter().filter_map(|reader| reader.cursor) {
            prop_assert_eq!(reader, Cursor::new(node.head, true));
        }
    }
}
