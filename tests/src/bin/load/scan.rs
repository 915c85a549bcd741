//! Reading `events` frames by scanning: the seqs and, in the bodies, the times of sending.
//!
//! All readers of a room get the same bytes, so what a frame holds is found out once and known
//! again by comparing bytes. Scanning relies on how the server writes JSON today; every frame's
//! first reading in a thousand is checked against a whole parse, and a frame that cannot be
//! scanned is parsed.

use std::rc::Rc;

use memchr::memmem::Finder;
use serde_json::Value;

/// What an `events` frame holds.
#[derive(Debug, Default, PartialEq)]
pub struct Events {
    pub seqs: Vec<i64>,
    /// When the tool's messages in it were sent, microseconds.
    pub sent: Vec<u64>,
}

/// A frame that was read before, and what was in it.
type Known = (Box<[u8]>, Rc<Events>);

/// Recent frames of one room.
pub struct Recent {
    frames: Vec<Option<Known>>,
}

const RECENT: usize = 128;

impl Recent {
    pub fn new() -> Self {
        Self { frames: vec![None; RECENT] }
    }
}

pub struct Scanner {
    seq: Finder<'static>,
    body: Finder<'static>,
    scanned: u64,
}

impl Scanner {
    pub fn new() -> Self {
        Self { seq: Finder::new(b"{\"seq\":"), body: Finder::new(b"\"body\":\"t"), scanned: 0 }
    }

    /// What the frame holds.
    pub fn read(&mut self, frame: &[u8], recent: &mut Recent) -> Rc<Events> {
        let Some(first) = self.seq.find(frame).and_then(|at| number(&frame[at + 7..])) else {
            return Rc::new(whole(frame));
        };
        let place = &mut recent.frames[(first as usize) % RECENT];
        if let Some((known, events)) = place
            && known[..] == *frame
        {
            return Rc::clone(events);
        }
        let mut events = Events::default();
        events.seqs.extend(self.seq.find_iter(frame).filter_map(|at| number(&frame[at + 7..])));
        events.sent.extend(self.body.find_iter(frame).filter_map(|at| number(&frame[at + 9..])).map(|at| at as u64));
        if self.scanned.is_multiple_of(1000) {
            assert_eq!(events, whole(frame), "scanning misreads {}", String::from_utf8_lossy(frame));
        }
        self.scanned += 1;
        let events = Rc::new(events);
        *place = Some((frame.into(), Rc::clone(&events)));
        events
    }
}

/// The digits at the beginning.
fn number(bytes: &[u8]) -> Option<i64> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    let mut value = None;
    for digit in digits {
        value = Some(value.unwrap_or(0) * 10 + i64::from(digit - b'0'));
    }
    value
}

fn whole(frame: &[u8]) -> Events {
    let frame: Value = serde_json::from_slice(frame).expect("a frame of JSON");
    let items = frame["items"].as_array().expect("items");
    Events {
        seqs: items.iter().map(|item| item["seq"].as_i64().expect("a seq")).collect(),
        sent: items
            .iter()
            .filter_map(|item| number(item["data"]["body"].as_str()?.strip_prefix('t')?.as_bytes()))
            .map(|at| at as u64)
            .collect(),
    }
}
