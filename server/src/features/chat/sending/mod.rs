//! Sending: messages that wait share one commit, each with its own outcome.
//!
//! Invariant: `Ok` means durable. A `client_id` is one message of its author and room for ever: a
//! repeat gets the first one, whatever it says now. What one connection sends into a room is
//! posted in the order in which it was queued.

mod batch;
mod rows;
mod texts;

use std::sync::Arc;

use actix_web::HttpResponse;
use tokio::sync::{mpsc, oneshot};

pub(super) use batch::deliver;
pub(super) use texts::MAY_READ;
pub use texts::{Written, preview, written};

use super::model::{MESSAGE, MessageView};
use crate::app::AppState;
use crate::store::{Id, Sql};
use crate::web::checks::{self, Text};
use crate::web::error::{AppError, Result};
use crate::web::etag::of_version;
use crate::web::idempotency::{Answer, Once, write_once};

/// Messages that may wait for a commit; beyond that a send is refused with 503.
const QUEUE: usize = 8192;
/// Messages that share one commit, and about how many bytes they are to a reader: all of one commit fits
/// between a reader's connection and its limit.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 512 << 10;
/// What an event has besides its texts, about.
const BESIDE_TEXT: usize = 512;
/// Characters of a `client_id`.
const CLIENT_ID: usize = 64;

/// A message as somebody sends it.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    pub body: String,
    pub client_id: String,
    pub reply_to: Option<i64>,
    pub confirmed: bool,
}

/// A message checked and rendered, on its way into a room.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub room: i64,
    pub member: i64,
    pub client_id: String,
    pub written: Written,
    pub reply_to: Option<i64>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub message: Arc<MessageView>,
    /// False for a repeat.
    pub fresh: bool,
}

struct Letter {
    outgoing: Outgoing,
    reply: oneshot::Sender<Result<Sent>>,
}

impl Letter {
    const fn size(&self) -> usize {
        let written = &self.outgoing.written;
        written.body.len() + written.html.len() + BESIDE_TEXT
    }
}

/// The queue of messages. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    queue: mpsc::Sender<Letter>,
}

/// What [`Sender::run`] reads.
pub struct Mailbag(mpsc::Receiver<Letter>);

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl std::fmt::Debug for Mailbag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailbag")
    }
}

impl Sender {
    #[must_use]
    pub fn new() -> (Self, Mailbag) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        (Self { queue }, Mailbag(receiver))
    }

    /// Queues a message and returns its commit.
    pub fn submit(&self, outgoing: Outgoing) -> Result<impl Future<Output = Result<Sent>> + use<>> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Letter { outgoing, reply }).map_err(|_| AppError::Unavailable(1))?;
        Ok(async { answer.await.map_err(|_| AppError::Unavailable(1))? })
    }

    /// The task: what came while a commit was on its way shares the next, and who waits for a
    /// commit is answered while the next is on its way.
    pub async fn run(state: AppState, mut bag: Mailbag, mut stop: tokio::sync::watch::Receiver<bool>) {
        let mut letters = Vec::with_capacity(BATCH);
        let mut answers = Vec::with_capacity(BATCH);
        loop {
            let mut bytes: usize = letters.iter().map(Letter::size).sum();
            while letters.len() < BATCH
                && bytes < BATCH_BYTES
                && let Ok(letter) = bag.0.try_recv()
            {
                bytes += letter.size();
                letters.push(letter);
            }
            if letters.is_empty() {
                answer_all(&mut answers);
                tokio::select! {
                    biased;
                    letter = bag.0.recv() => {
                        let Some(letter) = letter else { return };
                        letters.push(letter);
                        // Others may have come with it.
                        continue;
                    }
                    _ = stop.changed() => return,
                }
            }
            let (outgoing, replies): (Vec<_>, Vec<_>) =
                letters.drain(..).map(|letter| (letter.outgoing, letter.reply)).unzip();
            let (outcomes, ()) = tokio::join!(biased; commit(&state, outgoing), async { answer_all(&mut answers) });
            answers.extend(replies.into_iter().zip(outcomes));
        }
    }
}

type Answered = (oneshot::Sender<Result<Sent>>, Result<Sent>);

fn answer_all(answers: &mut Vec<Answered>) {
    for (reply, outcome) in answers.drain(..) {
        // Whoever sent it may be gone; the message stands all the same.
        let _gone = reply.send(outcome);
    }
}

/// One commit for all; if that fails one for each half and so on, so that none falls for another.
async fn commit(state: &AppState, outgoing: Vec<Outgoing>) -> Vec<Result<Sent>> {
    let all = Arc::new(outgoing);
    let mut outcomes = Vec::with_capacity(all.len());
    let (mut next, mut parts) = (Some(0..all.len()), Vec::new());
    while let Some(part) = next.take().or_else(|| parts.pop()) {
        let (batch, of) = (Arc::clone(&all), part.clone());
        let done = state.store.write(async move |tx| deliver(tx, batch.get(of.clone()).unwrap_or_default()).await);
        match done.await {
            Ok(done) => outcomes.extend(done),
            Err(AppError::Internal(error)) if part.len() > 1 => {
                tracing::error!(%error, messages = part.len(), "a batch of messages failed; by halves");
                let middle = part.start + part.len() / 2;
                // The earlier ones first: what one connection sent stays in order.
                parts.push(middle..part.end);
                next = Some(part.start..middle);
            }
            Err(error) => {
                let again = |error: &AppError| match error {
                    AppError::Unavailable(seconds) => AppError::Unavailable(*seconds),
                    error => AppError::internal(error.to_string()),
                };
                outcomes.extend(part.map(|_| Err(again(&error))));
            }
        }
    }
    outcomes
}

/// Checks and renders a message. Only one that may name somebody asks the database, and one that is
/// wrong: if it repeats another it is answered with that, whatever it says.
pub async fn prepare(state: &AppState, member: i64, room: i64, new: &NewMessage) -> Result<Outgoing> {
    let id = &new.client_id;
    if id.is_empty() || id.chars().count() > CLIENT_ID || id.chars().any(char::is_control) {
        return Err(AppError::field("client_id", format!("has 1 to {CLIENT_ID} characters")));
    }
    let written = match checks::check(&[Text::body("body", &new.body, MESSAGE).required()], new.confirmed) {
        Ok(checked) => written(state, room, checked.get("body")).await?,
        Err(error) => {
            if !is_known(state, member, room, id).await? {
                return Err(error);
            }
            Written::default()
        }
    };
    Ok(Outgoing { room, member, client_id: id.clone(), written, reply_to: new.reply_to })
}

/// Whether a member has posted something in a room under this name.
async fn is_known(state: &AppState, member: i64, room: i64, client_id: &str) -> Result<bool> {
    let known = Sql::new("SELECT 1 AS one FROM message WHERE room_id = ")
        .bind(room)
        .then(" AND author_id = ")
        .bind(member)
        .then(" AND client_id = ")
        .bind(client_id);
    Ok(known.one(state.store.read()).await?.is_some())
}

/// Parses what names the answered message.
pub fn parse_reply(reply_to: Option<&str>) -> Result<Option<i64>> {
    let parsed = reply_to.map(str::parse::<Id>).transpose();
    Ok(parsed.map_err(|_| AppError::field("reply_to", "is a message of this room"))?.map(|id| id.0))
}

/// Posts a message for a request with an `Idempotency-Key`: the key is written in the transaction
/// of the message, which therefore stands alone.
pub async fn send_once(state: &AppState, outgoing: Outgoing, once: Option<Once>) -> Result<HttpResponse> {
    let member = outgoing.member;
    let one = vec![outgoing];
    write_once(state, member, once, async move |tx| {
        let sent = deliver(tx, &one).await?.pop().ok_or_else(|| AppError::internal("a message came to nothing"))??;
        answer(&sent)
    })
    .await
}

/// 201 for a new message, 200 for a repeat.
pub fn answer(sent: &Sent) -> Result<Answer> {
    let view = &*sent.message;
    let mut answer = Answer::created(format!("/api/v1/messages/{}", view.id), view, Some(view.id.0))?;
    answer.status = if sent.fresh { 201 } else { 200 };
    Ok(answer.with_etag(of_version(view.version)))
}
