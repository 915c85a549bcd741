//! The wire format between nodes: JSON behind a mark that only nodes with the hub's secret make.
//!
//! A field that is not known is ignored, so that nodes of two releases hear each other. What is
//! too long goes as a reference, and its reader fills it from the rows.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Sha256;

use super::Told;
use crate::streams::{Committed, Stream};

/// Data of one event longer than this is not sent along.
const LONG: usize = 16 << 10;
/// A frame is closed when it is longer than this.
const FULL: usize = 256 << 10;
/// Length of the mark, bytes.
const MARK: usize = 32;

/// Readers of one stream on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    #[serde(rename = "s")]
    pub stream: String,
    #[serde(rename = "m")]
    pub members: Vec<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    s: String,
    q: i64,
    k: String,
    u: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<i64>,
    t: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Box<RawValue>>,
}

/// What one node says at once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Frame {
    /// The node's number.
    pub from: i64,
    /// A sign of life, counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub hello: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub leaving: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Event>,
    /// Stream, member, name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub typing: Vec<(String, i64, Value)>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub whole: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<Present>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<i64>,
    /// Key, how many failures, when the last was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slowed: Vec<(String, u32, i64)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Frame {
    /// The events it carries; streams of a newer release are left out.
    #[must_use]
    pub fn committed(&self) -> Vec<Committed> {
        let committed = |event: &Event| {
            Some(Committed {
                stream: event.s.parse().ok()?,
                seq: event.q,
                kind: event.k.clone(),
                subject: event.u,
                actor: event.a,
                at: event.t,
                extra: event.x.clone(),
                live: event.d.as_ref().map(|data| data.get().into()),
            })
        };
        self.events.iter().filter_map(committed).collect()
    }

    /// Who reads what, as streams.
    #[must_use]
    pub fn people(&self) -> Vec<(Stream, Vec<i64>)> {
        self.present.iter().filter_map(|of| Some((of.stream.parse().ok()?, of.members.clone()))).collect()
    }
}

/// Frames for what is to be told, in its order.
#[must_use]
pub fn pack(from: i64, all: Vec<Told>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut frame, mut size) = (Frame { from, ..Frame::default() }, 0);
    for what in all {
        match what {
            Told::Events(events) => {
                for event in events {
                    size += 128 + event.live.as_ref().map_or(0, |live| live.len().min(LONG));
                    frame.events.push(wire(event));
                    if size > FULL {
                        frames.push(std::mem::replace(&mut frame, Frame { from, ..Frame::default() }));
                        size = 0;
                    }
                }
            }
            Told::Typing(stream, member, name) => frame.typing.push((stream.to_string(), member, name)),
            Told::Present { whole, rooms } => {
                // It says what is in this frame and what is not: it goes alone.
                frames.push(std::mem::replace(&mut frame, Frame { from, ..Frame::default() }));
                size = 0;
                let mut whole = whole;
                for part in rooms.chunks(500) {
                    let whole = std::mem::take(&mut whole);
                    frames.push(Frame { from, whole, present: part.to_vec(), ..Frame::default() });
                }
                if whole {
                    frames.push(Frame { from, whole, ..Frame::default() });
                }
            }
            Told::Changed(member) => frame.changed.push(member),
            Told::Slowed(key, count, at) => frame.slowed.push((key, count, at)),
            Told::Hello => frame.hello = true,
        }
    }
    frames.push(frame);
    frames.retain(Frame::says_something);
    frames
}

impl Frame {
    fn says_something(&self) -> bool {
        self.hello
            || self.whole
            || !self.events.is_empty()
            || !self.typing.is_empty()
            || !self.present.is_empty()
            || !self.changed.is_empty()
            || !self.slowed.is_empty()
    }
}

fn wire(event: Committed) -> Event {
    let data = event.live.filter(|live| live.len() <= LONG);
    Event {
        s: event.stream.to_string(),
        q: event.seq,
        k: event.kind,
        u: event.subject,
        a: event.actor,
        t: event.at,
        x: event.extra,
        d: data.and_then(|live| RawValue::from_string(live.to_string()).ok()),
    }
}

fn mark(key: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(body);
    Some(mac)
}

/// A frame's bytes.
#[must_use]
pub fn encode(key: &[u8], frame: &Frame) -> Option<Vec<u8>> {
    let mut bytes = vec![0; MARK];
    serde_json::to_writer(&mut bytes, frame).ok()?;
    let (head, body) = bytes.split_at_mut_checked(MARK)?;
    head.copy_from_slice(&mark(key, body)?.finalize().into_bytes());
    Some(bytes)
}

/// The frame of these bytes, if a node of this hub made them.
#[must_use]
pub fn decode(key: &[u8], bytes: &[u8]) -> Option<Frame> {
    let (head, body) = bytes.split_at_checked(MARK)?;
    mark(key, body)?.verify_slice(head).ok()?;
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
mod tests {
    use hmac::Mac as _;
    use serde_json::json;

    use super::{FULL, Frame, LONG, Present, Told, decode, encode, pack};
    use crate::streams::{Committed, Stream};

    fn event(seq: i64, live: Option<String>) -> Committed {
        Committed {
            stream: Stream::room(7),
            seq,
            kind: "message.posted".into(),
            subject: seq + 100,
            actor: Some(3),
            at: 5,
            extra: Some(json!({"emoji": "tada"})),
            live: live.map(Into::into),
        }
    }

    #[test]
    fn what_is_told_arrives_as_it_was() {
        let told = vec![
            Told::Events(vec![event(1, Some("{\"body\":\"a \\\"b\\\"\"}".into())), event(2, None)]),
            Told::Typing(Stream::room(7), 3, json!({"handle": "ada"})),
            Told::Changed(9),
            Told::Hello,
        ];
        let frames = pack(4, told);
        let [frame] = frames.as_slice() else { panic!("{frames:?}") };
        let bytes = encode(b"key", frame).unwrap();
        let back = decode(b"key", &bytes).unwrap();
        assert_eq!((back.from, back.hello, &back.changed), (4, true, &vec![9]));
        assert_eq!(format!("{:?}", back.committed()[1]), format!("{:?}", event(2, None)));
        assert_eq!(back.committed()[0].live.as_deref(), Some("{\"body\":\"a \\\"b\\\"\"}"));
        assert!(decode(b"another key", &bytes).is_none(), "made by somebody else");
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(decode(b"key", &changed).is_none() && decode(b"key", &bytes[..20]).is_none());
    }

    #[test]
    fn frames_are_bounded_and_what_is_long_goes_without_its_data() {
        let long = format!("\"{}\"", "x".repeat(LONG));
        let frames = pack(1, vec![Told::Events(vec![event(1, Some(long))])]);
        assert!(frames[0].committed()[0].live.is_none());
        let data = format!("\"{}\"", "x".repeat(LONG - 10));
        let many: Vec<Committed> = (1..100).map(|seq| event(seq, Some(data.clone()))).collect();
        let frames = pack(1, vec![Told::Events(many)]);
        assert!(frames.len() > 3);
        assert!(frames.iter().all(|frame| encode(b"k", frame).unwrap().len() < FULL + 2 * LONG));
        let seqs: Vec<i64> = frames.iter().flat_map(Frame::committed).map(|event| event.seq).collect();
        assert_eq!(seqs, (1..100).collect::<Vec<_>>());
    }

    #[test]
    fn who_is_there_comes_in_parts_of_which_the_first_is_the_whole() {
        let rooms: Vec<Present> =
            (0..1200).map(|id| Present { stream: Stream::room(id).to_string(), members: vec![1] }).collect();
        let frames = pack(1, vec![Told::Present { whole: true, rooms }]);
        assert_eq!(
            frames.iter().map(|frame| (frame.whole, frame.present.len())).collect::<Vec<_>>(),
            [(true, 500), (false, 500), (false, 200)]
        );
        let nobody = pack(1, vec![Told::Present { whole: true, rooms: Vec::new() }]);
        assert_eq!((nobody.len(), nobody[0].whole), (1, true));
    }

    #[test]
    fn a_newer_release_may_say_more() {
        let newer = br#"{"from":2,"beat":7,"mood":"good","events":[{"s":"playlist:x","q":1,"k":"a.b","u":1,"t":1}]}"#;
        let mark = super::mark(b"key", newer).unwrap().finalize().into_bytes();
        let frame = decode(b"key", &[&mark[..], newer].concat()).unwrap();
        assert_eq!((frame.beat, frame.committed().len()), (Some(7), 0));
    }
}
