//! What a socket writes: messages, markers, and that somebody types. The reading goes on meanwhile.

use std::pin::Pin;
use std::rc::Rc;

use futures_util::StreamExt as _;

use super::bus::Told;
use super::protocol::{Echo, SendFrame, ServerFrame};
use super::session::Session;
use crate::app::AppState;
use crate::store::{ANSWER_WITHIN, Id, in_time};
use crate::streams::Stream;
use crate::web::error::{AppError, Result};

/// A write on its way, and what its answer repeats.
pub(super) type Waiting = Pin<Box<dyn Future<Output = (Echo, Outcome)>>>;

/// What a write of a socket came to.
pub(super) enum Outcome {
    /// The commit of a message.
    Sent(Result<Posted>),
    /// Something that is answered only if it fails.
    Quiet(Result<()>),
}

/// A message that is there for good.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    client_id: String,
    room: i64,
    id: i64,
    seq: i64,
}

impl Session {
    /// Queues a message: in the order of the frames, as each is in the queue before the next is read.
    pub(super) async fn send(&mut self, frame: SendFrame, echo: Echo) -> bool {
        let Ok(Id(room)) = frame.room.parse::<Id>() else { return self.refuse_for(&AppError::NotFound, &echo) };
        let client_id = frame.client_id.clone();
        let sending = Box::pin(crate::features::send_message(&self.state, self.socket.member.get(), room, frame));
        match in_time(ANSWER_WITHIN, sending).await {
            Ok(commit) => {
                self.waiting.push(Box::pin(async move {
                    let sent = commit.await.map(|(id, seq)| Posted { client_id, room, id, seq });
                    (echo, Outcome::Sent(sent))
                }));
                true
            }
            Err(error) => self.refuse_for(&error, &echo),
        }
    }

    /// Says how a write ended; false if the socket ends with it.
    pub(super) fn answer(&mut self, echo: &Echo, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Sent(Ok(posted)) => {
                let (room, id) = (Id(posted.room).to_string(), Id(posted.id).to_string());
                let reference = echo.reference.as_deref();
                let frame =
                    ServerFrame::Sent { client_id: &posted.client_id, room: &room, id, seq: posted.seq, reference };
                self.socket.send(frame.encode());
                true
            }
            Outcome::Quiet(Ok(())) => true,
            Outcome::Sent(Err(error)) | Outcome::Quiet(Err(error)) => self.refuse_for(&error, echo),
        }
    }

    /// Moves how far the member has read a room: one marker at a time, and of those that come meanwhile
    /// the newest, whose outcome is that of all.
    pub(super) fn read_to(&mut self, room: &str, seq: i64, echo: Echo) -> bool {
        let Ok(Id(room)) = room.parse::<Id>() else { return self.refuse_for(&AppError::NotFound, &echo) };
        if seq < 0 {
            return self.refuse_for(&AppError::field("seq", "counts from 0"), &echo);
        }
        if self.socket.mark_later(room, seq, &echo) {
            return true;
        }
        let (state, socket) = (self.state.clone(), Rc::clone(&self.socket));
        self.waiting.push(Box::pin(async move {
            let (mut seq, mut echo) = (seq, echo);
            loop {
                let moved = crate::features::move_marker(&state, socket.member.get(), room, seq).await;
                match socket.mark_next(room) {
                    Some(next) => (seq, echo) = next,
                    None => return (echo, Outcome::Quiet(moved)),
                }
            }
        }));
        true
    }

    /// What is on its way when the socket ends is written all the same, though nobody hears how that goes.
    pub(super) fn finish_writes(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            actix_web::rt::spawn(async move { while waiting.next().await.is_some() {} });
        }
    }

    /// Passes on that the member types, where that is news.
    pub(super) fn type_in(&mut self, room: &str, echo: Echo) -> bool {
        let Ok(Id(room)) = room.parse::<Id>() else { return self.refuse_for(&AppError::NotFound, &echo) };
        let member = self.socket.member.get();
        if self.state.hub.live().types(member, room) {
            let state = self.state.clone();
            self.waiting.push(Box::pin(async move {
                let told = tell_typing(&state, member, room).await;
                (echo, Outcome::Quiet(told))
            }));
        }
        true
    }
}

/// Passes on that somebody types, if they may write there.
async fn tell_typing(state: &AppState, member: i64, room: i64) -> Result<()> {
    let name = crate::features::typist(state, member, room).await?;
    state.bus.tell(Told::Typing(Stream::room(room), member, name.clone()));
    state.hub.tell_typing(Stream::room(room), member, name);
    Ok(())
}
