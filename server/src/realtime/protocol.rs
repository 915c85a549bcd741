//! The frames of `praxis.v1` (contract, section 3).

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The subprotocol.
pub const PROTOCOL: &str = "praxis.v1";
/// A client's frame may not be larger.
pub const MOST_BYTES: usize = 64 << 10;

/// Close codes.
pub mod close {
    pub const LEAVING: u16 = 1001;
    pub const ABUSE: u16 = 1008;
    pub const TOO_LARGE: u16 = 1009;
    pub const SIGNED_OUT: u16 = 4401;
    pub const SUSPENDED: u16 = 4403;
    pub const TOO_SLOW: u16 = 4408;
}

/// What a client says. `ref` is read apart, so that an error can carry it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    Auth { token: String },
    Subscribe { stream: String, since: Option<i64>, epoch: Option<String> },
    Unsubscribe { stream: String },
    Send { room: String, client_id: Option<String> },
    Read { room: String },
    Typing { room: String },
    Ping,
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
        reference: Option<Value>,
    },
    Reset {
        stream: &'a str,
        head: i64,
        epoch: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Value>,
    },
    Unsubscribed {
        stream: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Value>,
    },
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Value>,
    },
    Error {
        code: Code,
        detail: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
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

/// A close frame with its code.
#[must_use]
pub fn close_frame(code: u16) -> Bytes {
    frame(0x88, &code.to_be_bytes())
}

/// The answer to a ping of the protocol itself.
#[must_use]
pub fn pong_frame(payload: &[u8]) -> Bytes {
    frame(0x8A, payload)
}

fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.len() + 10);
    bytes.put_u8(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => bytes.put_u8(length),
        (_, Ok(length)) => {
            bytes.put_u8(126);
            bytes.put_u16(length);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(payload.len() as u64);
        }
    }
    bytes.put_slice(payload);
    bytes.freeze()
}
