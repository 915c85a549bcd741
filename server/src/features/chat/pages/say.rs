//! Writing a message by a form, and the form itself.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::head::RoomHead;
use super::room::{self, RoomQuery};
use super::{id_in, id_of, thread};
use crate::app::AppState;
use crate::entities::kinds::RoomKind;
use crate::features::chat::queries::{self, Bound, FoundRoom};
use crate::features::chat::{self, NewMessage};
use crate::web::error::{AppError, Result};
use crate::web::form::Form;
use crate::web::frame::{Frame, see_other};
use crate::web::viewer::{Me, Member};

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
    /// The composer for a viewer, or why there is none.
    pub async fn of(
        state: &AppState,
        me: &Me,
        f: &Frame,
        head: &RoomHead,
        room: &FoundRoom,
        typed: Option<Self>,
    ) -> Result<(Option<Self>, &'static str)> {
        let standing = &room.ground.standing;
        if standing.write().is_err() {
            let why = match (standing.archived, standing.space_archived) {
                (true, _) => "archived",
                (_, true) => "space",
                _ => "join",
            };
            return Ok((None, why));
        }
        if standing.kind == RoomKind::Direct && room.ground.is_pair() && queries::is_blocked(state, me, room).await? {
            return Ok((None, "blocked"));
        }
        let typed = typed.unwrap_or_default();
        let label = if typed.thread.is_empty() {
            f.with1("chat.say.to", "name", &head.name)
        } else {
            f.t("chat.say.reply").to_owned()
        };
        let draft = format!("{}{}", head.id, typed.thread);
        let client = crate::app::secrets::random_token();
        Ok((Some(Self { room: head.id.clone(), space: head.space.clone(), draft, client, label, ..typed }), ""))
    }
}

/// `POST /rooms/{id}/messages`
pub async fn send(req: HttpRequest, state: web::Data<AppState>, me: Member, sent: Form) -> Result<HttpResponse> {
    let room = queries::find_room(&state, &me, id_in(&req, "id")?).await?;
    let thread = sent.some("reply_to").map(id_of).transpose()?;
    let new = NewMessage {
        body: sent.get("body").replace("\r\n", "\n"),
        client_id: sent.get("client_id").to_owned(),
        reply_to: thread,
        confirmed: sent.ticked("confirmed"),
    };
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
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    match thread {
        Some(root) => thread::render(&req, &state, &me, room, root, Bound::Newest, Some(typed), status).await,
        None => room::render(&req, &state, &me, room, &RoomQuery::default(), Some(typed), status).await,
    }
}
