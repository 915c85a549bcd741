//! One socket from its handshake to its end.

use std::rc::Rc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::outbox::Body;
use super::protocol::{ClientFrame, Code, MOST_BYTES, PROTOCOL, ServerFrame, close, pong_frame};
use super::recovery::{Cursor, can_replay};
use super::sockets::{Socket, Sockets};
use crate::app::AppState;
use crate::streams::{Stream, StreamKind, log_head};
use crate::web::error::{AppError, Result};
use crate::web::viewer::{Me, Viewer};

/// A socket may read this many streams.
const MOST_STREAMS: usize = 500;
/// Time for the first frame of a socket that has not signed in.
const AUTH_WITHIN: Duration = Duration::from_secs(5);
/// How often a socket's session is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(20);
/// A socket that says nothing for so long is gone; clients ping every 25 s.
const SILENT_FOR: u32 = 6;
/// Frames a second, and at once.
const FRAMES: (u32, u32) = (100, 1000);
/// Refused frames after which a socket is abusing the protocol.
const PATIENCE: u32 = 200;

type Limit = governor::DefaultDirectRateLimiter;

/// `GET /api/v1/ws`
pub async fn open(
    req: HttpRequest,
    payload: web::Payload,
    viewer: Viewer,
    state: web::Data<AppState>,
    sockets: web::Data<Rc<Sockets>>,
) -> Result<HttpResponse> {
    if viewer.is_by_cookie() && !crate::web::csrf::same_origin(&req, &state) {
        return Err(AppError::Forbidden("A socket that signs in by cookie needs the hub's own Origin.".into()));
    }
    let (response, _session, messages) = actix_ws::handle_with_protocols(&req, payload, &[PROTOCOL])
        .map_err(|_| AppError::BadRequest("This address speaks WebSocket, version 13.".into()))?;
    let state = AppState::clone(&state);
    let sockets = Rc::clone(&sockets);
    sockets.ensure_running(&state);
    let (member, session) = viewer.member().map_or((0, 0), |me| (me.id, me.session_id));
    let socket = sockets.add(member, session);
    let outbox = Rc::clone(&socket.outbox);
    let response = response.map_body(|_, handshake| Body { outbox, handshake: Some(handshake) });
    let messages = messages.max_frame_size(MOST_BYTES).aggregate_continuations().max_continuation_size(MOST_BYTES);
    let quota = governor::Quota::per_second(nonzero(FRAMES.0)).allow_burst(nonzero(FRAMES.1));
    let session = Session { state, sockets, socket, limit: Limit::direct(quota), refused: 0 };
    actix_web::rt::spawn(session.run(messages, viewer));
    Ok(response.map_into_boxed_body())
}

const fn nonzero(value: u32) -> std::num::NonZeroU32 {
    match std::num::NonZeroU32::new(value) {
        Some(value) => value,
        None => std::num::NonZeroU32::MIN,
    }
}

struct Session {
    state: AppState,
    sockets: Rc<Sockets>,
    socket: Rc<Socket>,
    limit: Limit,
    refused: u32,
}

impl Session {
    async fn run(mut self, mut messages: AggregatedMessageStream, viewer: Viewer) {
        let signed_in = match viewer {
            Viewer::Member(me) => {
                self.welcome(&me);
                true
            }
            Viewer::Anonymous => self.sign_in(&mut messages).await,
        };
        if signed_in {
            self.talk(&mut messages).await;
        }
        self.sockets.remove(&self.socket);
    }

    /// Waits for the first frame of a client without cookie or header.
    async fn sign_in(&mut self, messages: &mut AggregatedMessageStream) -> bool {
        let first = tokio::time::timeout(AUTH_WITHIN, messages.next()).await;
        let token = match first {
            Ok(Some(Ok(AggregatedMessage::Text(text)))) => match serde_json::from_str(&text) {
                Ok(ClientFrame::Auth { token }) => Some(token),
                _ => None,
            },
            _ => None,
        };
        if let Some(token) = token
            && let Ok(Some(me)) = self.state.sessions.by_bearer(&self.state, &token).await
        {
            self.socket.member.set(me.id);
            self.socket.session.set(me.session_id);
            self.welcome(&me);
            return true;
        }
        self.socket.close(close::SIGNED_OUT);
        false
    }

    fn welcome(&self, me: &Me) {
        let member = json!({
            "id": crate::store::Id(me.id),
            "handle": me.handle,
            "display_name": me.display_name,
            "role": me.hub_role,
        });
        self.socket.send(ServerFrame::Ready { member }.encode());
    }

    async fn talk(&mut self, messages: &mut AggregatedMessageStream) {
        let mut check = tokio::time::interval(CHECK_EVERY);
        check.tick().await;
        let mut silent = 0;
        loop {
            tokio::select! {
                message = messages.next() => {
                    silent = 0;
                    let Some(message) = message else { return };
                    if !self.hear(message).await {
                        return;
                    }
                }
                _ = check.tick() => {
                    silent += 1;
                    if silent > SILENT_FOR || !self.still_signed_in().await {
                        return;
                    }
                }
            }
            if self.socket.outbox.is_closing() {
                return;
            }
        }
    }

    async fn still_signed_in(&self) -> bool {
        match self.state.sessions.is_alive(&self.state, self.socket.session.get()).await {
            Ok(false) => {
                self.socket.close(close::SIGNED_OUT);
                false
            }
            // A database that is away for a moment ends no socket.
            Ok(true) | Err(_) => true,
        }
    }

    async fn hear(&mut self, message: std::result::Result<AggregatedMessage, ProtocolError>) -> bool {
        match message {
            Ok(AggregatedMessage::Text(text)) => {
                if text.len() > MOST_BYTES {
                    self.socket.close(close::TOO_LARGE);
                    return false;
                }
                self.read_frame(&text).await
            }
            Ok(AggregatedMessage::Ping(bytes)) => {
                self.socket.send(pong_frame(&bytes));
                true
            }
            Ok(AggregatedMessage::Pong(_)) => true,
            Ok(AggregatedMessage::Binary(_)) => self.refuse(Code::Invalid, "Frames are text.", None, None),
            Ok(AggregatedMessage::Close(_)) => {
                self.socket.close(1000);
                false
            }
            Err(ProtocolError::Overflow) => {
                self.socket.close(close::TOO_LARGE);
                false
            }
            Err(_) => {
                self.socket.close(close::ABUSE);
                false
            }
        }
    }

    async fn read_frame(&mut self, text: &str) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return self.refuse(Code::Invalid, "That is not JSON.", None, None);
        };
        let reference = value.get("ref").filter(|value| value.to_string().len() <= 200).cloned();
        let client_id = value.get("client_id").and_then(Value::as_str).map(|id| id.chars().take(64).collect());
        if self.limit.check().is_err() {
            return self.refuse(Code::RateLimited, "Too many frames; slow down.", reference, client_id);
        }
        let frame = match serde_json::from_value::<ClientFrame>(value) {
            Ok(frame) => frame,
            Err(_) => {
                return self.refuse(Code::Invalid, "No frame of praxis.v1 looks like that.", reference, client_id);
            }
        };
        match frame {
            ClientFrame::Ping => {
                self.socket.send(ServerFrame::Pong { reference }.encode());
                true
            }
            ClientFrame::Auth { .. } => true,
            ClientFrame::Subscribe { stream, since, epoch } => {
                match self.subscribe(&stream, since, epoch.as_deref(), reference.clone()).await {
                    Ok(()) => true,
                    Err(error) => {
                        let (code, detail) = error_words(&error);
                        self.refuse(code, &detail, reference, None)
                    }
                }
            }
            ClientFrame::Unsubscribe { stream } => {
                if let Ok(of) = stream.parse() {
                    self.sockets.unsubscribe(&self.socket, of);
                }
                let stream = stream.chars().take(80).collect::<String>();
                self.socket.send(ServerFrame::Unsubscribed { stream: &stream, code: None, reference }.encode());
                true
            }
            ClientFrame::Send { .. } | ClientFrame::Read { .. } | ClientFrame::Typing { .. } => {
                self.refuse(Code::NotFound, "There is no such room.", reference, client_id)
            }
        }
    }

    async fn subscribe(
        &self,
        name: &str,
        since: Option<i64>,
        epoch: Option<&str>,
        reference: Option<Value>,
    ) -> Result<()> {
        let stream: Stream = name.parse().map_err(|_| AppError::NotFound)?;
        if stream.kind == StreamKind::Hub {
            return Err(AppError::NotFound);
        }
        if since.is_some_and(|since| since < 0) {
            return Err(AppError::field("since", "since counts from 0"));
        }
        if self.socket.cursors.borrow().len() >= MOST_STREAMS {
            return Err(AppError::TooMany(1));
        }
        self.state.may_subscribe(self.socket.member.get(), stream).await?;
        // A reader that starts anew gets nothing until its place is known.
        self.sockets.unsubscribe(&self.socket, stream);
        self.sockets.subscribe(&self.socket, stream, Cursor::new(i64::MAX, true));
        let current = match log_head(self.state.store.read(), stream).await {
            Ok(current) => current,
            Err(error) => {
                self.sockets.unsubscribe(&self.socket, stream);
                return Err(error);
            }
        };
        self.state.relay.follow(stream, current.head);
        let epoch_now = &*self.state.epoch;
        let replay = since.filter(|since| can_replay(*since, epoch, current.head, current.floor, epoch_now));
        let frame = if since.is_some() && replay.is_none() {
            ServerFrame::Reset { stream: name, head: current.head, epoch: epoch_now, reference }
        } else {
            ServerFrame::Subscribed { stream: name, head: current.head, epoch: epoch_now, reference }
        };
        self.socket.send(frame.encode());
        let last = replay.unwrap_or(current.head);
        // What was committed since the head was read is in the log; reading it once more also
        // says when there is nothing left to read.
        if let Some(cursor) = self.socket.cursors.borrow_mut().get_mut(&stream) {
            *cursor = Cursor::new(last, false);
        }
        self.sockets.catch_up(&self.state, &self.socket, stream);
        Ok(())
    }

    fn refuse(&mut self, code: Code, detail: &str, reference: Option<Value>, client_id: Option<String>) -> bool {
        self.refused += 1;
        if self.refused > PATIENCE && code != Code::RateLimited || self.refused > PATIENCE * 100 {
            self.socket.close(close::ABUSE);
            return false;
        }
        self.socket.send(ServerFrame::Error { code, detail, reference, client_id }.encode());
        true
    }
}

fn error_words(error: &AppError) -> (Code, String) {
    let code = match error {
        AppError::Unauthenticated => Code::Unauthenticated,
        AppError::Forbidden(_) => Code::Forbidden,
        AppError::NotFound => Code::NotFound,
        AppError::TooMany(_) => Code::RateLimited,
        AppError::TooLarge(_) => Code::TooLarge,
        AppError::Unavailable(_) | AppError::Internal(_) => Code::Unavailable,
        AppError::Confirm(_) => Code::Confirm,
        _ => Code::Invalid,
    };
    let mut detail = error.problem().detail;
    if let AppError::Internal(source) = error {
        tracing::error!(error = %source, "internal error on a socket");
        detail = "A part of the hub is away; try again.".into();
    }
    (code, detail)
}
