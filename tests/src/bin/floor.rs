//! What a room costs at least: two bare rooms that store nothing, for `load` to measure beside a hub.
//!
//! `floor session` sends through `actix_ws::Session`, which encodes each frame again for each
//! socket; `floor bytes` encodes a frame once and writes its shared bytes to the response body of
//! the same handshake. Both speak as much of `praxis.v1` as the tool needs: `subscribe` and `send`.
//! `--frame BYTES` fills a frame of one message up to the size that a hub's has. The address is
//! the first line of standard output; the program ends when its standard input does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io::Read as _;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::Session;
use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use serde::Deserialize;
use tokio::sync::mpsc;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Session,
    Bytes,
}

/// One message on its way to the readers of every worker.
#[derive(Clone)]
struct Posted {
    room: Arc<str>,
    text: ByteString,
    /// The same as a frame for the wire.
    frame: Bytes,
}

/// What the workers share.
struct Rooms {
    kind: Kind,
    frame: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    heads: HashMap<Arc<str>, i64>,
    doors: Vec<mpsc::Sender<Posted>>,
}

/// One worker's readers, by room.
struct Worker {
    rooms: Arc<Rooms>,
    readers: RefCell<HashMap<Arc<str>, Vec<Reader>>>,
    mailbox: RefCell<Option<mpsc::Receiver<Posted>>>,
}

/// The way out to one socket.
#[derive(Clone)]
enum Reader {
    Session(Session),
    Bytes(Rc<Outbox>),
}

impl Reader {
    async fn say(&mut self, text: String) {
        match self {
            Self::Session(session) => _ = session.text(text).await,
            Self::Bytes(outbox) => _ = outbox.push(text_frame(text.as_bytes())),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a> {
    Subscribe {
        #[serde(borrow)]
        stream: &'a str,
    },
    Send {
        room: &'a str,
        body: &'a str,
        client_id: &'a str,
    },
    Ping,
}

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kind = match arguments.first().map(String::as_str) {
        Some("session") => Kind::Session,
        Some("bytes") => Kind::Bytes,
        _ => {
            eprintln!("floor: say session or bytes");
            std::process::exit(2);
        }
    };
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<usize>().ok()
    };
    let rooms = Arc::new(Rooms { kind, frame: number("--frame").unwrap_or(0), inner: Mutex::default() });
    let server = HttpServer::new(move || {
        let (door, mailbox) = mpsc::channel(65_536);
        rooms.inner.lock().unwrap().doors.push(door);
        let worker =
            Worker { rooms: Arc::clone(&rooms), readers: RefCell::default(), mailbox: RefCell::new(Some(mailbox)) };
        App::new().app_data(web::Data::new(Rc::new(worker))).route("/api/v1/ws", web::get().to(open))
    })
    .workers(number("--workers").unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)))
    .on_connect(|connection, _| {
        connection.downcast_ref::<TcpStream>().unwrap().set_nodelay(true).unwrap();
    })
    .bind("127.0.0.1:0")
    .unwrap();
    println!("{}", server.addrs()[0]);
    std::thread::spawn(|| {
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    server.run().await.unwrap();
}

async fn open(
    req: HttpRequest,
    payload: web::Payload,
    worker: web::Data<Rc<Worker>>,
) -> actix_web::Result<HttpResponse> {
    let worker = Rc::clone(&worker);
    if let Some(mailbox) = worker.mailbox.borrow_mut().take() {
        actix_web::rt::spawn(Rc::clone(&worker).run(mailbox));
    }
    let (response, session, messages) = actix_ws::handle_with_protocols(&req, payload, &["praxis.v1"])?;
    match worker.rooms.kind {
        Kind::Session => {
            actix_web::rt::spawn(worker.listen(Reader::Session(session), messages));
            Ok(response)
        }
        Kind::Bytes => {
            let outbox = Rc::<Outbox>::default();
            let body = Rc::clone(&outbox);
            let response = response.map_body(|_, handshake| Body { outbox: body, handshake: Some(handshake) });
            actix_web::rt::spawn(worker.listen(Reader::Bytes(outbox), messages));
            Ok(response.map_into_boxed_body())
        }
    }
}

impl Worker {
    /// Brings what was posted to this worker's readers.
    async fn run(self: Rc<Self>, mut mailbox: mpsc::Receiver<Posted>) {
        while let Some(posted) = mailbox.recv().await {
            let of_room = self.readers.borrow_mut().get_mut(&posted.room).map(std::mem::take);
            let Some(mut readers) = of_room else { continue };
            let mut at = 0;
            while let Some(reader) = readers.get_mut(at) {
                let there = match reader {
                    Reader::Session(session) => session.text(posted.text.clone()).await.is_ok(),
                    Reader::Bytes(outbox) => outbox.push(posted.frame.clone()),
                };
                if there {
                    at += 1;
                } else {
                    readers.swap_remove(at);
                }
            }
            let mut all = self.readers.borrow_mut();
            let now = all.entry(posted.room).or_default();
            // Those who came meanwhile.
            readers.append(now);
            *now = readers;
        }
    }

    async fn listen(self: Rc<Self>, mut reader: Reader, messages: actix_ws::MessageStream) {
        let mut messages = messages.aggregate_continuations();
        reader.say(r#"{"type":"ready","member":{"handle":"floor"}}"#.into()).await;
        while let Some(Ok(message)) = messages.recv().await {
            let actix_ws::AggregatedMessage::Text(text) = message else { continue };
            match serde_json::from_str(&text) {
                Ok(Said::Subscribe { stream }) => {
                    let room: Arc<str> = stream.trim_start_matches("room:").into();
                    let head = self.rooms.inner.lock().unwrap().heads.get(&room).copied().unwrap_or(0);
                    self.readers.borrow_mut().entry(room).or_default().push(reader.clone());
                    reader
                        .say(format!(r#"{{"type":"subscribed","stream":"{stream}","head":{head},"epoch":"floor"}}"#))
                        .await;
                }
                Ok(Said::Send { room, body, client_id }) => {
                    let seq = self.rooms.post(room, body, client_id);
                    reader
                        .say(format!(
                            r#"{{"type":"sent","client_id":"{client_id}","room":"{room}","id":"{seq:013}","seq":{seq}}}"#
                        ))
                        .await;
                }
                Ok(Said::Ping) => reader.say(r#"{"type":"pong"}"#.into()).await,
                Err(error) => panic!("{error}: {text}"),
            }
        }
        // The room lets go of it with the next message. Unless the answer ends here, its socket stays
        // half open for as long as the room is quiet, and thousands of them take every descriptor.
        match reader {
            Reader::Session(session) => _ = session.close(None).await,
            Reader::Bytes(outbox) => outbox.close(),
        }
    }
}

impl Rooms {
    /// Numbers a message, encodes it once and hands it to the workers, in order.
    fn post(&self, room: &str, body: &str, client_id: &str) -> i64 {
        let mut inner = self.inner.lock().unwrap();
        let room: Arc<str> = match inner.heads.get_key_value(room) {
            Some((room, _)) => Arc::clone(room),
            None => room.into(),
        };
        let head = inner.heads.entry(Arc::clone(&room)).or_insert(0);
        *head += 1;
        let seq = *head;
        let mut text = format!(
            r#"{{"type":"events","stream":"room:{room}","items":[{{"seq":{seq},"event":"message.posted","at":"2026-01-01T00:00:00.000000Z","data":{{"id":"{seq:013}","author":{{"handle":"floor","display_name":"Floor"}},"body":"{body}","body_html":"<p>{body}</p>\n","client_id":"{client_id}","reply_to":null"#
        );
        let short = self.frame.saturating_sub(text.len() + 16);
        if short > 0 {
            text.push_str(&format!(r#","more":"{:.<short$}""#, ""));
        }
        text.push_str("}}]}");
        let frame = if self.kind == Kind::Bytes { text_frame(text.as_bytes()) } else { Bytes::new() };
        let posted = Posted { room, text: text.into(), frame };
        for door in &inner.doors {
            door.try_send(posted.clone()).unwrap_or_else(|_| panic!("a worker's mailbox is full"));
        }
        seq
    }
}

/// What waits to be written to one socket.
#[derive(Default)]
struct Outbox {
    frames: RefCell<VecDeque<Bytes>>,
    closed: Cell<bool>,
    writer: RefCell<Option<Waker>>,
}

impl Outbox {
    /// False once it is closed.
    fn push(&self, frame: Bytes) -> bool {
        if self.closed.get() {
            return false;
        }
        self.frames.borrow_mut().push_back(frame);
        if let Some(waker) = self.writer.borrow_mut().take() {
            waker.wake();
        }
        true
    }

    fn close(&self) {
        self.closed.set(true);
        if let Some(waker) = self.writer.borrow_mut().take() {
            waker.wake();
        }
    }
}

struct Body {
    outbox: Rc<Outbox>,
    handshake: Option<BoxBody>,
}

impl MessageBody for Body {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if let Some(frame) = this.outbox.frames.borrow_mut().pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if this.outbox.closed.get() {
            this.handshake = None;
            return Poll::Ready(None);
        }
        *this.outbox.writer.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn text_frame(payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    frame.put_u8(0x81);
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.put_u8(length as u8),
        Ok(length) => {
            frame.put_u8(126);
            frame.put_u16(length);
        }
        Err(_) => {
            frame.put_u8(127);
            frame.put_u64(payload.len() as u64);
        }
    }
    frame.put_slice(payload);
    frame.freeze()
}
