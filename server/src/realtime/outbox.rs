//! What waits to be written to one socket: bounded in bytes, owned by one worker thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// A reader with more than this waiting is too slow: 4408.
pub const MOST: usize = 1 << 20;
/// A replay goes on when less than this waits.
pub const LOW: usize = 64 << 10;

/// The queue between the sender and the connection.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    /// Nothing is taken any more; what waits is still written.
    closing: Cell<bool>,
    /// Nothing is written any more: the connection is over.
    over: Cell<bool>,
    writer: RefCell<Option<Waker>>,
    reader: RefCell<Option<Waker>>,
    drained: RefCell<Vec<Waker>>,
}

impl Outbox {
    /// Queues a frame. False if there is no room for it beside what waits; nothing is queued then.
    pub fn push(&self, frame: Bytes) -> bool {
        if self.bytes.get() > 0 && self.bytes.get() + frame.len() > MOST && !self.closing.get() {
            return false;
        }
        self.push_paced(frame);
        true
    }

    /// Queues a frame however long it is: for whoever has just waited until little is queued, so
    /// that no more than that and this frame wait.
    pub fn push_paced(&self, frame: Bytes) {
        if self.closing.get() {
            return;
        }
        self.bytes.set(self.bytes.get() + frame.len());
        self.frames.borrow_mut().push_back(frame);
        self.wake();
    }

    /// Drops what waits if it must, queues this last frame and ends the connection after it.
    pub fn finish(&self, frame: Bytes, drop_waiting: bool) {
        if self.closing.replace(true) {
            return;
        }
        let mut frames = self.frames.borrow_mut();
        if drop_waiting {
            frames.clear();
        }
        frames.push_back(frame);
        drop(frames);
        self.wake();
        self.wake_drained();
    }

    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Whether little waits.
    #[must_use]
    pub fn is_low(&self) -> bool {
        self.bytes.get() < LOW
    }

    /// Waits until little is queued, or the socket closes.
    pub async fn low(&self) {
        std::future::poll_fn(|cx| {
            if self.bytes.get() < LOW || self.closing.get() {
                return Poll::Ready(());
            }
            self.drained.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether the connection is over; if not, whoever reads it is woken when it is.
    pub(super) fn is_over(&self, cx: &Context<'_>) -> bool {
        if !self.over.get() {
            let mut reader = self.reader.borrow_mut();
            match &mut *reader {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *reader = Some(cx.waker().clone()),
            }
        }
        self.over.get()
    }

    fn end(&self) {
        self.closing.set(true);
        self.over.set(true);
        if let Some(waker) = self.reader.borrow_mut().take() {
            waker.wake();
        }
        self.wake_drained();
    }

    fn wake(&self) {
        if let Some(waker) = self.writer.borrow_mut().take() {
            waker.wake();
        }
    }

    fn wake_drained(&self) {
        for waker in self.drained.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(frame) = self.frames.borrow_mut().pop_front() {
            self.bytes.set(self.bytes.get().saturating_sub(frame.len()));
            if self.bytes.get() < LOW {
                self.wake_drained();
            }
            return Poll::Ready(Some(frame));
        }
        if self.closing.get() {
            return Poll::Ready(None);
        }
        *self.writer.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The body of the upgraded response. Its end is that of the connection, and of the reading side.
pub struct Body(pub Rc<Outbox>);

impl MessageBody for Body {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let frame = self.0.poll(cx);
        if let Poll::Ready(None) = frame {
            self.0.end();
        }
        frame.map(|frame| frame.map(Ok))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::{MOST, Outbox};

    fn drain(outbox: &Outbox) -> Vec<usize> {
        let cx = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| match outbox.poll(&cx) {
            Poll::Ready(Some(frame)) => Some(frame.len()),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn holds_no_more_than_its_bytes() {
        let outbox = Outbox::default();
        let frame = |size: usize| Bytes::from(vec![0; size]);
        let mut held = 0;
        for size in (1..).map(|number: usize| number * 7919 % 50_000) {
            if !outbox.push(frame(size)) {
                assert!(held + size > MOST, "refused at {held} and {size}");
                break;
            }
            held += size;
            assert!(held <= MOST, "{held}");
        }
        assert!(!outbox.push(frame(MOST)), "nothing fits in beside what waits");
        assert_eq!(drain(&outbox).into_iter().sum::<usize>(), held, "what was refused is not in it");
        assert!(outbox.push(frame(MOST)), "what was written makes room");
        assert!(!outbox.push(frame(1)));
        assert_eq!(drain(&outbox), [MOST]);
        // A single event may be longer than all that; somebody has to get it.
        assert!(outbox.push(frame(MOST + 1)));
        outbox.push_paced(frame(MOST));
        assert_eq!(drain(&outbox), [MOST + 1, MOST]);
    }

    #[test]
    fn a_last_frame_comes_alone_or_after_what_waits() {
        for (drops, left) in [(true, vec![4]), (false, vec![9, 4])] {
            let outbox = Outbox::default();
            assert!(outbox.push(Bytes::from_static(b"nine byte")));
            outbox.finish(Bytes::from_static(b"last"), drops);
            assert!(outbox.push(Bytes::from_static(b"too late")), "nobody is told twice");
            assert_eq!(drain(&outbox), left);
        }
    }
}
