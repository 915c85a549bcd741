//! The frames of `praxis.v1` (contract, section 3).

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::streams::{Item, Stream, write_events};
use crate::web::error::Finding;

/// The subprotocol.
pub const PROTOCOL: &str = "praxis.v1";
/// A client's frame may not be larger.
pub const MOST_BYTES: usize = 64 << 10;
/// Bytes of a `ref` that is echoed.
const MOST_REF: usize = 4096;

/// Close codes.
pub mod close {
    pub const LEAVING: u16 = 1001;
    pub const ABUSE: u16 = 1008;
    pub const TOO_LARGE: u16 = 1009;
    pub const SIGNED_OUT: u16 = 4401;
    pub const SUSPENDED: u16 = 4403;
    pub const TOO_SLOW: u16 = 4408;
}

/// What a client says, read in one pass.
#[derive(Clone, Debug)]
pub enum ClientFrame {
    Auth { token: String },
    Subscribe { stream: String, since: Option<i64>, epoch: Option<String> },
    Unsubscribe { stream: String },
    Send(SendFrame),
    Read { room: String, seq: i64 },
    Typing { room: String },
    Ping,
}

/// A message to be posted.
#[derive(Clone, Debug)]
pub struct SendFrame {
    pub room: String,
    pub body: String,
    pub client_id: String,
    pub reply_to: Option<String>,
    pub confirmed: bool,
}

/// What of a client's frame its answer repeats.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// `ref`, as it was written.
    pub reference: Option<Box<RawValue>>,
    pub client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Auth,
    Subscribe,
    Unsubscribe,
    Send,
    Read,
    Typing,
    Ping,
}

/// Every field of every frame; which are needed depends on the type.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(rename = "ref", borrow)]
    reference: Option<&'a RawValue>,
    token: Option<String>,
    stream: Option<String>,
    since: Option<i64>,
    epoch: Option<String>,
    room: Option<String>,
    body: Option<String>,
    client_id: Option<String>,
    reply_to: Option<String>,
    confirmed: Option<bool>,
    seq: Option<i64>,
}

/// Why a text is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    NotJson,
    NoFrame,
}

impl ClientFrame {
    /// Reads a frame, or says why it is none; what its answer repeats either way.
    pub fn read(text: &str) -> (Result<Self, Unread>, Echo) {
        match serde_json::from_str::<Raw<'_>>(text) {
            Ok(raw) => {
                let echo = Echo {
                    reference: raw.reference.filter(|raw| raw.get().len() <= MOST_REF).map(RawValue::to_owned),
                    client_id: raw.client_id.as_ref().map(|id| id.chars().take(64).collect()),
                };
                (Self::of(raw).ok_or(Unread::NoFrame), echo)
            }
            // Only a bad frame is read twice, to answer it by name.
            Err(_) => match serde_json::from_str::<Value>(text) {
                Ok(value) => (Err(Unread::NoFrame), Echo::of(&value)),
                Err(_) => (Err(Unread::NotJson), Echo::default()),
            },
        }
    }

    fn of(raw: Raw<'_>) -> Option<Self> {
        Some(match raw.kind {
            Kind::Auth => Self::Auth { token: raw.token? },
            Kind::Subscribe => Self::Subscribe { stream: raw.stream?, since: raw.since, epoch: raw.epoch },
            Kind::Unsubscribe => Self::Unsubscribe { stream: raw.stream? },
            Kind::Send => Self::Send(SendFrame {
                room: raw.room?,
                body: raw.body?,
                client_id: raw.client_id?,
                reply_to: raw.reply_to,
                confirmed: raw.confirmed.unwrap_or(false),
            }),
            Kind::Read => Self::Read { room: raw.room?, seq: raw.seq? },
            Kind::Typing => Self::Typing { room: raw.room? },
            Kind::Ping => Self::Ping,
        })
    }
}

impl Echo {
    fn of(value: &Value) -> Self {
        let reference = value.get("ref").filter(|value| !value.is_null() && value.to_string().len() <= MOST_REF);
        Self {
            reference: reference.and_then(|value| serde_json::value::to_raw_value(value).ok()),
            client_id: value.get("client_id").and_then(Value::as_str).map(|id| id.chars().take(64).collect()),
        }
    }
}

/// Codes of error frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
    Confirm,
}

/// What the server says apart from events.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    Ready {
        member: Value,
    },
    Subscribed {
        stream: &'a str,
        head: i64,
        epoch: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
    },
    Reset {
        stream: &'a str,
        head: i64,
        epoch: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
    },
    Unsubscribed {
        stream: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
    },
    Sent {
        client_id: &'a str,
        room: &'a str,
        id: String,
        seq: i64,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
    },
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
    },
    Activity {
        room: String,
        head: i64,
    },
    Typing {
        stream: &'a str,
        member: Value,
    },
    Presence {
        stream: &'a str,
        online: Vec<Value>,
    },
    Error {
        code: Code,
        detail: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        /// With `confirm`: the passages.
        #[serde(skip_serializing_if = "Option::is_none")]
        findings: Option<Vec<Finding>>,
    },
}

impl ServerFrame<'_> {
    /// The frame as bytes for the wire.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        text_frame(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// A WebSocket text frame from a server: not masked (RFC 6455, section 5.2).
#[must_use]
pub fn text_frame(payload: &[u8]) -> Bytes {
    frame(0x81, payload)
}

/// Events of one frame have this many bytes at most, or are one.
const MOST_OF_EVENTS: usize = 256 << 10;

/// Events in frames' worths: what comes at once must leave room for the rest of a reader's queue.
pub fn parts(items: &[Item]) -> impl Iterator<Item = &[Item]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |item: &Item| {
            bytes += item.json.len();
            bytes <= MOST_OF_EVENTS
        };
        let count = rest.iter().map(fits).take_while(|fits| *fits).count().max(1);
        let (part, after) = rest.split_at_checked(count.min(rest.len()))?;
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// An `events` frame, written once into the bytes that all its readers share.
#[must_use]
pub fn events_frame(stream: Stream, items: &[Item]) -> Bytes {
    // Room for the longest header; the text stands behind it.
    let mut bytes = vec![0; 10];
    write_events(&mut bytes, stream, items);
    let mut head = BytesMut::with_capacity(10);
    put_head(&mut head, 0x81, bytes.len().saturating_sub(10));
    let start = 10 - head.len();
    for (to, from) in bytes.iter_mut().skip(start).zip(head.iter()) {
        *to = *from;
    }
    Bytes::from(bytes).slice(start..)
}

/// A close frame with its code.
#[must_use]
pub fn close_frame(code: u16) -> Bytes {
    frame(0x88, &code.to_be_bytes())
}

/// Asks whether anybody is there.
#[must_use]
pub fn ping_frame() -> Bytes {
    Bytes::from_static(&[0x89, 0])
}

/// The answer to a ping of the protocol itself.
#[must_use]
pub fn pong_frame(payload: &[u8]) -> Bytes {
    frame(0x8A, payload)
}

fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.len() + 10);
    put_head(&mut bytes, first, payload.len());
    bytes.put_slice(payload);
    bytes.freeze()
}

fn put_head(bytes: &mut BytesMut, first: u8, length: usize) {
    bytes.put_u8(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => bytes.put_u8(length),
        (_, Ok(length)) => {
            bytes.put_u8(126);
            bytes.put_u16(length);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_frame_is_a_text_frame_at_every_length() {
        for length in [0, 1, 20, 60, 200, 65_000, 70_000] {
            let items = [Item { seq: 1, json: "x".repeat(length).into(), adds: true }];
            let mut text = Vec::new();
            write_events(&mut text, Stream::room(7), &items);
            assert_eq!(events_frame(Stream::room(7), &items), text_frame(&text), "{length}");
        }
    }

    #[test]
    fn events_are_parted_by_their_bytes() {
        let item = |seq, length| Item { seq, json: "x".repeat(length).into(), adds: true };
        let sizes = |items: &[Item]| parts(items).map(<[Item]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&[item(1, 10), item(2, 10)]), [2]);
        assert_eq!(sizes(&[item(1, 1 << 20), item(2, 10), item(3, 1 << 20)]), [1, 1, 1]);
        let many: Vec<Item> = (0..100).map(|seq| item(seq, 100 << 10)).collect();
        assert_eq!(sizes(&many), [2; 50]);
        assert_eq!(parts(&many).flatten().map(|item| item.seq).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn frames_are_read_or_answered_by_name() {
        let (frame, echo) = ClientFrame::read(r#"{"type":"send","room":"a","body":"b","client_id":"c","ref":{"n":1}}"#);
        assert!(matches!(frame, Ok(ClientFrame::Send(SendFrame { ref body, .. })) if body == "b"));
        assert_eq!(echo.reference.map(|raw| raw.get().to_owned()).as_deref(), Some("{\"n\":1}"));
        let (frame, echo) = ClientFrame::read(r#"{"type":"send","room":7,"client_id":"c","ref":9}"#);
        assert_eq!((frame.unwrap_err(), echo.client_id.as_deref()), (Unread::NoFrame, Some("c")));
        assert_eq!(ClientFrame::read("{").0.unwrap_err(), Unread::NotJson);
        assert_eq!(ClientFrame::read("[]").0.unwrap_err(), Unread::NoFrame);
        assert_eq!(ClientFrame::read(r#"{"type":"send","room":"a"}"#).0.unwrap_err(), Unread::NoFrame);
    }
}
