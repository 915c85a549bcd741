//! Writing a message by a form, and the form itself.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::head::RoomHead;
use super::room::{self, RoomQuery};
use super::{id_in, id_of, thread};
use crate::app::AppState;
use crate::features::chat::queries::{self, Bound, FoundRoom};
use crate::features::chat::{self, NewMessage};
use crate::features::people;
use crate::web::error::{AppError, Result};
use crate::web::form;
use crate::web::frame::{Frame, see_other};
use crate::web::viewer::Member;
use crate::web::words::english;

/// The composer. Templates call it `say`.
#[derive(Clone, Debug, Default)]
pub struct Say {
    pub room: String,
    pub space: String,
    /// Its place among the drafts of this browser.
    pub draft: String,
    /// Sent with the text, so that the same form sent twice posts once.
    pub client: String,
    /// The root of the thread it writes in; empty for the room.
    pub thread: String,
    pub label: String,
    pub body: String,
    pub fault: String,
    pub confirm: bool,
}

impl Say {
    /// The composer for a viewer; `None` if they may not write, and the head says why.
    #[must_use]
    pub fn of(f: &Frame, head: &RoomHead, typed: Option<Self>) -> Option<Self> {
        if head.no_say.is_some() {
            return None;
        }
        let typed = typed.unwrap_or_default();
        let label = if typed.thread.is_empty() {
            f.with1("chat.say.to", "name", &head.name)
        } else {
            f.t("chat.say.reply").to_owned()
        };
        let draft = format!("{}{}", head.id, typed.thread);
        let client = crate::app::secrets::random_token();
        Some(Self { room: head.id.clone(), space: head.space.clone(), draft, client, label, ..typed })
    }
}

/// `POST /rooms/{id}/messages`: a text, a file or both.
pub async fn send(
    req: HttpRequest,
    state: web::Data<AppState>,
    me: Member,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let (sent, file) = form::with_file(&req, payload, "file", people::MOST_FILE).await?;
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    let thread = sent.some("reply_to").map(id_of).transpose()?;
    let mut new = NewMessage {
        body: sent.get("body").replace("\r\n", "\n"),
        client_id: sent.get("client_id").to_owned(),
        reply_to: thread,
        confirmed: sent.ticked("confirmed"),
    };
    if let Some((name, bytes)) = file {
        room.ground.standing.write()?;
        match people::keep_file(&state, me.id, &name, bytes).await {
            Ok(markdown) if new.body.trim().is_empty() => new.body = markdown,
            Ok(markdown) => new.body = format!("{}\n\n{markdown}", new.body.trim_end()),
            Err(error @ (AppError::TooLarge(_) | AppError::UnsupportedType(_) | AppError::Invalid(_))) => {
                let typed = Say { body: new.body, fault: said(&error), ..Say::default() };
                return show_again(&req, &state, &me, room, thread, typed, error.status()).await;
            }
            Err(error) => return Err(error),
        }
    }
    let mut typed = Say { body: new.body.clone(), ..Say::default() };
    match chat::send(&state, &me, room.ground.id, &new).await {
        Ok(posted) => {
            let path = queries::view_of(&state, &room).await?.path();
            let id = posted.message.id;
            return Ok(see_other(&match posted.message.thread {
                Some(root) => format!("{path}/thread/{root}#m-{id}"),
                None => format!("{path}#m-{id}"),
            }));
        }
        Err(AppError::Invalid(faults)) => {
            let frame = Frame::bare(&state, &req);
            typed.fault = faults.first().map_or_else(String::new, |fault| match fault.message.as_str() {
                "is needed" => frame.t("chat.say.empty").to_owned(),
                said => frame.with1("forum.fault.body", "message", said),
            });
        }
        Err(AppError::Confirm(findings)) => {
            typed.fault = findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join(" ");
            typed.confirm = true;
        }
        Err(error) => return Err(error),
    }
    show_again(&req, &state, &me, room, thread, typed, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// What is wrong with a file, in a sentence.
fn said(error: &AppError) -> String {
    match error {
        AppError::Invalid(faults) => faults
            .first()
            .map_or_else(String::new, |fault| english().with("chat.say.file", &[("message", fault.message.as_str())])),
        error => error.problem().detail,
    }
}

/// The page with what was typed, and what is wrong with it.
async fn show_again(
    req: &HttpRequest,
    state: &AppState,
    me: &Member,
    room: FoundRoom,
    thread: Option<i64>,
    typed: Say,
    status: StatusCode,
) -> Result<HttpResponse> {
    match thread {
        Some(root) => {
            let page = thread::Shown::Page(status);
            thread::render(req, state, me, room, root, Bound::Newest, Some(typed), page).await
        }
        None => room::render(req, state, me, room, &RoomQuery::default(), Some(typed), status).await,
    }
}
