//! What stands above every page of a room, for the partial `_room_head.html`.

use crate::app::AppState;
use crate::entities::kinds::{RoomKind, Visibility};
use crate::features::chat::model::{RoomPerson, RoomView};
use crate::features::chat::queries::{self, FoundRoom};
use crate::streams::Stream;
use crate::web::error::Result;

/// Why a viewer may not write in a room. Templates call it `no`.
#[derive(Clone, Debug)]
pub struct NoSay {
    /// `archived`, `space` (which is archived), `blocked` or `join` (the space first).
    pub why: &'static str,
    pub space: String,
    pub space_name: String,
}

/// The head of a room as one viewer sees it. Templates call it `head`.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one part of the template")]
pub struct RoomHead {
    pub id: String,
    /// Empty for a direct conversation.
    pub space: String,
    pub space_name: String,
    pub name: String,
    pub purpose: String,
    pub page: String,
    pub icon: &'static str,
    /// Of a conversation of two: the handle of the other one.
    pub other: String,
    pub people: Vec<RoomPerson>,
    pub stream: String,
    /// The stream of its space, and where it stands; empty for a direct conversation.
    pub around: String,
    pub around_seq: i64,
    pub seq: i64,
    pub epoch: String,
    pub read_seq: i64,
    pub archived: bool,
    pub follows: bool,
    pub favourite: bool,
    pub muted: bool,
    pub no_say: Option<NoSay>,
    /// May end following it, or leave it.
    pub leaves: bool,
    /// May change the room and archive it.
    pub manages: bool,
    pub make_topic: bool,
    /// Messages may become a case study: what is said in a confidential space stays in it.
    pub make_study: bool,
    /// `room`, `pins`, `topics`, `day` or `settings`.
    pub tab: &'static str,
}

impl RoomHead {
    /// One statement more for the people of a room that is not open.
    pub async fn of(state: &AppState, room: &FoundRoom, tab: &'static str) -> Result<Self> {
        let view = queries::view_of(state, room).await?;
        let around = match room.ground.space_id.map(Stream::space) {
            Some(space) => (space.to_string(), state.heads.current(state.store.read(), space).await?),
            None => (String::new(), 0),
        };
        Ok(Self::new(view, room, tab, around))
    }

    fn new(view: RoomView, room: &FoundRoom, tab: &'static str, (around, around_seq): (String, i64)) -> Self {
        let standing = &room.ground.standing;
        let page = view.path();
        let people = view.members.unwrap_or_default();
        let others: Vec<&RoomPerson> = people.iter().filter(|person| person.id != standing.member).collect();
        let other = match (view.kind, others.as_slice()) {
            (RoomKind::Direct, [only]) => only.handle.clone(),
            _ => String::new(),
        };
        let icon = match view.kind {
            RoomKind::Open => "rooms",
            RoomKind::Private => "lock",
            RoomKind::Direct if other.is_empty() => "people",
            RoomKind::Direct => "user",
        };
        let mine = view.mine.unwrap_or_default();
        let (space, space_name) = (view.space.unwrap_or_default(), room.ground.space_name.clone().unwrap_or_default());
        let no_say = standing.write().is_err().then(|| NoSay {
            why: match (standing.archived, standing.space_archived) {
                (true, _) => "archived",
                (_, true) => "space",
                _ if standing.blocked => "blocked",
                _ => "join",
            },
            space: space.clone(),
            space_name: space_name.clone(),
        });
        Self {
            id: view.id.to_string(),
            space,
            space_name,
            name: view.name,
            purpose: view.purpose,
            page,
            icon,
            other,
            stream: view.stream,
            around,
            around_seq,
            seq: view.head,
            epoch: view.epoch,
            read_seq: mine.read_seq,
            archived: view.archived,
            follows: room.ground.mine.is_some(),
            favourite: mine.favourite,
            muted: mine.muted,
            make_topic: view.kind == RoomKind::Open && no_say.is_none(),
            no_say,
            leaves: view.kind != RoomKind::Direct && room.ground.mine.is_some(),
            manages: standing.arrange().is_ok(),
            make_study: standing.visibility != Some(Visibility::Confidential),
            people,
            tab,
        }
    }
}
