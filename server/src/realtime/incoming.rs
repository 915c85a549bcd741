//! What a client sends: whole messages.
//!
//! Invariant: no more than a message's largest size and a read's worth of bytes are held, however
//! large a frame says it is and in however many parts a message comes.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_codec::Decoder as _;
use actix_http::ws::{Codec, Frame};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_ws::{AggregatedMessage, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::outbox::Outbox;
use super::protocol::MOST_BYTES;

/// So much of a frame that is too large is passed over before its sender is told.
const MOST_PASSED: u64 = 1 << 20;

/// The messages of a socket. Read here and not by `actix_ws::MessageStream`, whose end hangs on the
/// body of the handshake: a channel for 32 messages a socket, in which none is ever sent.
pub(super) struct Incoming {
    bytes: Bounded,
    /// The beginning of a frame, and of those after it that came with it.
    unread: BytesMut,
    codec: Codec,
    parts: Parts,
    /// The connection is over when its writing side is.
    outbox: Rc<Outbox>,
    ended: bool,
}

impl Incoming {
    /// Reads the frames of a connection after its handshake.
    pub fn new(payload: Payload, outbox: Rc<Outbox>) -> Self {
        let bytes = Bounded { bytes: payload, lengths: Lengths::default() };
        let codec = Codec::new().max_size(MOST_BYTES);
        Self { bytes, unread: BytesMut::new(), codec, parts: Parts::default(), outbox, ended: false }
    }

    /// The next message, put together from its parts; nothing is lost if nobody waits to the end.
    pub async fn next(&mut self) -> Option<Result<AggregatedMessage, ProtocolError>> {
        loop {
            let frame = match self.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) if self.ended => return None,
                Ok(None) => {
                    match std::future::poll_fn(|cx| self.poll_bytes(cx)).await {
                        Some(Ok(bytes)) if self.unread.is_empty() => self.unread = bytes.into(),
                        Some(Ok(bytes)) => self.unread.extend_from_slice(&bytes),
                        Some(Err(error)) => {
                            self.ended = true;
                            return Some(Err(ProtocolError::Io(std::io::Error::other(error))));
                        }
                        None => self.ended = true,
                    }
                    continue;
                }
                Err(error) => return Some(Err(error)),
            };
            return Some(Ok(match frame {
                Frame::Text(bytes) => match bytes.try_into() {
                    Ok(text) => AggregatedMessage::Text(text),
                    Err(error) => return Some(Err(no_text(error))),
                },
                Frame::Binary(bytes) => AggregatedMessage::Binary(bytes),
                Frame::Ping(bytes) => AggregatedMessage::Ping(bytes),
                Frame::Pong(bytes) => AggregatedMessage::Pong(bytes),
                Frame::Close(reason) => AggregatedMessage::Close(reason),
                Frame::Continuation(part) => match self.parts.take(part) {
                    Some(whole) => return Some(whole),
                    None => continue,
                },
            }));
        }
    }

    fn frame(&mut self) -> Result<Option<Frame>, ProtocolError> {
        let frame = self.codec.decode(&mut self.unread)?;
        // An empty rest would keep the connection from reading into the same memory again.
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
        Ok(frame)
    }

    /// What the connection brings next; what it had brought comes before its end.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        match Pin::new(&mut self.bytes).poll_next(cx) {
            Poll::Pending if self.outbox.is_over(cx) => Poll::Ready(None),
            polled => polled,
        }
    }
}

fn no_text(error: impl std::error::Error + Send + Sync + 'static) -> ProtocolError {
    ProtocolError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

/// The parts of a message so far. Copied: each would keep all that was read with it.
#[derive(Debug, Default)]
struct Parts {
    bytes: Vec<u8>,
    binary: bool,
}

impl Parts {
    /// The whole message after its last part.
    fn take(&mut self, part: Item) -> Option<Result<AggregatedMessage, ProtocolError>> {
        let (part, last) = match part {
            Item::FirstText(part) => {
                self.binary = false;
                (part, false)
            }
            Item::FirstBinary(part) => {
                self.binary = true;
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        if self.bytes.len() + part.len() > MOST_BYTES {
            self.bytes = Vec::new();
            return Some(Err(ProtocolError::Overflow));
        }
        self.bytes.extend_from_slice(&part);
        if !last {
            return None;
        }
        let bytes = std::mem::take(&mut self.bytes);
        if self.binary {
            return Some(Ok(AggregatedMessage::Binary(bytes.into())));
        }
        Some(match String::from_utf8(bytes) {
            Ok(text) => Ok(AggregatedMessage::Text(text.into())),
            Err(error) => Err(no_text(error)),
        })
    }
}

/// Whether the protocol was broken by too much.
pub(super) fn is_too_large(error: &ProtocolError) -> bool {
    match error {
        ProtocolError::Overflow => true,
        ProtocolError::Io(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<PayloadError>());
            matches!(inner, Some(PayloadError::Overflow))
        }
        _ => false,
    }
}

/// The bytes of a connection without those of frames that are too large: what reads frames would
/// wait for all of such a one.
struct Bounded {
    bytes: Payload,
    lengths: Lengths,
}

impl Stream for Bounded {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Some(bytes) = ready!(Pin::new(&mut this.bytes).poll_next(cx)?) else { return Poll::Ready(None) };
            let passes = this.lengths.over.is_none();
            if this.lengths.is_over_after(&bytes) {
                return Poll::Ready(Some(Err(PayloadError::Overflow)));
            }
            // What lies before the frame that is too large is still of use.
            if passes {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
    }
}

/// How long the frames say they are (RFC 6455, section 5.2).
#[derive(Debug, Default)]
struct Lengths {
    /// The header of a frame, as far as it came.
    header: Vec<u8>,
    /// Bytes of its payload that are to come.
    left: u64,
    /// Of a frame that is too large: bytes that came.
    over: Option<u64>,
}

impl Lengths {
    /// Whether these bytes end a frame that is too large, or enough of it came.
    fn is_over_after(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left == 0 {
                self.header.push(*first);
                bytes = rest;
                if let Some(length) = length_of(&self.header) {
                    self.header.clear();
                    self.left = length;
                    self.over = (length > MOST_BYTES as u64).then_some(0);
                }
                continue;
            }
            let here = self.left.min(bytes.len() as u64);
            self.left -= here;
            bytes = usize::try_from(here).ok().and_then(|here| bytes.get(here..)).unwrap_or_default();
            if let Some(passed) = &mut self.over {
                *passed += here;
                if self.left == 0 || *passed >= MOST_PASSED {
                    return true;
                }
            }
        }
        false
    }
}

/// The length that a whole header says.
fn length_of(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let (start, length) = match second & 0x7F {
        126 => (4, u64::from(u16::from_be_bytes(*header.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*header.get(2..)?.first_chunk()?)),
        short => (2, u64::from(short)),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    (header.len() >= start + mask).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_whole_however_it_was_parted() {
        let mut parts = Parts::default();
        for _ in 0..2 {
            assert!(parts.take(Item::FirstText("wo".into())).is_none());
            assert!(parts.take(Item::Continue(Bytes::new())).is_none());
            let whole = parts.take(Item::Last("rd".into())).unwrap().unwrap();
            assert_eq!(whole, AggregatedMessage::Text("word".into()));
        }
        assert!(parts.take(Item::FirstBinary(vec![0; MOST_BYTES].into())).is_none());
        assert!(matches!(parts.take(Item::Continue("x".into())), Some(Err(ProtocolError::Overflow))));
        assert_eq!(parts.bytes.capacity(), 0, "nothing of it is kept");
        assert!(parts.take(Item::FirstText(vec![0xFF].into())).is_none());
        assert!(matches!(parts.take(Item::Last(Bytes::new())), Some(Err(ProtocolError::Io(_)))));
    }

    #[test]
    fn frames_that_are_too_large_are_known_by_their_headers() {
        let frame = |length: u64| {
            let mut bytes = vec![0x82, 0x80 | 127];
            bytes.extend(length.to_be_bytes());
            bytes.extend([0; 4]);
            bytes
        };
        for size in [1, 3, 7, 64 << 10] {
            let mut lengths = Lengths::default();
            let mut good: Vec<u8> = [0x89, 0x80, 0, 0, 0, 0, 0x81, 0x81, 0, 0, 0, 0, b'x'].to_vec();
            good.extend(frame(64 << 10));
            good.extend(vec![0; 64 << 10]);
            assert!(good.chunks(size).all(|chunk| !lengths.is_over_after(chunk)), "{size}");
            assert_eq!((lengths.left, lengths.over), (0, None));
            // Before its end comes, nothing is said; nor is it waited for.
            let mut large = frame((64 << 10) + 1);
            large.extend(vec![0; 64 << 10]);
            assert!(large.chunks(size).all(|chunk| !lengths.is_over_after(chunk)), "{size}");
            assert!(lengths.is_over_after(&[0]), "{size}");
        }
        let mut lengths = Lengths::default();
        assert!(!lengths.is_over_after(&frame(u64::MAX)));
        let chunk = vec![0; 64 << 10];
        assert_eq!((0..).find(|_| lengths.is_over_after(&chunk)), Some(15), "a mebibyte is enough");
    }
}
