//! One socket from its handshake to its end.

use std::rc::Rc;

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, dev, web};
use actix_ws::{AggregatedMessage, ProtocolError};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::value::RawValue;

use super::delivering::ended;
use super::hub::Seat;
use super::incoming::{Incoming, is_too_large};
use super::outbox::Body;
use super::patience::{Limit, Patience, limit};
use super::protocol::{ClientFrame, Code, Echo, PROTOCOL, ServerFrame, Unread, close, ping_frame, pong_frame};
use super::recovery::{Cursor, can_replay};
use super::socket::Socket;
use super::sockets::Sockets;
use super::writes::Waiting;
use crate::app::AppState;
use crate::store::{ANSWER_WITHIN, in_time};
use crate::streams::{Stream, StreamKind, Within, log_head};
use crate::web::error::{AppError, Finding, Problem, Result};
use crate::web::viewer::Viewer;

/// A member may have so many sockets on a node: every device, every tab, and some programs.
pub const MOST_SOCKETS: usize = 500;
/// A socket may read this many streams.
const MOST_STREAMS: usize = 500;
/// After so many looks a socket that said nothing is asked whether it is there.
const ASK_AFTER: u32 = 2;
/// After so many it is gone.
const SILENT_FOR: u32 = 6;
/// Every so many looks the session is, too: what ends it by an act is told at once, its time is not.
const SESSION_EVERY: u32 = 3;
/// Writes of one socket that may wait for their commit; beyond that it is not read on.
const MOST_WAITING: usize = 64;
/// Frames at once, and a second.
const FRAMES: (u32, u32) = (1000, 100);
/// How often a right is looked up that changes meanwhile.
const TRIES: usize = 5;

/// Open a socket that speaks `praxis.v1`
#[utoipa::path(get, path = "/ws", tag = "realtime", operation_id = "open_socket",
    responses((status = 101, description = "Frames of `praxis.v1` from here on"),
        (status = 400, description = "No WebSocket handshake of version 13", body = Problem),
        (status = 401, description = "A token that is over", body = Problem),
        (status = 403, description = "A cookie without the hub's own Origin", body = Problem)),
    security((), ("bearer" = []), ("session" = [])))]
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
    let seat = match viewer.member() {
        Some(me) => seat(&state, me.id)?,
        None => None,
    };
    let no_handshake = |_| AppError::BadRequest("This address speaks WebSocket, version 13.".into());
    // The handshake alone: what is read and written does not go through its channel.
    let nothing = web::Payload::from_request(&req, &mut dev::Payload::None).await.map_err(no_handshake)?;
    let (response, ..) = actix_ws::handle_with_protocols(&req, nothing, &[PROTOCOL]).map_err(no_handshake)?;
    let state = AppState::clone(&state);
    let sockets = Rc::clone(&sockets);
    sockets.ensure_running(&state);
    let (member, session) = viewer.member().map_or((0, 0), |me| (me.id, me.session_id));
    let socket = sockets.add(member, session);
    let outbox = Rc::clone(&socket.outbox);
    let messages = Incoming::new(payload.into_inner(), Rc::clone(&outbox));
    let response = response.map_body(|_, _| Body(outbox));
    // A load test sends what a person could not.
    let limit = state.limits.is_on().then(|| limit(FRAMES));
    let session = Session { state, sockets, socket, seat, limit, patience: None, waiting: FuturesUnordered::new() };
    if let Some(me) = viewer.member() {
        session.welcome(me);
    }
    actix_web::rt::spawn(session.run(messages, viewer.member().is_some()));
    Ok(response.map_into_boxed_body())
}

/// A member's place for one more socket; none is counted in a load test.
pub(super) fn seat(state: &AppState, member: i64) -> Result<Option<Seat>> {
    if !state.limits.is_on() {
        return Ok(None);
    }
    state.hub.seat(member, MOST_SOCKETS).map(Some).ok_or(AppError::TooMany(10))
}

/// The operation, for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(open))]
pub struct Api;

pub(super) struct Session {
    pub(super) state: AppState,
    sockets: Rc<Sockets>,
    pub(super) socket: Rc<Socket>,
    /// Held, and free for another socket when the session is dropped.
    pub(super) seat: Option<Seat>,
    limit: Option<Limit>,
    /// Begins with the first frame that is refused.
    patience: Option<Box<Patience>>,
    /// Writes that wait for their commit.
    pub(super) waiting: FuturesUnordered<Waiting>,
}

impl Session {
    /// The task of a socket. Not an `async fn`: that would have room for its arguments twice.
    #[expect(clippy::manual_async_fn, reason = "the block holds what it captures once")]
    fn run(mut self, mut messages: Incoming, signed_in: bool) -> impl Future<Output = ()> {
        async move {
            if signed_in || self.sign_in(&mut messages).await {
                self.talk(&mut messages).await;
                self.finish_writes();
            }
            self.sockets.remove(&self.socket);
        }
    }

    async fn talk(&mut self, messages: &mut Incoming) {
        let mut check = tokio::time::interval(self.state.config.look_every);
        // A node that stood still looks once, and not as often as it would have: nobody has been silent for that.
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        check.tick().await;
        let (mut silent, mut looks) = (0, 0_u32);
        loop {
            tokio::select! {
                Some((echo, outcome)) = self.waiting.next(), if !self.waiting.is_empty() => {
                    if !self.answer(&echo, outcome) {
                        return;
                    }
                }
                message = messages.next(), if self.waiting.len() < MOST_WAITING => {
                    silent = 0;
                    let Some(message) = message else { return };
                    if !self.hear(message).await {
                        return;
                    }
                }
                _ = check.tick() => {
                    silent += 1;
                    looks = looks.wrapping_add(1);
                    if silent > SILENT_FOR || looks.is_multiple_of(SESSION_EVERY) && !self.still_signed_in().await {
                        return;
                    }
                    if silent >= ASK_AFTER {
                        self.socket.offer(&ping_frame());
                    }
                }
            }
            if self.socket.outbox.is_closing() {
                return;
            }
        }
    }

    async fn still_signed_in(&self) -> bool {
        match in_time(ANSWER_WITHIN, Box::pin(ended(&self.state, &self.socket))).await {
            Ok(Some(code)) => {
                self.socket.close(code);
                false
            }
            // A database that is away for a moment ends no socket.
            Ok(None) | Err(_) => true,
        }
    }

    async fn hear(&mut self, message: std::result::Result<AggregatedMessage, ProtocolError>) -> bool {
        match message {
            Ok(AggregatedMessage::Text(text)) => self.read_frame(&text).await,
            Ok(AggregatedMessage::Ping(bytes)) => {
                self.socket.send(pong_frame(&bytes));
                true
            }
            Ok(AggregatedMessage::Pong(_)) => true,
            Ok(AggregatedMessage::Binary(_)) => self.refuse(Code::Invalid, "Frames are text.", &Echo::default()),
            Ok(AggregatedMessage::Close(_)) => {
                self.socket.close(1000);
                false
            }
            Err(error) => {
                self.socket.close(code_of(&error));
                false
            }
        }
    }

    async fn read_frame(&mut self, text: &str) -> bool {
        let (frame, echo) = ClientFrame::read(text);
        if self.limit.as_ref().is_some_and(|limit| limit.check().is_err()) {
            // Nobody waits for an answer to this.
            return matches!(frame, Ok(ClientFrame::Typing { .. }))
                || self.refuse(Code::RateLimited, "Too many frames; slow down.", &echo);
        }
        match frame {
            Err(Unread::NotJson) => self.refuse(Code::Invalid, "That is not JSON.", &echo),
            Err(Unread::NoFrame) => self.refuse(Code::Invalid, "No frame of praxis.v1 looks like that.", &echo),
            Ok(frame) => self.obey(frame, echo).await,
        }
    }

    async fn obey(&mut self, frame: ClientFrame, echo: Echo) -> bool {
        let reference = echo.reference.as_deref();
        match frame {
            ClientFrame::Ping => {
                self.socket.send(ServerFrame::Pong { reference }.encode());
                true
            }
            ClientFrame::Auth { .. } => true,
            ClientFrame::Subscribe { stream, since, epoch } => {
                // Who waits for a turn holds little: many come at once after a restart. And boxed, like
                // the other long ways: an idle socket holds no room for them.
                let turns = self.sockets.turns();
                let _turn = turns.acquire().await;
                match Box::pin(self.subscribe(&stream, since, epoch.as_deref(), reference)).await {
                    Ok(()) => true,
                    Err(error) => self.refuse_for(&error, &Echo { client_id: None, ..echo }),
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
            ClientFrame::Send(frame) => self.send(frame, echo).await,
            ClientFrame::Read { room, seq } => self.read_to(&room, seq, echo),
            ClientFrame::Typing { room } => self.type_in(&room, echo),
        }
    }

    async fn subscribe(
        &self,
        name: &str,
        since: Option<i64>,
        epoch: Option<&str>,
        reference: Option<&RawValue>,
    ) -> Result<()> {
        let stream: Stream = name.parse().map_err(|_| AppError::NotFound)?;
        if matches!(stream.kind, StreamKind::Hub | StreamKind::Rights) {
            return Err(AppError::NotFound);
        }
        if since.is_some_and(|since| since < 0) {
            return Err(AppError::field("since", "counts from 0"));
        }
        let (count, known) = self.socket.count_of(stream);
        if count >= MOST_STREAMS && !known {
            return Err(AppError::TooMany(1));
        }
        let within = self.looked_up(stream).await?;
        // A reader that starts anew gets nothing until its place is known.
        self.sockets.unsubscribe(&self.socket, stream);
        self.sockets.subscribe(&self.socket, stream, within, Cursor::new(i64::MAX, true));
        let current = match in_time(ANSWER_WITHIN, log_head(self.state.store.read(), stream)).await {
            Ok(current) => current,
            Err(error) => {
                self.sockets.unsubscribe(&self.socket, stream);
                return Err(error);
            }
        };
        if !self.socket.cursors.borrow().contains_key(&stream) {
            // The right was withdrawn meanwhile, and that was said.
            return Err(AppError::NotFound);
        }
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
        if !self.sockets.begin(&self.socket, stream, last, current.head) {
            self.sockets.catch_up(&self.state, &self.socket, stream);
        }
        if stream.kind == StreamKind::Member {
            self.sockets.refresh_follows(&self.state, &self.socket);
        }
        Ok(())
    }

    /// Whether the member may read the stream, and still may when the answer is there: what is
    /// withdrawn meanwhile concerns nobody who is not counted among the readers yet.
    async fn looked_up(&self, stream: Stream) -> Result<Within> {
        for _ in 0..TRIES {
            let before = self.sockets.withdrawals.get();
            let within = self.state.may_subscribe(self.socket.member.get(), stream).await?;
            if before == self.sockets.withdrawals.get() {
                return Ok(within);
            }
        }
        Err(AppError::Unavailable(1))
    }

    fn refuse(&mut self, code: Code, detail: &str, echo: &Echo) -> bool {
        self.complain(code, detail, echo, None)
    }

    pub(super) fn refuse_for(&mut self, error: &AppError, echo: &Echo) -> bool {
        let (code, detail) = error_words(error);
        let findings = if let AppError::Confirm(findings) = error { Some(findings.clone()) } else { None };
        self.complain(code, &detail, echo, findings)
    }

    fn complain(&mut self, code: Code, detail: &str, echo: &Echo, findings: Option<Vec<Finding>>) -> bool {
        if self.patience.get_or_insert_default().is_over(code) {
            self.socket.close(close::ABUSE);
            return false;
        }
        let (reference, client_id) = (echo.reference.as_deref(), echo.client_id.as_deref());
        self.socket.send(ServerFrame::Error { code, detail, reference, client_id, findings }.encode());
        true
    }
}

/// With which code a socket ends that breaks the protocol beneath the frames.
pub(super) fn code_of(error: &ProtocolError) -> u16 {
    if is_too_large(error) { close::TOO_LARGE } else { close::ABUSE }
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
    match error {
        AppError::Internal(source) => {
            tracing::error!(error = %source, "internal error on a socket");
            detail = "A part of the hub is away; try again.".into();
        }
        // A frame has no list of fields: the sentence says what is wrong with which.
        AppError::Invalid(errors) => {
            let fields: Vec<String> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
            detail = format!("{}.", fields.join("; "));
        }
        _ => {}
    }
    (code, detail)
}

#[cfg(test)]
mod tests {
    use super::Session;

    fn size_of_task<A, B, C, F: Future>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_socket_at_rest_holds_no_room_for_what_it_may_do() {
        let size = size_of_task(Session::run);
        assert!(size <= 1792, "{size} bytes");
    }
}
